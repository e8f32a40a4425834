"""Goods that take several steps, leave another warehouse, or come from a vendor."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from bridge import Bridge
from odoo_server.databases import OdooDatabase
from parcels import details, place
from program import SettledWorld
from shop import Rows
from warehouse import Warehouse

from amazon_bridge.simulator import Line, Order

pytestmark = pytest.mark.usefixtures("valid_confirmations")


@pytest.fixture(scope="module", autouse=True)
def vendor(odoo_database: OdooDatabase, warehouse: Warehouse) -> None:
    """A vendor ships the product DROP to the customers."""
    odoo_database.install("stock_dropshipping")
    route = odoo_database.reference("stock_dropshipping.route_drop_shipping")
    partner = warehouse.rpc("res.partner", "create", {"name": "Vendor"})
    warehouse.shop.make_products(
        {
            "DROP": {
                "route_ids": [(6, 0, [route])],
                "seller_ids": [(0, 0, {"partner_id": partner, "price": 5})],
            }
        }
    )


@pytest.fixture
def three_steps(warehouse: Warehouse, bridge: Bridge) -> Iterator[None]:
    """The account's goods are in a second warehouse, which picks, packs and ships."""
    with bridge.configured(warehouse="W2"):
        yield


@pytest.fixture(scope="module", autouse=True)
def second(warehouse: Warehouse) -> int:
    values = {"name": "Second", "code": "W2", "delivery_steps": "pick_pack_ship"}
    id_ = int(warehouse.rpc("stock.warehouse", "create", values))
    (place_,) = warehouse.rpc("stock.warehouse", "read", [id_], ["lot_stock_id"])
    products = warehouse.shop.search("product.product", [("default_code", "like", "MUG")], [])
    quants = [
        {"product_id": p["id"], "location_id": place_["lot_stock_id"][0], "inventory_quantity": 99}
        for p in products
    ]
    ids = warehouse.rpc("stock.quant", "create", quants)
    warehouse.rpc("stock.quant", "action_apply_inventory", ids)
    return id_


def open_transfers(warehouse: Warehouse, order: Order) -> Rows:
    return [t for t in warehouse.transfers(order) if t["state"] not in {"done", "cancel"}]


def ready_transfers(warehouse: Warehouse, order: Order) -> Rows:
    """Before Odoo 18 the later steps are there from the beginning, and wait."""
    return [t for t in warehouse.transfers(order) if t["state"] == "assigned"]


def read_back(bridge: Bridge) -> None:
    """Let the bridge see that Amazon shows what was confirmed."""
    bridge.clock.advance(minutes=11)
    bridge.sync("pickings")


def activities(warehouse: Warehouse, order: Order) -> dict[str, str]:
    return warehouse.activities("sale.order", warehouse.shop.sale_order(order)["id"])


@pytest.mark.usefixtures("three_steps")
def test_a_part_is_shipped_while_the_rest_is_not_packed(
    bridge: Bridge, warehouse: Warehouse
) -> None:
    (order,) = place(bridge, lines=[Line(sku="MUG-RED", quantity=3)])
    (pick,) = ready_transfers(warehouse, order)
    warehouse.pick(pick["id"], {"MUG-RED": 1})
    warehouse.validate(pick["id"])
    for _ in range(2):
        (step,) = (t for t in ready_transfers(warehouse, order) if t["backorder_id"] is False)
        warehouse.label(step["id"], "DHL", "JD0001")
        assert bridge.sync("pickings") == {}
        warehouse.validate(step["id"])
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    assert [d["orderItems"][0]["quantity"] for d in details(bridge, order)] == [1]
    read_back(bridge)
    assert activities(warehouse, order) == {}
    for _ in range(3):
        (step,) = ready_transfers(warehouse, order)
        warehouse.label(step["id"], "DHL", "JD0002")
        warehouse.validate(step["id"])
    assert bridge.sync("pickings")["notified"] == 1
    assert [d["orderItems"][0]["quantity"] for d in details(bridge, order)] == [1, 2]
    assert activities(warehouse, order) == {}


