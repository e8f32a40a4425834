"""From a payload to an order: every field, and what happens when fields are odd."""

import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from payload_makers import PERSONAL, full_order, item, order

from amazon_bridge.amazon.orders import read_order
from amazon_bridge.model import (
    Address,
    Buyer,
    Charge,
    ChargeKind,
    FulfilledBy,
    FulfillmentStatus,
    Order,
    Package,
    UnreadableOrder,
)


def read(payload: object) -> Order:
    read = read_order(payload)
    assert isinstance(read, Order), read.reason
    return read


def why_not(payload: object) -> str:
    read = read_order(payload)
    assert isinstance(read, UnreadableOrder)
    return read.reason


def test_every_field_of_a_full_order() -> None:
    found = read(full_order())
    first, second = found.items
    assert found.order_id == "403-1234567-1234567"
    assert found.created == datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
    assert found.last_updated == datetime(2026, 11, 18, 10, 0, 0, 123000, tzinfo=UTC)
    assert found.status is FulfillmentStatus.UNSHIPPED
    assert found.fulfilled_by is FulfilledBy.MERCHANT
    assert found.marketplace_id == "A13V1IB3VIYZZH"
    assert found.sold_on_amazon
    assert (found.currency, found.worth) == ("EUR", Decimal("40.49"))
    assert found.buyer == Buyer(PERSONAL, PERSONAL, PERSONAL, PERSONAL, PERSONAL, PERSONAL)
    assert found.service_level == "NEXT_DAY"
    assert found.ship_by == datetime(2026, 11, 20, 22, 59, 59, tzinfo=UTC)
    assert found.deliver_by == datetime(2026, 11, 24, 22, 59, 59, tzinfo=UTC)
    assert found.programs == ("AMAZON_BUSINESS", "PRIME", "TRANSPARENCY", "SUBSCRIBE_AND_SAVE")
    assert found.delivery_instructions == f"FRONT_DOOR; {PERSONAL}"
    assert found.address == Address(
        country_code="FR",
        state_or_region=PERSONAL,
        postal_code=PERSONAL,
        city=PERSONAL,
        district_or_county=PERSONAL,
        lines=(PERSONAL, PERSONAL),
        name=PERSONAL,
        company_name=PERSONAL,
        phone=PERSONAL,
        street_name=PERSONAL,
        street_number=PERSONAL,
        complement=PERSONAL,
        neighborhood=PERSONAL,
        is_pickup_point=True,
    )
    assert found.packages == (
        Package("17", "DHL", PERSONAL, (("50000000000001", 1),), "IN_TRANSIT"),
    )
    assert found.buyer_requested_cancellation
    assert (first.order_item_id, first.quantity, first.quantity_fulfilled) == (
        "50000000000001",
        2,
        1,
    )
    assert (first.sku, first.asin, first.title) == ("MUG-BLUE", "B0EXAMPLE1", "Blue mug")
    assert first.charges == (
        Charge(ChargeKind.ITEM, Decimal("40.00")),
        Charge(ChargeKind.SHIPPING, Decimal("5.00")),
        Charge(ChargeKind.GIFT_WRAP, Decimal("3.49")),
        Charge(ChargeKind.DISCOUNT, Decimal("-10.00")),
        Charge(ChargeKind.SHIPPING_DISCOUNT, Decimal("-5.00")),
    )
    assert first.promotion_ids == ("PROMO-1",)
    assert (first.gift_wrap_level, first.gift_message) == ("Classic", PERSONAL)
    assert first.cancelled_by is None
    assert first.quantity_unfulfilled == 1
    assert first.serial_numbers == ("SN-1", "SN-2")
    assert (first.serial_numbers_required, second.serial_numbers_required) == (True, False)
    assert first.shipping_constraints == ("signatureConfirmation", "recipientAgeVerification")
    assert first.ioss_number == "IM3720000224"
    assert (first.customization_url, second.customization_url) == (PERSONAL, None)
    assert (found.status_text, found.fulfilled_by_text) == ("UNSHIPPED", "MERCHANT")
    assert second.quantity_unfulfilled is None
    assert not first.tax_collected_by_amazon
    assert second.tax_collected_by_amazon
    assert not second.buyer_requested_cancellation


def test_no_repr_shows_the_buyer() -> None:
    assert PERSONAL not in repr(read(full_order()))


def test_an_order_with_nothing_but_what_is_required() -> None:
    bare = {"orderItemId": "50000000000001", "quantityOrdered": 1, "product": {}}
    status = {"fulfillment": {"fulfillmentStatus": "PENDING"}}
    found = read(order(bare, **status, salesChannel={"channelName": "AMAZON"}))
    assert found.items[0].charges == (Charge(ChargeKind.ITEM, Decimal(0)),)
    assert (found.currency, found.address, found.marketplace_id) == (None, None, None)
    assert found.fulfilled_by is None
    assert found.items[0].sku is None


