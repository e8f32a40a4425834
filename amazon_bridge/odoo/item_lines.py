"""The sale order lines of Amazon's order items: how many pieces are ordered and delivered."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from amazon_bridge.odoo.sales import SaleOrder
from amazon_bridge.odoo.session import OdooSession

_ITEM_LINE = re.compile(r"sale_line_([^_]+)")
"""The external id of an order item's line; those of its charges have a suffix."""


@dataclass(frozen=True, slots=True)
class ItemLine:
    """The pieces of an order item in Odoo."""

    ordered: Decimal
    delivered: Decimal


def item_lines(session: OdooSession, sale_orders: Iterable[SaleOrder]) -> dict[str, ItemLine]:
    """Read the lines of order items, by order item id. Items without a line are left out."""
    items = order_item_ids(session, {id_ for order in sale_orders for id_ in order.line_ids})
    rows = session.read("sale.order.line", sorted(items), ["product_uom_qty", "qty_delivered"])
    return {
        items[row["id"]]: ItemLine(
            Decimal(str(row["product_uom_qty"])), Decimal(str(row["qty_delivered"]))
        )
        for row in rows
    }


def order_item_ids(session: OdooSession, line_ids: Collection[int]) -> dict[int, str]:
    """The order item ids of sale order lines; lines of charges and of people are left out."""
    names = session.external_ids("sale.order.line", sorted(line_ids))
    return {id_: m[1] for id_, name in names.items() if (m := _ITEM_LINE.fullmatch(name))}


def lines_of_people(
    session: OdooSession, sale_orders: Iterable[SaleOrder]
) -> dict[tuple[int, str], ItemLine]:
    """Read the lines that people added, by the sale order's database id and the product's SKU.

    Lines with the same product count as one.
    """
    ids = sorted(id_ for sale_order in sale_orders for id_ in sale_order.line_ids)
    names = session.external_ids("sale.order.line", ids)
    theirs = [id_ for id_ in ids if id_ not in names]
    rows = session.read(
        "sale.order.line", theirs, ["order_id", "product_id", "product_uom_qty", "qty_delivered"]
    )
    rows = [row for row in rows if row["product_id"]]
    products = sorted({row["product_id"][0] for row in rows})
    coded = session.read("product.product", products, ["default_code"])
    skus = {row["id"]: row["default_code"] for row in coded}
    found: dict[tuple[int, str], ItemLine] = {}
    for row in rows:
        key = (row["order_id"][0], skus[row["product_id"][0]] or "")
        before = found.get(key, ItemLine(Decimal(0), Decimal(0)))
        found[key] = ItemLine(
            before.ordered + Decimal(str(row["product_uom_qty"])),
            before.delivered + Decimal(str(row["qty_delivered"])),
        )
    return found
