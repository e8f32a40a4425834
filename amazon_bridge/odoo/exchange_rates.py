"""Exchange rates that Odoo has; where it has none, it converts at the rate 1."""

from __future__ import annotations

from datetime import date
from typing import Any

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.session import OdooSession


def first_day(session: OdooSession, currency: str) -> date | None:
    """The day of a currency's first rate in the session's company; None without any rate."""
    domain = [("currency_id.name", "=", currency)]
    rows = session.search_read("res.currency.rate", domain, ["name"], limit=1, order="name")
    return date.fromisoformat(rows[0]["name"]) if rows else None


def is_base(session: OdooSession, currency: str, company_currency: str, until: date | None) -> bool:
    """True if rates are relative to a currency, which has none itself, instead of the company's.

    A rate 1 of the company's currency, as providers of rates enter it, is none of these.
    """
    if first_day(session, currency):
        return False
    domain: list[Any] = [("currency_id.name", "=", company_currency)]
    domain += [("name", "<=", until.isoformat())] if until else []
    rates = session.search_read(
        "res.currency.rate", domain, ["rate"], limit=1, order="name desc, id desc"
    )
    return bool(rates) and rates[0]["rate"] != 1


def require_rates(session: OdooSession, currency: str, company_currency: str, day: date) -> None:
    """Require the rates by which Odoo converts a foreign currency on a day.

    The company's currency needs none (it is 1 then), but Odoo 16 and 18 also take 1 for days
    before its first one.

    Raises:
        ItemError: One is lacking (``settlement_currency``).
    """
    own, company = (first_day(session, each) for each in (currency, company_currency))
    lacking = currency if own is None or own > day else ""
    lacking = lacking or (company_currency if company and company > day else "")
    if lacking and not is_base(session, currency, company_currency, day):
        what = f"Odoo has no exchange rate of {lacking} for {day}"
        raise currency_error(what, "enter one for that day or an earlier one")


def currency_error(what: str, how: str) -> ItemError:
    """An entry can't be converted for lack of a currency or its rate."""
    menu = "Accounting or Invoicing > Configuration > Currencies"
    return ItemError(
        "settlement_currency",
        f"{what}.",
        f"{menu}: {how}; then run `amazon-bridge quarantine retry` with the settlement's id.",
    )
