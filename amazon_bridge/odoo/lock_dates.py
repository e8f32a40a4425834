"""Odoo's lock dates: the days on which nothing more can be posted.

Odoo posts an entry in a closed period with another day, such as today, without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from amazon_bridge.odoo.rights import has_group
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import SettlementSetup

_COMPANY = "res.company"
_FOR_THE_USER = ("user_fiscalyear_lock_date", "user_hard_lock_date")
"""Since Odoo 18: with those of parent companies, less a person's exceptions."""
_USERS_TAX = "user_tax_lock_date"
_PLAIN = ("fiscalyear_lock_date",)
_PLAIN_TAX = "tax_lock_date"
_ADVISERS = "period_lock_date"
"""Until Odoo 17: for logins that are no advisers."""
_ADVISER = "account.group_account_manager"


def first_open_day(
    session: OdooSession, setup: SettlementSetup, day: date, *, has_taxes: bool
) -> date:
    """The day itself, or if Odoo's lock dates close it, the first day after them.

    Args:
        session: A login, restricted to the company; exceptions are its own.
        setup: Where settlements are booked.
        day: On which an entry should be posted.
        has_taxes: Whether the entry has taxes, which may be closed for longer.
    """
    known = session.fields_of(_COMPANY, [*_FOR_THE_USER, _USERS_TAX, *_PLAIN, _ADVISERS])
    if _FOR_THE_USER[0] in known:
        fields = [*_FOR_THE_USER, *([_USERS_TAX] if has_taxes else [])]
    else:
        fields = [*_PLAIN, *([_PLAIN_TAX] if has_taxes else [])]
        if _ADVISERS in known and not has_group(session, _ADVISER):
            fields.append(_ADVISERS)
    locked = max((_lock(row, fields) for row in _companies(session, setup, fields)), default=day)
    return max(day, locked + timedelta(days=1)) if locked > date.min else day


def _lock(row: Mapping[str, Any], fields: list[str]) -> date:
    return max(_day(row[field]) for field in fields)


def _day(value: Any) -> date:
    """Odoo writes its first day, which stands for none, as 1-01-01."""
    return date.fromisoformat(f"{value:0>10}") if value else date.min


def _companies(
    session: OdooSession, setup: SettlementSetup, fields: list[str]
) -> list[dict[str, Any]]:
    """The company, and before Odoo 18, which looks at them itself, its parents."""
    if fields[0] in _FOR_THE_USER:
        return session.read(_COMPANY, [setup.company_id], fields)
    if not session.fields_of(_COMPANY, ["parent_ids"]):
        return session.read(_COMPANY, [setup.company_id], fields)
    [row] = session.read(_COMPANY, [setup.company_id], ["parent_ids"])
    domain = [("id", "in", sorted({setup.company_id, *row["parent_ids"]}))]
    return session.search_read(_COMPANY, domain, fields)  # those that the login may see
