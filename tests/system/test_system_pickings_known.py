"""Delivery orders that Amazon knows already, and what isn't done in a dry run or switched off."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from bridge import Bridge, ShiftedClock
from odoo_server.databases import OdooDatabase
from parcels import (
    CONFIRMED,
    INCOMPLETE,
    REFUSED,
    details,
    key,
    place,
)
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.engine.ledger.migrations import MIGRATIONS
from amazon_bridge.engine.records import State
from amazon_bridge.simulator import Line

pytestmark = [
    pytest.mark.odoo("in memory"),
    pytest.mark.slow,
    pytest.mark.usefixtures("valid_confirmations"),
]


# Amazon knows already


@pytest.mark.parametrize("noticed", [True, False], ids=["noticed before", "not noticed"])
@pytest.mark.parametrize("tracking", ["JD0001", None], ids=["complete", "waiting"])
def test_confirmed_in_seller_central(
    bridge: Bridge,
    world: SettledWorld,
    warehouse: Warehouse,
    tracking: str | None,
    *,
    noticed: bool,
) -> None:
    (order,) = place(bridge)
    bridge.clock.advance(seconds=-5)  # so that this run was before the delivery
    bridge.sync("pickings")
    bridge.clock.advance(seconds=5)
    world.ship(order.order_id, replace(world.make_package(order), reference="20000000"))
    if noticed:
        bridge.sync("orders")
    transfer = warehouse.ship(order, "DHL", tracking)
    bridge.sync("pickings")
    if not (noticed or tracking):
        assert bridge.state("pickings", key(order, transfer)) == State.PENDING
        bridge.sync("orders")
        bridge.sync("pickings")
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    assert "already" in warehouse.notes("stock.picking", transfer["id"])[CONFIRMED]
    assert len(world.order(order.order_id).packages) == len(world.mails) == 1
    assert len(details(bridge, order)) == (1 if tracking and not noticed else 0)
    assert bridge.sync("pickings") == {}


def test_lost_state_store(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    confirmed, unconfirmed = place(bridge, 2)
    warehouse.ship(confirmed)
    bridge.sync("pickings")
    transfer = warehouse.ship(unconfirmed)
    bridge.forget()
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert bridge.state("pickings", key(unconfirmed, transfer)) == State.PENDING
    assert len(details(bridge, confirmed)) == len(details(bridge, unconfirmed)) == 1
    bridge.forget()
    assert bridge.sync("pickings") == {}
    assert len(world.mails) == 2


def downgrade(path: Path) -> None:
    """Turn a state store into what an older version wrote, where names were the keys."""
    old = path.with_name("older.db")
    with closing(sqlite3.connect(old)) as db:
        for step in MIGRATIONS[:5]:
            for statement in step:
                db.execute(statement)
        db.execute("PRAGMA user_version = 5")
        db.execute("ATTACH ? AS newer", (str(path),))
        for table in ("accounts", "items", "rounds", "feeds"):
            columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            values = [
                "CASE job WHEN 'pickings' THEN label ELSE key END" if (table, c) == KEY else c
                for c in columns
            ]
            db.execute(
                f"INSERT INTO main.{table} ({', '.join(columns)})"
                f" SELECT {', '.join(values)} FROM newer.{RENAMED.get(table, table)}"
            )
        db.commit()
    for side in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        side.unlink(missing_ok=True)
    old.rename(path)


KEY = ("items", "key")
RENAMED = {"rounds": "runs"}


def test_a_state_store_of_the_version_before(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    """What it knew of a delivery order by its name is read again; nothing is sent twice."""
    done, sent, waiting, refused = orders = place(bridge, 4)
    warehouse.ship(done)
    bridge.sync("pickings")
    clock.advance(minutes=11)
    bridge.sync("pickings")
    warehouse.ship(sent)
    lacking, wrong = warehouse.ship(waiting, None, None), warehouse.ship(refused)
    where = {"operation": "confirmShipment", "path_contains": refused.order_id}
    bridge.simulator.faults.add("400", times=None, **where)
    counts = bridge.sync("pickings")
    assert counts == {"seen": 3, "notified": 1, "quarantined": 1, "unchanged": 1}
    bridge.close()
    downgrade(bridge.program.state)
    sent_packages = {order.order_id: len(details(bridge, order)) for order in orders}
    assert bridge.sync("pickings") == {"seen": 2, "quarantined": 1, "unchanged": 1}
    assert details(bridge, refused) == details(bridge, refused)[:1] * (
        sent_packages[refused.order_id] + 1
    )
    assert len(details(bridge, done)) == len(details(bridge, sent)) == 1
    assert bridge.quarantine("pickings").keys() == {key(refused, wrong)}
    warehouse.label(lacking["id"], "DHL", "JD0002")
    bridge.simulator.faults.clear()
    bridge.app.ledger.items.retry(wrong["name"])
    assert bridge.sync("pickings") == {"seen": 2, "notified": 2}
    assert len(world.mails) == len(orders)


def test_the_name_of_another_orders_delivery(bridge: Bridge, warehouse: Warehouse) -> None:
    """Odoo's sequence was set back, such as with a backup, and hands out names again."""
    first, second = place(bridge, 2)
    name = warehouse.ship(first)["name"]
    assert bridge.sync("pickings")["notified"] == 1
    old = [("name", "=", name)]
    ids = warehouse.rpc("stock.picking", "search", old)
    warehouse.rpc("stock.picking", "write", ids, {"name": f"{name}/LOST"})
    warehouse.rpc("stock.picking", "write", [warehouse.open(second)["id"]], {"name": name})
    warehouse.ship(second)
    assert bridge.sync("pickings")["notified"] == 1
    assert len(details(bridge, second)) == 1


