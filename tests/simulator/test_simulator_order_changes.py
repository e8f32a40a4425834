"""What happens to orders: requests, cancellations, changes."""

from datetime import timedelta
from decimal import Decimal

import pytest
from simulated_seller import amounts

from amazon_bridge.simulator import Address, Line


def test_a_pending_order_lapses(seller, world, clock):
    shown, silent = (world.place_order("FR", status="PENDING").order_id for _ in range(2))
    world.lapse(shown)
    world.lapse(silent, silently=True)
    clock.advance(minutes=5)
    assert seller.order(shown)["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
    assert seller.order(shown)["orderItems"][0]["quantityOrdered"] == 0
    assert seller.get_order(silent).status_code == 404
    assert seller.found() == [shown]
    assert world.mails == []


def test_a_request_to_cancel_moves_the_time_but_not_the_status(seller, world, clock):
    order_id = world.place_order("FR").order_id
    clock.advance(minutes=30)
    world.request_cancellation(order_id, "Bought the wrong one")
    order = seller.order(order_id)
    assert order["lastUpdatedTime"] == "2026-11-20T12:30:00Z"
    assert order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    assert order["orderItems"][0]["cancellation"] == {
        "cancellationRequest": {"requester": "BUYER", "cancelReason": "Bought the wrong one"}
    }


def test_a_cancelled_order_has_no_units_and_no_amounts(seller, world):
    order_id = world.place_order("FR", [Line(quantity=2)]).order_id
    world.cancel(order_id, by="AMAZON", reason="Payment failed")
    order = seller.order(order_id)
    item = order["orderItems"][0]
    assert order["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
    assert "proceeds" not in order
    assert item["quantityOrdered"] == 0
    assert item["cancellation"]["cancellationExecution"] == {
        "cancelledBy": "AMAZON",
        "cancelReason": "Payment failed",
    }


def test_an_address_may_come_later_and_change(seller, world):
    order_id = world.place_order("FR", address=Address()).order_id
    assert "recipient" not in seller.order(order_id)
    world.change(order_id, address=Address(lines=("1 rue Neuve",), city="Lyon", country="FR"))
    assert seller.order(order_id)["recipient"]["deliveryAddress"]["city"] == "Lyon"
    world.change(order_id, withheld=frozenset({"RECIPIENT"}))
    assert "recipient" not in seller.order(order_id)


@pytest.mark.parametrize("lowers", [True, False])
def test_units_of_one_item_can_be_cancelled(seller, world, lowers):
    lines = [Line(quantity=3, price=Decimal(30), shipping=Decimal(6)), Line(price=Decimal(20))]
    order_id = world.place_order("FR", lines).order_id
    first, second = world.order(order_id).items
    world.cancel_units(order_id, first.order_item_id, 1, by="AMAZON", lowers_quantity=lowers)
    world.cancel_units(order_id, second.order_item_id, lowers_quantity=lowers)
    order = seller.order(order_id)
    first, second = order["orderItems"]
    assert [i["quantityOrdered"] for i in (first, second)] == ([2, 0] if lowers else [3, 1])
    assert [i["fulfillment"]["quantityUnfulfilled"] for i in (first, second)] == [2, 0]
    assert first["proceeds"]["proceedsTotal"]["amount"] == "24.00"
    assert first["cancellation"]["cancellationExecution"]["cancelledBy"] == "AMAZON"
    assert amounts(second)["ITEM"] == "0.00"
    assert order["proceeds"]["grandTotal"]["amount"] == "24.00"
    assert order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"


def test_an_order_without_open_units_is_shipped_or_cancelled(world):
    shipped, cancelled = (world.place_order("FR", [Line(quantity=2)]) for _ in range(2))
    world.ship(shipped.order_id, world.make_package(shipped, {shipped.items[0].order_item_id: 1}))
    for order in (shipped, cancelled):
        world.cancel_units(order.order_id, order.items[0].order_item_id)
    statuses = [world.order(order.order_id).status for order in (shipped, cancelled)]
    assert statuses == ["SHIPPED", "CANCELLED"]


def test_the_buyer_can_ask_to_cancel_one_item_only(seller, world):
    placed = world.place_order("FR", [Line(), Line()])
    world.request_cancellation(placed.order_id, "Too many", placed.items[1].order_item_id)
    first, second = seller.order(placed.order_id)["orderItems"]
    assert "cancellation" not in first
    assert second["cancellation"]["cancellationRequest"]["cancelReason"] == "Too many"


def test_units_that_left_in_no_known_package_stay_fulfilled(world):
    placed = world.place_order("FR", [Line(), Line()], status="PARTIALLY_SHIPPED")
    world.ship(placed.order_id)
    order = world.order(placed.order_id)
    assert [item.fulfilled for item in order.items] == [1, 1]
    assert order.status == "SHIPPED"


def test_amazon_ships_its_orders_itself(seller, world, clock):
    placed = world.place_order("FR", fulfilled_by="AMAZON", status="UNSHIPPED")
    clock.advance(minutes=30)
    world.ship(placed.order_id)
    order = seller.order(placed.order_id)
    assert order["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    assert "packages" not in order
    assert order["orderItems"][0]["fulfillment"]["quantityFulfilled"] == 1


def test_fields_can_be_changed_at_will(seller, world, clock):
    placed = world.place_order("FR", status="PENDING")
    clock.advance(minutes=1)
    world.pay(placed.order_id)
    world.change_item(placed.order_id, placed.items[0].order_item_id, sku=None)
    order = seller.order(placed.order_id)
    assert order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    assert "sellerSku" not in order["orderItems"][0]["product"]
    assert world.order(placed.order_id).last_updated - placed.last_updated == timedelta(minutes=1)
