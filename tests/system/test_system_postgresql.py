"""The state store in PostgreSQL: whatever happens to it, nothing is lost and nothing sent twice."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from bridge import Bridge, ShiftedClock
from parcels import details, key, place
from postgresql_server import Server, break_connections
from program import Program
from proxy import Proxy
from warehouse import Warehouse

from amazon_bridge.engine import lock
from amazon_bridge.engine.leases.keeper import LeaseKeeper, Member
from amazon_bridge.engine.ledger.verification import verify
from amazon_bridge.engine.records import State
from amazon_bridge.engine.store import PostgresqlStore
from amazon_bridge.simulator import Order

pytestmark = [pytest.mark.odoo("in memory"), pytest.mark.slow, pytest.mark.postgresql]


class Disturbance:
    """Something that happens once, right after a call to a remote."""

    def __init__(self) -> None:
        self.at, self.calls = 0, 0
        self.what = lambda: None

    def after(self) -> bool:
        self.calls += 1
        if self.calls == self.at:
            self.what()
        return True


@pytest.fixture
def store(postgresql_server: Server, program: Program) -> Iterator[PostgresqlStore]:
    """An empty store, which the program uses."""
    with postgresql_server.common_store() as store:
        program.settings["state"] = str(store)
        yield store


@pytest.fixture
def disturbance(program: Program, store: PostgresqlStore, bridge: Bridge) -> Iterator[Disturbance]:
    happening = Disturbance()
    with (
        Proxy(program.odoo_url, after=happening.after) as odoo,
        Proxy(program.amazon_url, after=happening.after) as amazon,
    ):
        program.odoo_url, program.amazon_url = odoo.url, amazon.url
        yield happening
        bridge.close()  # before the store is emptied


def unshipped(bridge: Bridge, number: int) -> list[Order]:
    market = bridge.program.accounts[0]["marketplaces"][0]
    return [bridge.simulator.world.place_order(market) for _ in range(number)]


def numbers_of(warehouse: Warehouse, orders: list[Order]) -> list[int]:
    """How many sale orders there are of each."""
    return [
        len(warehouse.shop.search("sale.order", [("client_order_ref", "=", o.order_id)], ["id"]))
        for o in orders
    ]


def test_orders_and_shipments_pass(
    bridge: Bridge, warehouse: Warehouse, clock: ShiftedClock, disturbance: Disturbance
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    clock.advance(minutes=11)
    bridge.sync("pickings")
    assert bridge.state("pickings", key(order, transfer)) == State.DONE


@pytest.mark.parametrize("job", ["orders", "pickings"])
def test_connections_break_at_any_call(
    bridge: Bridge,
    warehouse: Warehouse,
    store: PostgresqlStore,
    disturbance: Disturbance,
    job: str,
) -> None:
    disturbance.what = lambda: break_connections(store)
    place(bridge, 1)  # the setup is there
    errors = set()
    for at in (4, 9):
        orders = place(bridge, 2) if job == "pickings" else unshipped(bridge, 2)
        for order in orders if job == "pickings" else ():
            warehouse.ship(order)
        disturbance.at = disturbance.calls + at
        counts = bridge.sync(job)
        errors.add(str(counts.get("error")))
        is_over = disturbance.calls < disturbance.at
        disturbance.at = 0
        if counts.get("error"):
            assert "error" not in bridge.sync(job)
        assert bridge.sync(job).get("error") is None
        assert numbers_of(warehouse, orders) == [1, 1]
        if job == "pickings":
            assert [len(details(bridge, order)) for order in orders] == [1, 1]
        if is_over:
            break
    assert any("the locks of what was running" in error for error in errors), errors


def test_the_server_goes_away_during_a_run_and_comes_back(
    bridge: Bridge,
    warehouse: Warehouse,
    postgresql_server: Server,
    disturbance: Disturbance,
) -> None:
    place(bridge, 1)
    orders = unshipped(bridge, 3)
    disturbance.what, disturbance.at = postgresql_server.stop, disturbance.calls + 4
    try:
        assert "is out of reach" in bridge.sync("orders")["error"]
        assert "is out of reach" in bridge.sync("orders")["error"]
    finally:
        postgresql_server.restart()
    time.sleep(1)  # between attempts to connect
    assert "error" not in bridge.sync("orders")
    assert numbers_of(warehouse, orders) == [1, 1, 1]


def test_the_program_uses_it(
    program: Program, bridge: Bridge, store: PostgresqlStore, warehouse: Warehouse
) -> None:
    order = bridge.simulator.world.place_order("FR")
    assert program.sync().counts()["created"] == 1
    assert order.order_id in program.run("order", "show", order.order_id).out
    verified = program.run("state", "verify")
    assert (verified.code, f"{store} is intact: 1 accounts" in verified.out) == (0, True)
    advised = program.run("state", "backup", "copy.db")
    assert (advised.code, "pg_dump --format=custom --file=copy.db" in advised.err) == (2, True)
    copy = program.folder / "copy.db"
    made = program.run("state", "copy", str(store), str(copy))
    assert (made.code, made.err, verify(copy)) == (0, "", verify(store))
    back = program.run("state", "copy", str(copy), str(store))
    assert (back.code, "is used already" in back.err) == (2, True)
    again = program.run("state", "copy", str(store), str(copy))
    assert (again.code, "exists already" in again.err) == (2, True)
    with lock.held(store, "the", "daemon"):
        running = program.run("state", "copy", str(store), str(copy.with_name("other.db")))
        assert (running.code, "A daemon runs with" in running.err) == (3, True)
    daemon = LeaseKeeper(
        store, member=lambda: Member({}, "digest"), levels=lambda _: {}, on_taken=lambda _: None
    )
    daemon.renew()
    assert program.run("healthcheck").code == 0
    daemon.close()
    stopped = program.run("healthcheck")
    assert (stopped.code, "No daemon of this machine" in stopped.out) == (1, True)
    program.settings["state"] = str(copy)
    assert program.sync().counts().get("created") is None
