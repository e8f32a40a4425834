"""The lines of a settlement's entries, each made when it is read: there may be very many."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import overload

from amazon_bridge.config.account_map import Category
from amazon_bridge.flows.settlements.statement import Month, order_id_of
from amazon_bridge.odoo.journal_entries import Line
from amazon_bridge.odoo.setup import SettlementSetup, Target

_WITHOUT_ID = "Orders that Amazon doesn't name"


class MonthLines:
    """All lines of a month but those that balance its entries: orders, refunds, categories."""

    def __init__(self, month: Month, setup: SettlementSetup, unit: Decimal) -> None:
        self._month, self._setup, self._unit = month, setup, unit
        self._orders = array("q", sorted(month.orders))
        self._refunds = array("q", sorted(month.refunds))
        self._others = sorted(month.others)

    def __len__(self) -> int:
        return len(self._orders) + len(self._refunds) + len(self._others)

    def line(self, index: int) -> Line:
        """The line at a place, from 0 on."""
        if index < len(self._orders):
            number = self._orders[index]
            return self._of_order("_o_", number, self._month.orders[number], "")
        index -= len(self._orders)
        if index < len(self._refunds):
            number = self._refunds[index]
            note = self._month.claims.get(number, "refund")
            return self._of_order("_r_", number, self._month.refunds[number], f" {note}")
        category, country = self._others[index - len(self._refunds)]
        return self._of_category(category, country, self._month.others[category, country])

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


class EntryLines(Sequence[Line]):
    """The lines of one entry: some of a month's, and those that balance it."""

    def __init__(self, month: MonthLines, part: range, closing: Iterable[Line] = ()) -> None:
        self._month, self._part, self._closing = month, part, tuple(closing)

    def closed_by(self, closing: Iterable[Line]) -> EntryLines:
        """These lines, and those that balance them."""
        return EntryLines(self._month, self._part, closing)

    def __len__(self) -> int:
        return len(self._part) + len(self._closing)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        place = range(len(self))[index]
        if place < len(self._part):
            return self._month.line(self._part[place])
        return self._closing[place - len(self._part)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EntryLines) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))
