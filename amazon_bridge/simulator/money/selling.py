"""The rows of shipments and refunds, from the orders' amounts.

Prices of marketplaces that include the tax are shown in two rows, goods and tax, as a published
response of listTransactions for Sweden has them (Airbyte's tests of its Amazon connector).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from amazon_bridge.simulator.markets import Market
from amazon_bridge.simulator.money.events import ZERO, Row
from amazon_bridge.simulator.money.triples import find
from amazon_bridge.simulator.orders import Item, Order

_REFERRAL = Decimal("0.15")
_FBA_PER_UNIT = {"JPY": Decimal(420)}
_FBA_ELSEWHERE = Decimal("3.20")
_KEPT_OF_REFUNDS = Decimal("0.20")
_KEPT_AT_MOST = {"JPY": Decimal(500)}
_KEPT_ELSEWHERE = Decimal(5)
_TAXES = {"ITEM": "Tax", "SHIPPING": "ShippingTax", "GIFT_WRAP": "GiftWrapTax"}
Amount = tuple[str, str, Decimal]
"""Amount type, amount description, amount."""


def shipment_rows(order: Order, units: dict[str, tuple[int, int]]) -> tuple[Row, ...]:
    """The rows of a shipment.

    Args:
        order: Has the amounts of whole items; of units shipped they are a share.
        units: By order item id, how many units were shipped before, and how many are now.
    """
    return tuple(
        row
        for number, item in enumerate(order.items)
        for row in _shipped(order, item, number, *units.get(item.order_item_id, (0, 0)))
    )


@dataclass(frozen=True, slots=True)
class Refund:
    """What a buyer gets back.

    Attributes:
        kind: The transaction type, such as ``Refund``.
        share: Of all that was shipped, 1 at most.
        goodwill: Given beyond the price; on the first item.
        restocking_fee: Kept; on the first item.
    """

    kind: str = "Refund"
    share: Decimal = Decimal(1)
    goodwill: Decimal = ZERO
    restocking_fee: Decimal = ZERO


def refund_rows(order: Order, refund: Refund) -> tuple[Row, ...]:
    """The rows of a refund of an order with units that were shipped."""
    rows: list[Row] = []
    for number, item in enumerate(order.items):
        rows += _refunded(order, item, number, refund)
        if number == 0:
            rows += _extras(order.market, item, refund)
    return tuple(rows)


def _shipped(order: Order, item: Item, number: int, before: int, after: int) -> Iterator[Row]:
    market, whole = order.market, item.quantity - item.closed
    for amount_type, description, amount in _amounts(order, item):
        part = _part(market, amount, after, whole) - _part(market, amount, before, whole)
        if part:
            row = _row("Order", (amount_type, description, part), item, number)
            yield replace(row, quantity=after - before) if description == "Principal" else row


def _refunded(order: Order, item: Item, number: int, refund: Refund) -> Iterator[Row]:
    market, commission = order.market, ZERO
    for amount_type, description, amount in _amounts(order, item):
        shipped = _part(market, amount, item.fulfilled, item.quantity - item.closed)
        back = -market.round(shipped * refund.share)
        commission += back if description == "Commission" else ZERO
        if back and not description.startswith("FBAPer"):
            yield _row(refund.kind, (amount_type, description, back), item, number)
    kept = min(commission * _KEPT_OF_REFUNDS, _KEPT_AT_MOST.get(market.currency, _KEPT_ELSEWHERE))
    if kept:
        fee = "ItemFees", "RefundCommission", -market.round(kept)
        yield _row(refund.kind, fee, item, number)


def _extras(market: Market, item: Item, refund: Refund) -> Iterator[Row]:
    extras = {"Goodwill": -refund.goodwill, "RestockingFee": refund.restocking_fee}
    for description, amount in extras.items():
        if amount:
            row = "ItemPrice", description, market.round(amount)
            yield _row(refund.kind, row, item, 0)


def _part(market: Market, amount: Decimal, units: int, whole: int) -> Decimal:
    if units >= whole:
        return market.round(amount) if units else ZERO
    share = Fraction(units, whole)
    return market.round(amount * share.numerator / share.denominator)


def _row(kind: str, amount: Amount, item: Item, number: int) -> Row:
    amount_type, description, value = amount
    promotions = item.promotion_ids if amount_type == "Promotion" else ()
    return Row(
        triple=find((kind, amount_type, description)),
        amount=value,
        item=number,
        item_code=item.order_item_id,
        sku=item.sku or "",
        asin=item.asin or "",
        title=item.title or "",
        promotion_id=promotions[0] if promotions else "",
    )


def _amounts(order: Order, item: Item) -> Iterator[Amount]:
    """The rows of a whole item; some amounts are zero."""
    yield from _charges(item)
    yield "Promotion", "Principal", -item.discount
    yield "Promotion", "Shipping", -item.shipping_discount
    if item.tax_collected_by_amazon:
        yield from _withheld(order.market, item)
    yield from _fees(order, item)


def _charges(item: Item) -> Iterator[Amount]:
    taxes = dict(item.taxes)
    inside = taxes if item.tax_included else {}
    yield "ItemPrice", "Principal", item.price + item.other - inside.get("ITEM", ZERO)
    yield "ItemPrice", "Shipping", item.shipping - inside.get("SHIPPING", ZERO)
    yield "ItemPrice", "GiftWrap", item.gift_wrap - inside.get("GIFT_WRAP", ZERO)
    yield "ItemPrice", "COD", item.cod_fee
    for kind, amount in taxes.items():
        yield "ItemPrice", _TAXES[kind], amount


def _withheld(market: Market, item: Item) -> Iterator[Amount]:
    name = "MarketplaceFacilitatorTax" if market.region == "na" else "MarketplaceFacilitatorVAT"
    others = "Other" if market.region == "na" else "Principal"
    suffixes = {"ITEM": "Principal", "SHIPPING": "Shipping", "GIFT_WRAP": others}
    for kind, amount in item.taxes:
        yield "ItemWithheldTax", f"{name}-{suffixes[kind]}", -amount


def _fees(order: Order, item: Item) -> Iterator[Amount]:
    market = order.market
    base = item.price + item.gift_wrap - item.discount
    yield "ItemFees", "Commission", -market.round(base * _REFERRAL)
    if order.fulfilled_by == "AMAZON":
        rate = _FBA_PER_UNIT.get(market.currency, _FBA_ELSEWHERE)
        yield "ItemFees", "FBAPerUnitFulfillmentFee", -rate * (item.quantity - item.closed)
        yield "ItemFees", "ShippingChargeback", -(item.shipping - item.shipping_discount)
        yield "ItemFees", "GiftwrapChargeback", -item.gift_wrap
    else:
        net = item.shipping - item.shipping_discount
        yield "ItemFees", "ShippingHB", -market.round(net * _REFERRAL)
