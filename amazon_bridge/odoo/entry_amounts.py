"""What Odoo books for the lines of an entry: taxes, and balances in the company's currency.

In an entry Odoo adds the lines of taxes itself, on top of the lines' amounts, and would balance an
entry that is off by a cent on a suspense account without a word. So each cent is computed here,
as Odoo 16 to 19 do (``account.tax``), and compared with Odoo's lines afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from amazon_bridge.odoo.setup import EntryTax, SettlementSetup, Target

_ZERO, _HUNDRED = Decimal(), Decimal(100)
PAYOUT, INTERIM = "_payout", "_interim"
"""Suffixes of the external ids of the lines that balance an entry."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an entry, before taxes."""

    reference: str
    """Suffix of its external id behind the entry's: ``_o_<order>``, ``_r_<order>`` (refund),
    ``_f_<category>_<marketplace>``, ``_interim``, ``_payout``."""
    target: Target
    label: str
    amount: Decimal
    """In the entry's currency, with the tax of its target; negative: credit."""
    partner_id: int | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A currency's exchange rate, and the digits of both currencies."""

    currency_id: int
    digits: int = 2
    rate: Decimal = Decimal(1)
    """Units of the currency for one of the company's."""
    company_digits: int = 2

    def rounded(self, amount: Decimal) -> Decimal:
        """An amount in the currency."""
        return _rounded(amount, self.digits)

    def company_rounded(self, amount: Decimal) -> Decimal:
        """An amount in the company's currency."""
        return _rounded(amount, self.company_digits)

    def converted(self, amount: Decimal) -> Decimal:
        """An amount of the currency in the company's."""
        return self.company_rounded(amount / self.rate)


