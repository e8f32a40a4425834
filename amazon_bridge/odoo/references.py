"""Transfers that have lost their sale order, found by their references.

Since Odoo 19 a transfer is linked to no sale order when all of its products were replaced
(``sale_stock``: StockMove.write, StockPicking._compute_sale_id). Its references
(``stock.reference``) keep the sale order; before, there are none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from amazon_bridge.odoo.session import OdooSession


def link_fields(session: OdooSession) -> list[str]:
    """The fields of a transfer that ``sale_orders_of`` needs."""
    return ["sale_id", *(["reference_ids"] if session.capabilities.has_references else [])]


def linked_to(sale_order_ids: Collection[int]) -> list[Any]:
    """The domain of the transfers that are linked to sale orders."""
    return [("sale_id", "in", sorted(sale_order_ids))]


def transfers_of(session: OdooSession, sale_order_ids: Collection[int]) -> list[Any]:
    """The domain of the transfers of sale orders, including those that have lost the link.

    These are read by their references before: as a condition beside the link, references would
    make PostgreSQL look through all transfers that ever were.
    """
    linked = linked_to(sale_order_ids)
    if not session.capabilities.has_references:
        return linked
    about = [("sale_ids", "in", sorted(sale_order_ids))]
    references = session.search_read("stock.reference", about, ["picking_ids"])
    referred = sorted({id_ for row in references for id_ in row["picking_ids"]})
    return ["|", *linked, ("id", "in", referred)]


def sale_orders_of(
    session: OdooSession, transfers: Collection[Mapping[str, Any]]
) -> dict[int, set[int]]:
    """The sale orders of transfers, by the transfers' ids: the linked one, else by reference.

    Args:
        session: the login.
        transfers: with their ``link_fields``.
    """
    unlinked = {row["id"]: row.get("reference_ids", ()) for row in transfers if not row["sale_id"]}
    sold = _sold_with(session, {id_ for ids in unlinked.values() for id_ in ids})
    found = {row["id"]: {row["sale_id"][0]} for row in transfers if row["sale_id"]}
    return found | {
        id_: _union(sold.get(each, ()) for each in ids) for id_, ids in unlinked.items()
    }


def _sold_with(session: OdooSession, reference_ids: Collection[int]) -> dict[int, list[int]]:
    rows = session.read("stock.reference", sorted(reference_ids), ["sale_ids"])
    return {row["id"]: row["sale_ids"] for row in rows}


def _union(each: Iterable[Iterable[int]]) -> set[int]:
    return {id_ for ids in each for id_ in ids}
