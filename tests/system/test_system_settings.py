"""Settings that people switch on in Odoo, fields that they require, and logins with two factors."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from bridge import Bridge
from expectations import worth
from odoo_server.databases import VERSION, OdooDatabase
from parcels import details
from program import MakeProgram, Program, SettledWorld
from warehouse import Warehouse

from amazon_bridge.simulator import Line, Order, Seller

UNITS_AS_PACKAGINGS = VERSION >= 19
"""Before, packagings have a model of their own."""
COMPANY_INCLUDES_TAXES = VERSION >= 18
"""Before, each tax says whether prices include it."""

SWITCHED_ON = (
    "sale.group_auto_done_setting",
    "sale.group_discount_per_so_line" if VERSION >= 18 else "product.group_discount_per_so_line",
    "product.group_product_pricelist",
    "product.group_product_variant",
    "uom.group_uom" if UNITS_AS_PACKAGINGS else "product.group_stock_packaging",
    "uom.group_uom",
    "stock.group_production_lot",
    "stock.group_stock_multi_locations",
    "stock.group_adv_location",
)
"""The groups of settings; the first locks orders when they are confirmed."""

REQUIRED = ("res.partner", "sale.order", "sale.order.line")


@pytest.fixture(scope="module", autouse=True)
def settings(odoo_database: OdooDatabase, warehouse: Warehouse) -> None:
    """All are on, prices include taxes, and the default pricelist halves prices."""
    rpc, reference = odoo_database.rpc, odoo_database.reference
    groups = [(4, reference(name)) for name in SWITCHED_ON]
    rpc("res.groups", "write", [reference("base.group_user")], {"implied_ids": groups})
    halve_prices(odoo_database)
    included = {} if COMPANY_INCLUDES_TAXES else {"price_include": True}
    if COMPANY_INCLUDES_TAXES:
        rpc("res.company", "write", [1], {"account_price_include": "tax_included"})
    tax = rpc("account.tax", "create", {"name": "21 % inside", "amount": 21, **included})
    carton = make_carton(odoo_database)
    pair = {"packaging_ids": [(0, 0, {"name": "Pair", "qty": 2})]}
    packed = {"uom_ids": [(6, 0, [carton])]} if UNITS_AS_PACKAGINGS else pair
    warehouse.shop.make_products(
        {
            "EGGS": {"uom_id": carton, "taxes": [tax]},
            "PACKED": {**packed, "taxes": [tax]},
            "VINTAGE": {"tracking": "lot"},
        }
    )


def halve_prices(database: OdooDatabase) -> None:
    half = {"compute_price": "percentage", "percent_price": 50, "applied_on": "3_global"}
    values = {"name": "Half", "sequence": 0, "item_ids": [(0, 0, half)]}
    if VERSION <= 17:
        values["discount_policy"] = "without_discount"  # shown on the line, as newer versions do
    database.rpc("product.pricelist", "create", values)


def make_carton(database: OdooDatabase) -> int:
    """A unit of ten pieces."""
    unit = database.reference("uom.product_uom_unit")
    values = {"relative_factor": 10, "relative_uom_id": unit}
    if not UNITS_AS_PACKAGINGS:
        category = database.reference("uom.product_uom_categ_unit")
        values = {"factor_inv": 10, "uom_type": "bigger", "category_id": category}
    return int(database.rpc("uom.uom", "create", {"name": "Carton", **values}))


def lines() -> list[Line]:
    return [Line(sku=sku, quantity=2, price=Decimal("19.99")) for sku in ("EGGS", "PACKED")]


def test_locked_orders_with_discounts_and_dozens(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    shop = warehouse.shop
    merchant, given_up, by_amazon = (
        world.place_order("FR", lines()),
        world.place_order("DE", lines()),
        world.place_order("FR", lines(), fulfilled_by="AMAZON", status="SHIPPED"),
    )
    assert bridge.sync("orders") == {"seen": 3, "created": 3}
    orders = shop.sale_orders()
    for order in (merchant, given_up, by_amazon):
        assert Decimal(str(orders[order.order_id]["amount_total"])) == worth(order)
    ids = [orders[order.order_id]["id"] for order in (merchant, given_up, by_amazon)]
    rows = shop.search("sale.order", [("id", "in", ids)], ["state", "locked"])
    assert {(row["state"], row["locked"]) for row in rows} == {("sale", True)}
    assert [row["state"] for row in shop.deliveries_of(by_amazon)] == ["done"]
    delivered = {shop.lines()[name].delivered for name in external_ids(by_amazon)}
    assert delivered == {Decimal(2)}
    warehouse.ship(merchant)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (detail,) = details(bridge, merchant)
    assert [item["quantity"] for item in detail["orderItems"]] == [2, 2]
    world.cancel(given_up.order_id)
    bridge.clock.advance(minutes=5)
    assert bridge.sync("orders")["cancelled"] == 1
    assert shop.sale_order(given_up)["state"] == "cancel"


def external_ids(order: Order) -> list[str]:
    return [f"sale_line_{item.order_item_id}" for item in order.items]


def test_a_lot_that_amazon_does_not_name_waits_for_a_person(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    bottle = [Line(sku="VINTAGE", price=Decimal(80))]
    order = world.place_order("FR", bottle, fulfilled_by="AMAZON", status="SHIPPED")
    assert bridge.sync("orders") == {"seen": 1, "quarantined": 1}
    entry = bridge.quarantine("orders")[order.order_id]
    assert entry.kind == "lot_needed"
    (transfer,) = warehouse.shop.deliveries_of(order)
    enter_lot(warehouse, transfer["id"], warehouse.shop.make_lot("1982", "VINTAGE"))
    warehouse.validate(transfer["id"])
    bridge.app.ledger.items.retry()
    assert bridge.sync("orders")["seen"] == 1
    assert bridge.quarantine("orders") == {}


def enter_lot(warehouse: Warehouse, transfer: int, lot: int) -> None:
    """Enter the lot in the detailed operations of the transfer's only move."""
    taken = {"lot_id": lot, "quantity": 1, "picked": True}
    lines = warehouse.shop.search("stock.move.line", [("picking_id", "=", transfer)], [])
    if lines:
        warehouse.rpc("stock.move.line", "write", [line["id"] for line in lines], taken)
        return
    fields = ["product_id", "location_id", "location_dest_id", "product_uom"]
    (move,) = warehouse.shop.search("stock.move", [("picking_id", "=", transfer)], fields)
    unit, same = move["product_uom"][0], {name: move[name][0] for name in fields[:3]}
    values = {**same, "product_uom_id": unit, "picking_id": transfer, "move_id": move["id"]}
    warehouse.rpc("stock.move.line", "create", {**values, **taken})


