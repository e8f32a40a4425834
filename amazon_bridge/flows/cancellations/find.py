"""Which sale orders were cancelled in Odoo and aren't settled yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.flows import orders, outbound
from amazon_bridge.flows.cancellations import tell
from amazon_bridge.flows.cancellations.decide import Ending, Task, is_shipped_by_amazon
from amazon_bridge.flows.cancellations.memo import CANCELLED, JOB
from amazon_bridge.flows.context import Context
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.cancelled_orders import CancelledOrder, cancelled_orders
from amazon_bridge.odoo.sales import SaleOrder


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
    sale_orders: Mapping[str, SaleOrder]
    """By Amazon order id."""


def find(context: Context) -> Found:
    """Read what was cancelled in Odoo since the last run, and what earlier runs filed."""
    ledger, name = context.ledger, context.name
    aside = {entry.key: entry for entry in ledger.items.quarantined(name) if entry.job == JOB}
    filed = {entry.key for entry in ledger.items.pending_entries(name, JOB)} | aside.keys()
    in_feeds = {key for feed in ledger.feeds.open(name) for key in feed.keys}
    found = cancelled_orders(
        context.odoo,
        company_id=context.setup.company_id,
        since=outbound.changed_since(context, JOB),
        order_ids=filed - in_feeds,
    )
    revived = [each.sale_order for each in found if not each.sale_order.is_cancelled]
    open_ = [each for each in found if _is_open(context, each, aside.keys() | in_feeds)]
    settled = _settled_before(context, open_)
    unsettled = [each for each in open_ if each.sale_order.id not in settled]
    memos = orders.memos_of(context, [each.sale_order.order_id for each in unsettled])
    by_amazon = [each for each in unsettled if _is_amazons(memos.get(each.sale_order.order_id))]
    ours = [each for each in unsettled if each not in by_amazon]
    tasks, foreign, failures = _sorted_by_memo(ours, memos)
    return Found(
        tasks=tasks,
        endings=[
            *(Ending(sale_order, State.LEFT_OUT) for sale_order in [*revived, *foreign]),
            *(Ending(e.sale_order, State.DONE) for e in open_ if e.sale_order.id in settled),
            *(Ending(each.sale_order, State.DONE) for each in by_amazon),
        ],
        unknown={each.sale_order.order_id for each in unsettled} - memos.keys(),
        failures=failures,
        gone=_gone(filed - in_feeds, found, aside),
        sale_orders={each.sale_order.order_id: each.sale_order for each in found},
    )


def _is_open(context: Context, each: CancelledOrder, skipped: Collection[str]) -> bool:
    sale_order = each.sale_order
    if not sale_order.is_cancelled or sale_order.order_id in skipped:
        return False
    entry = context.ledger.items.get(context.name, JOB, sale_order.order_id)
    return entry is None or entry.state == State.PENDING or entry.fingerprint != CANCELLED


def _settled_before(context: Context, open_: Sequence[CancelledOrder]) -> set[int]:
    """Sale orders of which a note proves that there is nothing more to do, by database id.

    Either Amazon has cancelled the order, or people were asked to settle it and are done with
    the activity. Only those are looked at that are new to this state store, or tried again.
    """
    entries = {e.sale_order.id: _entry(context, e.sale_order.order_id) for e in open_}
    new = [id_ for id_, entry in entries.items() if entry is None]
    again = [id_ for id_, entry in entries.items() if entry and entry.attempts]
    wanted = (*tell.CANCELLED_SUBJECTS, tell.NOT_TOLD)
    noted = notes.subjects_by_record(context.odoo, notes.SALE_ORDER, [*new, *again], wanted)
    cancelled = {id_ for id_ in new if not noted.get(id_, set()).isdisjoint(_CANCELLED)}
    asked = {id_ for id_, its in noted.items() if tell.NOT_TOLD in its}
    return cancelled | (asked - tell.still_asked(context, asked))


_CANCELLED = set(tell.CANCELLED_SUBJECTS)


def _entry(context: Context, order_id: str) -> Entry | None:
    return context.ledger.items.get(context.name, JOB, order_id)


def _is_amazons(memo: orders.Memo | ItemError | None) -> bool:
    """Amazon cancelled it, and the orders job has not come to its note."""
    return isinstance(memo, orders.Memo) and memo.cancelling


def _sorted_by_memo(
    unsettled: Sequence[CancelledOrder], memos: Mapping[str, orders.Memo | ItemError | None]
) -> tuple[list[Task], list[SaleOrder], dict[str, ItemError]]:
    """Sort orders by what is known of them: tasks, other accounts' orders, and failures."""
    tasks, foreign, failures = [], [], {}
    for each in unsettled:
        match memos.get(each.sale_order.order_id, ...):
            case orders.Memo() as memo:
                by_amazon = is_shipped_by_amazon(memo.fulfilled_by)
                tasks.append(Task(each.sale_order, each.tags, by_amazon))
            case ItemError() as error:
                failures[each.sale_order.order_id] = error
            case None:
                foreign.append(each.sale_order)
    return tasks, foreign, failures


def _gone(
    filed: Collection[str], found: Sequence[CancelledOrder], aside: Mapping[str, Entry]
) -> set[str]:
    """Filed orders without a sale order, except those that people already know of."""
    known = {key for key, entry in aside.items() if entry.kind == "needs_attention"}
    return set(filed) - {each.sale_order.order_id for each in found} - known


def sale_orders_of(context: Context, order_ids: Collection[str]) -> dict[str, SaleOrder]:
    """The sale orders of these Amazon orders, by Amazon order id."""
    found = cancelled_orders(
        context.odoo,
        company_id=context.setup.company_id,
        since=context.clock(),
        order_ids=order_ids,
    )
    return {each.sale_order.order_id: each.sale_order for each in found}
