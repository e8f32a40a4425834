"""Payloads of the Orders API 2026-01-01, written from Amazon's model."""

from typing import Any

from amazon_bridge.amazon.orders import read_order
from amazon_bridge.model import Order, UnreadableOrder

Json = dict[str, Any]


def money(amount: object, currency: str = "EUR") -> Json:
    return {"amount": str(amount), "currencyCode": currency}


def breakdown(type_: str, amount: object, /, currency: str = "EUR", **details: object) -> Json:
    payload: Json = {"type": type_, "subtotal": money(amount, currency)}
    if details:
        payload["detailedBreakdowns"] = [
            {"subtype": subtype, "value": money(value, currency)}
            for subtype, value in details.items()
        ]
    return payload


def item(total: object = "20.00", *breakdowns: Json, number: int = 1, **fields: Any) -> Json:
    """An order item; without breakdowns it has one ITEM of the total. Total None: not stated."""
    proceeds: Json = {"breakdowns": list(breakdowns) or [breakdown("ITEM", total)]}
    if total is not None:
        proceeds["proceedsTotal"] = money(total)
    payload = {
        "orderItemId": f"5000000000000{number}",
        "quantityOrdered": 2,
        "product": {"sellerSku": "MUG-BLUE", "asin": "B0EXAMPLE1", "title": "Blue mug"},
        "proceeds": proceeds,
    }
    return payload | fields


def window(latest: str) -> Json:
    return {"earliestDateTime": "2026-11-18T09:30:00Z", "latestDateTime": latest}


def order(*items: Json, **fields: Any) -> Json:
    payload = {
        "orderId": "403-1234567-1234567",
        "createdTime": "2026-11-18T09:30:00Z",
        "lastUpdatedTime": "2026-11-18T10:00:00.123Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "A13V1IB3VIYZZH"},
        "fulfillment": {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT"},
        "orderItems": list(items) or [item()],
    }
    return payload | fields


FACILITATOR = {"tax": {"taxCollections": [{"model": "MARKETPLACE_FACILITATOR"}]}}

PERSONAL = "Zaphod Beeblebrox"
"""Marks every field of ``full_order`` with data of the buyer."""


def full_order() -> Json:
    """An order with every field that we read, and all about the buyer the same."""
    first = item(
        "33.49",
        breakdown("ITEM", "40.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("GIFT_WRAP", "3.49"),
        breakdown("DISCOUNT", "15.00", ITEM="10.00", SHIPPING="5.00"),
        breakdown("TAX", "5.58", ITEM="5.00", GIFT_WRAP="0.58"),
        promotion={"breakdowns": [{"promotionId": "PROMO-1"}, {"promotionId": None}]},
        cancellation={
            "cancellationRequest": {"requester": "BUYER", "cancelReason": "Found it cheaper"}
        },
        fulfillment={
            "quantityFulfilled": 1,
            "quantityUnfulfilled": 1,
            "packing": {
                "giftOption": {"giftMessage": PERSONAL, "giftWrapLevel": "Classic"},
                "serialNumberRequirement": {"requirementType": "REQUIRED"},
            },
            "shipping": {
                "shippingConstraints": {
                    "signatureConfirmation": "MANDATORY",
                    "recipientAgeVerification": "MANDATORY",
                    "palletDelivery": None,
                },
                "internationalShipping": {"iossNumber": "IM3720000224"},
            },
        },
        programs=["SUBSCRIBE_AND_SAVE", "TRANSPARENCY"],
    )
    first["product"] |= {
        "serialNumbers": ["SN-1", None, "SN-2"],
        "customization": {"customizedUrl": PERSONAL},
    }
    return order(
        first,
        item("7.00", number=2, **FACILITATOR),
        programs=["AMAZON_BUSINESS", "PRIME", "TRANSPARENCY"],
        fulfillment={
            "fulfillmentStatus": "UNSHIPPED",
            "fulfilledBy": "MERCHANT",
            "fulfillmentServiceLevel": "NEXT_DAY",
            "shipByWindow": window("2026-11-20T22:59:59Z"),
            "deliverByWindow": window("2026-11-24T22:59:59Z"),
        },
        associatedOrders=[
            {"orderId": "403-1234567-0000001", "associationType": "EXCHANGE_ORIGINAL_ID"},
            {"orderId": "403-1234567-0000002", "associationType": "REPLACEMENT_ORIGINAL_ID"},
        ],
        buyer={
            "buyerName": PERSONAL,
            "buyerEmail": PERSONAL,
            "buyerCompanyName": PERSONAL,
            "buyerPurchaseOrderNumber": PERSONAL,
        },
        recipient={
            "deliveryAddress": {
                "name": PERSONAL,
                "companyName": PERSONAL,
                "addressLine1": PERSONAL,
                "addressLine2": "",
                "addressLine3": f" {PERSONAL}\x00\ud800 ",
                "city": PERSONAL,
                "municipality": PERSONAL,
                "stateOrRegion": PERSONAL,
                "postalCode": PERSONAL,
                "countryCode": "FR",
                "phone": PERSONAL,
                "addressType": "PICKUP_POINT",
                "extendedFields": {
                    "streetName": PERSONAL,
                    "streetNumber": PERSONAL,
                    "complement": PERSONAL,
                    "neighborhood": PERSONAL,
                },
            },
            "deliveryPreference": {
                "dropOffLocation": "FRONT_DOOR",
                "addressInstruction": PERSONAL,
            },
        },
        tax={
            "taxRegistrations": [
                {"entityType": "MERCHANT", "taxRegistrationType": "VAT"},
                {
                    "entityType": "BUYER",
                    "taxRegistrationType": "CPF",
                    "taxRegistrationNumber": PERSONAL,
                },
                {
                    "entityType": "BUYER",
                    "taxRegistrationType": "VAT",
                    "taxRegistrationNumber": PERSONAL,
                },
            ]
        },
        proceeds={
            "grandTotal": money("40.49"),
            "breakdowns": [breakdown("ITEM", "47.00"), breakdown("TAX", "5.58")],
        },
        packages=[
            {
                "packageReferenceId": "17",
                "packageStatus": {"status": "IN_TRANSIT"},
                "carrier": "DHL",
                "trackingNumber": PERSONAL,
                "packageItems": [{"orderItemId": "50000000000001", "quantity": 1}],
            }
        ],
    )


def charges(payload: Json, **settings: Any) -> dict[str, str]:
    """The charges that the bridge reads of the first item, by their kinds."""
    read = read_order(payload, **settings)
    assert isinstance(read, Order), read.reason
    return {charge.kind.value: str(charge.amount) for charge in read.items[0].charges}


def why_not(payload: Json) -> str:
    """Why the bridge does not read an order."""
    read = read_order(payload)
    assert isinstance(read, UnreadableOrder)
    return read.reason
