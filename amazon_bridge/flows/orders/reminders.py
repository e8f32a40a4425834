"""Activities in Odoo about an order, on its sale order and on what the warehouse is to ship.

Each kind of reminder has one current note per order. When its facts change, the activity about the
former facts is closed and a new one scheduled; when nothing is left to do, it is closed. The state
store keeps which kinds are open, so that only orders with open reminders cost a call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.engine.records import Entry
from amazon_bridge.flows import notices
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.notices import Failures
from amazon_bridge.flows.orders.memo import JOB, Memo, entry_of, memo_of
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.notes import Note, Record, RecordNote, topic_of
from amazon_bridge.odoo.sales import SaleOrder

QUARANTINED = "quarantined"

UNITS = "units"
REQUEST = "buyer_asks"
NO_ADDRESS = "no_address"
ADDRESS = "address"
TAXES = "taxes"
AS_IS = "as_is"

KINDS = (QUARANTINED, UNITS, REQUEST, NO_ADDRESS, ADDRESS, TAXES, AS_IS)
"""The kinds of reminders; a note's topic is its kind and a digest of its facts."""

_REPLACED = "The facts have changed since: see the newer activity or note."
_SETTLED = "Settled: the order was processed again."


def note(kind: str, subject: str, body: str, *, occurrence: int = 1) -> Note:
    """Return a note that is posted again when its text or its occurrence differs."""
    facts = f"{subject}\n{body}\n{occurrence}"
    return Note(topic_of(kind, facts, digits=12), subject, body)


Reminder = tuple[SaleOrder, Note]
"""A sale order and the note about it."""


Refusals = dict[str, dict[str, ItemError]]
"""By Amazon order id and record name, why Odoo refuses an activity on the record."""


def remind(context: Context, due: Sequence[Reminder], *, new: Collection[str] = ()) -> Refusals:
    """Schedule activities on sale orders and on their open deliveries from the warehouse.

    Activities of the same kind with other facts are closed.

    Args:
        context: of the account.
        due: the reminders.
        new: Amazon order ids of the sale orders that were created just now.

    Returns:
        The errors of records that refuse their activity; all other records have theirs.
    """
    pairs = [
        (record, note.on(record[0]))
        for sale_order, note in due
        for record in records_of(context, sale_order)
    ]
    created = {r for order, _ in due if order.order_id in new for r in records_of(context, order)}
    failures = notices.remind(context, pairs, in_batch=True, new=created)
    replaced: defaultdict[SaleOrder, set[str]] = defaultdict(set)
    for sale_order, note in due:
        refused = (notes.SALE_ORDER, sale_order.id) in failures
        open_ = open_topics(entry_of(context, sale_order.order_id))
        if not refused and _is_replaced(open_, note.topic):
            replaced[sale_order].add(kind_of(note.topic))
        # also if refused: the activity may exist, without its note or in spite of the response
        _remember(context, sale_order.order_id, note.topic)
    _close(context, replaced, _REPLACED, keep=pairs)
    return _refusals([sale_order for sale_order, _ in due], failures)


def remind_or_refuse(
    context: Context, due: Sequence[Reminder], *, new: Collection[str] = ()
) -> None:
    """Schedule activities as ``remind`` does.

    Raises:
        ItemErrors: Odoo refuses the activities on the sale orders of these, so that nobody in Odoo
            would notice.
    """
    refusals = remind(context, due, new=new)
    errors = {
        sale_order.order_id: _unannounced(note, sale_order.name, refusals[sale_order.order_id])
        for sale_order, note in due
        if sale_order.name in refusals.get(sale_order.order_id, {})
    }
    if errors:
        raise ItemErrors(errors)


def _unannounced(note: Note, name: str, refusals: Mapping[str, ItemError]) -> ItemError:
    error = ItemError(refusals[name].kind, note.body, refusals[name].remedy)
    return notices.without_activity(error, refusals)


def _refusals(sale_orders: Collection[SaleOrder], failures: Failures) -> Refusals:
    refusals: Refusals = defaultdict(dict)
    for sale_order in sale_orders if failures else ():
        deliveries = {(notes.DELIVERY_ORDER, each.id): each.name for each in sale_order.deliveries}
        names = {(notes.SALE_ORDER, sale_order.id): sale_order.name, **deliveries}
        for record, name in names.items():
            if record in failures:
                refusals[sale_order.order_id][name] = failures[record]
    return dict(refusals)


def records_of(context: Context, sale_order: SaleOrder) -> list[Record]:
    """Return the sale order and its open deliveries out of the warehouse."""
    open_ = [
        (notes.DELIVERY_ORDER, delivery.id)
        for delivery in sale_order.deliveries
        if delivery.is_open and not delivery.incoming
        if delivery.location_id != context.setup.fba_location_id
    ]
    return [(notes.SALE_ORDER, sale_order.id), *open_]


def kind_of(topic: str) -> str:
    """Return the kind of a reminder by its topic."""
    return topic.rpartition("_")[0]


def open_topics(entry: Entry | None) -> tuple[str, ...]:
    """Return the topics of the reminders that may be open for an order.

    For an order that was processed but never settled these are unknown: then one topic of each
    kind is returned, without a digest.
    """
    if memo := Memo.read(entry):
        return memo.reminders
    return tuple(f"{kind}_" for kind in KINDS) if entry and entry.last_tried else ()


def _is_replaced(open_: Collection[str], topic: str) -> bool:
    return any(kind_of(each) == kind_of(topic) and each != topic for each in open_)


def _remember(context: Context, order_id: str, topic: str) -> None:
    """Record an open reminder, also for an order that is not settled in this run."""
    memo = memo_of(context, order_id)
    if memo and topic not in memo.reminders:
        others = (each for each in memo.reminders if kind_of(each) != kind_of(topic))
        updated = replace(memo, reminders=(*others, topic))
        context.ledger.items.remember(context.name, JOB, order_id, updated)


def close_settled(
    context: Context, sale_orders: Iterable[SaleOrder], current: Mapping[str, Collection[str]]
) -> None:
    """Close the open reminders of processed orders, except those that still apply.

    Args:
        context: of the account.
        sale_orders: of the orders that were processed.
        current: topics that still apply, by Amazon order id.
    """
    settled = {}
    for sale_order in sale_orders:
        still = set(map(kind_of, current.get(sale_order.order_id, ())))
        open_ = set(map(kind_of, open_topics(entry_of(context, sale_order.order_id))))
        settled[sale_order] = open_ - still
    _close(context, settled, _SETTLED)


def _close(
    context: Context,
    kinds: Mapping[SaleOrder, Collection[str]],
    feedback: str,
    *,
    keep: Collection[RecordNote] = (),
) -> None:
    """Close kinds of reminders on sale orders and all of their deliveries, including done ones."""
    by_kinds: defaultdict[tuple[str, ...], list[SaleOrder]] = defaultdict(list)
    for sale_order, its_kinds in kinds.items():
        if its_kinds:
            by_kinds[tuple(sorted(its_kinds))].append(sale_order)
    for its_kinds, sale_orders in by_kinds.items():
        records = [record for sale_order in sale_orders for record in _all_records(sale_order)]
        notices.close(context, records, its_kinds, feedback, keep=keep, in_batch=True)


def _all_records(sale_order: SaleOrder) -> list[Record]:
    deliveries = [(notes.DELIVERY_ORDER, delivery.id) for delivery in sale_order.deliveries]
    return [(notes.SALE_ORDER, sale_order.id), *deliveries]
