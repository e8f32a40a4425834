"""An Odoo whose people work in French, with names that they translated."""

from collections.abc import Iterator

import pytest
from bridge import Bridge
from odoo_server.databases import OdooDatabase
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.simulator import Order

FRENCH = "fr_FR"
SHOWN = {"Our van": "Notre camionnette", "Bicycle": "Coursier à vélo", "DHL": "DHL (France)"}
"""What people call these carriers."""


@pytest.fixture(scope="module", autouse=True)
def french(odoo_database: OdooDatabase, warehouse: Warehouse) -> None:
    """The login works in French, and carriers and tags have French names."""
    rpc = odoo_database.rpc
    archived = {"active_test": False}
    languages = rpc("res.lang", "search", [("code", "=", FRENCH)], context=archived)
    wizard = rpc("base.language.install", "create", {"lang_ids": [(6, 0, languages)]})
    rpc("base.language.install", "lang_install", [wizard])
    rpc("res.users", "write", [2], {"lang": FRENCH})
    for source, name in SHOWN.items():
        translate(warehouse, "delivery.carrier", warehouse.carrier(source), name)
    tag = rpc("crm.tag", "create", {"name": "Buyer canceled"})
    translate(warehouse, "crm.tag", tag, "L'acheteur ne veut plus")


def translate(warehouse: Warehouse, model: str, id_: int, name: str) -> None:
    warehouse.rpc(model, "write", [id_], {"name": name}, context={"lang": FRENCH})


@pytest.fixture
def orders(bridge: Bridge, world: SettledWorld) -> Iterator[list[Order]]:
    placed = [world.place_order("FR") for _ in SHOWN]
    assert bridge.sync("orders") == {"seen": len(SHOWN), "created": len(SHOWN)}
    return placed


def test_amazon_is_told_the_carrier_that_people_see(
    bridge: Bridge, warehouse: Warehouse, orders: list[Order]
) -> None:
    for order, carrier in zip(orders, SHOWN, strict=True):
        warehouse.ship(order, carrier, f"JD-{carrier}")
    with bridge.configured(carriers={"Notre camionnette": "Self Delivery"}):
        assert bridge.sync("pickings") == {"seen": len(SHOWN), "notified": len(SHOWN)}
    told = []
    for order in orders:
        (body,) = bridge.confirmations(order.order_id)
        detail = body["packageDetail"]
        told.append((detail["carrierCode"], detail.get("carrierName")))
    assert told == [("Self Delivery", None), ("Other", "Coursier à vélo"), ("DHL", None)]


def test_a_carrier_configured_by_its_english_name_works_still(
    bridge: Bridge, warehouse: Warehouse, orders: list[Order]
) -> None:
    warehouse.ship(orders[0], "Our van", "JD1")
    with bridge.configured(carriers={"Our van": "Self Delivery"}):
        assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (body,) = bridge.confirmations(orders[0].order_id)
    assert body["packageDetail"]["carrierCode"] == "Self Delivery"


def test_a_tag_gives_the_reason_in_either_language(
    bridge: Bridge, warehouse: Warehouse, orders: list[Order]
) -> None:
    order, other, _ = orders
    warehouse.tag(order, "Buyer canceled")
    french_tag = warehouse.rpc("crm.tag", "create", {"name": "Something else"})
    translate(warehouse, "crm.tag", french_tag, "Customer exchange")
    warehouse.tag(other, "Something else")
    warehouse.cancel(order, other)
    bridge.sync("cancellations")
    document = bridge.received("createFeed")
    assert document
    (feed,) = bridge.simulator.feeds.feeds.values()
    content = bridge.simulator.feeds.documents[feed.document_id].content or b""
    assert b"BuyerCanceled" in content
    assert b"CustomerExchange" in content
