"""Deliveries: those out of Amazon's location, which are done at once, and what goes with others."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.odoo.sales import Delivery
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.text import whole

_QUIET = {"skip_backorder": True, "skip_sms": True}
"""Without these, ``button_validate`` may answer with a question in place of doing its work."""


def deliver(session: OdooSession, owners: Mapping[int, str]) -> None:
    """Do these transfers with the whole quantities that they demand; all or none of them.

    Args:
        session: the login.
        owners: the Amazon order id of each transfer, by its database id.

    Raises:
        ItemErrors: goods of these orders are tracked by lots or serial numbers.
        ItemError: Odoo asks a question or refuses, for at least one of them.
    """
    ids = sorted(owners)
    if not ids:
        return
    domain = [("picking_id", "in", ids), ("state", "not in", ["done", "cancel"])]
    fields = ["product_uom_qty", "picking_id", "has_tracking"]
    moves = session.search_read("stock.move", domain, fields, order="id")
    tracked = {owners[m["picking_id"][0]] for m in moves if m["has_tracking"] != "none"}
    if tracked:
        raise ItemErrors(dict.fromkeys(tracked, _LOT_NEEDED))
    picked = ["picked"] if session.names.has_picked else []
    rows = [[str(m["id"]), str(m["product_uom_qty"]), *("1" for _ in picked)] for m in moves]
    fields = [".id", session.names.move_done_quantity, *picked]
    session.load("stock.move", fields, rows, overwrite=True)
    answer = session.call("stock.picking", "button_validate", ids, context=_QUIET)
    if answer is not True:
        question = answer.get("res_model", "") if isinstance(answer, dict) else ""
        raise ItemError(
            "odoo_asks",
            f"Odoo asks a question ({question}) before it does the delivery.",
            "Validate the delivery in Odoo by hand, then retry.",
        )


_LOT_NEEDED = ItemError(
    "lot_needed",
    "A product is tracked by lots or serial numbers, which Amazon doesn't tell for FBA.",
    "Validate the delivery out of the Amazon location in Odoo with the right lots, then retry.",
)


def note_gift_messages(session: OdooSession, messages: Mapping[Delivery, Sequence[str]]) -> None:
    """Write gift messages into the notes of deliveries where there is none yet."""
    cells = [[str(d.id), _gift_note(texts)] for d, texts in messages.items() if not d.note]
    session.load("stock.picking", [".id", "note"], cells, overwrite=True)


def _gift_note(messages: Sequence[str]) -> str:
    lines = (html.escape(whole(text)) for text in messages)
    return "<br/>".join(f"{_GIFT_MESSAGE}{line}" for line in lines)


_GIFT_MESSAGE = "Gift message: "


def forget_gift_messages(session: OdooSession, sale_order_ids: Sequence[int]) -> None:
    """Take the gift messages out of the notes of these orders' deliveries."""
    domain = [("sale_id", "in", sale_order_ids), ("note", "ilike", _GIFT_MESSAGE)]
    rows = session.search_read("stock.picking", domain, ["note"])
    cells = [[str(row["id"]), re.sub(f"{_GIFT_MESSAGE}[^<]*", "", row["note"])] for row in rows]
    session.load("stock.picking", [".id", "note"], cells, overwrite=True)
