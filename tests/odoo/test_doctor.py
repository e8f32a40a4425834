from collections.abc import Callable
from dataclasses import replace

import memory_odoo
import pytest
from memory_odoo import MemoryOdoo
from odoo_server.databases import VERSION, OdooDatabase

from amazon_bridge.config import AccountConfig
from amazon_bridge.flows.check import examine_odoo as examine
from amazon_bridge.model import Finding
from amazon_bridge.odoo.doctor import examine_login
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import prepare

MakeAccount = Callable[..., AccountConfig]


def problems(findings: list[Finding]) -> dict[str, str]:
    return {finding.what: finding.remedy for finding in findings if not finding.ok}


def test_a_new_odoo_lacks_only_what_setup_makes(
    admin: OdooSession, bridge: OdooSession, make_account: MakeAccount
) -> None:
    by_admin = problems(examine(admin, make_account()))
    assert by_admin
    assert all(what.startswith("Missing in Odoo") for what in by_admin)
    assert all(
        remedy.startswith("`amazon-bridge setup` creates it") for remedy in by_admin.values()
    )
    by_bridge = problems(examine(bridge, make_account()))
    assert by_bridge.keys() == by_admin.keys()
    assert all("requires the group" in remedy for remedy in by_bridge.values())


def test_all_is_well_after_setup_and_nothing_is_written(
    admin: OdooSession, bridge: OdooSession, make_account: MakeAccount
) -> None:
    prepare(admin, make_account())
    for session in (admin, bridge):
        before = session.calls.copy()
        findings = examine(session, make_account())
        assert problems(findings) == {}
        assert {method for _, method in session.calls - before} <= {
            *("search_read", "read", "get_metadata", "check_object_reference", "fields_get"),
            *("has_access" if VERSION >= 18 else "check_access_rights", "has_group"),
            *("get_param", "default_get"),
        }
        assert f"Odoo {VERSION}.0" in findings[0].what
        assert findings[0].remedy == "", "the version was tried"
        assert any("Taxes are rounded" in finding.what for finding in findings)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["stock.group_stock_user", "base.group_partner_manager"], "Sales: User: All Documents"),
        (
            ["sales_team.group_sale_salesman", "stock.group_stock_user"],
            "Sales: User: All Documents",
        ),
        (["stock.group_stock_user"], "Contact: Creation"),
        (["base.group_partner_manager"], "Inventory: User"),
    ],
)
def test_a_missing_group_is_named(
    odoo_database: OdooDatabase, make_account: MakeAccount, groups: list[str], expected: str
) -> None:
    name = "_".join(group.split(".")[1] for group in groups)
    user = odoo_database.make_user(name, ["base.group_user", *groups])
    session = OdooSession.connect(**user.access())
    assert any(expected in remedy for remedy in problems(examine(session, make_account())).values())


def test_advice_to_name_the_company(admin: OdooSession, make_account: MakeAccount) -> None:
    company = admin.call("res.company", "create", {"name": "Second"})
    admin.call("res.users", "write", [admin.uid], {"company_ids": [(4, company)]})
    advice = [f for f in examine(admin, make_account()) if f.ok and "`company`" in f.remedy]
    assert len(advice) == 1
    named = examine(admin, make_account(company="Second"))
    assert not [f for f in named if f.ok and "`company`" in f.remedy]


def test_a_login_without_any_right(odoo_database: OdooDatabase, make_account: MakeAccount) -> None:
    user = odoo_database.make_user("portal", ["base.group_portal"])
    session = OdooSession.connect(**user.access())
    found = problems(examine(session, make_account()))
    assert len(found) > 10
    assert all(found.values())


def advice(session: OdooSession, account: AccountConfig) -> dict[str, str]:
    findings = examine(session, account)
    return {each.what: each.remedy for each in findings if each.ok and each.remedy}


