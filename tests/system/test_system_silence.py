"""An item that Amazon alone doesn't respond for is tried for a day, and no longer."""

from datetime import timedelta

import pytest
from bridge import Bridge, ShiftedClock
from warehouse import Warehouse

from amazon_bridge.engine.records import Seen, State
from amazon_bridge.simulator import Order, Simulator

pytestmark = [pytest.mark.odoo("in memory"), pytest.mark.slow]

HOURS = (0, 6, 12, 18)
"""Runs in which Amazon does not respond, and the next ones."""


@pytest.fixture
def order(bridge: Bridge) -> Order:
    order = bridge.simulator.world.place_order("FR")
    bridge.sync("orders")
    return order


def silence(simulator: Simulator, order: Order, operation: str = "*") -> None:
    simulator.faults.add("500", operation, times=None, path_contains=f"/{order.order_id}")


def runs(bridge: Bridge, clock: ShiftedClock, job: str) -> list[dict[str, object]]:
    results = []
    for _ in HOURS:
        results.append(bridge.sync(job))
        clock.advance(hours=6)
    return results


def check_given_up(bridge: Bridge, job: str, key: str) -> None:
    assert bridge.sync(job)["quarantined"] == 1
    entry = bridge.quarantine(job)[key]
    assert (entry.kind, entry.attempts) == ("keeps_failing", 1)
    before = len(bridge.simulator.requests)
    assert "error" not in bridge.sync(job)
    assert bridge.state(job, key) == State.QUARANTINED
    assert not [each for each in bridge.simulator.requests[before:] if each.status == 500]


def test_a_shipment(
    bridge: Bridge, order: Order, clock: ShiftedClock, warehouse: Warehouse, simulator: Simulator
) -> None:
    """Another one is confirmed in the meantime; after a retry, this one is, too."""
    other = simulator.world.place_order("FR")
    bridge.sync("orders")
    transfer = warehouse.ship(order)
    silence(simulator, order, "confirmShipment")
    warehouse.ship(other)
    results = runs(bridge, clock, "pickings")
    assert [each.get("notified") for each in results] == [1, None, None, None]
    assert all("error" in each for each in results)
    assert bridge.state("pickings", f"{order.order_id}#{transfer['id']}") == State.PENDING
    assert bridge.sync("pickings")["quarantined"] == 1
    assert (
        bridge.quarantine("pickings")[f"{order.order_id}#{transfer['id']}"].kind == "keeps_failing"
    )
    before = len(bridge.confirmations(order.order_id))
    bridge.sync("pickings")
    assert len(bridge.confirmations(order.order_id)) == before
    simulator.faults.clear()
    bridge.app.ledger.items.retry(f"{order.order_id}#{transfer['id']}")
    assert bridge.sync("pickings")["notified"] == 1


def test_a_shipment_of_an_order_that_is_forgotten(
    bridge: Bridge, order: Order, clock: ShiftedClock, warehouse: Warehouse, simulator: Simulator
) -> None:
    transfer = warehouse.ship(order)
    bridge.forget()
    silence(simulator, order)
    runs(bridge, clock, "pickings")
    assert bridge.state("pickings", f"{order.order_id}#{transfer['id']}") == State.PENDING
    check_given_up(bridge, "pickings", f"{order.order_id}#{transfer['id']}")


def test_a_cancellation(
    bridge: Bridge, order: Order, clock: ShiftedClock, warehouse: Warehouse, simulator: Simulator
) -> None:
    warehouse.cancel(order)
    silence(simulator, order)
    assert all("error" in results for results in runs(bridge, clock, "cancellations"))
    assert bridge.state("cancellations", order.order_id) == State.PENDING
    check_given_up(bridge, "cancellations", order.order_id)


def test_an_order_that_was_left_over(
    bridge: Bridge, clock: ShiftedClock, simulator: Simulator
) -> None:
    order = simulator.world.place_order("FR")
    clock.advance(hours=3)
    bridge.app.ledger.cursors.set("acme", clock())  # so that no window shows it
    bridge.app.ledger.items.file("acme", "orders", [Seen(order.order_id, "another")])
    silence(simulator, order)
    runs(bridge, clock, "orders")
    assert bridge.state("orders", order.order_id) == State.PENDING
    check_given_up(bridge, "orders", order.order_id)


def test_amazon_is_down_for_days(
    bridge: Bridge, order: Order, clock: ShiftedClock, warehouse: Warehouse, simulator: Simulator
) -> None:
    """That is not the item's fault: it waits for as long as it takes."""
    transfer = warehouse.ship(order)
    simulator.faults.add("500", times=None)
    for _ in range(3):
        runs(bridge, clock, "pickings")
    assert bridge.state("pickings", f"{order.order_id}#{transfer['id']}") == State.PENDING
    simulator.faults.clear()
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}


def test_a_response_begins_the_day_anew(
    bridge: Bridge, order: Order, clock: ShiftedClock, warehouse: Warehouse, simulator: Simulator
) -> None:
    """As between sending a confirmation and reading it back."""
    transfer = warehouse.ship(order)
    silence(simulator, order)
    runs(bridge, clock, "pickings")
    simulator.faults.clear()
    simulator.settings.package_delay = timedelta(hours=5).total_seconds()
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    clock.advance(hours=1)
    silence(simulator, order)
    assert "error" in bridge.sync("pickings")
    clock.advance(hours=6)
    assert "error" in bridge.sync("pickings")
    assert bridge.state("pickings", f"{order.order_id}#{transfer['id']}") == State.PENDING


def test_a_search_that_lags_behind_loses_nothing(
    bridge: Bridge, order: Order, clock: ShiftedClock, simulator: Simulator
) -> None:
    """The cursor stays where Amazon stopped to speak; ``order`` is only to begin with."""
    simulator.settings.search_lag = 7200
    late = simulator.world.place_order("FR")
    begin = bridge.app.ledger.cursors.get("acme")
    clock.advance(hours=1)
    assert "created" not in bridge.sync("orders")
    assert bridge.app.ledger.cursors.get("acme") == begin
    assert bridge.logged("search_lags")
    simulator.settings.search_lag = 0
    clock.advance(minutes=5)
    assert bridge.sync("orders")["created"] == 1
    assert bridge.state("orders", late.order_id) == State.DONE
    assert order.order_id != late.order_id
