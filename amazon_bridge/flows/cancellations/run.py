"""Sync runs of the cancellations job."""

from __future__ import annotations

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import AccountError, ItemError, Transient
from amazon_bridge.engine.runner import Counts
from amazon_bridge.flows.cancellations.apply import check, file, look
from amazon_bridge.flows.cancellations.brake import fresh, suspicion
from amazon_bridge.flows.cancellations.feeds import follow, send
from amazon_bridge.flows.cancellations.find import find
from amazon_bridge.flows.context import Context
from amazon_bridge.model import Cancellation

log = structlog.get_logger(__name__)


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """One run: ask how earlier feeds fared, then send what was cancelled since, in one feed.

    When a side is down or refuses the account, the counts tell so as their ``error``; what
    could be done before is done.
    """
    if not context.account.notify_amazon.cancellations:
        return Counts()
    counts = Counts()
    try:
        if dry_run:
            return _foresee(context)
        for feed in context.ledger.feeds.open(context.name):
            follow(context, feed, counts)
        tasks = file(context, find(context), counts)
        check(context, [task for task in tasks if not task.is_tellable], counts)
        send(context, [task for task in tasks if task.is_tellable], counts)
    except (AccountError, Transient) as error:
        counts.note_error(error)
    counts.unchanged = max(0, counts.seen - counts.notified - counts.quarantined)
    return counts


def _foresee(context: Context) -> Counts:
    """Say which cancellations a run would tell Amazon of."""
    tasks = find(context).tasks
    new = fresh(context, [task for task in tasks if task.is_tellable])
    why = suspicion(context, len(new))
    held = new if why else []
    counts = Counts(seen=len(tasks), quarantined=len(held))
    if held:
        log.warning("dry_run_hold", account=context.name, orders=len(held), reason=why)
    would = [task for task in tasks if task not in held]
    looks = runner.one_by_one(would, lambda task: look(context, task), key=lambda t: t.order_id)
    for task, result in looks:
        if isinstance(result, Cancellation):
            log.info(
                "dry_run_cancellation",
                account=context.name,
                order=task.order_id,
                reason=result.reason,
            )
            counts.notified += 1
        elif isinstance(result, ItemError):
            counts.quarantined += 1
    counts.unchanged = counts.seen - counts.notified - counts.quarantined
    return counts
