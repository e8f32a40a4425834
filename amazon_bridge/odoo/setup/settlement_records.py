"""Where settlements are booked: journal, partner, accounts and taxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class TaxShare:
    """A part of a tax that Odoo books on a line of its own."""

    factor: Decimal
    """Of the tax, such as 1; -1 for the second line of a reverse charge."""
    target: Target | None = None
    """None: the account of the line that is taxed."""


@dataclass(frozen=True, slots=True)
class EntryTax:
    """A tax that entries may have: a percentage of the amount without it."""

    id: int
    name: str
    percent: Decimal
    shares: tuple[TaxShare, ...]
    """Of lines with a debit (of a sales tax: a credit)."""
    refund_shares: tuple[TaxShare, ...]
    """Of the other lines."""
    is_sale: bool = False

    @property
    def factor(self) -> Decimal:
        """The part of the tax that an amount includes; 0 for a reverse charge."""
        return sum((share.factor for share in self.shares), Decimal())


@dataclass(frozen=True, slots=True)
class Target:
    """Where a category is booked.

    Attributes:
        account_id: The database id; 0 if `setup` has not created the account yet.
        account: Its code and name, for previews.
        tax: Included in the amounts of the lines; None: they have no tax.
    """

    account_id: int
    account: str
    tax: EntryTax | None = None

    def untaxed(self) -> Target:
        """The same account, without a tax."""
        return replace(self, tax=None)


@dataclass(frozen=True, slots=True)
class SettlementSetup:
    """The journal, partner and accounts of an account's settlements."""

    company_id: int
    journal_id: int
    partner_id: int
    owed: Target
    """The outstanding receipts account of ``invoicing.payment_journal``."""
    interim: Target
    """Balances the entries of a settlement with each other."""
    in_transit: Target
    """Payouts until the bank's statement has them."""
    reserve: Target
    fees_to_invoice: Target
    targets: Mapping[tuple[str, str], Target]
    """By category of ``settlement-types.csv`` and country code; without one: for all others."""
    currency: str
    """The company's."""
    rounds_per_line: bool = True
    """Whether the company rounds the taxes of each line, or their sum."""

    def target(self, category: str, country: str = "") -> Target:
        """Where a category of a marketplace (a country code) is booked.

        Raises:
            KeyError: There is no such category.
        """
        found = self.targets.get((category, country))
        return self.targets[category, ""] if found is None else found


def account_title(row: Mapping[str, Any]) -> str:
    """Code and name of an account."""
    return f"{row['code'] or ''} {row['name']}".strip()
