"""Sales team, salesperson and fallback products."""

from __future__ import annotations

from typing import Any

from amazon_bridge.odoo.session import external
from amazon_bridge.odoo.setup.records import Archived, FallbackProducts, Need, Place
from amazon_bridge.odoo.setup.work import SALES_ADMINISTRATOR, Work, first_id, slug

_PRODUCTS = {
    "sale": ("Amazon Sale", "consu"),
    "shipping": ("Amazon Shipping", "service"),
    "gift_wrap": ("Amazon Gift Wrap", "service"),
    "discount": ("Amazon Discount", "service"),
    "rounding": ("Amazon Rounding", "service"),
}
"""Name and type of the fallback products, by the end of their external ids.

Unknown SKUs get goods, not a service: goods have stock moves, so that a delivery order
waits for FBM and an FBA order gets delivered.
"""
_UNTAXED = "rounding"


def ensure_team(work: Work, place: Place) -> int | None:
    """The id of the sales team."""
    name = work.account.sales_team
    reference = f"sales_team_{place.company_id}_{slug(name)}"
    menu = "CRM or Sales > Configuration > Sales Teams"
    what = f"the sales team {name}"
    return work.ensure(
        Need(what, f"{menu} > New: name {name}", "crm.team", SALES_ADMINISTRATOR),
        lambda: _find_team(work, name, place) or work.session.reference(reference),
        lambda: work.session.load(
            "crm.team",
            ["id", "name", "company_id/.id"],
            [[external(reference), name, str(place.company_id)]],
        ),
        lambda: [
            Archived(what, menu, "crm.team", id_)
            for id_ in work.archived_ids("crm.team", reference, _team(name, place))
        ],
    )


def _team(name: str, place: Place) -> list[Any]:
    return [("name", "=", name), *_usable_by(place)]


def _usable_by(place: Place) -> list[Any]:
    return [("company_id", "in", [False, place.company_id])]


def _find_team(work: Work, name: str, place: Place) -> int | None:
    what = f"the sales team {name}"
    found = work.named(what, "crm.team", name, _usable_by(place), ["company_id"])
    found.sort(key=lambda team: not team["company_id"])
    return first_id(found)


def find_salesperson(work: Work) -> int | None:
    """The id of the salesperson, if the account names one."""
    login = work.account.salesperson
    if login is None:
        return None
    found = first_id(work.session.search_read("res.users", [("login", "=", login)], ["id"]))
    if found is None:
        work.lacks(
            "the user that `salesperson` of the account names",
            "Settings > Users: create it, unarchive it, or allow it in the company; or correct "
            "`salesperson`",
        )
    return found


def ensure_products(work: Work) -> FallbackProducts:
    """The fallback products, with 0 for missing ones."""
    titles = {_reference(name): title for name, (title, _) in _PRODUCTS.items()}
    found = work.find_ours("product.product", titles)
    ids = {name: row["id"] for name, row in found.items()}
    return FallbackProducts(
        **{
            name: ids.get(_reference(name)) or _ensure_product(work, name) or 0
            for name in _PRODUCTS
        }
    )


def _reference(name: str) -> str:
    return f"product_{name}"


def _ensure_product(work: Work, name: str) -> int | None:
    title, _ = _PRODUCTS[name]
    return work.ensure(
        Need(
            f"the product {title}",
            "",
            "product.product",
            "Product: Create (before Odoo 17: Sales: Administrator)",
        ),
        lambda: work.session.reference(_reference(name)),
        lambda: _make_product(work, name),
        lambda: _archived_product(work, name),
    )


def _archived_product(work: Work, name: str) -> list[Archived]:
    """Its template: unarchiving that unarchives its one variant, in all versions of Odoo."""
    ids = work.archived_ids("product.product", _reference(name), [])
    rows = work.session.read("product.product", ids, ["product_tmpl_id"])
    title, _ = _PRODUCTS[name]
    menu = f"Sales > Products > Products > {title}"
    return [
        Archived(f"the product {title}", menu, "product.template", row["product_tmpl_id"][0])
        for row in rows
    ]


def _make_product(work: Work, name: str) -> None:
    title, kind = _PRODUCTS[name]
    values = {
        "id": external(_reference(name)),
        "name": title,
        "type": kind,
        "list_price": "0",
        "purchase_ok": "0",
        **({"taxes_id/.id": ""} if name == _UNTAXED else {}),
    }
    work.session.load("product.product", list(values), [list(values.values())])
