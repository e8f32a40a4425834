"""Sync runs of the shipments job."""

from __future__ import annotations

import structlog

from amazon_bridge.engine.errors import AccountError, Transient
from amazon_bridge.engine.runner import Counts
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.shipments import records, tell
from amazon_bridge.flows.shipments.apply import due, work
from amazon_bridge.flows.shipments.find import Found, find, with_goods
from amazon_bridge.flows.shipments.progress import Stage
from amazon_bridge.flows.shipments.records import progress_of

log = structlog.get_logger(__name__)


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """One run: tell Amazon of what left, and read back what it was told before.

    When a side is down or refuses the account, the counts tell so as their ``error``; what
    could be done before is done.
    """
    if not context.account.notify_amazon.shipments:
        return Counts()
    counts = Counts()
    try:
        found = find(context)
        if dry_run:
            return _foresee(context, found)
        _file(context, found, counts)
        counts.seen = len(found.tasks)
        tell.show_waiting(context, found.tasks)
        work(context, with_goods(context, due(context, found.tasks)), counts)
    except (AccountError, Transient) as error:
        counts.note_error(error)
    counts.unchanged = max(0, counts.seen - counts.notified - counts.quarantined)
    return counts


def _file(context: Context, found: Found, counts: Counts) -> None:
    """File what was found, and quarantine what can't be worked."""
    errors = records.file(context, found)
    deliveries = (*(each for each, _ in found.failures), *found.unknown)
    failures = [(each, errors[each.key]) for each in deliveries if each.key in errors]
    tell.quarantine(context, failures)
    counts.quarantined += len(failures)


def _foresee(context: Context, found: Found) -> Counts:
    """Say what a run would tell Amazon."""
    counts = Counts()
    for task in found.tasks:
        counts.seen += 1
        if progress_of(context, task).stage == Stage.SENT:
            counts.unchanged += 1
            continue
        lacks = task.delivery.lacks
        log.info("dry_run_shipment", **tell.names(context, task.delivery), lacks=lacks)
        counts.unchanged += bool(lacks)
        counts.notified += not lacks
    return counts
