"""The company and the warehouse of an account."""

from __future__ import annotations

from typing import Any

from amazon_bridge.odoo.setup.records import Place
from amazon_bridge.odoo.setup.work import Work, first_id


def find_place(work: Work) -> Place | None:
    """The company and its warehouse; None if missing, which is noted."""
    if not work.session.capabilities.has_sale_stock:
        work.lacks("the apps Sales and Inventory", "Apps: install both")
        return None
    company_id = _company(work)
    if company_id is None:
        work.lacks(
            f"the company {work.account.company}",
            "Settings > Users > the login > Allowed Companies: add it; or correct `company` "
            "of the account",
        )
        return None
    place = _warehouse(work, company_id)
    if place is None:
        work.lacks(
            f"a warehouse with the code {work.account.warehouse}"
            if work.account.warehouse
            else "a warehouse of the company",
            "Inventory > Configuration > Warehouses: create it, or unarchive it (filter Archived); "
            "or correct `warehouse` of the account",
        )
    return place


def _company(work: Work) -> int | None:
    if work.account.company is None:
        user = work.session.read("res.users", [work.session.uid], ["company_id"])[0]
        return int(user["company_id"][0])
    found = work.session.search_read("res.company", [("name", "=", work.account.company)], ["id"])
    return first_id(found)


def _warehouse(work: Work, company_id: int) -> Place | None:
    domain: list[Any] = [("company_id", "=", company_id)]
    if work.account.warehouse:
        domain.append(("code", "=", work.account.warehouse))
    found = work.session.for_company(company_id).search_read(
        "stock.warehouse", domain, ["code"], order="sequence, id", limit=1
    )
    return Place(company_id, found[0]["id"], found[0]["code"]) if found else None
