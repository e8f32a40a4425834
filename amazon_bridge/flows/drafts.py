"""Drafts of sale orders: customer, products, lines and pricelist of an Amazon order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.flows.catalogue import Catalogue, mapped_pieces
from amazon_bridge.flows.context import Context
from amazon_bridge.marketplaces import marketplace, smallest_unit
from amazon_bridge.model import ChargeKind, FulfilledBy, Item, Order
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.partners import Customer, customers
from amazon_bridge.odoo.sales import Draft, Line


def drafts_of(context: Context, orders: Sequence[Order]) -> list[Draft]:
    """Return the drafts of these orders' sale orders; create missing customers.

    Raises:
        ItemErrors: of the orders that lack something in Odoo. Nothing was created.
    """
    catalogue = Catalogue(context, orders)
    lines, errors = {}, {}
    for order in orders:
        try:
            lines[order.order_id] = _lines(context, order, catalogue)
            _pricelist_id(context, _currency(order))
        except ItemError as error:
            errors[order.order_id] = error
    if errors:
        raise ItemErrors(errors)
    buyers = customers(
        context.odoo,
        context.geography,
        orders,
        context.setup.company_id,
        known_again=context.account.customers == "known",
    )
    _remind_of_tax_numbers(context, buyers.values())
    return [_draft(context, o, buyers[o.order_id], lines[o.order_id]) for o in orders]


def _remind_of_tax_numbers(context: Context, buyers: Iterable[Customer]) -> None:
    """Remind of tax numbers that Odoo refused: the taxes were chosen without them."""
    refused = {(notes.CONTACT, b.partner_id): _REFUSED for b in buyers if b.tax_number_refused}
    salesperson_id, today = context.setup.salesperson_id, context.clock().date()
    notes.remind(context.odoo, refused, today=today, user_id=salesperson_id)


_REFUSED = Note(
    "tax_number_refused",
    "Amazon: check the tax number",
    "Amazon shows a tax number for this customer that is not valid. It is in the contact's"
    " internal notes. Check it, enter the right one as Tax ID, and check the taxes of the"
    " customer's sale orders: they were chosen without it.",
)


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
        ship_by=order.ship_by if order.fulfilled_by == FulfilledBy.MERCHANT else None,
        lines=lines,
        facilitator_tax_id=setup.facilitator_tax_id,
        fiscal_position_id=setup.fiscal_position_id,
        purchase_order=order.buyer.purchase_order_number or "",
    )


def _currency(order: Order) -> str:
    """The order's currency; the marketplace's if it has no amount, as a replacement order."""
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


# Lines


def line_name(order_item_id: str) -> str:
    """The external id of an item's own line, without the module."""
    return f"sale_line_{order_item_id}"


def _lines(context: Context, order: Order, catalogue: Catalogue) -> tuple[Line, ...]:
    if not any(item.quantity for item in order.items):
        raise ItemError(
            "nothing_ordered",
            "Every item of this order has the quantity 0 on Amazon.",
            "Look at the order in Seller Central. It is retried when it changes on Amazon.",
        )
    lines = []
    for item in order.items:
        _ensure_identified(order, item)
        of_item = list(_ItemLines(context, order, item, catalogue).all())
        lines += _as_percent(of_item) if context.account.discounts == "percent" else of_item
    return tuple(lines)


def _ensure_identified(order: Order, item: Item) -> None:
    """Refuse a merchant-fulfilled item for which Amazon names no product."""
    if item.quantity and order.fulfilled_by == FulfilledBy.MERCHANT and not item.is_identified:
        raise ItemError(
            "no_product",
            f"Amazon names no product for item {item.order_item_id}: neither SKU nor ASIN nor"
            " title. It is unknown what to ship.",
            "Look the order up in Seller Central and ship it from there. It is retried when it"
            " changes on Amazon, or with `quarantine retry`.",
        )


