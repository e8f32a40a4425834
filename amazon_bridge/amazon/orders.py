"""Maps Amazon's orders to ``model.Order``."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from amazon_bridge.amazon.as_is import stated_proceeds
from amazon_bridge.amazon.payloads import (
    AddressPayload,
    CancellationRequestPayload,
    DeliveryPreferencePayload,
    ItemPayload,
    OrderPayload,
    PackagePayload,
)
from amazon_bridge.amazon.proceeds import (
    NOTHING,
    OrderProceeds,
    ProceedsError,
    collected_by_amazon,
    order_proceeds,
)
from amazon_bridge.amazon.unreadable import problems, unreadable, without_amounts
from amazon_bridge.marketplaces import marketplace
from amazon_bridge.model import (
    Address,
    Buyer,
    Charge,
    FulfilledBy,
    FulfillmentStatus,
    Item,
    Order,
    Package,
    UnreadableOrder,
)

INCLUDED_DATA = (
    "BUYER",
    "RECIPIENT",
    "PROCEEDS",
    "PROMOTION",
    "CANCELLATION",
    "FULFILLMENT",
    "PACKAGES",
    "TAX",
)
"""Requested with every order; without FULFILLMENT an order has no status."""

_UNPRICED = {
    FulfillmentStatus.PENDING,
    FulfillmentStatus.PENDING_AVAILABILITY,
    FulfillmentStatus.CANCELLED,
    FulfillmentStatus.UNFULFILLABLE,
    FulfillmentStatus.OTHER,
}
"""Statuses of orders whose total doesn't matter: not yet, no longer, or never."""


def read_order(
    payload: object, *, prices_include_tax: bool | None = None
) -> Order | UnreadableOrder:
    """The order that a payload of the Orders API 2026-01-01 describes.

    Args:
        payload: One order, as JSON has it.
        prices_include_tax: Decides where Amazon's figures don't; None: by the marketplace.

    Returns:
        The order, or why it can't be understood: the fields and figures, never their personal
        contents.
    """
    fingerprint = _fingerprint(payload)
    try:
        order = OrderPayload.model_validate(payload)
        return _order(order, fingerprint, _proceeds(order, prices_include_tax=prices_include_tax))
    except ValidationError as error:
        reason, kind = problems(error), ProceedsError.kind
    except ProceedsError as error:
        reason, kind = str(error), error.kind
    possible = _is_importable_as_is(payload)
    return unreadable(payload, fingerprint, reason, kind=kind, importable_as_is=possible)


def read_order_as_is(payload: object) -> Order | UnreadableOrder:
    """The order with the total that Amazon states, whatever its other figures say.

    Returns:
        The order; or why it can't be understood, if more than its figures is wrong.
    """
    fingerprint = _fingerprint(payload)
    try:
        order = OrderPayload.model_validate(without_amounts(payload))
    except ValidationError as error:
        return unreadable(payload, fingerprint, problems(error))
    return _order(order, fingerprint, stated_proceeds(order))


def _is_importable_as_is(payload: object) -> bool:
    order = read_order_as_is(payload)
    return isinstance(order, Order) and any(item.quantity for item in order.items)


