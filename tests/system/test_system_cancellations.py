"""Orders that people cancel in Odoo are cancelled on Amazon: in one feed, each once."""

import json
from typing import Any
from unittest.mock import ANY
from xml.etree import ElementTree as ET

import pytest
from amazon_models import validate_request
from bridge import Bridge
from odoo_server.databases import OdooDatabase
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.engine.records import State
from amazon_bridge.simulator import Line, Order

pytestmark = pytest.mark.odoo("in memory")

CANCELLED_NOTE = "Amazon: told of the cancellation"
NOT_SENT = "Amazon: cancellation not told"
KNOWN = "Amazon: cancelled there too"
REFUSED = "Amazon doesn't cancel this order"
HELD = "Amazon: cancellation held"
OPERATIONS = ("createFeedDocument", "createFeed")


@pytest.fixture(autouse=True)
def _valid(bridge: Bridge) -> Any:
    """Every feed that a test sends has the form that Amazon documents."""
    yield
    for operation in OPERATIONS:
        for request in bridge.received(operation):
            validate_request(operation, body=json.loads(request.body))
    for request in bridge.received("getFeeds"):
        validate_request("getFeeds", query=request.query)


def place(bridge: Bridge, number: int = 1, **settings: Any) -> list[Order]:
    """Orders imported into Odoo, ready to be delivered."""
    world = bridge.simulator.world
    orders = [
        world.place_order("FR", [Line(quantity=2), Line()], **settings) for _ in range(number)
    ]
    bridge.sync("orders")
    return orders


def goes_by(bridge: Bridge, **duration: float) -> dict[str, Any]:
    """Time for Amazon to process a feed, and a run."""
    bridge.clock.advance(**(duration or {"minutes": 5}))
    return bridge.sync("cancellations")


def an_hour_passes(bridge: Bridge) -> None:
    """Odoo's clock is not shifted: late changes are found by the scan that looks back hourly."""
    bridge.clock.advance(hours=1)


def statuses(world: SettledWorld, orders: list[Order]) -> set[str]:
    return {world.order(order.order_id).status for order in orders}


def said(warehouse: Warehouse, order: Order) -> dict[str, str]:
    return warehouse.notes("sale.order", warehouse.shop.sale_order(order)["id"])


def activities(warehouse: Warehouse, order: Order) -> dict[str, str]:
    return warehouse.activities("sale.order", warehouse.shop.sale_order(order)["id"])


def ids(orders: list[Order]) -> list[str]:
    return sorted(order.order_id for order in orders)


# What is sent


