"""Odoos whose people work in French, German or Japanese: Odoo's own translations, and theirs."""

from typing import Any

import pytest
from bridge import Bridge
from odoo_server.databases import VERSION, OdooDatabase
from program import Program, SettledWorld
from shop import ATTENTION
from warehouse import Warehouse

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.simulator import Line, Order

NAMES = {
    "fr_FR": ("Équipe Amazon", "Transporteur à vélo", "L'acheteur ne veut plus", "Théière"),
    "de_DE": ("Amazon-Verkauf", "Fahrradkurier", "Käufer will nicht mehr", "Teekanne"),
    "ja_JP": ("アマゾン販売", "自転車便", "購入者都合", "急須"),
}
"""Translated names of a sales team, a delivery method, a tag and a product, as people see them."""


_SEVERAL_AT_ONCE = 16
"""The version since which several languages are installed at once."""


def install_languages(odoo_database: OdooDatabase) -> None:
    """Install them as people do, with Odoo's own translations where the server has them."""
    rpc, archived = odoo_database.rpc, {"active_test": False}
    languages = rpc("res.lang", "search", [("code", "in", list(NAMES))], context=archived)
    chosen: list[dict[str, Any]] = [{"lang_ids": [(6, 0, languages)]}]
    if VERSION < _SEVERAL_AT_ONCE:
        chosen = [{"lang": code} for code in NAMES]
    for values in chosen:
        wizard = rpc("base.language.install", "create", values)
        rpc("base.language.install", "lang_install", [wizard])


@pytest.fixture(scope="module", autouse=True)
def translated(odoo_database: OdooDatabase, warehouse: Warehouse) -> None:
    """The languages are installed, and the records have names in each."""
    rpc = odoo_database.rpc
    install_languages(odoo_database)
    usa = [odoo_database.reference("base.us")]
    for language in NAMES:
        (country,) = rpc("res.country", "read", usa, ["name"], context={"lang": language})
        assert country["name"] != "United States", "this server has no translations of Odoo's own"
    team = rpc("crm.team", "create", {"name": "Amazon Team"})
    carrier = warehouse.carrier("Bicycle")
    tag = rpc("crm.tag", "create", {"name": "Buyer canceled"})
    (pot,) = warehouse.shop.search("product.product", [("default_code", "=", "TEAPOT-08")], [])
    records = [("crm.team", team), ("delivery.carrier", carrier), ("crm.tag", tag)]
    records.append(("product.product", pot["id"]))
    for language, names in NAMES.items():
        for (model, id_), name in zip(records, names, strict=True):
            rpc(model, "write", [id_], {"name": name}, context={"lang": language})


@pytest.fixture(params=NAMES)
def language(request: pytest.FixtureRequest, odoo_database: OdooDatabase) -> str:
    """The login works in this language."""
    odoo_database.rpc("res.users", "write", [2], {"lang": request.param})
    return str(request.param)


@pytest.fixture
def program(language: str, program: Program) -> Program:
    """The configuration has the names that people see."""
    team, carrier, *_ = NAMES[language]
    program.accounts[0].update(sales_team=team, carriers={carrier: "DHL"})
    return program


@pytest.fixture
def orders(bridge: Bridge, world: SettledWorld) -> list[Order]:
    placed = [world.place_order("FR"), world.place_order("DE"), world.place_order("FR")]
    by_amazon = world.place_order("FR", fulfilled_by="AMAZON", status="SHIPPED")
    assert bridge.sync("orders") == {"seen": 4, "created": 4}
    return [*placed, by_amazon]


@pytest.mark.parametrize("language", ["fr_FR", "ja_JP"], indirect=True)
def test_both_ways_by_the_names_that_people_see(
    language: str, bridge: Bridge, world: SettledWorld, warehouse: Warehouse, orders: list[Order]
) -> None:
    shipped, taken_back, left, by_amazon = orders
    shop = warehouse.shop
    assert shop.sale_order(shipped)["team_id"][1] == "Amazon Team"
    assert shop.deliveries_of(by_amazon)[0]["state"] == "done"
    warehouse.ship(shipped, "Bicycle")
    warehouse.tag(taken_back, "Buyer canceled")
    warehouse.cancel(taken_back)
    warehouse.ship(left, "Bicycle", tracking=None)
    world.cancel(left.order_id)
    assert bridge.sync("pickings")["notified"] == 1
    (confirmation,) = bridge.confirmations(shipped.order_id)
    assert confirmation["packageDetail"]["carrierCode"] == "DHL"
    assert bridge.sync("cancellations")["notified"] == 1
    (feed,) = bridge.simulator.feeds.feeds.values()
    assert b"BuyerCanceled" in (bridge.simulator.documents[feed.document_id].content or b"")
    bridge.clock.advance(minutes=5)
    assert bridge.sync("orders")["quarantined"] == 1
    assert bridge.quarantine("orders")[left.order_id].kind == "needs_attention"
    sale_order = shop.sale_order(left)["id"]
    assert ATTENTION in warehouse.activities("sale.order", sale_order)
    rpc, seen = warehouse.rpc, {"lang": language}
    (activity,) = rpc(
        *("mail.activity", "search_read"),
        [("res_model", "=", "sale.order"), ("res_id", "=", sale_order)],
        ["activity_type_id"],
        context=seen,
    )
    todo = warehouse.shop.database.reference("mail.mail_activity_data_todo")
    assert activity["activity_type_id"][0] == todo