def _rounded(amount: Decimal, digits: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Amounts:
    """A line as Odoo has it."""

    reference: str
    """Empty for the lines of taxes, which Odoo adds."""
    target: Target
    label: str
    amount: Decimal
    """In the entry's currency, without the tax of its target."""
    balance: Decimal
    """In the company's currency."""
    partner_id: int | None = None

    @property
    def tax(self) -> EntryTax | None:
        """Of a line that is taxed."""
        return self.target.tax


def computed(
    lines: Sequence[Line], setup: SettlementSetup, rate: Rate, carried: Decimal | None = None
) -> list[Amounts]:
    """The lines of an entry, those of taxes last.

    Args:
        lines: They add up to zero.
        setup: Where settlements are booked.
        rate: Of the entry's currency.
        carried: What the interim account has in the company's currency of the settlement's other
            entries, if this is the last one.
    """
    nets = [_net(line, rate) for line in lines]
    groups = _tax_groups(nets)
    taxes: list[Amounts] = []
    rests: list[Amounts] = []
    for members in groups:
        taxed = _Taxed(members, rate, per_line=setup.rounds_per_line)
        taxes += taxed.tax_lines()
        gross = [line for line in lines if line.reference in {each.reference for each in members}]
        rests += taxed.rest(sum((line.amount for line in gross), _ZERO))
    return _balanced([*nets, *rests], taxes, carried)


def _net(line: Line, rate: Rate) -> Amounts:
    target, amount = line.target, line.amount
    if target.tax:
        amount = rate.rounded(amount / (1 + target.tax.percent * target.tax.factor / _HUNDRED))
    return Amounts(
        reference=line.reference,
        target=target,
        label=line.label,
        amount=amount,
        balance=rate.converted(amount),
        partner_id=line.partner_id,
    )


def _tax_groups(lines: Iterable[Amounts]) -> Iterable[list[Amounts]]:
    """The lines whose taxes Odoo adds up: one tax, one direction, one partner."""
    groups: dict[tuple[int, bool, int | None], list[Amounts]] = defaultdict(list)
    for line in lines:
        if line.tax:
            groups[line.tax.id, _is_refund(line.tax, line.amount), line.partner_id].append(line)
    return groups.values()


def _is_refund(tax: EntryTax, amount: Decimal) -> bool:
    return amount > 0 if tax.is_sale else amount < 0


class _Taxed:
    """The lines of one tax in one direction."""

    def __init__(self, members: Sequence[Amounts], rate: Rate, *, per_line: bool) -> None:
        tax = members[0].tax
        assert tax
        self._members, self._rate, self._tax, self._per_line = members, rate, tax, per_line
        is_refund = _is_refund(tax, members[0].amount)
        self._shares = tax.refund_shares if is_refund else tax.shares

    def tax_lines(self) -> list[Amounts]:
        """The lines that Odoo adds: one for each account that the tax is booked on."""
        lines = [
            self._tax_line(target, members, share.factor)
            for share in self._shares
            for target, members in self._by_account(share.target)
        ]
        return [line for line in lines if line.amount or line.balance]

    def _tax_line(self, target: Target, members: Sequence[Amounts], factor: Decimal) -> Amounts:
        balance = self._company_sum(m.balance for m in members) * factor
        return Amounts(
            reference="",
            target=target,
            label=self._tax.name,
            amount=self._rate.rounded(self._sum(m.amount for m in members) * factor),
            balance=self._rate.company_rounded(balance),
            partner_id=self._members[0].partner_id,
        )

    def _by_account(self, target: Target | None) -> Iterator[tuple[Target, Sequence[Amounts]]]:
        if target:
            yield target, self._members
            return
        for own in dict.fromkeys(m.target.untaxed() for m in self._members):
            yield own, [m for m in self._members if m.target.untaxed() == own]

    def _sum(self, amounts: Iterable[Decimal]) -> Decimal:
        raw = [amount * self._tax.percent / _HUNDRED for amount in amounts]
        parts = [self._rate.rounded(each) for each in raw] if self._per_line else raw
        return self._rate.rounded(sum(parts, _ZERO))

    def _company_sum(self, balances: Iterable[Decimal]) -> Decimal:
        raw = [balance * self._tax.percent / _HUNDRED for balance in balances]
        parts = [self._rate.company_rounded(each) for each in raw] if self._per_line else raw
        return self._rate.company_rounded(sum(parts, _ZERO))

    def rest(self, gross: Decimal) -> Iterator[Amounts]:
        """The cents that no amount without tax leaves with its tax: on a line without a tax."""
        booked = sum((line.amount for line in (*self._members, *self.tax_lines())), _ZERO)
        last = self._members[-1]
        if gross != booked:
            amount = gross - booked
            balance = self._rate.converted(amount)
            reference, target = f"{last.reference}_rounding", last.target.untaxed()
            yield replace(last, reference=reference, target=target, amount=amount, balance=balance)


def _balanced(
    lines: Sequence[Amounts], taxes: Sequence[Amounts], carried: Decimal | None
) -> list[Amounts]:
    """The lines, so that they add up to zero in the company's currency, too."""
    found = {line.reference: line for line in lines}
    if carried is not None and INTERIM in found:
        found[INTERIM] = replace(found[INTERIM], balance=-carried)
    off = sum((line.balance for line in (*found.values(), *taxes)), _ZERO)
    if off:
        reference = _balancing(found, off, may_be_interim=carried is None)
        line = found[reference]
        found[reference] = replace(line, balance=line.balance - off)
    return [*found.values(), *taxes]


def _balancing(lines: Mapping[str, Amounts], off: Decimal, *, may_be_interim: bool) -> str:
    """The line that takes what rounding leaves.

    Odoo refuses a line that is a debit in one currency and a credit in the other.
    """
    for reference in (PAYOUT, *([INTERIM] if may_be_interim else [])):
        if reference in lines and (lines[reference].balance - off) * lines[reference].amount > 0:
            return reference
    free = [line for line in lines.values() if not line.tax and line.reference != INTERIM]
    return max(free or lines.values(), key=lambda line: abs(line.amount)).reference
