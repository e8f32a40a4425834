"""Odoo → Amazon: delivery orders that are done are confirmed as shipments, one by one.

Which are to be told is a predicate: done, on its way to the customer, of a merchant-fulfilled
order that the bridge imported, and Amazon hasn't been told. The state store remembers of each how
far it is (``Progress``); it is settled when Amazon shows the package. The package reference is the
delivery order's database id: unless nobody can have told Amazon yet, Amazon is asked first.

``find`` reads what is done in Odoo, ``decide`` has the rules, ``apply`` tells Amazon, ``tell``
says it to people, ``records`` keeps what is known of each, and ``run`` puts these together.
"""

from amazon_bridge.flows.shipments.progress import JOB
from amazon_bridge.flows.shipments.records import Waiting, waiting
from amazon_bridge.flows.shipments.run import sync

__all__ = ["JOB", "Waiting", "sync", "waiting"]
