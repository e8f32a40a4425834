"""What people are told of orders: the quarantine, and notes and activities in Odoo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import ItemError, Refused
from amazon_bridge.flows import notices
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import reminders
from amazon_bridge.flows.orders.amounts import alike
from amazon_bridge.flows.orders.decide import LIVE, TO_BE_SHIPPED
from amazon_bridge.flows.orders.memo import JOB, Memo, was_settled
from amazon_bridge.flows.orders.reminders import Refusals
from amazon_bridge.model import FulfilledBy, Order
from amazon_bridge.odoo import notes, sales
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.sales import SaleOrder

log = structlog.get_logger(__name__)


def quarantine_all(context: Context, errors: Mapping[str, ItemError]) -> None:
    """Quarantine orders, after telling the people in Odoo about those that exist there.

    In this order, because what is quarantined isn't looked at again: a run that is interrupted in
    between must not leave an order there that nobody was told of.

    Args:
        context: of the account.
        errors: by Amazon order id; the orders may have been filed before or not.

    Raises:
        AccountError: Odoo is down. The orders stay pending.
    """
    refusals = _announce(context, errors)
    for order_id, error in errors.items():
        refused = refusals.get(order_id, {})
        _quarantine(context, order_id, notices.without_activity(error, refused))


def _announce(context: Context, errors: Mapping[str, ItemError]) -> Refusals:
    """Schedule activities about orders; return which records take none."""
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
    except Refused as refused:
        failures = refused.errors
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
    wanted = [(existing[order_id], _quarantined(errors[order_id])) for order_id in existing]
    return reminders.remind(context, wanted)


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


def find_unclear(context: Context, orders: Sequence[Order]) -> dict[str, ItemError]:
    """Orders that Amazon has not said enough about for a day since they were first seen."""
    return {
        order.order_id: _unclear(order)
        for order in orders
        if _first_seen_before(context, order.order_id, context.clock() - _UNCLEAR_FOR)
    }


def explain_unclear(context: Context, orders: Sequence[Order]) -> None:
    """Note in the state store why these orders stay pending."""
    for order in orders:
        reason = f"{_unclear(order).reason} Amazon is asked again in each run, for a day."
        context.ledger.items.explain(context.name, JOB, order.order_id, reason)


_UNCLEAR_FOR = timedelta(days=1)
"""Amazon repairs what it answers wrongly within hours."""


def _first_seen_before(context: Context, order_id: str, moment: datetime) -> bool:
    entry = context.ledger.items.get(context.name, JOB, order_id)
    return entry is not None and entry.first_seen < moment


def _unclear(order: Order) -> ItemError:
    shown = f"the status {order.status_text or order.status}"
    if order.fulfilled_by is None:
        who = order.fulfilled_by_text
        shown += f", shipped by {who}" if who else ", and not who ships it"
    return ItemError(
        "unclear",
        f"Amazon shows for this order {shown}: what to do about it in Odoo can't be decided.",
        "Look the order up in Seller Central and ship it from there if it is to be shipped. It"
        " comes back by itself when it changes on Amazon, or with `quarantine retry`.",
    )


CANCELLED_THERE = Note(
    "cancelled_there",
    "Amazon: cancelled",
    "Amazon has cancelled this order, so it was cancelled here, with its open deliveries.",
)
"""Tells a cancellation that came from Amazon from one that Amazon is to be told of."""


def hold(
    context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> dict[str, ItemError]:
    """Note on sale orders that Amazon cancelled too late, and return the error of each."""
    told = {order.order_id: standing[order.order_id] for order in orders}
    posted = {s.id: _TOO_LATE if s.goods_left else _INVOICED for s in told.values()}
    notices.post(context, notes.SALE_ORDER, posted, in_batch=True)
    return {order_id: _held(sale_order) for order_id, sale_order in told.items()}


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


def find_without_delivery(
    orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> dict[str, ItemError]:
    """Orders that the merchant is to ship and that are confirmed without any delivery."""
    return {
        order.order_id: _nothing_to_ship(standing[order.order_id])
        for order in orders
        if order.fulfilled_by == FulfilledBy.MERCHANT
        and order.status in TO_BE_SHIPPED
        and standing[order.order_id].is_confirmed
        and not standing[order.order_id].deliveries
    }


def _nothing_to_ship(sale_order: SaleOrder) -> ItemError:
    return ItemError(
        "nothing_to_ship",
        f"{sale_order.name} is confirmed, but Odoo made no delivery for it: none of its products"
        " is moved by the warehouse.",
        "Ship it and confirm the shipment in Seller Central. For later orders, set the product's"
        " type to Goods in Odoo (Inventory > Products), or name another in the account's"
        " `product_map`.",
    )


def find_misdirected(
    context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> dict[str, ItemError]:
    """Orders that Amazon has shipped, and whose goods wait to leave the merchant's warehouse.

    So it is where their route was archived between the look at the setup and the confirmation.
    """
    found = {
        order.order_id: _misdirected(context, standing[order.order_id])
        for order in orders
        if order.fulfilled_by == FulfilledBy.AMAZON and not standing[order.order_id].goods_left
    }
    return {order_id: _leaves_warehouse(names) for order_id, names in found.items() if names}


def _misdirected(context: Context, sale_order: SaleOrder) -> list[str]:
    """The names of the open deliveries that don't begin at Amazon's location."""
    return [
        delivery.name
        for delivery in sale_order.deliveries
        if delivery.is_open
        and delivery.outgoing
        and delivery.location_id != context.setup.fba_location_id
    ]


def _leaves_warehouse(names: Sequence[str]) -> ItemError:
    return ItemError(
        "needs_attention",
        f"Amazon has shipped this order, but {', '.join(names)} would take its goods out of another"
        " location than Amazon's.",
        "Set the source location of the delivery to Amazon's location in Odoo (Inventory >"
        " Transfers), then retry: the bridge validates it.",
    )


def find_unpriced(
    context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> dict[str, ItemError]:
    """Orders that somebody confirmed, and perhaps locked, before they got their prices."""
    return {
        order.order_id: _confirmed_too_early(order, standing[order.order_id])
        for order in orders
        if order.worth and _is_unpriced(context, standing[order.order_id])
    }


def _is_unpriced(context: Context, sale_order: SaleOrder) -> bool:
    """It is confirmed at a worth of nothing, and no round has brought it to its end."""
    if sale_order.total or not sale_order.is_confirmed:
        return False
    entry = context.ledger.items.get(context.name, JOB, sale_order.order_id)
    return not was_settled(entry)


def _confirmed_too_early(order: Order, sale_order: SaleOrder) -> ItemError:
    return ItemError(
        "needs_attention",
        f"{sale_order.name} was confirmed by somebody before it had its prices: it comes to 0,"
        f" the order on Amazon to {order.worth} {order.currency}.",
        "Enter the prices in the sale order in Odoo, then retry.",
    )


def find_changed_worth(
    context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> dict[str, ItemError]:
    """Orders that Amazon has changed since they were imported, such as by cancelling units."""
    errors = {}
    for order in orders:
        sale_order = standing[order.order_id]
        if _has_changed_worth(context, order) and sale_order.total != order.worth:
            amazons, odoos = alike(order.worth, sale_order.total)
            errors[order.order_id] = ItemError(
                "needs_attention",
                f"Amazon now says {amazons} {order.currency}; the sale order {sale_order.name} was"
                f" imported before, with a total of {odoos} {sale_order.currency}.",
                "Correct the quantities or prices of the sale order in Odoo, then retry.",
            )
    return errors


def _has_changed_worth(context: Context, order: Order) -> bool:
    entry = context.ledger.items.get(context.name, JOB, order.order_id)
    memo = Memo.read(entry)
    return order.status in LIVE and memo is not None and memo.worth != order.worth
