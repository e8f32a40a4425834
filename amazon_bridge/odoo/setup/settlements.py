"""Journal, partner, accounts and taxes of settlements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from amazon_bridge.config.account_map import Category, MappedAccount
from amazon_bridge.odoo.exchange_rates import first_day
from amazon_bridge.odoo.session import external
from amazon_bridge.odoo.setup.accounting import ACCOUNTING, INVOICING_SINCE, free_codes
from amazon_bridge.odoo.setup.records import Advice, Archived, Need, Place
from amazon_bridge.odoo.setup.settlement_records import (
    EntryTax,
    SettlementSetup,
    Target,
    account_title,
)
from amazon_bridge.odoo.setup.settlement_taxes import find_taxes
from amazon_bridge.odoo.setup.work import ACCOUNTING_ADMINISTRATOR, Work, first_id

_ACCOUNT, _JOURNAL, _PARTNER = "account.account", "account.journal", "res.partner"
_JOURNAL_NAME, _JOURNAL_CODE = "Amazon Settlements", "AMZS"
_PARTNER_NAME, _PARTNER_REFERENCE = "Amazon", "supplier_amazon"

_ARCHIVED_SINCE = (19, 0)
"""Since this version, accounts can be archived."""


class _Default(NamedTuple):
    """An account that `setup` creates."""

    name: str
    type: str
    reconcile: bool = False


_INTERIM, _TO_INVOICE = "interim", "fees to invoice"
_DEFAULTS: Mapping[str, _Default] = {
    Category.ORDER: _Default("Amazon sales", "income"),
    Category.REFUND: _Default("Amazon refunds", "income"),
    Category.FACILITATOR_TAX: _Default("Amazon marketplace facilitator tax", "liability_current"),
    Category.SELLING_FEE: _Default("Amazon selling fees", "expense"),
    Category.FBA_FEE: _Default("Amazon FBA fees", "expense"),
    Category.STORAGE: _Default("Amazon storage fees", "expense"),
    Category.ADVERTISING: _Default("Amazon advertising", "expense"),
    Category.INBOUND_FREIGHT: _Default("Amazon inbound freight", "expense"),
    Category.POSTAGE: _Default("Amazon postage", "expense"),
    Category.REIMBURSEMENT: _Default("Amazon reimbursements", "income_other"),
    Category.OTHER_INCOME: _Default("Amazon other income", "income_other"),
    Category.TAX_ASSET: _Default("Amazon tax withheld from us", "asset_current"),
    Category.FEE_VAT: _Default("Amazon VAT on fees", "asset_current"),
    Category.RESERVE: _Default("Amazon reserve", "asset_current"),
    Category.IN_TRANSIT: _Default("Amazon payouts in transit", "asset_current", reconcile=True),
    Category.OTHER: _Default("Amazon other", "expense"),
    _INTERIM: _Default("Amazon statements", "asset_current"),
    _TO_INVOICE: _Default("Amazon fees to be invoiced", "asset_current", reconcile=True),
}
_CLEARED = (Category.ORDER, Category.REFUND)
_FEES = (
    *(Category.SELLING_FEE, Category.FBA_FEE, Category.STORAGE),
    *(Category.ADVERTISING, Category.INBOUND_FREIGHT, Category.POSTAGE),
)
_NOWHERE = Target(0, "")

Accounts = Mapping[str, Target]
"""The accounts that `setup` creates, by category and the like."""


def ensure_settlements(
    work: Work, place: Place, payment_journal_id: int | None
) -> SettlementSetup | None:
    """Where settlements are booked; None while they are off.

    What is missing has the id 0, and the name that `setup` gives it.
    """
    settings = work.account.settlements
    if not settings.is_on:
        return None
    if work.session.version < INVOICING_SINCE:
        work.lacks("Odoo 16 or newer, for `settlements`", "leave `settlements` off with this one")
        return None
    accounts = _ensure_accounts(work, place)
    owed = _find_owed(work, payment_journal_id)
    targets = _targets(work, place, accounts, owed)
    company, currency = _read_company(work, place)
    if not work.create:
        _advise_rates(work, currency["name"])
    return SettlementSetup(
        company_id=place.company_id,
        journal_id=_ensure_journal(work, place) or 0,
        partner_id=_ensure_partner(work) or 0,
        owed=owed,
        interim=accounts[_INTERIM],
        in_transit=targets[Category.IN_TRANSIT, ""],
        reserve=targets[Category.RESERVE, ""],
        fees_to_invoice=accounts.get(_TO_INVOICE, _NOWHERE),
        targets=targets,
        currency=currency["name"],
        rounds_per_line=company["tax_calculation_rounding_method"] == "round_per_line",
    )


def _read_company(work: Work, place: Place) -> tuple[dict[str, Any], dict[str, Any]]:
    fields = ["currency_id", "tax_calculation_rounding_method"]
    [company] = work.session.read("res.company", [place.company_id], fields)
    fields = ["name"]
    [currency] = work.session.read("res.currency", [company["currency_id"][0]], fields)
    return company, currency


def _advise_rates(work: Work, company_currency: str) -> None:
    """Advise against foreign currencies that Odoo can't convert."""
    foreign = {m.currency for m in work.account.marketplaces} - {company_currency}
    for currency in sorted(foreign):
        if not first_day(work.session, currency):
            work.advice[f"rate {currency}"] = Advice(
                f"Odoo has no exchange rate of {currency}: settlements in it are quarantined",
                f"{ACCOUNTING} > Currencies > {currency}: enter one, or fetch rates daily.",
            )


