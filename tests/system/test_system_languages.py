"""An Odoo whose people work in French, with names that they translated."""

import pytest
from bridge import Bridge
from odoo_server.databases import OdooDatabase
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.simulator import Order

FRENCH = "fr_FR"


@pytest.fixture(scope="module", autouse=True)
def french(odoo_database: OdooDatabase, warehouse: Warehouse) -> None:
    """The login works in French, and a tag has a French name."""
    rpc = odoo_database.rpc
    archived = {"active_test": False}
    languages = rpc("res.lang", "search", [("code", "=", FRENCH)], context=archived)
    wizard = rpc("base.language.install", "create", {"lang_ids": [(6, 0, languages)]})
    rpc("base.language.install", "lang_install", [wizard])
    rpc("res.users", "write", [2], {"lang": FRENCH})
    tag = rpc("crm.tag", "create", {"name": "Buyer canceled"})
    translate(warehouse, "crm.tag", tag, "L'acheteur ne veut plus")


def translate(warehouse: Warehouse, model: str, id_: int, name: str) -> None:
    warehouse.rpc(model, "write", [id_], {"name": name}, context={"lang": FRENCH})


@pytest.fixture
def orders(bridge: Bridge, world: SettledWorld) -> list[Order]:
    placed = [world.place_order("FR"), world.place_order("FR")]
    assert bridge.sync("orders") == {"seen": 2, "created": 2}
    return placed


def test_a_tag_gives_the_reason_in_either_language(
    bridge: Bridge, warehouse: Warehouse, orders: list[Order]
) -> None:
    order, other = orders
    warehouse.tag(order, "Buyer canceled")
    french_tag = warehouse.rpc("crm.tag", "create", {"name": "Something else"})
    translate(warehouse, "crm.tag", french_tag, "Customer exchange")
    warehouse.tag(other, "Something else")
    warehouse.cancel(order, other)
    bridge.sync("cancellations")
    (feed,) = bridge.simulator.feeds.feeds.values()
    content = bridge.simulator.documents[feed.document_id].content or b""
    assert b"BuyerCanceled" in content
    assert b"CustomerExchange" in content
