"""Sync runs of the shipments job."""

from __future__ import annotations

import structlog

from amazon_bridge.engine.errors import AccountError, Transient
from amazon_bridge.engine.runner import Counts
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.shipments import tell
from amazon_bridge.flows.shipments.apply import due, file, work
from amazon_bridge.flows.shipments.find import Found, find
from amazon_bridge.flows.shipments.progress import Stage
from amazon_bridge.flows.shipments.records import progress_of

log = structlog.get_logger(__name__)


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """One round: tell Amazon of what left, and read back what it was told before.

    When a side is down or refuses the account, the counts tell so as their ``error``; what
    could be done before is done.
    """
    if not context.account.notify_amazon.shipments:
        return Counts()
    counts = Counts()
    try:
        if dry_run:
            return _foresee(context, find(context))
        tasks = file(context, find(context), counts)
        counts.seen = len(tasks)
        tell.show_waiting(context, tasks)
        work(context, due(context, tasks), counts)
    except (AccountError, Transient) as error:
        counts.note_error(error)
    counts.unchanged = max(0, counts.seen - counts.notified - counts.quarantined)
    return counts


def _foresee(context: Context, found: Found) -> Counts:
    """Say what a round would tell Amazon."""
    counts = Counts()
    for task in found.tasks:
        counts.seen += 1
        if progress_of(context, task).stage == Stage.SENT:
            counts.unchanged += 1
            continue
        lacks = task.delivery.lacks
        log.info("would_tell", **tell.names(context, task), lacks=lacks)
        counts.unchanged += bool(lacks)
        counts.notified += not lacks
    return counts