def test_settings_that_would_write_to_amazons_buyers_are_named(
    admin: OdooSession, bridge: OdooSession, make_account: MakeAccount, odoo_database: OdooDatabase
) -> None:
    rpc, account = odoo_database.rpc, make_account()
    company = prepare(admin, account).company_id
    quiet = {"stock_move_email_validation": False, "stock_text_confirmation": False}
    rpc("res.company", "write", [company], quiet)
    assert not [what for what in advice(bridge, account) if "customer" in what]
    (model,) = rpc("ir.model", "search", [("model", "=", "sale.order")])
    mail = rpc("mail.template", "create", {"name": "Thanks", "model_id": model})
    values = {"name": "Usual", "mail_template_id": mail}
    template = rpc("sale.order.template", "create", values)
    loud = {"stock_move_email_validation": True, "stock_text_confirmation": True}
    rpc("res.company", "write", [company], {**loud, "sale_order_template_id": template})
    rpc("ir.config_parameter", "set_param", "sale.automatic_invoice", "True")
    named = {what: remedy for what, remedy in advice(bridge, account).items() if "customer" in what}
    assert len(named) == 3
    assert all("Settings > " in remedy for remedy in named.values())
    assert any("quotation template, Usual, mails" in what for what in named)
    assert any("paid online" in what for what in advice(admin, account))
    rpc("res.company", "write", [company], {**quiet, "sale_order_template_id": False})


def test_a_carrier_that_odoo_does_not_have_is_named(
    admin: OdooSession, make_account: MakeAccount, odoo_database: OdooDatabase
) -> None:
    product = odoo_database.rpc("product.product", "create", {"name": "Van", "type": "service"})
    values = {"name": "Our van", "product_id": product}
    carrier = odoo_database.rpc("delivery.carrier", "create", values)
    account = make_account(carriers={"our van ": "Self Delivery"})
    assert not [what for what in advice(admin, account) if "delivery method" in what]
    odoo_database.rpc("delivery.carrier", "write", [carrier], {"active": False})
    named = [what for what in advice(admin, account) if "delivery method" in what]
    assert named == ["No delivery method is named our van , as `carriers` of the account says"]


def test_two_digits_of_a_price_are_reported_with_what_they_cost(
    admin: OdooSession, make_account: MakeAccount, odoo_database: OdooDatabase
) -> None:
    """As Odoo before 19 has them, on any."""
    account, rpc = make_account(), odoo_database.rpc
    setup = prepare(admin, account)
    assert any("decimals" in what for what in advice(admin, account)) == (VERSION < 19)
    session = OdooSession.connect(**odoo_database.access())
    session._capabilities[:] = [replace(session.capabilities, price_digits=2)]
    assert "Unit prices are rounded to 2 decimals" in advice(session, account)
    partner = rpc("res.partner", "create", {"name": "Somebody"})
    for product in (setup.products.rounding, setup.products.rounding, setup.products.sale):
        lines = [(0, 0, {"product_id": product}), (0, 0, {"product_id": product})]
        values = {"partner_id": partner, "team_id": setup.sales_team_id, "order_line": lines}
        rpc("sale.order", "create", {**values, "client_order_ref": "404"})
    advised = (
        "Unit prices are rounded to 2 decimals: 2 of the last 3 orders (66 %) needed a rounding"
    )
    (remedy,) = (
        remedy for what, remedy in advice(session, account).items() if what.startswith(advised)
    )
    assert "Decimal Accuracy > Product Price" in remedy


NEXT = "Before that, set odoo.protocol to json2, and odoo.password to an API key of the login."


@pytest.mark.parametrize(
    ("release", "protocol", "title", "ends"),
    [
        ("19.0", "xmlrpc", "XML-RPC", True),
        ("19.0", "jsonrpc", "JSON-RPC", True),
        ("19.0", "json2", "JSON-2", False),
        ("saas~19.1+e", "xmlrpc", "XML-RPC", True),
        ("18.0", "xmlrpc", "XML-RPC", False),
        ("18.0", "jsonrpc", "JSON-RPC", False),
    ],
)
def test_the_next_transport_is_offered_where_odoo_has_it(
    make_account: MakeAccount, release: str, protocol: str, title: str, *, ends: bool
) -> None:
    odoo = MemoryOdoo()
    odoo.release = release
    session = memory_odoo.connect(odoo, protocol=protocol)
    findings = examine_login(session, make_account(), ())
    (finding,) = (each for each in findings if each.what.startswith("Calls go to Odoo by "))
    assert finding.ok
    assert finding.what == f"Calls go to Odoo by {title}"
    assert finding.remedy.endswith(NEXT) == ends
    assert bool(finding.remedy) == ends
