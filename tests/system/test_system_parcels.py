"""Delivery orders that aren't plain: corrected, with other goods, half cancelled, forgotten.

Played with an in-memory Odoo, which the tests of ``test_system_two_odoos_people`` hold to the real
one.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from bridge import Bridge, ShiftedClock
from memory_odoo import MemoryApp, MemoryDatabase, MemoryOdoo
from odoo_server.databases import OdooDatabase
from parcels import check_that_all_are_seen, details, item_ids, key, place
from program import MakeProgram, SettledWorld
from shop import Shop
from warehouse import Warehouse

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import State
from amazon_bridge.flows.shipments import records
from amazon_bridge.simulator import Line, Order, Seller

pytestmark = [pytest.mark.odoo("of the module"), pytest.mark.slow]

Sets = Callable[[int], None]
"""Changes how many pieces of MUG-BLUE the product map says are one SET-6."""


@pytest.fixture(scope="module")
def template() -> MemoryOdoo:
    odoo = MemoryOdoo()
    Shop(MemoryDatabase(server=odoo)).make_catalogue()
    return odoo


@pytest.fixture
def odoo(template: MemoryOdoo, clock: ShiftedClock) -> MemoryOdoo:
    return template.copy(clock)


@pytest.fixture
def odoo_database(odoo: MemoryOdoo) -> OdooDatabase:
    return MemoryDatabase(server=odoo)


@pytest.fixture
def shop(odoo_database: OdooDatabase) -> Shop:
    return Shop(odoo_database)


@pytest.fixture
def warehouse(shop: Shop) -> Warehouse:
    return Warehouse(shop)


@pytest.fixture
def bridge(
    make_program: MakeProgram, seller: Seller, clock: ShiftedClock, odoo: MemoryOdoo
) -> Iterator[Bridge]:
    def make_app(*args: Any, **kwargs: Any) -> MemoryApp:
        app = MemoryApp(*args, **kwargs)
        app.server = odoo
        return app

    program = make_program()
    program.add_account(seller)
    with closing(Bridge(program, clock, make_app)) as bridge:
        yield bridge


@pytest.fixture(autouse=True)
def _seen(bridge: Bridge, warehouse: Warehouse) -> Iterator[None]:
    yield
    check_that_all_are_seen(bridge, warehouse)


@pytest.fixture
def sets(bridge: Bridge, tmp_path: Path) -> Iterator[Sets]:
    """A product map by which an item SET-6 is six pieces of MUG-BLUE."""
    path = tmp_path / "products.csv"

    def pieces(number: int) -> None:
        row = f"item,,SET-6,MUG-BLUE,{number}"
        path.write_text(f"kind,marketplace,code,internal_reference,units\n{row}\n")
        bridge.close()

    pieces(6)
    with bridge.configured(product_map=str(path)):
        yield pieces


def new(sku: str, quantity: int = 1) -> Line:
    """A product that Odoo doesn't know yet."""
    return Line(sku=sku, quantity=quantity, price=Decimal(9 * quantity))


# Corrections


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


