"""The records of a fresh database with sales and stock of a US company."""

from typing import TYPE_CHECKING, Any

from memory_odoo.people import EVERYBODY, LOCKS_ORDERS

if TYPE_CHECKING:
    from memory_odoo.server import Environment

COUNTRIES = {
    "US": "United States",
    "CA": "Canada",
    "FR": "France",
    "DE": "Germany",
    "GB": "United Kingdom",
    "JP": "Japan",
}
ACCOUNTS = (("Current Assets", "101000", "asset_current"), ("Expenses", "600000", "expense"))
STATES = {"US": {"OR": "Oregon", "TX": "Texas", "VT": "Vermont"}}


def plant(env: "Environment", login: str, password: str) -> None:
    """Make the records that every database has."""
    dollar, *_ = (
        env["res.currency"].create_one({"name": name, "active": name == "USD"})
        for name in ("USD", "EUR", "GBP", "CAD", "SEK")
    )
    company = env["res.company"].create_one(
        {
            "name": "My Company",
            "currency_id": dollar,
            "tax_calculation_rounding_method": "round_globally",
        }
    )
    for code in ("en_US", "fr_FR", "de_DE"):
        env["res.lang"].create_one({"name": code, "code": code, "active": code == "en_US"})
    env["account.tax.group"].create_one({"name": "Tax 15%"})
    for name, code, kind in ACCOUNTS:
        env["account.account"].create_one({"name": name, "code": code, "account_type": kind})
    tax = env["account.tax"].create_one({"name": "15%", "amount": 15})
    env["res.company"].change([company], {"account_sale_tax_id": tax})
    _named(env, "res.groups", EVERYBODY, name="Role / User")
    _named(env, "res.groups", LOCKS_ORDERS, name="Lock Confirmed Sales")
    uuid = {"key": "database.uuid", "value": "591cb00e-eaf2-11f1-b808-02fc00000001"}
    env["ir.config_parameter"].create_one(uuid)
    _people(env, company, login, password)
    _countries(env)
    _named(env, "uom.uom", "uom.product_uom_unit", name="Units")
    _named(env, "crm.team", "sales_team.team_sales_department", name="Sales")
    _stock(env, company)
    _named(env, "mail.message.subtype", "mail.mt_note", name="Note")
    _named(env, "mail.activity.type", "mail.mail_activity_data_todo", name="To-Do")
    modules = {"sale.order": "sale", "stock.picking": "stock", "account.move": "account"}
    for model, module in modules.items():
        reference = f"{module}.model_{model.replace('.', '_')}"
        _named(env, "ir.model", reference, name=model, model=model)


def _named(env: "Environment", model: str, external_id: str, /, **values: Any) -> int:
    id_ = env[model].create_one(values)
    env.store.name_record(external_id, model, id_, noupdate=True)
    return id_


def _people(env: "Environment", company: int, login: str, password: str) -> None:
    _named(env, "res.partner", "base.main_partner", name="My Company", is_company=True)
    users = env["res.users"]
    users.create_one({"name": "OdooBot", "login": "__system__"})
    users.create_one(
        {
            "name": "Administrator",
            "login": login,
            "password": password,
            "company_id": company,
            "company_ids": [(6, 0, [company])],
        }
    )


def _countries(env: "Environment") -> None:
    for code, name in COUNTRIES.items():
        country = _named(env, "res.country", f"base.{code.lower()}", name=name, code=code)
        for state, title in STATES.get(code, {}).items():
            values = {"country_id": country, "code": state, "name": title}
            env["res.country.state"].create_one(values)


def _stock(env: "Environment", company: int) -> None:
    customers = _named(
        env, "stock.location", "stock.stock_location_customers", name="Customers", usage="customer"
    )
    owned = {"company_id": company}
    view = env["stock.location"].create_one({"name": "WH", "usage": "view", **owned})
    reference, place = "stock.stock_location_stock", {"name": "Stock", "location_id": view}
    shelf = _named(env, "stock.location", reference, **place, **owned)
    warehouses = env["stock.warehouse"]
    values = {
        "name": "My Company",
        "code": "WH",
        "lot_stock_id": shelf,
        "view_location_id": view,
        **owned,
    }
    warehouse = warehouses.create_one(values)
    deliveries = env["stock.picking.type"].create_one(
        {
            "name": "Delivery Orders",
            "code": "outgoing",
            "sequence_code": "OUT",
            "warehouse_id": warehouse,
            "default_location_src_id": shelf,
            "default_location_dest_id": customers,
            **owned,
        }
    )
    receipts = env["stock.picking.type"].create_one(
        {
            "name": "Receipts",
            "code": "incoming",
            "sequence_code": "IN",
            "warehouse_id": warehouse,
            "default_location_src_id": customers,
            "default_location_dest_id": shelf,
            **owned,
        }
    )
    warehouses.change([warehouse], {"out_type_id": deliveries, "in_type_id": receipts})
