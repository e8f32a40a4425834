"""The journal entries of a settlement. Pure: the same settlement always has the same entries.

Each month has its entries, of at most 1,000 lines. They balance on the interim account, which the
last one brings to zero, when it moves the payout to the account of payouts in transit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from itertools import islice

from amazon_bridge.config.account_map import Category
from amazon_bridge.flows.settlements.statement import Month, Statement, order_id_of
from amazon_bridge.odoo.journal_entries import Entry, Line
from amazon_bridge.odoo.setup import SettlementSetup, Target

_MOST_LINES = 998
"""Lines of an entry, besides those of the interim account and of the payout."""

_WITHOUT_ID = "Orders that Amazon doesn't name"

Day = Callable[[date, bool], date]
"""The day on which an entry is booked, of its last day and whether it has taxes."""


def _as_posted(day: date, has_taxes: bool) -> date:  # noqa: ARG001, FBT001 - the interface
    return day


def entries(
    statement: Statement, setup: SettlementSetup, day: Day = _as_posted
) -> tuple[Entry, ...]:
    """The entries of a settlement, the one with the payout last.

    Args:
        statement: A settlement without problems.
        setup: Where its categories are booked.
        day: Moves entries of closed periods.
    """
    making = _Making(statement, setup, day)
    parts = [
        (month, number, lines)
        for month in statement.months
        for number, lines in enumerate(_chunks(making.lines(month)), start=1)
    ]
    return tuple(
        making.entry(month, number, lines, is_last=index == len(parts))
        for index, (month, number, lines) in enumerate(parts, start=1)
    )


def _chunks(lines: Iterator[Line]) -> Iterator[tuple[Line, ...]]:
    while chunk := tuple(islice(lines, _MOST_LINES)):
        yield chunk


class _Making:
    def __init__(self, statement: Statement, setup: SettlementSetup, day: Day) -> None:
        self._header, self._setup, self._day = statement.header, setup, day
        self._unit = statement.unit
        self._interim = Decimal()

    def entry(self, month: Month, number: int, lines: tuple[Line, ...], *, is_last: bool) -> Entry:
        reference = f"settlement_{self._header.settlement_id}_{month.name}_{number}"
        has_taxes = any(line.target.tax for line in lines)
        closing = tuple(self._closing(lines, is_last=is_last))
        day = self._day(month.last_day, has_taxes)
        return Entry(reference, day, self._header.currency, (*lines, *closing))

    def _closing(self, lines: tuple[Line, ...], *, is_last: bool) -> Iterator[Line]:
        """The lines that balance an entry."""
        header, setup = self._header, self._setup
        balance = -sum((line.amount for line in lines), Decimal())
        if is_last:
            balance -= header.total
        self._interim += balance
        what = f"Amazon settlement {header.settlement_id}"
        if balance:
            yield Line("_interim", setup.interim, what, balance)
        if is_last and header.total:
            label = f"{what}, {header.deposit:%Y-%m-%d}"
            yield Line("_payout", setup.in_transit, label, header.total)

    def lines(self, month: Month) -> Iterator[Line]:
        """All lines of a month but those that balance its entries."""
        for number in sorted(month.orders):
            yield self._of_order("_o_", number, month.orders[number], "")
        for number in sorted(month.refunds):
            note = month.claims.get(number, "refund")
            yield self._of_order("_r_", number, month.refunds[number], f" {note}")
        for (category, country), amount in sorted(month.others.items()):
            yield self._of_category(category, country, amount)

    def _of_order(self, prefix: str, number: int, amount: int, note: str) -> Line:
        order_id = order_id_of(number)
        label = f"{order_id}{note}" if order_id else _WITHOUT_ID
        reference = f"{prefix}{order_id or 'none'}"
        return Line(reference, self._setup.owed, label, -amount * self._unit)

    def _of_category(self, category: Category, country: str, amount: int) -> Line:
        target = self._setup.target(category, country)
        slug = category.lower().replace(" ", "_")
        place = f"_{country.lower()}" if country else ""
        label = f"Amazon {category} {country}".rstrip()
        partner_id = self._partner_id(target)
        return Line(f"_f_{slug}{place}", target, label, -amount * self._unit, partner_id)

    def _partner_id(self, target: Target) -> int | None:
        """Amazon, of what its bills will clear."""
        is_to_invoice = target.account == self._setup.fees_to_invoice.account
        return self._setup.partner_id if is_to_invoice else None
