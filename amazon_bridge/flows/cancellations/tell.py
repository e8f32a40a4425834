"""What people are told of cancellations: notes and activities on sale orders."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import structlog

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows import orders
from amazon_bridge.flows.cancellations.memo import JOB
from amazon_bridge.flows.context import Context
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.sales import SaleOrder

log = structlog.get_logger(__name__)

NOT_TOLD = "Amazon: cancellation not told"
TOLD = Note(
    "cancellation_told",
    "Amazon: told of the cancellation",
    "Amazon was told of the cancellation, has cancelled the order and tells the buyer.",
)
CANCELLED_THERE_ALREADY = Note(
    "cancellation_known",
    "Amazon: cancelled there too",
    "Amazon has this order as cancelled already; there was nothing to tell.",
)
SHIPPED_BY_AMAZON = Note(
    "cancellation_fba",
    NOT_TOLD,
    "Amazon ships this order itself, so it was not told of the cancellation. If the buyer is not"
    " to get the goods, act in Seller Central.",
)
GOODS_LEFT = Note(
    "cancellation_goods_left",
    NOT_TOLD,
    "Goods of this order have left, so Amazon was not told of the cancellation: it would refund"
    " the whole order. Refund in Seller Central what is to be refunded.",
)
SHIPPED_THERE = Note(
    "cancellation_shipped",
    NOT_TOLD,
    "Amazon has this order as shipped, so it was not told of the cancellation: it would refund"
    " the whole order. Refund in Seller Central what is to be refunded.",
)
SETTLED = (
    orders.CANCELLED_THERE.subject,
    TOLD.subject,
    CANCELLED_THERE_ALREADY.subject,
    NOT_TOLD,
)
"""The subjects of notes on orders of which there is nothing more to tell."""

REFUSED = "cancellation_refused"


def say_told(context: Context, sale_orders: Sequence[SaleOrder]) -> None:
    """Note on sale orders that Amazon has cancelled them at our word."""
    ids = [sale_order.id for sale_order in sale_orders]
    notes.post(context.odoo, notes.SALE_ORDER, dict.fromkeys(ids, TOLD))
    notes.close_reminders(context.odoo, notes.SALE_ORDER, ids, (REFUSED,), "Amazon was told.")


def put_aside(
    context: Context, failures: Mapping[str, ItemError], sale_orders: Mapping[str, SaleOrder]
) -> None:
    """Put orders aside, with an activity on each that says why and what to do."""
    asked = {
        (notes.SALE_ORDER, sale_orders[key].id): _why(error)
        for key, error in failures.items()
        if key in sale_orders
    }
    notes.remind(
        context.odoo,
        asked,
        today=context.clock().date(),
        user_id=context.setup.salesperson_id,
    )
    for order_id, error in failures.items():
        context.ledger.put_aside(context.name, JOB, order_id, error)
        names = {"account": context.name, "order": order_id}
        log.warning("cancellation_put_aside", **names, kind=error.kind, reason=error.reason)


def _why(error: ItemError) -> Note:
    digest = hashlib.sha256(error.reason.encode()).hexdigest()[:8]
    return Note(f"{REFUSED}_{digest}", "Amazon doesn't cancel this order", str(error))