def nulled(value: Any) -> Any:
    """All that isn't required, there and null."""
    required = {"orderId", "createdTime", "lastUpdatedTime", "salesChannel", "channelName"}
    required |= {"fulfillment", "fulfillmentStatus", "orderItems", "orderItemId", "product"}
    required |= {"quantityOrdered", "proceeds", "proceedsTotal", "amount", "currencyCode"}
    if isinstance(value, dict):
        return {k: nulled(v) if k in required else None for k, v in value.items()}
    return [nulled(entry) for entry in value] if isinstance(value, list) else value


def test_nulls_are_like_absent_fields() -> None:
    payload = full_order()
    payload["proceeds"] = None
    payload["orderItems"][0]["fulfillment"] = None
    found = read(nulled(payload) | {"proceeds": None})
    assert found.worth == Decimal("40.49")
    assert (found.buyer, found.address, found.packages) == (Buyer(), None, ())


def test_unknown_values_and_fields_do_no_harm() -> None:
    found = read(
        order(
            fulfillment={"fulfillmentStatus": "TELEPORTED", "fulfilledBy": "ROBOTS"},
            somethingNew={"deep": [1, 2]},
        )
    )
    assert (found.status, found.status_text) == (FulfillmentStatus.OTHER, "TELEPORTED")
    assert (found.fulfilled_by, found.fulfilled_by_text) == (None, "ROBOTS")


def test_what_is_no_word_of_an_enumeration_is_not_repeated() -> None:
    found = read(order(fulfillment={"fulfillmentStatus": PERSONAL, "fulfilledBy": PERSONAL}))
    assert (found.status_text, found.fulfilled_by_text) == ("?", "?")


@pytest.mark.parametrize("address", [None, {}, {"name": "", "city": None}, {"addressType": "X"}])
def test_an_address_of_which_all_is_withheld_is_none(address: object) -> None:
    assert read(order(recipient={"deliveryAddress": address})).address is None


@pytest.mark.parametrize(
    "change",
    [
        {"orderItems": [item() | {"proceeds": {"breakdowns": [None]}}]},
        {"orderItems": [item() | {"tax": {"taxCollections": [None]}}]},
        {"proceeds": {"breakdowns": [None]}},
        {"packages": [None]},
        {"packages": [{"packageReferenceId": "1", "packageItems": [None]}]},
        {"associatedOrders": [None]},
        {"tax": {"taxRegistrations": [None]}},
    ],
)
def test_no_entry_of_a_list_that_counts_is_skipped(change: dict[str, Any]) -> None:
    assert "[0]" in why_not(order() | change)


@pytest.mark.parametrize("status", [s.value for s in FulfillmentStatus if s.value != "OTHER"])
def test_the_known_statuses(status: str) -> None:
    assert read(order(fulfillment={"fulfillmentStatus": status})).status == status


def test_orders_of_other_channels_need_no_price() -> None:
    channel = {"channelName": "NON_AMAZON", "marketplaceId": "A13V1IB3VIYZZH"}
    found = read(order(item() | {"proceeds": {}}, salesChannel=channel))
    assert not found.sold_on_amazon


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"orderId": None}, "orderId"),
        ({"orderId": "403-1234567\n"}, "orderId"),
        ({"createdTime": "yesterday"}, "createdTime"),
        ({"createdTime": 1_700_000_000}, "createdTime"),
        ({"createdTime": "2026-11-18T09:30:00"}, "createdTime"),
        ({"lastUpdatedTime": "0001-01-01T00:00:00+14:00"}, "lastUpdatedTime"),
        ({"salesChannel": None}, "salesChannel"),
        ({"fulfillment": None}, "fulfillment"),
        ({"orderItems": None}, "orderItems"),
        ({"orderItems": [None]}, "orderItems[0]"),
        ({"orderItems": []}, "no items"),
        ({"orderItems": [item(), item()]}, "each orderItemId once"),
        ({"orderItems": [item(orderItemId="a b")]}, "orderItems[0].orderItemId"),
        ({"orderItems": [item(orderItemId=5)]}, "orderItems[0].orderItemId"),
        ({"orderItems": [item(quantityOrdered="2")]}, "orderItems[0].quantityOrdered"),
        ({"orderItems": [item(quantityOrdered=1.0)]}, "orderItems[0].quantityOrdered"),
        ({"orderItems": [item(quantityOrdered=True)]}, "orderItems[0].quantityOrdered"),
        ({"orderItems": [item(quantityOrdered=-1)]}, "orderItems[0].quantityOrdered"),
        ({"orderItems": [item(quantityOrdered=2**31)]}, "orderItems[0].quantityOrdered"),
        ({"buyer": {"buyerName": [PERSONAL]}}, "buyer.buyerName"),
        ({"buyer": PERSONAL}, "buyer"),
        ({"proceeds": {"grandTotal": {"amount": 20.0, "currencyCode": "EUR"}}}, "amount"),
        ({"proceeds": {"grandTotal": {"amount": "NaN", "currencyCode": "EUR"}}}, "amount"),
        ({"proceeds": {"grandTotal": {"amount": "1e3", "currencyCode": "EUR"}}}, "amount"),
        ({"proceeds": {"grandTotal": {"amount": "2,00", "currencyCode": "EUR"}}}, "amount"),
        ({"proceeds": {"grandTotal": {"amount": "9" * 13, "currencyCode": "EUR"}}}, "amount"),
        ({"proceeds": {"grandTotal": {"amount": "20.00", "currencyCode": "euro"}}}, "currencyCode"),
        ({"proceeds": {"grandTotal": {"amount": "20.00"}}}, "currencyCode"),
    ],
)
def test_what_cannot_be_parsed_is_reported_with_its_place(
    change: dict[str, Any], where: str
) -> None:
    reason = why_not(order() | change)
    assert where in reason
    assert PERSONAL not in reason


