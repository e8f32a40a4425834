"""Exchange rates of the tests' company, whose currency is the dollar."""

from collections.abc import Callable, Mapping
from typing import Any

EURO: Mapping[str, float] = {"2026-01-01": 0.8}


def add_rates(
    rpc: Callable[..., Any], rates: Mapping[str, float] = EURO, currency: str = "EUR"
) -> None:
    """Activate a currency, and enter rates by day: what a dollar is in it. Safe to repeat."""
    domain = [("name", "=", currency), ("active", "in", [True, False])]
    [id_] = rpc("res.currency", "search", domain)
    rpc("res.currency", "write", [id_], {"active": True})
    known = rpc("res.currency.rate", "search_read", [("currency_id", "=", id_)], ["name"])
    for day, rate in rates.items():
        if day not in {row["name"] for row in known}:
            values = {"name": day, "currency_id": id_, "rate": rate}
            rpc("res.currency.rate", "create", values)
