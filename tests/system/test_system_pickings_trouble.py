"""Confirmations of delivery orders that are refused, lost, or without a response."""

from typing import Any

import pytest
from bridge import Bridge, ShiftedClock
from parcels import (
    REFUSED,
    details,
    key,
    place,
)
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.engine.records import State
from amazon_bridge.flows.shipments import apply
from amazon_bridge.simulator import Line

pytestmark = [
    pytest.mark.odoo("in memory"),
    pytest.mark.slow,
    pytest.mark.usefixtures("valid_confirmations"),
]


def test_responses_that_got_lost(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    faults: list[dict[str, Any]] = [
        {"kind": "reset"},
        {"kind": "503"},
        {"kind": "429"},
        {"kind": "reset", "after_work": True},
        {"kind": "503", "after_work": True},
        {"kind": "response", "status": 200, "body": "{}", "after_work": True},
    ]
    orders = place(bridge, len(faults))
    for order, fault in zip(orders, faults, strict=True):
        warehouse.ship(order)
        where = {"operation": "confirmShipment", "path_contains": order.order_id}
        bridge.simulator.faults.add(**where, **fault)
    assert "error" not in bridge.sync("pickings")
    assert bridge.sync("pickings") == {"seen": 3, "unchanged": 3}
    for order, fault in zip(orders, faults, strict=True):
        assert len(world.order(order.order_id).packages) == 1
        assert len(details(bridge, order)) == (1 if fault.get("after_work") else 2)
    assert len(world.mails) == len(orders)


def test_amazon_shows_a_lost_one_late(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    bridge.simulator.settings.package_delay = 1800
    bridge.simulator.faults.add("reset", "confirmShipment", after_work=True)
    assert bridge.sync("pickings")["notified"] == 1
    clock.advance(hours=1)
    bridge.sync("pickings")
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    (package,) = world.order(order.order_id).packages
    assert package.reference == str(transfer["id"])
    assert len(world.mails) == 1


def test_refused_corrected_refused_corrected(bridge: Bridge, warehouse: Warehouse) -> None:
    order, other = place(bridge, 2)
    transfer = warehouse.ship(order)
    warehouse.ship(other)
    bridge.simulator.faults.add("400", "confirmShipment", path_contains=order.order_id)
    assert bridge.sync("pickings") == {"seen": 2, "notified": 1, "quarantined": 1}
    entry = bridge.quarantine("pickings")[key(order, transfer)]
    assert entry.kind == "shipment_refused"
    assert "Invalid Input" in (entry.reason or "")
    (activity,) = warehouse.activities("stock.picking", transfer["id"]).values()
    assert "Invalid Input" in activity
    assert "correct them on the delivery order" in activity
    assert len(details(bridge, other)) == 1
    # unchanged, it isn't sent again
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    sent = len(bridge.received("confirmShipment"))
    # corrected, but not well: there is something new to say
    warehouse.label(transfer["id"], "DHL", "JD00O3")
    bridge.simulator.faults.add("400", "confirmShipment", path_contains=order.order_id)
    assert bridge.sync("pickings")["quarantined"] == 1
    domain = [("res_model", "=", "stock.picking"), ("res_id", "=", transfer["id"])]
    assert len(warehouse.shop.search("mail.activity", domain, [])) == 2
    # well corrected
    warehouse.label(transfer["id"], "DHL", "JD0003")
    assert bridge.sync("pickings")["notified"] == 1
    assert len(bridge.received("confirmShipment")) == sent + 2
    assert warehouse.activities("stock.picking", transfer["id"]) == {}
    assert bridge.quarantine("pickings") == {}


def test_accepted_and_dropped(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    bridge.simulator.faults.add("lost", "confirmShipment")
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    clock.advance(hours=1)
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert world.order(order.order_id).packages == ()
    clock.advance(hours=6)
    assert bridge.sync("pickings") == {"seen": 1, "quarantined": 1}
    assert bridge.quarantine("pickings")[key(order, transfer)].kind == "shipment_not_shown"
    assert warehouse.activities("stock.picking", transfer["id"]).keys() == {REFUSED}
    assert bridge.app.ledger.items.retry(key(order, transfer)) == 1
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    clock.advance(minutes=11)
    bridge.sync("pickings")
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    assert len(world.order(order.order_id).packages) == len(world.mails) == 1
    assert warehouse.activities("stock.picking", transfer["id"]) == {}


def test_quarantined_then_confirmed_manually(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    bridge.simulator.faults.add("400", "confirmShipment")
    bridge.sync("pickings")
    world.ship(order.order_id)
    bridge.app.ledger.items.retry(key(order, transfer))
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    assert warehouse.activities("stock.picking", transfer["id"]) == {}
    assert len(bridge.received("confirmShipment")) == 1


def test_cancelled_on_amazon_while_it_left(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    world.cancel(order.order_id)
    assert bridge.sync("pickings") == {"seen": 1, "quarantined": 1}
    assert bridge.quarantine("pickings")[key(order, transfer)].kind == "cancelled_on_amazon"
    assert "Stop the parcel" in warehouse.activities("stock.picking", transfer["id"])[REFUSED]


def test_one_without_a_response_keeps_nobody(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    orders = place(bridge, 3)
    for order in orders:
        warehouse.ship(order)
    bad = orders[1].order_id
    bridge.simulator.faults.add("503", "confirmShipment", times=None, path_contains=bad)
    counts = bridge.sync("pickings")
    assert counts.pop("error")
    assert counts == {"seen": 3, "notified": 2, "unchanged": 1}
    bridge.simulator.faults.clear()
    assert bridge.sync("pickings")["notified"] == 1
    assert all(world.order(order.order_id).status == "SHIPPED" for order in orders)


def test_of_one_whose_order_amazon_does_not_show(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    orders = place(bridge, 3)
    for order in orders:
        warehouse.ship(order)
    bridge.forget()
    bad = orders[0].order_id
    bridge.simulator.faults.add("503", "getOrder", times=None, path_contains=bad)
    assert bridge.sync("pickings")["notified"] == 2
    bridge.simulator.faults.clear()
    assert bridge.sync("pickings")["notified"] == 1
    assert all(world.order(order.order_id).status == "SHIPPED" for order in orders)


def test_of_one_whose_order_nobody_understands(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(bridge, lines=[Line(), Line()])
    transfer = warehouse.ship(order)
    bridge.forget()
    one, _ = order.items
    world.change(order.order_id, items=(one, one))
    assert bridge.sync("pickings") == {"seen": 1, "quarantined": 1}
    assert bridge.quarantine("pickings")[key(order, transfer)].kind == "unreadable"
    assert bridge.sync("pickings") == {}
    world.change(order.order_id, items=order.items)
    bridge.app.ledger.items.retry()
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}


def test_amazon_is_down(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    orders = place(bridge, 5)
    for order in orders:
        warehouse.ship(order)
    bridge.simulator.faults.add("503", times=None)
    counts = bridge.sync("pickings")
    assert counts.pop("error")
    assert counts == {"seen": 5, "unchanged": 5}
    fetched = {request.path for request in bridge.received("getOrder")}
    assert len(fetched) == 3
    bridge.simulator.faults.clear()
    assert bridge.sync("pickings") == {"seen": 5, "notified": 5}


def test_nobody_is_left_out_when_amazon_shows_nothing_for_hours(
    bridge: Bridge, warehouse: Warehouse, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "_READ_BACKS", 2)
    orders = place(bridge, 4)
    for order in orders:
        warehouse.ship(order)
    bridge.simulator.settings.package_delay = 86_400
    bridge.sync("pickings")
    fetched = []
    for _ in range(4):
        clock.advance(minutes=11)
        before = len(bridge.received("getOrder"))
        bridge.sync("pickings")
        fetched += [request.path for request in bridge.received("getOrder")[before:]]
    assert sorted(fetched) == sorted(2 * sorted(set(fetched)))
    assert len(set(fetched)) == 4


def test_read_backs_without_a_response_keep_no_other_from_its_turn(
    bridge: Bridge, warehouse: Warehouse, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "_READ_BACKS", 2)
    for failing in (True, False):
        orders = place(bridge, 2)
        keys = [key(order, warehouse.ship(order)) for order in orders]
        bridge.sync("pickings")
        clock.advance(minutes=1)
        for order in orders if failing else ():
            fault = {"path_contains": order.order_id, "times": None}
            bridge.simulator.faults.add("500", "getOrder", **fault)
    for _ in range(4):
        clock.advance(minutes=11)
        bridge.sync("pickings")
    assert [bridge.state("pickings", each) for each in keys] == [State.DONE] * 2
