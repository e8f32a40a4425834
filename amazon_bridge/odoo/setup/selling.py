"""Sales team, salesperson and fallback products."""

from __future__ import annotations

from functools import partial

from amazon_bridge.odoo.setup.records import Need, Place, Products
from amazon_bridge.odoo.setup.work import SALES_ADMINISTRATOR, Work, external, first_id, slug

_PRODUCTS = {
    "sale": ("Amazon Sale", "consu"),
    "shipping": ("Amazon Shipping", "service"),
    "gift_wrap": ("Amazon Gift Wrap", "service"),
    "discount": ("Amazon Discount", "service"),
    "rounding": ("Amazon Rounding", "service"),
}
"""Name and type of the fallback products, by the end of their external ids.

Goods, not a service, stand for an unknown SKU: they make stock moves, so that a delivery order
waits for FBM and an FBA order gets delivered.
"""
_UNTAXED = "rounding"


def ensure_team(work: Work, place: Place) -> int | None:
    """The id of the sales team."""
    name = work.account.sales_team
    return work.ensure(
        Need(
            f"the sales team {name}",
            f"CRM or Sales > Configuration > Sales Teams > New: name {name}",
            "crm.team",
            SALES_ADMINISTRATOR,
        ),
        lambda: _find_team(work, name, place),
        lambda: work.session.load(
            "crm.team",
            ["id", "name", "company_id/.id"],
            [[external(_team_reference(name, place)), name, str(place.company_id)]],
        ),
    )


def _find_team(work: Work, name: str, place: Place) -> int | None:
    domain = [("name", "=", name), ("company_id", "in", [False, place.company_id])]
    found = work.session.search_read("crm.team", domain, ["company_id"], order="id")
    found.sort(key=lambda team: not team["company_id"])
    return first_id(found) or work.session.reference(_team_reference(name, place))


def find_salesperson(work: Work) -> int | None:
    """The id of the salesperson, where the account names one."""
    login = work.account.salesperson
    if login is None:
        return None
    found = first_id(work.session.search_read("res.users", [("login", "=", login)], ["id"]))
    if found is None:
        work.lacks(
            "the user that `salesperson` of the account names",
            "Settings > Users: make it or allow it in the company; or correct `salesperson`",
        )
    return found


def ensure_products(work: Work) -> Products | None:
    """The fallback products."""
    titles = ", ".join(title for title, _ in _PRODUCTS.values())
    need = Need(
        f"the products {titles}",
        "",
        "product.product",
        "Product: Create (before Odoo 17: Sales: Administrator)",
    )
    return work.ensure(need, partial(_find_products, work), partial(_make_products, work))


def _find_products(work: Work) -> Products | None:
    wanted = {f"product_{name}": title for name, (title, _) in _PRODUCTS.items()}
    found = work.find_ours("product.product", wanted)
    ids = {name.removeprefix("product_"): row["id"] for name, row in found.items()}
    return Products(**ids) if len(ids) == len(_PRODUCTS) else None


def _make_products(work: Work) -> None:
    fields = ["id", "name", "type", "list_price", "purchase_ok"]
    rows = {
        name: [external(f"product_{name}"), title, kind, "0", "0"]
        for name, (title, kind) in _PRODUCTS.items()
    }
    untaxed = rows.pop(_UNTAXED)
    work.session.load("product.product", fields, list(rows.values()))
    work.session.load("product.product", [*fields, "taxes_id/.id"], [[*untaxed, ""]])


def _team_reference(name: str, place: Place) -> str:
    return f"sales_team_{place.company_id}_{slug(name)}"
