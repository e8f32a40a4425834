"""Taxes of the account map: percentages, with the accounts that Odoo books them on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from amazon_bridge.config.account_map import Category
from amazon_bridge.odoo.setup.accounting import ACCOUNTING
from amazon_bridge.odoo.setup.records import Place
from amazon_bridge.odoo.setup.settlement_records import EntryTax, Target, TaxShare, account_title
from amazon_bridge.odoo.setup.work import Work

_OF_SALES: frozenset[str] = frozenset({Category.ORDER, Category.REFUND, Category.OTHER_INCOME})
_FIELDS = ["amount", "type_tax_use", "invoice_repartition_line_ids", "refund_repartition_line_ids"]
_HUNDRED = Decimal(100)


def find_taxes(
    work: Work, place: Place, names: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], EntryTax]:
    """The taxes by category and name, without those that are missing.

    Args:
        work: The setup.
        place: Its company.
        names: Category and name of the tax; names may be empty.
    """
    rows = {name: _find(work, place, name) for name in sorted({name for _, name in names if name})}
    taxes = _read_shares(work, [row for found in rows.values() for row in found])
    return {
        (category, name): taxes[_preferred(rows[name], category)["id"]]
        for category, name in names
        if rows.get(name)
    }


def _find(work: Work, place: Place, name: str) -> list[dict[str, Any]]:
    domain = [
        ("type_tax_use", "in", ["purchase", "sale"]),
        ("amount_type", "=", "percent"),
        ("company_id", "=", place.company_id),
    ]
    rows = work.named(f"the tax {name}", "account.tax", name, domain, ["name", *_FIELDS])
    if not rows:
        work.lacks(
            f"the tax {name}, a percentage",
            f"{ACCOUNTING} > Taxes: create it, or correct `settlements.accounts`",
        )
    return rows


def _preferred(rows: Sequence[dict[str, Any]], category: str) -> dict[str, Any]:
    """A sales and a purchase tax may have the same name."""
    use = "sale" if category in _OF_SALES else "purchase"
    return next((row for row in rows if row["type_tax_use"] == use), rows[0])


def _read_shares(work: Work, rows: Sequence[Mapping[str, Any]]) -> dict[int, EntryTax]:
    ids = sorted({id_ for row in rows for field in _FIELDS[2:] for id_ in row[field]})
    fields = ["repartition_type", "factor_percent", "account_id"]
    found = work.session.read("account.tax.repartition.line", ids, fields)
    accounts = sorted({row["account_id"][0] for row in found if row["account_id"]})
    names = {
        row["id"]: account_title(row)
        for row in work.session.read("account.account", accounts, ["code", "name"])
    }
    shares = {row["id"]: _share(row, names) for row in found if row["repartition_type"] == "tax"}
    return {row["id"]: _tax(row, shares) for row in rows}


def _share(row: Mapping[str, Any], names: Mapping[int, str]) -> TaxShare:
    factor = Decimal(str(row["factor_percent"])) / _HUNDRED
    if not row["account_id"]:
        return TaxShare(factor)
    account_id = row["account_id"][0]
    return TaxShare(factor, Target(account_id, names[account_id]))


def _tax(row: Mapping[str, Any], shares: Mapping[int, TaxShare]) -> EntryTax:
    own, refund = (tuple(shares[i] for i in row[field] if i in shares) for field in _FIELDS[2:])
    return EntryTax(
        id=row["id"],
        name=row["name"],
        percent=Decimal(str(row["amount"])),
        shares=own,
        refund_shares=refund,
        is_sale=row["type_tax_use"] == "sale",
    )
