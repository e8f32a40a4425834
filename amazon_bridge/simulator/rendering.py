"""Renders orders as the Orders API 2026-01-01 does, as far as a seller may see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from amazon_bridge.simulator.markets import Market
from amazon_bridge.simulator.orders import ABSENT, UNPAID, Address, Item, Order, Package

_CHARGES = {
    "ITEM": "price",
    "SHIPPING": "shipping",
    "GIFT_WRAP": "gift_wrap",
    "COD_FEE": "cod_fee",
    "OTHER": "other",
}
Json = dict[str, Any]


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC, as Amazon writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def render_order(
    order: Order, included: frozenset[str], now: datetime, *, negative_discounts: bool
) -> Json:
    """The order with the requested datasets that aren't withheld."""
    included -= order.withheld
    blocks = {
        "BUYER": ("buyer", _buyer(order)),
        "RECIPIENT": ("recipient", _recipient(order, now)),
        "PROCEEDS": ("proceeds", _order_proceeds(order, negative=negative_discounts)),
        "PAYMENT": ("payment", _payment(order)),
        "TAX": ("tax", _order_tax(order)),
        "FULFILLMENT": ("fulfillment", _order_fulfillment(order)),
        "PACKAGES": ("packages", [_package(package) for package in order.packages]),
    }
    response = _head(order)
    response |= _chosen(blocks, included)
    response["orderItems"] = [
        _patched(_item(order, item, included, negative=negative_discounts), item.patch)
        for item in order.items
    ]
    return _patched(response, order.patch)


def _patched(value: Json, patch: Mapping[str, Any]) -> Json:
    patched = dict(value)
    for name, change in patch.items():
        if isinstance(change, Mapping):
            patched[name] = _patched(patched.get(name) or {}, change)
        else:
            patched[name] = change
    return {name: inner for name, inner in patched.items() if inner is not ABSENT}


def _chosen(blocks: dict[str, tuple[str, Any]], included: frozenset[str]) -> Json:
    return {name: block for data, (name, block) in blocks.items() if data in included and block}


