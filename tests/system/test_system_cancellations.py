"""Orders that people cancel in Odoo are cancelled on Amazon: in one feed, each once."""

from typing import Any
from unittest.mock import ANY
from xml.etree import ElementTree as ET

import pytest
from bridge import Bridge
from cancelled_orders import (
    CANCELLED_NOTE,
    NOT_SENT,
    REFUSED,
    activities,
    an_hour_passes,
    goes_by,
    ids,
    place,
    said,
    statuses,
)
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.engine.records import State

pytestmark = [
    pytest.mark.odoo("in memory if 19"),
    pytest.mark.slow,
    pytest.mark.usefixtures("valid_feeds"),
]


# What is sent


def test_several_orders_in_one_feed(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    *orders, kept = place(bridge, 4)
    warehouse.cancel(*orders)
    assert bridge.sync("cancellations") == {"seen": 3, "notified": 3}
    assert [sorted(feed) for feed in bridge.feeds()] == [ids(orders)]
    for _ in range(2):  # while Amazon processes it
        assert bridge.sync("cancellations") == {"seen": 3, "unchanged": 3}
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


@pytest.mark.slow
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
    assert counts == {"seen": 2, "notified": 1, "unchanged": 1}
    assert goes_by(bridge, hours=13) == {"seen": 2, "unchanged": 2, "error": ANY}
    assert statuses(world, [order, later]) == {"CANCELLED"}
    assert bridge.app.ledger.feeds.open("acme") == []


def test_accepted_without_effect(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    warehouse.cancel(order)
    for _ in range(3):
        bridge.simulator.feeds.fates.append(("CANCELLED", None))
        assert goes_by(bridge, minutes=25) == {"seen": 1, "notified": 1}
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


@pytest.mark.slow
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
