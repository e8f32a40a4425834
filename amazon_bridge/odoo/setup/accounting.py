"""Taxes, fiscal position and payment journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.session import external
from amazon_bridge.odoo.setup.records import Archived, Need, Place
from amazon_bridge.odoo.setup.work import ACCOUNTING_ADMINISTRATOR, Work, first_id, slug

_TAX = "account.tax"
_JOURNAL = "account.journal"
_METHOD_LINE = "account.payment.method.line"

INVOICING_SINCE = (16, 0)
"""Since this version, invoice lines have a ``display_type``."""


ACCOUNTING = "Accounting or Invoicing > Configuration"


def ensure_facilitator_tax(work: Work, place: Place) -> int | None:
    """The id of the 0 % tax, if the account names one."""
    name = work.account.facilitator_tax
    if name is None:
        return None
    what, menu = f"the sales tax {name}", f"{ACCOUNTING} > Taxes"
    reference = _tax_reference(name, place)
    return work.ensure(
        Need(what, f"{menu} > New: name {name}, Sales, 0 %", _TAX, ACCOUNTING_ADMINISTRATOR),
        lambda: _find_tax(work, name, place),
        lambda: _make_tax(work, name, place),
        lambda: [
            Archived(what, menu, _TAX, id_)
            for id_ in work.archived_ids(_TAX, reference, _named(name, _is_untaxed(place)))
        ],
    )


def _named(name: str, condition: Sequence[Any]) -> list[Any]:
    return [("name", "=", name), *condition]


def _is_untaxed(place: Place) -> list[Any]:
    return [
        ("type_tax_use", "=", "sale"),
        ("amount_type", "=", "percent"),
        ("amount", "=", 0),
        ("company_id", "=", place.company_id),
    ]


def _find_tax(work: Work, name: str, place: Place) -> int | None:
    """By name, or the one that the bridge created and people renamed."""
    found = work.named(f"the sales tax {name}", _TAX, name, _is_untaxed(place))
    if not found and (ours := work.session.reference(_tax_reference(name, place))):
        domain = [("id", "=", ours), *_is_untaxed(place)]
        found = work.session.search_read(_TAX, domain, ["id"])
    return first_id(found)


def _tax_reference(name: str, place: Place) -> str:
    return f"tax_{place.company_id}_{slug(name)}"


def _make_tax(work: Work, name: str, place: Place) -> None:
    row = [external(_tax_reference(name, place)), name, "sale", "percent", "0"]
    fields = ["id", "name", "type_tax_use", "amount_type", "amount", "company_id/.id"]
    work.session.load(_TAX, fields, [[*row, str(place.company_id)]])


def find_fiscal_position(work: Work, place: Place) -> int | None:
    """The id of the fiscal position, if the account names one."""
    name = work.account.fiscal_position
    if name is None:
        return None
    what = f"the fiscal position {name}"
    domain = [("company_id", "=", place.company_id)]
    found = first_id(work.named(what, "account.fiscal.position", name, domain))
    if found is None:
        work.lacks(
            what,
            f"{ACCOUNTING} > Fiscal Positions: create it, or unarchive it (filter Archived); or "
            "correct `fiscal_position` of the account",
        )
    return found


def ensure_payment_journal(work: Work, place: Place) -> int | None:
    """The id of the journal, if the account registers payments or books settlements."""
    name = work.account.invoicing.payment_journal
    if work.account.invoicing.mode == "manual" and not work.account.settlements.is_on:
        return None
    if work.session.version < INVOICING_SINCE:
        if work.account.invoicing.mode == "manual":
            return None  # for settlements, which say so themselves
        how = "leave `invoicing` at `mode: manual` with this one, and invoice manually"
        work.lacks("Odoo 16 or newer, for `invoicing`", how)
        return None
    return _ensure_journal(work, name, place) if name else None


def _ensure_journal(work: Work, name: str, place: Place) -> int | None:
    menu = f"{ACCOUNTING} > Journals"
    condition = _named(name, [("type", "=", "bank"), ("company_id", "=", place.company_id)])
    return work.ensure(
        Need(
            f"the journal {name} with an intermediary account",
            f"{menu}: {name}, type Bank, whose incoming payments have an outstanding receipts "
            "account",
            _JOURNAL,
            ACCOUNTING_ADMINISTRATOR,
        ),
        lambda: _find_journal(work, name, place),
        lambda: _make_journal(work, name, place),
        lambda: [
            Archived(f"the journal {name}", menu, _JOURNAL, id_)
            for id_ in work.archived_ids(_JOURNAL, _journal_reference(name, place), condition)
        ],
    )


def _journal_reference(name: str, place: Place) -> str:
    return f"journal_{place.company_id}_{slug(name)}"


def _find_journal(work: Work, name: str, place: Place) -> int | None:
    """By name, or the one that the bridge created and people renamed.

    Without an intermediary account, Odoo would make no entry of a payment.
    """
    domain = [
        ("journal_id.active", "=", True),
        ("journal_id.type", "=", "bank"),
        ("journal_id.company_id", "=", place.company_id),
        ("payment_account_id", "!=", False),
        ("payment_type", "=", "inbound"),
    ]
    what, fields = f"the journal {name}", ["journal_id"]
    rows = work.named(what, _METHOD_LINE, name, domain, fields, field="journal_id.name")
    if not rows and (ours := work.session.reference(_journal_reference(name, place))):
        domain = [("journal_id", "=", ours), *domain]
        rows = work.session.search_read(_METHOD_LINE, domain, fields, limit=1)
    return int(rows[0]["journal_id"][0]) if rows else None


def _make_journal(work: Work, name: str, place: Place) -> None:
    suffix = f"{place.company_id}_{slug(name)}"
    domain = [("name", "=", name), ("company_id", "=", place.company_id)]
    existing = work.session.search_read(_JOURNAL, domain, ["id"])
    if existing and not work.session.reference(f"journal_{suffix}"):
        raise ItemError("journal_incomplete", "the journal of this name lacks the account", "")
    account = {
        "id": external(f"account_{suffix}"),
        "name": f"{name}: owed by Amazon",
        "code": free_codes(work, 1)[0],
        "account_type": "asset_current",
        "reconcile": "1",
    }
    [account_id] = work.session.load("account.account", list(account), [list(account.values())])
    row = [external(f"journal_{suffix}"), name, "bank", str(place.company_id)]
    fields = ["id", "name", "type", "company_id/.id"]
    [journal_id] = work.session.load(_JOURNAL, fields, [row])
    methods = work.session.search_read(_METHOD_LINE, [("journal_id", "=", journal_id)], ["id"])
    rows = [[str(method["id"]), str(account_id)] for method in methods]
    work.session.load(_METHOD_LINE, [".id", "payment_account_id/.id"], rows, overwrite=True)


def free_codes(work: Work, number: int) -> list[str]:
    """Unused account codes; the accountant may change them."""
    rows = work.session.search_read("account.account", [("code", "=like", "AMZ%")], ["code"])
    taken = {row["code"] for row in rows}
    codes = (f"AMZ{each:03}" for each in range(1, len(taken) + number + 1))
    return [code for code in codes if code not in taken][:number]
