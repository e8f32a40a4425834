"""Odoo's records for accounts that book settlements: made once, and kept as people change them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from odoo_server.databases import OdooDatabase

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import AccountError
from amazon_bridge.flows.check import examine_odoo as examine
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import SettlementSetup, inspect, is_current, prepare

MakeAccount = Callable[..., AccountConfig]
INVOICING = {"payment_journal": "Amazon Payments"}
ON = {"mode": "post"}
FIELDS = ["name", "code", "account_type", "reconcile"]


@pytest.fixture
def make_map(tmp_path: Path) -> Callable[[str], str]:
    def make(text: str) -> str:
        file = tmp_path / "accounts.csv"
        file.write_text(f"category,account,tax,marketplace\n{text}")
        return str(file)

    return make


def settlement(session: OdooSession, account: AccountConfig) -> SettlementSetup:
    found = prepare(session, account).settlement
    assert found
    return found


def test_everything_is_made_once_by_an_administrator_and_used_by_a_biller(
    admin: OdooSession, biller: OdooSession, make_account: MakeAccount, odoo_database: OdooDatabase
):
    assert prepare(admin, make_account()).settlement is None
    account = make_account(invoicing=INVOICING, settlements=ON)
    expected = inspect(biller, account).expected
    assert expected
    assert expected.settlement
    assert expected.settlement.interim.account == "Amazon statements"
    assert expected.settlement.owed.account == "Amazon Payments: owed by Amazon"
    lacking = prepare(biller, account)
    assert lacking.settlement is None
    whats = " ".join(each.what for each in lacking.settlement_missing)
    for what in ("Amazon selling fees", "journal Amazon Settlements", "journal Amazon Payments"):
        assert what in whats
    assert is_current(biller, lacking), "the other jobs go on"
    with pytest.raises(AccountError, match="Amazon selling fees"):
        prepare(biller, account, restore=True)
    found = settlement(admin, account)
    models = ("account.journal", "account.account", "res.partner", "ir.model.data")
    counts = {model: odoo_database.rpc(model, "search_count", []) for model in models}
    assert settlement(biller, account) == settlement(admin, account) == found
    assert {model: odoo_database.rpc(model, "search_count", []) for model in models} == counts
    assert is_current(biller, prepare(biller, account))
    findings = examine(biller, account)
    assert all(finding.ok for finding in findings)
    unrated = [finding.what for finding in findings if "no exchange rate" in finding.what]
    assert [what.split()[6] for what in unrated] == ["EUR:", "GBP:"]


def test_accounts_have_the_types_that_reports_expect(
    admin: OdooSession, make_account: MakeAccount, odoo_database: OdooDatabase
):
    found = settlement(admin, make_account(invoicing=INVOICING, settlements=ON))
    ids = {target.account_id for target in found.targets.values()} | {found.interim.account_id}
    rows = odoo_database.rpc("account.account", "read", sorted(ids), FIELDS)
    types = {row["name"]: (row["account_type"], row["reconcile"]) for row in rows}
    assert types["Amazon selling fees"] == ("expense", False)
    assert types["Amazon reimbursements"] == ("income_other", False)
    assert types["Amazon payouts in transit"] == ("asset_current", True)
    assert types["Amazon marketplace facilitator tax"] == ("liability_current", False)
    assert types["Amazon Payments: owed by Amazon"] == ("asset_current", True)
    assert found.target("order") == found.target("refund", "DE") == found.owed
    assert found.currency == "USD"
    code = next(row["code"] for row in rows if row["name"] == "Amazon selling fees")
    assert found.target("selling fee").account == f"{code} Amazon selling fees"


def test_fees_to_be_invoiced_have_one_account(admin: OdooSession, make_account: MakeAccount):
    settings = {**ON, "fees": "to_invoice"}
    found = settlement(admin, make_account(invoicing=INVOICING, settlements=settings))
    assert found.fees_to_invoice.account.endswith("Amazon fees to be invoiced")
    assert found.target("selling fee", "FR") == found.target("postage") == found.fees_to_invoice


def test_orders_as_revenue_need_no_payment_journal(
    admin: OdooSession, make_account: MakeAccount, odoo_database: OdooDatabase
):
    found = settlement(admin, make_account(settlements={**ON, "orders": "revenue"}))
    [row] = odoo_database.rpc("account.account", "read", [found.target("order").account_id], FIELDS)
    assert (row["name"], row["account_type"]) == ("Amazon sales", "income")


def test_the_map_goes_before_the_accounts_that_setup_makes(
    admin: OdooSession, make_account: MakeAccount, make_map: Callable, odoo_database: OdooDatabase
):
    rpc = odoo_database.rpc
    [(code, id_)] = [
        (row["code"], row["id"])
        for row in rpc(
            "account.account", "search_read", [("account_type", "=", "expense")], ["code"], limit=1
        )
    ]
    group = rpc("account.tax.group", "search", [], limit=1)[0]
    tax = {"name": "VAT 20 fees", "amount": 20, "type_tax_use": "purchase", "tax_group_id": group}
    tax_id = rpc("account.tax", "create", tax)
    text = f"selling fee,{code},VAT 20 fees,\nselling fee,{code},,FR\n"
    settings = {**ON, "accounts": make_map(text)}
    found = settlement(admin, make_account(invoicing=INVOICING, settlements=settings))
    general, french = found.target("selling fee", "DE"), found.target("selling fee", "FR")
    assert general.account_id == french.account_id == id_
    assert general.tax
    assert french.tax is None
    assert (general.tax.id, general.tax.percent, general.tax.factor) == (tax_id, 20, 1)


def test_what_the_map_names_and_odoo_lacks_is_reported(
    admin: OdooSession, make_account: MakeAccount, make_map: Callable
):
    settings = {**ON, "accounts": make_map("storage,NOSUCH,No such tax,\n")}
    account = make_account(invoicing=INVOICING, settlements=settings)
    whats = {each.what for each in prepare(admin, account).settlement_missing}
    account_missing = "an account with the code NOSUCH, for storage"
    assert whats == {account_missing, "the tax No such tax, a percentage"}
    assert {each.what for each in inspect(admin, account).missing} == whats
    assert inspect(admin, account).missing_for_all == ()


def test_what_people_renamed_stays_and_what_they_archived_is_unarchived_on_demand(
    admin: OdooSession, make_account: MakeAccount
):
    account = make_account(invoicing=INVOICING, settlements=ON)
    setup = prepare(admin, account)
    assert setup.settlement
    fees = setup.settlement.target("selling fee").account_id
    admin.call("account.account", "write", [fees], {"name": "Commissions", "code": "604100"})
    admin.call("account.journal", "write", [setup.settlement.journal_id], {"name": "Marketplaces"})
    found = settlement(admin, account)
    assert found.target("selling fee").account == "604100 Commissions"
    assert found.journal_id == setup.settlement.journal_id
    for model, id_ in (("account.account", fees), ("account.journal", found.journal_id)):
        admin.call(model, "write", [id_], {"active": False})
        assert not is_current(admin, setup)
        lacking = prepare(admin, account)
        assert lacking.settlement is None
        assert [each.archived for each in lacking.settlement_missing] == [True]
        assert prepare(admin, account, restore=True).settlement == found
