"""How many pieces in Odoo one unit of an order item is, by the product map at the import."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from amazon_bridge.flows.catalogue import mapped_pieces
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.case import Case
from amazon_bridge.flows.orders.memo import Memo
from amazon_bridge.model import Item, Order
from amazon_bridge.odoo.item_lines import ItemLine


def known_pieces(context: Context, order: Order, memo: Memo | None) -> dict[str, int]:
    """Return pieces per unit by order item id: as remembered, else by the product map now."""
    mapped = mapped_pieces(context, order)
    if memo is None:
        return mapped
    # Versions that kept no items knew no pieces either.
    before = memo.pieces if memo.items is not None else dict.fromkeys(mapped, 1)
    return mapped | before


def pieces_of(context: Context, case: Case, lines: Mapping[str, ItemLine]) -> dict[str, int]:
    """Return pieces per unit by order item id.

    Args:
        context: of the account.
        case: the order and what is known of it.
        lines: its sale order lines, where they were read.
    """
    known = known_pieces(context, case.order, None if case.is_new else case.memo)
    if case.is_new or case.memo is not None:
        return known
    return {
        item.order_item_id: _found(item, lines.get(item.order_item_id), known[item.order_item_id])
        for item in case.order.items
    }


def _found(item: Item, line: ItemLine | None, mapped: int) -> int:
    """The pieces per unit of an item without a memo, such as after the state store was lost.

    Its line may have been imported before the product map named pieces.
    """
    is_single = line is not None and line.ordered == Decimal(item.quantity)
    return 1 if is_single else mapped
