"""The vocabulary that ``amazon`` and ``odoo`` share.

Everything here is frozen and pure. Fields that hold a buyer's personal data are left out
of ``repr``, so that no traceback and no log line can show them by accident.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

ORDER_ID = r"[0-9A-Z]{3}-[0-9]{7}-[0-9]{7}"
"""The form of an order's id, as a regular expression. The first three characters can be letters."""


def is_order_id(text: str) -> bool:
    """Whether a text has the form of an order's id, such as ``404-1234567-1234567``."""
    return re.fullmatch(ORDER_ID, text) is not None


class FulfilledBy(StrEnum):
    """Who ships the order: Amazon (FBA) or the merchant (FBM)."""

    AMAZON = "AMAZON"
    MERCHANT = "MERCHANT"


class FulfillmentStatus(StrEnum):
    """The statuses of an order in the Orders API 2026-01-01, and OTHER for any newer one."""

    PENDING_AVAILABILITY = "PENDING_AVAILABILITY"
    PENDING = "PENDING"
    UNSHIPPED = "UNSHIPPED"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    CANCELLED = "CANCELLED"
    UNFULFILLABLE = "UNFULFILLABLE"
    OTHER = "OTHER"


class ChargeKind(StrEnum):
    """What a charge of an order item is for; each becomes a separate sale order line."""

    ITEM = "item"
    SHIPPING = "shipping"
    GIFT_WRAP = "gift_wrap"
    COD_FEE = "cod_fee"
    OTHER = "other"
    DISCOUNT = "discount"
    SHIPPING_DISCOUNT = "shipping_discount"


@dataclass(frozen=True, slots=True)
class Charge:
    """An amount that the buyer pays for one order item.

    ``amount`` is for the whole line, not for one unit, in the order's currency. It is what
    the charge is worth to the seller's books: with the tax that the seller owes, without
    the tax that Amazon keeps and remits itself. Discounts are negative.
    """

    kind: ChargeKind
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Item:
    """One order item."""

    order_item_id: str
    quantity: int
    sku: str | None
    asin: str | None
    title: str | None
    charges: tuple[Charge, ...]
    tax_collected_by_amazon: bool = False
    """Amazon is the marketplace facilitator: the seller owes no tax on this item."""
    quantity_fulfilled: int = 0
    """Shipped units, as far as Amazon knows."""
    quantity_unfulfilled: int | None = None
    """Units still to be shipped; None where Amazon does not say."""
    serial_numbers: tuple[str, ...] = ()
    """Serial numbers of the units that Amazon shipped."""
    serial_numbers_required: bool = False
    """Amazon requires the serial numbers of the units that the merchant ships."""
    shipping_constraints: tuple[str, ...] = ()
    """What is mandatory at the door, in Amazon's words, such as ``signatureConfirmation``."""
    ioss_number: str | None = None
    promotion_ids: tuple[str, ...] = ()
    gift_wrap_level: str | None = None
    gift_message: str | None = field(default=None, repr=False)
    customization_url: str | None = field(default=None, repr=False)
    """Where the buyer's customisation (Amazon Custom) can be downloaded."""
    buyer_requested_cancellation: bool = False
    cancelled_by: str | None = None
    """Who cancelled units of the item (BUYER, MERCHANT, AMAZON); None where nobody did."""

    @property
    def worth(self) -> Decimal:
        """The sum of the item's charges."""
        return sum((charge.amount for charge in self.charges), Decimal(0))

    @property
    def is_identified(self) -> bool:
        """Amazon names the product in any way."""
        return bool(self.sku or self.asin or self.title)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an order is delivered. Amazon may withhold any part of it."""

    country_code: str | None
    state_or_region: str | None = field(default=None, repr=False)
    postal_code: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)
    district_or_county: str | None = field(default=None, repr=False)
    lines: tuple[str, ...] = field(default=(), repr=False)
    name: str | None = field(default=None, repr=False)
    company_name: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    street_name: str | None = field(default=None, repr=False)
    """This and the next three: Amazon's ``extendedFields``, used in Brazil."""
    street_number: str | None = field(default=None, repr=False)
    complement: str | None = field(default=None, repr=False)
    neighborhood: str | None = field(default=None, repr=False)
    is_pickup_point: bool = False
    """A locker or a shop, which not every carrier delivers to."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """The buyer. Amazon may withhold any part; ``email`` is Amazon's anonymised address."""

    name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    company_name: str | None = field(default=None, repr=False)
    vat_number: str | None = field(default=None, repr=False)
    """The tax number of a business (VAT, CNPJ)."""
    person_tax_number: str | None = field(default=None, repr=False)
    """The tax number of a person (CPF)."""
    purchase_order_number: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Package:
    """A shipment that Amazon knows of (merchant-fulfilled orders only)."""

    package_reference_id: str
    carrier: str | None
    tracking_number: str | None = field(repr=False)
    quantities: tuple[tuple[str, int], ...]
    """Pairs of order item id and number of units."""
    status: str | None = None
    """Amazon's status, such as SHIPPED or DELIVERED; a CANCELLED package was never shipped."""


