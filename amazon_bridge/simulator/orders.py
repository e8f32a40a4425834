"""Orders as the simulated Amazon stores them; ``rendering`` has what a seller may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

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


class Absent(Enum):
    """In a patch: the field is left out."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who bought."""

    name: str | None = None
    email: str | None = None
    company: str | None = None
    purchase_order_number: str | None = None
    vat_number: str | None = None
    vat_type: str = "VAT"
    """VAT, BUSINESS, CST or CNPJ."""
    person_tax_number: str | None = None
    """A Brazilian buyer's CPF."""


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
    street_name: str | None = None
    """This and the next three: the extended fields, which Amazon has for Brazil."""
    street_number: str | None = None
    complement: str | None = None
    neighborhood: str | None = None
    kind: str | None = None
    """RESIDENTIAL, COMMERCIAL, PICKUP_POINT; None: by the company."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What an order item may have. Amounts are for the whole line; discounts are positive."""

    shipping: Decimal = ZERO
    gift_wrap: Decimal = ZERO
    cod_fee: Decimal = ZERO
    other: Decimal = ZERO
    discount: Decimal = ZERO
    shipping_discount: Decimal = ZERO
    promotion_ids: tuple[str, ...] = ()
    gift_wrap_level: str | None = None
    gift_message: str | None = None
    programs: tuple[str, ...] = ()
    serial_numbers: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    """Mandatory at the door, such as ``signatureConfirmation``."""
    ioss_number: str | None = None
    serial_numbers_required: bool = False
    customization_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Extras):
    """An order item.

    ``taxes`` are pairs of what is taxed (ITEM, SHIPPING, GIFT_WRAP) and the tax on it; they
    are part of the amounts when ``tax_included``, and come on top otherwise.
    """

    order_item_id: str
    sku: str | None
    asin: str | None
    title: str | None
    quantity: int
    fulfilled: int = 0
    closed: int = 0
    """Units that were cancelled without lowering ``quantity``."""
    price: Decimal
    taxes: tuple[tuple[str, Decimal], ...] = ()
    tax_included: bool = True
    tax_collected_by_amazon: bool = False
    cancellation_requested: str | None = None
    """The reason that the buyer gave."""
    cancelled_by: str | None = None
    cancel_reason: str | None = None
    patch: Mapping[str, Any] = field(default_factory=dict)
    """See ``Order.patch``."""

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
        return max(0, self.quantity - self.fulfilled - self.closed)

    def without(self, units: int, *, lowers_quantity: bool) -> Item:
        """The item with fewer units, and its amounts lowered in proportion."""
        left = self.quantity - self.closed
        share = Fraction(left - units, left) if left else Fraction(1)
        changes: dict[str, Any] = {name: _share(getattr(self, name), share) for name in _AMOUNTS}
        changes["taxes"] = tuple((kind, _share(tax, share)) for kind, tax in self.taxes)
        if lowers_quantity:
            return replace(self, quantity=self.quantity - units, **changes)
        return replace(self, closed=self.closed + units, **changes)


_AMOUNTS = (
    "price", "shipping", "gift_wrap", "cod_fee", "other", "discount", "shipping_discount",
)  # fmt: skip


def _share(amount: Decimal, share: Fraction) -> Decimal:
    """A part of an amount, in the same smallest unit."""
    return (amount * share.numerator / share.denominator).quantize(amount, ROUND_HALF_UP)


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
    latest_shipping: datetime | None = None
    latest_delivery: datetime | None = None
    service_level: str = "STANDARD"
    drop_off_location: str | None = None
    address_instruction: str | None = None
    hidden: bool = False
    """Amazon shows it to nobody any more."""
    data_withheld: bool = False
    """The seller's application may see neither buyer nor address."""
    withheld: frozenset[str] = frozenset()
    """Datasets that Amazon leaves out although requested, such as PROCEEDS."""
    patch: Mapping[str, Any] = field(default_factory=dict)
    """Merged into the rendered order, for arbitrary payloads: an object is merged field by field,
    ``ABSENT`` removes a field, anything else replaces it."""

    def item(self, order_item_id: str) -> Item | None:
        return next((i for i in self.items if i.order_item_id == order_item_id), None)

    def with_packages(self, packages: tuple[Package, ...]) -> Order:
        """The order with these packages, and with the quantities and status that follow.

        Units that were fulfilled in no known package stay fulfilled.
        """
        items = tuple(
            replace(
                item,
                fulfilled=item.fulfilled
                + _packed(packages, item.order_item_id)
                - _packed(self.packages, item.order_item_id),
            )
            for item in self.items
        )
        return replace(self, packages=packages, items=items, status=shipping_status(items))


def _packed(packages: tuple[Package, ...], order_item_id: str) -> int:
    return sum(package.quantity_of(order_item_id) for package in packages)


def shipping_status(items: tuple[Item, ...]) -> str:
    """The status that follows from what was shipped of an order that is not cancelled."""
    if not any(item.fulfilled for item in items):
        return "UNSHIPPED"
    return "PARTIALLY_SHIPPED" if any(item.unfulfilled for item in items) else "SHIPPED"
