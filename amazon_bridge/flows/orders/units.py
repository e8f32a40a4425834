"""Units that Amazon counts otherwise than Odoo: cancelled, added, or shipped outside of Odoo."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from amazon_bridge.flows.orders.memo import Memo, units_to_ship
from amazon_bridge.flows.orders.reminders import UNITS, kind_of, note
from amazon_bridge.model import FulfilledBy, FulfillmentStatus, Item, Order
from amazon_bridge.odoo.item_lines import ItemLine
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.sales import SaleOrder

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ItemUnits:
    """The units of one order item on both sides."""

    order_item_id: str
    name: str
    ordered: int
    """On Amazon, cancelled units excluded."""
    to_ship: int
    """Units that Amazon still expects to be shipped."""
    before: int | None
    """Units ordered on Amazon when the order was processed last; None if not known."""
    here: Decimal
    """Units ordered in Odoo."""
    delivered: Decimal
    is_ready: bool
    """Odoo has an open delivery of the order."""
    is_watched: bool
    """People were reminded of the order's units, and it is not settled."""

    @property
    def excess(self) -> Decimal:
        """Units that an open delivery in Odoo would ship and Amazon no longer expects."""
        if not self.is_ready:
            return _ZERO
        open_here = max(self.here - self.delivered, _ZERO)
        return min(open_here, max(open_here - self.to_ship, self.here - self.ordered, _ZERO))

    @property
    def is_changed(self) -> bool:
        """Amazon changed the ordered quantity after the import, and Odoo still has the old one."""
        changed = self.is_watched or self.before not in {None, self.ordered}
        return changed and self.here != self.ordered

    @property
    def differs(self) -> bool:
        return bool(self.excess) or self.is_changed


def may_differ(order: Order, sale_order: SaleOrder, memo: Memo | None, *, is_new: bool) -> bool:
    """Whether the units of an order must be compared, judged by what costs no call.

    Args:
        order: as Amazon shows it now.
        sale_order: of the order.
        memo: what was remembered when the order was processed last.
        is_new: its sale order was created from what Amazon shows now.
    """
    some_left = any(units_to_ship(order, item) != item.quantity for item in order.items)
    if is_new:
        return some_left
    if memo is None or memo.items is None:
        return True
    # What left may stand ready again, without any change on Amazon: Odoo was restored since.
    if some_left and has_open_delivery(order, sale_order):
        return True
    return _is_watched(memo) or any(_has_changed(order, item, memo) for item in order.items)


def _is_watched(memo: Memo) -> bool:
    return any(kind_of(topic) == UNITS for topic in memo.reminders)


def _has_changed(order: Order, item: Item, memo: Memo) -> bool:
    known = memo.item(item.order_item_id)
    now = (item.quantity, units_to_ship(order, item))
    return known is None or (known.ordered, known.to_ship) != now


def new_lines(order: Order) -> dict[str, ItemLine]:
    """The lines of a sale order that was created from an order in this run."""
    return {item.order_item_id: ItemLine(Decimal(item.quantity), _ZERO) for item in order.items}


def compare(
    order: Order, sale_order: SaleOrder, memo: Memo | None, lines: Mapping[str, ItemLine]
) -> list[ItemUnits]:
    """Compare the units of each item of an order with those in Odoo.

    Args:
        order: as Amazon shows it now.
        sale_order: of the order.
        memo: what was remembered when the order was processed last.
        lines: the sale order lines, by order item id.
    """
    is_ready = has_open_delivery(order, sale_order)
    return [_compared(order, item, memo, lines, is_ready=is_ready) for item in order.items]


def _compared(
    order: Order, item: Item, memo: Memo | None, lines: Mapping[str, ItemLine], *, is_ready: bool
) -> ItemUnits:
    known = memo.item(item.order_item_id) if memo else None
    line = lines.get(item.order_item_id, ItemLine(_ZERO, _ZERO))
    return ItemUnits(
        order_item_id=item.order_item_id,
        name=name_of(item),
        ordered=item.quantity,
        to_ship=units_to_ship(order, item),
        before=known.ordered if known else None,
        here=line.ordered,
        delivered=line.delivered,
        is_ready=is_ready,
        is_watched=memo is not None and _is_watched(memo),
    )


def name_of(item: Item) -> str:
    """What people in the warehouse call an item."""
    return item.sku or item.asin or item.title or f"order item {item.order_item_id}"


def units_of(item: Item, number: int) -> str:
    """Units of an item in words."""
    return f"{number} {'unit' if number == 1 else 'units'} of {name_of(item)}"


def has_open_delivery(order: Order, sale_order: SaleOrder) -> bool:
    """Whether the warehouse may still ship something of a merchant-fulfilled order."""
    return order.fulfilled_by == FulfilledBy.MERCHANT and any(
        delivery.is_open and not delivery.incoming for delivery in sale_order.deliveries
    )


def note_of(order: Order, sale_order: SaleOrder, items: Sequence[ItemUnits]) -> Note | None:
    """What the people in Odoo must know before a parcel leaves; None if nothing differs."""
    differing = [item for item in items if item.differs]
    if order.status == FulfillmentStatus.SHIPPED and has_open_delivery(order, sale_order):
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
    figures = f"(Amazon: {_on_amazon(item)}; sale order: {_in_odoo(item)})"
    if item.excess:
        what, do = f"Don't ship {_of(item, item.excess)}", _LOWER_DELIVERY
    elif item.ordered > item.here:
        what, do = f"Ship {_of(item, item.ordered - item.here)} more", _RAISE
    else:
        what, do = f"Cancelled on Amazon: {_of(item, item.here - item.ordered)}", _LOWER
    return f"{what} {figures}: {do}"


_LOWER_DELIVERY = "lower the quantity in the delivery order before it is packed."
_RAISE = "raise the quantity of its line in the sale order."
_LOWER = (
    "lower the quantity of its line in the sale order; bring the goods back, or settle it with the"
    " buyer, if they have left."
)


def _of(item: ItemUnits, number: Decimal) -> str:
    return f"{_number(number)} {'unit' if number == 1 else 'units'} of {item.name}"


def _on_amazon(item: ItemUnits) -> str:
    before = f", {item.before} before" if item.before not in {None, item.ordered} else ""
    return f"{item.ordered} ordered{before}, {item.to_ship} still to be shipped"


def _in_odoo(item: ItemUnits) -> str:
    return f"{_number(item.here)} ordered, {_number(item.delivered)} delivered"


def _number(units: Decimal) -> str:
    return f"{units.normalize():f}"
