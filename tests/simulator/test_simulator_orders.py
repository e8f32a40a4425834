"""What an order looks like, and what of it is shown."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from simulated_seller import SimulatedSeller, amounts

from amazon_bridge.simulator import ABSENT, Address, Buyer, Line

BLOCKS = {
    "BUYER": "buyer",
    "RECIPIENT": "recipient",
    "PROCEEDS": "proceeds",
    "FULFILLMENT": "fulfillment",
    "PACKAGES": "packages",
    "TAX": "tax",
    "PAYMENT": "payment",
}
ITEM_BLOCKS = {
    "PROCEEDS": "proceeds",
    "PROMOTION": "promotion",
    "CANCELLATION": "cancellation",
    "FULFILLMENT": "fulfillment",
    "TAX": "tax",
}


@pytest.fixture
def full(world):
    """An order that has something in every block."""
    line = Line(quantity=2, discount=Decimal(1), promotion_ids=("P",), tax_collected_by_amazon=True)
    order = world.place_order("FR", [line], business=True)
    world.request_cancellation(order.order_id)
    return world.ship(order.order_id)


@pytest.mark.parametrize("included", [None, *BLOCKS, "PROMOTION", "CANCELLATION"])
def test_blocks_are_included_only_when_requested(seller, full, included):
    order = seller.order(full.order_id, included)
    assert {b for b in BLOCKS.values() if b in order} == {BLOCKS.get(included)} - {None}
    item = order["orderItems"][0]
    assert {b for b in ITEM_BLOCKS.values() if b in item} == {ITEM_BLOCKS.get(included)} - {None}


def test_searches_show_what_get_order_shows(seller, full, clock):
    clock.advance(minutes=5)
    found = seller.search(lastUpdatedAfter="2026-11-20T00:00:00Z").json()["orders"]
    assert found == [seller.order(full.order_id)]


def test_european_prices_include_tax(seller, world):
    line = Line(
        quantity=3,
        price=Decimal("30.00"),
        shipping=Decimal("4.99"),
        gift_wrap=Decimal("2.50"),
        discount=Decimal("6.00"),
        shipping_discount=Decimal("4.99"),
    )
    order = seller.order(world.place_order("FR", [line]).order_id)
    item = order["orderItems"][0]
    assert item["product"]["price"]["unitPrice"] == {"amount": "10.00", "currencyCode": "EUR"}
    assert amounts(item) == {
        "ITEM": "30.00",
        "SHIPPING": "4.99",
        "GIFT_WRAP": "2.50",
        "DISCOUNT": "10.99",
        "TAX": "4.42",
    }
    assert item["proceeds"]["proceedsTotal"]["amount"] == "26.50"
    details = {b["type"]: b.get("detailedBreakdowns") for b in item["proceeds"]["breakdowns"]}
    assert details["DISCOUNT"] == [
        {"subtype": "ITEM", "value": {"amount": "6.00", "currencyCode": "EUR"}},
        {"subtype": "SHIPPING", "value": {"amount": "4.99", "currencyCode": "EUR"}},
    ]
    assert [detail["value"]["amount"] for detail in details["TAX"]] == ["4.00", "0.42"]
    assert "tax" not in item


def test_tax_comes_on_top_in_the_united_states_and_amazon_keeps_it(other_seller, world):
    order = world.place_order("US", [Line(price=Decimal(50), shipping=Decimal(5))])
    item = other_seller.order(order.order_id)["orderItems"][0]
    assert amounts(item) == {"ITEM": "50.00", "SHIPPING": "5.00", "TAX": "4.40"}
    assert item["proceeds"]["proceedsTotal"]["amount"] == "59.40"
    assert item["tax"]["taxCollections"][0]["model"] == "MARKETPLACE_FACILITATOR"


def test_yen_have_no_decimals(other_seller, world):
    order = other_seller.order(world.place_order("JP", [Line(sku="TEAPOT-08")]).order_id)
    assert order["proceeds"]["grandTotal"] == {"amount": "4980", "currencyCode": "JPY"}
    assert amounts(order["orderItems"][0]) == {"ITEM": "4980", "TAX": "453"}


def test_an_order_is_worth_the_sum_of_its_items(seller, world):
    lines = [Line(price=Decimal("10.01")), Line(price=Decimal("0.99"), shipping=Decimal(3))]
    proceeds = seller.order(world.place_order("GB", lines).order_id)["proceeds"]
    assert proceeds["grandTotal"] == {"amount": "14.00", "currencyCode": "GBP"}
    assert {b["type"]: b["subtotal"]["amount"] for b in proceeds["breakdowns"]} == {
        "ITEM": "11.00",
        "SHIPPING": "3.00",
        "TAX": "2.34",
    }


def test_taxes_can_be_given_exactly(seller, world):
    line = Line(price=Decimal(10), taxes={"ITEM": Decimal("0.55")}, tax_included=False)
    item = seller.order(world.place_order("DE", [line]).order_id)["orderItems"][0]
    assert amounts(item) == {"ITEM": "10.00", "TAX": "0.55"}
    assert item["proceeds"]["proceedsTotal"]["amount"] == "10.55"


def test_discounts_can_be_shown_negative(seller, world, simulator):
    simulator.settings.negative_discounts = True
    line = Line(price=Decimal(10), discount=Decimal(4))
    item = seller.order(world.place_order("FR", [line]).order_id)["orderItems"][0]
    assert amounts(item)["DISCOUNT"] == "-4.00"
    assert item["proceeds"]["proceedsTotal"]["amount"] == "6.00"


@pytest.mark.parametrize("status", ["PENDING", "PENDING_AVAILABILITY"])
def test_of_unpaid_orders_neither_amounts_nor_people_are_shown(seller, world, status):
    placed = world.place_order("FR", [Line(quantity=2)], status=status, business=True)
    order = seller.order(placed.order_id)
    assert order["fulfillment"]["fulfillmentStatus"] == status
    assert not {"proceeds", "payment", "buyer", "recipient", "tax"} & set(order)
    assert order["orderItems"][0]["product"]["sellerSku"] == "MUG-BLUE"
    assert order["orderItems"][0]["quantityOrdered"] == 2
    assert "price" not in order["orderItems"][0]["product"]
    assert "proceeds" not in order["orderItems"][0]


def test_a_merchant_learns_who_bought(seller, world):
    placed = world.place_order("FR", business=True)
    order = seller.order(placed.order_id)
    assert order["buyer"]["buyerName"] == placed.buyer.name
    assert order["buyer"]["buyerEmail"].endswith("@marketplace.amazon.fr")
    assert order["buyer"]["buyerCompanyName"] == placed.buyer.company
    assert order["buyer"]["buyerPurchaseOrderNumber"].startswith("PO-")
    address = order["recipient"]["deliveryAddress"]
    assert address["phone"] == placed.address.phone
    assert address["addressLine1"] == placed.address.lines[0]
    registration = order["tax"]["taxRegistrations"][0]
    assert registration["entityType"] == "BUYER"
    assert registration["taxRegistrationNumber"] == placed.buyer.vat_number


def test_a_phone_number_is_shown_until_the_parcel_should_have_come(seller, world, clock):
    shipped, open_ = world.place_order("FR", status="SHIPPED"), world.place_order("FR")

    def phones():
        seller.log_in()
        orders = (seller.order(order.order_id) for order in (shipped, open_))
        return ["phone" in order["recipient"]["deliveryAddress"] for order in orders]

    assert phones() == [True, True]
    clock.advance(days=5, seconds=1)
    assert phones() == [False, True]


@pytest.mark.parametrize(("country", "named"), [("FR", True), ("JP", True), ("US", False)])
def test_of_amazons_own_deliveries_less_is_shown(simulator, world, country, named):
    placed = world.place_order(country, seller=world.sellers["A2OTHERS"], fulfilled_by="AMAZON")
    with SimulatedSeller(simulator, "A2OTHERS") as seller:
        order = seller.order(placed.order_id)
    address = order["recipient"]["deliveryAddress"]
    assert "buyerEmail" not in order.get("buyer", {})
    assert "phone" not in address
    assert address["city"]
    assert ("name" in address) == named
    assert ("addressLine1" in address) == named
    assert ("buyerName" in order.get("buyer", {})) == named


def test_all_of_the_buyer_can_be_withheld(seller, world):
    order = seller.order(world.place_order("FR", business=True, data_withheld=True).order_id)
    assert not {"buyer", "recipient", "tax"} & set(order)


def test_orders_of_other_channels_name_theirs(seller, world):
    placed = world.place_order("FR", fulfilled_by="AMAZON", channel="NON_AMAZON")
    order = seller.order(placed.order_id)
    assert order["salesChannel"]["channelName"] == "NON_AMAZON"
    assert "proceeds" not in order


def test_a_replacement_names_the_order_it_replaces(seller, world):
    first = world.place_order("FR").order_id
    order = seller.order(world.place_order("FR", [Line(price=Decimal(0))], replaces=first).order_id)
    assert order["associatedOrders"] == [
        {"orderId": first, "associationType": "REPLACEMENT_ORIGINAL_ID"}
    ]
    assert order["proceeds"]["grandTotal"]["amount"] == "0.00"


def test_gifts_have_a_message(seller, world):
    line = Line(gift_wrap=Decimal("3.49"), gift_wrap_level="Classic", gift_message="Bises d'Anaïs")
    item = seller.order(world.place_order("FR", [line]).order_id)["orderItems"][0]
    assert item["fulfillment"]["packing"]["giftOption"] == {
        "giftMessage": "Bises d'Anaïs",
        "giftWrapLevel": "Classic",
    }


def test_everything_that_packing_and_labelling_need_is_shown(seller, world):
    line = Line(
        serial_numbers=("SN-1", "SN-2"),
        constraints=("signatureConfirmation", "recipientAgeVerification"),
        ioss_number="IM3720000224",
        programs=("SUBSCRIBE_AND_SAVE",),
        serial_numbers_required=True,
        customization_url="https://example.com/wishes.zip",
    )
    placed = world.place_order(
        "FR",
        [line],
        programs=("PRIME",),
        service_level="NEXT_DAY",
        latest_shipping=datetime(2026, 11, 21, 22, tzinfo=UTC),
        latest_delivery=datetime(2026, 11, 24, 22, tzinfo=UTC),
        drop_off_location="FRONT_DOOR",
        address_instruction="Door code 1234",
    )
    order = seller.order(placed.order_id)
    item = order["orderItems"][0]
    assert item["product"]["serialNumbers"] == ["SN-1", "SN-2"]
    assert item["product"]["customization"] == {"customizedUrl": "https://example.com/wishes.zip"}
    packing = item["fulfillment"]["packing"]
    assert packing == {"serialNumberRequirement": {"requirementType": "REQUIRED"}}
    assert item["programs"] == ["SUBSCRIBE_AND_SAVE"]
    assert item["fulfillment"]["shipping"] == {
        "shippingConstraints": {
            "signatureConfirmation": "MANDATORY",
            "recipientAgeVerification": "MANDATORY",
        },
        "internationalShipping": {"iossNumber": "IM3720000224"},
    }
    assert order["programs"] == ["PRIME"]
    assert order["fulfillment"]["fulfillmentServiceLevel"] == "NEXT_DAY"
    assert order["fulfillment"]["shipByWindow"]["latestDateTime"] == "2026-11-21T22:00:00Z"
    assert order["fulfillment"]["deliverByWindow"]["latestDateTime"] == "2026-11-24T22:00:00Z"
    assert order["recipient"]["deliveryPreference"] == {
        "dropOffLocation": "FRONT_DOOR",
        "addressInstruction": "Door code 1234",
    }


def test_an_address_in_brazil_has_extended_fields_and_its_buyer_a_cpf(seller, world):
    placed = world.place_order(
        "FR",
        buyer=Buyer(person_tax_number="123.456.789-09"),
        address=Address(
            kind="PICKUP_POINT",
            lines=("Rua das Acácias",),
            country="BR",
            street_name="Rua das Acácias",
            street_number="123",
            complement="Apartamento 45",
            neighborhood="Vila Madalena",
        ),
    )
    order = seller.order(placed.order_id)
    assert order["recipient"]["deliveryAddress"]["extendedFields"] == {
        "streetName": "Rua das Acácias",
        "streetNumber": "123",
        "complement": "Apartamento 45",
        "neighborhood": "Vila Madalena",
    }
    assert order["recipient"]["deliveryAddress"]["addressType"] == "PICKUP_POINT"
    assert order["tax"]["taxRegistrations"] == [
        {
            "entityType": "BUYER",
            "taxRegistrationType": "CPF",
            "taxRegistrationNumber": "123.456.789-09",
        }
    ]


@pytest.mark.parametrize("kind", ["VAT", "CNPJ", "BUSINESS"])
def test_a_tax_number_may_have_no_name_beside_it(seller, world, kind):
    buyer = Buyer(vat_number="DE136695976", vat_type=kind)
    order = seller.order(world.place_order("FR", buyer=buyer).order_id)
    assert order["tax"]["taxRegistrations"] == [
        {"entityType": "BUYER", "taxRegistrationType": kind, "taxRegistrationNumber": "DE136695976"}
    ]


def test_datasets_can_be_withheld(seller, world):
    placed = world.place_order("FR", withheld=frozenset({"PROCEEDS", "PAYMENT"}))
    order = seller.order(placed.order_id)
    assert not {"proceeds", "payment"} & set(order)
    assert "proceeds" not in order["orderItems"][0]


def test_anything_can_be_shown(simulator, world, seller):
    placed = world.place_order("FR")
    item = placed.items[0]
    world.change(
        placed.order_id,
        items=(replace(item, patch={"product": None, "quantityOrdered": 7}),),
        patch={"fulfillment": {"fulfilledBy": ABSENT, "shipByWindow": {"latestDateTime": None}}},
    )
    path = f"/orders/2026-01-01/orders/{placed.order_id}?includedData=FULFILLMENT"
    response = seller.http.get(path, headers={"x-amz-access-token": seller.token})
    order = response.json()["order"]
    assert "fulfilledBy" not in order["fulfillment"]
    assert order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    assert order["fulfillment"]["shipByWindow"]["latestDateTime"] is None
    assert order["orderItems"][0]["product"] is None
    assert order["orderItems"][0]["quantityOrdered"] == 7
