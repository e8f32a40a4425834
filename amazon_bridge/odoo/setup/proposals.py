"""Proposals for an account's settings, from what an Odoo database has; read-only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from amazon_bridge.engine.errors import AccountError, ItemError
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup.fba import OUTSIDE, inside_warehouses

_TEAM = "Amazon"

_WORDS = ("amazon", "fba")


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A warehouse of a company."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class SalesTax:
    """The sales tax that new products of a company get."""

    name: str
    included: bool
    """In the price."""


@dataclass(frozen=True, slots=True)
class Proposals:
    """What a company has."""

    warehouses: tuple[Warehouse, ...]
    """The first one is the default."""
    sales_team: str
    """The one of Amazon's orders: an existing one, or the name for a new one."""
    fba_location: str
    """Of goods at Amazon, outside of the warehouses: an existing one, or the name for a new one."""
    sales_tax: SalesTax | None


def companies(session: OdooSession) -> dict[str, int]:
    """The companies that the login works in, by name; its default one first."""
    (user,) = session.read("res.users", [session.uid], ["company_id", "company_ids"])
    first = user["company_id"][0]
    rows = session.read("res.company", user["company_ids"], ["name"])
    rows.sort(key=lambda row: row["id"] != first)
    return {row["name"]: row["id"] for row in rows}


def read_proposals(session: OdooSession, company_id: int) -> Proposals:
    """Read what a company has."""
    session = session.for_company(company_id)
    of_company = ("company_id", "in", [False, company_id])
    inside = inside_warehouses(session, company_id)
    named = [("complete_name", "ilike", word) for word in _WORDS]  # there may be 100,000 bins
    places = [of_company, ("usage", "=", "internal"), *(["!", inside] if inside else [])]
    places += ["|", *named]
    locations = session.search_read("stock.location", places, ["complete_name"], order="id")
    teams = session.in_users_language().search_read("crm.team", [of_company], ["name"], order="id")
    return Proposals(
        warehouses=_warehouses(session, company_id),
        sales_team=about_amazon((row["name"] for row in teams), _TEAM),
        fba_location=about_amazon((row["complete_name"] for row in locations), OUTSIDE),
        sales_tax=_sales_tax(session, company_id),
    )


def _warehouses(session: OdooSession, company_id: int) -> tuple[Warehouse, ...]:
    domain = [("company_id", "=", company_id)]
    fields, order = ["code", "name"], "sequence, id"
    rows = session.search_read("stock.warehouse", domain, fields, order=order)
    return tuple(Warehouse(row["code"], row["name"]) for row in rows)


def about_amazon(names: Iterable[str], proposal: str) -> str:
    """The proposal if there is a record of this name, else one about Amazon, else the proposal."""
    found = [name for name in names if any(word in name.casefold() for word in _WORDS)]
    return proposal if proposal in found or not found else found[0]


def _sales_tax(session: OdooSession, company_id: int) -> SalesTax | None:
    """None too if the login may not read it."""
    try:
        (company,) = session.read("res.company", [company_id], ["account_sale_tax_id"])
        tax: Any = company["account_sale_tax_id"]
        rows = session.read("account.tax", [tax[0]], ["name", "price_include"]) if tax else []
    except (AccountError, ItemError):
        return None
    return SalesTax(rows[0]["name"], bool(rows[0]["price_include"])) if rows else None
