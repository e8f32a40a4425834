"""Texts in the terms and lines of sale orders: written for people, and erased again."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.sales import Draft, SaleOrder
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.text import printable


def add_purchase_orders(
    session: OdooSession, drafts: Sequence[Draft], orders: Mapping[str, SaleOrder]
) -> None:
    """Add the company's purchase order number to the terms of quotations, above existing text.

    From there it goes onto the invoice.
    """
    cells = []
    for draft in drafts:
        order = orders[draft.order_id]
        line = f"{_PURCHASE_ORDER}{printable(draft.purchase_order)}"
        if draft.purchase_order and line not in html.unescape(order.terms):
            cells.append([str(order.id), f"<p>{html.escape(line)}</p>{order.terms}"])
    session.load("sale.order", [".id", "note"], cells, overwrite=True)


_PURCHASE_ORDER = "Purchase order: "


def erase_purchase_orders(session: OdooSession, ids: Sequence[int]) -> None:
    """Erase the companies' purchase order numbers from the terms of sale orders."""
    domain = [("id", "in", ids), ("note", "ilike", _PURCHASE_ORDER)]
    rows = session.search_read("sale.order", domain, ["note"])
    line = re.compile(f"<p>{_PURCHASE_ORDER}[^<]*</p>")
    cells = [[str(row["id"]), line.sub("", row["note"])] for row in rows]
    session.load("sale.order", [".id", "note"], cells, overwrite=True)


def erase_gift_messages(session: OdooSession, ids: Sequence[int]) -> None:
    """Delete the lines of sale orders that hold gift messages, or empty them (Odoo 14)."""
    domain = [("order_id", "in", ids), ("display_type", "=", "line_note")]
    lines = session.search_read("sale.order.line", domain, ["id"])
    names = session.external_ids("sale.order.line", [row["id"] for row in lines])
    gifts = sorted(id_ for id_, name in names.items() if name.endswith("_gift_message"))
    if not gifts:
        return
    try:
        session.call("sale.order.line", "unlink", gifts)
    except ItemError:
        empty = [[str(id_), "Gift message"] for id_ in gifts]
        session.load("sale.order.line", [".id", "name"], empty, overwrite=True)
