"""A pricelist in each currency of the account's marketplaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.setup.records import Need
from amazon_bridge.odoo.setup.work import (
    ACCOUNTING_ADMINISTRATOR,
    INVENTORY_ADMINISTRATOR,
    SALES_ADMINISTRATOR,
    Work,
    external,
)

_LAST = "1000"
"""Sequence of our pricelists. Odoo gives customers of its own the first one that fits."""


def ensure_pricelists(work: Work) -> dict[str, int]:
    """The ids of the pricelists, by currency."""
    currencies = sorted({m.currency for m in work.account.marketplaces})
    found = _find_pricelists(work, currencies)
    if lacking := [currency for currency in currencies if currency not in found]:
        found |= _lacking_pricelists(work, lacking)
    return found


def _lacking_pricelists(work: Work, currencies: Sequence[str]) -> dict[str, int]:
    names = ", ".join(currencies)
    active = work.ensure(
        Need(
            f"the active currencies {names}",
            f"Accounting or Invoicing > Configuration > Currencies: activate {names}",
            "res.currency",
            ACCOUNTING_ADMINISTRATOR,
            operation="write",
        ),
        lambda: _find_currencies(work, currencies),
        lambda: _activate(work, currencies),
    )
    found = work.ensure(
        Need(
            f"the pricelists Amazon {names}",
            "",
            "product.pricelist",
            f"{SALES_ADMINISTRATOR}, or {INVENTORY_ADMINISTRATOR}",
        ),
        lambda: _all_pricelists(work, currencies),
        lambda: _make_pricelists(work, active),
    )
    return found or {}


def _all_pricelists(work: Work, currencies: Sequence[str]) -> dict[str, int] | None:
    found = _find_pricelists(work, currencies)
    return found if len(found) == len(currencies) else None


def _find_pricelists(work: Work, currencies: Sequence[str]) -> dict[str, int]:
    wanted = {f"pricelist_{currency}": f"Amazon {currency}" for currency in currencies}
    ours = work.find_ours("product.pricelist", wanted, ["currency_id"])
    found = {name.removeprefix("pricelist_"): row for name, row in ours.items()}
    # One whose currency somebody changed would put an order into the wrong currency.
    return {c: row["id"] for c, row in found.items() if row["currency_id"][1] == c}


def _make_pricelists(work: Work, currencies: Mapping[str, int] | None) -> None:
    if not currencies:
        raise ItemError("no_currency", "the currencies have to be active first")
    work.session.load(
        "product.pricelist",
        ["id", "name", "currency_id/.id", "company_id/.id", "sequence"],
        [
            [external(f"pricelist_{name}"), f"Amazon {name}", str(id_), "", _LAST]
            for name, id_ in sorted(currencies.items())
        ],
    )


def _find_currencies(work: Work, names: Sequence[str]) -> dict[str, int] | None:
    """Searches leave out what is not active."""
    rows = work.session.search_read("res.currency", [("name", "in", list(names))], ["name"])
    return {row["name"]: row["id"] for row in rows} if len(rows) == len(names) else None


def _activate(work: Work, names: Sequence[str]) -> None:
    domain = [("name", "in", list(names)), ("active", "=", False)]
    ids = [row["id"] for row in work.session.search_read("res.currency", domain, ["id"])]
    work.session.call("res.currency", "write", ids, {"active": True})
