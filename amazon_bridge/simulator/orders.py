"""An order as the simulated Amazon keeps it. What a seller may see of it: ``rendering``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from amazon_bridge.simulator.markets import Market

STATUSES = (
    "PENDING_AVAILABILITY",
    "PENDING",
    "UNSHIPPED",
    "PARTIALLY_SHIPPED",
    "SHIPPED",
    "CANCELLED",
    "UNFULFILLABLE",
)
UNPAID = ("PENDING_AVAILABILITY", "PENDING")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who bought."""

    name: str | None = None
    email: str | None = None
    company: str | None = None
    purchase_order_number: str | None = None
    vat_number: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where the goods go."""

    name: str | None = None
    company: str | None = None
    lines: tuple[str, ...] = ()
    city: str | None = None
    district: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An order item. Amounts are for the whole line; discounts are positive.

    ``taxes`` are pairs of what is taxed (ITEM, SHIPPING, GIFT_WRAP) and the tax on it; they
    are part of the amounts when ``tax_included``, and come on top otherwise.
    """

    order_item_id: str
    sku: str | None
    asin: str | None
    title: str | None
    quantity: int
    fulfilled: int = 0
    price: Decimal
    shipping: Decimal = ZERO
    gift_wrap: Decimal = ZERO
    cod_fee: Decimal = ZERO
    other: Decimal = ZERO
    discount: Decimal = ZERO
    shipping_discount: Decimal = ZERO
    taxes: tuple[tuple[str, Decimal], ...] = ()
    tax_included: bool = True
    tax_collected_by_amazon: bool = False
    promotion_ids: tuple[str, ...] = ()
    gift_wrap_level: str | None = None
    gift_message: str | None = None
    cancellation_requested: str | None = None
    """The reason that the buyer gave."""
    cancelled_by: str | None = None
    cancel_reason: str | None = None

    @property
    def tax(self) -> Decimal:
        return sum((amount for _, amount in self.taxes), ZERO)

    @property
    def discounts(self) -> Decimal:
        return self.discount + self.shipping_discount

    @property
    def total(self) -> Decimal:
        """What Amazon calls proceedsTotal."""
        charges = self.price + self.shipping + self.gift_wrap + self.cod_fee + self.other
        return charges - self.discounts + (ZERO if self.tax_included else self.tax)

    @property
    def unfulfilled(self) -> int:
        return 0 if self.cancelled_by else self.quantity - self.fulfilled


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A shipment that the seller confirmed."""

    reference: str
    created: datetime
    carrier_code: str
    carrier_name: str | None
    shipping_method: str | None
    tracking_number: str
    shipped: datetime
    quantities: tuple[tuple[str, int], ...]

    def quantity_of(self, order_item_id: str) -> int:
        return sum(count for item, count in self.quantities if item == order_item_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One revision of an order; a change makes another."""

    order_id: str
    seller_id: str
    market: Market
    created: datetime
    last_updated: datetime
    status: str
    fulfilled_by: str
    items: tuple[Item, ...]
    buyer: Buyer = Buyer()
    address: Address = Address()
    packages: tuple[Package, ...] = ()
    channel: str = "AMAZON"
    programs: tuple[str, ...] = ()
    replaces: str | None = None
    seller_order_id: str | None = None
    latest_delivery: datetime | None = None
    data_withheld: bool = False
    """The seller's application may see nothing of the buyer and of the address."""

    def item(self, order_item_id: str) -> Item | None:
        return next((i for i in self.items if i.order_item_id == order_item_id), None)

    def with_packages(self, packages: tuple[Package, ...]) -> Order:
        """The order with these packages, and with what they say of quantities and status."""
        items = tuple(
            replace(item, fulfilled=sum(p.quantity_of(item.order_item_id) for p in packages))
            for item in self.items
        )
        return replace(self, packages=packages, items=items, status=shipping_status(items))


def shipping_status(items: tuple[Item, ...]) -> str:
    """The status that follows from what was shipped of an order that is not cancelled."""
    if not any(item.fulfilled for item in items):
        return "UNSHIPPED"
    return "PARTIALLY_SHIPPED" if any(item.unfulfilled for item in items) else "SHIPPED"
