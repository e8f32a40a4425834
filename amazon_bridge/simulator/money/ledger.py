"""Double entry: every amount is taken from one account and added to another one.

Balances follow from these entries and from nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from amazon_bridge.simulator.money.events import ZERO, Account

AVAILABLE = "available"
DEFERRED = "deferred"
RESERVE = "reserve"
CARRIED = "carried"
"""What a seller owes after a settlement that came out negative and wasn't charged."""
PAYABLE = "payable"
"""Paid out, but not at the bank yet; only where Amazon's balance still holds it."""
BANK = "bank"
"""Beside the accounts of the seller's money: its bank, and one account for each category."""
OWED = (AVAILABLE, DEFERRED, RESERVE, CARRIED, PAYABLE)


@dataclass(frozen=True, slots=True)
class Entry:
    """An amount that moves between two accounts; negative amounts are not used."""

    moment: datetime
    account: Account
    place: str
    """A marketplace id."""
    debit: str
    credit: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Balances:
    """What Amazon owes a seller, as listBalances names it."""

    available: Decimal
    deferred: Decimal
    account_level_reserve: Decimal

    def __add__(self, other: Balances) -> Balances:
        return Balances(
            self.available + other.available,
            self.deferred + other.deferred,
            self.account_level_reserve + other.account_level_reserve,
        )

    @property
    def reserved(self) -> Decimal:
        return self.deferred + self.account_level_reserve

    @property
    def total(self) -> Decimal:
        return self.available + self.reserved


class Ledger:
    """The entries of all sellers."""

    def __init__(self) -> None:
        self._entries: dict[Account, list[Entry]] = defaultdict(list)

    def move(
        self,
        moment: datetime,
        account: Account,
        place: str,
        amount: Decimal,
        *,
        to: str,
        source: str,
    ) -> None:
        """Add ``amount`` to one account and take it from another one."""
        debit, credit = (to, source) if amount >= 0 else (source, to)
        if amount:
            entry = Entry(moment, account, place, debit, credit, abs(amount))
            self._entries[account].append(entry)

    def accounts(self, seller_id: str) -> list[Account]:
        """A seller's accounts that had entries."""
        return [account for account in self._entries if account.seller_id == seller_id]

    def entries(self, account: Account) -> list[Entry]:
        return list(self._entries[account])

    def places(self, account: Account) -> list[str]:
        """The marketplaces with entries."""
        return list(dict.fromkeys(entry.place for entry in self._entries[account]))

    def sums(
        self, account: Account, *, place: str | None = None, before: datetime | None = None
    ) -> dict[str, Decimal]:
        """The balance of each account of the ledger; debits are positive."""
        sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for entry in self._chosen(account, place, before):
            sums[entry.debit] += entry.amount
            sums[entry.credit] -= entry.amount
        return sums

    def balances(
        self, account: Account, *, place: str | None = None, before: datetime | None = None
    ) -> Balances:
        """What Amazon owes the seller."""
        sums = self.sums(account, place=place, before=before)
        available = sum((sums.get(name, ZERO) for name in (AVAILABLE, CARRIED, PAYABLE)), ZERO)
        return Balances(available, sums.get(DEFERRED, ZERO), sums.get(RESERVE, ZERO))

    def _chosen(
        self, account: Account, place: str | None, before: datetime | None
    ) -> Iterator[Entry]:
        for entry in self._entries[account]:
            if place in (None, entry.place) and (before is None or entry.moment < before):
                yield entry
