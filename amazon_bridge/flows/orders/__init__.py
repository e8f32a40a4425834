"""Amazon → Odoo: orders are imported, completed, and cancelled.

``find`` reads what changed on Amazon, ``decide`` has the rules, ``apply`` makes it so in Odoo,
``tell`` says it to people, and ``run`` puts these together to a sync run.
"""

from amazon_bridge.flows.orders.apply import work
from amazon_bridge.flows.orders.as_is import import_as_is
from amazon_bridge.flows.orders.decide import Step, decide
from amazon_bridge.flows.orders.find import fetch, file, memos_of
from amazon_bridge.flows.orders.memo import JOB, Memo
from amazon_bridge.flows.orders.run import recover, sweep, sync
from amazon_bridge.flows.orders.tell import CANCELLED_THERE
from amazon_bridge.flows.orders.waiting import waiting, with_reason

__all__ = [
    "CANCELLED_THERE",
    "JOB",
    "Memo",
    "Step",
    "decide",
    "fetch",
    "file",
    "import_as_is",
    "memos_of",
    "recover",
    "sweep",
    "sync",
    "waiting",
    "with_reason",
    "work",
]
