"""Products whose stock or codes may have changed.

They have changed themselves, or a move, a quant or a sale order of theirs has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amazon_bridge.odoo.paging import ChangedPage, changed, pages
from amazon_bridge.odoo.session import OdooSession, chunks


@dataclass(frozen=True, slots=True)
class Source:
    """A model whose changes concern the stock or the codes of products."""

    model: str
    products_in: str | None = None
    """The model whose rows name the products; None if the records are products."""
    link: str = "id"
    """The field of these rows that names the record."""


SOURCES = (
    Source("stock.move", "stock.move"),
    Source("stock.quant", "stock.quant"),
    Source("sale.order", "sale.order.line", "order_id"),
    Source("product.product"),
)


def read_changes(
    session: OdooSession, source: Source, company_id: int, *, since: datetime, after: int
) -> Iterator[ChangedPage]:
    """The records of a source that changed since a moment, of one company or of none."""
    domain = [("company_id", "in", [False, company_id])]
    return changed(session, source.model, domain, since=since, after=after)


def codes_of(session: OdooSession, product_ids: Collection[int]) -> tuple[set[str], set[str]]:
    """The internal references and the barcodes of products, as far as they have any."""
    references, barcodes = set[str](), set[str]()
    for page in chunks(sorted(product_ids)):
        for row in session.read("product.product", page, ["default_code", "barcode"]):
            references |= {row["default_code"]} if row["default_code"] else set()
            barcodes |= {row["barcode"]} if row["barcode"] else set()
    return references, barcodes


def products_of(session: OdooSession, source: Source, ids: Collection[int]) -> set[int]:
    """The products of changed records."""
    if source.products_in is None:
        return set(ids)
    found: set[int] = set()
    for page in chunks(sorted(ids)):
        domain: list[Any] = [(source.link, "in", page), ("product_id", "!=", False)]
        for rows in pages(session, source.products_in, domain, ["product_id"]):
            found |= {row["product_id"][0] for row in rows}
    return found
