"""The sale order lines of Amazon's order items: how many units are ordered and delivered."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from amazon_bridge.odoo.sales import SaleOrder
from amazon_bridge.odoo.session import OdooSession

_ITEM_LINE = re.compile(r"sale_line_([^_]+)")
"""The external id of an order item's own line; those of its charges go on behind it."""


@dataclass(frozen=True, slots=True)
class ItemLine:
    """The units of an order item in Odoo."""

    ordered: Decimal
    delivered: Decimal


def item_lines(session: OdooSession, sale_orders: Iterable[SaleOrder]) -> dict[str, ItemLine]:
    """Read the lines of order items, by order item id. Items without their line are absent."""
    ids = sorted(id_ for sale_order in sale_orders for id_ in sale_order.line_ids)
    names = session.external_ids("sale.order.line", ids)
    items = {id_: m[1] for id_, name in names.items() if (m := _ITEM_LINE.fullmatch(name))}
    rows = session.read("sale.order.line", sorted(items), ["product_uom_qty", "qty_delivered"])
    return {
        items[row["id"]]: ItemLine(
            Decimal(str(row["product_uom_qty"])), Decimal(str(row["qty_delivered"]))
        )
        for row in rows
    }