@dataclass(frozen=True, slots=True)
class Order:
    """An Amazon order as it is now. Datetimes are aware, in UTC."""

    order_id: str
    fingerprint: str
    """Hash of Amazon's payload: it changes with any field of the order."""
    created: datetime
    last_updated: datetime
    status: FulfillmentStatus
    fulfilled_by: FulfilledBy | None
    marketplace_id: str | None
    sold_on_amazon: bool
    """False for multi-channel orders (sales channel NON_AMAZON)."""
    currency: str | None
    """ISO 4217; None when no amount is known (Amazon states none while an order is pending)."""
    items: tuple[Item, ...]
    buyer: Buyer = Buyer()
    address: Address | None = None
    packages: tuple[Package, ...] = ()
    status_text: str = ""
    """Amazon's text of the status, also where ``status`` is OTHER."""
    fulfilled_by_text: str | None = None
    """Amazon's text, also where ``fulfilled_by`` is None."""
    service_level: str | None = None
    """Amazon's shipping service level, such as EXPEDITED."""
    ship_by: datetime | None = None
    """The latest moment to ship (end of ``shipByWindow``)."""
    deliver_by: datetime | None = None
    """The latest moment to deliver (end of ``deliverByWindow``)."""
    programs: tuple[str, ...] = ()
    """Amazon's programs that the order belongs to, such as PRIME."""
    delivery_instructions: str | None = field(default=None, repr=False)
    """Drop-off location and address instruction (door code) of the buyer."""

    @property
    def worth(self) -> Decimal:
        """What the order is worth to the seller's books: the total of its sale order."""
        return sum((item.worth for item in self.items), Decimal(0))

    @property
    def buyer_requested_cancellation(self) -> bool:
        return any(item.buyer_requested_cancellation for item in self.items)


WITHOUT_ID = "unknown-"
"""The generated ids of orders whose own can't be read begin so; Amazon knows none of them."""


@dataclass(frozen=True, slots=True)
class UnreadableOrder:
    """An order from Amazon that can't be parsed; it is quarantined."""

    order_id: str
    fingerprint: str
    reason: str
    """The fields that are wrong; never their contents, which may be personal."""
    kind: str = "unreadable"
    """The quarantine kind: ``unreadable``, ``no_proceeds`` where only its worth is missing, or
    ``units_contradict`` where an item without units has an amount."""
    fulfilled_by: FulfilledBy | None = None
    status: FulfillmentStatus = FulfillmentStatus.OTHER
    ship_by: datetime | None = None
    """The latest moment to ship, where that much can be parsed."""
    marketplace_id: str | None = None
    importable_as_is: bool = False
    """Only its amounts are wrong: items, SKUs and units can be read."""
    units: tuple[tuple[str, int | None], ...] = ()
    """Pairs of SKU (empty if none can be read) and units not shipped (None if unreadable)."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """The confirmation to Amazon of one done delivery order."""

    order_id: str
    marketplace_id: str
    package_reference_id: str
    carrier_code: str
    carrier_name: str | None
    shipping_method: str | None
    tracking_number: str = field(repr=False)
    ship_date: datetime
    quantities: tuple[tuple[str, int], ...]
    """Pairs of order item id and number of units."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The cancellation on Amazon of one order cancelled in Odoo, with all of its items."""

    order_id: str
    sale_order_name: str
    order_item_ids: tuple[str, ...]
    reason: str
    item_reasons: tuple[tuple[str, str], ...] = ()
    """Pairs of order item id and reason, of the items with another reason than the order."""


DEFAULT_CHANNEL = "DEFAULT"
"""Amazon's code of the merchant's own fulfilment channel."""
AMAZON_CHANNELS = "AMAZON_"
"""The prefix of the codes of Amazon's own channels: ``AMAZON_EU``, ``AMAZON_NA``."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A SKU in one marketplace, as Amazon shows it."""

    sku: str
    marketplace_id: str
    channels: tuple[str, ...] = ()
    """Amazon's codes of its fulfilment channels. Empty: Amazon doesn't say who ships it."""
    quantity: int | None = None
    """Units that Amazon sells from the merchant's stock; None where it states no figure."""
    product_type: str | None = None
    """Amazon's, such as LUGGAGE; a report has none."""
    status: tuple[str, ...] = ()
    """In Amazon's words: BUYABLE, DISCOVERABLE; of a report Active, Inactive, Incomplete."""
    issues: tuple[str, ...] = ()
    """Amazon's texts of what is wrong with the listing."""

    @property
    def sold_by_merchant(self) -> bool:
        return DEFAULT_CHANNEL in self.channels

    @property
    def sold_by_amazon(self) -> bool:
        return any(channel.startswith(AMAZON_CHANNELS) for channel in self.channels)


@dataclass(frozen=True, slots=True)
class UnreadableListing:
    """A row of a report of listings that can't be parsed."""

    row: int
    """Its number, counted from 1 below the heading."""
    sku: str
    """Empty if the row has none that can be read."""
    reason: str


@dataclass(frozen=True, slots=True)
class QuantityUpdate:
    """The units of a SKU that Amazon may sell from the merchant's stock."""

    sku: str
    quantity: int
    product_type: str = "PRODUCT"
    """The listing's; the default is for listings whose product type is unknown."""
    lead_time_days: int | None = None
    """Handling time; None leaves it as it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the output of ``check``. A remedy beside ``ok`` is advice."""

    ok: bool
    what: str
    remedy: str = ""
