"""Texts of the reminders about units that differ between Amazon and Odoo."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from amazon_bridge.flows.orders.reminders import UNITS, note
from amazon_bridge.flows.orders.units import ItemUnits, has_open_delivery
from amazon_bridge.model import FulfillmentStatus, Order
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.sales import SaleOrder


def note_of(order: Order, sale_order: SaleOrder, items: Sequence[ItemUnits]) -> Note | None:
    """Return the note about differing units; None if nothing differs."""
    differing = [item for item in items if item.differs]
    is_shipped = order.status == FulfillmentStatus.SHIPPED and has_open_delivery(order, sale_order)
    # Units that Amazon cancelled were not shipped by anybody.
    if is_shipped and (not differing or any(item.shipped_elsewhere for item in differing)):
        return note(UNITS, _SHIPPED_SUBJECT, f"{_SHIPPED} {_sentences(differing)}".strip())
    if not differing:
        return None
    subject = _EXCESS_SUBJECT if any(item.excess for item in differing) else _CHANGED_SUBJECT
    return note(UNITS, subject, _sentences(differing))


_SHIPPED_SUBJECT = "Amazon: shipped already, don't ship it again"
_EXCESS_SUBJECT = "Amazon: don't ship all units"
_CHANGED_SUBJECT = "Amazon: units were changed"
_SHIPPED = (
    "Amazon shows this order as shipped, though it has an open delivery order here. If the parcel"
    " was confirmed in Seller Central, don't ship it again: validate the delivery order without"
    " sending anything, or cancel it."
)


def _sentences(items: Collection[ItemUnits]) -> str:
    return " ".join(map(_sentence, items))


def _sentence(item: ItemUnits) -> str:
    what, target, remedy = _excess(item) if item.excess else _change(item)
    figures = f"(Amazon: {_on_amazon(item)}; sale order: {_in_odoo(item)})"
    return f"{what}{f': {target}' if target else ''} {figures}. {remedy}"


def _excess(item: ItemUnits) -> tuple[str, str, str]:
    """Return what happened, how many units to ship now, and what to do in Odoo."""
    happened = [
        f"{_of(item, number)} {_were(number)} {what}"
        for number, what in (
            (item.cancelled, "cancelled on Amazon"),
            (item.shipped_elsewhere, "shipped already, outside of Odoo"),
        )
        if number
    ]
    lower = _LOWER_LINE.format(_number(item.here - item.cancelled))
    remedy = lower if item.cancelled else _LOWER_DELIVERY
    return " and ".join(happened), _target(item), remedy


def _target(item: ItemUnits) -> str:
    in_all = item.here - item.excess
    if in_all <= item.delivered:
        return "don't ship any more of it" if item.delivered else "don't ship any of it"
    left = f", {_number(item.delivered)} have left already" if item.delivered else ""
    return f"ship {_units(item, in_all)} in all{left}"


def _change(item: ItemUnits) -> tuple[str, str, str]:
    added = item.ordered - item.here
    if added < 0:
        return f"{_of(item, -added)} {_were(-added)} cancelled on Amazon", "", _LOWER
    what = f"{_of(item, added)} {_were(added)} added on Amazon"
    target = f"ship {_units(item, Decimal(item.ordered))} in all" if item.to_ship else ""
    return what, target, _RAISE if item.has_line else _ADD


_LOWER_DELIVERY = "Lower the quantity in the delivery order before it is packed."
_LOWER_LINE = (
    "Lower the quantity of its line in the sale order to {}; if the delivery order doesn't follow,"
    " lower it there, too, or cancel the delivery order if nothing else is in it."
)
_RAISE = "Raise the quantity of its line in the sale order."
_ADD = "Add a line with its product to the sale order: the delivery order follows."
_LOWER = (
    "Lower the quantity of its line in the sale order; bring the goods back, or settle it with the"
    " buyer, if they have left."
)


def _of(item: ItemUnits, number: Decimal) -> str:
    several = f" ({item.pieces} pieces are one unit)" if item.pieces > 1 else ""
    return f"{_units(item, number)} of {item.name}{several}"


def _units(item: ItemUnits, number: Decimal) -> str:
    """The units as text; in pieces if one unit is several pieces in Odoo."""
    word = "piece" if item.pieces > 1 else "unit"
    return f"{_number(number)} {word if number == 1 else f'{word}s'}"


def _were(number: Decimal) -> str:
    return "was" if number == 1 else "were"


def _on_amazon(item: ItemUnits) -> str:
    before = f", {item.before} before" if item.before not in {None, item.ordered} else ""
    return f"{item.ordered} ordered{before}, {item.to_ship} still to be shipped"


def _in_odoo(item: ItemUnits) -> str:
    if not item.has_line:
        return "no line for it"
    return f"{_number(item.here)} ordered, {_number(item.delivered)} delivered"


def _number(units: Decimal) -> str:
    return f"{units.normalize():f}"
