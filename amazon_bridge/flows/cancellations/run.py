"""The cancellations job: its steps in a sync run."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import ItemError, Transient
from amazon_bridge.flows import outbound
from amazon_bridge.flows.cancellations import CANCELLATIONS, feeds
from amazon_bridge.flows.cancellations.apply import (
    check,
    errors_of_deleted,
    fetch_and_decide,
    settle,
)
from amazon_bridge.flows.cancellations.brake import not_passed, reason_to_hold
from amazon_bridge.flows.cancellations.decide import CancellationTask
from amazon_bridge.flows.cancellations.find import find
from amazon_bridge.flows.outbound import OutboundJob
from amazon_bridge.model import Cancellation

log = structlog.get_logger(__name__)


def _read_back(run: outbound.Run) -> None:
    for feed in run.context.ledger.feeds.open(run.context.name):
        feeds.follow(run, feed)


def _send(run: outbound.Run, tasks: Sequence[CancellationTask]) -> None:
    check(run, [task for task in tasks if not task.is_cancellable])
    feeds.send(run, [task for task in tasks if task.is_cancellable])


def _preview(run: outbound.Run) -> None:
    context = run.context
    batches = list(find(context))
    tasks: list[CancellationTask] = outbound.preview_tasks(run, batches)
    for found in batches:
        run.counts.seen += len({*found.unknown, *found.not_fetched, *found.deleted})
        run.counts.quarantined += sum(bool(error) for _, error in errors_of_deleted(run, found))
    held = _preview_held(run, tasks)
    would = [task for task in tasks if task not in held]
    results = runner.one_by_one(
        would, lambda task: fetch_and_decide(context, task), key=lambda t: t.order_id
    )
    for task, result in results:
        if isinstance(result, Cancellation):
            reason = result.reason
            log.info(
                "dry_run_cancellation", account=context.name, order=task.order_id, reason=reason
            )
            run.counts.notified += 1
        elif isinstance(result, ItemError):
            run.counts.quarantined += 1
        elif isinstance(result, Transient):
            run.counts.note_error(result)


def _preview_held(run: outbound.Run, tasks: Sequence[CancellationTask]) -> list[CancellationTask]:
    """Log and count the tasks that the brake would hold."""
    new = not_passed(run.context, [task for task in tasks if task.is_cancellable])
    why = reason_to_hold(run.context, len(new))
    if why is None:
        return []
    log.warning("dry_run_hold", account=run.context.name, orders=len(new), reason=why)
    run.counts.quarantined += len(new)
    return new


sync = OutboundJob(
    job=CANCELLATIONS,
    find=find,
    settle=settle,
    send=_send,
    preview=_preview,
    read_back=_read_back,
).sync
