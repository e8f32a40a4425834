"""Changes on Amazon after the import: people are reminded of them before a parcel leaves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import addresses, reminders, requests, unit_notes, units
from amazon_bridge.flows.orders.case import Case
from amazon_bridge.flows.orders.memo import JOB, ItemMemo, Memo, units_shipped
from amazon_bridge.flows.orders.pieces import pieces_of
from amazon_bridge.flows.orders.reminders import Reminder
from amazon_bridge.flows.orders.units import ItemUnits
from amazon_bridge.flows.sampling import sample
from amazon_bridge.odoo import checksums, item_lines
from amazon_bridge.odoo.item_lines import ItemLine


def remind(context: Context, cases: Sequence[Case]) -> dict[str, Memo]:
    """Schedule activities for what changed on Amazon and for what is still open.

    Returns:
        The memos to keep when the orders are settled, by Amazon order id.

    Raises:
        ItemErrors: the sale orders of these take no activity.
    """
    confirmed = [case for case in cases if case.sale_order.is_confirmed]
    lines = _read_lines(context, confirmed)
    pieces = {c.order.order_id: pieces_of(context, c, lines) for c in cases}
    compared = _compare_units(confirmed, lines, pieces)
    due = [
        *addresses.reminders_of(context, confirmed),
        *requests.reminders_of(cases),
        *_reminders_of_units(confirmed, compared),
    ]
    new = {case.order.order_id for case in cases if case.is_new}
    reminders.remind_or_refuse(context, due, new=new)
    topics: defaultdict[str, list[str]] = defaultdict(list)
    for sale_order, note in due:
        topics[sale_order.order_id].append(note.topic)
    memos = {
        case.order.order_id: _memo(
            case,
            topics[case.order.order_id],
            compared.get(case.order.order_id, ()),
            pieces[case.order.order_id],
        )
        for case in cases
    }
    watched = [c.sale_order for c in cases if memos[c.order.order_id].reminders]
    sums = checksums.of_sale_orders(context.odoo, watched) if watched else {}
    return memos | {key: replace(memos[key], in_odoo=value) for key, value in sums.items()}


def changed_by_people(context: Context, before: datetime | None = None) -> list[str]:
    """Return the ids of orders with open reminders that people have changed in Odoo since.

    If there are many orders, only some are compared in a run, others in the next one.

    Args:
        context: of the account.
        before: orders that were processed since this moment are skipped.
    """
    entries = [
        entry
        for entry in context.ledger.items.watched(context.name, JOB)
        if before is None or entry.last_tried is None or entry.last_tried < before
    ]
    memos = {entry.key: Memo.read(entry) for entry in sample(entries, context.clock(), _AT_ONCE)}
    sums = checksums.current(context.odoo, memos) if memos else {}
    return [
        key
        for key, value in sums.items()
        if (memo := memos[key]) and _may_retry(memo) and memo.in_odoo != value
    ]


def _may_retry(memo: Memo) -> bool:
    """False for orders imported with --as-is: processing them again would refuse their data."""
    as_is = any(reminders.kind_of(topic) == reminders.AS_IS for topic in memo.reminders)
    return bool(memo.in_odoo) and not as_is


_AT_ONCE = 50
"""Orders with open reminders that are compared in one sync run, at most."""


def _memo(
    case: Case,
    topics: Sequence[str],
    compared: Sequence[ItemUnits],
    pieces: Mapping[str, int],
) -> Memo:
    now, former = Memo.of(case.order, pieces), case.memo
    kinds = set(map(reminders.kind_of, topics))
    lasting = [t for t in addresses.lasting_topics(case) if reminders.kind_of(t) not in kinds]
    changed = {item.order_item_id for item in compared if item.is_changed}
    items = [
        _with_former_units(item, former) if former and item.order_item_id in changed else item
        for item in now.items or ()
    ]
    items = [_with_shipped_before(case, item) for item in items]
    return replace(
        now,
        # Amazon may leave out what it showed before; the other jobs rely on it.
        marketplace_id=now.marketplace_id or (former.marketplace_id if former else ""),
        fulfilled_by=now.fulfilled_by or (former.fulfilled_by if former else ""),
        items=tuple(items),
        place=now.place or (former.place if former else "") or "",
        requests=requests.count(case),
        moves=addresses.moves(case),
        reminders=tuple(sorted([*topics, *lasting])),
    )


def _with_shipped_before(case: Case, memo: ItemMemo) -> ItemMemo:
    """Add the units that left before Odoo had the order, and so with none of its deliveries."""
    if not case.is_new:
        known = case.memo.item(memo.order_item_id) if case.memo else None
        return replace(memo, shipped_before=known.shipped_before) if known else memo
    (item,) = (i for i in case.order.items if i.order_item_id == memo.order_item_id)
    return replace(memo, shipped_before=units_shipped(case.order, item))


def _with_former_units(item: ItemMemo, former: Memo) -> ItemMemo:
    """Keep the figures before a change until Odoo has followed it, to compare with them again."""
    known = former.item(item.order_item_id) or replace(item, ordered=0, to_ship=0)
    return replace(item, ordered=known.ordered, to_ship=known.to_ship)


def _may_differ(case: Case) -> bool:
    return units.may_differ(case.order, case.sale_order, case.memo, is_new=case.is_new)


def _read_lines(context: Context, cases: Sequence[Case]) -> dict[str, ItemLine]:
    """Read the lines, by order item id, of orders whose units may differ, except new orders."""
    known = [case for case in cases if not case.is_new and _may_differ(case)]
    if not known:
        return {}
    lines = item_lines.item_lines(context.odoo, [case.sale_order for case in known])
    return lines | _lines_of_people(context, known, lines)


def _compare_units(
    cases: Sequence[Case], lines: Mapping[str, ItemLine], pieces: Mapping[str, Mapping[str, int]]
) -> dict[str, list[ItemUnits]]:
    """Compare the units of orders where they may differ, by Amazon order id."""
    return {
        case.order.order_id: _compared(case, lines, pieces[case.order.order_id])
        for case in cases
        if _may_differ(case)
    }


def _compared(
    case: Case, lines: Mapping[str, ItemLine], pieces: Mapping[str, int]
) -> list[ItemUnits]:
    found = units.new_lines(case.order, pieces) if case.is_new else lines
    return units.compare(case.order, case.sale_order, case.memo, found, pieces)


def _lines_of_people(
    context: Context, cases: Sequence[Case], lines: Mapping[str, ItemLine]
) -> dict[str, ItemLine]:
    """Read the lines that people entered for items that Amazon added after the import."""
    lacking = {
        item.order_item_id: (case.sale_order, item.sku)
        for case in cases
        for item in case.order.items
        if item.sku and item.order_item_id not in lines
    }
    if not lacking:
        return {}
    entered = item_lines.lines_of_people(context.odoo, {order for order, _ in lacking.values()})
    keys = {id_: (order.id, sku) for id_, (order, sku) in lacking.items()}
    return {id_: entered[key] for id_, key in keys.items() if key in entered}


def _reminders_of_units(
    cases: Sequence[Case], compared: Mapping[str, Sequence[ItemUnits]]
) -> Iterator[Reminder]:
    for case in cases:
        if case.order.order_id in compared:
            items = compared[case.order.order_id]
            if note := unit_notes.note_of(case.order, case.sale_order, items):
                yield case.sale_order, note
