"""Goods that a vendor ships to the customer (module ``stock_dropshipping``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from amazon_bridge.odoo.session import OdooSession


def bought_lines(session: OdooSession, sale_order_ids: Collection[int]) -> dict[int, int]:
    """The sale order lines whose goods are bought for the customer: sale order id by line id.

    Odoo creates a request for quotation for them at the confirmation, and the transfer from the
    vendor when somebody confirms that. The login may not see purchase orders, so the routes of
    line, product and category tell.

    Returns:
        Nothing, without a call, if no module buys for sale orders.
    """
    if not sale_order_ids or not session.capabilities.buys_for_orders:
        return {}
    routes = _routes(session)
    if not routes:
        return {}
    by_category = [("route_ids", "in", routes)]
    categories = [r["id"] for r in session.search_read("product.category", by_category, ["id"])]
    domain = [
        ("order_id", "in", sorted(sale_order_ids)),
        *("|", (session.capabilities.line_routes, "in", routes)),
        *("|", ("product_id.route_ids", "in", routes)),
        ("product_id.categ_id", "child_of", categories),
    ]
    rows = session.search_read("sale.order.line", domain, ["order_id"])
    return {row["id"]: row["order_id"][0] for row in rows}


def vendors_transfers(
    session: OdooSession, transfers: Collection[Mapping[str, Any]]
) -> frozenset[int]:
    """The ids of receipts that go to a customer: before Odoo 17, what a vendor ships is one.

    Args:
        session: the login.
        transfers: with their ``picking_type_code``. Without receipts there is no call.
    """
    receipts = [row["id"] for row in transfers if row["picking_type_code"] == "incoming"]
    if not receipts or not session.capabilities.buys_for_orders:
        return frozenset()
    domain = [("id", "in", receipts), ("location_dest_id.usage", "=", "customer")]
    return frozenset(r["id"] for r in session.search_read("stock.picking", domain, ["id"]))


def _routes(session: OdooSession) -> list[int]:
    """The routes by which goods are bought for a customer."""
    destination = f"{session.capabilities.rule_destination}.usage"
    domain: list[Any] = [("action", "=", "buy"), (destination, "=", "customer")]
    rows = session.search_read("stock.rule", domain, ["route_id"])
    return sorted({row["route_id"][0] for row in rows})