def test_several_orders_in_one_feed(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    *orders, kept = place(bridge, 4)
    warehouse.cancel(*orders)
    assert bridge.sync("cancellations") == {"seen": 3, "notified": 3}
    assert [sorted(feed) for feed in bridge.feeds()] == [ids(orders)]
    for _ in range(2):  # while Amazon works it
        assert bridge.sync("cancellations") == {}
    assert goes_by(bridge) == {"seen": 3, "unchanged": 3}
    assert statuses(world, orders) == {"CANCELLED"}
    assert world.order(kept.order_id).status == "UNSHIPPED"
    assert [mail.kind for mail in world.mails] == ["cancelled"] * 3
    for order in orders:
        assert said(warehouse, order).keys() == {CANCELLED_NOTE}
        assert bridge.state("cancellations", order.order_id) == State.DONE
    assert goes_by(bridge, hours=2) == {}
    # Amazon shows them as cancelled now: runs of the orders job have nothing to do about it
    assert bridge.sync("orders") == {"seen": 4, "unchanged": 4}
    assert bridge.sync("cancellations") == {}
    assert len(bridge.feeds()) == 1


def test_the_document(bridge: Bridge, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    warehouse.tag(order, "Urgent")
    warehouse.tag(order, "Customer exchange")
    warehouse.cancel(order)
    bridge.sync("cancellations")
    (upload,) = bridge.received("upload")
    assert upload.content_type == "text/xml; charset=UTF-8"
    elements = [(e.tag, (e.text or "").strip()) for e in ET.fromstring(upload.body).iter()]
    items = [
        part
        for item in order.items
        for part in (
            ("Item", ""),
            ("AmazonOrderItemCode", item.order_item_id),
            ("CancelReason", "CustomerExchange"),
        )
    ]
    assert elements == [
        ("AmazonEnvelope", ""),
        ("Header", ""),
        ("DocumentVersion", "1.01"),
        ("MerchantIdentifier", "A1SIMULATEDEU"),
        ("MessageType", "OrderAcknowledgement"),
        ("Message", ""),
        ("MessageID", "1"),
        ("OrderAcknowledgement", ""),
        ("AmazonOrderID", order.order_id),
        ("MerchantOrderID", warehouse.shop.sale_order(order)["name"]),
        ("StatusCode", "Failure"),
        *items,
    ]


def test_the_reason_of_the_configuration(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(bridge)
    warehouse.cancel(order)
    with bridge.configured(cancel_reason="PricingError"):
        bridge.sync("cancellations")
        goes_by(bridge)
    assert world.order(order.order_id).items[0].cancel_reason == "PricingError"


def test_the_buyer_requested_it(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    world.request_cancellation(order.order_id)
    bridge.sync("orders")
    (delivery,) = warehouse.transfers(order)
    assert activities(warehouse, order)
    assert warehouse.activities("stock.picking", delivery["id"])
    warehouse.cancel(order)
    bridge.sync("cancellations")
    goes_by(bridge)
    assert {item.cancel_reason for item in world.order(order.order_id).items} == {"BuyerCanceled"}
    assert activities(warehouse, order) == {}
    assert warehouse.activities("stock.picking", delivery["id"]) == {}


def test_one_feed_in_twenty_minutes(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    first, *others = place(bridge, 3)
    warehouse.cancel(first)
    bridge.sync("cancellations")
    warehouse.cancel(*others)
    looked = len(bridge.received("getOrder"))
    assert goes_by(bridge, minutes=10) == {"seen": 3, "unchanged": 3}
    assert len(bridge.received("getOrder")) == looked
    assert goes_by(bridge, minutes=11) == {"seen": 2, "notified": 2}
    goes_by(bridge)
    assert [sorted(feed) for feed in bridge.feeds()] == [[first.order_id], ids(others)]
    assert not any(feed.too_soon for feed in bridge.simulator.feeds.feeds.values())
    assert statuses(world, [first, *others]) == {"CANCELLED"}


# Amazon's responses


def test_one_is_refused(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    good, refused = place(bridge, 2)
    warehouse.cancel(good, refused)
    bridge.sync("cancellations")
    world.ship(refused.order_id)
    assert goes_by(bridge) == {"seen": 2, "quarantined": 1, "unchanged": 1}
    assert world.order(good.order_id).status == "CANCELLED"
    entry = bridge.quarantine("cancellations")[refused.order_id]
    assert entry.kind == "cancellation_refused"
    assert "already shipped" in (entry.reason or "")
    assert activities(warehouse, good) == {}
    assert "already shipped" in activities(warehouse, refused)[REFUSED]
    assert goes_by(bridge, hours=1) == {}
    # retried, it turns out that nothing must be sent
    bridge.app.ledger.items.retry(refused.order_id)
    assert bridge.sync("cancellations") == {"seen": 1, "quarantined": 1}
    assert bridge.quarantine("cancellations")[refused.order_id].kind == "needs_attention"
    assert NOT_SENT in activities(warehouse, refused)
    assert len(bridge.feeds()) == 1


def test_refused_then_granted(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    warehouse.cancel(order)
    bridge.sync("cancellations")
    world.ship(order.order_id)
    goes_by(bridge)
    world.change(order.order_id, packages=(), status="UNSHIPPED", items=order.items)
    bridge.app.ledger.items.retry(order.order_id)
    assert goes_by(bridge, minutes=30)["notified"] == 1
    goes_by(bridge)
    assert world.order(order.order_id).status == "CANCELLED"
    assert activities(warehouse, order) == {}
    assert said(warehouse, order).keys() == {REFUSED, CANCELLED_NOTE}


def test_feeds_that_came_to_nothing(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    for fate, done in ((("FATAL", 0), 0), (("FATAL", 1), 1), (("CANCELLED", None), 0)):
        orders = place(bridge, 2)
        mails = len(world.mails)
        warehouse.cancel(*orders)
        bridge.simulator.feeds.fates.append(fate)
        an_hour_passes(bridge)
        assert bridge.sync("cancellations")["notified"] == 2
        goes_by(bridge)
        cancelled = [o for o in orders if world.order(o.order_id).status == "CANCELLED"]
        assert len(cancelled) == done
        assert bridge.app.ledger.items.tally("acme", "cancellations")[State.PENDING] == 2 - done
        assert goes_by(bridge, minutes=20)["notified"] == 2 - done
        goes_by(bridge, minutes=25)
        assert statuses(world, orders) == {"CANCELLED"}
        assert len(world.mails) == mails + 2
        assert all(said(warehouse, order).keys() == {CANCELLED_NOTE} for order in orders)


def test_done_without_a_report(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    gone = '{"errors": [{"code": "NotFound", "message": "gone"}]}'
    empty = "<A><Message><ProcessingReport/></Message></A>"
    faults: dict[str, dict[str, Any]] = {
        "missing": {"operation": "getFeed", "fields": ("resultFeedDocumentId",)},
        "gone": {"operation": "getFeedDocument", "status": 404, "body": gone},
        "empty": {"operation": "download", "body": empty},
        "garbled": {"operation": "download", "body": "<html/>"},
    }
    for order, (name, fault) in zip(place(bridge, 4), faults.items(), strict=True):
        warehouse.cancel(order)
        assert bridge.sync("cancellations")["notified"] == 1
        kind = "missing_fields" if name == "missing" else "response"
        bridge.simulator.faults.add(kind, **fault)
        counts = goes_by(bridge)
        if name == "garbled":
            assert counts.pop("error")
            counts = goes_by(bridge)
        assert counts == {"seen": 1, "unchanged": 1}
        assert bridge.state("cancellations", order.order_id) == State.DONE
        assert said(warehouse, order).keys() == {CANCELLED_NOTE}
        an_hour_passes(bridge)


def test_a_report_that_can_never_be_read_blocks_nothing(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    order, later = place(bridge, 2)
    warehouse.cancel(order)
    bridge.sync("cancellations")
    bridge.simulator.faults.add("response", "download", body="<html/>", times=None)
    warehouse.cancel(later)
    counts = goes_by(bridge, minutes=21)
    assert counts.pop("error")
    assert counts == {"seen": 1, "notified": 1}
    assert goes_by(bridge, hours=13) == {"seen": 2, "unchanged": 2, "error": ANY}
    assert statuses(world, [order, later]) == {"CANCELLED"}
    assert bridge.app.ledger.feeds.open("acme") == []


def test_accepted_without_effect(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    warehouse.cancel(order)
    for _ in range(3):
        bridge.simulator.feeds.fates.append(("CANCELLED", None))
        assert goes_by(bridge, minutes=25)["notified"] == 1
    assert goes_by(bridge, minutes=25) == {"seen": 1, "quarantined": 1}
    assert bridge.quarantine("cancellations")[order.order_id].kind == "cancellation_without_effect"
    assert goes_by(bridge, hours=1) == {}
    bridge.app.ledger.items.retry(order.order_id)
    assert bridge.sync("cancellations")["notified"] == 1
    goes_by(bridge)
    assert world.order(order.order_id).status == "CANCELLED"
    assert activities(warehouse, order) == {}


def test_a_feed_whose_orders_amazon_does_not_show_for_a_while(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    orders = place(bridge, 4)
    warehouse.cancel(*orders)
    bridge.simulator.feeds.fates.append(("CANCELLED", None))
    assert bridge.sync("cancellations")["notified"] == 4
    (keys,) = bridge.feeds()
    for order_id in list(keys)[1:]:
        bridge.simulator.faults.add("503", "getOrder", times=None, path_contains=order_id)
    for _ in range(3):
        assert "notified" not in goes_by(bridge)
    bridge.simulator.faults.clear()
    assert goes_by(bridge)["notified"] == 4  # it is one feed that had no effect, not three
    goes_by(bridge)
    assert statuses(world, orders) == {"CANCELLED"}


def test_feeds_that_got_lost(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    faults: list[dict[str, Any]] = [
        {"operation": "createFeedDocument", "kind": "503", "times": 4},
        {"operation": "upload", "kind": "503"},
        {"operation": "createFeed", "kind": "reset"},
        {"operation": "createFeed", "kind": "503", "after_work": True},
        {"operation": "createFeed", "kind": "reset", "after_work": True},
    ]
    for number, fault in enumerate(faults):
        orders = place(bridge, 2)
        warehouse.cancel(*orders)
        bridge.simulator.faults.add(**fault)
        an_hour_passes(bridge)
        assert bridge.sync("cancellations")["error"]
        maybe_made = number >= 2
        assert ("notified" in bridge.sync("cancellations")) is not maybe_made
        for _ in range(4):
            goes_by(bridge, minutes=15)
        assert statuses(world, orders) == {"CANCELLED"}
        assert {bridge.state("cancellations", order.order_id) for order in orders} == {State.DONE}
        assert len(world.mails) == 2 * len(bridge.feeds()) == 2 * (number + 1)


# Not sent


def test_cancelled_here_but_shipped_there(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(bridge)
    world.ship(order.order_id)
    warehouse.cancel(order)
    salesperson = warehouse.rpc("res.users", "search", [("login", "=", "admin")])[0]
    with bridge.configured(salesperson="admin"):
        assert bridge.sync("cancellations") == {"seen": 1, "quarantined": 1}
        assert bridge.quarantine("cancellations")[order.order_id].kind == "needs_attention"
        assert "shipped" in activities(warehouse, order)[NOT_SENT]
        (activity,) = activity_rows(warehouse, order)
        assert activity["user_id"][0] == salesperson
        assert bridge.sync("cancellations") == {}
        # tried again too early; then a person is done with it
        bridge.app.ledger.items.retry(order.order_id)
        assert bridge.sync("cancellations") == {"seen": 1, "quarantined": 1}
        warehouse.rpc("mail.activity", "action_feedback", [activity["id"]], feedback="Refunded")
        bridge.app.ledger.items.retry(order.order_id)
        assert bridge.sync("cancellations") == {}
        assert bridge.state("cancellations", order.order_id) == State.DONE
        assert activities(warehouse, order) == {}
    assert bridge.feeds() == []


def activity_rows(warehouse: Warehouse, order: Order) -> list[dict[str, Any]]:
    id_ = warehouse.shop.sale_order(order)["id"]
    domain = [("res_model", "=", "sale.order"), ("res_id", "=", id_)]
    return warehouse.shop.search("mail.activity", domain, ["user_id"])


def test_cancelled_after_goods_left(bridge: Bridge, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    warehouse.ship(order, None, None, {"MUG-BLUE": 2})
    warehouse.cancel(order)
    assert bridge.sync("cancellations") == {"seen": 1, "quarantined": 1}
    assert "goods of it have left" in activities(warehouse, order)[NOT_SENT]
    assert bridge.quarantine("cancellations")[order.order_id].kind == "needs_attention"
    assert bridge.sync("cancellations") == {}
    # revived, it is nobody's business any longer
    warehouse.revive(order)
    assert bridge.sync("cancellations") == {}
    assert bridge.state("cancellations", order.order_id) == State.LEFT_OUT
    assert activities(warehouse, order) == {}
    assert bridge.feeds() == []


def test_goods_left_and_amazon_has_cancelled_it(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(bridge)
    warehouse.ship(order, None, None)
    world.cancel(order.order_id)
    assert bridge.sync("orders") == {"seen": 1, "quarantined": 1}
    warehouse.cancel(order)  # as the activity of the orders job demands
    assert bridge.sync("cancellations") == {"seen": 1, "unchanged": 1}
    assert bridge.state("cancellations", order.order_id) == State.DONE
    assert said(warehouse, order).keys() >= {KNOWN}


def test_cancelled_on_amazon_and_in_odoo_at_once(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(bridge)
    world.cancel(order.order_id)
    warehouse.cancel(order)
    assert bridge.sync("orders") == {"seen": 1, "unchanged": 1}
    assert bridge.sync("cancellations") == {"seen": 1, "unchanged": 1}
    assert said(warehouse, order).keys() == {KNOWN}
    assert bridge.feeds() == []


def test_cancelled_by_amazon(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    world.cancel(order.order_id)
    bridge.sync("orders")
    assert bridge.sync("cancellations") == {}
    assert said(warehouse, order).keys() == {"Amazon: cancelled"}
    assert (bridge.received("getOrder"), bridge.feeds()) == ([], [])


def test_fulfilled_by_amazon(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    order = world.place_order("FR", [Line(sku="TEAPOT-08")], fulfilled_by="AMAZON")
    bridge.sync("orders")
    warehouse.cancel(order)
    assert bridge.sync("cancellations") == {"seen": 1, "quarantined": 1}
    assert "Amazon ships it itself" in activities(warehouse, order)[NOT_SENT]
    assert bridge.quarantine("cancellations")[order.order_id].kind == "needs_attention"
    assert bridge.sync("cancellations") == {}
    assert bridge.feeds() == []


def test_revived_before_it_was_sent(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    first, order = place(bridge, 2)
    warehouse.cancel(first)
    bridge.sync("cancellations")
    warehouse.cancel(order)
    assert bridge.sync("cancellations") == {"seen": 1, "unchanged": 1}  # too soon for a feed
    warehouse.revive(order)
    goes_by(bridge, minutes=30)
    assert bridge.state("cancellations", order.order_id) == State.LEFT_OUT
    assert world.order(order.order_id).status == "UNSHIPPED"
    assert bridge.feeds() == [[first.order_id]]
    # and cancelled again, which is meant
    warehouse.cancel(order)
    an_hour_passes(bridge)
    assert bridge.sync("cancellations") == {"seen": 1, "notified": 1}
    goes_by(bridge)
    assert world.order(order.order_id).status == "CANCELLED"


def test_deleted_before_it_was_sent(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    first, order = place(bridge, 2)
    warehouse.cancel(first)
    bridge.sync("cancellations")
    warehouse.cancel(order)
    bridge.sync("cancellations")
    warehouse.rpc("sale.order", "unlink", [warehouse.shop.sale_order(order)["id"]])
    assert goes_by(bridge, minutes=30) == {"seen": 2, "quarantined": 1, "unchanged": 1}
    entry = bridge.quarantine("cancellations")[order.order_id]
    assert entry.kind == "needs_attention"
    assert "deleted" in (entry.reason or "")
    assert bridge.feeds() == [[first.order_id]]
    assert bridge.sync("cancellations") == {}
    world.cancel(order.order_id)
    bridge.app.ledger.items.retry(order.order_id)
    bridge.sync("cancellations")
    assert bridge.state("cancellations", order.order_id) == State.DONE


# The brake


def test_a_mass_action_is_held(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    orders = place(bridge, 4)
    warehouse.cancel(*orders)
    with bridge.configured(cancellation_brake={"orders": 3}):
        assert bridge.sync("cancellations") == {"seen": 4, "quarantined": 4}
        held = bridge.quarantine("cancellations")
        assert {entry.kind for entry in held.values()} == {"held"}
        assert sorted(held) == ids(orders)
        assert all(activities(warehouse, order).keys() == {HELD} for order in orders)
        assert goes_by(bridge, hours=1) == {}
        # one was a mistake and is back; one is let go; the others after it
        warehouse.revive(orders[0])
        bridge.app.ledger.items.retry(orders[1].order_id)
        assert bridge.sync("cancellations") == {"seen": 1, "notified": 1}
        assert bridge.state("cancellations", orders[0].order_id) == State.LEFT_OUT
        assert bridge.app.ledger.items.retry() == 2
        assert goes_by(bridge, minutes=30)["notified"] == 2
        goes_by(bridge)
    assert world.order(orders[0].order_id).status == "UNSHIPPED"
    assert statuses(world, orders[1:]) == {"CANCELLED"}
    assert not any(activities(warehouse, order) for order in orders)


def test_the_brake_knows_the_part_of_the_open_orders(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    orders = place(bridge, 8)
    warehouse.cancel(*orders[:6])
    with bridge.configured(sales_team="Amazon", cancellation_brake={"percent": 0.1}):
        assert bridge.sync("cancellations") == {"seen": 6, "quarantined": 6}
        (reason,) = {e.reason for e in bridge.quarantine("cancellations").values()}
        assert "6 of " in (reason or "")
    with bridge.configured(cancellation_brake={"percent": 100}):
        bridge.app.ledger.items.retry()
        assert bridge.sync("cancellations") == {"seen": 6, "notified": 6}


def test_what_has_passed_the_brake_is_not_held_later(bridge: Bridge, warehouse: Warehouse) -> None:
    orders = place(bridge, 7)
    with bridge.configured(cancellation_brake={"orders": 3}):
        for part in (orders[:1], orders[1:4], orders[4:]):
            warehouse.cancel(*part)
            bridge.sync("cancellations")
        assert bridge.quarantine("cancellations") == {}
        assert goes_by(bridge, minutes=21)["notified"] == 6


# Lost memory, switches


def test_lost_state_store_before_and_after(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    orders = place(bridge, 2)
    warehouse.cancel(*orders)
    bridge.forget()
    assert bridge.sync("cancellations") == {"seen": 2, "notified": 2}
    goes_by(bridge)
    bridge.forget()
    assert bridge.sync("cancellations") == {}
    assert goes_by(bridge, hours=1) == {}
    assert len(bridge.feeds()) == 1


def test_lost_state_store_while_amazon_works(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    orders = place(bridge, 2)
    warehouse.cancel(*orders)
    bridge.sync("cancellations")
    bridge.forget()
    for _ in range(2):
        assert bridge.sync("cancellations") == {"seen": 2, "unchanged": 2}
    assert goes_by(bridge) == {"seen": 2, "unchanged": 2}
    assert all(said(warehouse, order).keys() == {KNOWN} for order in orders)
    assert len(bridge.feeds()) == 1
    assert len(world.mails) == 2


@pytest.mark.odoo("real")
def test_dry_run_sends_and_remembers_nothing(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    order, shipped, revived = place(bridge, 3)
    warehouse.cancel(order, shipped, revived)
    warehouse.revive(revived)
    world.ship(shipped.order_id)
    before = warehouse.shop.snapshot()
    for _ in range(2):
        counts = bridge.sync("cancellations", dry_run=True)
        assert counts == {"seen": 2, "notified": 1, "quarantined": 1}
    (event,) = bridge.logged("dry_run_cancellation")
    assert event["order"] == order.order_id
    with bridge.configured(cancellation_brake={"orders": 1}):
        assert bridge.sync("cancellations", dry_run=True) == {"seen": 2, "quarantined": 2}
    assert bridge.feeds() == []
    assert bridge.app.ledger.items.tally("acme", "cancellations") == {}
    assert warehouse.shop.snapshot() == before


def test_switched_off(bridge: Bridge, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    warehouse.cancel(order)
    with bridge.configured(notify_amazon={"cancellations": False}):
        assert bridge.sync("cancellations") == {}
    assert bridge.sync("cancellations") == {"seen": 1, "notified": 1}


def test_one_without_a_response_keeps_nobody(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    orders = place(bridge, 3)
    warehouse.cancel(*orders)
    bad = orders[1].order_id
    bridge.simulator.faults.add("503", "getOrder", times=None, path_contains=bad)
    counts = bridge.sync("cancellations")
    assert counts.pop("error")
    assert counts == {"seen": 3, "notified": 2, "unchanged": 1}
    bridge.simulator.faults.clear()
    assert goes_by(bridge, minutes=21)["notified"] == 1
    goes_by(bridge)
    assert statuses(world, orders) == {"CANCELLED"}


@pytest.mark.odoo("real")
def test_least_privilege(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, least_privilege: OdooDatabase
) -> None:
    good, refused = place(bridge, 2)
    warehouse.cancel(good, refused)
    warehouse.tag(good, "NoInventory")
    bridge.close()
    bridge.program.odoo = least_privilege
    bridge.sync("cancellations")
    world.ship(refused.order_id)
    assert goes_by(bridge) == {"seen": 2, "quarantined": 1, "unchanged": 1}
    assert said(warehouse, good).keys() == {CANCELLED_NOTE}
    assert activities(warehouse, refused).keys() == {REFUSED}


def test_many_take_no_more_calls_to_odoo_than_few(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    orders = place(bridge, 16)
    bridge.sync("cancellations")
    calls = []
    for part in (orders[:4], orders[4:]):
        warehouse.cancel(*part)
        world.ship(part[0].order_id)
        with bridge.configured(cancellation_brake={"percent": 100}):
            bridge.app.context(bridge.app.accounts()[0])
            sent = bridge.calls("cancellations")
            world.ship(part[1].order_id)
            bridge.clock.advance(minutes=21)
            followed = bridge.calls("cancellations")
        calls.append((sent, followed))
    sent, followed = calls[0]
    assert calls[1] <= (sent + 1, followed)  # for the brake, which counts the open orders
    assert sent <= 16
    assert followed <= 22
