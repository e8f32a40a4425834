"""Both ways, over each transport that isn't the one of all the other tests."""

import pytest
from bridge import Bridge, ShiftedClock
from odoo_server.databases import VERSION
from program import Program, SettledWorld
from warehouse import Warehouse

from amazon_bridge.simulator import Line

FIRST_WITH_JSON2 = 19
PROTOCOLS = [
    pytest.param(
        "jsonrpc",
        marks=pytest.mark.since_odoo(16, "error messages over JSON-RPC with several databases"),
    ),
    pytest.param("json2", marks=pytest.mark.since_odoo(19, "JSON-2")),
]


@pytest.fixture(params=PROTOCOLS)
def program(request: pytest.FixtureRequest, program: Program) -> Program:
    program.protocol = request.param
    return program


def test_orders_cancellations_and_shipments(
    bridge: Bridge, clock: ShiftedClock, world: SettledWorld, warehouse: Warehouse
) -> None:
    shipped, given_up, taken_back = (world.place_order("FR", [Line(quantity=2)]) for _ in range(3))
    by_amazon = world.place_order("DE", fulfilled_by="AMAZON", status="SHIPPED")
    assert bridge.sync("orders") == {"seen": 4, "created": 4}
    assert warehouse.shop.deliveries_of(by_amazon)[0]["state"] == "done"
    world.cancel(given_up.order_id)
    warehouse.cancel(taken_back)
    warehouse.ship(shipped)
    clock.advance(minutes=5)
    assert bridge.sync("orders")["cancelled"] == 1
    assert bridge.sync("cancellations")["notified"] == 1
    assert bridge.sync("pickings")["notified"] == 1
    assert warehouse.shop.sale_order(given_up)["state"] == "cancel"
    again = bridge.sync("orders")
    assert again["seen"] == again["unchanged"]


def test_check_says_when_the_transport_ends(program: Program) -> None:
    program.run("setup")
    found = program.run("check").out
    name = {"jsonrpc": "JSON-RPC", "json2": "JSON-2"}[program.protocol]
    assert f"Calls go to Odoo by {name}" in found
    ends = VERSION >= FIRST_WITH_JSON2 and program.protocol != "json2"
    assert ("end with Odoo 22" in " ".join(found.split())) == ends
