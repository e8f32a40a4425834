"""Payloads of the Orders API 2026-01-01, as far as the bridge reads them.

Tolerant where Amazon may change or withhold things: a field that isn't required may be absent
or null, unknown fields are skipped, unknown values of an enumeration stay plain text. Strict
where a mistake would cost: money, ids, quantities, times.

Field names are Amazon's, in snake case. Source: Amazon's model ``orders_2026-01-01.json``.
"""

# ruff: noqa: D101 - each class is one part of the payload, and its name says which

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
)
from pydantic.alias_generators import to_camel

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 can't represent, so that no XML-RPC call and no feed can contain them."""

_LARGEST_INTEGER = 2**31 - 1
"""The largest integer of XML-RPC."""


def writable(text: str) -> str:
    """The text, trimmed and without the characters that XML can't hold."""
    return _UNWRITABLE.sub("", text).strip()


def iso(instant: datetime) -> str:
    """An instant in Amazon's format: UTC, as in ``2026-11-01T09:30:00.000Z``."""
    utc = instant.astimezone(UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='milliseconds')}Z"


def _text_or_none(value: object) -> object:
    return writable(value) or None if isinstance(value, str) else value


def _only_text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("should be a text")  # noqa: TRY004 - pydantic collects ValueErrors only
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of range") from None


def _entries(value: object) -> object:
    return () if value is None else value


def _known_entries(value: object) -> object:
    if not isinstance(value, list):
        return _entries(value)
    return [entry for entry in value if entry is not None]


def _part(value: object) -> object:
    return {} if value is None else value


T = TypeVar("T")

Text = Annotated[str | None, BeforeValidator(_text_or_none)]
"""A text that may be withheld; an empty one counts as None."""
NonEmpty = Annotated[str, Field(min_length=1)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,63}\z")]
"""An id that becomes part of an external id in Odoo."""
Quantity = Annotated[int, Strict(), Field(ge=0, le=_LARGEST_INTEGER)]
Instant = Annotated[AwareDatetime, BeforeValidator(_only_text), AfterValidator(_utc)]
Entries = Annotated[tuple[T, ...], BeforeValidator(_entries)]
"""A list that may be absent or null. None of its entries may be null: it would hide an amount, a
package, or units."""
KnownEntries = Annotated[tuple[T, ...], BeforeValidator(_known_entries)]
"""A list that may be absent or null; null entries are dropped."""
Part = Annotated[T, BeforeValidator(_part)]
"""An object that may be absent or null, as all of its fields may be."""


