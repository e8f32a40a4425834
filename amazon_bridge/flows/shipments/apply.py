"""Tells Amazon of shipments, one by one, and reads back what it was told before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from amazon_bridge.amazon.refusals import is_package_missing, remedy_for
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.retrying import ITEM, retry_transient
from amazon_bridge.flows import orders
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import Run, to_read_back
from amazon_bridge.flows.shipments import tell
from amazon_bridge.flows.shipments.decide import (
    Outcome,
    Plan,
    Task,
    check_statement,
    is_ready,
    is_shown,
    plan,
    shipment_of,
    still_open,
    told_digest,
)
from amazon_bridge.flows.shipments.left import check_not_fewer, known_units
from amazon_bridge.flows.shipments.progress import Progress, Stage
from amazon_bridge.flows.shipments.records import keep, progress_of, remember
from amazon_bridge.flows.shipments.tell import Report
from amazon_bridge.model import Order

log = structlog.get_logger(__name__)

_NOT_SHOWN_AFTER = timedelta(hours=6)
"""Amazon can drop a confirmation that it has accepted (204) without a word."""

_READ_BACK_AFTER = timedelta(minutes=10)
_READ_BACKS = 20  # per run: getOrder allows a burst of 30 calls, then one call per 2 s


def due(context: Context, tasks: Sequence[Task]) -> list[Task]:
    """What is to be done now: what is ready to be told, then what is to be read back.

    One that waits is due when Amazon has the order as shipped: then somebody has told it.
    """
    progresses = {task.key: progress_of(context, task) for task in tasks}
    ready = [task for task in tasks if is_ready(task, progresses[task.key])]
    sent = [t for t in tasks if t not in ready and progresses[t.key].stage == Stage.SENT]
    return ready + _to_read_back(sent, progresses, context.clock())


def _to_read_back(
    sent: Sequence[Task], progresses: Mapping[str, Progress], now: datetime
) -> list[Task]:
    last_checked = {t.key: progresses[t.key].asked or progresses[t.key].since for t in sent}
    tasks = {task.key: task for task in sent}
    keys = to_read_back(last_checked, now, after=_READ_BACK_AFTER, at_most=_READ_BACKS)
    return [tasks[key] for key in keys]


def work(run: Run, tasks: Sequence[Task]) -> None:
    """Tell Amazon, or read back; one that fails doesn't keep the others.

    Odoo is told of all of them at the end. What happens to the bridge before that is made up
    for later: those sent are read back, and the others are worked again.

    Raises:
        AccountError: Amazon is down, or refuses the account.
        Transient: Odoo is down.
    """
    context = run.context
    reports: list[tuple[Task, Report]] = []
    failures: list[tuple[Task, ItemError]] = []
    try:
        for task, result in run.each(tasks, lambda t: _worked(context, t), key=lambda t: t.key):
            if isinstance(result, ItemError):
                failures.append((task, result))
            else:
                names, outcome = tell.names(context, task.delivery), result.outcome
                log.info("shipment_processed", **names, outcome=outcome)
                reports.append((task, result))
    finally:
        for task, _ in failures:
            remember(context, task, Stage.UNSURE)
        run.counts.notified += sum(report.outcome == Outcome.SENT for _, report in reports)
        tell.quarantine(run, [(task.delivery, error) for task, error in failures])
        tell.report(run, [each for each in reports if each[1].outcome != Outcome.PENDING])


def _worked(context: Context, task: Task) -> Report:
    """Work one delivery order.

    Raises:
        ItemError: Amazon refuses it, or has dropped it, or it is unclear what left.
        Transient: no answer; a later run goes on.
    """
    progress = progress_of(context, task)
    if task.delivery.is_cancelled:
        return _reported(task, _fetch(context, task), Outcome.CANCELLED)
    if progress.stage == Stage.SENT and not is_ready(task, progress):
        return _read_back(context, task)
    try:
        return retry_transient(lambda: _tell(context, task), ITEM, sleep=context.sleep)
    except ItemError as error:
        is_refused = error.kind == "shipment_refused"
        remedy = remedy_for(error.reason) if is_refused else error.remedy
        raise ItemError(error.kind, error.reason, remedy) from error


def _tell(context: Context, task: Task) -> Report:
    """Send the confirmation, unless Amazon may have it and does."""
    if progress_of(context, task).stage != Stage.NEW or task.needs_order:
        order = _fetch(context, task)
        return _follow(context, task, order, _planned(context, task, order))
    units = known_units(task.delivery, task.goods, None)
    if not units:
        return Report(Outcome.NOTHING)
    try:
        return _send(context, task, units)
    except ItemError:
        order = _fetch(context, task)
        fitting = _planned(context, task, order)
        if fitting.outcome is None and fitting.units == units:
            raise
        return _follow(context, task, order, fitting)


def _planned(context: Context, task: Task, order: Order) -> Plan:
    progress = progress_of(context, task)
    was_sent = progress.told is not None or progress.stage in {Stage.SENDING, Stage.SENT}
    return plan(task, order, was_sent=was_sent)


def _fetch(context: Context, task: Task) -> Order:
    return orders.fetch(context, task.delivery.order_id)


def _follow(context: Context, task: Task, order: Order, todo: Plan) -> Report:
    """Do what is planned for a delivery order, given the order on Amazon.

    Raises:
        ItemError: Amazon refuses it, or it was told before, and a person says that nothing left.
    """
    told = progress_of(context, task).told
    if told and todo.outcome == Outcome.NOTHING:
        check_not_fewer(task.delivery, task.goods, order, {})
    if todo.package and told not in {None, told_digest(task.delivery)}:
        return _correct(context, task, todo.units or dict(todo.package.quantities))
    if todo.outcome is None:
        if task.delivery.lacks:
            return Report(Outcome.PENDING)
        return replace(_send(context, task, todo.units), order=order, surplus=todo.surplus)
    if todo.outcome == Outcome.CONFIRMED:
        _note_told(context, task)
    return _reported(task, order, todo.outcome, todo.surplus)


def _reported(
    task: Task, order: Order, outcome: Outcome, surplus: Mapping[str, int] | None = None
) -> Report:
    return Report(outcome, order, surplus=surplus or {}, still_open=still_open(task, order))


def _send(
    context: Context, task: Task, units: Mapping[str, int], *, corrects: bool = False
) -> Report:
    """Send a confirmation.

    Raises:
        ItemError: Amazon refuses it.
    """
    shipment = shipment_of(task, units, context.account.carriers, context.clock())
    if not corrects:
        remember(context, task, Stage.SENDING)
    context.amazon.confirm_shipment(shipment)
    remember(context, task, Stage.SENT)
    _note_told(context, task, corrects=corrects)
    return Report(Outcome.SENT, units=units, is_correction=corrects)


def _note_told(context: Context, task: Task, *, corrects: bool = False) -> None:
    """Remember which carrier and tracking reference Amazon has from us."""
    told = told_digest(task.delivery)
    keep(context, task, replace(progress_of(context, task), told=told, corrects=corrects))


def _correct(context: Context, task: Task, units: Mapping[str, int]) -> Report:
    """Send the package that Amazon has once more, with the corrected carrier and reference.

    Amazon may not find a package for a while although it shows it: then a later run tries again.

    Raises:
        ItemError: Amazon refuses it.
    """
    progress = progress_of(context, task)
    try:
        return _send(context, task, units, corrects=True)
    except ItemError as error:
        since, now = progress.refused_since or context.clock(), context.clock()
        if now - since >= _NOT_SHOWN_AFTER or not is_package_missing(error.reason):
            raise
        keep(context, task, replace(progress, refused_since=since))
        return Report(Outcome.PENDING)


def _read_back(context: Context, task: Task) -> Report:
    order, progress = _fetch(context, task), progress_of(context, task)
    if is_shown(task, order, progress):
        check_statement(task, order)
        return _reported(task, order, Outcome.CONFIRMED)
    now = context.clock()
    if now - progress.since >= _NOT_SHOWN_AFTER:
        raise _NOT_CORRECTED if progress.corrects else _NOT_SHOWN
    keep(context, task, replace(progress, asked=now))
    return Report(Outcome.PENDING)


_NOT_SHOWN = ItemError(
    "shipment_not_shown",
    "Amazon accepted the confirmation, but doesn't show the package hours later.",
    "Look at the order in Seller Central; `amazon-bridge quarantine retry` sends it again if it"
    " isn't there.",
)
_NOT_CORRECTED = ItemError(
    "correction_not_shown",
    "Amazon accepted the corrected tracking reference, but still shows the former one hours later.",
    "Correct it in Seller Central (Edit shipment), then: amazon-bridge quarantine retry.",
)
