"""A login that works in two companies, with an account for each; separate and shared products."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from bridge import Bridge
from expectations import worth
from odoo_server.databases import VERSION, OdooDatabase
from program import Program, SettledWorld
from shop import Rows
from warehouse import Warehouse

from amazon_bridge.simulator import Line, Order

pytestmark = pytest.mark.usefixtures("valid_confirmations")

INVOICES = VERSION >= 16
"""The bridge creates invoices since this version."""

OWN, SHARED, FOREIGN = (
    Line(sku="OWN", price=Decimal("11.99")),
    Line(sku="SHARED", price=Decimal("7.49")),
    Line(sku="SECONDS", price=Decimal(5)),
)


@dataclass(frozen=True)
class Placed:
    """An account, the company that it works in, and what it was sold."""

    account: str
    company: int
    by_merchant: Order
    by_amazon: Order


@pytest.fixture(scope="module", autouse=True)
def second(odoo_database: OdooDatabase, warehouse: Warehouse) -> int:
    """A company with its own chart of accounts, taxes, warehouse, order numbers and products."""
    rpc, reference = odoo_database.rpc, odoo_database.reference
    values = {"name": "Second", "country_id": reference("base.us")}
    company = int(rpc("res.company", "create", values))
    rpc("res.users", "write", [2], {"company_ids": [(4, company)]})
    load_chart(odoo_database, company)
    if not warehouse.shop.search("stock.warehouse", [("company_id", "=", company)], []):
        place = {"name": "Second", "code": "SEC", "company_id": company}  # until 16, Odoo makes one
        rpc("stock.warehouse", "create", place)
    numbers = {"name": "Orders", "code": "sale.order", "prefix": "SECOND/", "company_id": company}
    rpc("ir.sequence", "create", numbers)
    taxes = {each: make_tax(odoo_database, each) for each in (1, company)}
    for owner, tax in taxes.items():
        make_product(odoo_database, "OWN", owner, [tax])
    make_product(odoo_database, "SECONDS", company, [taxes[company]])
    make_product(odoo_database, "SHARED", None, list(taxes.values()))
    return company


def load_chart(database: OdooDatabase, company: int) -> None:
    """Odoo's generic chart of accounts."""
    if VERSION >= 17:
        arguments: list[Any] = [[], "generic_coa", company]
        inside = {}
    else:
        arguments = [[database.reference("l10n_generic_coa.configurable_chart_template")]]
        inside = {"allowed_company_ids": [company]}
    database.rpc("account.chart.template", "try_loading", *arguments, context=inside)


def make_tax(database: OdooDatabase, company: int) -> int:
    inside = {"context": {"allowed_company_ids": [company]}}
    values = {"name": f"20 % of {company}", "amount": 20, "company_id": company}
    return int(database.rpc("account.tax", "create", values, **inside))


def make_product(database: OdooDatabase, sku: str, company: int | None, taxes: list[int]) -> None:
    values = {"name": sku, "default_code": sku, "is_storable": True, "company_id": company}
    database.rpc("product.product", "create", {**values, "taxes_id": [(6, 0, taxes)]})


@pytest.fixture
def program(program: Program) -> Program:
    """One account sells in France, for the login's default company, the other in Germany."""
    (first,) = program.accounts
    first.update(marketplaces=["FR"])
    if INVOICES:
        first.update(invoicing={"mode": "on_delivery"})
    other = {"name": "second", "marketplaces": ["DE"], "company": "Second"}
    program.accounts.append({**first, **other})
    return program


@pytest.fixture
def placed(bridge: Bridge, world: SettledWorld, second: int) -> list[Placed]:
    """Both accounts' orders of their own and of shared products, imported."""
    found = []
    for account, company, country in (("acme", 1, "FR"), ("second", second, "DE")):
        by_merchant = world.place_order(country, [OWN, SHARED])
        by_amazon = world.place_order(country, [OWN], fulfilled_by="AMAZON", status="SHIPPED")
        found.append(Placed(account, company, by_merchant, by_amazon))
    for each in found:
        assert bridge.sync("orders", account=each.account) == {"seen": 2, "created": 2}
    return found


def read(warehouse: Warehouse, model: str, ids: Any, *fields: str, companies: list[int]) -> Rows:
    """Read records of any of these companies, as a person who has selected them."""
    context = {"allowed_company_ids": companies}
    rows: Rows = warehouse.rpc(model, "read", list(ids), list(fields), context=context)
    return rows


