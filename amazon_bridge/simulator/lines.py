"""A short description of an order item, and the item made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal

from amazon_bridge.simulator.catalogue import PRODUCTS
from amazon_bridge.simulator.markets import Market
from amazon_bridge.simulator.orders import Extras, Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Extras):
    """What to order.

    ``price`` None takes the catalogue's; ``taxes`` None computes them with the marketplace's
    rate; ``tax_included`` and ``tax_collected_by_amazon`` None take what the marketplace does.
    """

    sku: str | None = "MUG-BLUE"
    quantity: int = 1
    price: Decimal | None = None
    taxes: Mapping[str, Decimal] | None = None
    tax_included: bool | None = None
    tax_collected_by_amazon: bool | None = None
    asin: str | None = None
    title: str | None = None


def make_item(market: Market, line: Line, order_item_id: str) -> Item:
    """The order item of a line."""
    product = PRODUCTS.get(line.sku or "")
    price = line.price
    if price is None:
        price = PRODUCTS[line.sku or ""].prices[market.currency] * line.quantity
    included = market.tax_included if line.tax_included is None else line.tax_included
    collected = line.tax_collected_by_amazon
    return Item(
        order_item_id=order_item_id,
        sku=line.sku,
        quantity=line.quantity,
        asin=line.asin or (product.asin if product else "B0SIMUNKNW"),
        title=line.title or (product.title if product else "A product that nobody listed"),
        price=price,
        taxes=_taxes(market, line, price, included=included),
        tax_included=included,
        tax_collected_by_amazon=market.facilitates_tax if collected is None else collected,
        **{extra.name: getattr(line, extra.name) for extra in fields(Extras)},
    )


def _taxes(
    market: Market, line: Line, price: Decimal, *, included: bool
) -> tuple[tuple[str, Decimal], ...]:
    if line.taxes is not None:
        return tuple(line.taxes.items())
    amounts = {
        "ITEM": price - line.discount,
        "SHIPPING": line.shipping - line.shipping_discount,
        "GIFT_WRAP": line.gift_wrap,
    }
    rate = market.tax_rate / (1 + market.tax_rate) if included else market.tax_rate
    taxes = {kind: market.round(amount * rate) for kind, amount in amounts.items()}
    return tuple((kind, tax) for kind, tax in taxes.items() if tax)
