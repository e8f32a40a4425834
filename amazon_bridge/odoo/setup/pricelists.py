"""A pricelist in each currency of the account's marketplaces."""

from __future__ import annotations

from collections.abc import Sequence

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.session import external
from amazon_bridge.odoo.setup.records import Archived, Need
from amazon_bridge.odoo.setup.work import (
    ACCOUNTING_ADMINISTRATOR,
    INVENTORY_ADMINISTRATOR,
    SALES_ADMINISTRATOR,
    Work,
)

_MODEL = "product.pricelist"
_LAST = "1000"
"""Sequence of our pricelists. Odoo gives other customers the first one that fits."""


def ensure_pricelists(work: Work) -> dict[str, int]:
    """The ids of the pricelists by currency, without missing ones."""
    currencies = sorted({m.currency for m in work.account.marketplaces})
    found = _find_pricelists(work, currencies)
    lacking = [currency for currency in currencies if currency not in found]
    active = _ensure_currencies(work, lacking) if lacking else {}
    for currency in lacking:
        if id_ := _ensure_pricelist(work, currency, active.get(currency)):
            found[currency] = id_
    return found


def _ensure_currencies(work: Work, currencies: Sequence[str]) -> dict[str, int]:
    names = ", ".join(currencies)
    how = f"Accounting or Invoicing > Configuration > Currencies: activate {names}"
    what = f"the currencies {names} (inactive)"
    need = Need(what, how, "res.currency", ACCOUNTING_ADMINISTRATOR, operation="write")
    found = work.ensure(
        need, lambda: _find_currencies(work, currencies), lambda: _activate(work, currencies)
    )
    return found or {}


def _ensure_pricelist(work: Work, currency: str, currency_id: int | None) -> int | None:
    title, reference = f"Amazon {currency}", _reference(currency)
    menu = "Sales > Products > Pricelists"
    return work.ensure(
        Need(
            f"the pricelist {title}",
            f"{menu} > {title}: give it the currency {currency} again, or delete it",
            _MODEL,
            f"{SALES_ADMINISTRATOR}, or {INVENTORY_ADMINISTRATOR}",
        ),
        lambda: _find_pricelists(work, [currency]).get(currency),
        lambda: _make_pricelist(work, currency, currency_id),
        lambda: [
            Archived(f"the pricelist {title}", menu, _MODEL, id_)
            for id_ in work.archived_ids(_MODEL, reference, [])
        ],
    )


def _reference(currency: str) -> str:
    return f"pricelist_{currency}"


def _find_pricelists(work: Work, currencies: Sequence[str]) -> dict[str, int]:
    names = {_reference(currency): f"Amazon {currency}" for currency in currencies}
    ours = work.find_ours(_MODEL, names, ["currency_id"])
    found = {name.removeprefix("pricelist_"): row for name, row in ours.items()}
    # One whose currency somebody changed would put an order into the wrong currency.
    return {c: row["id"] for c, row in found.items() if row["currency_id"][1] == c}


def _make_pricelist(work: Work, currency: str, currency_id: int | None) -> None:
    if not currency_id:
        raise ItemError("no_currency", "the currencies have to be active first", "")
    fields = ["id", "name", "currency_id/.id", "company_id/.id", "sequence"]
    row = [external(_reference(currency)), f"Amazon {currency}", str(currency_id), "", _LAST]
    work.session.load(_MODEL, fields, [row])


def _find_currencies(work: Work, names: Sequence[str]) -> dict[str, int] | None:
    """Searches leave archived records out."""
    rows = work.session.search_read("res.currency", [("name", "in", list(names))], ["name"])
    return {row["name"]: row["id"] for row in rows} if len(rows) == len(names) else None


def _activate(work: Work, names: Sequence[str]) -> None:
    domain = [("name", "in", list(names)), ("active", "=", False)]
    ids = [row["id"] for row in work.session.search_read("res.currency", domain, ["id"])]
    work.session.call("res.currency", "write", ids, {"active": True})
