"""Sync runs of the orders job.

A run reads what changed on Amazon and files it in the state store, which moves the cursor; then
it processes what is filed, a page of orders at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import AccountError, ItemError, Transient
from amazon_bridge.engine.runner import Counts
from amazon_bridge.engine.window import Window, sweep_windows, windows
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.apply import COUNTED_AS, decide_for, work
from amazon_bridge.flows.orders.find import Shown, file, read
from amazon_bridge.flows.orders.memo import JOB
from amazon_bridge.flows.orders.tell import quarantine_all
from amazon_bridge.model import Order
from amazon_bridge.odoo import sales

log = structlog.get_logger(__name__)


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """One round: read what changed since the cursor, file it, work it, and what was left over.

    When a side is down or refuses the account, the counts tell so as their ``error``; what
    could be done before is done.
    """
    counts = Counts()
    begin = context.ledger.cursor(context.name) or _begin(context, dry_run=dry_run)
    try:
        for window in windows(begin, context.clock()):
            counts += _sync_window(context, window, dry_run=dry_run)
        return counts if dry_run else counts + _work_leftovers(context)
    except (AccountError, Transient) as error:
        return counts + Counts(error=str(error))


def _begin(context: Context, *, dry_run: bool) -> datetime:
    """Where a new account's cursor begins."""
    begin = context.account.start or context.clock()
    if not dry_run:
        context.ledger.set_cursor(context.name, begin)
        log.info("cursor_begins", account=context.name, cursor=begin.isoformat())
    return begin


def sweep(context: Context) -> Counts:
    """Look at the last days' orders again, for what Amazon showed late; the cursor stays.

    Nothing that changed before the account's beginning is looked at. Errors as in ``sync``.
    """
    counts = Counts()
    began = context.ledger.began(context.name) or context.clock()
    try:
        for window in sweep_windows(context.clock(), began):
            counts += _work_changed(context, read(context, window))
    except (AccountError, Transient) as error:
        return counts + Counts(error=str(error))
    return counts


def _sync_window(context: Context, window: Window, *, dry_run: bool) -> Counts:
    shown = read(context, window)
    if dry_run:
        return _foresee(context, shown)
    return _work_changed(context, shown, window=window)


def _work_changed(
    context: Context, shown: Sequence[Shown], *, window: Window | None = None
) -> Counts:
    todo = file(context, shown, window=window)
    if todo:
        log.info("orders_filed", account=context.name, shown=len(shown), changed=len(todo))
    changed = set(todo)
    counts = work(context, [order for order in shown if order.order_id in changed])
    return counts + Counts(seen=len(shown), unchanged=len(shown) - len(todo))


def _work_leftovers(context: Context) -> Counts:
    """Work what earlier rounds filed and didn't finish, as Amazon shows it now.

    Raises:
        AccountError: a side is down, or refuses the account.
    """
    counts = Counts()
    pending = context.ledger.pending(context.name, JOB)
    for start in range(0, len(pending), _LEFTOVERS):
        counts += _work_again(context, pending[start : start + _LEFTOVERS])
    return counts


_LEFTOVERS = 30
"""So many are fetched and then worked together: getOrder allows 30 calls at once."""


def _work_again(context: Context, order_ids: Sequence[str]) -> Counts:
    shown, errors = [], {}
    for order_id, fetched in context.one_by_one(JOB, order_ids, context.amazon.order, key=str):
        if isinstance(fetched, ItemError):
            errors[order_id] = fetched
        elif not isinstance(fetched, Transient):
            shown.append(fetched)
    quarantine_all(context, errors)
    file(context, shown)
    return Counts(seen=len(order_ids), quarantined=len(errors)) + work(context, shown)


def recover(context: Context, order_id: str) -> Counts:
    """Fetch one order by its id, and work it.

    Raises:
        AccountError: a side is down, or refuses the account.
    """
    try:
        shown = runner.patiently(lambda: context.amazon.order(order_id), sleep=context.sleep)
    except ItemError as error:
        quarantine_all(context, {order_id: error})
        return Counts(seen=1, quarantined=1)
    except Transient as error:
        raise AccountError(error.reason, error.remedy) from error
    file(context, [shown])
    return Counts(seen=1) + work(context, [shown])


def _foresee(context: Context, shown: Sequence[Shown]) -> Counts:
    """Say what a round would do, without doing it."""
    orders = [s for s in shown if isinstance(s, Order)]
    standing = sales.find(context.odoo, [order.order_id for order in orders])
    counts = Counts(seen=len(shown), quarantined=len(shown) - len(orders))
    for order in orders:
        step = decide_for(context, order, standing)
        log.info("would_work", account=context.name, order=order.order_id, step=step)
        outcome = COUNTED_AS.get(step, "quarantined")
        setattr(counts, outcome, getattr(counts, outcome) + 1)
    return counts
