"""How the difference between Amazon's balance and Odoo's comes about. Pure.

What Amazon has settled and Odoo has booked is in both, or in neither: the difference consists of
what Amazon hasn't settled, and of what Odoo hasn't cleared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from amazon_bridge.amazon.finances import Balances
from amazon_bridge.engine.codec import BaseMemo

PARTS = ("not_invoiced", "refunds_open", "deferred", "open_statement", "unknown")


@dataclass(frozen=True, slots=True)
class InOdoo:
    """Balances of Odoo's accounts in one currency; debits are positive."""

    owed: Decimal = Decimal()
    reserve: Decimal = Decimal()
    in_transit: Decimal = Decimal()


@dataclass(frozen=True, slots=True)
class Tie(BaseMemo):
    """A comparison of Amazon's balance with Odoo's in one currency."""

    day: date
    currency: str
    marketplace: str
    """A country code; empty: all marketplaces of the account."""
    amazon: Balances
    odoo: InOdoo
    parts: Mapping[str, Decimal]

    @property
    def difference(self) -> Decimal:
        """What Amazon states more than Odoo."""
        return self.amazon.total - self.odoo.owed - self.odoo.reserve


@dataclass(slots=True)
class Side:
    """The sales, or the refunds, of one order."""

    unsettled: Decimal = Decimal()
    """Amazon's transactions that Odoo has not booked."""
    deferred: bool = False
    """One of them is deferred."""
    lines: Decimal = Decimal()
    """Open lines of booked settlements, in Odoo."""
    payments: Decimal = Decimal()
    """Open payments of its invoices, in Odoo."""
    paid: date | None = None
    """The day of the latest of them."""


@dataclass(slots=True)
class Findings:
    """All that Amazon and Odoo have on a day, of one currency."""

    is_invoiced: bool = True
    """Whether the account's orders are invoiced in Odoo at all."""
    sides: defaultdict[tuple[str, bool], Side] = field(default_factory=lambda: defaultdict(Side))
    """By order, and whether they are refunds."""
    others: Decimal = Decimal()
    """Unsettled transactions of no order, less the payouts of settlements that aren't booked."""
    others_deferred: Decimal = Decimal()
    interim: Decimal = Decimal()
    """On the interim account, what settlements have of which only some entries are posted."""
    paid_later: Decimal = Decimal()
    """Totals of settlements that are booked, and that Amazon closed after the day."""
    undeposited: Decimal = Decimal()
    """Totals of closed settlements whose payout may not be at the bank yet."""


def parts_of(found: Findings, difference: Decimal, recent: date) -> dict[str, Decimal]:
    """The parts of the difference.

    Args:
        found: What both have.
        difference: That the parts add up to.
        recent: Payments since this day may be of orders that Amazon doesn't list yet.
    """
    parts = dict.fromkeys(PARTS, Decimal())
    for (_, is_refund), side in found.sides.items():
        name = _part(side, recent, is_refund=is_refund, is_invoiced=found.is_invoiced)
        parts[name] += side.unsettled - side.lines - side.payments
    parts["open_statement"] += found.others + found.interim + found.paid_later
    parts["deferred"] += found.others_deferred
    parts["unknown"] = difference - sum(parts[name] for name in PARTS if name != "unknown")
    if found.undeposited and parts["unknown"] == found.undeposited:
        parts |= {"in_transit": found.undeposited, "unknown": Decimal()}
    return parts


def _part(side: Side, recent: date, *, is_refund: bool, is_invoiced: bool) -> str:
    """Which part what is open of an order belongs to."""
    open_part = "deferred" if side.deferred else "open_statement"
    if not is_invoiced:
        return open_part
    if not side.payments:
        return "refunds_open" if is_refund else "not_invoiced"
    if side.unsettled:
        return open_part
    is_recent = side.paid is not None and side.paid >= recent and not side.lines
    return "open_statement" if is_recent else "unknown"
