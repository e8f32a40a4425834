"""In order of the file: nothing is there at first, and what a test makes stays for the next."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from odoo_server.databases import OdooDatabase

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import AccountError, Transient
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.settings_check import examine_fba_location
from amazon_bridge.odoo.setup import Inspection, Setup, inspect, is_current, prepare, proposals

MakeAccount = Callable[..., AccountConfig]
LOOKS = {
    *("search_read", "read", "get_metadata", "check_object_reference", "fields_get"),
    *("has_access", "has_group"),
}


def made(session: OdooSession) -> dict[str, int]:
    """How many records there are of all that a setup makes."""
    models = ["stock.location", "stock.route", "stock.rule", "stock.picking.type", "crm.team"]
    models += ["product.product", "product.pricelist", "ir.model.data", "res.currency"]
    return {model: session.call(model, "search_count", []) for model in models}


def calls_of(session: OdooSession, work: Callable[[], Any]) -> tuple[Any, list[tuple[str, str]]]:
    assert session.capabilities  # looked up once a login
    before = session.calls.copy()
    result = work()
    return result, list((session.calls - before).elements())


def test_inspect_lists_all_that_is_missing_and_only_looks(
    admin: OdooSession, make_account: MakeAccount
) -> None:
    before = made(admin)
    found, calls = calls_of(admin, lambda: inspect(admin, make_account()))
    assert found.setup is None
    assert found.expected.fba_location_id == found.expected.products.sale == 0
    listed = " ".join(one.what for one in found.missing)
    for thing in ("WH/Amazon", "route", "sales team Amazon", "Amazon Rounding", "EUR, GBP"):
        assert thing in listed
    assert not any(one.obstacle for one in found.missing)
    assert {method for _, method in calls} <= LOOKS
    assert made(admin) == before


def test_a_login_without_rights_gets_all_problems_at_once(
    bridge: OdooSession, admin: OdooSession, make_account: MakeAccount
) -> None:
    before = made(admin)
    with pytest.raises(AccountError) as caught:
        prepare(bridge, make_account())
    for thing in ("WH/Amazon", "route", "team Amazon", "Amazon Sale", "EUR, GBP", "pricelist"):
        assert thing in caught.value.reason
    for group in ("Inventory: Administrator", "Sales: Administrator", "Product: Create"):
        assert group in caught.value.reason
    assert "amazon-bridge setup" in caught.value.remedy
    assert made(admin) == before


def test_parallel_preparations_agree(
    odoo_database: OdooDatabase, admin: OdooSession, make_account: MakeAccount
) -> None:
    start = threading.Barrier(3)

    def work() -> Setup:
        session = OdooSession.connect(**odoo_database.access())
        start.wait()
        for _ in range(20):
            try:
                return prepare(session, make_account())
            except Transient:
                time.sleep(0.1)
        raise AssertionError("never got through")

    with ThreadPoolExecutor(3) as pool:
        setups = [future.result() for future in [pool.submit(work) for _ in range(3)]]
    assert setups[0] == setups[1] == setups[2]
    names = admin.search_read("product.product", [("name", "like", "Amazon")], ["name"])
    assert len(names) == len({row["name"] for row in names}) == 5
    rules = [("location_src_id", "=", setups[0].fba_location_id)]
    assert len(admin.search_read("stock.rule", rules, ["id"])) == 1


def test_the_second_time_makes_nothing_in_few_calls(
    admin: OdooSession, bridge: OdooSession, make_account: MakeAccount
) -> None:
    first, before = prepare(admin, make_account()), made(admin)
    for session in (admin, bridge):
        again, calls = calls_of(session, lambda: prepare(session, make_account()))  # noqa: B023
        assert again == first
        assert inspect(session, make_account()) == Inspection(first, (), ())
        assert {method for _, method in calls} <= LOOKS
        assert len(calls) <= 10
    assert made(admin) == before


def test_what_was_made(admin: OdooSession, make_account: MakeAccount) -> None:
    setup = prepare(admin, make_account())
    names = admin.external_ids("product.product", [setup.products.sale, setup.products.rounding])
    assert names == {
        setup.products.sale: "product_sale",
        setup.products.rounding: "product_rounding",
    }
    fields = ["name", "type", "taxes_id"]
    products = admin.read("product.product", sorted(names), fields)
    company = admin.read("res.company", [1], ["account_sale_tax_id"])[0]
    assert [(p["name"], p["type"], p["taxes_id"]) for p in products] == [
        ("Amazon Sale", "consu", [company["account_sale_tax_id"][0]]),
        ("Amazon Rounding", "service", []),
    ]
    location = admin.read("stock.location", [setup.fba_location_id], ["complete_name", "usage"])
    assert (location[0]["complete_name"], location[0]["usage"]) == ("WH/Amazon", "internal")
    pricelists = admin.read(
        "product.pricelist", sorted(setup.pricelists.values()), ["name", "currency_id"]
    )
    assert {(p["name"], p["currency_id"][1]) for p in pricelists} == {
        ("Amazon EUR", "EUR"),
        ("Amazon GBP", "GBP"),
    }


@pytest.mark.parametrize("location", [None, "Amazon/FBA"])
def test_fba_goods_leave_the_fba_location_and_fbm_goods_the_warehouse(
    admin: OdooSession, bridge: OdooSession, make_account: MakeAccount, location: str | None
) -> None:
    setup = prepare(admin, make_account(fba_location=location))
    customer = ["id", "name"], [["amazon_bridge.partner_x", "Ann Example"]]
    partner_id = str(bridge.load("res.partner", *customer)[0])
    route = f"order_line/{bridge.capabilities.line_routes}/.id"
    fields = ["id", "partner_id/.id", "warehouse_id/.id", "order_line/product_id/.id", route]
    for name, route_id in (("fba", str(setup.fba_route_id)), ("fbm", "")):
        ids = [partner_id, str(setup.warehouse_id), str(setup.products.sale), route_id]
        key = f"amazon_bridge.sale_order_{name}_{setup.fba_location_id}"
        order = bridge.load("sale.order", fields, [[key, *ids]])
        bridge.call("sale.order", "action_confirm", order)
        domain = [("sale_id", "in", order)]
        transfers = bridge.search_read(
            "stock.picking", domain, ["location_id", "location_dest_id", "picking_type_code"]
        )
        assert [t["picking_type_code"] for t in transfers] == ["outgoing"]
        leaves_fba = transfers[0]["location_id"][0] == setup.fba_location_id
        assert leaves_fba == (name == "fba")
        assert transfers[0]["location_dest_id"][1].endswith("Customers")


def test_goods_beside_the_warehouses_are_not_available_in_one(
    admin: OdooSession, make_account: MakeAccount
) -> None:
    counted = [advice_on(admin, make_account(fba_location=name)) for name in (None, "Amazon/FBA")]
    assert [len(advice) for advice in counted] == [1, 0]
    setup = prepare(admin, make_account(fba_location="Amazon/FBA"))
    (fba,) = admin.read("stock.location", [setup.fba_location_id], ["location_id", "usage"])
    assert (fba["location_id"][1], fba["usage"]) == ("Amazon", "internal")
    (view,) = admin.read("stock.location", [fba["location_id"][0]], ["location_id", "usage"])
    assert (view["location_id"], view["usage"]) == (False, "view")


def advice_on(session: OdooSession, account: AccountConfig) -> list[str]:
    """Advice on the FBA location."""
    findings = examine_fba_location(session, prepare(session, account))
    return [finding.what for finding in findings]


def test_two_accounts_share_what_is_equal(admin: OdooSession, make_account: MakeAccount) -> None:
    one = prepare(admin, make_account())
    other_account = make_account(
        name="acme-de",
        marketplaces=["DE", "PL"],
        fba_location="WH/Amazon DE",
        sales_team="Amazon DE",
        salesperson="admin",
    )
    other = prepare(admin, other_account)
    assert other.fba_location_id != one.fba_location_id
    assert other.fba_route_id != one.fba_route_id
    assert other.sales_team_id != one.sales_team_id
    assert other.salesperson_id == admin.uid
    assert one.salesperson_id is None
    assert other.products == one.products
    assert other.pricelists["EUR"] == one.pricelists["EUR"]
    assert set(other.pricelists) == {"EUR", "PLN"}
    assert prepare(admin, make_account()) == one


def test_what_people_changed_stays(admin: OdooSession, make_account: MakeAccount) -> None:
    setup = prepare(admin, make_account())
    changed = {
        "product.product": setup.products.shipping,
        "crm.team": setup.sales_team_id,
        "product.pricelist": setup.pricelists["EUR"],
        "stock.location": setup.fba_location_id,
        "stock.route": setup.fba_route_id,
    }
    old = {model: admin.read(model, [id_], ["name"])[0] for model, id_ in changed.items()}
    for model, id_ in changed.items():
        admin.call(model, "write", [id_], {"name": f"Ours {model}"})
    assert prepare(admin, make_account()) == setup
    for model, id_ in changed.items():
        assert admin.read(model, [id_], ["name"])[0]["name"] == f"Ours {model}"
        admin.call(model, "write", [id_], {"name": old[model]["name"]})


def test_what_people_made_is_adopted(admin: OdooSession, make_account: MakeAccount) -> None:
    parent = admin.search_read("stock.location", [("complete_name", "=", "WH")], ["id"])[0]["id"]
    values = {"name": "Marketplace", "location_id": parent, "usage": "internal"}
    location = admin.call("stock.location", "create", values)
    team = admin.call("crm.team", "create", {"name": "Online"})
    before = made(admin)
    account = make_account(fba_location="WH/Marketplace", sales_team="Online")
    setup = prepare(admin, account)
    assert (setup.fba_location_id, setup.sales_team_id) == (location, team)
    after = made(admin)
    assert after["stock.location"] == before["stock.location"]
    assert after["crm.team"] == before["crm.team"]
    assert after["stock.rule"] == before["stock.rule"] + 1


ARCHIVABLE: dict[str, tuple[str, Callable[[OdooSession, Setup], int]]] = {
    "the stock location WH/Amazon": ("stock.location", lambda _, setup: setup.fba_location_id),
    "the route out of WH/Amazon": ("stock.route", lambda _, setup: setup.fba_route_id),
    "the rule out of WH/Amazon": ("stock.rule", lambda admin, setup: _rules(admin, setup)[0]),
    "the operation type out of WH/Amazon": (
        "stock.picking.type",
        lambda admin, setup: admin.read("stock.rule", _rules(admin, setup), ["picking_type_id"])[0][
            "picking_type_id"
        ][0],
    ),
    "the sales team Amazon": ("crm.team", lambda _, setup: setup.sales_team_id),
    "the product Amazon Shipping": ("product.product", lambda _, setup: setup.products.shipping),
    "the pricelist Amazon EUR": ("product.pricelist", lambda _, setup: setup.pricelists["EUR"]),
}
"""What people may archive: its model, and its id."""


@pytest.mark.parametrize("said", ARCHIVABLE)
def test_what_people_archived_is_named_alone_and_unarchived_on_demand(
    admin: OdooSession, bridge: OdooSession, make_account: MakeAccount, said: str
) -> None:
    setup = prepare(admin, make_account())
    assert is_current(bridge, setup)
    model, id_of = ARCHIVABLE[said]
    before, record = made(admin), id_of(admin, setup)
    admin.call(model, "write", [record], {"active": False})
    try:
        assert not is_current(bridge, setup)
        with pytest.raises(AccountError) as caught:
            prepare(admin, make_account())
        reason = caught.value.reason
        assert f"needs: {said}" in reason
        assert reason.endswith("(archived).")
        others = [name.removesuffix(" WH/Amazon") for name in ARCHIVABLE if name != said]
        # Odoo archives the rules with their route.
        assert not [name for name in others if name in reason and "rule" not in name]
        assert "`amazon-bridge setup`, which unarchives it" in caught.value.remedy
        assert "filter Archived" in caught.value.remedy
        with pytest.raises(AccountError, match="unarchiving it requires the group"):
            prepare(bridge, make_account(), restore=True)
        assert prepare(admin, make_account(), restore=True) == setup
    finally:
        admin.call(model, "write", [record], {"active": True})
    assert is_current(bridge, setup)
    assert made(admin) == before


@pytest.mark.parametrize("inside", ["is archived, too", "was deleted"])
def test_an_archived_view_is_named_and_unarchived_with_the_location_inside(
    admin: OdooSession, make_account: MakeAccount, inside: str
) -> None:
    account = make_account(fba_location=f"Amazon/{inside.title()}")
    setup = prepare(admin, account)
    location = ("id", "=", setup.fba_location_id)
    (row,) = admin.search_read("stock.location", [location], ["location_id"])
    view = row["location_id"][0]
    if inside == "was deleted":
        _delete_location(admin, setup)
    admin.call("stock.location", "write", [view], {"active": False})  # with all inside
    with pytest.raises(AccountError) as caught:
        prepare(admin, account)
    assert "needs: the stock location Amazon" in caught.value.reason
    assert caught.value.reason.endswith("(archived).")
    again = prepare(admin, account, restore=True)
    assert is_current(admin, again)
    fields = ["location_id", "active"]
    (row,) = admin.read("stock.location", [again.fba_location_id], fields)
    assert (row["location_id"][0], row["active"]) == (view, True)
    assert admin.read("stock.location", [view], ["active"])[0]["active"]
    assert (again == setup) == (inside != "was deleted")


def _delete_location(admin: OdooSession, setup: Setup) -> None:
    rules = _rules(admin, setup)
    (rule,) = admin.read("stock.rule", rules, ["picking_type_id"])
    admin.call(admin.capabilities.route_model, "unlink", [setup.fba_route_id])
    admin.call("stock.picking.type", "unlink", [rule["picking_type_id"][0]])
    admin.call("stock.location", "unlink", [setup.fba_location_id])


@pytest.mark.parametrize("field", ["fba_route_id", "sales_team_id"])
def test_what_people_deleted_is_made_again(
    admin: OdooSession, make_account: MakeAccount, field: str
) -> None:
    account = make_account(fba_location="WH/Deleted", sales_team="Deleted")
    setup = prepare(admin, account)
    model = {"fba_route_id": admin.capabilities.route_model, "sales_team_id": "crm.team"}[field]
    admin.call(model, "unlink", [getattr(setup, field)])
    assert not is_current(admin, setup)
    again = prepare(admin, account)
    assert getattr(again, field) != getattr(setup, field)
    assert is_current(admin, again)
    names = admin.external_ids(model, [getattr(again, field)])
    assert names[getattr(again, field)].startswith(("route_", "sales_team_"))


def _rules(admin: OdooSession, setup: Setup) -> list[int]:
    domain = [("route_id", "=", setup.fba_route_id), ("active", "in", [True, False])]
    return [row["id"] for row in admin.search_read("stock.rule", domain, ["id"])]


def test_a_deleted_rule_is_made_again(admin: OdooSession, make_account: MakeAccount) -> None:
    """Without it, FBA goods would leave the warehouse."""
    account = make_account(fba_location="WH/Unused")
    setup = prepare(admin, account)
    admin.call("stock.rule", "unlink", _rules(admin, setup))
    assert prepare(admin, account) == setup
    assert len(_rules(admin, setup)) == 1


def test_a_pricelist_in_another_currency_is_refused(
    admin: OdooSession, make_account: MakeAccount
) -> None:
    setup = prepare(admin, make_account())
    euro, pound = setup.pricelists["EUR"], setup.pricelists["GBP"]
    currencies = {p["id"]: p["currency_id"][0] for p in _pricelists(admin, [euro, pound])}
    admin.call("product.pricelist", "write", [euro], {"currency_id": currencies[pound]})
    try:
        assert not is_current(admin, setup)
        with pytest.raises(AccountError, match=r"pricelist Amazon EUR .*changed"):
            prepare(admin, make_account())
    finally:
        admin.call("product.pricelist", "write", [euro], {"currency_id": currencies[euro]})


def _pricelists(admin: OdooSession, ids: list[int]) -> list[dict[str, Any]]:
    return admin.read("product.pricelist", ids, ["currency_id"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"company": "Nobody Ltd"}, "company Nobody Ltd"),
        ({"warehouse": "ZZ"}, "code ZZ"),
        ({"salesperson": "nobody"}, "salesperson"),
        ({"fba_location": "WH/Nowhere/Amazon"}, "parent location WH/Nowhere"),
    ],
)
def test_wrong_settings(
    admin: OdooSession, make_account: MakeAccount, settings: dict[str, str], said: str
) -> None:
    prepare(admin, make_account())
    before = made(admin)
    with pytest.raises(AccountError, match=said):
        prepare(admin, make_account(**settings))
    assert made(admin) == before


def test_another_company_has_its_own_places(admin: OdooSession, make_account: MakeAccount) -> None:
    first = prepare(admin, make_account())
    company = admin.call("res.company", "create", {"name": "Second"})
    admin.call("res.users", "write", [admin.uid], {"company_ids": [(4, company)]})
    admin.for_company(company).call(
        "stock.warehouse", "create", {"name": "Second", "code": "SEC", "company_id": company}
    )
    account = make_account(company="Second")
    setup = prepare(admin, account)
    assert setup.company_id == company
    assert setup.warehouse_id != first.warehouse_id
    assert setup.fba_location_id != first.fba_location_id
    assert setup.fba_route_id != first.fba_route_id
    assert setup.sales_team_id != first.sales_team_id
    assert setup.products == first.products
    assert setup.pricelists == first.pricelists
    assert prepare(admin, account) == setup
    assert prepare(admin, make_account(warehouse="WH")) == first
    locations = [("company_id", "=", company), ("complete_name", "like", "Amazon")]
    assert admin.search_read("stock.location", locations, ["id"])
    found = proposals.read_proposals(admin, company)
    assert found.fba_location == "Amazon/FBA", "the company's only one is inside its warehouse"
    own = {"usage": "internal", "company_id": company}
    names = [{"name": "Bin", **own}, {"name": "Goods of Fba", **own}]
    admin.for_company(company).call("stock.location", "create", names)
    assert proposals.read_proposals(admin, company).fba_location == "Goods of Fba"


def test_a_survey_finds_what_the_company_has(admin: OdooSession, bridge: OdooSession) -> None:
    for session in (admin, bridge):
        before = session.calls.copy()
        (company_id, *_) = proposals.companies(session).values()
        found = proposals.read_proposals(session, company_id)
        assert {method for _, method in session.calls - before} <= LOOKS
        assert found.warehouses[0].code == "WH"
        assert found.sales_team == "Amazon"
        assert found.fba_location == "Amazon/FBA"
        assert found.sales_tax == proposals.SalesTax("15%", included=False)
