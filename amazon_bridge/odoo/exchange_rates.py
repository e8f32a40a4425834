"""Exchange rates that Odoo has; where it has none, it converts at the rate 1."""

from __future__ import annotations

from datetime import date

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.session import OdooSession


def first_day(session: OdooSession, currency: str) -> date | None:
    """The day of a currency's first rate in the session's company; None without any rate."""
    domain = [("currency_id.name", "=", currency)]
    rows = session.search_read("res.currency.rate", domain, ["name"], limit=1, order="name")
    return date.fromisoformat(rows[0]["name"]) if rows else None


def require_rates(session: OdooSession, currency: str, company_currency: str, day: date) -> None:
    """Require the rates by which Odoo converts a foreign currency on a day.

    Without a rate of its own, Odoo converts any currency at 1: where rates are relative to this
    one, its rate 1 has to be entered. The company's currency needs none, but Odoo 16 and 18 also
    take 1 for days before its first one.

    Raises:
        ItemError: One is lacking (``settlement_currency``).
    """
    own, company = (first_day(session, each) for each in (currency, company_currency))
    lacking = currency if own is None or own > day else ""
    lacking = lacking or (company_currency if company and company > day else "")
    if lacking:
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
