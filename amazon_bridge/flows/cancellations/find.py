"""Which sale orders were cancelled in Odoo and aren't settled yet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from amazon_bridge.engine.errors import ItemError, RateLimited
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.flows.cancellations import tell
from amazon_bridge.flows.cancellations.decide import (
    CancellationTask,
    Resolution,
    is_shipped_by_amazon,
)
from amazon_bridge.flows.cancellations.memo import CANCELLED, JOB
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.find import OrderMemos, memos_of
from amazon_bridge.flows.orders.memo import Memo as OrderMemo
from amazon_bridge.flows.scanning import batches
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.cancelled_orders import (
    CancelledOrder,
    cancelled_orders,
    changed_cancellations,
)
from amazon_bridge.odoo.paging import ChangedPage
from amazon_bridge.odoo.sales import SaleOrder


@dataclass(frozen=True, slots=True)
class Found:
    """A batch of the orders that aren't settled yet, except those in an open feed."""

    tasks: Sequence[CancellationTask]
    resolutions: Sequence[Resolution]
    unknown: Collection[str]
    """Ids of orders that Amazon did not show."""
    not_fetched: Collection[str]
    """Ids of orders that could not be fetched from Amazon yet."""
    limit: RateLimited | None
    """When these can be."""
    fetched: int
    """Number of orders that were fetched."""
    failures: Mapping[str, ItemError]
    deleted: Collection[str]
    """Ids of orders whose sale orders were deleted in Odoo before they were settled."""
    sale_orders: Mapping[str, SaleOrder]
    """By Amazon order id."""


def find(context: Context) -> Iterator[Found]:
    """Read what was cancelled in Odoo since the last run, and what earlier runs filed."""
    ledger, name = context.ledger, context.name
    quarantined = {entry.key: entry for entry in ledger.items.quarantined(name) if entry.job == JOB}
    filed = {entry.key for entry in ledger.items.pending_entries(name, JOB)} | quarantined.keys()
    in_feeds = {key for feed in ledger.feeds.open(name) for key in feed.keys}
    read: set[str] = set()
    for batch in batches(context, JOB, partial(_changed, context), sorted(filed - in_feeds)):
        order_ids = set(batch.filed) - read
        found = _read(context, batch.changed, order_ids)
        read |= {each.sale_order.order_id for each in found}
        deleted = _deleted(order_ids, found, quarantined)
        yield _found(context, found, deleted, skipped=quarantined.keys() | in_feeds)


def _changed(context: Context, since: datetime, after: int) -> Iterator[ChangedPage]:
    company_id = context.known_setup.company_id
    return changed_cancellations(context.odoo, company_id=company_id, since=since, after=after)


def _read(
    context: Context, ids: Collection[int], order_ids: Collection[str]
) -> list[CancelledOrder]:
    company_id = context.setup.company_id
    return cancelled_orders(context.odoo, company_id=company_id, ids=ids, order_ids=order_ids)


def _found(
    context: Context,
    found: Sequence[CancelledOrder],
    deleted: Collection[str],
    *,
    skipped: Collection[str],
) -> Found:
    revived = [each.sale_order for each in found if not each.sale_order.is_cancelled]
    open_ = [each for each in found if _is_open(context, each, skipped)]
    settled = _settled_before(context, open_)
    unsettled = [each for each in open_ if each.sale_order.id not in settled]
    memos = memos_of(context, [each.sale_order.order_id for each in unsettled])
    by_amazon = [each for each in unsettled if _is_amazons(memos, each.sale_order.order_id)]
    ours = [each for each in unsettled if each not in by_amazon]
    tasks, foreign, failures = _sorted_by_memo(ours, memos.known)
    return Found(
        tasks=tasks,
        resolutions=[
            *(Resolution(sale_order, State.LEFT_OUT) for sale_order in [*revived, *foreign]),
            *(Resolution(e.sale_order, State.DONE) for e in open_ if e.sale_order.id in settled),
            *(Resolution(each.sale_order, State.DONE) for each in by_amazon),
        ],
        unknown=memos.not_shown,
        not_fetched=memos.not_fetched,
        limit=memos.limit,
        fetched=memos.fetched,
        failures=failures,
        deleted=deleted,
        sale_orders={each.sale_order.order_id: each.sale_order for each in found},
    )


def _is_open(context: Context, each: CancelledOrder, skipped: Collection[str]) -> bool:
    sale_order = each.sale_order
    if not sale_order.is_cancelled or sale_order.order_id in skipped:
        return False
    entry = context.ledger.items.get(context.name, JOB, sale_order.order_id)
    return entry is None or entry.state == State.PENDING or entry.fingerprint != CANCELLED


def _settled_before(context: Context, open_: Sequence[CancelledOrder]) -> set[int]:
    """Return the ids of sale orders whose notes prove that there is nothing more to do.

    Either Amazon has cancelled the order, or people have closed the activity that asked them to
    settle it. Only orders that are new to this state store or retried are looked up.
    """
    entries = {e.sale_order.id: _entry(context, e.sale_order.order_id) for e in open_}
    new = [id_ for id_, entry in entries.items() if entry is None]
    again = [id_ for id_, entry in entries.items() if entry and entry.attempts]
    subjects = (*tell.CANCELLED_SUBJECTS, tell.NOT_SENT)
    noted = notes.subjects_by_record(context.odoo, notes.SALE_ORDER, [*new, *again], subjects)
    cancelled = {id_ for id_ in new if not noted.get(id_, set()).isdisjoint(_CANCELLED)}
    left_to_people = {id_ for id_, its in noted.items() if tell.NOT_SENT in its}
    return cancelled | (left_to_people - tell.with_open_activity(context, left_to_people))


_CANCELLED = set(tell.CANCELLED_SUBJECTS)


def _entry(context: Context, order_id: str) -> Entry | None:
    return context.ledger.items.get(context.name, JOB, order_id)


def _is_amazons(memos: OrderMemos, order_id: str) -> bool:
    """True if Amazon cancelled it and the orders job has not posted its note yet."""
    memo = memos.known.get(order_id)
    return isinstance(memo, OrderMemo) and memo.cancelling


def _sorted_by_memo(
    unsettled: Sequence[CancelledOrder], memos: Mapping[str, OrderMemo | ItemError | None]
) -> tuple[list[CancellationTask], list[SaleOrder], dict[str, ItemError]]:
    """Split orders into tasks, sale orders of other accounts, and errors by order id."""
    tasks, foreign, failures = [], [], {}
    for each in unsettled:
        match memos.get(each.sale_order.order_id, ...):
            case OrderMemo() as memo:
                by_amazon = is_shipped_by_amazon(memo.fulfilled_by)
                tasks.append(CancellationTask(each.sale_order, each.tags, by_amazon))
            case ItemError() as error:
                failures[each.sale_order.order_id] = error
            case None:
                foreign.append(each.sale_order)
    return tasks, foreign, failures


def _deleted(
    filed: Collection[str], found: Sequence[CancelledOrder], quarantined: Mapping[str, Entry]
) -> set[str]:
    """Ids of filed orders without a sale order, except those that people already know of."""
    known = {key for key, entry in quarantined.items() if entry.kind == "needs_attention"}
    return set(filed) - {each.sale_order.order_id for each in found} - known


def sale_orders_of(context: Context, order_ids: Collection[str]) -> dict[str, SaleOrder]:
    """Return the sale orders of these orders, by Amazon order id."""
    found = _read(context, (), order_ids)
    return {each.sale_order.order_id: each.sale_order for each in found}
