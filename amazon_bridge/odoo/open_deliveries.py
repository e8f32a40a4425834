"""Open delivery orders of the bridge's sale orders, and whether their stock is reserved."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amazon_bridge.odoo.moments import moment
from amazon_bridge.odoo.paging import pages, plain_rows
from amazon_bridge.odoo.sales import CLOSED, ORIGIN
from amazon_bridge.odoo.session import OdooSession

_WITHOUT_STOCK = ["confirmed", "partially_available"]
"""The states of moves for which less is reserved than is to be shipped. One in the state
``waiting`` waits for an earlier step of its delivery, whose own moves show what is reserved."""


@dataclass(frozen=True, slots=True)
class OpenDelivery:
    """An open transfer on the way to the customer of an Amazon order."""

    id: int
    name: str
    sale_order_id: int
    has_stock: bool
    """All that it is to move is reserved."""
    ship_by: datetime | None
    """The delivery date of its sale order: Amazon's, unless a person changed it."""


def open_deliveries(session: OdooSession) -> dict[str, OpenDelivery]:
    """Read the open transfers of all companies that the login may see, page by page.

    Returns:
        By Amazon order id, one transfer: one that lacks stock, where there is one.
    """
    domain = [
        ("state", "not in", sorted(CLOSED)),
        ("sale_id.origin", "=like", f"{ORIGIN}%"),
        ("picking_type_id.code", "!=", "incoming"),
    ]
    found: dict[str, OpenDelivery] = {}
    for rows in pages(session, "stock.picking", domain, ["name", "sale_id"]):
        for order_id, delivery in _deliveries(session, rows) if rows else ():
            known = found.get(order_id)
            if known is None or (known.has_stock and not delivery.has_stock):
                found[order_id] = delivery
    return found


def _deliveries(
    session: OdooSession, rows: Sequence[Mapping[str, Any]]
) -> list[tuple[str, OpenDelivery]]:
    lacking = _lacking_stock(session, [row["id"] for row in rows])
    sold = session.read(
        "sale.order", sorted({row["sale_id"][0] for row in rows}), ["origin", "commitment_date"]
    )
    sale_orders = {each["id"]: each for each in sold}
    return [
        (
            sale_order["origin"].removeprefix(ORIGIN),
            OpenDelivery(
                id=row["id"],
                name=row["name"],
                sale_order_id=sale_order["id"],
                has_stock=row["id"] not in lacking,
                ship_by=moment(date) if (date := sale_order["commitment_date"]) else None,
            ),
        )
        for row in rows
        if (sale_order := sale_orders.get(row["sale_id"][0]))
    ]


def _lacking_stock(session: OdooSession, ids: Collection[int]) -> set[int]:
    domain = [("picking_id", "in", sorted(ids)), ("state", "in", _WITHOUT_STOCK)]
    rows = plain_rows(session, "stock.move", domain, ["picking_id"])
    return {row["picking_id"] for row in rows}
