"""Orders to ship, between an Odoo in memory and a simulated Amazon."""

from __future__ import annotations

from datetime import timedelta

import pytest
from memory_shop import MemoryShop, place

from amazon_bridge.flows.ship_by.decide import Obstacle, OrderToShip
from amazon_bridge.flows.ship_by.find import orders_to_ship, read_deliveries

pytestmark = pytest.mark.odoo("in memory")


def to_ship(here: MemoryShop) -> dict[str, OrderToShip]:
    app = here.bridge.app
    accounts = app.config.accounts
    orders = orders_to_ship(app.ledger, accounts, accounts[0], read_deliveries(app.odoo, app.clock))
    return {order.order_id: order for order in orders}


def obstacles(here: MemoryShop) -> dict[str, Obstacle]:
    return {order_id: order.obstacle for order_id, order in to_ship(here).items()}


def reserve(here: MemoryShop, transfer_id: int, *, nothing: bool = False) -> None:
    of_transfer = [("picking_id", "=", transfer_id)]
    for move in here.shop.search("stock.move", of_transfer, ["product_uom_qty"]):
        quantity = 0 if nothing else move["product_uom_qty"]
        here.shop.rpc("stock.move", "write", [move["id"]], {"quantity": quantity})


def test_an_order_is_listed_from_amazon_until_amazon_knows_that_it_left(here: MemoryShop):
    [order] = place(here)
    place(here, fulfilled_by="AMAZON")
    here.run("orders")
    [found] = to_ship(here).values()
    assert (found.order_id, found.obstacle) == (order.order_id, Obstacle.NOTHING)
    assert found.ship_by == order.created + timedelta(days=2)
    [delivery] = here.warehouse.transfers(order)
    assert (found.delivery_id, found.delivery) == (delivery["id"], delivery["name"])
    reserve(here, delivery["id"], nothing=True)
    assert obstacles(here) == {order.order_id: Obstacle.NO_STOCK}
    reserve(here, delivery["id"])
    here.warehouse.ship(order, None, None)
    here.run("pickings")
    assert obstacles(here) == {order.order_id: Obstacle.NOT_CONFIRMED}
    here.warehouse.label(delivery["id"], "DHL", "JD1")
    here.run("pickings")
    assert obstacles(here) == {}
    here.run()
    assert obstacles(here) == {}


def test_orders_that_did_not_come_into_odoo_are_listed_too(here: MemoryShop):
    here.odoo.suspicious = "Testwell"
    [stuck, *_] = orders = place(here, 3)
    here.world.change(stuck.order_id, patch={"orderItems": []})
    here.odoo.suspicious = ""
    here.run("orders")
    found = to_ship(here)
    assert set(found) == {order.order_id for order in orders}
    assert found[stuck.order_id].obstacle is Obstacle.QUARANTINED
    assert found[stuck.order_id].marketplace_id


def test_cancelled_orders_and_those_shipped_elsewhere_do_not_count(here: MemoryShop):
    here_cancelled, there_cancelled, shipped, kept = place(here, 4)
    here.run("orders")
    assert len(obstacles(here)) == 4
    here.world.cancel(there_cancelled.order_id)
    here.world.ship(shipped.order_id)
    here.warehouse.cancel(here_cancelled)
    here.run()
    assert obstacles(here) == {
        kept.order_id: Obstacle.NOTHING,
        here_cancelled.order_id: Obstacle.NOT_CONFIRMED,
    }
    here.clock.advance(minutes=30)
    here.run()
    assert obstacles(here) == {kept.order_id: Obstacle.NOTHING}


def test_an_order_whose_delivery_order_was_cancelled_stays_listed(here: MemoryShop):
    [order] = place(here)
    here.run("orders")
    [delivery] = here.warehouse.transfers(order)
    here.shop.rpc("stock.picking", "action_cancel", [delivery["id"]])
    here.run("pickings")
    assert obstacles(here) == {order.order_id: Obstacle.NO_DELIVERY}
    here.clock.advance(hours=20)
    here.run()
    assert obstacles(here) == {order.order_id: Obstacle.NO_DELIVERY}