def _present(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _head(order: Order) -> Json:
    on_amazon = order.channel == "AMAZON"
    head: Json = {
        "orderId": order.order_id,
        "createdTime": timestamp(order.created),
        "lastUpdatedTime": timestamp(order.last_updated),
        "salesChannel": {
            "channelName": order.channel,
            "marketplaceId": order.market.marketplace_id,
            "marketplaceName": order.market.name if on_amazon else "Non-Amazon",
        },
    }
    if order.seller_order_id:
        head["orderAliases"] = [{"aliasId": order.seller_order_id, "aliasType": "SELLER_ORDER_ID"}]
    if order.programs:
        head["programs"] = list(order.programs)
    if order.replaces:
        head["associatedOrders"] = [
            {"orderId": order.replaces, "associationType": "REPLACEMENT_ORIGINAL_ID"}
        ]
    return head


def _name_is_shown(order: Order) -> bool:
    """For orders that Amazon fulfils in North America, sellers get no name."""
    return order.fulfilled_by == "MERCHANT" or order.market.region != "na"


def _buyer(order: Order) -> Json:
    if order.data_withheld or order.status in UNPAID:
        return {}
    by_merchant = order.fulfilled_by == "MERCHANT"
    return _present(
        buyerName=order.buyer.name if _name_is_shown(order) else None,
        buyerEmail=order.buyer.email if by_merchant else None,
        buyerCompanyName=order.buyer.company,
        buyerPurchaseOrderNumber=order.buyer.purchase_order_number,
    )


def _phone_is_shown(order: Order, now: datetime) -> bool:
    """A merchant may ring up until the parcel should have arrived, Amazon's model says."""
    if order.fulfilled_by == "AMAZON":
        return False
    return order.status != "SHIPPED" or now <= _latest_delivery(order)


def _latest_delivery(order: Order) -> datetime:
    return order.latest_delivery or order.created + timedelta(days=5)


def _recipient(order: Order, now: datetime) -> Json:
    if order.data_withheld or order.status in UNPAID:
        return {}
    address = _address(order.address)
    if not _phone_is_shown(order, now):
        address.pop("phone", None)
    if not _name_is_shown(order):
        for field in ("name", "companyName", "addressLine1", "addressLine2", "addressLine3"):
            address.pop(field, None)
    preference = _present(
        dropOffLocation=order.drop_off_location, addressInstruction=order.address_instruction
    )
    known = order.address != Address()
    return _present(
        deliveryAddress=address if known else None, deliveryPreference=preference or None
    )


def _address(address: Address) -> Json:
    lines = {f"addressLine{number}": line for number, line in enumerate(address.lines, 1)}
    return _present(
        name=address.name,
        companyName=address.company,
        **lines,
        city=address.city,
        districtOrCounty=address.district,
        stateOrRegion=address.state,
        postalCode=address.postal_code,
        countryCode=address.country,
        phone=address.phone,
        extendedFields=_extended(address) or None,
        addressType=address.kind or ("COMMERCIAL" if address.company else "RESIDENTIAL"),
    )


def _extended(address: Address) -> Json:
    return _present(
        streetName=address.street_name,
        streetNumber=address.street_number,
        complement=address.complement,
        neighborhood=address.neighborhood,
    )


def _money(market: Market, amount: Decimal) -> Json:
    return {"amount": str(market.round(amount)), "currencyCode": market.currency}


def _has_prices(order: Order) -> bool:
    """Unpaid, cancelled and non-Amazon orders have no amounts."""
    return order.status not in (*UNPAID, "CANCELLED") and order.channel == "AMAZON"


def _breakdowns(
    item: Item, *, negative: bool
) -> Iterator[tuple[str, Decimal, list[tuple[str, Decimal]]]]:
    for kind, field in _CHARGES.items():
        amount = getattr(item, field)
        if amount or kind == "ITEM":
            yield kind, amount, []
    if item.discounts:
        sign = -1 if negative else 1
        parts = [("ITEM", item.discount), ("SHIPPING", item.shipping_discount)]
        yield "DISCOUNT", sign * item.discounts, [(k, sign * v) for k, v in parts if v]
    if item.tax:
        yield "TAX", item.tax, [(kind, amount) for kind, amount in item.taxes if amount]


def _item_proceeds(order: Order, item: Item, *, negative: bool) -> Json:
    market = order.market
    breakdowns = []
    for kind, subtotal, details in _breakdowns(item, negative=negative):
        breakdown: Json = {"type": kind, "subtotal": _money(market, subtotal)}
        if details:
            breakdown["detailedBreakdowns"] = [
                {"subtype": subtype, "value": _money(market, value)} for subtype, value in details
            ]
        breakdowns.append(breakdown)
    return {"proceedsTotal": _money(market, item.total), "breakdowns": breakdowns}


def _order_proceeds(order: Order, *, negative: bool) -> Json:
    if not _has_prices(order):
        return {}
    sums: dict[str, Decimal] = {}
    for item in order.items:
        for kind, subtotal, _ in _breakdowns(item, negative=negative):
            sums[kind] = sums.get(kind, Decimal(0)) + subtotal
    return {
        "grandTotal": _money(order.market, _grand_total(order)),
        "breakdowns": [{"type": k, "subtotal": _money(order.market, v)} for k, v in sums.items()],
    }


def _grand_total(order: Order) -> Decimal:
    return sum((item.total for item in order.items), Decimal(0))


def _payment(order: Order) -> Json:
    if not _has_prices(order):
        return {}
    method = "CashOnDelivery" if any(item.cod_fee for item in order.items) else "CreditCard"
    amount = _money(order.market, _grand_total(order))
    return {"paymentExecutions": [{"paymentMethod": method, "paymentAmount": amount}]}


def _order_tax(order: Order) -> Json:
    if order.data_withheld or order.status in UNPAID:
        return {}
    buyer = order.buyer
    registrations = [
        _present(
            entityType="BUYER",
            legalName=name,
            taxRegistrationType=kind,
            taxRegistrationNumber=number,
        )
        for kind, number, name in (
            (buyer.vat_type, buyer.vat_number, buyer.company),
            ("CPF", buyer.person_tax_number, None),
        )
        if number
    ]
    return {"taxRegistrations": registrations} if registrations else {}


def _order_fulfillment(order: Order) -> Json:
    return {
        "fulfillmentStatus": order.status,
        "fulfilledBy": order.fulfilled_by,
        "fulfillmentServiceLevel": order.service_level,
        "shipByWindow": _window(order.created, _latest_shipping(order)),
        "deliverByWindow": _window(_latest_shipping(order), _latest_delivery(order)),
    }


def _latest_shipping(order: Order) -> datetime:
    return order.latest_shipping or order.created + timedelta(days=2)


def _window(earliest: datetime, latest: datetime) -> Json:
    return {"earliestDateTime": timestamp(earliest), "latestDateTime": timestamp(latest)}


def _package(package: Package) -> Json:
    return _present(
        packageReferenceId=package.reference,
        createdTime=timestamp(package.created),
        packageStatus={"status": "SHIPPED"},
        carrier=package.carrier_name or package.carrier_code,
        shipTime=timestamp(package.shipped),
        shippingService=package.shipping_method,
        trackingNumber=package.tracking_number,
        packageItems=[
            {"orderItemId": item, "quantity": quantity} for item, quantity in package.quantities
        ],
    )


def _item(order: Order, item: Item, included: frozenset[str], *, negative: bool) -> Json:
    priced = _has_prices(order)
    promotions = [{"promotionId": promotion} for promotion in item.promotion_ids]
    blocks = {
        "PROCEEDS": ("proceeds", _item_proceeds(order, item, negative=negative) if priced else {}),
        "PROMOTION": ("promotion", {"breakdowns": promotions} if promotions else {}),
        "CANCELLATION": ("cancellation", _cancellation(item)),
        "FULFILLMENT": ("fulfillment", _item_fulfillment(item)),
        "TAX": ("tax", _item_tax(item) if priced else {}),
    }
    response: Json = {
        "orderItemId": item.order_item_id,
        "quantityOrdered": item.quantity,
        "product": _product(order, item),
    }
    if item.programs:
        response["programs"] = list(item.programs)
    return response | _chosen(blocks, included)


def _product(order: Order, item: Item) -> Json:
    product = _present(asin=item.asin, title=item.title, sellerSku=item.sku)
    product["condition"] = {"conditionType": "NEW", "conditionSubtype": "NEW"}
    if item.serial_numbers:
        product["serialNumbers"] = list(item.serial_numbers)
    if item.customization_url:
        product["customization"] = {"customizedUrl": item.customization_url}
    if _has_prices(order) and item.quantity:
        product["price"] = {"unitPrice": _money(order.market, item.price / item.quantity)}
    return product


def _cancellation(item: Item) -> Json:
    request = {"requester": "BUYER", "cancelReason": item.cancellation_requested}
    execution = {"cancelledBy": item.cancelled_by, "cancelReason": item.cancel_reason}
    return _present(
        cancellationRequest=request if item.cancellation_requested else None,
        cancellationExecution=_present(**execution) if item.cancelled_by else None,
    )


def _item_fulfillment(item: Item) -> Json:
    gift = _present(giftMessage=item.gift_message, giftWrapLevel=item.gift_wrap_level)
    required = {"requirementType": "REQUIRED"} if item.serial_numbers_required else None
    packing = _present(giftOption=gift or None, serialNumberRequirement=required)
    return _present(
        quantityFulfilled=item.fulfilled,
        quantityUnfulfilled=item.unfulfilled,
        packing=packing or None,
        shipping=_item_shipping(item) or None,
    )


def _item_shipping(item: Item) -> Json:
    constraints = dict.fromkeys(item.constraints, "MANDATORY")
    return _present(
        shippingConstraints=constraints or None,
        internationalShipping={"iossNumber": item.ioss_number} if item.ioss_number else None,
    )


def _item_tax(item: Item) -> Json:
    if not item.tax_collected_by_amazon:
        return {}
    collection = {"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon Services, Inc."}
    return {"taxCollections": [collection]}