def _targets(
    work: Work, place: Place, accounts: Accounts, owed: Target
) -> dict[tuple[str, str], Target]:
    settings = work.account.settlements
    targets = {(key, ""): accounts[key] for key in _made_categories(work)}
    mapped, balanced = _mapped(work, place)
    targets |= mapped
    if settings.orders == "clearing":
        targets = _all_on(targets, _CLEARED, owed)
    if settings.fees == "to_invoice":
        targets = _all_on(targets, _FEES, accounts[_TO_INVOICE])
        targets |= {key: each for key, each in balanced.items() if key[0] in _FEES}
    return targets


def _all_on(
    targets: Mapping[tuple[str, str], Target], categories: Sequence[str], target: Target
) -> dict[tuple[str, str], Target]:
    """The targets, with one for these categories in all countries."""
    others = {key: each for key, each in targets.items() if key[0] not in categories}
    return others | {(category, ""): target for category in categories}


def _elsewhere(work: Work) -> set[str]:
    """The categories for which the configuration has other accounts."""
    settings = work.account.settlements
    entries = settings.accounts.entries if settings.accounts else {}
    categories: set[str] = {category for category, country in entries if not country}
    categories |= set(_CLEARED) if settings.orders == "clearing" else set()
    return categories | (set(_FEES) if settings.fees == "to_invoice" else set())


def _made_categories(work: Work) -> list[str]:
    return [category for category in Category if category not in _elsewhere(work)]


def _defaults(work: Work, place: Place) -> dict[str, tuple[str, _Default]]:
    """The accounts that `setup` creates for this configuration: key and default by reference."""
    to_invoice = work.account.settlements.fees == "to_invoice"
    keys = [*_made_categories(work), _INTERIM, *([_TO_INVOICE] if to_invoice else [])]
    prefix = f"account_{place.company_id}_settlements_"
    return {f"{prefix}{key.lower().replace(' ', '_')}": (key, _DEFAULTS[key]) for key in keys}


def _ensure_accounts(work: Work, place: Place) -> Accounts:
    defaults = _defaults(work, place)
    found = _find(work, defaults)
    missing = [reference for reference in defaults if reference not in found]
    if missing:
        found = _made_accounts(work, defaults, missing, found)
    return {
        key: found.get(reference, Target(0, default.name))
        for reference, (key, default) in defaults.items()
    }


