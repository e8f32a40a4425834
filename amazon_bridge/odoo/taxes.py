"""Odoo's tax computation (``account.tax._get_tax_details`` of Odoo 19), of one line's total.

Only as far as a price must be known before it is written; what counts is what Odoo makes of
it, which is read back. In the plain cases Odoo 14 computes the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_ZERO, _ONE, _HUNDRED = Decimal(0), Decimal(1), Decimal(100)

FIXED, PERCENT, DIVISION, GROUP = "fixed", "percent", "division", "group"
COMPUTED = frozenset({FIXED, PERCENT, DIVISION, GROUP})
"""The kinds of tax (``amount_type``) that can be computed here."""


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax of Odoo (``account.tax``), as far as a total depends on it."""

    id: int
    name: str
    kind: str = PERCENT
    """``percent`` of the price, ``division`` (percent of the total), ``fixed`` amount a unit,
    ``group`` of other taxes; or one that only Odoo can compute."""
    amount: Decimal = _ZERO
    included: bool = False
    """The tax is part of the unit price (``price_include``)."""
    sequence: int = 1
    affects_next: bool = False
    """The taxes after it are computed on the price and this tax (``include_base_amount``)."""
    affected: bool = True
    """It is computed on the taxes before it that affect the next ones (``is_base_affected``)."""
    reversed: bool = False
    """Reverse charge: computed, and subtracted again (``has_negative_factor``)."""
    children: tuple[Tax, ...] = ()


def flattened(taxes: Iterable[Tax]) -> tuple[Tax, ...]:
    """The taxes in the order of their computation, groups replaced by their members."""
    found: dict[int, Tax] = {}
    for tax in sorted(taxes, key=_place):
        for each in sorted(tax.children, key=_place) if tax.kind == GROUP else [tax]:
            found.setdefault(each.id, each)
    return tuple(found.values())


def _place(tax: Tax) -> tuple[int, int]:
    return tax.sequence, tax.id


def line_total(
    base: Decimal, quantity: int, taxes: Iterable[Tax], unit: Decimal | None = None
) -> Decimal:
    """What a line costs with its taxes.

    Args:
        base: quantity times unit price, less the discount.
        quantity: of the line, for fixed taxes.
        taxes: of the line, of the kinds that are ``COMPUTED``.
        unit: round each amount to it, as Odoo does with the method "Round per Line"; None
            rounds nothing, as "Round Globally" does before it adds up the whole order.
    """
    return _Line(base, quantity, flattened(taxes), unit).total()


class _Line:
    """One computation. Taxes are identified by their position in the order of computation."""

    def __init__(
        self, base: Decimal, quantity: int, taxes: Sequence[Tax], unit: Decimal | None
    ) -> None:
        self.taxes = taxes
        self.unit = unit
        self.units = -quantity if base < 0 else quantity
        self.base = self._rounded(base)
        self.batches = _batches(taxes)
        self.amounts: dict[int, Decimal] = {}
        self.extra_for_tax: defaultdict[int, Decimal] = defaultdict(Decimal)
        self.extra_for_base: defaultdict[int, Decimal] = defaultdict(Decimal)

    def total(self) -> Decimal:
        if not self.taxes:
            return self.base
        places = range(len(self.taxes))
        for place in reversed(places):
            if self.taxes[place].kind == FIXED:
                self._settle(place, self.units * self.taxes[place].amount)
        for place in reversed(places):
            if self._is_included(place) and place not in self.amounts:
                self._settle(place, self._included_amount(place))
        for place in places:
            if place not in self.amounts:
                self._settle(place, self._excluded_amount(place))
        charged = (self.amounts[place] for place in places if not self.taxes[place].reversed)
        return self._untaxed() + sum(charged, _ZERO)

    def _untaxed(self) -> Decimal:
        base = self.base + self.extra_for_base[0]
        if not self._is_included(0):
            return base
        batch = [p for p in self.batches[0] if not self.taxes[p].reversed]
        return base - sum((self.amounts[place] for place in batch), _ZERO)

    def _is_included(self, place: int) -> bool:
        return self.taxes[place].included and not self.taxes[place].reversed

    def _included_amount(self, place: int) -> Decimal:
        tax, base = self.taxes[place], self.base + self.extra_for_tax[place]
        if tax.kind == DIVISION:
            return base * tax.amount / _HUNDRED
        whole = _HUNDRED + self._batch_amount(place)
        return base * tax.amount / whole if whole else _ZERO

    def _excluded_amount(self, place: int) -> Decimal:
        tax, base = self.taxes[place], self.base + self.extra_for_tax[place]
        if tax.kind == PERCENT:
            return base * tax.amount / _HUNDRED
        rest = _ONE - self._batch_amount(place) / _HUNDRED
        return base * tax.amount / _HUNDRED / (rest or _ONE)

    def _batch_amount(self, place: int) -> Decimal:
        return sum((self.taxes[each].amount for each in self.batches[place]), _ZERO)

    def _settle(self, place: int, amount: Decimal) -> None:
        """Set a tax's amount, and change the base of the taxes that it affects."""
        self.amounts[place] = amount = self._rounded(amount)
        sign = -1 if self.taxes[place].included else 1
        for other in self._touched(place):
            if other not in self.amounts:
                self.extra_for_tax[other] += sign * amount
            self.extra_for_base[other] += sign * amount

    def _touched(self, place: int) -> Iterator[int]:
        tax, batch = self.taxes[place], self.batches[place]
        after = range(max(batch) + 1, len(self.taxes))
        if tax.included:
            yield from (p for p in after if not (tax.affects_next and self.taxes[p].affected))
            yield from range(min(batch))
        elif tax.affects_next:
            yield from (p for p in after if self.taxes[p].affected)

    def _rounded(self, amount: Decimal) -> Decimal:
        if self.unit is None:
            return amount
        return (amount / self.unit).quantize(_ONE, ROUND_HALF_UP) * self.unit


def _batches(taxes: Sequence[Tax]) -> list[list[int]]:
    """For each tax, the positions of those that are computed on the same base."""
    batches: list[list[int]] = []
    follower_affected = False
    for place in reversed(range(len(taxes))):
        if batches and _alike(taxes[place], taxes[batches[-1][0]], follower_affected):
            batches[-1].append(place)
        else:
            batches.append([place])
        follower_affected = taxes[place].affected
    of_place = {place: batch for batch in batches for place in batch}
    return [of_place[place] for place in range(len(taxes))]


def _alike(tax: Tax, first: Tax, follower_affected: bool) -> bool:  # noqa: FBT001  a fact, no switch
    same = (tax.kind, tax.included, tax.affects_next) == (
        first.kind,
        first.included,
        first.affects_next,
    )
    return same and not (tax.affects_next and follower_affected)