def test_another_product_of_the_same_order(
    bridge: Bridge, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    """Odoo counts it for the other item: too many left of that one, and none of this one."""
    (order,) = place(bridge, lines=[Line(sku="MUG-RED"), Line(sku="BOARD-OAK")])
    transfer = warehouse.open(order)
    warehouse.replace(transfer["id"], "MUG-RED", "BOARD-OAK")
    warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    board = item_ids(order)[1]
    assert details(bridge, order)[-1]["orderItems"] == [{"orderItemId": board, "quantity": 1}]
    activities = warehouse.activities("stock.picking", transfer["id"])
    assert "1 unit of BOARD-OAK left" in activities["Amazon doesn't take all that left"]
    clock.advance(minutes=11)
    bridge.sync("pickings")
    sale_order = warehouse.shop.sale_order(order)["id"]
    activities = warehouse.activities("sale.order", sale_order)
    assert "1 unit of MUG-RED is still open" in activities["Amazon: units are still open"]


def test_the_rest_is_shipped_in_seller_central(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    """Which changes nothing for the delivery order that was confirmed before."""
    (order,) = place(bridge, lines=[Line(quantity=3)])
    warehouse.ship(order, quantities={"MUG-BLUE": 1})
    assert bridge.sync("pickings")["notified"] == 1
    open_ = world.order(order.order_id)
    world.ship(order.order_id, replace(world.make_package(open_), reference="20000000"))
    clock.advance(minutes=11)
    bridge.sync("pickings")
    rest = warehouse.ship(order)
    bridge.sync("pickings")
    assert bridge.state("pickings", key(order, rest)) == State.DONE
    assert warehouse.activities("stock.picking", rest["id"]) == {}


def test_a_carrier_in_the_language_of_the_login(bridge: Bridge, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    carrier = warehouse.carrier("The Carrier")
    domain = [("code", "=", "fr_FR"), ("active", "in", [True, False])]
    (language,) = warehouse.shop.search("res.lang", domain, [])
    warehouse.rpc("res.lang", "write", [language["id"]], {"active": True})
    french = {"context": {"lang": "fr_FR"}}
    warehouse.rpc("delivery.carrier", "write", [carrier], {"name": "Colissimo"}, **french)
    (me,) = warehouse.shop.search("res.users", [("login", "=", "admin")], [])
    warehouse.rpc("res.users", "write", [me["id"]], {"lang": "fr_FR"})
    warehouse.ship(order, "The Carrier")
    bridge.close()
    assert bridge.sync("pickings")["notified"] == 1
    assert details(bridge, order)[0]["carrierCode"] == "Colissimo"


@pytest.mark.parametrize("part", [1, None], ids=["the rest", "the whole"])
def test_a_delivery_that_is_cancelled_while_its_order_goes_on(
    bridge: Bridge, warehouse: Warehouse, clock: ShiftedClock, part: int | None
) -> None:
    (order,) = place(bridge, lines=[Line(quantity=3)])
    if part:
        warehouse.ship(order, quantities={"MUG-BLUE": part})
        bridge.sync("pickings")
        clock.advance(minutes=11)
        bridge.sync("pickings")
    sale_order = warehouse.shop.sale_order(order)["id"]
    assert warehouse.activities("sale.order", sale_order) == {}
    warehouse.rpc("stock.picking", "action_cancel", [warehouse.open(order)["id"]])
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    (text,) = warehouse.activities("sale.order", sale_order).values()
    assert f"{3 - (part or 0)} units of MUG-BLUE are still open on Amazon" in text
    assert records.pending_deliveries(bridge.app.ledger, "acme") == []
    fetched = len(bridge.received("getOrder"))
    assert bridge.sync("pickings") == {}
    assert len(bridge.received("getOrder")) == fetched


def test_a_cancelled_delivery_is_found_although_it_lost_its_sale_order(
    bridge: Bridge, warehouse: Warehouse
) -> None:
    """All of its goods were replaced by others before."""
    (order,) = place(bridge)
    transfer = warehouse.open(order)["id"]
    warehouse.replace(transfer, "", "APRON-LIN")
    assert warehouse.shop.search("stock.picking", [("id", "=", transfer)], ["sale_id"]) == [
        {"id": transfer, "sale_id": False}
    ]
    warehouse.rpc("stock.picking", "action_cancel", [transfer])
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    sale_order = warehouse.shop.sale_order(order)["id"]
    (text,) = warehouse.activities("sale.order", sale_order).values()
    assert "still open on Amazon" in text


def test_an_order_that_is_cancelled_waits_for_nothing(bridge: Bridge, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    warehouse.cancel(order)
    assert bridge.sync("pickings") == {}


def test_one_that_is_done_again_with_more_goods(
    bridge: Bridge,
    world: SettledWorld,
    warehouse: Warehouse,
    odoo: MemoryOdoo,
    clock: ShiftedClock,
) -> None:
    """A backup was restored; Amazon has the package of the delivery that was lost."""
    (order,) = place(bridge, lines=[Line(quantity=3)])
    warehouse.carrier("DHL")
    backup = odoo.backup()
    before = warehouse.ship(order, quantities={"MUG-BLUE": 1})
    bridge.sync("pickings")
    clock.advance(minutes=11)
    bridge.sync("pickings")
    odoo.restore(backup)
    bridge.close()
    after = warehouse.ship(order)
    assert after["id"] == before["id"]
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (package,) = world.order(order.order_id).packages
    assert package.quantities == ((item_ids(order)[0], 3),)
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}


def test_a_person_says_what_left_when_it_is_settled(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    """The bridge was sure of itself, and wrong."""
    (order,) = place(bridge, lines=[Line(quantity=2)])
    warehouse.add(order, "APRON-LIN")
    transfer = warehouse.ship(order, quantities={"APRON-LIN": 1})
    bridge.sync("pickings")
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    for units in (1, 2):
        note = {"note": f"<p>Amazon shipped: MUG-BLUE = {units}</p>"}
        warehouse.rpc("stock.picking", "write", [transfer["id"]], note)
        assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
        (package,) = world.order(order.order_id).packages
        assert package.quantities == ((item_ids(order)[0], units),)
        assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
        clock.advance(minutes=11)
        bridge.sync("pickings")
        assert bridge.sync("pickings") == {}


@pytest.mark.parametrize("when", ["on its way", "not shown", "settled"])
def test_a_person_says_that_less_left_after_the_confirmation(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock, when: str
) -> None:
    (order,) = place(bridge, lines=[Line(quantity=2)])
    transfer = warehouse.ship(order)
    if when == "not shown":
        bridge.simulator.settings.package_delay = 3600
    bridge.sync("pickings")
    if when == "settled":
        clock.advance(minutes=11)
        bridge.sync("pickings")
        assert bridge.state("pickings", key(order, transfer)) == State.DONE
    for statement in ("nothing", "MUG-BLUE = 1")[: 1 if when == "not shown" else 2]:
        note = {"note": f"<p>Amazon shipped: {statement}</p>"}
        warehouse.rpc("stock.picking", "write", [transfer["id"]], note)
        assert bridge.sync("pickings") == {"seen": 1, "quarantined": 1}
        assert bridge.quarantine("pickings")[key(order, transfer)].kind == "told_too_much"
        activities = warehouse.activities("stock.picking", transfer["id"])
        assert activities.keys() == {"Amazon was told that more left"}
    assert len(details(bridge, order)) == 1
    clock.advance(hours=2)
    warehouse.rpc("stock.picking", "write", [transfer["id"]], {"note": False})
    bridge.sync("pickings")
    assert bridge.quarantine("pickings") == {}
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    assert warehouse.activities("stock.picking", transfer["id"]) == {}
    assert world.order(order.order_id).packages[0].quantities == ((item_ids(order)[0], 2),)


def test_whose_order_it_is_shows_when_its_account_asks(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    """That another seller's order isn't found is no proof that it is somebody else's."""
    bridge.program.add_account(world.add_seller("A1OTHER", ["US"]), "us")
    bridge.close()
    order = world.place_order("US")
    bridge.sync("orders", account="us")
    transfer = warehouse.ship(order)
    bridge.forget()
    bridge.sync("pickings")
    assert bridge.state("pickings", key(order, transfer)) == State.PENDING
    (waits,) = records.pending_deliveries(bridge.app.ledger, "acme")
    assert waits.delivery_order == transfer["name"]
    assert bridge.sync("pickings", account="us") == {"seen": 1, "notified": 1}
    assert bridge.sync("pickings") == {}
    assert bridge.state("pickings", key(order, transfer)) == State.LEFT_OUT
    assert records.pending_deliveries(bridge.app.ledger, "acme") == []


def test_a_marketplace_that_no_account_has_any_more(bridge: Bridge, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    bridge.forget()
    with bridge.configured(marketplaces=["DE"]):
        assert bridge.sync("pickings") == {"seen": 1, "quarantined": 1}
        assert bridge.quarantine("pickings")[key(order, transfer)].kind == "no_account"
        summary = "Amazon isn't told of this shipment"
        assert warehouse.activities("stock.picking", transfer["id"]).keys() == {summary}
    bridge.app.ledger.items.retry()


# Items of which one unit is several pieces in Odoo


def told_units(bridge: Bridge, order: Order) -> list[int]:
    found = [line["quantity"] for each in details(bridge, order) for line in each["orderItems"]]
    assert all(len(each["orderItems"]) == 1 for each in details(bridge, order))
    return found


def place_sets(bridge: Bridge, quantity: int = 2) -> Order:
    (order,) = place(bridge, lines=[Line(sku="SET-6", quantity=quantity, price=Decimal("59.95"))])
    return order


def activities(warehouse: Warehouse, order: Order) -> dict[str, str]:
    of_order = warehouse.activities("sale.order", warehouse.shop.sale_order(order)["id"])
    for transfer in warehouse.transfers(order):
        of_order |= warehouse.activities("stock.picking", transfer["id"])
    return of_order


def test_sets_are_sold_in_pieces_and_confirmed_in_units(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, sets: Sets, clock: ShiftedClock
) -> None:
    order = place_sets(bridge)
    line = warehouse.shop.lines()[f"sale_line_{item_ids(order)[0]}"]
    assert (line.sku, line.quantity, line.total) == ("MUG-BLUE", 12, Decimal("59.95"))
    warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    assert told_units(bridge, order) == [2]
    clock.advance(minutes=11)
    bridge.sync("orders")
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert world.order(order.order_id).status == "SHIPPED"
    assert activities(warehouse, order) == {}


@pytest.mark.parametrize(
    ("parcels", "confirmed"),
    [([6, 6], [1, 1]), ([7, 5], [1, 1]), ([3, 9], [2]), ([3, 3, 6], [1, 1]), ([11, 1], [1, 1])],
)
def test_a_unit_has_left_with_its_last_piece(
    bridge: Bridge, warehouse: Warehouse, sets: Sets, parcels: list[int], confirmed: list[int]
) -> None:
    order = place_sets(bridge)
    for number in parcels:
        warehouse.ship(order, quantities={"MUG-BLUE": number})
        bridge.sync("orders")
        bridge.sync("pickings")
    assert told_units(bridge, order) == confirmed
    assert activities(warehouse, order) == {}
    assert bridge.quarantine("pickings") == {}


@pytest.mark.parametrize(("left", "confirmed", "open_"), [(7, [1], "1 unit"), (3, [], "2 units")])
def test_the_rest_of_a_unit_is_never_to_leave(
    bridge: Bridge,
    warehouse: Warehouse,
    sets: Sets,
    *,
    left: int,
    confirmed: list[int],
    open_: str,
) -> None:
    order = place_sets(bridge)
    warehouse.ship(order, quantities={"MUG-BLUE": left})
    warehouse.rpc("stock.picking", "action_cancel", [warehouse.open(order)["id"]])
    bridge.sync("pickings")
    bridge.clock.advance(minutes=11)
    bridge.sync("pickings")
    assert told_units(bridge, order) == confirmed
    (text,) = activities(warehouse, order).values()
    assert f"{open_} of SET-6" in text
    assert "still open on Amazon" in text


@pytest.mark.parametrize("before", [1, 6, 12])
def test_the_map_is_changed_between_the_import_and_the_parcel(
    bridge: Bridge, warehouse: Warehouse, sets: Sets, before: int
) -> None:
    sets(before)
    order = place_sets(bridge)
    sets(2 if before == 1 else 1)
    bridge.simulator.world.change(order.order_id)
    bridge.sync("orders")
    warehouse.ship(order, quantities={"MUG-BLUE": before})
    bridge.sync("pickings")
    assert told_units(bridge, order) == [1]
    warehouse.ship(order)
    bridge.sync("pickings")
    assert told_units(bridge, order) == [1, 1]
    assert activities(warehouse, order) == {}


@pytest.mark.parametrize("job", ["orders", "pickings"])
def test_the_state_store_is_lost_between_the_import_and_the_parcel(
    bridge: Bridge, warehouse: Warehouse, sets: Sets, job: str
) -> None:
    order = place_sets(bridge)
    bridge.forget()
    bridge.sync(job)
    warehouse.ship(order, quantities={"MUG-BLUE": 6})
    bridge.sync("pickings")
    assert told_units(bridge, order) == [1]


def replaced_set(bridge: Bridge, warehouse: Warehouse) -> tuple[Order, dict[str, Any]]:
    """One set, of which the packer takes another product; with its delivery order."""
    order = place_sets(bridge, quantity=1)
    transfer = warehouse.open(order)
    warehouse.replace(transfer["id"], "MUG-BLUE", "MUG-RED")
    return order, transfer


def test_a_set_goes_out_with_another_product(
    bridge: Bridge, warehouse: Warehouse, sets: Sets
) -> None:
    order, _ = replaced_set(bridge, warehouse)
    warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    assert told_units(bridge, order) == [1]


def test_part_of_a_set_goes_out_with_another_product(
    bridge: Bridge, warehouse: Warehouse, sets: Sets
) -> None:
    order, transfer = replaced_set(bridge, warehouse)
    warehouse.ship(order, quantities={"MUG-RED": 2})
    assert bridge.sync("pickings") == {"seen": 1, "quarantined": 1}
    assert bridge.quarantine("pickings")[key(order, transfer)].kind == "goods_unclear"
    assert told_units(bridge, order) == []