class _ItemLines:
    """Builds the lines of one item: its own, one per other kind of charge, its gift message."""

    def __init__(self, context: Context, order: Order, item: Item, catalogue: Catalogue) -> None:
        self.order, self.item = order, item
        self.context, self.catalogue = context, catalogue
        self.key = line_name(item.order_item_id)
        self.name = f"[{item.sku or item.asin or '?'}] {item.title or ''}".strip()

    def all(self) -> Iterator[Line]:
        totals = {kind: Decimal(0) for kind in ChargeKind}
        for charge in self.item.charges:
            totals[charge.kind] += charge.amount
        untaxed = self.item.tax_collected_by_amazon
        of_item = totals.pop(ChargeKind.ITEM)
        if self.item.quantity:
            yield self._own(of_item)
        for kind, total in totals.items():
            if total:
                key, product_id = f"{self.key}_{kind}", self._product_id(kind)
                discount_on = self._discounted_line(kind)
                name = f"{self._title(kind)}: {self.name}"
                yield Line(key, product_id, name, 1, total, untaxed, discount_on=discount_on)
        if self.item.gift_message and self.item.quantity:
            text = f"Gift message: {self.item.gift_message}"
            yield Line(f"{self.key}_gift_message", None, text, 0, Decimal(0), untaxed=True)

    def _own(self, total: Decimal) -> Line:
        found = self.catalogue.item(self.order, self.item)
        untaxed, sku = self.item.tax_collected_by_amazon, self.item.sku or self.item.asin or "?"
        pieces = mapped_pieces(self.context, self.order)[self.item.order_item_id]
        quantity = self.item.quantity * pieces
        line = Line(self.key, found, self.name, quantity, total, untaxed, sku=sku)
        if found:
            self._refuse_unshippable(found, sku)
            return line
        why_not = self.catalogue.why_not(self.order, self.item)
        if self.context.account.unknown_sku == "quarantine":
            raise ItemError(
                "unknown_sku",
                why_not,
                "Correct the product in Odoo or name another in the account's `product_map`, then"
                " retry; or set `unknown_sku: fallback` for the account.",
            )
        return replace(line, product_id=self.context.setup.products.sale, why_fallback=why_not)

    def _refuse_unshippable(self, product_id: int, sku: str) -> None:
        """Refuse an item that Odoo makes no delivery for.

        The merchant could not ship it, and FBA goods would not leave the FBA location.
        """
        if not self.catalogue.is_moved(product_id):
            raise ItemError(
                "nothing_to_ship",
                f"The SKU {sku!r} belongs to a service or a combo product, for which Odoo creates"
                " no delivery.",
                "Set the product's type to Goods in Odoo (Inventory > Products), or name another"
                " in the account's `product_map`; then retry.",
            )

    def _product_id(self, kind: ChargeKind) -> int:
        products = self.context.setup.products
        match kind:
            case ChargeKind.GIFT_WRAP:
                return self.catalogue.gift_wrap(self.order, self.item) or products.gift_wrap
            case ChargeKind.SHIPPING:
                return self.catalogue.shipping(self.order) or products.shipping
            case ChargeKind.COD_FEE | ChargeKind.OTHER:
                return products.shipping
            case _:
                return products.discount

    def _discounted_line(self, kind: ChargeKind) -> str | None:
        """The key of the line that a discount is given on."""
        on = {
            ChargeKind.DISCOUNT: self.key,
            ChargeKind.SHIPPING_DISCOUNT: f"{self.key}_{ChargeKind.SHIPPING}",
        }
        return on.get(kind)

    def _title(self, kind: ChargeKind) -> str:
        promotions = f" ({', '.join(self.item.promotion_ids)})" if self.item.promotion_ids else ""
        titles = {
            ChargeKind.GIFT_WRAP: f"Gift Wrap {self.item.gift_wrap_level or ''}".strip(),
            ChargeKind.COD_FEE: "Cash on Delivery Fee",
            ChargeKind.DISCOUNT: f"Discount{promotions}",
            ChargeKind.SHIPPING_DISCOUNT: f"Shipping Discount{promotions}",
        }
        return titles.get(kind, kind.capitalize())


def _as_percent(lines: Sequence[Line]) -> list[Line]:
    """Merge discount lines into percentages of the lines that they are given on, where possible.

    Odoo keeps two digits of a percentage; the unit price takes up the rest, so that the total stays
    exact. A discount that would round to the whole price stays a line.
    """
    by_key = {line.external_id: line for line in lines}
    for discount in lines:
        discounted = by_key.get(discount.discount_on or "")
        if discounted and (merged := _merged(discounted, discount)):
            by_key[merged.external_id] = merged
            del by_key[discount.external_id]
    return list(by_key.values())


def _merged(line: Line, discount: Line) -> Line | None:
    total = line.total + discount.total
    if discount.total > 0 or total < 0:
        return None
    name = f"{line.name}, {discount.name.partition(': [')[0]}"
    merged = replace(line, total=total, discount=-discount.total, name=name)
    return merged if bool(total) == (merged.percent_off < _WHOLE) else None


_WHOLE = Decimal(100)  # percent
