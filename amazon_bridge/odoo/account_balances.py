"""Balances of accounts, added up by Odoo's database."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from amazon_bridge.odoo import responses
from amazon_bridge.odoo.amounts import amount_of
from amazon_bridge.odoo.session import OdooSession

_LINE = "account.move.line"


def by_currency(
    session: OdooSession,
    account_ids: Collection[int],
    as_of: date | None = None,
    move_ids: Collection[int] | None = None,
) -> dict[str, dict[int, Decimal]]:
    """What posted lines add up to in each currency, by currency and account. Debits are positive.

    Args:
        session: A login, restricted to the company.
        account_ids: The accounts; those that nothing was posted on are left out.
        as_of: Only lines dated until this day; None: all.
        move_ids: Only lines of these entries; None: of all.
    """
    domain: list[Any] = [("account_id", "in", sorted(account_ids)), ("parent_state", "=", "posted")]
    if as_of:
        domain.append(("date", "<=", as_of.isoformat()))
    if move_ids is not None:
        domain.append(("move_id", "in", sorted(move_ids)))
    found: dict[str, dict[int, Decimal]] = {}
    for account_id, currency, amount in _sums(session, domain):
        found.setdefault(currency, {})[account_id] = amount
    return found


_GROUPS, _SUM = ["account_id", "currency_id"], "amount_currency:sum"
_FORMATTED_SINCE = (19, 0)


def _sums(session: OdooSession, domain: list[Any]) -> Iterator[tuple[int, str, Decimal]]:
    """Account, currency and sum. ``read_group`` is deprecated since Odoo 19."""
    options: dict[str, Any] = {"domain": domain, "groupby": _GROUPS}
    if session.version >= _FORMATTED_SINCE:
        name = _SUM
        rows = session.call(_LINE, "formatted_read_group", **options, aggregates=[_SUM])
    else:
        name = _SUM.removesuffix(":sum")
        rows = session.call(_LINE, "read_group", **options, fields=[_SUM], lazy=False)
    for row in responses.groups(_LINE, rows, [*_GROUPS, name]):
        yield row["account_id"][0], row["currency_id"][1], amount_of(row[name] or 0)
