"""Taxes, fiscal position and payment journal."""

from __future__ import annotations

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.setup.records import Need, Place
from amazon_bridge.odoo.setup.work import ACCOUNTING_ADMINISTRATOR, Work, external, first_id, slug

_METHOD_LINE = "account.payment.method.line"

_INVOICING_SINCE = (16, 0)
"""An invoice's lines have said what they are (``display_type``) since then."""


def ensure_facilitator_tax(work: Work, place: Place) -> int | None:
    """The id of the tax of 0 %, where the account names one."""
    name = work.account.facilitator_tax
    if name is None:
        return None
    return work.ensure(
        Need(
            f"the sales tax {name}",
            f"Accounting or Invoicing > Configuration > Taxes > New: name {name}, Sales, 0 %",
            "account.tax",
            ACCOUNTING_ADMINISTRATOR,
        ),
        lambda: _find_tax(work, name, place),
        lambda: _make_tax(work, name, place),
    )


def find_fiscal_position(work: Work, place: Place) -> int | None:
    """The id of the fiscal position, where the account names one."""
    name = work.account.fiscal_position
    if name is None:
        return None
    domain = [("name", "=", name), ("company_id", "=", place.company_id)]
    found = first_id(work.session.search_read("account.fiscal.position", domain, ["id"], limit=1))
    if found is None:
        work.lacks(
            f"the fiscal position {name}",
            "Accounting or Invoicing > Configuration > Fiscal Positions: make it; or correct "
            "`fiscal_position` of the account",
        )
    return found


def _find_tax(work: Work, name: str, place: Place) -> int | None:
    domain = [
        ("name", "=", name),
        ("type_tax_use", "=", "sale"),
        ("amount_type", "=", "percent"),
        ("amount", "=", 0),
        ("company_id", "=", place.company_id),
    ]
    return first_id(work.session.search_read("account.tax", domain, ["id"], limit=1))


def _make_tax(work: Work, name: str, place: Place) -> None:
    reference = f"tax_{place.company_id}_{slug(name)}"
    row = [external(reference), name, "sale", "percent", "0", str(place.company_id)]
    fields = ["id", "name", "type_tax_use", "amount_type", "amount", "company_id/.id"]
    work.session.load("account.tax", fields, [row])


def ensure_payment_journal(work: Work, place: Place) -> int | None:
    """The id of the journal, where the account registers payments."""
    name = work.account.invoicing.payment_journal
    if work.account.invoicing.mode == "manual":
        return None
    if work.session.version < _INVOICING_SINCE:
        how = "leave `invoicing` at `mode: manual` with this one, and invoice by hand"
        work.lacks("Odoo 16 or newer, for `invoicing`", how)
        return None
    if name is None:
        return None
    return work.ensure(
        Need(
            f"the journal {name} with an intermediary account",
            f"Accounting or Invoicing > Configuration > Journals: {name}, type Bank, whose "
            "incoming payments have an outstanding receipts account",
            "account.journal",
            ACCOUNTING_ADMINISTRATOR,
        ),
        lambda: _find_journal(work, name, place),
        lambda: _make_journal(work, name, place),
    )


def _find_journal(work: Work, name: str, place: Place) -> int | None:
    """Without an intermediary account, Odoo would make no entry of a payment."""
    domain = [
        ("journal_id.name", "=", name),
        ("journal_id.type", "=", "bank"),
        ("journal_id.company_id", "=", place.company_id),
        ("payment_account_id", "!=", False),
        ("payment_type", "=", "inbound"),
    ]
    rows = work.session.search_read(_METHOD_LINE, domain, ["journal_id"], limit=1)
    return int(rows[0]["journal_id"][0]) if rows else None


def _make_journal(work: Work, name: str, place: Place) -> None:
    suffix = f"{place.company_id}_{slug(name)}"
    domain = [("name", "=", name), ("company_id", "=", place.company_id)]
    standing = work.session.search_read("account.journal", domain, ["id"])
    if standing and not work.session.reference(f"journal_{suffix}"):
        raise ItemError("journal_incomplete", "the journal of this name lacks the account")
    account = {
        "id": external(f"account_{suffix}"),
        "name": f"{name}: owed by Amazon",
        "code": _free_code(work),
        "account_type": "asset_current",
        "reconcile": "1",
    }
    [account_id] = work.session.load("account.account", list(account), [list(account.values())])
    row = [external(f"journal_{suffix}"), name, "bank", str(place.company_id)]
    fields = ["id", "name", "type", "company_id/.id"]
    [journal_id] = work.session.load("account.journal", fields, [row])
    domain = [("journal_id", "=", journal_id), ("payment_type", "=", "inbound")]
    methods = work.session.search_read(_METHOD_LINE, domain, ["id"])
    rows = [[str(method["id"]), str(account_id)] for method in methods]
    work.session.load(_METHOD_LINE, [".id", "payment_account_id/.id"], rows, overwrite=True)


def _free_code(work: Work) -> str:
    """A code that no account has yet; the accountant may change it to their own."""
    rows = work.session.search_read("account.account", [("code", "=like", "AMZ%")], ["code"])
    taken = {row["code"] for row in rows}
    codes = (f"AMZ{number:03}" for number in range(1, len(taken) + 2))
    return next(code for code in codes if code not in taken)