@pytest.mark.since_odoo(19, "moves that lose the order line with their product")
@pytest.mark.parametrize("language", ["de_DE"], indirect=True)
def test_people_are_told_the_names_that_they_see(
    language: str, bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    order = world.place_order("FR", [Line(quantity=2), Line(sku="MUG-RED", quantity=2)])
    assert bridge.sync("orders") == {"seen": 1, "created": 1}
    (transfer,) = warehouse.transfers(order)
    for sku in ("MUG-BLUE", "MUG-RED"):
        warehouse.replace(transfer["id"], sku, "TEAPOT-08")
    moves = warehouse.moves(transfer["id"])
    for move, number in zip(moves, (2, 1), strict=False):
        entered = {"quantity": number, "picked": True}
        warehouse.rpc("stock.move", "write", [move["id"]], entered)
    warehouse.label(transfer["id"], "Bicycle", "JD0002")
    warehouse.validate(transfer["id"])
    assert bridge.sync("pickings")["quarantined"] == 1
    (entry,) = bridge.quarantine("pickings").values()
    assert entry.kind == "goods_unclear"
    assert f"[TEAPOT-08] {NAMES[language][3]}" in (entry.reason or "")
    (text,) = warehouse.activities("stock.picking", transfer["id"]).values()
    assert NAMES[language][3] in text


@pytest.mark.parametrize("language", ["ja_JP"], indirect=True)
def test_check_finds_what_is_named_so(program: Program) -> None:
    program.run("setup")
    run = program.run("check")
    assert run.code == 0, run.out
    assert "another name" not in run.out
    assert "No delivery method" not in run.out


REFUSALS = {
    "fr_FR": "Le client « Ann Example » n'a pas de numéro de TVA.",
    "de_DE": "Der Kunde „Ann Example“ hat keine Umsatzsteuer-ID.",
    "ja_JP": "顧客「Ann Example」には税番号がありません。",
}
"""Messages of modules that nobody translated into English."""
HIDDEN_IN = {
    "fr_FR": "Le client «…» n'a pas de numéro de TVA.",
    "de_DE": "Der Kunde „…“ hat keine Umsatzsteuer-ID.",
    "ja_JP": "顧客「…」には税番号がありません。",
}
"""The same without what may be a buyer's name."""


def test_a_refusal_in_that_language_is_one(language: str, odoo_database: OdooDatabase) -> None:
    session = OdooSession.connect(**odoo_database.access())
    code = f"raise UserError({REFUSALS[language]!r})"
    model = odoo_database.reference("base.model_res_partner")
    values = {"name": "refuse", "model_id": model, "state": "code", "code": code}
    action = odoo_database.rpc("ir.actions.server", "create", values)
    with pytest.raises(ItemError) as caught:
        session.call("ir.actions.server", "run", [action])
    assert caught.value.kind == "odoo_refused"
    assert caught.value.reason == f"Odoo refused: {HIDDEN_IN[language]}"


@pytest.mark.parametrize("language", ["fr_FR"], indirect=True)
def test_a_tag_gives_the_reason_in_either_language(
    language: str, bridge: Bridge, warehouse: Warehouse, orders: list[Order]
) -> None:
    order, other, *_ = orders
    warehouse.tag(order, "Buyer canceled")
    named = warehouse.rpc("crm.tag", "create", {"name": "Something else"})
    warehouse.rpc(
        "crm.tag", "write", [named], {"name": "Customer exchange"}, context={"lang": language}
    )
    warehouse.tag(other, "Something else")
    warehouse.cancel(order, other)
    bridge.sync("cancellations")
    (feed,) = bridge.simulator.feeds.feeds.values()
    content = bridge.simulator.documents[feed.document_id].content or b""
    assert b"BuyerCanceled" in content
    assert b"CustomerExchange" in content
