"""Activities in Odoo about an order, on its sale order and on what the warehouse is to ship.

Each kind of reminder has one current note per order. When its facts change, the activity of the
former facts is closed and a new one scheduled; when nothing is left to do, it is closed. Which
kinds are open is kept in the state store, so that only orders that have any cost a call.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from amazon_bridge.engine.ledger import Entry
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.memo import JOB, Memo
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.notes import Note, Record
from amazon_bridge.odoo.sales import SaleOrder

QUARANTINED = "quarantined"

KINDS = (QUARANTINED,)
"""The kinds of reminders; a note's topic is its kind and a digest of its facts."""

_REPLACED = "The facts have changed since: see the newer activity or note."
_SETTLED = "Settled: the order was processed again."


def note(kind: str, subject: str, body: str) -> Note:
    """A note that is posted again as soon as its text differs."""
    digest = hashlib.sha256(f"{subject}\n{body}".encode()).hexdigest()[:12]
    return Note(f"{kind}_{digest}", subject, body)


def remind(context: Context, kind: str, wanted: Mapping[SaleOrder, Note]) -> None:
    """Schedule an activity on each sale order and on its open deliveries from the warehouse.

    Activities of the same kind with other facts are closed.
    """
    records = {
        record: each
        for sale_order, each in wanted.items()
        for record in records_of(context, sale_order)
    }
    today, user_id = context.clock().date(), context.setup.salesperson_id
    notes.remind(context.odoo, records, today=today, user_id=user_id)
    reminded = [s for s in wanted if kind in open_kinds(_entry(context, s.order_id))]
    _close(context, reminded, {kind}, _REPLACED, keep=records)


def records_of(context: Context, sale_order: SaleOrder) -> list[Record]:
    """The sale order, and its open deliveries out of the warehouse."""
    warehouse = (d for d in sale_order.deliveries if d.location_id != context.setup.fba_location_id)
    open_ = [(notes.DELIVERY_ORDER, delivery.id) for delivery in warehouse if delivery.is_open]
    return [(notes.SALE_ORDER, sale_order.id), *open_]


def open_kinds(entry: Entry | None) -> tuple[str, ...]:
    """The kinds of reminders that may be open for an order.

    Of one that was tried and never settled it isn't known which.
    """
    if memo := Memo.read(entry):
        return memo.reminders
    return KINDS if entry and entry.last_tried else ()


def remember(context: Context, order_id: str, kind: str) -> None:
    """Note in the state store that a reminder is open for an order."""
    memo = Memo.read(_entry(context, order_id))
    if memo and kind not in memo.reminders:
        updated = replace(memo, reminders=(*memo.reminders, kind))
        context.ledger.remember(context.name, JOB, order_id, updated.text())


def close_settled(
    context: Context, sale_orders: Iterable[SaleOrder], current: Mapping[str, Collection[str]]
) -> None:
    """Close the open reminders of processed orders, except the kinds that are current.

    Args:
        context: of the account.
        sale_orders: of the orders that were processed.
        current: the kinds that still hold, by Amazon order id.
    """
    by_kinds: defaultdict[tuple[str, ...], list[SaleOrder]] = defaultdict(list)
    for sale_order in sale_orders:
        kinds = open_kinds(_entry(context, sale_order.order_id))
        still = current.get(sale_order.order_id, ())
        by_kinds[tuple(kind for kind in kinds if kind not in still)].append(sale_order)
    for kinds, settled in by_kinds.items():
        if kinds:
            _close(context, settled, kinds, _SETTLED)


def _close(
    context: Context,
    sale_orders: Collection[SaleOrder],
    kinds: Collection[str],
    feedback: str,
    *,
    keep: Mapping[Record, Note] | None = None,
) -> None:
    """Close reminders on sale orders and all of their deliveries, done ones included."""
    ids = {
        notes.SALE_ORDER: [sale_order.id for sale_order in sale_orders],
        notes.DELIVERY_ORDER: [d.id for sale_order in sale_orders for d in sale_order.deliveries],
    }
    for model, its in ids.items():
        kept = {id_: each for (of, id_), each in (keep or {}).items() if of == model}
        notes.close_reminders(context.odoo, model, its, kinds, feedback, keep=kept)


def _entry(context: Context, order_id: str) -> Entry | None:
    return context.ledger.entry(context.name, JOB, order_id)
