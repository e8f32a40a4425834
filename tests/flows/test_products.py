"""Which product an item, a shipping service or a gift wrap gets, and what is said without one."""

import pytest
from desk import Desk, MakeDesk, item, order
from odoo_server.databases import OdooDatabase

from amazon_bridge.cli.status_actions import account_status

MAP = """kind,marketplace,code,internal_reference
item,,SKU-OLD,MUG
item,DE,SKU-LOCAL,KRUG
item,,SKU-LOCAL,MUG
item,,SKU-LOST,NOWHERE
shipping,,EXPEDITED,EXPRESS
gift_wrap,,Classic,PAPER
"""
WRAPPED = {"fulfillment": {"packing": {"giftOption": {"giftWrapLevel": "Classic"}}}}


@pytest.fixture(scope="module")
def products(odoo_database: OdooDatabase) -> dict[str, int]:
    rpc = odoo_database.rpc

    def product(reference: str, **values: object) -> int:
        names = {"name": f"The {reference}", "default_code": reference, "type": "consu"}
        return int(rpc("product.product", "create", {**names, **values}))

    company = rpc("res.company", "create", {"name": "Sister Ltd"})
    user = rpc("res.users", "search", [("login", "=", "admin")])
    rpc("res.users", "write", user, {"company_ids": [(4, company)]})
    made = {name: product(name) for name in ("MUG", "KRUG", "EXPRESS", "PAPER")}
    made["BARCODE"] = product("BARCODE", barcode="B0000SKU-7")
    product("OLD", active=False)
    product("INTERNAL", sale_ok=False)
    product("THEIRS", company_id=company)
    return made


def products_of(desk: Desk, payload: dict) -> dict[str, int]:
    return {key: line["product_id"][0] for key, line in desk.lines(payload).items()}


def test_the_map_maps_codes_to_products(make_desk: MakeDesk, products, tmp_path):
    path = tmp_path / "products.csv"
    path.write_text(MAP)
    desk = make_desk(product_map=path)
    french = order(item("SKU-OLD", ITEM="5", SHIPPING="2", GIFT_WRAP="1", more=WRAPPED))
    german = order(item("SKU-LOCAL", ITEM="5"), place="DE")
    other = order(item("SKU-LOCAL", ITEM="5"), item("MUG", ITEM="5"))
    assert desk.work(french, german, other).created == 3
    names = products_of(desk, french)
    assert (names["1"], names["1_shipping"]) == (products["MUG"], products["EXPRESS"])
    assert names["1_gift_wrap"] == products["PAPER"]
    assert products_of(desk, german)["1"] == products["KRUG"]
    assert set(products_of(desk, other).values()) == {products["MUG"]}


@pytest.mark.parametrize("discounts", ["lines", "percent"])
@pytest.mark.parametrize("fba", [False, True])
def test_units_of_an_item_are_pieces_of_its_product(
    make_desk: MakeDesk, products, tmp_path, discounts: str, *, fba: bool
):
    path = tmp_path / "products.csv"
    path.write_text("code,internal_reference,units\nSET-7,MUG,7\nBOX,NOWHERE,4\n")
    desk = make_desk(product_map=path, discounts=discounts)
    sets = item("SET-7", quantity=3, ITEM="20.01", DISCOUNT="-0.02", SHIPPING="2.99")
    payload = order(sets, item("BOX", ITEM="5.55"), item("MUG", ITEM="5"), fba=fba)
    assert desk.work(payload).created == 1
    found = desk.order(payload)
    assert (found["state"], found["amount_total"]) == ("sale", 33.53)
    lines = desk.lines(payload)
    quantities = {key: line["product_uom_qty"] for key, line in lines.items()}
    assert (quantities["1"], quantities["2"], quantities["3"]) == (21, 4, 1)
    assert quantities["1_shipping"] == 1
    assert lines["1"]["product_id"][0] == products["MUG"]
    moves = desk.find(
        "stock.move", [("sale_line_id", "=", lines["1"]["id"])], ["quantity", "state"]
    )
    assert [move["state"] == "done" for move in moves] == [fba]
    assert moves[0]["quantity"] == 21 or not fba


def test_a_serial_number_is_needed_for_each_piece(make_desk: MakeDesk, odoo_database, tmp_path):
    values = {"name": "SERIAL", "default_code": "SERIAL", "is_storable": True, "tracking": "serial"}
    odoo_database.rpc("product.product", "create", values)
    path = tmp_path / "products.csv"
    path.write_text("code,internal_reference,units\nPAIR,SERIAL,2\n")
    desk = make_desk(product_map=path)
    payload = order(item("PAIR", ITEM="5", more={"serialNumbers": ["SN-1"]}), fba=True)
    assert desk.work(payload).quarantined == 1
    assert desk.reasons()[payload["orderId"]].startswith("lot_needed: ")


def test_a_barcode_will_do_if_configured(make_desk: MakeDesk, products):
    payload = order(item("SKU-7", ITEM="5"))
    assert payload["orderItems"][0]["product"]["asin"] == "B0000SKU-7"
    make_desk(unknown_sku="quarantine").work(payload)
    desk = make_desk(match_barcode=True, unknown_sku="quarantine")
    desk.work(payload)
    assert products_of(desk, payload)["1"] == products["BARCODE"]


MAPPED = "The product map maps 'SKU-LOST' to"


@pytest.mark.parametrize(
    ("sku", "why"),
    [
        ("OLD", "The product 'OLD' is archived."),
        ("INTERNAL", "The product 'INTERNAL' isn't for sale."),
        ("THEIRS", "The product 'THEIRS' belongs to the company Sister Ltd."),
        ("SKU-LOST", f"{MAPPED} 'NOWHERE', but no product has the internal reference 'NOWHERE'."),
        ("UNHEARD", "No product that can be sold has the internal reference 'UNHEARD'."),
    ],
)
def test_what_keeps_an_item_from_its_product_is_said(make_desk, products, tmp_path, sku, why):
    path = tmp_path / "products.csv"
    path.write_text(MAP)
    strict = make_desk(product_map=path, unknown_sku="quarantine")
    lenient = make_desk(product_map=path)
    payload = order(item("MUG", ITEM="5"), item(sku, ITEM="5"))
    assert strict.work(payload).quarantined == 1
    assert strict.reasons() == {payload["orderId"]: f"unknown_sku: {why}"}
    assert lenient.work(payload).created == 1
    [unmatched] = lenient.app.ledger.skus.unmatched("acme")
    assert (unmatched.name, unmatched.reason, unmatched.items) == (sku, why, 1)
    assert unmatched.last_key == payload["orderId"]


def test_skus_without_a_product_are_listed_until_they_have_one(make_desk, products, odoo_database):
    desk = make_desk()
    first, second = order(item("LATER", ITEM="5")), order(item("LATER", ITEM="6"))
    desk.work(first, second)
    fallbacks = account_status(desk.app, "acme", ())["fallback_products"]
    assert [(each["sku"], each["orders"]) for each in fallbacks] == [("LATER", 2)]
    values = {"name": "Late", "default_code": "LATER", "type": "consu"}
    odoo_database.rpc("product.product", "create", values)
    desk.work(order(item("LATER", ITEM="7")))
    assert account_status(desk.app, "acme", ())["fallback_products"] == []
