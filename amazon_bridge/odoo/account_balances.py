"""Balances of accounts, added up by Odoo's database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from amazon_bridge.odoo.session import OdooSession


@dataclass(frozen=True, slots=True)
class Balance:
    """What posted lines of one currency add up to. Debits count as positive."""

    amount: Decimal
    """In the currency."""
    company_amount: Decimal
    """In the company's currency."""


def balances(
    session: OdooSession, account_ids: Collection[int], as_of: date | None = None
) -> dict[int, dict[str, Balance]]:
    """Balances by account and currency; without accounts that nothing was posted on.

    Args:
        session: A login, restricted to the company.
        account_ids: The accounts.
        as_of: Only lines dated until this day; None: all.
    """
    raise NotImplementedError
