"""What happens to orders is counted: each event once, with how long it took."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from bridge import Bridge, ShiftedClock
from cancelled_orders import goes_by
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.engine.durations import Durations
from amazon_bridge.flows.orders.memo import Memo

pytestmark = [pytest.mark.odoo("in memory if 19"), pytest.mark.slow]


def events(bridge: Bridge) -> dict[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    statistics = bridge.app.ledger.statistics
    for hour, number in statistics.by_hour(bridge.clock() - timedelta(days=3)).items():
        found[hour.name, hour.fulfilled_by] += number
    return dict(found)


def durations(bridge: Bridge, event: str, fulfilled_by: str) -> Durations:
    return bridge.app.ledger.statistics.durations()["acme", event, fulfilled_by]


def test_each_import_is_counted_once_with_the_time_since_the_purchase(
    bridge: Bridge, world: SettledWorld, clock: ShiftedClock
) -> None:
    bought = clock() - timedelta(minutes=50)
    world.place_order("FR", created=bought)
    sold_by_amazon = world.place_order(
        "FR", created=bought, fulfilled_by="AMAZON", status="UNSHIPPED"
    )
    world.place_order("FR", created=bought, status="PENDING")
    for _ in range(2):
        bridge.sync("orders")
        assert events(bridge) == {("imported", "MERCHANT"): 1}
    assert durations(bridge, "imported", "MERCHANT").numbers == {3600: 1}
    clock.advance(hours=1)
    world.ship(sold_by_amazon.order_id)
    for _ in range(2):
        bridge.sync("orders")
        assert events(bridge) == {("imported", "MERCHANT"): 1, ("imported", "AMAZON"): 1}
    assert durations(bridge, "imported", "AMAZON").numbers == {7200: 1}


def test_an_order_whose_run_was_interrupted_counts_when_it_is_complete(
    bridge: Bridge, world: SettledWorld
) -> None:
    order = world.place_order("FR")
    bridge.sync("orders")
    items = bridge.app.ledger.items
    for is_settled, number in ((True, 1), (False, 2)):
        memo = Memo.read(items.get("acme", "orders", order.order_id))
        assert memo
        items.remember("acme", "orders", order.order_id, replace(memo, is_settled=is_settled))
        items.reopen("acme", "orders", order.order_id)
        assert bridge.sync("orders") == {"seen": 1, "unchanged": 1}
        assert events(bridge) == {("imported", "MERCHANT"): number}


def test_cancellations_of_both_sides_are_counted(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    there, here = world.place_order("FR"), world.place_order("FR")
    bridge.sync("orders")
    world.cancel(there.order_id)
    warehouse.cancel(here)
    imported = {("imported", "MERCHANT"): 2}
    for _ in range(2):
        bridge.sync("orders")
        assert events(bridge) == imported | {("cancelled", "MERCHANT"): 1}
    bridge.sync("cancellations")
    goes_by(bridge)
    assert world.order(here.order_id).status == "CANCELLED"
    bridge.sync("orders")
    assert events(bridge) == imported | {("cancelled", "MERCHANT"): 2}


def test_a_confirmation_is_counted_with_the_time_since_the_delivery_and_a_correction_is_not(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    order = world.place_order("FR")
    bridge.sync("orders")
    transfer = warehouse.ship(order, "DHL", "JD0001")
    clock.advance(minutes=25)
    bridge.sync("pickings")
    confirmed = {("imported", "MERCHANT"): 1, ("confirmed", "MERCHANT"): 1}
    assert events(bridge) == confirmed
    found = durations(bridge, "confirmed", "MERCHANT")
    assert found.numbers == {1800: 1}
    assert 1500 <= found.seconds < 1600
    warehouse.label(transfer["id"], "DHL", "JD0002")
    clock.advance(minutes=61)
    bridge.sync("pickings")
    assert len(bridge.confirmations(order.order_id)) == 2
    assert events(bridge) == confirmed