def test_an_unreadable_order_keeps_its_id() -> None:
    found = read_order(order(createdTime=PERSONAL))
    assert found.order_id == "403-1234567-1234567"
    assert found.fingerprint == read_order(order(createdTime=PERSONAL)).fingerprint


def test_enough_of_an_unreadable_order_is_known_to_ship_it_manually() -> None:
    found = read_order(full_order() | {"createdTime": "yesterday"})
    assert isinstance(found, UnreadableOrder)
    assert found.kind == "unreadable"
    assert found.fulfilled_by is FulfilledBy.MERCHANT
    assert found.ship_by == datetime(2026, 11, 20, 22, 59, 59, tzinfo=UTC)
    assert found.marketplace_id == "A13V1IB3VIYZZH"


@pytest.mark.parametrize(
    ("items", "units"),
    [
        ([{"quantityOrdered": 3, "product": {"sellerSku": " MUG "}}], (("MUG", 3),)),
        ([{"quantityOrdered": 3, "fulfillment": {"quantityFulfilled": 1}}], (("", 2),)),
        ([{"quantityOrdered": 1, "fulfillment": {"quantityFulfilled": 2}}], (("", 0),)),
        ([{"quantityOrdered": "x", "product": PERSONAL, "fulfillment": []}], (("", None),)),
        ([{"quantityOrdered": True, "product": {"sellerSku": "MUG"}}], (("MUG", None),)),
        ([{"quantityOrdered": -1, "product": {"sellerSku": "MUG"}}], (("MUG", None),)),
        ([{"quantityOrdered": 3, "fulfillment": {"quantityFulfilled": True}}], (("", 3),)),
        ([None, {}], (("", None), ("", None))),
        (PERSONAL, (("", None),)),
        ([], ()),
    ],
)
def test_the_units_of_an_unreadable_order_are_known_as_far_as_possible(
    items: object, units: object
) -> None:
    found = read_order(full_order() | {"createdTime": "yesterday", "orderItems": items})
    assert isinstance(found, UnreadableOrder)
    assert found.units == units


@pytest.mark.parametrize(
    "change",
    [
        {"fulfillment": None, "salesChannel": None},
        {"fulfillment": {"shipByWindow": {"latestDateTime": "soon"}}, "salesChannel": "x"},
        {"fulfillment": {"fulfilledBy": ["MERCHANT"], "shipByWindow": []}, "salesChannel": 5},
        {"salesChannel": {"marketplaceId": PERSONAL}, "fulfillment": "x"},
    ],
)
def test_what_else_of_it_cannot_be_understood_is_left_out(change: dict[str, Any]) -> None:
    found = read_order(full_order() | {"createdTime": "yesterday"} | change)
    assert isinstance(found, UnreadableOrder)
    assert (found.fulfilled_by, found.ship_by, found.marketplace_id) == (None, None, None)


@pytest.mark.parametrize("kind", ["VAT", "BUSINESS", "CNPJ"])
def test_a_tax_number_needs_no_name_beside_it(kind: str) -> None:
    registrations = [
        {"entityType": "MERCHANT", "taxRegistrationType": kind, "taxRegistrationNumber": "ours"},
        {
            "entityType": "BUYER",
            "taxRegistrationType": kind,
            "taxRegistrationNumber": "DE136695976",
        },
        {"entityType": "BUYER", "taxRegistrationType": kind, "taxRegistrationNumber": None},
    ]
    buyer = read(order(tax={"taxRegistrations": registrations})).buyer
    assert buyer == Buyer(vat_number="DE136695976")


