"""Sends shipment confirmations one by one, and reads back those sent before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from amazon_bridge.amazon.refusals import is_package_missing, remedy_for
from amazon_bridge.engine.errors import AccountError, ItemError, Transient
from amazon_bridge.engine.retrying import ITEM, retry_transient
from amazon_bridge.flows import events
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.find import fetch
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.shipments import tell
from amazon_bridge.flows.shipments.decide import (
    Plan,
    ShipmentOutcome,
    ShipmentTask,
    check_statement,
    is_correction,
    is_ready,
    is_shown,
    label_digest,
    plan,
    shipment_of,
    still_open,
)
from amazon_bridge.flows.shipments.left import check_enough_left, known_units
from amazon_bridge.flows.shipments.progress import ShipmentProgress, Stage
from amazon_bridge.flows.shipments.records import keep, progress_of, remember
from amazon_bridge.flows.shipments.tell import Report
from amazon_bridge.model import Order

log = structlog.get_logger(__name__)

_NOT_SHOWN_AFTER = timedelta(hours=6)
"""Amazon can silently drop a confirmation that it has accepted (HTTP 204)."""

_READ_BACK_AFTER = timedelta(minutes=10)
_READ_BACKS = 20  # per run: getOrder allows a burst of 30 calls, then one call per 2 s


def due(context: Context, tasks: Sequence[ShipmentTask]) -> list[ShipmentTask]:
    """Return the tasks that are due: those ready to be sent, then those to be read back.

    A task that lacks its carrier or reference is due as well if Amazon has the order as shipped:
    then somebody else has confirmed it.
    """
    progresses = {task.key: progress_of(context, task) for task in tasks}
    ready = [task for task in tasks if is_ready(task, progresses[task.key])]
    sent = [t for t in tasks if t not in ready and progresses[t.key].stage == Stage.SENT]
    return ready + _to_read_back(sent, progresses, context.clock())


def _to_read_back(
    sent: Sequence[ShipmentTask], progresses: Mapping[str, ShipmentProgress], now: datetime
) -> list[ShipmentTask]:
    """At most ``_READ_BACKS`` tasks, least recently checked first."""
    checked = {t.key: progresses[t.key].read_back or progresses[t.key].since for t in sent}
    due = [task for task in sent if abs(now - checked[task.key]) >= _READ_BACK_AFTER]
    return sorted(due, key=lambda task: checked[task.key])[:_READ_BACKS]


def process(run: Run, tasks: Sequence[ShipmentTask]) -> None:
    """Send or read back each task; one that fails doesn't stop the others.

    Notes in Odoo are written for all of them at the end. After an interruption before that, later
    runs read back those that were sent, and process the others again.

    Raises:
        AccountError: Amazon is down, or refuses the account.
        Transient: Odoo is down.
    """
    context = run.context
    reports: list[tuple[ShipmentTask, Report]] = []
    failures: list[tuple[ShipmentTask, ItemError]] = []
    try:
        for task, result in run.each(tasks, lambda t: _process(context, t), key=lambda t: t.key):
            if isinstance(result, ItemError):
                failures.append((task, result))
            else:
                names, outcome = tell.names(context, task.delivery), result.outcome
                log.info("shipment_processed", **names, outcome=outcome)
                _count(context, task, result)
                reports.append((task, result))
    finally:
        for task, _ in failures:
            remember(context, task, Stage.UNSURE)
        run.counts.notified += sum(report.outcome == ShipmentOutcome.SENT for _, report in reports)
        tell.quarantine(run, [(task.delivery, error) for task, error in failures])
        tell.report(run, [each for each in reports if each[1].outcome != ShipmentOutcome.PENDING])


def _count(context: Context, task: ShipmentTask, report: Report) -> None:
    """Count a confirmation for the statistics; a correction is none."""
    if report.outcome == ShipmentOutcome.SENT and not report.is_correction:
        event = events.confirmed(task.delivery.done, context.clock())
        context.ledger.statistics.count(context.name, [event])


def _process(context: Context, task: ShipmentTask) -> Report:
    """Process one delivery order.

    Raises:
        ItemError: Amazon refuses or has dropped the confirmation, or it is unclear what left.
        Transient: no response; a later run goes on.
    """
    progress = progress_of(context, task)
    if task.delivery.is_cancelled:
        return _reported(task, _fetch(context, task), ShipmentOutcome.CANCELLED)
    if progress.stage == Stage.SENT and not is_ready(task, progress):
        return _read_back(context, task)
    try:
        return retry_transient(lambda: _confirm(context, task), ITEM, sleep=context.sleep)
    except ItemError as error:
        is_refused = error.kind == "shipment_refused"
        remedy = remedy_for(error.reason) if is_refused else error.remedy
        raise ItemError(error.kind, error.reason, remedy) from error


def _confirm(context: Context, task: ShipmentTask) -> Report:
    """Send the confirmation, unless Amazon has it already."""
    if progress_of(context, task).stage != Stage.NEW or task.needs_order:
        order = _fetch(context, task)
        return _follow(context, task, order, _planned(context, task, order))
    units = known_units(task.delivery, task.goods, None)
    if not units:
        return Report(ShipmentOutcome.NOTHING)
    try:
        return _send(context, task, units)
    except ItemError:
        order = _fetch(context, task)
        fitting = _planned(context, task, order)
        if fitting.outcome is None and fitting.units == units:
            raise
        return _follow(context, task, order, fitting)


def _planned(context: Context, task: ShipmentTask, order: Order) -> Plan:
    progress = progress_of(context, task)
    was_sent = progress.sent_label is not None or progress.stage in {Stage.SENDING, Stage.SENT}
    return plan(task, order, was_sent=was_sent)


def _fetch(context: Context, task: ShipmentTask) -> Order:
    return fetch(context, task.delivery.order_id)


def _follow(context: Context, task: ShipmentTask, order: Order, todo: Plan) -> Report:
    """Carry out the plan for a delivery order, given the order on Amazon.

    Raises:
        ItemError: Amazon refuses it, or it was confirmed and a person states that nothing left.
    """
    progress, lacks = progress_of(context, task), task.delivery.lacks
    if progress.sent_label and todo.outcome == ShipmentOutcome.NOTHING:
        check_enough_left(task.delivery, task.goods, order, {})
    if todo.package and is_correction(task.delivery, progress):
        return _correct(context, task, todo.units or dict(todo.package.quantities))
    if todo.outcome is None:
        if lacks:
            return Report(ShipmentOutcome.PENDING)
        return replace(_send(context, task, todo.units), order=order, surplus=todo.surplus)
    if todo.outcome == ShipmentOutcome.CONFIRMED and not (progress.sent_label and lacks):
        _remember_label(context, task)
    return _reported(task, order, todo.outcome, todo.surplus)


def _reported(
    task: ShipmentTask,
    order: Order,
    outcome: ShipmentOutcome,
    surplus: Mapping[str, int] | None = None,
) -> Report:
    return Report(outcome, order, surplus=surplus or {}, still_open=still_open(task, order))


def _send(
    context: Context, task: ShipmentTask, units: Mapping[str, int], *, corrects: bool = False
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
    _remember_label(context, task, corrects=corrects)
    return Report(ShipmentOutcome.SENT, units=units, is_correction=corrects)


def _remember_label(context: Context, task: ShipmentTask, *, corrects: bool = False) -> None:
    """Remember which carrier and tracking reference the bridge has sent to Amazon."""
    sent = label_digest(task.delivery)
    keep(context, task, replace(progress_of(context, task), sent_label=sent, corrects=corrects))


def _correct(context: Context, task: ShipmentTask, units: Mapping[str, int]) -> Report:
    """Send Amazon's package again, with the corrected carrier and tracking reference.

    Amazon may not find a package for a while although it shows it; a later run tries again.

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
        return Report(ShipmentOutcome.PENDING)


def _read_back(context: Context, task: ShipmentTask) -> Report:
    progress, now = progress_of(context, task), context.clock()
    try:
        order = _fetch(context, task)
    except (AccountError, Transient):  # it has had its turn: others are next
        keep(context, task, replace(progress, read_back=now))
        raise
    if is_shown(task, order, progress):
        check_statement(task, order)
        return _reported(task, order, ShipmentOutcome.CONFIRMED)
    if now - progress.since >= _NOT_SHOWN_AFTER:
        raise _NOT_CORRECTED if progress.corrects else _NOT_SHOWN
    keep(context, task, replace(progress, read_back=now))
    return Report(ShipmentOutcome.PENDING)


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