def _made_accounts(
    work: Work,
    defaults: Mapping[str, tuple[str, _Default]],
    missing: Sequence[str],
    found: dict[str, Target],
) -> dict[str, Target]:
    lacking = {reference: defaults[reference] for reference in missing}

    def find() -> dict[str, Target] | None:
        made = _find(work, lacking)
        return made if len(made) == len(lacking) else None

    names = ", ".join(default.name for _, default in lacking.values())
    made = work.ensure(
        Need(f"the accounts {names}", "", _ACCOUNT, ACCOUNTING_ADMINISTRATOR),
        find,
        lambda: _make_accounts(work, {each: default for each, (_, default) in lacking.items()}),
        lambda: _archived(work, missing, defaults),
    )
    return found | (made or {})


def _find(work: Work, defaults: Mapping[str, tuple[str, _Default]]) -> dict[str, Target]:
    names = {reference: default.name for reference, (_, default) in defaults.items()}
    rows = work.find_ours(_ACCOUNT, names, ["code", "name"])
    return {reference: _target(row) for reference, row in rows.items()}


def _target(row: Mapping[str, Any], tax: EntryTax | None = None) -> Target:
    return Target(row["id"], account_title(row), tax)


def _archived(
    work: Work, references: Sequence[str], defaults: Mapping[str, tuple[str, _Default]]
) -> list[Archived]:
    if work.session.version < _ARCHIVED_SINCE:
        return []
    menu = f"{ACCOUNTING} > Chart of Accounts"
    return [
        Archived(f"the account {defaults[reference][1].name}", menu, _ACCOUNT, id_)
        for reference in references
        for id_ in work.archived_ids(_ACCOUNT, reference, [])
    ]


def _make_accounts(work: Work, defaults: Mapping[str, _Default]) -> None:
    codes = free_codes(work, len(defaults))
    rows = [
        [external(reference), default.name, code, default.type, str(int(default.reconcile))]
        for (reference, default), code in zip(defaults.items(), codes, strict=True)
    ]
    work.session.load(_ACCOUNT, ["id", "name", "code", "account_type", "reconcile"], rows)


def _find_owed(work: Work, payment_journal_id: int | None) -> Target:
    """The account of the payments: *owed by Amazon*."""
    name = f"{work.account.invoicing.payment_journal}: owed by Amazon"
    if not payment_journal_id:  # reported as missing, unless orders are booked as revenue
        return Target(0, name) if work.account.invoicing.payment_journal else _NOWHERE
    domain = [("journal_id", "=", payment_journal_id), ("payment_type", "=", "inbound")]
    domain += [("payment_account_id", "!=", False)]
    lines = work.session.search_read("account.payment.method.line", domain, ["payment_account_id"])
    fields = ["code", "name", "reconcile"]
    rows = work.session.read(_ACCOUNT, [line["payment_account_id"][0] for line in lines], fields)
    usable = [row for row in rows if row["reconcile"]]
    if not usable:
        how = f"{ACCOUNTING} > Chart of Accounts > the outstanding receipts account of the journal"
        work.lacks(
            f"reconciliation on the account of {work.account.invoicing.payment_journal}",
            f"{how}: Allow Reconciliation",
        )
        return Target(0, name)
    return _target(usable[0])


_Targets = dict[tuple[str, str], Target]
_BALANCE_SHEET = ("asset_", "liability_")


def _mapped(work: Work, place: Place) -> tuple[_Targets, _Targets]:
    """The targets that the account map names, and those of them on the balance sheet.

    The latter are without a tax: fees on them wait for Amazon's tax invoice.
    """
    settings = work.account.settlements
    entries = settings.accounts.entries if settings.accounts else {}
    rows = _accounts_by_code(work, entries) if entries else {}
    taxes = find_taxes(work, place, [(key[0], entry.tax) for key, entry in entries.items()])
    mapped = {
        (str(category), country): _target(rows[entry.code], taxes.get((category, entry.tax)))
        if entry.code in rows
        else Target(0, entry.code)
        for (category, country), entry in entries.items()
    }
    balanced = {
        key: replace(mapped[key], tax=None)
        for key, entry in entries.items()
        if rows.get(entry.code, _NO_ROW)["account_type"].startswith(_BALANCE_SHEET)
    }
    return mapped, balanced


