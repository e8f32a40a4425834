"""Delivery orders that aren't plain: with other goods, half cancelled, done again."""

from dataclasses import replace

import pytest
from bridge import Bridge, ShiftedClock
from memory_odoo import MemoryOdoo
from parcels import details, item_ids, key, place
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.engine.records import State
from amazon_bridge.flows.shipments import records
from amazon_bridge.simulator import Line

pytestmark = [pytest.mark.odoo("of the module"), pytest.mark.slow]


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
