"""Settles cancellations that Amazon need not be told of, and files the others."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from amazon_bridge.engine.ledger import Seen, State
from amazon_bridge.engine.runner import Counts
from amazon_bridge.flows.cancellations import tell
from amazon_bridge.flows.cancellations.decide import Ending, Task
from amazon_bridge.flows.cancellations.find import Found
from amazon_bridge.flows.cancellations.memo import CANCELLED, JOB, LIVE
from amazon_bridge.flows.context import Context
from amazon_bridge.odoo import notes

log = structlog.get_logger(__name__)


def file(context: Context, found: Found, counts: Counts) -> Sequence[Task]:
    """Settle and file what was found; answer with what is to be told."""
    end(context, found.endings)
    for order_id in found.gone:
        settle(context, order_id, State.LEFT_OUT, LIVE)
    filed = [*(task.order_id for task in found.tasks), *found.unknown]
    context.ledger.file(context.name, JOB, [Seen(key, CANCELLED) for key in filed])
    failures = {**found.failures, **context.all_given_up(JOB, found.unknown)}
    for order_id, error in failures.items():
        context.ledger.put_aside(context.name, JOB, order_id, error)
    counts.seen += len(found.tasks) + len(failures)
    counts.quarantined += len(failures)
    return found.tasks


def end(context: Context, endings: Sequence[Ending]) -> None:
    """Say on the orders what became of them, and settle them."""
    said = {each.sale_order.id: each.note for each in endings if each.note}
    notes.post(context.odoo, notes.SALE_ORDER, said)
    done = [each.sale_order.id for each in endings if each.state == State.DONE]
    notes.close_reminders(context.odoo, notes.SALE_ORDER, done, (tell.REFUSED,), "Amazon knows.")
    for each in endings:
        fingerprint = CANCELLED if each.sale_order.is_cancelled else LIVE
        settle(context, each.sale_order.order_id, each.state, fingerprint)


def settle(context: Context, order_id: str, state: State, fingerprint: str) -> None:
    """Settle an order, whether it was filed before or not."""
    context.ledger.file(context.name, JOB, [Seen(order_id, fingerprint)])
    context.ledger.settle(context.name, JOB, order_id, fingerprint, state)
    if fingerprint == LIVE:
        context.ledger.remember(context.name, JOB, order_id, None)
    log.info("cancellation_settled", account=context.name, order=order_id, state=state)
