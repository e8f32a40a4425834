import json
import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from amazon_models import validate
from simulated_seller import EVERYTHING, SimulatedSeller

from amazon_bridge.simulator import (
    CATALOGUE,
    MARKETS,
    SELLERS,
    Line,
    ManualClock,
    Simulator,
    World,
    generate,
)
from amazon_bridge.simulator.orders import STATUSES

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def generated():
    return generate(7, 120, clock=ManualClock(NOW))


@pytest.fixture(scope="module")
def shown(generated):
    """All orders as the three sellers see them."""
    with Simulator(generated) as simulator:
        orders = []
        for seller_id in SELLERS.values():
            with SimulatedSeller(simulator, seller_id) as seller:
                response = seller.search(createdAfter="2026-11-01T00:00:00Z")
                orders += response.json()["orders"]
        return orders


def test_the_same_seed_makes_the_same_world(generated):
    assert generate(7, 120, clock=ManualClock(NOW)).orders == generated.orders
    assert generate(8, 120, clock=ManualClock(NOW)).orders != generated.orders


def test_all_of_it_is_shown_and_has_amazons_form(generated, shown):
    assert {order["orderId"] for order in shown} == {o.order_id for o in generated.orders}
    for order in shown:
        validate("Order", order)


def test_every_kind_of_order_occurs(generated):
    orders = generated.orders
    assert {order.status for order in orders} == set(STATUSES)
    assert {order.market.country for order in orders} == set(MARKETS)
    assert {len(order.items) for order in orders} == {1, 2, 3, 4}
    by = Counter(order.fulfilled_by for order in orders)
    assert min(by["MERCHANT"], by["AMAZON"]) > 30
    items = [item for order in orders for item in order.items]
    for field in ("gift_wrap", "gift_message", "discount", "shipping_discount", "cod_fee"):
        assert any(getattr(item, field) for item in items), field
    assert any(item.cancellation_requested for item in items)
    assert any(order.channel == "NON_AMAZON" for order in orders)
    assert any(order.data_withheld for order in orders)
    assert any(order.buyer.vat_number for order in orders)
    replacements = [order for order in orders if order.replaces]
    assert replacements
    assert all(item.total == 0 for order in replacements for item in order.items)


@pytest.mark.parametrize("country", MARKETS)
def test_each_country_sells_by_itself(country):
    world = generate(1, 5, clock=ManualClock(NOW), countries=[country])
    assert [seller.countries for seller in world.sellers.values()] == [(country,)]
    assert {order.market.country for order in world.orders} == {country}


def test_orders_are_of_the_last_days_and_visible_now(generated):
    for order in generated.orders:
        assert order.created <= order.last_updated <= NOW - timedelta(minutes=3)
        assert order.last_updated > NOW - timedelta(days=5)


def test_a_country_without_a_seller_gets_one():
    world = World(ManualClock(NOW))
    order = world.place_order("JP", status="PARTIALLY_SHIPPED", lines=[Line(), Line()])
    assert world.sellers[order.seller_id].countries == ("JP",)
    assert [item.fulfilled for item in order.items] == [1, 0]


def test_ids_are_amazons_and_differ(generated):
    ids = [order.order_id for order in generated.orders]
    items = [item.order_item_id for order in generated.orders for item in order.items]
    assert len(set(ids)) == len(ids)
    assert len(set(items)) == len(items)
    assert all(re.fullmatch(r"\d{3}-\d{7}-\d{7}", order_id) for order_id in ids)


def test_quantities_agree_with_the_status(generated):
    for order in generated.orders:
        fulfilled = sum(item.fulfilled for item in order.items)
        left = sum(item.unfulfilled for item in order.items)
        if order.status == "PARTIALLY_SHIPPED":
            assert fulfilled
            assert left
        else:
            assert bool(fulfilled) == (order.status == "SHIPPED")
            assert bool(left) == (order.status not in {"SHIPPED", "CANCELLED"})
        if fulfilled and order.fulfilled_by == "MERCHANT":
            assert sum(q for package in order.packages for _, q in package.quantities) == fulfilled


def test_amounts_agree(shown):
    def amount(money):
        return Decimal(money["amount"])

    priced = [order for order in shown if "proceeds" in order]
    assert len(priced) > 60
    for order in priced:
        on_top = order["salesChannel"]["marketplaceId"] == "ATVPDKIKX0DER"
        for item in order["orderItems"]:
            parts = item["proceeds"]["breakdowns"]
            by = {part["type"]: amount(part["subtotal"]) for part in parts}
            expected = sum(by.values()) - 2 * by.get("DISCOUNT", 0)
            expected -= 0 if on_top else by.get("TAX", 0)
            assert amount(item["proceeds"]["proceedsTotal"]) == expected
            for part in parts:
                details = part.get("detailedBreakdowns", [])
                assert not details or sum(amount(d["value"]) for d in details) == by[part["type"]]
        total = sum(amount(item["proceeds"]["proceedsTotal"]) for item in order["orderItems"])
        assert amount(order["proceeds"]["grandTotal"]) == total


def test_all_goods_are_in_the_catalogue(generated):
    skus = {item.sku for order in generated.orders for item in order.items}
    assert skus <= {product.sku for product in CATALOGUE}
    assert all(set(p.prices) == {m.currency for m in MARKETS.values()} for p in CATALOGUE)


def test_what_is_shown_of_people_is_listed(generated, shown):
    """A leak scanner must know every name, street, address, number and message."""
    listed = generated.personal_data()
    found = set()
    for order in shown:
        address = order.get("recipient", {}).get("deliveryAddress", {})
        fields = ("name", "companyName", "addressLine1", "addressLine2", "addressLine3", "phone")
        found |= {address[field] for field in fields if field in address}
        preference = order.get("recipient", {}).get("deliveryPreference", {})
        found |= {preference["addressInstruction"]} if preference else set()
        found |= set(order.get("buyer", {}).values())
        for registration in order.get("tax", {}).get("taxRegistrations", []):
            found |= {registration["legalName"], registration["taxRegistrationNumber"]}
        for item in order["orderItems"]:
            gift = item["fulfillment"].get("packing", {}).get("giftOption", {})
            found |= {gift["giftMessage"]} if gift else set()
    assert len(found) > 200
    assert found <= listed
    assert all(len(value) >= 5 for value in listed)


def test_names_are_as_odd_as_in_life(generated):
    text = " ".join(generated.personal_data())
    for letters in ("é", "ß", "'", "-", "花子"):
        assert letters in text


def test_secrets_are_listed(generated):
    with Simulator(generated) as simulator, SimulatedSeller(simulator, "A1SIMULATEDEU") as seller:
        secrets = generated.secrets()
        assert {seller.token, seller.seller.client_secret, seller.seller.refresh_token} <= secrets
        assert not any(secret in repr(generated.sellers) for secret in secrets)


@pytest.mark.slow  # without coverage, which alone takes longer than the page
def test_a_page_of_a_hundred_is_quick():
    world = generate(1, 100, clock=ManualClock(NOW), countries=["FR"])
    with Simulator(world) as simulator, SimulatedSeller(simulator, "A1SIMULATEDEU") as seller:
        begun = time.process_time()
        response = seller.search(createdAfter="2026-11-01T00:00:00Z", includedData=EVERYTHING)
        assert time.process_time() - begun < 1
        assert len(response.json()["orders"]) == 100
        assert len(json.dumps(response.json())) > 100_000