# Two-factor authentication


@pytest.fixture(scope="module")
def two_factors(odoo_database: OdooDatabase, least_privilege: OdooDatabase) -> OdooDatabase:
    """A login with two-factor authentication."""
    key = least_privilege.api_key
    code = (
        f"user = env['res.users'].sudo().search([('login', '=', {least_privilege.login!r})])\n"
        "user.write({'totp_secret': 'GEZDGNBVGY3TQOJQ'})"
    )
    model = odoo_database.reference("base.model_res_users")
    values = {"name": "two factors", "model_id": model, "state": "code", "code": code}
    odoo_database.rpc("ir.actions.server", "run", [create(odoo_database, values)])
    return replace(least_privilege, password=key)


def create(database: OdooDatabase, values: dict[str, Any]) -> int:
    return int(database.rpc("ir.actions.server", "create", values))


def test_two_factors_need_an_api_key(
    two_factors: OdooDatabase, make_program: MakeProgram, program: Program, seller: Seller
) -> None:
    program.run("setup")
    program = make_program("two", odoo=two_factors)
    program.add_account(seller)
    run = program.sync()
    assert run.counts() == {}
    program.odoo_settings["password"] = two_factors.login
    run = program.sync(code=3)
    assert "API key" in run.json["accounts"]["acme"]["orders"]["error"]


# Required fields of one's own


@pytest.fixture(scope="module")
def required(odoo_database: OdooDatabase, settings: None) -> None:
    """Customers, sale orders and their lines require a channel."""
    rpc = odoo_database.rpc
    models = rpc("ir.model", "search_read", [("model", "in", REQUIRED)], ["model"])
    name = {"name": "x_channel", "field_description": "Channel", "ttype": "char"}
    fields = rpc("ir.model.fields", "create", [{**name, "model_id": m["id"]} for m in models])
    for model in REQUIRED:
        ids = rpc(model, "search", [], context={"active_test": False})
        rpc(model, "write", ids, {"x_channel": "before"})
    rpc("ir.model.fields", "write", fields, {"required": True})


@pytest.mark.usefixtures("required")
def test_required_fields_are_named_and_filled(
    bridge: Bridge, program: Program, world: SettledWorld, warehouse: Warehouse
) -> None:
    run = program.run("check")
    assert run.code == 3
    said = " ".join(run.out.split())
    for model in REQUIRED:
        assert f"{model} requires the field x_channel (Channel)" in said
    order = world.place_order("FR")
    assert bridge.sync("orders") == {"seen": 1, "quarantined": 1}
    entry = bridge.quarantine("orders")[order.order_id]
    assert "x_channel" in (entry.reason or "")
    bridge.close()
    program.odoo_settings["defaults"] = {
        "res.partner": {"x_channel": "Amazon"},
        "sale.order": {"x_channel": "Amazon"},
        "sale.order.line": {"x_channel": 7},
    }
    assert program.run("check").code == 0
    bridge.app.ledger.items.retry()
    assert bridge.sync("orders") == {"seen": 1, "created": 1}
    sale_order = warehouse.shop.sale_order(order)
    for model, domain, value in (
        ("res.partner", [("id", "=", sale_order["partner_id"][0])], "Amazon"),
        ("sale.order", [("id", "=", sale_order["id"])], "Amazon"),
        ("sale.order.line", [("order_id", "=", sale_order["id"])], "7"),
    ):
        rows = warehouse.shop.search(model, domain, ["x_channel"])
        assert {row["x_channel"] for row in rows} == {value}
    bridge.close()
    program.odoo_settings["defaults"]["sale.order"]["x_chanel"] = "Amazon"
    assert "Odoo has no field x_chanel on sale.order" in " ".join(program.run("check").out.split())
