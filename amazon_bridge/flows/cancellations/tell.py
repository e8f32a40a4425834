"""Notes and activities about cancellations on sale orders, and the quarantine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import structlog

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import HELD
from amazon_bridge.flows import notices
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import reminders
from amazon_bridge.flows.orders.tell import CANCELLED_THERE
from amazon_bridge.flows.outbound import Run
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.notes import Note, topic_of
from amazon_bridge.odoo.sales import SaleOrder

log = structlog.get_logger(__name__)

NOT_SENT = "Amazon: cancellation not told"  # also finds earlier activities: never change it
ACCEPTED = Note(
    "cancellation_told",
    "Amazon: told of the cancellation",
    "The cancellation was sent to Amazon, which has accepted it and informs the buyer.",
)
ALREADY_CANCELLED = Note(
    "cancellation_known",
    "Amazon: cancelled there too",
    "The order was already cancelled on Amazon; the bridge sent nothing.",
)
CANCELLED_SUBJECTS = (
    CANCELLED_THERE.subject,
    ACCEPTED.subject,
    ALREADY_CANCELLED.subject,
)
"""The subjects of notes on orders that Amazon has cancelled."""

_REFUSED = "cancellation_refused"
"""Prefix of the topic of each activity about a cancellation."""

_SUBJECTS = {"needs_attention": NOT_SENT, HELD: "Amazon: cancellation held"}
"""The subjects of activities by the kind of error; else ``_NOT_CANCELLED``."""

_NOT_CANCELLED = "Amazon doesn't cancel this order"


def note_cancelled(context: Context, sale_orders: Sequence[SaleOrder]) -> None:
    """Note on sale orders that Amazon has accepted their cancellation."""
    ids = [sale_order.id for sale_order in sale_orders]
    notices.post(context, notes.SALE_ORDER, dict.fromkeys(ids, ACCEPTED))
    close_reminders(context, sale_orders)


def close_reminders(context: Context, sale_orders: Sequence[SaleOrder]) -> None:
    """Close the activities about cancellations, including those about the buyer's requests."""
    topics, feedback = (_REFUSED, reminders.REQUEST), "Settled: nothing is left to cancel."
    records = [(notes.SALE_ORDER, sale_order.id) for sale_order in sale_orders]
    deliveries = [d.id for sale_order in sale_orders for d in sale_order.deliveries]
    records += [(notes.DELIVERY_ORDER, id_) for id_ in deliveries]
    notices.close(context, records, topics, feedback)


def with_open_activity(context: Context, ids: Collection[int]) -> set[int]:
    """Return the ids of the sale orders that have an open activity about their cancellation."""
    return notes.records_with_reminder(context.odoo, notes.SALE_ORDER, ids, (_REFUSED,))


def quarantine(
    run: Run, failures: Mapping[str, ItemError], sale_orders: Mapping[str, SaleOrder]
) -> None:
    """Quarantine orders, with an activity on each that says why and what to do."""
    known = {key: sale_orders[key] for key in failures if key in sale_orders}
    announcements = {
        key: (sale_order.name, ((notes.SALE_ORDER, sale_order.id), _why(failures[key])))
        for key, sale_order in known.items()
    }
    for order_id, error in run.quarantine(failures, announcements).items():
        names = {"account": run.context.name, "order": order_id}
        log.warning("cancellation_quarantined", **names, kind=error.kind, reason=error.reason)


def _why(error: ItemError) -> Note:
    subject = _SUBJECTS.get(error.kind, _NOT_CANCELLED)
    return Note(topic_of(_REFUSED, error.reason), subject, str(error))
