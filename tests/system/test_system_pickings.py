"""Delivery orders done in Odoo reach Amazon: each once, with its own goods, carrier and number."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from amazon_models import validate_request
from bridge import Bridge, ShiftedClock
from odoo_server.databases import OdooDatabase
from parcels import key, place, untold
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.engine.ledger.migrations import MIGRATIONS
from amazon_bridge.engine.records import State
from amazon_bridge.flows.shipments import apply, records
from amazon_bridge.simulator import Line, Order

pytestmark = pytest.mark.odoo("in memory")

CONFIRMED = "Amazon: shipment confirmed"
REFUSED = "Amazon doesn't take this shipment"
INCOMPLETE = "Amazon waits for carrier and tracking reference"


@pytest.fixture(autouse=True)
def _valid(bridge: Bridge) -> Any:
    """Every confirmation that a test sends has the form that Amazon documents."""
    yield
    for request in bridge.received("confirmShipment"):
        order_id = request.path.split("/")[4]
        for body in bridge.confirmations(order_id):
            validate_request("confirmShipment", body=body)


@pytest.fixture(autouse=True)
def _seen(bridge: Bridge, warehouse: Warehouse) -> Any:
    """However a test leaves things: after a run, somebody knows of each delivery that is done."""
    yield
    bridge.simulator.faults.clear()
    for account in bridge.app.accounts():
        bridge.sync("pickings", account=account.name)
    assert untold(bridge, warehouse) == []


def details(bridge: Bridge, order: Order) -> list[dict[str, Any]]:
    return [body["packageDetail"] for body in bridge.confirmations(order.order_id)]


def item_ids(order: Order) -> list[str]:
    return [item.order_item_id for item in order.items]


# What is sent


def test_a_whole_delivery(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    (order,) = place(bridge, lines=[Line(quantity=2), Line(sku="MUG-RED")])
    assert bridge.sync("pickings") == {}
    transfer = warehouse.ship(order, "DHL", "JD0001")
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (body,) = bridge.confirmations(order.order_id)
    blue, red = item_ids(order)
    shipped = body["packageDetail"].pop("shipDate")
    assert body == {
        "marketplaceId": order.market.marketplace_id,
        "packageDetail": {
            "packageReferenceId": str(transfer["id"]),
            "carrierCode": "DHL",
            "trackingNumber": "JD0001",
            "orderItems": [
                {"orderItemId": blue, "quantity": 2},
                {"orderItemId": red, "quantity": 1},
            ],
        },
    }
    done = warehouse.shop.search("stock.picking", [("id", "=", transfer["id"])], ["date_done"])
    assert shipped == done[0]["date_done"].replace(" ", "T") + ".000Z"
    assert world.order(order.order_id).status == "SHIPPED"
    notes = warehouse.notes("stock.picking", transfer["id"])
    assert notes.keys() == {CONFIRMED}
    assert "units 3, carrier DHL, tracking reference JD0001." in notes[CONFIRMED]


def test_it_is_confirmed_once_and_read_back(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    bridge.sync("pickings")
    fetched = len(bridge.received("getOrder"))
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert bridge.state("pickings", key(order, transfer)) == State.PENDING
    clock.advance(minutes=11)
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    assert len(bridge.received("getOrder")) == fetched + 1
    assert bridge.sync("pickings") == {}
    assert len(details(bridge, order)) == len(world.mails) == 1


def test_parts_follow_one_by_one(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge, lines=[Line(quantity=5), Line(sku="MUG-RED", quantity=2)])
    blue, red = item_ids(order)
    transfers = []
    for number, part in enumerate(({"MUG-BLUE": 2}, {"MUG-BLUE": 1, "MUG-RED": 2}, None)):
        transfers.append(warehouse.ship(order, "UPS", f"1Z{number}", part))
        bridge.sync("orders")
        assert bridge.sync("pickings")["notified"] == 1
        clock.advance(minutes=1)
    assert [t["backorder_id"] and t["backorder_id"][0] for t in transfers] == [
        False,
        transfers[0]["id"],
        transfers[1]["id"],
    ]
    packages = details(bridge, order)
    assert [each["packageReferenceId"] for each in packages] == [str(t["id"]) for t in transfers]
    assert [each["trackingNumber"] for each in packages] == ["1Z0", "1Z1", "1Z2"]
    assert [
        [(i["orderItemId"], i["quantity"]) for i in each["orderItems"]] for each in packages
    ] == [
        [(blue, 2)],
        [(blue, 1), (red, 2)],
        [(blue, 2)],
    ]
    assert world.order(order.order_id).status == "SHIPPED"
    assert len(world.mails) == 3


def test_parts_done_before_a_run_are_confirmed_in_one(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(bridge, lines=[Line(quantity=3)])
    for number in range(3):
        warehouse.ship(order, "UPS", f"1Z{number}", {"MUG-BLUE": 1})
    assert bridge.sync("pickings") == {"seen": 3, "notified": 3}
    assert world.order(order.order_id).status == "SHIPPED"


def test_carriers(bridge: Bridge, warehouse: Warehouse) -> None:
    expected = {
        "DHL": ("DHL", None),
        "royal mail": ("Royal Mail", None),
        "My Van": ("Self Delivery", None),
        "The Express": ("UPS", None),
        "Uncle Bob": ("Other", "Uncle Bob"),
    }
    orders = dict(zip(expected, place(bridge, 5), strict=True))
    transfers = {carrier: warehouse.ship(orders[carrier], carrier, "X1") for carrier in expected}
    with bridge.configured(carriers={"my van": "Self Delivery", "The Express": "ups"}):
        assert bridge.sync("pickings") == {"seen": 5, "notified": 5}
    for carrier, (code, name) in expected.items():
        (detail,) = details(bridge, orders[carrier])
        assert (detail["carrierCode"], detail.get("carrierName")) == (code, name)
        note = warehouse.notes("stock.picking", transfers[carrier]["id"])[CONFIRMED]
        assert f"carrier {name or code}," in note


def test_of_several_tracking_references_amazon_takes_one(
    bridge: Bridge, warehouse: Warehouse
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order, "DHL", " JD1+JD2, JD3")
    bridge.sync("pickings")
    (detail,) = details(bridge, order)
    assert detail["trackingNumber"] == "JD1"
    assert (
        "only the first of 3 tracking references"
        in warehouse.notes("stock.picking", transfer["id"])[CONFIRMED]
    )


def test_what_amazon_has_not_sold_is_not_its_business(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,), at_amazon = place(bridge), world.place_order("FR", fulfilled_by="AMAZON")
    bridge.sync("orders")
    present = warehouse.shop.search("product.product", [("default_code", "=", "APRON-LIN")], [])
    line = {"order_id": warehouse.shop.sale_order(order)["id"], "product_id": present[0]["id"]}
    warehouse.rpc("sale.order.line", "create", line)
    warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (detail,) = details(bridge, order)
    assert [item["orderItemId"] for item in detail["orderItems"]] == item_ids(order)
    assert details(bridge, at_amazon) == []


@pytest.mark.odoo("real")
def test_a_return_is_no_shipment(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    bridge.sync("pickings")
    warehouse.give_back(transfer["id"])
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert len(details(bridge, order)) == 1


@pytest.mark.odoo("real")
def test_only_the_last_step_counts(
    bridge: Bridge, warehouse: Warehouse, request: pytest.FixtureRequest
) -> None:
    (place_,) = warehouse.shop.search("stock.warehouse", [("code", "=", "WH")], [])
    steps = "delivery_steps"
    warehouse.rpc("stock.warehouse", "write", [place_["id"]], {steps: "pick_pack_ship"})
    try:
        (order,) = place(bridge)
        for expected in (None, None, {"seen": 1, "notified": 1}):
            warehouse.ship(order)
            assert bridge.sync("pickings") == (expected or {})
    finally:
        warehouse.rpc("stock.warehouse", "write", [place_["id"]], {steps: "ship_only"})
    (last,) = (t for t in warehouse.transfers(order) if t["picking_type_code"] == "outgoing")
    (detail,) = details(bridge, order)
    assert detail["packageReferenceId"] == str(last["id"])


def test_each_account_confirms_its_own(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    other = world.add_seller("A1OTHER", ["US"])
    bridge.program.add_account(other, "us")
    bridge.close()
    (mine,), theirs = place(bridge), world.place_order("US")
    bridge.sync("orders", account="us")
    for order in (mine, theirs):
        warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    assert bridge.sync("pickings", account="us") == {"seen": 1, "notified": 1}
    assert {r.seller_id for r in bridge.received("confirmShipment")} == {
        "A1SIMULATEDEU",
        "A1OTHER",
    }
    bridge.forget()  # only Amazon shows now whose order it is
    for account in ("acme", "us"):
        assert bridge.sync("pickings", account=account) == {}


# Waiting


def test_it_waits_for_its_tracking_reference(
    bridge: Bridge, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order, "DHL", None)
    with bridge.configured(tracking_reminder="1h"):
        assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
        (event,) = bridge.logged("shipment_waiting")
        assert event["delivery_order"] == transfer["name"]
        (waiting,) = records.pending_deliveries(bridge.app.ledger, "acme")
        assert (waiting.delivery_order, waiting.order_id) == (transfer["name"], order.order_id)
        assert waiting.lacks == ("tracking reference",)
        assert warehouse.activities("stock.picking", transfer["id"]) == {}
        clock.advance(hours=2)
        for _ in range(2):
            assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
            assert bridge.logged("shipment_waiting") == []
            assert warehouse.activities("stock.picking", transfer["id"]).keys() == {INCOMPLETE}
        assert details(bridge, order) == []
        listed = bridge.program.run("status", "--json").json["accounts"]["acme"]["waiting"]
        assert [(each["delivery_order"], each["lacks"]) for each in listed] == [
            (transfer["name"], ["tracking reference"])
        ]
        assert (
            f"{transfer['name']}@{order.order_id}#{transfer['id']}"
            in bridge.program.run("status").out
        )
        warehouse.label(transfer["id"], None, "JD0002")
        assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
        assert records.pending_deliveries(bridge.app.ledger, "acme")[0].lacks == ("carrier",)
        warehouse.label(transfer["id"], "DHL", "JD0002")
        assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
        assert records.pending_deliveries(bridge.app.ledger, "acme") == []
    (detail,) = details(bridge, order)
    assert detail["trackingNumber"] == "JD0002"
    assert warehouse.activities("stock.picking", transfer["id"]) == {}


def test_the_reference_that_is_taken_away_after_the_sending_changes_nothing(
    bridge: Bridge, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    bridge.sync("pickings")
    warehouse.label(transfer["id"], None, None)
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    clock.advance(minutes=11)
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    assert bridge.sync("pickings") == {}
    assert len(details(bridge, order)) == 1


# What left isn't what was ordered


def test_the_packer_replaces_a_product_that_the_bridge_did_not_know(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(
        bridge, lines=[Line(sku="NEW-SKU", quantity=2, price=Decimal(18)), Line(sku="MUG-RED")]
    )
    transfer = warehouse.open(order)
    warehouse.replace(transfer["id"], "Amazon Sale", "APRON-LIN")
    warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (detail,) = details(bridge, order)
    units = {item["orderItemId"]: item["quantity"] for item in detail["orderItems"]}
    assert units == dict(zip(item_ids(order), (2, 1), strict=True))
    assert world.order(order.order_id).status == "SHIPPED"


def test_the_only_product_is_replaced(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    """A part leaves first; then Odoo knows the sale order of the rest by its group only."""
    (order,) = place(bridge, lines=[Line(sku="NEW-SKU", quantity=3, price=Decimal(27))])
    for part, number in ((1, 1), (None, 2)):
        transfer = warehouse.open(order)
        warehouse.replace(transfer["id"], "Amazon Sale", "APRON-LIN")
        quantities = {"APRON-LIN": part} if part else None
        warehouse.ship(order, quantities=quantities)
        assert bridge.sync("pickings")["notified"] == 1
        assert details(bridge, order)[-1]["orderItems"][0]["quantity"] == number
    assert world.order(order.order_id).status == "SHIPPED"


def test_what_stays_open_on_amazon_without_a_backorder(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge, lines=[Line(quantity=3)])
    transfer = warehouse.open(order)
    warehouse.pick(transfer["id"], {"MUG-BLUE": 2})
    warehouse.label(transfer["id"], "DHL", "JD0001")
    context = {
        "skip_sms": True,
        "skip_backorder": True,
        "picking_ids_not_to_backorder": [transfer["id"]],
    }
    warehouse.rpc("stock.picking", "button_validate", [transfer["id"]], context=context)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    clock.advance(minutes=11)
    bridge.sync("pickings")
    assert world.order(order.order_id).status == "PARTIALLY_SHIPPED"
    sale_order = warehouse.shop.sale_order(order)["id"]
    text = warehouse.activities("sale.order", sale_order)["Amazon: units are still open"]
    assert "1 unit of MUG-BLUE is still open on Amazon" in text


@pytest.mark.odoo("real")
def test_one_transfer_for_two_orders(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    first, second = place(bridge, 2)
    kept, given = warehouse.open(first), warehouse.open(second)
    moves = [move["id"] for move in warehouse.moves(given["id"])]
    warehouse.rpc("stock.move", "write", moves, {"picking_id": kept["id"]})
    warehouse.ship(first)
    assert bridge.sync("pickings") == {"seen": 2, "notified": 2}
    for order in (first, second):
        (package,) = world.order(order.order_id).packages
        assert package.reference == str(kept["id"])


@pytest.mark.odoo("real")
def test_goods_out_of_amazons_stock_for_an_order_of_the_merchants(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.open(order)
    (amazon,) = warehouse.shop.search("stock.location", [("complete_name", "=", "WH/Amazon")], [])
    source = {"location_id": amazon["id"]}
    moves = [move["id"] for move in warehouse.moves(transfer["id"])]
    warehouse.rpc("stock.picking", "do_unreserve", [transfer["id"]])
    warehouse.rpc("stock.picking", "write", [transfer["id"]], source)
    warehouse.rpc("stock.move", "write", moves, {**source, "quantity": 1, "picked": True})
    warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}


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
        for table in ("accounts", "items", "rounds", "feeds", "hours"):
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


# Trouble


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
    assert bridge.sync("pickings") == {"quarantined": 1}
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
