"""Notes and activities in Odoo about orders, and the quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import ItemError, Refused
from amazon_bridge.flows import notices
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import reminders
from amazon_bridge.flows.orders.batch import Batch, Result
from amazon_bridge.flows.orders.decide import Step
from amazon_bridge.flows.orders.memo import JOB, entry_of
from amazon_bridge.flows.orders.reminders import Refusals
from amazon_bridge.model import Order
from amazon_bridge.odoo import notes, sales
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.sales import SaleOrder

log = structlog.get_logger(__name__)


def quarantine_all(context: Context, errors: Mapping[str, ItemError]) -> None:
    """Quarantine orders, after scheduling activities on those that exist in Odoo.

    In this order, because quarantined orders aren't processed again: a run that is interrupted in
    between must not leave an order in quarantine without its activity.

    Args:
        context: of the account.
        errors: by Amazon order id, whether the orders were filed before or not.

    Raises:
        AccountError: Odoo is down. The orders stay pending.
    """
    refusals = _announce(context, errors)
    for order_id, error in errors.items():
        refused = refusals.get(order_id, {})
        _quarantine(context, order_id, notices.without_activity(error, refused))


def _announce(context: Context, errors: Mapping[str, ItemError]) -> Refusals:
    """Schedule activities about orders, and return which records refuse theirs."""
    refusals: Refusals = {}
    try:
        failures = runner.work(
            sorted(errors),
            lambda order_ids: refusals.update(
                _remind(context, {each: errors[each] for each in order_ids})
            ),
            key=str,
            alive=context.odoo.ping,
            sleep=context.sleep,
        )
    except Refused as refused:  # of the others, none was tried
        first = next(iter(refused.errors.values()))
        failures = {each: refused.errors.get(each, first) for each in errors}
    for order_id, failure in failures.items():
        log.warning("reminder_failed", account=context.name, order=order_id, reason=failure.reason)
        refusals[order_id] = {"its sale order": failure}
    return refusals


def _quarantine(context: Context, order_id: str, error: ItemError) -> None:
    context.ledger.items.quarantine(context.name, JOB, order_id, error)
    log.warning(
        "order_quarantined",
        account=context.name,
        order=order_id,
        kind=error.kind,
        reason=error.reason,
    )


def _remind(context: Context, errors: Mapping[str, ItemError]) -> Refusals:
    """Schedule an activity with reason and remedy on the orders' sale orders and deliveries."""
    existing = sales.find(context.odoo, errors)
    return reminders.remind(
        context, [(existing[order_id], _quarantined(errors[order_id])) for order_id in existing]
    )


def _quarantined(error: ItemError) -> Note:
    subject = "Amazon: this order needs attention"
    reason = error.reason if error.reason.endswith((".", "!", "?", ":")) else f"{error.reason}."
    note = reminders.note(reminders.QUARANTINED, subject, f"{reason} {error.remedy}".strip())
    return replace(note, for_packers=_DONT_SHIP) if error.dont_ship else note


_DONT_SHIP_TEXT = (
    "Amazon has cancelled this order: don't ship what is still here. Somebody has to settle the"
    " sale order first; this delivery order is cancelled together with it."
)
_DONT_SHIP = ("Amazon: cancelled, don't ship", _DONT_SHIP_TEXT)


def explain_unclear(context: Context, batch: Batch) -> Result:
    """Record in the state store why orders stay pending whose data from Amazon is not enough.

    Returns:
        The errors of those that have been unclear for a day.
    """
    errors = {}
    for order in batch.orders_with(Step.UNCLEAR):
        if _first_seen_before(context, order.order_id, context.clock() - _UNCLEAR_FOR):
            errors[order.order_id] = _unclear(order)
        else:
            reason = f"{_unclear(order).reason} It is fetched again in each run, for a day."
            context.ledger.items.explain(context.name, JOB, order.order_id, reason)
    return Result(errors)


_UNCLEAR_FOR = timedelta(days=1)
"""Amazon fixes wrong data within hours."""


def _first_seen_before(context: Context, order_id: str, moment: datetime) -> bool:
    entry = entry_of(context, order_id)
    return entry is not None and entry.first_seen < moment


def _unclear(order: Order) -> ItemError:
    facts = f"the status {order.status_text or order.status}"
    if order.fulfilled_by is None:
        who = order.fulfilled_by_text
        facts += f", shipped by {who}" if who else ", and not who ships it"
    return ItemError(
        "unclear",
        f"Amazon shows this order with {facts}: the bridge can't decide what to do in Odoo.",
        "Look the order up in Seller Central and ship it from there if necessary. It is"
        " retried when it changes on Amazon, or with `quarantine retry`.",
    )


CANCELLED_THERE = Note(
    "cancelled_there",
    "Amazon: cancelled",
    "Amazon has cancelled this order, so it was cancelled here, with its open deliveries.",
)
"""Distinguishes a cancellation by Amazon from one to be sent to Amazon."""


def hold(context: Context, batch: Batch) -> Result:
    """Note on sale orders that Amazon cancelled too late.

    Returns:
        The error of each.
    """
    held = batch.sale_orders_with(Step.HOLD)
    posted = {s.id: _TOO_LATE if s.goods_left else _INVOICED for _, s in held}
    notices.post(context, notes.SALE_ORDER, posted, in_batch=True)
    return Result({order.order_id: _held(sale_order) for order, sale_order in held})


def _held(sale_order: SaleOrder) -> ItemError:
    credit = " Credit or delete its invoice." if sale_order.is_invoiced else ""
    if sale_order.goods_left:
        return ItemError(
            "needs_attention",
            f"Cancelled on Amazon, but goods of {sale_order.name} have left.",
            f"Bring the goods back, or refund in Seller Central.{credit} Cancel the sale order in"
            " Odoo when that is settled, then retry.",
            dont_ship=True,
        )
    return ItemError(
        "needs_attention",
        f"Cancelled on Amazon, but {sale_order.name} is invoiced, at least in part.",
        "Credit its invoice in Odoo, or delete it if it is a draft; cancel the sale order, then"
        " retry.",
        dont_ship=True,
    )


_TOO_LATE = Note(
    "cancelled_too_late",
    "Amazon: cancelled after goods left",
    "Amazon has cancelled this order, but goods have left already. Nothing was cancelled here:"
    " bring the goods back or settle it with the buyer, then cancel this sale order.",
)
_INVOICED = Note(
    "cancelled_invoiced",
    "Amazon: cancelled after the invoice",
    "Amazon has cancelled this order, but it is invoiced already, at least in part. Nothing was"
    " cancelled here: credit the invoice, then cancel this sale order.",
)
