"""Odoo → Amazon: merchant-fulfilled orders that people cancelled in Odoo are cancelled on Amazon.

All orders of a run go into one feed, and feeds are at least 20 minutes apart. The state store
records a feed before it is created, and its id before it is polled; later runs poll it and read its
report line by line. For orders that the report doesn't name, the order itself is read.

``find`` reads what was cancelled, ``decide`` has the rules, ``brake`` holds mass actions,
``feeds`` tells Amazon, ``apply`` settles, ``tell`` tells people, ``run`` lists the steps of a run.
"""

from amazon_bridge.flows.cancellations.decide import tagged_reason
from amazon_bridge.flows.cancellations.memo import JOB
from amazon_bridge.flows.cancellations.run import sync

__all__ = ["JOB", "sync", "tagged_reason"]
