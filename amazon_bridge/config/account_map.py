"""The account map of settlements: which of Odoo's accounts a category of Amazon's amounts goes to.

A CSV file with the columns ``category``, ``account`` (its code), ``tax`` (the name of a tax that is
included in the amounts; empty: none) and ``marketplace`` (a country code; empty: all); or a YAML
list of mappings of these keys. An entry with ``transaction_type``, ``amount_type`` and
``amount_description`` instead of an account names the category of types that the bridge doesn't
know; ``*`` in them stands for any text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from amazon_bridge.config.rows import RowsFile
from amazon_bridge.marketplaces import marketplace

_TYPE = ("transaction_type", "amount_type", "amount_description")
_COLUMNS = ("category", "account", "tax", "marketplace", *_TYPE)


class Category(StrEnum):
    """What an amount of a settlement is for."""

    ORDER = "order"
    REFUND = "refund"
    FACILITATOR_TAX = "facilitator tax"
    SELLING_FEE = "selling fee"
    FBA_FEE = "FBA fee"
    STORAGE = "storage"
    ADVERTISING = "advertising"
    INBOUND_FREIGHT = "inbound freight"
    POSTAGE = "postage"
    REIMBURSEMENT = "reimbursement"
    OTHER_INCOME = "other income"
    TAX_ASSET = "tax asset"
    FEE_VAT = "fee VAT"
    RESERVE = "reserve"
    IN_TRANSIT = "in transit"
    OTHER = "other"


CATEGORIES: Mapping[str, Category] = {category.casefold(): category for category in Category}
"""By their names in small letters."""

Key = tuple[str, str]
"""Category and country code (empty: every marketplace)."""


class MappedAccount(NamedTuple):
    """An account of Odoo's."""

    code: str
    tax: str
    """Name of a tax that is included in the amounts; empty: none."""


@dataclass(frozen=True, slots=True)
class TypePattern:
    """The category of rows of a settlement, by their three types as Amazon writes them."""

    transaction_type: str
    amount_type: str
    amount_description: str
    category: Category


class AccountMap:
    """Accounts by category and country, and categories of further types."""

    def __init__(
        self, entries: Mapping[Key, MappedAccount], types: tuple[TypePattern, ...] = ()
    ) -> None:
        self.entries = dict(entries)
        self.types = types

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccountMap) and self.dump() == other.dump()

    __hash__ = None  # type: ignore[assignment]  # a mapping

    def dump(self) -> list[list[str]]:
        """All entries, for a digest."""
        entries = [[*key, each.code, each.tax] for key, each in self.entries.items()]
        types = [[*_type_of(each), each.category] for each in self.types]
        return sorted([*entries, *types])


NO_ACCOUNTS = AccountMap({})


def read_account_map(path: Path) -> AccountMap:
    """Read an account map.

    Raises:
        ValueError: It can't be read, or entries are wrong; the first few are named by number.
    """
    file = RowsFile(path, _COLUMNS, {"category"})
    accounts: dict[Key, MappedAccount] = {}
    types: dict[tuple[str, ...], TypePattern] = {}
    problems = []
    for number, (row, unknown) in enumerate(file.rows(), start=1):
        if problem := unknown or _problem(row, accounts, types):
            problems.append(f"entry {number} {problem}")
        elif any(row[column] for column in _TYPE):
            types[_folded_type(row)] = _pattern(row)
        else:
            accounts[_key(row)] = MappedAccount(row["account"], row["tax"])
    if problems:
        raise file.refusal(problems)
    return AccountMap(accounts, tuple(types.values()))


def _key(row: Mapping[str, str]) -> Key:
    place = marketplace(row["marketplace"].upper())
    return CATEGORIES[row["category"].casefold()], place.country_code if place else ""


def _pattern(row: Mapping[str, str]) -> TypePattern:
    transaction, amount, description = (row[column] for column in _TYPE)
    return TypePattern(transaction, amount, description, CATEGORIES[row["category"].casefold()])


def _type_of(pattern: TypePattern) -> tuple[str, ...]:
    return pattern.transaction_type, pattern.amount_type, pattern.amount_description


def _folded_type(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[column].casefold() for column in _TYPE)


def _problem(
    row: Mapping[str, str],
    accounts: Mapping[Key, MappedAccount],
    types: Mapping[tuple[str, ...], TypePattern],
) -> str:
    if row["category"].casefold() not in CATEGORIES:
        return f"has a category that is none of {', '.join(Category)}"
    if any(row[column] for column in _TYPE):
        return _problem_of_type(row, types)
    if row["marketplace"] and not marketplace(row["marketplace"].upper()):
        return "names no marketplace of Amazon"
    if not row["account"]:
        return "lacks its account"
    return "occurs twice" if _key(row) in accounts else ""


def _problem_of_type(row: Mapping[str, str], types: Mapping[tuple[str, ...], TypePattern]) -> str:
    if not all(row[column] for column in _TYPE):
        return f"needs all of {', '.join(_TYPE)}, or none"
    if row["account"] or row["tax"] or row["marketplace"]:
        return "has types and an account: write these in two entries"
    return "occurs twice" if _folded_type(row) in types else ""
