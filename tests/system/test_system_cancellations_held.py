"""Cancellations that are not sent: settled otherwise, held by the brake, or switched off."""

from typing import Any

import pytest
from bridge import Bridge
from cancelled_orders import (
    CANCELLED_NOTE,
    HELD,
    KNOWN,
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
from odoo_server.databases import OdooDatabase
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.engine.records import State
from amazon_bridge.simulator import Line, Order

pytestmark = [
    pytest.mark.odoo("in memory"),
    pytest.mark.slow,
    pytest.mark.usefixtures("valid_feeds"),
]


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
    assert bridge.sync("cancellations") == {"seen": 2, "unchanged": 2}  # too soon for a feed
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
    assert bridge.sync("cancellations", dry_run=True) == {"seen": 1, "quarantined": 1}
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


def test_a_dry_run_says_if_amazon_does_not_respond(bridge: Bridge, warehouse: Warehouse) -> None:
    orders = place(bridge, 2)
    warehouse.cancel(*orders)
    bad = orders[1].order_id
    bridge.simulator.faults.add("503", "getOrder", times=None, path_contains=bad)
    counts = bridge.sync("cancellations", dry_run=True)
    assert "Amazon" in counts.pop("error")
    assert counts == {"seen": 2, "notified": 1, "unchanged": 1}


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


@pytest.mark.slow
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
