"""One pass over the rows of a settlement: sums by month, order, category and marketplace.

Amounts are whole numbers of the currency's smallest unit, signed as in the file: what Amazon owes
is positive. The sums don't depend on the sequence of the rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from string import ascii_uppercase, digits
from typing import cast

from amazon_bridge.amazon.settlements import Header, Row
from amazon_bridge.config.account_map import Category
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows.settlements.classify import Classifier, Kind, Role, Texts
from amazon_bridge.marketplaces import MARKETPLACES, in_digits, in_words, smallest_unit

_MOST_NAMED = 50

WITHOUT_ID = 0
"""Stands for the rows of orders that name no order."""

Place = tuple[Category, str]
"""Category and country code; empty if the row names no marketplace of ours."""


@dataclass(frozen=True, slots=True)
class UnknownType:
    """A type of rows without a category."""

    texts: Texts
    amount: Decimal
    rows: int

    def __str__(self) -> str:
        texts = " / ".join(self.texts)
        rows = f"{self.rows} rows" if self.rows > 1 else "1 row"
        return f"{texts}: {self.amount} in {rows}"


@dataclass(frozen=True, slots=True)
class Month:
    """What was posted in one month. Orders are whole numbers: their ids without hyphens."""

    name: str
    """Such as ``202606``."""
    last_day: date
    """The last day of it on which anything was posted."""
    orders: Mapping[int, int]
    """Worth of orders without the tax that Amazon collects."""
    refunds: Mapping[int, int]
    claims: Mapping[int, str]
    """The kinds of refunds that the seller didn't make."""
    others: Mapping[Place, int]


@dataclass(frozen=True, slots=True)
class Statement:
    """A settlement whose rows were all read."""

    header: Header
    months: tuple[Month, ...]
    rows: int
    total: Decimal
    """The sum of its rows."""
    unknown: tuple[UnknownType, ...]

    @property
    def unit(self) -> Decimal:
        """What its amounts are multiples of."""
        return smallest_unit(self.header.currency)

    def problem(self) -> ItemError | None:
        """Why it must not be booked."""
        if self.total != self.header.total:
            return _total_differs(self)
        return _types_unknown(self) if self.unknown else None


def read_statement(
    header: Header,
    rows: Iterable[Row],
    classifier: Classifier,
    *,
    unknown_is_other: bool = False,
    by_order: bool = True,
) -> Statement:
    """Read all rows of a settlement.

    Args:
        header: Its header.
        rows: Its rows; each is read once.
        classifier: Knows the kinds of rows.
        unknown_is_other: Rows of unknown types are of the category ``other``.
        by_order: Add up by order; else orders and refunds are added up by marketplace.

    Raises:
        ItemError: A row can't be read.
    """
    reading = _Reading(header, classifier, unknown_is_other, by_order)
    for row in rows:
        reading.add(row)
    return reading.statement()


@dataclass(slots=True)
class _Sums:
    """Of orders, or of refunds: by order, or by country."""

    amounts: defaultdict[int | str, int] = field(default_factory=lambda: defaultdict(int))
    charged: defaultdict[int | str, int] = field(default_factory=lambda: defaultdict(int))
    withheld: defaultdict[int | str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, key: int | str, amount: int, role: Role) -> None:
        if role is Role.WITHHELD:
            self.withheld[key] += amount
            return
        self.amounts[key] += amount
        if role is Role.CHARGED:
            self.charged[key] += amount

    def take_collected(self) -> int:
        """Take the tax that Amazon collected off the orders; return it with what was withheld.

        Afterwards only orders that are worth anything are left: a settlement may have many.
        """
        total = sum(self.withheld.values())
        for key, withheld in self.withheld.items():
            both = _common(self.charged.get(key, 0), -withheld)
            if both:
                self.amounts[key] -= both
                total += both
        self.charged.clear()
        self.withheld.clear()
        for key in [key for key, amount in self.amounts.items() if not amount]:
            del self.amounts[key]
        return total


def _common(charged: int, withheld: int) -> int:
    """The part of a tax charged that was withheld; both positive, or of a refund negative."""
    if charged > 0 and withheld > 0:
        return min(charged, withheld)
    return max(charged, withheld) if charged < 0 and withheld < 0 else 0