def test_old_state_store(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    bridge.sync("pickings")
    bridge.close()
    kept = bridge.program.folder / "kept"
    shutil.copy(bridge.program.state, kept)
    warehouse.ship(order)
    bridge.sync("pickings")
    bridge.close()
    shutil.copy(kept, bridge.program.state)
    assert bridge.sync("pickings") == {}
    assert len(details(bridge, order)) == 1


# Switches


@pytest.mark.odoo("real")
def test_dry_run_sends_and_remembers_nothing(bridge: Bridge, warehouse: Warehouse) -> None:
    ready, waiting = place(bridge, 2)
    warehouse.ship(ready)
    warehouse.ship(waiting, None, None)
    before = warehouse.shop.snapshot()
    for _ in range(2):
        counts = bridge.sync("pickings", dry_run=True)
        assert counts == {"seen": 2, "notified": 1, "unchanged": 1}
    assert len(bridge.logged("dry_run_shipment")) == 2
    assert bridge.received("confirmShipment") == []
    assert bridge.app.ledger.items.tally("acme", "pickings") == {}
    assert warehouse.shop.snapshot() == before
    bridge.sync("pickings")
    assert bridge.sync("pickings", dry_run=True) == {"seen": 2, "unchanged": 2}


def test_a_dry_run_counts_what_a_run_sends(bridge: Bridge, warehouse: Warehouse) -> None:
    corrected, backordered = place(bridge, lines=[Line(quantity=2)], number=2)
    for order in (corrected, backordered):
        warehouse.ship(order, quantities={order.items[0].sku: 1})
    bridge.sync("pickings")
    (first, _) = warehouse.transfers(corrected)
    warehouse.label(first["id"], "UPS", "1Z999AA10123456784")
    (_, rest) = warehouse.transfers(backordered)
    warehouse.label(rest["id"], "DHL", "JD0002")
    warehouse.rpc("stock.picking", "action_cancel", [rest["id"]])
    assert bridge.sync("pickings", dry_run=True)["notified"] == 1
    (event,) = bridge.logged("dry_run_shipment")
    assert event["delivery_order"] == first["name"]
    assert bridge.sync("pickings")["notified"] == 1


def test_switched_off(bridge: Bridge, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    warehouse.ship(order)
    with bridge.configured(notify_amazon={"shipments": False}):
        assert bridge.sync("pickings") == {}
    assert bridge.received("confirmShipment") == []
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}


@pytest.mark.odoo("real")
def test_least_privilege(
    bridge: Bridge, warehouse: Warehouse, least_privilege: OdooDatabase, clock: ShiftedClock
) -> None:
    order, refused, waiting = place(bridge, 3)
    warehouse.ship(order)
    late = warehouse.ship(waiting, None, None)
    transfer = warehouse.ship(refused)
    bridge.close()
    bridge.program.odoo = least_privilege
    bad = refused.order_id
    bridge.simulator.faults.add("400", "confirmShipment", path_contains=bad)
    clock.advance(days=3)
    assert bridge.sync("pickings") == {
        "seen": 3,
        "notified": 1,
        "quarantined": 1,
        "unchanged": 1,
    }
    assert warehouse.activities("stock.picking", transfer["id"]).keys() == {REFUSED}
    assert warehouse.activities("stock.picking", late["id"]).keys() == {INCOMPLETE}


@pytest.mark.slow
def test_many_take_no_more_calls_to_odoo_than_few(
    bridge: Bridge, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    orders = place(bridge, 16)
    bridge.sync("pickings")
    calls = []
    for part in (orders[:3], orders[3:]):
        for number, order in enumerate(part):
            warehouse.ship(order, None if number % 4 == 1 else "DHL")
        bad = part[0].order_id
        bridge.simulator.faults.add("400", "confirmShipment", path_contains=bad)
        calls.append((bridge.calls("pickings"), bridge.calls("pickings")))
    assert len(bridge.received("confirmShipment")) == 12
    busy, idle = calls[0]
    assert calls[1] <= calls[0]
    assert busy <= 25
    assert idle <= 12
    clock.advance(days=3)
    assert bridge.calls("pickings") <= 30
