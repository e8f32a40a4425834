"""What Odoo should hold of an order, derived from the simulated Amazon's data."""

from decimal import Decimal
from typing import NamedTuple

from amazon_bridge.simulator import Item, Order

KINDS = {
    "ITEM": "",
    "SHIPPING": "_shipping",
    "GIFT_WRAP": "_gift_wrap",
    "COD_FEE": "_cod_fee",
    "OTHER": "_other",
}
"""The ends of the external ids, by Amazon's word for what is charged."""


class Expected(NamedTuple):
    """A sale order line."""

    sku: str | None
    """None: a product of the bridge's own."""
    quantity: int
    total: Decimal


def lines_of(order: Order) -> dict[str, Expected]:
    """The lines, by external id; totals with the tax that the seller owes."""
    return {name: line for item in order.items for name, line in _lines(item).items()}


def _lines(item: Item) -> dict[str, Expected]:
    name = f"sale_line_{item.order_item_id}"
    amounts = {
        "ITEM": item.price,
        "SHIPPING": item.shipping,
        "GIFT_WRAP": item.gift_wrap,
        "COD_FEE": item.cod_fee,
        "OTHER": item.other,
    }
    if not item.tax_included and not item.tax_collected_by_amazon:
        for kind, tax in item.taxes:
            amounts[kind] += tax
    lines = {name: Expected(item.sku, item.quantity, amounts.pop("ITEM"))}
    lines |= {f"{name}{KINDS[kind]}": Expected(None, 1, a) for kind, a in amounts.items() if a}
    if item.discount:
        lines[f"{name}_discount"] = Expected(None, 1, -item.discount)
    if item.shipping_discount:
        lines[f"{name}_shipping_discount"] = Expected(None, 1, -item.shipping_discount)
    return lines


def worth(order: Order) -> Decimal:
    return sum((line.total for line in lines_of(order).values()), Decimal(0))


def is_imported(order: Order) -> bool:
    """Whether it belongs into Odoo when it is seen for the first time."""
    if order.channel != "AMAZON":
        return False
    statuses = {"AMAZON": {"SHIPPED"}, "MERCHANT": {"UNSHIPPED", "PARTIALLY_SHIPPED"}}
    return order.status in statuses[order.fulfilled_by]
