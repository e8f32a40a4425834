"""Settles cancellations that Amazon need not be told of, and files the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from amazon_bridge.engine.errors import ItemError, Transient
from amazon_bridge.engine.records import Seen, State
from amazon_bridge.engine.runner import Counts
from amazon_bridge.flows import notices, orders
from amazon_bridge.flows.cancellations import tell
from amazon_bridge.flows.cancellations.decide import Ending, Task, decide, deleted
from amazon_bridge.flows.cancellations.find import Found
from amazon_bridge.flows.cancellations.memo import CANCELLED, JOB, LIVE, memo_of
from amazon_bridge.flows.context import Context
from amazon_bridge.model import Cancellation
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.sales import SaleOrder

log = structlog.get_logger(__name__)


def file(context: Context, found: Found, counts: Counts) -> Sequence[Task]:
    """Settle and file what was found; return what Amazon may have to be told."""
    end(context, found.endings)
    filed = [*(task.order_id for task in found.tasks), *found.unknown]
    context.ledger.items.file(context.name, JOB, [Seen(key, CANCELLED) for key in filed])
    failures = {
        **found.failures,
        **context.all_given_up(JOB, found.unknown),
        **_settle_gone(context, found, counts),
    }
    tell.put_aside(context, failures, found.sale_orders)
    counts.seen += len(found.tasks) + len(failures)
    counts.quarantined += len(failures)
    return found.tasks


def _settle_gone(context: Context, found: Found, counts: Counts) -> dict[str, ItemError]:
    """Settle the orders without a sale order that Amazon has cancelled, and return the others."""
    errors: dict[str, ItemError] = {}
    fetched = context.one_by_one(
        JOB, sorted(found.gone), lambda order_id: orders.fetch(context, order_id), key=str
    )
    for order_id, result in fetched:
        if isinstance(result, Transient):
            counts.note_error(result)
        elif error := result if isinstance(result, ItemError) else deleted(result):
            errors[order_id] = error
        else:
            settle(context, order_id, State.DONE, CANCELLED)
    return errors


def end(context: Context, endings: Sequence[Ending]) -> None:
    """Post notes on the orders about how they end, close their activities, and settle them."""
    posted = {each.sale_order.id: each.note for each in endings if each.note}
    notices.post(context, notes.SALE_ORDER, posted)
    tell.close_reminders(context, [each.sale_order for each in endings])
    for each in endings:
        fingerprint = CANCELLED if each.sale_order.is_cancelled else LIVE
        settle(context, each.sale_order.order_id, each.state, fingerprint)


def settle(context: Context, order_id: str, state: State, fingerprint: str) -> None:
    """Settle an order, whether it was filed before or not."""
    context.ledger.items.file(context.name, JOB, [Seen(order_id, fingerprint)])
    context.ledger.items.settle(context.name, JOB, order_id, fingerprint, state)
    if fingerprint == LIVE:
        context.ledger.items.remember(context.name, JOB, order_id, None)
    log.info("cancellation_settled", account=context.name, order=order_id, state=state)


def check(context: Context, tasks: Sequence[Task], counts: Counts) -> list[Cancellation]:
    """Return what may be sent, as Amazon shows the orders now; settle or quarantine the others.

    Raises:
        AccountError: Amazon is down.
    """
    cancellations: list[Cancellation] = []
    endings: list[Ending] = []
    failures: dict[str, ItemError] = {}
    looks = context.one_by_one(JOB, tasks, lambda t: look(context, t), key=lambda t: t.order_id)
    for task, result in looks:
        match result:
            case Cancellation():
                cancellations.append(result)
            case Ending():
                endings.append(result)
            case ItemError():
                failures[task.order_id] = result
            case Transient():
                counts.note_error(result)
    end(context, endings)
    tell.put_aside(context, failures, _sale_orders(tasks))
    counts.quarantined += len(failures)
    return cancellations


def _sale_orders(tasks: Sequence[Task]) -> Mapping[str, SaleOrder]:
    return {task.order_id: task.sale_order for task in tasks}


def look(context: Context, task: Task) -> Cancellation | Ending | ItemError:
    """Decide what to do about an order by what Amazon shows now.

    Raises:
        ItemError: the order can't be parsed.
        Transient: Amazon is down.
    """
    order = orders.fetch(context, task.order_id)
    feeds = memo_of(context, task.order_id).feeds
    return decide(task, order, reason=context.account.cancel_reason, feeds=feeds)
