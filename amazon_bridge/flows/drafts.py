"""What the sale order of an Amazon order is made of: customer, products, lines, pricelist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.flows.context import Context
from amazon_bridge.marketplaces import marketplace, smallest_unit
from amazon_bridge.model import ChargeKind, FulfilledBy, Item, Order
from amazon_bridge.odoo.geography import read_geography
from amazon_bridge.odoo.partners import Customer, customers
from amazon_bridge.odoo.products import Product, products_by_reference
from amazon_bridge.odoo.sales import Draft, Line
from amazon_bridge.odoo.setup import Products


def drafts_of(context: Context, orders: Sequence[Order]) -> list[Draft]:
    """The sale orders to be made for these orders; their customers are made where needed.

    Raises:
        ItemErrors: for the orders that lack something in Odoo. Nothing was made.
    """
    company_id = context.setup.company_id
    skus = {item.sku for order in orders for item in order.items if item.sku}
    products = products_by_reference(context.odoo, skus, company_id) if skus else {}
    lines, errors = {}, {}
    for order in orders:
        try:
            lines[order.order_id] = _lines(context, order, products)
            _pricelist_id(context, _currency(order))
        except ItemError as error:
            errors[order.order_id] = error
    if errors:
        raise ItemErrors(errors)
    codes = {order.address.country_code or "" for order in orders if order.address}
    geography = read_geography(context.odoo, codes)
    buyers = customers(context.odoo, geography, orders, company_id)
    return [_draft(context, o, buyers[o.order_id], lines[o.order_id]) for o in orders]


def _draft(context: Context, order: Order, customer: Customer, lines: tuple[Line, ...]) -> Draft:
    setup = context.setup
    currency = _currency(order)
    return Draft(
        order_id=order.order_id,
        partner_id=customer.partner_id,
        delivery_id=customer.delivery_id,
        company_id=setup.company_id,
        warehouse_id=setup.warehouse_id,
        sales_team_id=setup.sales_team_id,
        salesperson_id=setup.salesperson_id,
        pricelist_id=_pricelist_id(context, currency),
        currency=currency,
        currency_unit=smallest_unit(currency),
        route_id=setup.fba_route_id if order.fulfilled_by == FulfilledBy.AMAZON else None,
        created=order.created,
        lines=lines,
    )


def _currency(order: Order) -> str:
    """The order's currency; the marketplace's for one without any amount, as a replacement."""
    place = marketplace(order.marketplace_id or "")
    return order.currency or (place.currency if place else "an unknown currency")


def _pricelist_id(context: Context, currency: str) -> int:
    if pricelist_id := context.setup.pricelists.get(currency):
        return pricelist_id
    raise ItemError(
        "currency_missing",
        f"The order is in {currency}; the account's marketplaces have"
        f" {', '.join(sorted(context.setup.pricelists))}.",
        "Add the marketplace of the order to the account, then retry.",
    )


def _lines(context: Context, order: Order, products: Mapping[str, Product]) -> tuple[Line, ...]:
    if not any(item.quantity for item in order.items):
        raise ItemError(
            "nothing_ordered",
            "Amazon says of every item that zero units are ordered.",
            "Look at the order in Seller Central. It comes back by itself when it changes.",
        )
    return tuple(line for item in order.items for line in _item_lines(context, item, products))


def _item_lines(context: Context, item: Item, products: Mapping[str, Product]) -> Iterator[Line]:
    """The item's own line, then one line for each other kind of charge that isn't zero."""
    totals = {kind: Decimal(0) for kind in ChargeKind}
    for charge in item.charges:
        totals[charge.kind] += charge.amount
    name = f"[{item.sku or item.asin or '?'}] {item.title or ''}".strip()
    key = f"sale_line_{item.order_item_id}"
    untaxed = item.tax_collected_by_amazon
    if item.quantity:
        product_id = _product_id(context, item, products)
        total = totals.pop(ChargeKind.ITEM)
        yield Line(key, product_id, name, item.quantity, total, untaxed)
    for kind, total in totals.items():
        if total:
            product_id, what = _charge_product(context.setup.products, kind, item)
            yield Line(f"{key}_{kind}", product_id, f"{what}: {name}", 1, total, untaxed)


def _product_id(context: Context, item: Item, products: Mapping[str, Product]) -> int:
    if product := products.get(item.sku or ""):
        return product.id
    if context.account.unknown_sku == "fallback":
        return context.setup.products.sale
    raise ItemError(
        "unknown_sku",
        f"No product that can be sold has the internal reference {item.sku!r}.",
        "Give the product this internal reference in Odoo, then retry; or set `unknown_sku:"
        " fallback` for the account.",
    )


def _charge_product(products: Products, kind: ChargeKind, item: Item) -> tuple[int, str]:
    match kind:
        case ChargeKind.GIFT_WRAP:
            return products.gift_wrap, f"Gift Wrap {item.gift_wrap_level or ''}".strip()
        case ChargeKind.DISCOUNT:
            return products.discount, "Discount"
        case ChargeKind.SHIPPING_DISCOUNT:
            return products.discount, "Shipping Discount"
        case ChargeKind.COD_FEE:
            return products.shipping, "Cash on Delivery Fee"
        case ChargeKind.ITEM:
            return products.discount, "Cancelled units"
        case ChargeKind.SHIPPING | ChargeKind.OTHER:
            return products.shipping, kind.capitalize()
