"""Orders are left out only for what Amazon says; what it does not say waits and is then seen."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from desk import Clock, Desk, Json, MakeDesk, item, order

from amazon_bridge.amazon.orders import read_order
from amazon_bridge.cli import status_actions
from amazon_bridge.engine.records import State
from amazon_bridge.model import FulfilledBy, FulfillmentStatus, Order, UnreadableOrder


@pytest.fixture
def desk(make_memory_desk: MakeDesk, clock: Clock) -> Desk:
    return make_memory_desk(clock=clock)


def with_fulfillment(**fulfillment: Any) -> Json:
    payload = order(item(ITEM="10.00"))
    return payload | {"fulfillment": payload["fulfillment"] | fulfillment}


def state(desk: Desk, payload: Json) -> State:
    entry = desk.app.ledger.items.get("acme", "orders", payload["orderId"])
    assert entry
    return entry.state


def waiting_orders(desk: Desk) -> list[Json]:
    """As ``status --json`` lists them."""
    pending = status_actions._pending(desk.app, "acme", None)
    listed: list[Json] = status_actions.account_status(desk.app, "acme", pending)["waiting_orders"]
    return listed


@pytest.mark.parametrize(
    "fulfillment",
    [{"fulfilledBy": None}, {"fulfilledBy": "DRONE"}, {"fulfillmentStatus": "TELEPORTED"}],
)
def test_what_amazon_does_not_say(desk: Desk, clock: Clock, fulfillment: Json) -> None:
    payload = with_fulfillment(**fulfillment)
    assert desk.work(payload).unchanged == 1
    assert state(desk, payload) == State.PENDING
    (waiting,) = waiting_orders(desk)
    assert waiting["order"] == payload["orderId"]
    assert waiting["reason"].startswith("Amazon shows this order with the status ")
    clock.shift = timedelta(hours=23)
    assert desk.work(payload).unchanged == 1
    clock.shift = timedelta(hours=25)
    assert desk.work(payload).quarantined == 1
    assert desk.reasons()[payload["orderId"]].startswith("unclear: ")
    assert waiting_orders(desk) == []
    # Amazon says it: the order comes in.
    known = payload | {"fulfillment": order()["fulfillment"]}
    assert desk.work(known).created == 1
    assert desk.reasons() == {}
    entry = desk.app.ledger.items.get("acme", "orders", payload["orderId"])
    assert entry
    assert entry.reason is None


def test_an_item_without_any_product_is_not_to_be_shipped_as_something(desk: Desk) -> None:
    nameless = order(item("MUG", ITEM="10.00"), item(ITEM="3.00", more={"product": {}}))
    by_amazon = order(item(ITEM="3.00", more={"product": {}}), fba=True)
    assert desk.work(nameless, by_amazon).quarantined == 1
    assert desk.reasons()[nameless["orderId"]].startswith("no_product: ")
    assert desk.find("sale.order", [("client_order_ref", "=", nameless["orderId"])], []) == []
    assert desk.order(by_amazon)["state"] == "sale"


def test_an_order_that_can_not_be_parsed_has_to_be_shipped_all_the_same(desk: Desk) -> None:
    shown = UnreadableOrder(
        order_id="403-0000000-0000001",
        fingerprint="f",
        reason="the figures contradict each other",
        kind="no_proceeds",
        fulfilled_by=FulfilledBy.MERCHANT,
        status=FulfillmentStatus.UNSHIPPED,
        ship_by=datetime(2026, 11, 30, 22, 59, tzinfo=UTC),
    )
    assert desk.work_orders(shown).quarantined == 1
    [entry] = desk.app.ledger.items.quarantined()
    assert entry.kind == "no_proceeds"
    assert entry.remedy
    assert "ship it from there by 2026-11-30 22:59 UTC" in entry.remedy
    # It was, and then it can be parsed: it was not shipped before it was first seen.
    payload = order(item(ITEM="10.00")) | {"orderId": shown.order_id}
    payload["fulfillment"]["fulfillmentStatus"] = "SHIPPED"
    assert desk.work(payload).created == 1


def test_everything_else_is_left_out_for_a_reason(desk: Desk) -> None:
    elsewhere = order(item(ITEM="1.00")) | {"salesChannel": {"channelName": "NON_AMAZON"}}
    pending = with_fulfillment(fulfillmentStatus="PENDING")
    gone = with_fulfillment(fulfillmentStatus="SHIPPED")
    assert all(isinstance(read_order(each), Order) for each in (elsewhere, pending, gone))
    assert desk.work(elsewhere, pending, gone).unchanged == 3
    assert {state(desk, each) for each in (elsewhere, pending, gone)} == {State.LEFT_OUT}


def test_unit_prices_that_nothing_confirms(desk: Desk) -> None:
    """Shipping, gift wrap and discounts would be missing from the sale order."""
    price = {"unitPrice": {"amount": "10.00", "currencyCode": "EUR"}}
    bare = item(ITEM="10.00") | {"proceeds": None, "product": {"sellerSku": "MUG", "price": price}}
    payload = order(bare)
    assert desk.work(payload).quarantined == 1
    assert desk.reasons()[payload["orderId"]].startswith("no_proceeds: ")
    assert "10.00 EUR" in desk.reasons()[payload["orderId"]]
    assert desk.find("sale.order", [("client_order_ref", "=", payload["orderId"])], []) == []
    total = {"grandTotal": {"amount": "10.00", "currencyCode": "EUR"}}
    assert desk.work(payload | {"proceeds": total}).created == 1
    assert desk.reasons() == {}


def test_an_item_without_units_that_has_an_amount(desk: Desk) -> None:
    """It became a line "Cancelled units" of the sale order."""
    payload = order(item("MUG", ITEM="10.00"), item(ITEM="5.00") | {"quantityOrdered": 0})
    assert desk.work(payload).quarantined == 1
    assert desk.reasons()[payload["orderId"]].startswith("units_contradict: ")
    assert desk.find("sale.order", [("client_order_ref", "=", payload["orderId"])], []) == []
    fine = payload | {"orderItems": [payload["orderItems"][0]]}
    assert desk.work(fine).created == 1
