"""Corrections of what was confirmed: other quantities, lost references, restored backups."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from bridge import Bridge, ShiftedClock
from memory_odoo import MemoryOdoo
from parcels import details, item_ids, key, place
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import State
from amazon_bridge.flows.shipments import records
from amazon_bridge.simulator import Line

pytestmark = [pytest.mark.odoo("of the module"), pytest.mark.slow]


def new(sku: str, quantity: int = 1) -> Line:
    """A product that Odoo doesn't know yet."""
    return Line(sku=sku, quantity=quantity, price=Decimal(9 * quantity))


@pytest.mark.parametrize("settled", [False, True], ids=["on its way", "settled"])
def test_a_correction_is_confirmed_under_the_same_reference(
    bridge: Bridge,
    world: SettledWorld,
    warehouse: Warehouse,
    clock: ShiftedClock,
    *,
    settled: bool,
) -> None:
    (order,) = place(bridge, lines=[Line(quantity=2)])
    transfer = warehouse.ship(order, "DHL", "JD 00 01")
    bridge.sync("pickings")
    if settled:
        clock.advance(minutes=11)
        bridge.sync("pickings")
    warehouse.label(transfer["id"], "UPS", "1Z 999 AA1 01 2345 6784")
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    before, after = details(bridge, order)
    assert (before["carrierCode"], before["trackingNumber"]) == ("DHL", "JD0001")
    assert (after["carrierCode"], after["trackingNumber"]) == ("UPS", "1Z999AA10123456784")
    for part in ("packageReferenceId", "orderItems", "shipDate"):
        assert before[part] == after[part]
    (package,) = world.order(order.order_id).packages
    assert package.tracking_number == "1Z999AA10123456784"
    notes = warehouse.notes("stock.picking", transfer["id"])
    assert "reference 1Z999AA10123456784" in notes["Amazon: shipment corrected"]
    clock.advance(minutes=11)
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    assert bridge.sync("pickings") == {}
    assert "JD0001" not in bridge.program.state.read_bytes().decode("latin-1")


def test_a_cleared_reference_is_no_correction(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order, "DHL", "JD0001")
    bridge.sync("pickings")
    clock.advance(minutes=11)
    bridge.sync("orders")  # as shipped
    bridge.sync("pickings")
    warehouse.label(transfer["id"], "DHL", None)
    note = {"note": "<p>Amazon shipped: all</p>"}
    warehouse.rpc("stock.picking", "write", [transfer["id"]], note)
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    # It is entered again: Amazon has it already.
    warehouse.label(transfer["id"], "DHL", "JD0001")
    assert bridge.sync("pickings") == {}
    warehouse.label(transfer["id"], "DHL", "JD0002")
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (package,) = world.order(order.order_id).packages
    assert package.tracking_number == "JD0002"