def _fingerprint(payload: object) -> str:
    """A hash over the whole payload of the order.

    It is kept in the state store, and reveals nothing: it can't be turned back, and to try out
    a guess at a name one would need every other field of the order to the letter.
    """
    canonical = json.dumps(payload, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _order(payload: OrderPayload, fingerprint: str, proceeds: OrderProceeds) -> Order:
    status = _status(payload.fulfillment.fulfillment_status)
    address = payload.recipient.delivery_address
    return Order(
        order_id=payload.order_id,
        fingerprint=fingerprint,
        created=payload.created_time,
        last_updated=payload.last_updated_time,
        status=status,
        fulfilled_by=_fulfilled_by(payload.fulfillment.fulfilled_by),
        marketplace_id=payload.sales_channel.marketplace_id,
        sold_on_amazon=_sold_on_amazon(payload),
        currency=proceeds.currency,
        items=tuple(
            _item(item, charges, _units_fulfilled(payload, item))
            for item, charges in zip(payload.order_items, proceeds.charges, strict=True)
        ),
        buyer=_buyer(payload),
        address=_known_address(address) if address else None,
        packages=tuple(map(_package, payload.packages)),
        status_text=_word(payload.fulfillment.fulfillment_status) or "",
        fulfilled_by_text=_word(payload.fulfillment.fulfilled_by),
        service_level=payload.fulfillment.fulfillment_service_level,
        ship_by=payload.fulfillment.ship_by_window.latest_date_time,
        deliver_by=payload.fulfillment.deliver_by_window.latest_date_time,
        programs=_programs(payload),
        delivery_instructions=_instructions(payload.recipient.delivery_preference),
    )


def _programs(payload: OrderPayload) -> tuple[str, ...]:
    """The programs of the order and of its items, each once."""
    named = [*payload.programs, *(p for item in payload.order_items for p in item.programs)]
    return tuple(dict.fromkeys(_given(named)))


def _given(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(text for text in texts if text)


def _instructions(preference: DeliveryPreferencePayload) -> str | None:
    parts = _given((preference.drop_off_location, preference.address_instruction))
    return "; ".join(parts) or None


def _word(text: str | None) -> str | None:
    """A value of an enumeration, safe to show in a message; ``?`` for anything else."""
    return text and (text if _WORD.fullmatch(text) else "?")


_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


def _sold_on_amazon(payload: OrderPayload) -> bool:
    return payload.sales_channel.channel_name != "NON_AMAZON"


def _status(text: str) -> FulfillmentStatus:
    return FulfillmentStatus.__members__.get(text, FulfillmentStatus.OTHER)


def _fulfilled_by(text: str | None) -> FulfilledBy | None:
    return FulfilledBy.__members__.get(text or "")


def _proceeds(payload: OrderPayload, *, prices_include_tax: bool | None) -> OrderProceeds:
    status = _status(payload.fulfillment.fulfillment_status)
    if prices_include_tax is None:
        known = marketplace(payload.sales_channel.marketplace_id or "")
        prices_include_tax = known is None or known.prices_include_tax
    unpriced = status in _UNPRICED or not _sold_on_amazon(payload)
    try:
        return order_proceeds(
            payload,
            prices_include_tax=prices_include_tax,
            may_be_free=unpriced or _is_replacement(payload),
        )
    except ProceedsError:
        if not unpriced:
            raise
        return OrderProceeds(tuple(NOTHING for _ in payload.order_items), None)


def _is_replacement(payload: OrderPayload) -> bool:
    """True if the order replaces another one without a new payment."""
    return any(
        other.order_id and other.association_type == "REPLACEMENT_ORIGINAL_ID"
        for other in payload.associated_orders
    )


def _units_fulfilled(order: OrderPayload, item: ItemPayload) -> int:
    """The shipped units; derived from other fields where Amazon doesn't state them."""
    fulfilled, left = item.fulfillment.quantity_fulfilled, item.fulfillment.quantity_unfulfilled
    if fulfilled is not None:
        return fulfilled
    if left is not None and not item.cancellation.cancellation_execution.cancelled_by:
        return max(0, item.quantity_ordered - left)
    packed = (i for p in order.packages if _has_left(p) for i in p.package_items)
    return sum(each.quantity for each in packed if each.order_item_id == item.order_item_id)


def _has_left(package: PackagePayload) -> bool:
    return package.package_status.status not in ("PENDING", "CANCELLED")


def _item(payload: ItemPayload, charges: tuple[Charge, ...], fulfilled: int) -> Item:
    packing = payload.fulfillment.packing
    gift = packing.gift_option
    request = payload.cancellation.cancellation_request
    execution = payload.cancellation.cancellation_execution
    promotions = payload.promotion.breakdowns
    shipping = payload.fulfillment.shipping
    return Item(
        order_item_id=payload.order_item_id,
        quantity=payload.quantity_ordered,
        sku=payload.product.seller_sku,
        asin=payload.product.asin,
        title=payload.product.title,
        charges=charges,
        tax_collected_by_amazon=collected_by_amazon(payload),
        quantity_fulfilled=fulfilled,
        quantity_unfulfilled=payload.fulfillment.quantity_unfulfilled,
        serial_numbers=_given(payload.product.serial_numbers),
        serial_numbers_required=packing.serial_number_requirement.requirement_type == "REQUIRED",
        shipping_constraints=_mandatory(shipping.shipping_constraints),
        ioss_number=shipping.international_shipping.ioss_number,
        promotion_ids=_given(p.promotion_id for p in promotions),
        gift_wrap_level=gift.gift_wrap_level,
        gift_message=gift.gift_message,
        customization_url=payload.product.customization.customized_url,
        buyer_requested_cancellation=_is_request(request),
        cancelled_by=execution.cancelled_by,
    )


def _is_request(request: CancellationRequestPayload) -> bool:
    """Amazon's model knows no other requester than the buyer; a request without one is theirs."""
    return bool(request.requester or request.cancel_reason)


def _mandatory(constraints: Mapping[str, str | None]) -> tuple[str, ...]:
    return tuple(name for name, kind in constraints.items() if kind == "MANDATORY")


def _buyer(payload: OrderPayload) -> Buyer:
    return Buyer(
        name=payload.buyer.buyer_name,
        email=payload.buyer.buyer_email,
        company_name=payload.buyer.buyer_company_name or _legal_name(payload),
        vat_number=_tax_number(payload, "VAT", "BUSINESS", "CNPJ"),
        person_tax_number=_tax_number(payload, "CPF"),
        purchase_order_number=payload.buyer.buyer_purchase_order_number,
    )


def _legal_name(payload: OrderPayload) -> str | None:
    """The buyer's name as a business, in its tax registration."""
    return next(
        (
            registration.legal_name
            for registration in payload.tax.tax_registrations
            if registration.entity_type == "BUYER"
            and registration.tax_registration_type in _OF_BUSINESSES
        ),
        None,
    )


_OF_BUSINESSES = {"VAT", "BUSINESS", "CNPJ"}
"""Types of tax numbers. CPF and CST are numbers of persons."""


def _tax_number(payload: OrderPayload, *types: str) -> str | None:
    """The buyer's tax number of the first of these types that is present."""
    numbers = [
        registration.tax_registration_number
        for kind in types
        for registration in payload.tax.tax_registrations
        if registration.entity_type == "BUYER" and registration.tax_registration_type == kind
    ]
    return next(iter(_given(numbers)), None)


def _known_address(payload: AddressPayload) -> Address | None:
    """Return None if Amazon withholds every field of the address."""
    address = _address(payload)
    return None if address == Address(country_code=None) else address


def _address(payload: AddressPayload) -> Address:
    lines = (payload.address_line1, payload.address_line2, payload.address_line3)
    districts = (payload.district_or_county, payload.municipality)
    extended = payload.extended_fields
    return Address(
        country_code=payload.country_code,
        state_or_region=payload.state_or_region,
        postal_code=payload.postal_code,
        city=payload.city,
        district_or_county=", ".join(dict.fromkeys(_given(districts))) or None,
        lines=_given(lines),
        name=payload.name,
        company_name=payload.company_name,
        phone=payload.phone,
        street_name=extended.street_name,
        street_number=extended.street_number,
        complement=extended.complement,
        neighborhood=extended.neighborhood,
        is_pickup_point=payload.address_type == "PICKUP_POINT",
    )


def _package(payload: PackagePayload) -> Package:
    return Package(
        package_reference_id=payload.package_reference_id,
        carrier=payload.carrier,
        tracking_number=payload.tracking_number,
        quantities=tuple((item.order_item_id, item.quantity) for item in payload.package_items),
        status=payload.package_status.status,
    )