@pytest.mark.usefixtures("three_steps")
def test_cancelled_on_either_side_while_it_is_packed(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    by_buyer, by_shop = place(bridge, 2)
    for order in (by_buyer, by_shop):
        (pick,) = ready_transfers(warehouse, order)
        warehouse.validate(pick["id"])
    world.cancel(by_buyer.order_id)
    warehouse.cancel(by_shop)
    assert bridge.sync("cancellations")["notified"] == 1
    bridge.clock.advance(minutes=5)
    assert bridge.sync("orders")["cancelled"] == 1
    for order in (by_buyer, by_shop):
        assert warehouse.shop.sale_order(order)["state"] == "cancel"
        assert open_transfers(warehouse, order) == []


@pytest.mark.usefixtures("three_steps")
def test_goods_at_amazon_leave_the_accounts_warehouse_in_one_step(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, second: int
) -> None:
    order = world.place_order("FR", fulfilled_by="AMAZON", status="SHIPPED")
    assert bridge.sync("orders") == {"seen": 1, "created": 1}
    assert warehouse.shop.sale_order(order)["warehouse_id"][0] == second
    (transfer,) = warehouse.shop.deliveries_of(order)
    assert (transfer["state"], transfer["location_id"][1]) == ("done", "W2/Amazon")


# Drop-shipping


def confirm_purchase(warehouse: Warehouse, order: Order) -> dict[str, Any]:
    """Confirm the request for quotation of an order; returns the vendor's transfer."""
    name = warehouse.shop.sale_order(order)["name"]
    (purchase,) = warehouse.shop.search("purchase.order", [("origin", "like", name)], [])
    warehouse.rpc("purchase.order", "button_confirm", [purchase["id"]])
    codes = {"dropship", "incoming"}  # a receipt before Odoo 17
    (transfer,) = (t for t in warehouse.transfers(order) if t["picking_type_code"] in codes)
    return transfer


def test_a_vendor_ships_and_amazon_gets_the_tracking_reference(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    order = world.place_order("FR", [Line(sku="DROP", price=Decimal(9), quantity=2)])
    assert bridge.sync("orders") == {"seen": 1, "created": 1}
    assert warehouse.transfers(order) == []
    world.change(order.order_id, seller_order_id="MINE")
    assert bridge.sync("orders") == {"seen": 1, "unchanged": 1}
    transfer = confirm_purchase(warehouse, order)
    assert bridge.sync("pickings") == {}
    warehouse.validate(transfer["id"])
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    warehouse.label(transfer["id"], "DHL", "JD0001")
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (detail,) = details(bridge, order)
    assert detail["packageReferenceId"] == str(transfer["id"])
    assert world.order(order.order_id).status == "SHIPPED"
    assert activities(warehouse, order) == {}


def test_an_order_in_part_from_a_vendor_is_confirmed_in_two_packages(
    bridge: Bridge, warehouse: Warehouse
) -> None:
    (order,) = place(bridge, lines=[Line(sku="DROP", price=Decimal(9)), Line(sku="MUG-RED")])
    (own,) = warehouse.transfers(order)
    warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    read_back(bridge)
    assert activities(warehouse, order) == {}
    transfer = confirm_purchase(warehouse, order)
    warehouse.label(transfer["id"], "DHL", "JD0002")
    warehouse.validate(transfer["id"])
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    references = [detail["packageReferenceId"] for detail in details(bridge, order)]
    assert references == [str(own["id"]), str(transfer["id"])]
    assert activities(warehouse, order) == {}


@pytest.fixture
def receipts(warehouse: Warehouse) -> Iterator[None]:
    """A vendor's transfers to customers are receipts, as before Odoo 17."""
    domain = [("name", "=", "Dropship"), ("company_id", "=", 1)]
    places = ["default_location_src_id", "default_location_dest_id"]
    (type_,) = warehouse.shop.search("stock.picking.type", domain, ["code", *places])
    kept = {name: type_[name][0] for name in places}  # a new code alone would change them
    warehouse.rpc("stock.picking.type", "write", [type_["id"]], {**kept, "code": "incoming"})
    yield
    warehouse.rpc("stock.picking.type", "write", [type_["id"]], {**kept, "code": type_["code"]})


@pytest.mark.usefixtures("receipts")
def test_a_vendors_goods_have_left_when_amazon_cancels(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(bridge, lines=[Line(sku="DROP", price=Decimal(9))])
    warehouse.validate(confirm_purchase(warehouse, order)["id"])
    world.cancel(order.order_id)
    bridge.clock.advance(minutes=5)
    assert bridge.sync("orders")["quarantined"] == 1
    assert "goods of" in (bridge.quarantine("orders")[order.order_id].reason or "")
    assert warehouse.shop.sale_order(order)["state"] == "sale"


def test_a_vendors_order_is_cancelled_before_it_is_ordered(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    by_buyer, by_shop = place(bridge, 2, lines=[Line(sku="DROP", price=Decimal(9))])
    world.cancel(by_buyer.order_id)
    warehouse.cancel(by_shop)
    assert bridge.sync("cancellations")["notified"] == 1
    bridge.clock.advance(minutes=5)
    assert bridge.sync("orders")["cancelled"] == 1
    assert warehouse.shop.sale_order(by_buyer)["state"] == "cancel"
