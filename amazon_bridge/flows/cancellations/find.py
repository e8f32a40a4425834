"""Which sale orders were cancelled in Odoo and aren't settled yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import State
from amazon_bridge.flows import orders
from amazon_bridge.flows.cancellations import tell
from amazon_bridge.flows.cancellations.decide import Ending, Task, judge
from amazon_bridge.flows.cancellations.memo import CANCELLED, JOB
from amazon_bridge.flows.context import Context
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.cancelled_orders import CancelledOrder, cancelled_orders
from amazon_bridge.odoo.sales import SaleOrder

_OVERLAP = timedelta(days=1)
"""How far a round looks back behind the last one that went well."""

_FIRST_LOOK = timedelta(days=60)
"""How far the first round of a state store looks back."""


@dataclass(frozen=True, slots=True)
class Found:
    """The orders that aren't settled yet, but for those in a feed."""

    tasks: Sequence[Task]
    endings: Sequence[Ending]
    unknown: Collection[str]
    """Amazon didn't say what these orders are."""
    failures: Mapping[str, ItemError]
    gone: Collection[str]
    """They were deleted in Odoo before Amazon was told."""


def find(context: Context) -> Found:
    """Read what was cancelled in Odoo since the last run, and what earlier runs filed."""
    ledger, name = context.ledger, context.name
    aside = {entry.key for entry in ledger.quarantined(name) if entry.job == JOB}
    filed = {entry.key for entry in ledger.pending_entries(name, JOB)} | aside
    in_feeds = {key for feed in ledger.open_feeds(name) for key in feed.keys}
    found = cancelled_orders(
        context.odoo,
        company_id=context.setup.company_id,
        since=context.since(JOB, overlap=_OVERLAP, first_look=_FIRST_LOOK),
        order_ids=filed - in_feeds,
    )
    revived = [each.sale_order for each in found if not each.sale_order.is_cancelled]
    open_ = [each for each in found if _is_open(context, each, aside | in_feeds)]
    told = _told_before(context, open_)
    untold = [each for each in open_ if each.sale_order.id not in told]
    memos = orders.memos_of(context, [each.sale_order.order_id for each in untold])
    judged = [
        judge(context, each, memos[each.sale_order.order_id])
        for each in untold
        if each.sale_order.order_id in memos
    ]
    return Found(
        tasks=[each for each in judged if isinstance(each, Task)],
        endings=[
            *(Ending(sale_order, State.LEFT_OUT) for sale_order in revived),
            *(Ending(e.sale_order, State.DONE) for e in open_ if e.sale_order.id in told),
            *(each for each in judged if isinstance(each, Ending)),
        ],
        unknown={each.sale_order.order_id for each in untold} - memos.keys(),
        failures={key: memo for key, memo in memos.items() if isinstance(memo, ItemError)},
        gone=filed - in_feeds - {each.sale_order.order_id for each in found},
    )


def _is_open(context: Context, each: CancelledOrder, skipped: Collection[str]) -> bool:
    sale_order = each.sale_order
    if not sale_order.is_cancelled or sale_order.order_id in skipped:
        return False
    entry = context.ledger.entry(context.name, JOB, sale_order.order_id)
    return entry is None or entry.state == State.PENDING or entry.fingerprint != CANCELLED


def _told_before(context: Context, open_: Sequence[CancelledOrder]) -> set[int]:
    """Those new to this state store of which a note says that Amazon knows, by database id."""
    new = [
        each.sale_order.id
        for each in open_
        if context.ledger.entry(context.name, JOB, each.sale_order.order_id) is None
    ]
    return notes.told(context.odoo, notes.SALE_ORDER, new, *tell.SETTLED)


def sale_orders_of(context: Context, order_ids: Collection[str]) -> dict[str, SaleOrder]:
    """The sale orders of these Amazon orders, by Amazon order id."""
    found = cancelled_orders(
        context.odoo,
        company_id=context.setup.company_id,
        since=context.clock(),
        order_ids=order_ids,
    )
    return {each.sale_order.order_id: each.sale_order for each in found}
