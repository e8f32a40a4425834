"""Actions on existing sale orders: confirm, date, cancel; a page of orders per call.

A module can return a pop-up instead of executing a call, so Odoo's response proves nothing:
the caller reads the sale orders again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from amazon_bridge.engine.errors import AccountError, ItemError
from amazon_bridge.odoo.moments import timestamp
from amazon_bridge.odoo.personal import without_personal_data
from amazon_bridge.odoo.sales import CLOSED, SaleOrder
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.text import printable


def confirm(session: OdooSession, ids: Collection[int]) -> str:
    """Confirm quotations, which creates their deliveries; all or none of them.

    ``action_confirm`` sets the order date to now.

    Returns:
        The text of the pop-up that Odoo returned instead; empty if there was none.
    """
    quotations = sorted(ids)
    response = session.call("sale.order", "action_confirm", quotations)
    return "" if response is True else _objection(session, response, quotations)


def cancel(session: OdooSession, orders: Collection[SaleOrder]) -> str:
    """Cancel sale orders with their open deliveries, past Odoo's question to mail the customer.

    Amazon has informed the buyer already (``disable_cancel_warning``: sale.order.action_cancel).
    Locked orders are unlocked first, and locked again if Odoo refuses. Deliveries that Odoo no
    longer counts among an order's, because other products were entered, are cancelled as well.

    Returns:
        The text of the pop-up that Odoo returned instead; empty if there was none.
    """
    ids, locked = sorted(order.id for order in orders), [o.id for o in orders if o.is_locked]
    _cancel_unlinked(session, orders)
    _unlock(session, locked)
    try:
        context = {"disable_cancel_warning": True}
        response = session.call("sale.order", "action_cancel", ids, context=context)
    except (ItemError, AccountError):  # nothing was done; after a lost response it is unknown
        lock(session, locked)
        raise
    return "" if response is True else _objection(session, response, ids)


def _cancel_unlinked(session: OdooSession, orders: Collection[SaleOrder]) -> None:
    deliveries = {d.id for order in orders for d in order.deliveries if d.is_open}
    linked = {d.id for order in orders for d in order.deliveries if d.is_linked}
    if deliveries - linked:
        session.call("stock.picking", "action_cancel", sorted(deliveries - linked))


def _unlock(session: OdooSession, ids: Sequence[int]) -> None:
    if ids:
        session.call("sale.order", "action_unlock", sorted(ids))


def lock(session: OdooSession, ids: Collection[int]) -> None:
    """Lock confirmed sale orders, as *Lock Confirmed Sales* does."""
    if ids:
        method = "action_lock" if session.capabilities.order_locked else "action_done"
        session.call("sale.order", method, sorted(ids))


def set_dates(session: OdooSession, dates: Mapping[int, datetime]) -> None:
    """Write the order dates of sale orders, by database id."""
    rows = [[str(id_), timestamp(dates[id_])] for id_ in sorted(dates)]
    session.load("sale.order", [".id", "date_order"], rows, overwrite=True)


def set_deadlines(session: OdooSession, dates: Mapping[int, datetime]) -> None:
    """Write the deadlines that follow from order dates on the open moves of sale orders.

    For orders without a delivery date. Odoo computes the deadline of a move from
    the order date, and merges a line's later change into its move only when both deadlines are
    the same (``_prepare_merge_moves_distinct_fields``); else a change from 3 to 2 pieces leaves
    the delivery as it is and creates a receipt of 1.
    """
    if not dates:
        return
    about = [("sale_line_id.order_id", "in", sorted(dates)), ("state", "not in", sorted(CLOSED))]
    moves = session.search_read("stock.move", about, ["sale_line_id"], order="id")
    lines = {move["sale_line_id"][0] for move in moves}
    read = session.read("sale.order.line", sorted(lines), ["order_id", "customer_lead"])
    deadlines = {row["id"]: _deadline(dates[row["order_id"][0]], row) for row in read}
    rows = [[str(move["id"]), deadlines[move["sale_line_id"][0]]] for move in moves]
    session.load("stock.move", [".id", "date_deadline"], rows, overwrite=True)


def _deadline(ordered: datetime, line: Mapping[str, Any]) -> str:
    """As sale.order.line._expected_date computes it, of the order date without fractions."""
    return timestamp(ordered.replace(microsecond=0) + timedelta(days=line["customer_lead"]))


def _objection(session: OdooSession, response: Any, ids: Sequence[int]) -> str:
    """Why a module objects: its list of exceptions (OCA), else the text of its pop-up."""
    if len(ids) == 1 and session.fields_of("sale.order", [_SUMMARY]):
        (summary,) = (row[_SUMMARY] for row in session.read("sale.order", ids, [_SUMMARY]))
        if summary:
            return _plain(str(summary))
    return _words(response) if isinstance(response, Mapping) else ""


_SUMMARY = "exceptions_summary"
"""HTML, of the modules ``base_exception`` and ``sale_exception``."""


def _words(response: Mapping[str, Any]) -> str:
    """The title and the message of an action: a window's name, a notification's text."""
    params = response.get("params")
    inner = params if isinstance(params, Mapping) else {}
    texts = (response.get("name"), inner.get("title"), inner.get("message"))
    messages = dict.fromkeys(text for text in texts if isinstance(text, str) and text)
    return _plain(": ".join(messages))


def _plain(markup: str) -> str:
    """The text of markup, the items of a list separated by semicolons."""
    text = html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"</li>", ";", markup)))
    sentences = (_said_once(part) for part in printable(text).split(";"))
    return without_personal_data("; ".join(filter(None, dict.fromkeys(sentences))))


def _said_once(text: str) -> str:
    """A rule's name and its description, which may be the same words."""
    name, _, description = (part.strip(" .") for part in text.partition(":"))
    return name if name == description else text.strip(" :")
