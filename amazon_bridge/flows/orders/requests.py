"""Buyers who ask Amazon to cancel an order, or some of its items, before it is shipped."""

from __future__ import annotations

from collections.abc import Sequence

from amazon_bridge.flows.orders import reminders
from amazon_bridge.flows.orders.case import Case
from amazon_bridge.flows.orders.decide import TO_BE_SHIPPED
from amazon_bridge.flows.orders.memo import ItemMemo, units_to_ship
from amazon_bridge.flows.orders.reminders import REQUEST, Reminder
from amazon_bridge.flows.orders.units import names_of
from amazon_bridge.model import Item, Order
from amazon_bridge.odoo.notes import Note


def reminders_of(cases: Sequence[Case]) -> list[Reminder]:
    """Return the reminders of requests to decide before the parcel leaves."""
    return [(case.sale_order, note_of(case)) for case in cases if _is_open(case)]


def _is_open(case: Case) -> bool:
    to_be_shipped = case.order.status in TO_BE_SHIPPED and not case.sale_order.is_cancelled
    return to_be_shipped and bool(_requested(case))


def _requested(case: Case) -> list[Item]:
    """Items that the buyer wants cancelled and that still have units to ship."""
    return [
        item
        for item in case.order.items
        if item.buyer_requested_cancellation and units_to_ship(case.order, item)
    ]


def count(case: Case) -> int:
    """Return how often the buyer has asked so far; each further item counts as asking again."""
    before = case.memo.requests if case.memo else 0
    known = {i.order_item_id for i in _remembered(case) if i.cancellation_requested}
    is_further = any(item.order_item_id not in known for item in _requested(case))
    return before + is_further


def _remembered(case: Case) -> Sequence[ItemMemo]:
    return (case.memo.items if case.memo else None) or ()


def note_of(case: Case) -> Note:
    """The note about the items that the buyer asks to cancel."""
    requested = _requested(case)
    to_ship = [item for item in case.order.items if units_to_ship(case.order, item)]
    if len(requested) == len(to_ship):
        return reminders.note(REQUEST, _SUBJECT, _WHOLE, occurrence=count(case))
    units = ", ".join(_units_of(case.order, item) for item in requested)
    return reminders.note(REQUEST, _SUBJECT, _PART.format(units), occurrence=count(case))


def _units_of(order: Order, item: Item) -> str:
    number = units_to_ship(order, item)
    return f"{number} {'unit' if number == 1 else 'units'} of {names_of(order)[item.order_item_id]}"


_SUBJECT = "Amazon: the buyer asks to cancel"
_WHOLE = (
    "The buyer has asked Amazon to cancel this order. Don't ship it without deciding: cancel this"
    " sale order to grant the request, or ship it to decline."
)
_PART = (
    "The buyer has asked Amazon to cancel a part of this order: {}. Don't ship these units without"
    " deciding. To grant the request, cancel them in Seller Central and take them out of the"
    " delivery order; to decline it, ship them. Cancelling the sale order would cancel all of it."
)
