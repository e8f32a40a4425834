"""Odoo's records for accounts with their own taxes, invoices and payments."""

from collections.abc import Callable

import pytest
from odoo_server.databases import OdooDatabase

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import AccountError
from amazon_bridge.flows.check import examine_odoo as examine
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import is_current, prepare

MakeAccount = Callable[..., AccountConfig]
JOURNAL = "Amazon Payments"
INVOICING = {"mode": "on_delivery", "payment_journal": JOURNAL}
MODELS = ("account.journal", "account.account", "account.tax", "ir.model.data")


def test_the_journal_is_made_once_with_an_account_that_carries_the_debt(
    admin: OdooSession, biller: OdooSession, make_account: MakeAccount, odoo_database: OdooDatabase
):
    prepare(admin, make_account())
    account = make_account(invoicing=INVOICING, facilitator_tax="Collected by Amazon")
    with pytest.raises(AccountError) as caught:
        prepare(biller, account)
    assert f"the journal {JOURNAL} with an intermediary account" in caught.value.reason
    assert "the sales tax Collected by Amazon" in caught.value.reason
    assert "Accounting or Invoicing: Administrator" in caught.value.reason
    found = prepare(admin, account)
    counts = {model: odoo_database.rpc(model, "search_count", []) for model in MODELS}
    assert prepare(biller, account) == prepare(admin, account) == found
    assert {model: odoo_database.rpc(model, "search_count", []) for model in MODELS} == counts
    domain = [("journal_id", "=", found.payment_journal_id), ("payment_type", "=", "inbound")]
    fields = ["payment_account_id"]
    lines = odoo_database.rpc("account.payment.method.line", "search_read", domain, fields)
    accounts = [line["payment_account_id"][0] for line in lines]
    fields = ["name", "account_type", "reconcile"]
    [intermediary] = odoo_database.rpc("account.account", "read", accounts, fields)
    assert intermediary["name"] == f"{JOURNAL}: owed by Amazon"
    assert (intermediary["account_type"], intermediary["reconcile"]) == ("asset_current", True)


def test_two_journals_have_accounts_of_their_own(admin: OdooSession, make_account: MakeAccount):
    names = (JOURNAL, "Amazon Payments US")
    ids = {
        prepare(
            admin, make_account(invoicing={**INVOICING, "payment_journal": name})
        ).payment_journal_id
        for name in names
    }
    assert len(ids) == 2


def test_a_journal_of_the_houses_own_needs_an_intermediary_account(
    admin: OdooSession, make_account: MakeAccount
):
    account = make_account(invoicing={**INVOICING, "payment_journal": "Bank"})
    with pytest.raises(AccountError, match="the journal of this name lacks the account"):
        prepare(admin, account)


def test_a_fiscal_position_that_is_not_there_is_reported(
    admin: OdooSession, make_account: MakeAccount
):
    with pytest.raises(AccountError, match="the fiscal position Nowhere"):
        prepare(admin, make_account(fiscal_position="Nowhere"))


def test_the_doctor_names_the_right_that_invoices_take(
    bridge: OdooSession, biller: OdooSession, make_account: MakeAccount
):
    account = make_account(invoicing=INVOICING)
    assert all(finding.ok for finding in examine(biller, account))
    remedies = [finding.remedy for finding in examine(bridge, account) if not finding.ok]
    assert any("give it Invoicing" in remedy for remedy in remedies)
    assert all(finding.ok for finding in examine(bridge, make_account()))


@pytest.mark.parametrize(
    ("model", "field", "said"),
    [
        ("account.tax", "facilitator_tax_id", "the sales tax Kept"),
        ("account.journal", "payment_journal_id", "the journal Kept"),
    ],
)
def test_what_people_renamed_is_found_and_what_they_archived_is_unarchived_on_demand(
    admin: OdooSession, make_account: MakeAccount, model: str, field: str, said: str
):
    invoicing = {**INVOICING, "payment_journal": "Kept"}
    account = make_account(invoicing=invoicing, facilitator_tax="Kept")
    setup = prepare(admin, account)
    record = [getattr(setup, field)]
    admin.call(model, "write", record, {"name": "Renamed"})
    assert prepare(admin, account) == setup
    admin.call(model, "write", record, {"active": False})
    assert not is_current(admin, setup)
    with pytest.raises(
        AccountError, match=rf"needs: {said} \(archived\)\. Run `amazon-bridge setup`"
    ):
        prepare(admin, account)
    assert prepare(admin, account, restore=True) == setup
    assert is_current(admin, setup)
