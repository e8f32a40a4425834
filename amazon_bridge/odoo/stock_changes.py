"""Products whose stock may have changed: those of moves, quants and sale orders that did."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amazon_bridge.odoo.paging import ChangedPage, changed, pages
from amazon_bridge.odoo.session import OdooSession, chunks


@dataclass(frozen=True, slots=True)
class Source:
    """A model whose changes concern the stock of products."""

    model: str
    products_in: str
    """The model whose rows name the products."""
    link: str
    """The field of these rows that names the record."""


SOURCES = (
    Source("stock.move", "stock.move", "id"),
    Source("stock.quant", "stock.quant", "id"),
    Source("sale.order", "sale.order.line", "order_id"),
)


def read_changes(
    session: OdooSession, source: Source, company_id: int, *, since: datetime, after: int
) -> Iterator[ChangedPage]:
    """The records of a source that changed since a moment, of one company or of none."""
    domain = [("company_id", "in", [False, company_id])]
    return changed(session, source.model, domain, since=since, after=after)


def references_of(session: OdooSession, product_ids: Collection[int]) -> set[str]:
    """The internal references of products, as far as they have one."""
    rows = session.read("product.product", sorted(product_ids), ["default_code"])
    return {row["default_code"] for row in rows if row["default_code"]}


def products_of(session: OdooSession, source: Source, ids: Collection[int]) -> set[int]:
    """The products of changed records."""
    found: set[int] = set()
    for page in chunks(sorted(ids)):
        domain: list[Any] = [(source.link, "in", page), ("product_id", "!=", False)]
        for rows in pages(session, source.products_in, domain, ["product_id"]):
            found |= {row["product_id"][0] for row in rows}
    return found
