"""Odoo → Amazon: delivery orders that are done are confirmed as shipments, one by one.

A predicate selects them: done, on its way to the customer, of a merchant-fulfilled order that the
bridge imported, and not confirmed to Amazon yet. The state store keeps the ``ShipmentProgress`` of
each; a delivery order is settled when Amazon shows its package. The package reference is the
delivery order's database id. Unless nobody can have confirmed it yet, the order is fetched from
Amazon before a confirmation is sent.

``find`` reads what is done in Odoo, ``decide`` has the rules, ``apply`` tells Amazon, ``tell``
tells people, ``records`` keeps the progress of each, and ``run`` lists the steps of a sync run.
"""

from amazon_bridge.flows.shipments.progress import JOB
from amazon_bridge.flows.shipments.records import Waiting, waiting
from amazon_bridge.flows.shipments.run import sync

__all__ = ["JOB", "Waiting", "sync", "waiting"]