def companies_of(warehouse: Warehouse, sale_order: Mapping[str, Any], all_: list[int]) -> set[int]:
    """The companies of all that a sale order refers to and that is one company's."""
    line_ids = sale_order["order_line"]
    lines = read(warehouse, "sale.order.line", line_ids, "tax_ids", companies=all_)
    references = {
        "crm.team": [sale_order["team_id"][0]],
        "stock.warehouse": [sale_order["warehouse_id"][0]],
        "account.tax": [tax for line in lines for tax in line["tax_ids"]],
    }
    rows = [
        row
        for model, ids in references.items()
        for row in read(warehouse, model, ids, "company_id", companies=all_)
    ]
    return {row["company_id"][0] for row in [sale_order, *rows] if row["company_id"]}


def test_orders_are_of_their_accounts_company(
    placed: list[Placed], warehouse: Warehouse, second: int
) -> None:
    all_ = [1, second]
    for each in placed:
        sale_order = warehouse.shop.sale_order(each.by_merchant)
        assert companies_of(warehouse, sale_order, all_) == {each.company}
        assert Decimal(str(sale_order["amount_total"])) == worth(each.by_merchant)
        assert sale_order["name"].startswith("SECOND/") == (each.company == second)
        line_ids = sale_order["order_line"]
        lines = read(warehouse, "sale.order.line", line_ids, "product_id", companies=all_)
        ids = [line["product_id"][0] for line in lines]
        products = read(
            warehouse, "product.product", ids, "default_code", "company_id", companies=all_
        )
        owners = {p["default_code"]: p["company_id"] and p["company_id"][0] for p in products}
        assert owners == {"OWN": each.company, "SHARED": False}
        (transfer,) = warehouse.shop.deliveries_of(each.by_amazon)
        assert transfer["state"] == "done"


def test_each_account_confirms_and_invoices_its_own(
    bridge: Bridge, placed: list[Placed], warehouse: Warehouse
) -> None:
    for number, each in enumerate(placed):
        (transfer,) = warehouse.shop.deliveries_of(each.by_merchant)
        warehouse.label(transfer["id"], "DHL", f"JD{number}")
        warehouse.pick(transfer["id"], {"OWN": 1, "SHARED": 1})
        warehouse.validate(transfer["id"])
    for each in placed:
        counts = bridge.sync("pickings", account=each.account)
        assert counts == {"seen": 1, "notified": 1}
        bridge.sync("orders", account=each.account)
        if not INVOICES:
            continue
        names = [warehouse.shop.sale_order(o)["name"] for o in (each.by_merchant, each.by_amazon)]
        invoices = warehouse.shop.search(
            "account.move", [("invoice_origin", "in", names)], ["company_id", "state"]
        )
        assert [row["state"] for row in invoices] == ["posted"] * 2
        assert {row["company_id"][0] for row in invoices} == {each.company}
    assert bridge.quarantine("pickings") == bridge.quarantine("orders") == {}


def test_each_account_tells_of_its_own_cancellations(
    bridge: Bridge, placed: list[Placed], world: SettledWorld, warehouse: Warehouse
) -> None:
    warehouse.cancel(*(each.by_merchant for each in placed))
    for each in placed:
        bridge.clock.advance(minutes=31)  # no feed while another one of the seller is processed
        counts = bridge.sync("cancellations", account=each.account)
        assert counts == {"seen": 1, "notified": 1}
    assert bridge.feeds() == [[each.by_merchant.order_id] for each in placed]


def test_another_companys_product_is_not_sold(bridge: Bridge, world: SettledWorld) -> None:
    with bridge.configured(unknown_sku="quarantine"):
        order = world.place_order("FR", [FOREIGN])
        assert bridge.sync("orders") == {"seen": 1, "quarantined": 1}
        reason = bridge.quarantine("orders")[order.order_id].reason or ""
        assert "belongs to the company Second" in reason
    world.place_order("DE", [FOREIGN])
    assert bridge.sync("orders", account="second") == {"seen": 1, "created": 1}


def test_check_names_the_default_company(program: Program) -> None:
    program.run("setup")
    said = " ".join(program.run("check").out.split())
    assert "The login works in 2 companies; the account's orders go to its default" in said
