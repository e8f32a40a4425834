"""What accounts of other sellers have on the accounts of Odoo that a tie-out compares.

Sellers of one company may share the payment journal, and do share the reserve unless their account
maps name different ones. What is theirs is known from the state store.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from amazon_bridge.flows.context import Context
from amazon_bridge.flows.settlements.memo import entries_of
from amazon_bridge.odoo import account_balances, journal_entries
from amazon_bridge.odoo.reconciling import OpenLine

Sums = Mapping[str, Mapping[int, Decimal]]
"""By currency and account."""


@dataclass(slots=True)
class OtherSellers:
    """The accounts of other sellers.

    Args:
        context: Of the account that is compared.
    """

    context: Context
    entries: frozenset[str] = field(init=False)
    """References of their settlements' entries."""

    def __post_init__(self) -> None:
        ledger, others = self.context.ledger, self.context.other_sellers
        self.entries = frozenset().union(*(entries_of(ledger, name) for name in others))

    def sums(self, account_ids: Collection[int], as_of: date | None) -> Sums:
        """What their entries have on some accounts."""
        if not self.entries:
            return {}
        odoo = self.context.odoo
        moves = [each.id for each in journal_entries.find(odoo, self.entries).values()]
        return account_balances.by_currency(odoo, account_ids, as_of, moves)

    def have(self, line: OpenLine) -> bool:
        """Whether an open line is of their settlements, or pays one of their orders."""
        if not self.context.other_sellers or line.entry or not line.order_id:
            return line.entry in self.entries
        known = {entry.account for entry in self.context.ledger.items.of_order(line.order_id)}
        known &= self.context.configured_accounts
        return bool(known) and known <= set(self.context.other_sellers)