_NO_ROW = {"account_type": ""}


_ACCOUNT_FIELDS = ["code", "name", "account_type"]


def _accounts_by_code(
    work: Work, entries: Mapping[tuple[str, str], MappedAccount]
) -> dict[str, dict[str, Any]]:
    codes = sorted({entry.code for entry in entries.values()})
    found = work.session.search_read(_ACCOUNT, [("code", "in", codes)], _ACCOUNT_FIELDS)
    rows = {str(row["code"]): row for row in found}
    for code in codes:
        if code not in rows:
            of = sorted(
                {category for (category, _), entry in entries.items() if entry.code == code}
            )
            work.lacks(
                f"an account with the code {code}, for {', '.join(of)}",
                f"{ACCOUNTING} > Chart of Accounts: create it, or correct `settlements.accounts`",
            )
    return rows


def _ensure_journal(work: Work, place: Place) -> int | None:
    menu, reference = f"{ACCOUNTING} > Journals", f"journal_{place.company_id}_settlements"
    condition = [("type", "=", "general"), ("company_id", "=", place.company_id)]
    named = [("name", "=", _JOURNAL_NAME), *condition]
    how = f"{menu} > New: {_JOURNAL_NAME}, type Miscellaneous"
    what = f"the journal {_JOURNAL_NAME}"
    return work.ensure(
        Need(what, how, _JOURNAL, ACCOUNTING_ADMINISTRATOR),
        lambda: _named_or_ours(work, _JOURNAL, named, reference, condition),
        lambda: _make_journal(work, reference, place),
        lambda: [
            Archived(what, menu, _JOURNAL, id_)
            for id_ in work.archived_ids(_JOURNAL, reference, named)
        ],
    )


def _named_or_ours(
    work: Work,
    model: str,
    named: Sequence[object],
    reference: str,
    condition: Sequence[object] = (),
) -> int | None:
    """The one that the bridge created, whatever its name is now, else one of that name."""
    if ours := work.session.reference(reference):
        domain = [("id", "=", ours), *condition]
        if found := first_id(work.session.search_read(model, domain, ["id"])):
            return found
    return first_id(work.session.search_read(model, named, ["id"], order="id", limit=1))


def _make_journal(work: Work, reference: str, place: Place) -> None:
    domain = [("code", "=like", f"{_JOURNAL_CODE}%"), ("company_id", "=", place.company_id)]
    context = {"active_test": False}
    rows = work.session.search_read(_JOURNAL, domain, ["code"], context=context)
    taken = {row["code"] for row in rows}
    codes = [_JOURNAL_CODE, *(f"{_JOURNAL_CODE}{number}" for number in range(2, len(taken) + 2))]
    code = next(each for each in codes if each not in taken)
    row = [external(reference), _JOURNAL_NAME, "general", code, str(place.company_id)]
    work.session.load(_JOURNAL, ["id", "name", "type", "code", "company_id/.id"], [row])


def _ensure_partner(work: Work) -> int | None:
    named = [("name", "=", _PARTNER_NAME), ("parent_id", "=", False), ("is_company", "=", True)]
    row = [external(_PARTNER_REFERENCE), _PARTNER_NAME, "1"]
    return work.ensure(
        Need(
            f"the contact {_PARTNER_NAME}",
            f"Contacts > New: {_PARTNER_NAME}, a company",
            _PARTNER,
            "Contact Creation",
        ),
        lambda: _named_or_ours(work, _PARTNER, named, _PARTNER_REFERENCE),
        lambda: work.session.load(_PARTNER, ["id", "name", "is_company"], [row]),
        lambda: [
            Archived(f"the contact {_PARTNER_NAME}", "Contacts", _PARTNER, id_)
            for id_ in work.archived_ids(_PARTNER, _PARTNER_REFERENCE, [])
        ],
    )
