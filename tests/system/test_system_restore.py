"""A real Odoo is restored from a backup, and the documented commands bring back what it lost."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from bridge import Bridge, ShiftedClock
from odoo_server.databases import OdooDatabase, OdooServer
from program import Program, SettledWorld
from shop import Shop
from warehouse import Warehouse

from amazon_bridge.simulator import Order

Restore = Callable[[], None]
UUID = "database.uuid"


@pytest.fixture
def back_up(
    odoo_server: OdooServer, odoo_database: OdooDatabase
) -> Iterator[Callable[[], Restore]]:
    """Copies the database; what it returns puts the copy in its place, with its uuid."""
    name, copy = odoo_database.database, f"{odoo_database.database}_backup"

    def back_up() -> Restore:
        uuid = odoo_database.rpc("ir.config_parameter", "get_param", UUID)
        odoo_server._manage("duplicate_database", name, copy)

        def restore() -> None:
            odoo_server.drop(name)
            odoo_server._manage("rename", copy, name)
            odoo_database.rpc("ir.config_parameter", "set_param", UUID, uuid)

        return restore

    yield back_up
    odoo_server.drop(copy)


def sync(bridge: Bridge, *jobs: str) -> None:
    for job in jobs or ("orders", "cancellations", "pickings"):
        counts = bridge.sync(job)
        assert "error" not in counts, counts


def references(bridge: Bridge, order: Order) -> list[str]:
    confirmations = bridge.confirmations(order.order_id)
    return [each["packageDetail"]["packageReferenceId"] for each in confirmations]


def test_nothing_is_missing_and_nothing_is_confirmed_twice(  # noqa: PLR0917 (fixtures)
    bridge: Bridge,
    world: SettledWorld,
    shop: Shop,
    warehouse: Warehouse,
    clock: ShiftedClock,
    program: Program,
    back_up: Callable[[], Restore],
) -> None:
    kept, shipped, cancelled = (world.place_order("FR") for _ in range(3))
    warehouse.carrier("DHL")
    sync(bridge)
    began = datetime.now(UTC).isoformat(timespec="seconds")
    restore = back_up()
    lost, lost_and_shipped, fba = (
        world.place_order("FR"),
        world.place_order("DE"),
        world.place_order("FR", fulfilled_by="AMAZON"),
    )
    sync(bridge)
    lost_transfer = warehouse.ship(lost_and_shipped)["id"]
    kept_transfer = warehouse.ship(shipped)["id"]
    warehouse.cancel(cancelled)
    for _ in range(3):
        sync(bridge)
        clock.advance(minutes=40)
    assert world.order(cancelled.order_id).status == "CANCELLED"
    assert (world.order(shipped.order_id).status, len(bridge.feeds())) == ("SHIPPED", 1)
    restore()
    bridge.close()
    run = program.run("cursor", "set", "acme", began)
    assert run.code == 0
    orders = [kept, shipped, cancelled, lost, lost_and_shipped, fba]
    sync(bridge)
    sale_orders = shop.sale_orders()
    assert {order.order_id for order in orders} <= sale_orders.keys()
    assert sale_orders[cancelled.order_id]["state"] == "cancel"
    # The warehouse delivers once more what has left; another order may get the old transfer's id.
    warehouse.ship(shipped)
    warehouse.ship(lost)
    warehouse.ship(lost_and_shipped)
    for _ in range(4):  # Odoo's clock isn't shifted: the scan that looks back hourly finds them
        sync(bridge)
        clock.advance(hours=1)
    assert references(bridge, shipped) == [str(kept_transfer)]
    assert references(bridge, lost_and_shipped) == [str(lost_transfer)]
    assert len(references(bridge, lost)) == 1
    assert world.order(lost.order_id).status == "SHIPPED"
    assert len(bridge.feeds()) == 1
    assert bridge.app.ledger.items.pending("acme", "orders") == []
    assert bridge.app.ledger.items.pending("acme", "pickings") == []
    assert [e for e in bridge.app.ledger.items.quarantined() if e.kind != "needs_attention"] == []


def test_the_store_refuses_another_database_until_it_is_adopted(
    bridge: Bridge,
    world: SettledWorld,
    program: Program,
    odoo_server: OdooServer,
    odoo_database: OdooDatabase,
) -> None:
    order = world.place_order("FR")
    sync(bridge, "orders")
    bridge.close()
    other = f"{odoo_database.database}_other"
    odoo_server._manage("duplicate_database", odoo_database.database, other)
    try:
        program.odoo = OdooDatabase(odoo_database.url, other)
        run = program.run("sync", "orders", "--json")
        assert run.code == 2
        assert "is another database" in run.err
        assert "amazon-bridge state adopt" in run.err
        assert program.run("check").code != 0
        run = program.run("state", "adopt")
        assert (run.code, "now belongs to" in run.out) == (0, True)
        assert program.sync().counts()["seen"] >= 1
        assert Shop(program.odoo).sale_order(order)
    finally:
        program.odoo = odoo_database
        odoo_server.drop(other)