class Payload(BaseModel):
    """Base of all payloads."""

    model_config = ConfigDict(
        alias_generator=to_camel, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    def __repr_args__(self) -> tuple[()]:
        """Show no contents, so that no traceback and no log line can show a buyer's data."""
        return ()


class MoneyPayload(Payload):
    amount: Annotated[str, Strict(), StringConstraints(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,6})?\z")]
    currency_code: Annotated[str, Strict(), StringConstraints(pattern=r"^[A-Z]{3}\z")]


class DetailedBreakdownPayload(Payload):
    subtype: Text = None
    value: MoneyPayload | None = None


class BreakdownPayload(Payload):
    type: Text
    subtotal: MoneyPayload
    detailed_breakdowns: Entries[DetailedBreakdownPayload] = ()


class ItemProceedsPayload(Payload):
    proceeds_total: MoneyPayload | None = None
    breakdowns: Entries[BreakdownPayload] = ()


class PricePayload(Payload):
    unit_price: MoneyPayload | None = None


class CustomizationPayload(Payload):
    customized_url: Text = None


class ProductPayload(Payload):
    seller_sku: Text = None
    asin: Text = None
    title: Text = None
    price: Part[PricePayload] = PricePayload()
    serial_numbers: KnownEntries[Text] = ()
    customization: Part[CustomizationPayload] = CustomizationPayload()


class PromotionBreakdownPayload(Payload):
    promotion_id: Text = None


class PromotionPayload(Payload):
    breakdowns: KnownEntries[PromotionBreakdownPayload] = ()


class CancellationRequestPayload(Payload):
    requester: Text = None
    cancel_reason: Text = None


class CancellationExecutionPayload(Payload):
    cancelled_by: Text = None


class CancellationPayload(Payload):
    cancellation_request: Part[CancellationRequestPayload] = CancellationRequestPayload()
    cancellation_execution: Part[CancellationExecutionPayload] = CancellationExecutionPayload()


class GiftOptionPayload(Payload):
    gift_message: Text = None
    gift_wrap_level: Text = None


class SerialNumberRequirementPayload(Payload):
    requirement_type: Text = None


class PackingPayload(Payload):
    gift_option: Part[GiftOptionPayload] = GiftOptionPayload()
    serial_number_requirement: Part[SerialNumberRequirementPayload] = (
        SerialNumberRequirementPayload()
    )


class InternationalShippingPayload(Payload):
    ioss_number: Text = None


class ShippingPayload(Payload):
    shipping_constraints: Part[dict[str, Text]] = {}
    """By name, so that a constraint that Amazon adds is not lost."""
    international_shipping: Part[InternationalShippingPayload] = InternationalShippingPayload()


class ItemFulfillmentPayload(Payload):
    quantity_fulfilled: Quantity | None = None
    quantity_unfulfilled: Quantity | None = None
    packing: Part[PackingPayload] = PackingPayload()
    shipping: Part[ShippingPayload] = ShippingPayload()


class TaxCollectionPayload(Payload):
    model: Text = None


class ItemTaxPayload(Payload):
    tax_collections: Entries[TaxCollectionPayload] = ()


class ItemPayload(Payload):
    order_item_id: Identifier
    quantity_ordered: Quantity
    product: Part[ProductPayload]
    programs: KnownEntries[Text] = ()
    proceeds: Part[ItemProceedsPayload] = ItemProceedsPayload()
    promotion: Part[PromotionPayload] = PromotionPayload()
    cancellation: Part[CancellationPayload] = CancellationPayload()
    fulfillment: Part[ItemFulfillmentPayload] = ItemFulfillmentPayload()
    tax: Part[ItemTaxPayload] = ItemTaxPayload()


def _each_once(items: tuple[ItemPayload, ...]) -> tuple[ItemPayload, ...]:
    if len({item.order_item_id for item in items}) < len(items):
        raise ValueError("should hold each orderItemId once")
    return items


class SalesChannelPayload(Payload):
    channel_name: Text
    marketplace_id: Text = None


class WindowPayload(Payload):
    latest_date_time: Instant | None = None


class FulfillmentPayload(Payload):
    fulfillment_status: str
    fulfilled_by: Text = None
    fulfillment_service_level: Text = None
    ship_by_window: Part[WindowPayload] = WindowPayload()
    deliver_by_window: Part[WindowPayload] = WindowPayload()


class AssociatedOrderPayload(Payload):
    order_id: Text = None
    association_type: Text = None


class BuyerPayload(Payload):
    buyer_name: Text = None
    buyer_email: Text = None
    buyer_company_name: Text = None
    buyer_purchase_order_number: Text = None


class ExtendedFieldsPayload(Payload):
    street_name: Text = None
    street_number: Text = None
    complement: Text = None
    neighborhood: Text = None


class AddressPayload(Payload):
    name: Text = None
    company_name: Text = None
    address_line1: Text = Field(default=None, alias="addressLine1")
    address_line2: Text = Field(default=None, alias="addressLine2")
    address_line3: Text = Field(default=None, alias="addressLine3")
    city: Text = None
    district_or_county: Text = None
    municipality: Text = None
    state_or_region: Text = None
    postal_code: Text = None
    country_code: Text = None
    phone: Text = None
    address_type: Text = None
    extended_fields: Part[ExtendedFieldsPayload] = ExtendedFieldsPayload()


class DeliveryPreferencePayload(Payload):
    drop_off_location: Text = None
    address_instruction: Text = None


class RecipientPayload(Payload):
    delivery_address: AddressPayload | None = None
    delivery_preference: Part[DeliveryPreferencePayload] = DeliveryPreferencePayload()


class TaxRegistrationPayload(Payload):
    entity_type: Text = None
    legal_name: Text = None
    tax_registration_type: Text = None
    tax_registration_number: Text = None


class OrderTaxPayload(Payload):
    tax_registrations: Entries[TaxRegistrationPayload] = ()


class OrderBreakdownPayload(Payload):
    type: Text
    status: Text = None
    subtotal: MoneyPayload


class OrderProceedsPayload(Payload):
    grand_total: MoneyPayload | None = None
    breakdowns: Entries[OrderBreakdownPayload] = ()


class PackageItemPayload(Payload):
    order_item_id: Identifier
    quantity: Quantity


class PackageStatusPayload(Payload):
    status: Text = None


class PackagePayload(Payload):
    package_reference_id: Annotated[str, Strict(), StringConstraints(min_length=1)]
    package_status: Part[PackageStatusPayload] = PackageStatusPayload()
    carrier: Text = None
    tracking_number: Text = None
    package_items: Entries[PackageItemPayload] = ()


class IdentifiedPayload(Payload):
    order_id: Identifier


class OrderPayload(IdentifiedPayload):
    created_time: Instant
    last_updated_time: Instant
    sales_channel: SalesChannelPayload
    order_items: Annotated[tuple[ItemPayload, ...], AfterValidator(_each_once)]
    fulfillment: FulfillmentPayload
    """Amazon's model doesn't require it, but it is requested, and nothing can be decided without
    a status."""
    programs: KnownEntries[Text] = ()
    associated_orders: Entries[AssociatedOrderPayload] = ()
    buyer: Part[BuyerPayload] = BuyerPayload()
    recipient: Part[RecipientPayload] = RecipientPayload()
    tax: Part[OrderTaxPayload] = OrderTaxPayload()
    proceeds: Part[OrderProceedsPayload] = OrderProceedsPayload()
    packages: Entries[PackagePayload] = ()
