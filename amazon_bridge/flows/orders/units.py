"""Units that differ between Amazon and Odoo: cancelled, added, or shipped outside of Odoo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from amazon_bridge.flows.orders.memo import Memo, units_shipped, units_to_ship
from amazon_bridge.flows.orders.reminders import UNITS, kind_of
from amazon_bridge.model import FulfilledBy, Item, Order
from amazon_bridge.odoo.item_lines import ItemLine
from amazon_bridge.odoo.sales import SaleOrder

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ItemUnits:
    """The units of one order item on Amazon and in Odoo, in pieces of its product in Odoo."""

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
    has_line: bool
    """The sale order has a line for it."""
    shipped: int
    """Units that have left according to Amazon, whoever shipped them."""
    is_ready: bool
    """Odoo has an open delivery of the order."""
    is_watched: bool
    """People were reminded of the order's units, and it is not settled."""
    pieces: int = 1
    """Pieces in Odoo of one unit on Amazon."""

    @property
    def excess(self) -> Decimal:
        """Units that an open delivery in Odoo would ship and Amazon no longer expects."""
        if not self.is_ready:
            return _ZERO
        left = max(self.here - self.delivered, _ZERO)
        return min(left, max(left - self.to_ship, self.here - self.ordered, _ZERO))

    @property
    def shipped_elsewhere(self) -> Decimal:
        """Excess units that have left already, though not with Odoo's deliveries."""
        return min(self.excess, max(self.shipped - self.delivered, _ZERO))

    @property
    def cancelled(self) -> Decimal:
        """Excess units that must not be shipped."""
        return self.excess - self.shipped_elsewhere

    @property
    def is_changed(self) -> bool:
        """Amazon changed the ordered quantity after the import, and Odoo still has the old one."""
        changed = self.is_watched or self.before not in {None, self.ordered}
        return changed and self.here != self.ordered

    @property
    def differs(self) -> bool:
        return bool(self.excess) or self.is_changed


def may_differ(order: Order, sale_order: SaleOrder, memo: Memo | None, *, is_new: bool) -> bool:
    """Return whether the units of an order must be compared, without any remote call.

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
    # After Odoo was restored from a backup, units that left may be ready again.
    if some_left and has_open_delivery(order, sale_order):
        return True
    return _is_watched(memo) or any(_has_changed(order, item, memo) for item in order.items)


def _is_watched(memo: Memo) -> bool:
    return any(kind_of(topic) == UNITS for topic in memo.reminders)


def _has_changed(order: Order, item: Item, memo: Memo) -> bool:
    known = memo.item(item.order_item_id)
    now = (item.quantity, units_to_ship(order, item))
    return known is None or (known.ordered, known.to_ship) != now


def new_lines(order: Order, pieces: Mapping[str, int]) -> dict[str, ItemLine]:
    """Return the lines of a sale order that was created in this run, by order item id."""
    return {
        item.order_item_id: ItemLine(Decimal(item.quantity * pieces[item.order_item_id]), _ZERO)
        for item in order.items
    }


def compare(
    order: Order,
    sale_order: SaleOrder,
    memo: Memo | None,
    lines: Mapping[str, ItemLine],
    pieces: Mapping[str, int],
) -> list[ItemUnits]:
    """Compare the units of each item of an order with those in Odoo.

    Args:
        order: as Amazon shows it now.
        sale_order: of the order.
        memo: what was remembered when the order was processed last.
        lines: the sale order lines, by order item id.
        pieces: of one unit, by order item id.
    """
    is_ready = has_open_delivery(order, sale_order)
    is_watched = memo is not None and _is_watched(memo)
    names, packed = names_of(order), _units_in_our_packages(order, sale_order)
    return [
        ItemUnits(
            order_item_id=item.order_item_id,
            name=names[item.order_item_id],
            ordered=item.quantity * number,
            to_ship=units_to_ship(order, item) * number,
            before=_ordered_before(item, memo, number),
            here=lines.get(item.order_item_id, _NO_LINE).ordered,
            # Odoo counts a replaced product as delivered for no item.
            delivered=max(
                lines.get(item.order_item_id, _NO_LINE).delivered,
                Decimal(packed[item.order_item_id] * number),
            ),
            has_line=item.order_item_id in lines,
            shipped=units_shipped(order, item) * number,
            is_ready=is_ready,
            is_watched=is_watched,
            pieces=number,
        )
        for item in order.items
        for number in (pieces[item.order_item_id],)
    ]


_NO_LINE = ItemLine(_ZERO, _ZERO)


def _units_in_our_packages(order: Order, sale_order: SaleOrder) -> Counter[str]:
    """Units by order item id in packages of delivery orders that are done here.

    A package reference of the bridge is the delivery order's database id.
    """
    ours = {str(each.id) for each in sale_order.deliveries if each.is_done and each.outgoing}
    found: Counter[str] = Counter()
    for package in order.packages:
        if package.package_reference_id in ours:
            found.update(dict(package.quantities))
    return found


def _ordered_before(item: Item, memo: Memo | None, pieces: int) -> int | None:
    """Pieces ordered before: 0 of an item that Amazon added, None if unknown."""
    if memo is None or memo.items is None:
        return None
    known = memo.item(item.order_item_id)
    return known.ordered * pieces if known else 0


def name_of(item: Item) -> str:
    """Return the name of an item for people in the warehouse."""
    return item.sku or item.asin or item.title or f"order item {item.order_item_id}"


def names_of(order: Order) -> dict[str, str]:
    """Return distinct names of the items of an order, by order item id."""
    known = Counter(map(name_of, order.items))
    titled = Counter((name_of(item), item.title) for item in order.items)
    names = {}
    for item in order.items:
        name = name_of(item)
        if known[name] > 1:
            has_title = item.title and titled[name, item.title] == 1
            name += f" ({item.title if has_title else f'order item {item.order_item_id}'})"
        names[item.order_item_id] = name
    return names


def has_open_delivery(order: Order, sale_order: SaleOrder) -> bool:
    """True if the warehouse may still ship something of a merchant-fulfilled order."""
    return order.fulfilled_by == FulfilledBy.MERCHANT and any(
        delivery.is_open and not delivery.incoming for delivery in sale_order.deliveries
    )
