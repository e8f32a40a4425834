"""Odoo → Amazon: merchant-fulfilled orders that people cancelled in Odoo are cancelled there.

All orders of a round travel in one feed, at most one in 20 minutes. The ledger knows the feed
before it is made, and its id before it is asked for; later rounds ask how it fares and read its
report line by line. What a feed leaves unsaid is read from the orders themselves.

``find`` reads what was cancelled, ``decide`` has the rules, ``brake`` holds mass actions,
``feeds`` tells Amazon, ``apply`` settles, ``tell`` says it in Odoo, ``run`` puts these together.
"""

from amazon_bridge.flows.cancellations.decide import tagged_reason
from amazon_bridge.flows.cancellations.memo import JOB
from amazon_bridge.flows.cancellations.run import sync

__all__ = ["JOB", "sync", "tagged_reason"]
