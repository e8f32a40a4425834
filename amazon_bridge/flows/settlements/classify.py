"""What each row of a settlement is for, by the three types that Amazon writes.

Amazon publishes no list of types. Those of ``types.csv`` were collected from settlements that
others have shown; an account's map may add more. There is no guess by a part of them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from importlib import resources

from amazon_bridge.amazon.settlements import Row
from amazon_bridge.config.account_map import NO_ACCOUNTS, AccountMap, Category, TypePattern

_HELD = "held"
"""The note of types that are mixed: a person should say what they are."""

_TAXES_CHARGED = frozenset({"tax", "shippingtax", "giftwraptax"})
_MOST_TEXTS = 10_000
"""Types that are remembered; texts of coupons are many."""

Texts = tuple[str, str, str]


class Role(Enum):
    """What a row has to do with the tax that Amazon collects instead of the seller."""

    PLAIN = auto()
    CHARGED = auto()
    """Tax that the buyer paid."""
    WITHHELD = auto()
    """Tax that Amazon keeps, and remits."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a row is for."""

    category: Category
    role: Role = Role.PLAIN
    is_refund: bool = False
    """Whether the tax withheld is of a refund."""
    claim: str = ""
    """The kind of a refund that the seller didn't make: ``chargeback`` or ``A-to-z``."""


class Classifier:
    """Knows the kinds of rows of one account.

    Args:
        account_map: Types that the account's file names, before the bridge's own.
    """

    def __init__(self, account_map: AccountMap | None = None) -> None:
        own = (account_map or NO_ACCOUNTS).types
        self._exact = {**_built_in().exact, **_exact(own)}
        self._patterns = [*_patterns(own), *_built_in().patterns]
        self._remembered: dict[Texts, Kind | None] = {}

    def kind(self, row: Row) -> Kind | None:
        """What a row is for; None: nobody knows."""
        texts = row.transaction_type, row.amount_type, row.amount_description
        if texts not in self._remembered:
            if len(self._remembered) >= _MOST_TEXTS:
                self._remembered.clear()
            self._remembered[texts] = self._find(_folded(texts))
        return self._remembered[texts]

    def _find(self, texts: Texts) -> Kind | None:
        category = self._exact.get(texts) or _matched(texts, self._patterns)
        return _kind(category, texts) if category else None


def _folded(texts: Texts) -> Texts:
    transaction_type, amount_type, description = (" ".join(each.split()) for each in texts)
    return transaction_type.casefold(), amount_type.casefold(), description.casefold()


def _kind(category: Category, texts: Texts) -> Kind:
    transaction_type, amount_type, description = texts
    is_refund = transaction_type != "order"
    if category is Category.FACILITATOR_TAX and amount_type == "itemwithheldtax":
        is_later = transaction_type.endswith("retrocharge")
        return Kind(category, Role.PLAIN if is_later else Role.WITHHELD, is_refund)
    if category not in {Category.ORDER, Category.REFUND}:
        return Kind(category)
    is_tax = amount_type == "itemprice" and description in _TAXES_CHARGED
    claim = "chargeback" if transaction_type.startswith("chargeback") else ""
    claim = "A-to-z" if transaction_type.startswith("a-to-z") else claim
    role = Role.CHARGED if is_tax else Role.PLAIN
    return Kind(category, role, category is Category.REFUND, claim)


@dataclass(frozen=True, slots=True)
class _Known:
    exact: dict[Texts, Category]
    patterns: list[tuple[re.Pattern[str], Category]]


def _exact(types: Iterable[TypePattern]) -> dict[Texts, Category]:
    return {_texts(each): each.category for each in types if not _is_pattern(each)}


def _patterns(types: Iterable[TypePattern]) -> list[tuple[re.Pattern[str], Category]]:
    return [(_compiled(_texts(each)), each.category) for each in types if _is_pattern(each)]


def _texts(type_: TypePattern) -> Texts:
    return _folded((type_.transaction_type, type_.amount_type, type_.amount_description))


def _is_pattern(type_: TypePattern) -> bool:
    return any("*" in text for text in _texts(type_))


def _compiled(texts: Texts) -> re.Pattern[str]:
    return re.compile("\t".join(".*".join(map(re.escape, text.split("*"))) for text in texts))


def _matched(texts: Texts, patterns: Iterable[tuple[re.Pattern[str], Category]]) -> Category | None:
    joined = "\t".join(texts)
    return next((category for pattern, category in patterns if pattern.fullmatch(joined)), None)


@cache
def _built_in() -> _Known:
    types = [
        TypePattern(transaction_type, amount_type, description, Category(category))
        for transaction_type, amount_type, description, category, note in _lines()
        if note != _HELD
    ]
    return _Known(_exact(types), _patterns(types))


def _lines() -> list[list[str]]:
    text = resources.files(__package__).joinpath("types.csv").read_text("utf-8")
    return list(csv.reader(text.splitlines()))[1:]
