from collections.abc import Callable

import pytest
from odoo_server.databases import OdooDatabase

from amazon_bridge.config import AccountConfig
from amazon_bridge.odoo.doctor import Finding, examine
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
    assert all(remedy.startswith("`amazon-bridge setup` makes it") for remedy in by_admin.values())
    by_bridge = problems(examine(bridge, make_account()))
    assert by_bridge.keys() == by_admin.keys()
    assert all("takes the group" in remedy for remedy in by_bridge.values())


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
            *("has_access", "has_group"),
        }
        assert "Odoo 19.0" in findings[0].what
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
    session = OdooSession.connect(user.url, user.database, user.login, user.password)
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
    session = OdooSession.connect(user.url, user.database, user.login, user.password)
    found = problems(examine(session, make_account()))
    assert len(found) > 10
    assert all(found.values())