@pytest.mark.parametrize(
    ("fulfillment", "fulfilled"),
    [
        ({"quantityFulfilled": 1, "quantityUnfulfilled": 0}, 1),
        ({"quantityFulfilled": 0}, 0),
        ({"quantityUnfulfilled": 0}, 2),
        ({"quantityUnfulfilled": 3}, 0),
        ({}, 1),
    ],
)
def test_units_that_left_follow_from_what_amazon_says(fulfillment: Any, fulfilled: int) -> None:
    here = [{"orderItemId": "50000000000001", "quantity": 1}]
    packages = [
        {"packageReferenceId": "1", "packageItems": here},
        {"packageReferenceId": "2", "packageItems": here, "packageStatus": {"status": "CANCELLED"}},
        {"packageReferenceId": "3", "packageItems": [here[0] | {"orderItemId": "5"}]},
    ]
    found = read(order(item(fulfillment=fulfillment), packages=packages))
    assert found.items[0].quantity_fulfilled == fulfilled


def test_units_that_were_cancelled_did_not_leave() -> None:
    execution = {"cancellationExecution": {"cancelledBy": "BUYER"}}
    payload = item(fulfillment={"quantityUnfulfilled": 1}, cancellation=execution)
    assert read(order(payload)).items[0].quantity_fulfilled == 0


def test_district_and_municipality_are_both_kept() -> None:
    address = {"countryCode": "TR", "districtOrCounty": "Moda", "municipality": "Kadikoy"}
    found = read(order(recipient={"deliveryAddress": address})).address
    assert found is not None
    assert found.district_or_county == "Moda, Kadikoy"


def test_a_cancellation_request_without_a_requester_is_the_buyers() -> None:
    requested = item(cancellation={"cancellationRequest": {"cancelReason": "Found it cheaper"}})
    done = item(number=2, cancellation={"cancellationExecution": {"cancelledBy": "AMAZON"}})
    first, second = read(order(requested, done)).items
    assert (first.buyer_requested_cancellation, first.cancelled_by) == (True, None)
    assert (second.buyer_requested_cancellation, second.cancelled_by) == (False, "AMAZON")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"orderItems": 7}, "orderItems should be a list."),
        ({"orderItems": [7]}, "orderItems[0] should be an object."),
        ({"createdTime": "x"}, "createdTime should be a date and time, such as"),
        ({"createdTime": "2026-11-18T09:30:00"}, "createdTime should be a date and time with its"),
        ({"orderItems": [item(quantityOrdered="2")]}, "quantityOrdered should be a whole number."),
        ({"orderItems": [item(quantityOrdered=-1)]}, "quantityOrdered should not be less than 0."),
        ({"orderItems": [item(quantityOrdered=2**31)]}, "quantityOrdered is too large."),
        ({"orderItems": [item("x")]}, "proceedsTotal.amount should be a decimal number"),
        ({"orderItems": [item(orderItemId="a b")]}, "orderItemId should be an id (letters"),
        ({"proceeds": {"grandTotal": {"amount": "20.00"}}}, "currencyCode is missing."),
        ({"fulfillment": {"fulfillmentStatus": 5}}, "fulfillmentStatus should be a text."),
        ({"packages": [{"packageReferenceId": ""}]}, "packageReferenceId should not be empty."),
    ],
)
def test_what_is_expected_is_said_in_plain_words(change: dict[str, Any], words: str) -> None:
    assert words in why_not(order() | change)


@pytest.mark.parametrize("payload", [None, [], "text", 5, {}, {"orderId": PERSONAL}])
def test_what_has_no_id_gets_a_distinct_one(payload: object) -> None:
    found = read_order(payload)
    assert isinstance(found, UnreadableOrder)
    assert found.order_id == f"unknown-{found.fingerprint[:12]}"


def test_only_the_first_problems_are_listed() -> None:
    reason = why_not(order(*({} for _ in range(10))))
    assert reason.count("is missing") == 5
    assert reason.endswith("and 25 more.")


def test_the_fingerprint_heeds_everything_but_the_sequence_of_fields() -> None:
    payload = full_order()
    backwards = dict(reversed(payload.items()))
    assert read(backwards).fingerprint == read(payload).fingerprint
    changed = copy.deepcopy(payload)
    changed["recipient"]["deliveryAddress"]["phone"] = "1"
    assert read(changed).fingerprint != read(payload).fingerprint
