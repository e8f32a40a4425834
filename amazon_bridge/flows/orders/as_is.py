"""Import, on command, of orders that can't be parsed, at the total that Amazon states."""

from __future__ import annotations

from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, ConfigError, ItemError, ItemErrors, Transient
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.engine.retrying import retry_transient
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import reminders, tell
from amazon_bridge.flows.orders.apply import work
from amazon_bridge.flows.orders.find import FetchedOrder, ensure_mine, file
from amazon_bridge.flows.orders.memo import JOB, entry_of
from amazon_bridge.model import Order, UnreadableOrder
from amazon_bridge.odoo import sales

KINDS = {"unreadable", "no_proceeds", "units_contradict"}
"""Kinds of quarantined orders that can be imported at the total that Amazon states."""


def import_as_is(context: Context, order_id: str) -> Counts:
    """Import a quarantined order at its stated total, and remind people to check it.

    Raises:
        AccountError, Transient: Odoo or Amazon is down, or refuses the account.
        RateLimited: Amazon's rate allows no call now.
        ConfigError: the order is not one of these, or is not to be imported.
    """
    entry = _quarantined(context, order_id)
    order = _fetched(context, order_id)
    ensure_mine(context, order)
    if isinstance(order, UnreadableOrder):
        raise ConfigError(
            f"{order_id} can't be imported as it is: {order.reason}",
            "Ship it from Seller Central, and enter the sale order in Odoo manually.",
        )
    file(context, [order])
    counts = Counts(seen=1) + work(context, [order])
    if not counts.quarantined:
        try:
            _remind(context, order, entry, counts)
        except (AccountError, Transient):
            _quarantine_again(context, entry)
            raise
    return counts


def _quarantined(context: Context, order_id: str) -> Entry:
    entry = entry_of(context, order_id)
    if entry is None or entry.state != State.QUARANTINED or entry.kind not in KINDS:
        raise ConfigError(
            f"{order_id} is not in the quarantine of {context.name} as {', '.join(sorted(KINDS))}.",
            f"To import it as usual: amazon-bridge order recover {context.name} {order_id}",
        )
    return entry


def _fetched(context: Context, order_id: str) -> FetchedOrder:
    try:
        return retry_transient(
            lambda: context.amazon.order(order_id, as_is=True), sleep=context.sleep
        )
    except ItemError as error:
        raise ConfigError(error.reason, error.remedy) from error


def _quarantine_again(context: Context, entry: Entry) -> None:
    """Quarantine an imported order as before: repeating the command schedules its reminder."""
    error = ItemError(entry.kind or "", entry.reason or "", entry.remedy or "")
    context.ledger.items.quarantine(context.name, JOB, entry.key, error)


def _remind(context: Context, order: Order, entry: Entry, counts: Counts) -> None:
    found = sales.find(context.odoo, [order.order_id])
    total = (
        f"{order.worth} {order.currency}" if order.currency else "nothing: Amazon states no total"
    )
    why = (entry.reason or "").rstrip(".")  # that of an older version has no full stop
    body = (
        f"This order was imported with --as-is, although Amazon's data of it is faulty: {why}."
        f" Its total is what Amazon states ({total}), on the first item. Check"
        " prices, shipping costs and taxes in Seller Central before it is invoiced."
    )
    note = reminders.note(reminders.AS_IS, "Amazon: check the amounts", body)
    try:
        reminders.remind_or_refuse(context, [(sale_order, note) for sale_order in found.values()])
    except ItemErrors as refused:
        tell.quarantine_all(context, refused.errors)
        counts.quarantined += len(refused.errors)