def test_amazon_does_not_find_the_package_to_be_corrected(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    bridge.sync("pickings")
    warehouse.label(transfer["id"], "DHL", "JD0009")
    body = '{"errors": [{"code": "PackageToUpdateNotFound", "message": "Not found"}]}'
    response = {"kind": "response", "status": 400, "body": body}
    bridge.simulator.faults.add(operation="confirmShipment", times=None, **response)
    for _ in range(2):
        clock.advance(hours=2)
        assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    clock.advance(hours=5)
    assert bridge.sync("pickings") == {"seen": 1, "quarantined": 1}
    remedy = bridge.quarantine("pickings")[key(order, transfer)].remedy
    assert "doesn't find the package" in (remedy or "")
    bridge.simulator.faults.clear()
    bridge.app.ledger.items.retry(order.order_id)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (package,) = world.order(order.order_id).packages
    assert package.tracking_number == "JD0009"


def test_a_person_says_what_left(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    (order,) = place(bridge, lines=[new("NEW-1"), new("NEW-2", 2)])
    transfer = warehouse.open(order)
    warehouse.replace(transfer["id"], "Amazon Sale", "APRON-LIN")
    warehouse.ship(order, quantities={"APRON-LIN": 1})
    assert bridge.sync("pickings") == {"seen": 1, "quarantined": 1}
    assert bridge.quarantine("pickings")[key(order, transfer)].kind == "goods_unclear"
    summary = "Amazon: say what left with this delivery"
    (activity,) = warehouse.activities("stock.picking", transfer["id"]).items()
    assert activity[0] == summary
    assert "NEW-2" in activity[1]
    assert bridge.sync("pickings") == {}
    note = {"note": "<p>Fragile</p><p>Amazon shipped: NEW-2 = 1</p>"}
    warehouse.rpc("stock.picking", "write", [transfer["id"]], note)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (detail,) = details(bridge, order)
    assert detail["orderItems"] == [{"orderItemId": item_ids(order)[1], "quantity": 1}]
    assert warehouse.activities("stock.picking", transfer["id"]) == {}
    assert bridge.quarantine("pickings") == {}


def test_a_person_says_what_left_on_several_lines(bridge: Bridge, warehouse: Warehouse) -> None:
    (order,) = place(bridge, lines=[new("NEW-1"), new("NEW-2", 2), new("NEW-3")])
    transfer = warehouse.open(order)
    warehouse.replace(transfer["id"], "Amazon Sale", "APRON-LIN")
    warehouse.ship(order, quantities={"APRON-LIN": 1})
    bridge.sync("pickings")
    state = {"note": "<p>Amazon shipped: all</p><p>Amazon shipped: nothing</p>"}
    warehouse.rpc("stock.picking", "write", [transfer["id"]], state)
    assert bridge.sync("pickings") == {"seen": 1, "quarantined": 1}
    assert details(bridge, order) == []
    assert "all; nothing" in bridge.quarantine("pickings")[key(order, transfer)].reason
    state = {"note": "<p>Amazon shipped: NEW-1 = 1</p><p>Amazon shipped: NEW-2 = 2</p>"}
    warehouse.rpc("stock.picking", "write", [transfer["id"]], state)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (detail,) = details(bridge, order)
    assert [each["quantity"] for each in detail["orderItems"]] == [1, 2]
    assert warehouse.activities("stock.picking", transfer["id"]) == {}


def test_the_replaced_rest_is_still_to_be_shipped(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    """Odoo counts nothing as delivered for the item; Amazon's package shows what left."""
    (order,) = place(bridge, lines=[Line(quantity=2), new("NEW-B", 3)])
    transfer = warehouse.open(order)
    warehouse.replace(transfer["id"], "Amazon Sale", "APRON-LIN")
    warehouse.ship(order, quantities={"APRON-LIN": 2})
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    clock.advance(minutes=11)
    bridge.sync("orders")
    sale_order, rest = warehouse.shop.sale_order(order)["id"], warehouse.open(order)["id"]
    assert warehouse.activities("sale.order", sale_order) == {}
    assert warehouse.activities("stock.picking", rest) == {}
    world.cancel_units(order.order_id, item_ids(order)[1], 1, lowers_quantity=False)
    clock.advance(minutes=11)
    bridge.sync("orders")
    (text,) = (
        text
        for subject, text in warehouse.activities("stock.picking", rest).items()
        if subject == "Amazon: don't ship all units"
    )
    assert "1 unit of NEW-B" in text


def test_nothing_of_amazons_left(bridge: Bridge, warehouse: Warehouse) -> None:
    """Somebody added goods to the order, which leave in front of what Amazon sold."""
    (order,) = place(bridge)
    warehouse.add(order, "APRON-LIN")
    transfer = warehouse.ship(order, quantities={"APRON-LIN": 1})
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert details(bridge, order) == []
    notes = warehouse.notes("stock.picking", transfer["id"])
    assert "No unit that Amazon expects left" in notes["Amazon: nothing to tell"]
    bridge.forget()
    assert bridge.sync("pickings") == {}
    warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}


@pytest.mark.parametrize("lowers_quantity", [True, False])
def test_units_that_amazon_has_cancelled_meanwhile(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, *, lowers_quantity: bool
) -> None:
    (order,) = place(bridge, lines=[Line(quantity=3), Line(sku="MUG-RED")])
    mug, red = order.items
    transfer = warehouse.ship(order)
    for item in (mug, red):
        world.cancel_units(order.order_id, item.order_item_id, 1, lowers_quantity=lowers_quantity)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    assert details(bridge, order)[-1]["orderItems"] == [
        {"orderItemId": mug.order_item_id, "quantity": 2}
    ]
    activity = warehouse.activities("stock.picking", transfer["id"])
    text = activity["Amazon doesn't take all that left"]
    assert "1 unit of MUG-BLUE and 1 unit of MUG-RED left" in text
    assert bridge.quarantine("pickings") == {}


def test_more_left_than_was_confirmed_in_seller_central(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(bridge, lines=[Line(quantity=3)])
    order = world.cancel_units(order.order_id, item_ids(order)[0], 1)
    world.ship(order.order_id, replace(world.make_package(order), reference="20000000"))
    transfer = warehouse.ship(order)
    bridge.sync("pickings")
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    (text,) = warehouse.activities("stock.picking", transfer["id"]).values()
    assert "1 unit of MUG-BLUE left" in text


def test_more_left_than_amazon_had_open_at_the_import(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    order = world.place_order("FR", lines=[Line(quantity=3), Line(sku="MUG-RED")])
    package = world.make_package(order, {item_ids(order)[0]: 2})
    world.ship(order.order_id, replace(package, reference="20000000"))
    bridge.sync("orders")
    transfer = warehouse.ship(order)
    clock.advance(minutes=11)
    bridge.sync("orders")
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    assert [each["quantity"] for each in details(bridge, order)[0]["orderItems"]] == [1, 1]
    text = warehouse.activities("stock.picking", transfer["id"])[
        "Amazon doesn't take all that left"
    ]
    assert "2 units of MUG-BLUE left" in text


def test_a_package_of_seller_central_has_its_reference(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge, lines=[Line(quantity=3), Line(sku="MUG-RED")])
    transfer = warehouse.open(order)
    package = world.make_package(order, {item_ids(order)[0]: 2})
    package = replace(package, reference=str(transfer["id"]))
    world.ship(order.order_id, package)
    clock.advance(minutes=11)
    bridge.sync("orders")
    warehouse.ship(order, quantities={"MUG-BLUE": 1, "MUG-RED": 1})
    assert bridge.sync("pickings") == {"seen": 1, "quarantined": 1}
    assert bridge.quarantine("pickings")[key(order, transfer)].kind == "reference_taken"
    subjects = warehouse.activities("stock.picking", transfer["id"]).keys()
    assert "Amazon isn't told of this shipment" in subjects
    assert world.order(order.order_id).packages == (package,)
    left = world.make_package(world.order(order.order_id))
    world.ship(order.order_id, replace(left, reference="20000000"))
    bridge.app.ledger.items.retry(order.order_id)
    bridge.sync("pickings")
    assert bridge.quarantine("pickings") == {}
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    assert details(bridge, order) == []


def test_a_lost_state_store_recognises_its_package(
    bridge: Bridge, warehouse: Warehouse, world: SettledWorld
) -> None:
    """Even without the note that says so."""
    (order,) = place(bridge, lines=[Line(quantity=3)])
    transfer = warehouse.ship(order, quantities={"MUG-BLUE": 1})
    bridge.simulator.faults.add("reset", "confirmShipment", after_work=True, times=None)
    bridge.sync("pickings")
    bridge.simulator.faults.clear()
    bridge.forget()
    sent = len(details(bridge, order))
    bridge.sync("pickings")
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    assert len(details(bridge, order)) == sent > 0
    (package,) = world.order(order.order_id).packages
    assert package.quantities == ((item_ids(order)[0], 1),)


def test_one_that_odoo_has_no_more(bridge: Bridge, warehouse: Warehouse, odoo: MemoryOdoo) -> None:
    """As after a backup was restored."""
    (order,) = place(bridge)
    backup = odoo.backup()
    before = warehouse.ship(order, None, None)
    bridge.sync("pickings")
    assert len(records.pending_deliveries(bridge.app.ledger, "acme")) == 1
    odoo.restore(backup)
    bridge.close()
    assert bridge.sync("pickings") == {}
    assert records.pending_deliveries(bridge.app.ledger, "acme") == []
    after = warehouse.ship(order, None, None)
    assert after["id"] == before["id"]
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert len(records.pending_deliveries(bridge.app.ledger, "acme")) == 1


def test_a_backup_of_odoo_is_restored(
    bridge: Bridge,
    world: SettledWorld,
    warehouse: Warehouse,
    odoo: MemoryOdoo,
    clock: ShiftedClock,
) -> None:
    """Names and ids are given out again, to the delivery orders of other orders."""
    warehouse.carrier("DHL")
    backup = odoo.backup()
    (first,) = place(bridge)
    before = warehouse.ship(first)
    bridge.sync("pickings")
    clock.advance(minutes=11)
    bridge.sync("pickings")
    odoo.restore(backup)
    bridge.close()
    clock.advance(hours=2)
    bridge.app.ledger.cursors.set("acme", clock() - timedelta(hours=1))
    (second,) = place(bridge)
    after = warehouse.ship(second)
    assert (after["id"], after["name"]) == (before["id"], before["name"])
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    assert world.order(second.order_id).status == "SHIPPED"


def test_what_people_see_of_one_in_the_quarantine(bridge: Bridge, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    bridge.simulator.faults.add("400", "confirmShipment")
    bridge.sync("pickings")
    (entry,) = bridge.quarantine("pickings").values()
    assert entry.display_key == f"{transfer['name']}@{order.order_id}#{transfer['id']}"
    for named in (entry.display_key, entry.key, transfer["name"], order.order_id):
        assert bridge.app.ledger.items.retry(named) == 1
        bridge.app.ledger.items.quarantine(
            "acme", "pickings", entry.key, ItemError("internal_error", "Again.", "Report it.")
        )
