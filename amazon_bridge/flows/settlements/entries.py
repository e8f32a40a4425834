"""The journal entries of a settlement. Pure: the same settlement always has the same entries.

Each month has its entries, of at most 1,000 lines. They balance on the interim account, which the
last one brings to zero, when it moves the payout to the account of payouts in transit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

from amazon_bridge.flows.settlements.entry_lines import EntryLines, MonthLines
from amazon_bridge.flows.settlements.statement import Month, Statement
from amazon_bridge.odoo.entry_amounts import INTERIM, PAYOUT
from amazon_bridge.odoo.journal_entries import Entry, Line
from amazon_bridge.odoo.setup import SettlementSetup

_MOST_LINES = 998
"""Lines of an entry, besides those of the interim account and of the payout."""

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
        (month, number, part)
        for month in statement.months
        for number, part in enumerate(_parts(MonthLines(month, setup, statement.unit)), start=1)
    ]
    return tuple(
        making.entry(month, number, part, is_last=index == len(parts))
        for index, (month, number, part) in enumerate(parts, start=1)
    )


def _parts(lines: MonthLines) -> Iterator[EntryLines]:
    for start in range(0, len(lines), _MOST_LINES):
        yield EntryLines(lines, range(start, min(start + _MOST_LINES, len(lines))))


class _Making:
    def __init__(self, statement: Statement, setup: SettlementSetup, day: Day) -> None:
        self._header, self._setup, self._day = statement.header, setup, day
        self._unit = statement.unit
        self._interim = Decimal()

    def entry(self, month: Month, number: int, lines: EntryLines, *, is_last: bool) -> Entry:
        reference = f"settlement_{self._header.settlement_id}_{month.name}_{number}"
        has_taxes = any(line.target.tax for line in lines)
        closing = tuple(self._closing(lines, is_last=is_last))
        day = self._day(month.last_day, has_taxes)
        return Entry(reference, day, self._header.currency, lines.closed_by(closing))

    def _closing(self, lines: EntryLines, *, is_last: bool) -> Iterator[Line]:
        """The lines that balance an entry."""
        header, setup = self._header, self._setup
        balance = -sum((line.amount for line in lines), Decimal())
        if is_last:
            balance -= header.total
        self._interim += balance
        what = f"Amazon settlement {header.settlement_id}"
        if balance:
            yield Line(INTERIM, setup.interim, what, balance)
        if is_last and header.total:
            label = f"{what}, {header.deposit:%Y-%m-%d}"
            yield Line(PAYOUT, setup.in_transit, label, header.total)