@dataclass(slots=True)
class _MonthReading:
    last_day: date = date.min
    orders: _Sums = field(default_factory=_Sums)
    refunds: _Sums = field(default_factory=_Sums)
    claims: dict[int, str] = field(default_factory=dict)
    others: defaultdict[Place, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(slots=True)
class _Reading:
    header: Header
    classifier: Classifier
    unknown_is_other: bool
    by_order: bool
    rows: int = 0
    total: int = 0
    months: defaultdict[str, _MonthReading] = field(
        default_factory=lambda: defaultdict(_MonthReading)
    )
    unknown: defaultdict[Texts, list[int]] = field(default_factory=lambda: defaultdict(list))
    digits: int = field(init=False)

    def __post_init__(self) -> None:
        self.digits = -int(smallest_unit(self.header.currency).as_tuple().exponent)

    def add(self, row: Row) -> None:
        amount = int(row.amount.scaleb(self.digits))
        self.rows += 1
        self.total += amount
        kind = self.classifier.kind(row)
        if kind is None and not self.unknown_is_other:
            self._add_unknown(row, amount)
            return
        month = self.months[f"{row.posted:%Y%m}"]
        month.last_day = max(month.last_day, row.posted)
        self._add_known(month, row, amount, kind or Kind(Category.OTHER))

    def _add_unknown(self, row: Row, amount: int) -> None:
        texts = row.transaction_type, row.amount_type, row.amount_description
        known = self.unknown[texts] or [0, 0]
        self.unknown[texts] = [known[0] + amount, known[1] + 1]

    def _add_known(self, month: _MonthReading, row: Row, amount: int, kind: Kind) -> None:
        country = _country(row.marketplace)
        is_of_order = kind.category in {Category.ORDER, Category.REFUND}
        order = _number(row.order_id)
        if not is_of_order and (kind.role is Role.PLAIN or (self.by_order and not order)):
            month.others[kind.category, country] += amount
            return
        sums = month.refunds if kind.is_refund else month.orders
        sums.add(order if self.by_order else country, amount, kind.role)
        if kind.claim:
            month.claims[order] = max(kind.claim, month.claims.get(order, ""))

    def statement(self) -> Statement:
        unit = smallest_unit(self.header.currency)
        unknown = [
            UnknownType(texts, amount * unit, rows)
            for texts, (amount, rows) in self.unknown.items()
        ]
        return Statement(
            header=self.header,
            months=tuple(self._month(name) for name in sorted(self.months)),
            rows=self.rows,
            total=self.total * unit,
            unknown=tuple(sorted(unknown, key=lambda each: each.texts)),
        )

    def _month(self, name: str) -> Month:
        found = self.months[name]
        for sums in (found.orders, found.refunds):
            found.others[Category.FACILITATOR_TAX, ""] += sums.take_collected()
        if not self.by_order:
            _fold(found, Category.ORDER, found.orders)
            _fold(found, Category.REFUND, found.refunds)
        return Month(
            name,
            found.last_day,
            cast("dict[int, int]", found.orders.amounts) if self.by_order else {},
            cast("dict[int, int]", found.refunds.amounts) if self.by_order else {},
            found.claims,
            {place: amount for place, amount in found.others.items() if amount},
        )


def _fold(month: _MonthReading, category: Category, sums: _Sums) -> None:
    for country, amount in sums.amounts.items():
        month.others[category, str(country)] += amount


_CHARACTERS = f"{digits}{ascii_uppercase}"
_BASE = len(_CHARACTERS)
_REST = 10**14
"""Numbers of the digits after the first three characters."""


def _number(order_id: str) -> int:
    if not order_id:
        return WITHOUT_ID
    return int(order_id[:3], _BASE) * _REST + int(order_id[3:].replace("-", ""))


def order_id_of(number: int) -> str:
    """The order's id as Amazon writes it; empty for ``WITHOUT_ID``."""
    if number == WITHOUT_ID:
        return ""
    first, rest = divmod(number, _REST)
    begin = "".join(_CHARACTERS[first // _BASE**place % _BASE] for place in (2, 1, 0))
    return f"{begin}-{rest // 10**7:07}-{rest % 10**7:07}"


_COUNTRIES = {place.domain: place.country_code for place in MARKETPLACES}


def _country(marketplace: str) -> str:
    """The country code of a marketplace's name, such as ``Amazon.de``; empty if it is none."""
    return _COUNTRIES.get(marketplace.lower(), "")


def _total_differs(statement: Statement) -> ItemError:
    header = statement.header
    total, difference = (
        in_digits(each, header.currency) for each in (header.total, statement.total - header.total)
    )
    return ItemError(
        "settlement_total_differs",
        f"The {statement.rows} rows of the settlement add up to"
        f" {in_words(statement.total, header.currency)}, and Amazon's total is {total}:"
        f" the difference is {difference}.",
        "Nothing of it is booked. When Amazon has delivered a correct report, run"
        " `amazon-bridge quarantine retry` with its id; compare it in Seller Central (Payments).",
    )


def _types_unknown(statement: Statement) -> ItemError:
    named = "; ".join(map(str, statement.unknown[:_MOST_NAMED]))
    number = len(statement.unknown)
    more = f"; and {number - _MOST_NAMED} more" if number > _MOST_NAMED else ""
    return ItemError(
        "settlement_type_unknown",
        f"Rows of the settlement have types without a category: {named}{more}.",
        "Nothing of it is booked. Name their category in the file of `settlements.accounts`"
        " (columns category, transaction_type, amount_type, amount_description), or set"
        " `settlements.unknown: other`; then run `amazon-bridge quarantine retry` with its id.",
    )
