"""Products: by internal reference, or by barcode."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from amazon_bridge.odoo.paging import plain_rows
from amazon_bridge.odoo.session import OdooSession

_FIELDS = ["default_code", "barcode", "sale_ok", "active", "company_id", "display_name", "type"]
_GOODS = {"consu", "product"}
"""The types of products that are moved; services and combos (Odoo 18) are not."""


@dataclass(frozen=True, slots=True)
class Products:
    """The product variants that can be sold, by internal reference and by barcode.

    ``obstacles`` has the reason why a product with such a reference or barcode can't be sold.
    """

    by_reference: Mapping[str, int]
    by_barcode: Mapping[str, int]
    obstacles: Mapping[str, str]
    not_moved: Collection[int] = ()
    """Products without a delivery: services and combos."""


def find_products(
    session: OdooSession,
    references: Collection[str],
    barcodes: Collection[str],
    company_id: int,
    *,
    optional: Collection[str] = (),
) -> Products:
    """Look products up. One call if each reference has a product, else three.

    Where several share a reference, the oldest serves, as in Odoo's own imports. Nobody asks
    what keeps an ``optional`` reference from leading to a product.
    """
    sellable = _sellable(company_id)
    all_references = {*references, *optional}
    rows = _rows(session, all_references, barcodes, sellable)
    by_reference = {r["default_code"]: r["id"] for r in rows if r["default_code"] in all_references}
    by_barcode = {row["barcode"]: row["id"] for row in rows if row["barcode"] in barcodes}
    missing = set(references) - by_reference.keys()
    obstacles = _obstacles(session, missing, barcodes, company_id)
    not_moved = {row["id"] for row in rows if row["type"] not in _GOODS}
    return Products(by_reference, by_barcode, obstacles, not_moved)


def product_ids(
    session: OdooSession, references: Collection[str], barcodes: Collection[str], company_id: int
) -> tuple[dict[str, int], dict[str, int]]:
    """Look up the ids of products that can be sold; one call for a page of them.

    Returns:
        The ids by internal reference, and by barcode; the oldest product's, as in Odoo's imports.
    """
    domain = [*_named(references, barcodes), *_sellable(company_id)]
    by_reference: dict[str, int] = {}
    by_barcode: dict[str, int] = {}
    for row in plain_rows(session, "product.product", domain, ["default_code", "barcode"]):
        by_reference.setdefault(row["default_code"], row["id"])
        by_barcode.setdefault(row["barcode"], row["id"])
    return by_reference, by_barcode


def _sellable(company_id: int) -> list[Any]:
    return [("sale_ok", "=", True), ("company_id", "in", [False, company_id])]


def _named(references: Iterable[str], barcodes: Iterable[str]) -> list[Any]:
    by_reference = ("default_code", "in", sorted(references))
    listed = sorted(barcodes)
    return ["|", by_reference, ("barcode", "in", listed)] if listed else [by_reference]


def _rows(
    session: OdooSession,
    references: Iterable[str],
    barcodes: Iterable[str],
    more: Iterable[Any],
    **context: Any,
) -> list[dict[str, Any]]:
    domain = [*_named(references, barcodes), *more]
    return session.search_read("product.product", domain, _FIELDS, order="id desc", context=context)


def _obstacles(
    session: OdooSession, missing: Collection[str], barcodes: Collection[str], company_id: int
) -> dict[str, str]:
    """Why products with these references or barcodes can't be sold."""
    if not missing:
        return {}
    user = session.read("res.users", [session.uid], ["company_ids"])[0]
    context = {"active_test": False, "allowed_company_ids": user["company_ids"]}
    obstacles = {}
    for row in _rows(session, missing, barcodes, (), **context):
        if obstacle := _obstacle(row, company_id):
            for key in (row["default_code"], row["barcode"]):
                obstacles[key] = obstacle
    return obstacles


def _obstacle(row: Mapping[str, Any], company_id: int) -> str:
    if not row["active"]:
        return "is archived"
    if not row["sale_ok"]:
        return "isn't for sale"
    company = row["company_id"]
    return f"belongs to the company {company[1]}" if company and company[0] != company_id else ""
