"""Balances of accounts, added up by Odoo's database."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from amazon_bridge.odoo import responses
from amazon_bridge.odoo.amounts import amount_of
from amazon_bridge.odoo.session import OdooSession

_LINE = "account.move.line"


@dataclass(frozen=True, slots=True)
class Balance:
    """What posted lines of one currency add up to. Debits count as positive."""

    amount: Decimal
    """In the currency."""
    company_amount: Decimal
    """In the company's currency."""


def balances(
    session: OdooSession,
    account_ids: Collection[int],
    as_of: date | None = None,
    move_ids: Collection[int] | None = None,
) -> dict[int, dict[str, Balance]]:
    """Balances by account and currency; without accounts that nothing was posted on.

    Args:
        session: A login, restricted to the company.
        account_ids: The accounts.
        as_of: Only lines dated until this day; None: all.
        move_ids: Only lines of these entries; None: of all.
    """
    domain: list[Any] = [("account_id", "in", sorted(account_ids)), ("parent_state", "=", "posted")]
    if as_of:
        domain.append(("date", "<=", as_of.isoformat()))
    if move_ids is not None:
        domain.append(("move_id", "in", sorted(move_ids)))
    found: dict[int, dict[str, Balance]] = {}
    for account_id, currency, amount, balance in _sums(session, domain):
        found.setdefault(account_id, {})[currency] = Balance(amount, balance)
    return found


def by_currency(
    session: OdooSession,
    account_ids: Collection[int],
    as_of: date | None = None,
    move_ids: Collection[int] | None = None,
) -> dict[str, dict[int, Decimal]]:
    """As ``balances``: in each currency, by currency and account."""
    found: dict[str, dict[int, Decimal]] = {}
    for account_id, of_account in balances(session, account_ids, as_of, move_ids).items():
        for currency, balance in of_account.items():
            found.setdefault(currency, {})[account_id] = balance.amount
    return found


_GROUPS, _SUMS = ["account_id", "currency_id"], ["amount_currency:sum", "balance:sum"]
_FORMATTED_SINCE = (19, 0)


def _sums(session: OdooSession, domain: list[Any]) -> Iterator[tuple[int, str, Decimal, Decimal]]:
    """Account, currency and both sums. ``read_group`` is deprecated since Odoo 19."""
    options: dict[str, Any] = {"domain": domain, "groupby": _GROUPS}
    if session.version >= _FORMATTED_SINCE:
        names = _SUMS
        rows = session.call(_LINE, "formatted_read_group", **options, aggregates=_SUMS)
    else:
        names = [each.removesuffix(":sum") for each in _SUMS]
        rows = session.call(_LINE, "read_group", **options, fields=_SUMS, lazy=False)
    for row in responses.groups(_LINE, rows, [*_GROUPS, *names]):
        amount, balance = (amount_of(row[name] or 0) for name in names)
        yield row["account_id"][0], row["currency_id"][1], amount, balance
