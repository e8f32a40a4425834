"""Tells Amazon of shipments, one by one, and reads back what it was told before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import ItemError, Transient
from amazon_bridge.engine.ledger import Seen, State
from amazon_bridge.engine.runner import Counts, Patience
from amazon_bridge.flows import orders
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.shipments import tell
from amazon_bridge.flows.shipments.decide import (
    Outcome,
    Task,
    fingerprint,
    shipment_of,
    shows,
    to_be_read_back,
)
from amazon_bridge.flows.shipments.find import Found
from amazon_bridge.flows.shipments.progress import JOB, Stage
from amazon_bridge.flows.shipments.records import progress_of, remember, settle
from amazon_bridge.model import FulfillmentStatus

log = structlog.get_logger(__name__)


_NOT_SHOWN_AFTER = timedelta(hours=6)
"""Amazon can drop a confirmation that it has accepted (204) without a word."""

_PATIENCE = Patience(attempts=3, seconds=60)


def file(context: Context, found: Found, counts: Counts) -> Sequence[Task]:
    """File what was found; answer with what is to be worked."""
    settle(context, found.told, State.DONE)
    settle(context, found.not_ours, State.LEFT_OUT)
    tasks, unclear = [task.delivery for task in found.tasks], [each for each, _ in found.failures]
    seen = [
        Seen(each.key, fingerprint(each), label=each.name)
        for each in (*tasks, *unclear, *found.unknown)
    ]
    context.ledger.file(context.name, JOB, seen)
    failures = {delivery.key: error for delivery, error in found.failures}
    failures |= context.all_given_up(JOB, (each.key for each in found.unknown))
    for key, error in failures.items():
        context.ledger.put_aside(context.name, JOB, key, error)
    counts.quarantined += len(failures)
    last = context.ledger.last_success(context.name, JOB)
    for task in found.tasks:
        if found.entries[task.key] is None:
            fresh = last is not None and task.delivery.done >= last
            untouched = task.memo.status == FulfillmentStatus.UNSHIPPED
            remember(context, task, Stage.NEW if fresh and untouched else Stage.UNSURE)
    return found.tasks


def due(context: Context, tasks: Sequence[Task]) -> list[Task]:
    """What is to be done now: what is ready to be told, then what is to be read back.

    One that waits is due when Amazon has the order as shipped: then somebody has told it.
    """
    progresses = {task.key: progress_of(context, task) for task in tasks}
    sent = [task for task in tasks if progresses[task.key].stage == Stage.SENT]
    ready = [
        task
        for task in tasks
        if task not in sent
        and (not task.delivery.lacks or task.memo.status == FulfillmentStatus.SHIPPED)
    ]
    return ready + to_be_read_back(sent, progresses, context.clock())


def work(context: Context, tasks: Sequence[Task], counts: Counts) -> None:
    """Tell Amazon, or read back; one that fails doesn't keep the others.

    Odoo is told of all of them at the end. What happens to the bridge before that is made up
    for later: those sent are read back, and the others are worked again.

    Raises:
        AccountError: Amazon is down, or refuses the account.
        Transient: Odoo is down.
    """
    outcomes: list[tuple[Task, Outcome]] = []
    failures: list[tuple[Task, ItemError]] = []
    results = context.one_by_one(JOB, tasks, lambda t: _worked(context, t), key=lambda t: t.key)
    try:
        for task, result in results:
            match result:
                case ItemError():
                    failures.append((task, result))
                case Transient():
                    counts.note_error(result)
                case _:
                    log.info("shipment_worked", **tell.names(context, task), outcome=result)
                    outcomes.append((task, result))
    finally:
        counts.notified += sum(outcome == Outcome.SENT for _, outcome in outcomes)
        counts.quarantined += len(failures)
        tell.quarantine(context, failures)
        tell.say_told(context, [each for each in outcomes if each[1] != Outcome.PATIENCE])


def _worked(context: Context, task: Task) -> Outcome:
    """Work one delivery order.

    Raises:
        ItemError: Amazon refuses it, or has dropped it.
        Transient: no answer; a later round goes on.
    """
    if progress_of(context, task).stage == Stage.SENT:
        return _read_back(context, task)
    return runner.patiently(lambda: _tell(context, task), patience=_PATIENCE, sleep=context.sleep)


def _tell(context: Context, task: Task) -> Outcome:
    """Send the confirmation, unless Amazon may have it and does."""
    if progress_of(context, task).stage != Stage.NEW:
        outcome = _look(context, task)
        if outcome != Outcome.PATIENCE or task.delivery.lacks:
            return outcome
    shipment = shipment_of(task, context.account.carriers, context.clock())
    remember(context, task, Stage.SENDING)
    try:
        context.amazon.confirm_shipment(shipment)
    except ItemError as error:
        outcome = _look(context, task)
        if outcome == Outcome.PATIENCE:
            raise _refused(error) from error
        return outcome
    remember(context, task, Stage.SENT)
    return Outcome.SENT


def _look(context: Context, task: Task) -> Outcome:
    """Look whether Amazon knows of the shipment.

    Raises:
        ItemError: the order is cancelled on Amazon.
    """
    order = orders.fetch(context, task.delivery.order_id)
    if shows(order, task):
        return Outcome.CONFIRMED
    if order.status == FulfillmentStatus.CANCELLED:
        raise ItemError(
            "cancelled_on_amazon",
            "The order is cancelled on Amazon, but its goods have left.",
            "Stop the parcel or bring the goods back: the buyer doesn't pay for them.",
        )
    return Outcome.ELSEWHERE if order.status == FulfillmentStatus.SHIPPED else Outcome.PATIENCE


def _refused(error: ItemError) -> ItemError:
    return ItemError(
        error.kind,
        error.reason,
        error.remedy
        or "Correct the carrier or the tracking reference of the delivery order: then it is told"
        " again. If it is something else, confirm the shipment in Seller Central.",
    )


def _read_back(context: Context, task: Task) -> Outcome:
    outcome = _look(context, task)
    if outcome != Outcome.PATIENCE:
        return Outcome.CONFIRMED
    progress, now = progress_of(context, task), context.clock()
    if now - progress.since >= _NOT_SHOWN_AFTER:
        raise ItemError(
            "shipment_not_shown",
            "Amazon accepted the confirmation, but doesn't show the package hours later.",
            "Look at the order in Seller Central; `amazon-bridge quarantine retry` sends it again"
            " if it isn't there.",
        )
    memo = replace(progress, asked=now).text()
    context.ledger.remember(context.name, JOB, task.key, memo)
    return outcome
