"""An Odoo without the module for carriers and tracking references."""

import pytest
from bridge import Bridge
from odoo_server.databases import CARRIERS, OdooDatabase
from parcels import INCOMPLETE, details
from program import Program, SettledWorld
from warehouse import Warehouse

from amazon_bridge.flows.shipments import records

pytestmark = pytest.mark.usefixtures("without_delivery")


@pytest.fixture(scope="module")
def without_delivery(odoo_database: OdooDatabase, warehouse: Warehouse) -> None:
    names = [("name", "in", ["delivery", "stock_delivery"])]
    modules = odoo_database.rpc("ir.module.module", "search", names)
    odoo_database.rpc("ir.module.module", "button_immediate_uninstall", modules)


def test_shipments_wait_for_the_module_and_all_else_works(
    bridge: Bridge,
    world: SettledWorld,
    warehouse: Warehouse,
    program: Program,
    odoo_database: OdooDatabase,
) -> None:
    shop = warehouse.shop
    shipped, given_up, taken_back = (world.place_order("FR") for _ in range(3))
    by_amazon = world.place_order("FR", fulfilled_by="AMAZON", status="SHIPPED")
    assert bridge.sync("orders") == {"seen": 4, "created": 4}
    assert [row["state"] for row in shop.deliveries_of(by_amazon)] == ["done"]
    world.cancel(given_up.order_id)
    warehouse.cancel(taken_back)
    bridge.clock.advance(minutes=5)
    assert bridge.sync("orders")["cancelled"] == 1
    assert bridge.sync("cancellations")["notified"] == 1
    (transfer,) = shop.deliveries_of(shipped)
    warehouse.validate(transfer["id"])
    with bridge.configured(tracking_reminder="1h"):
        assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
        (waiting,) = records.pending_deliveries(bridge.app.ledger, "acme")
        assert waiting.lacks == ("carrier", "tracking reference")
        bridge.clock.advance(hours=2)
        assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
        activities = warehouse.activities("stock.picking", transfer["id"])
        assert "Install the module stock_delivery" in activities[INCOMPLETE]
        run = program.run("check")
        assert run.code == 3
        assert "(module stock_delivery, before Odoo 17: delivery): not installed" in " ".join(
            run.out.split()
        )
        odoo_database.install(CARRIERS)
        warehouse.label(transfer["id"], "DHL", "JD0001")
        assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    assert [detail["trackingNumber"] for detail in details(bridge, shipped)] == ["JD0001"]
