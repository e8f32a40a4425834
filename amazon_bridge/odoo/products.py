"""Products: by internal reference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from amazon_bridge.odoo.session import OdooSession


@dataclass(frozen=True, slots=True)
class Product:
    """A product variant of Odoo."""

    id: int
    tracked: bool
    """By lots or serial numbers: its moves can't be done without naming them."""


def products_by_reference(
    session: OdooSession, references: Iterable[str], company_id: int
) -> dict[str, Product]:
    """The products that can be sold by the company, by their internal reference.

    Where several share a reference, the oldest serves, as in Odoo's own imports.
    """
    domain = [
        ("default_code", "in", sorted(set(references))),
        ("sale_ok", "=", True),
        ("company_id", "in", [False, company_id]),
    ]
    rows = session.search_read(
        "product.product", domain, ["default_code", "tracking"], order="id desc"
    )
    return {row["default_code"]: Product(row["id"], row["tracking"] != "none") for row in rows}
