"""What people are told of shipments: notes and activities in Odoo, and the quarantine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import structlog

from amazon_bridge.amazon.shipments import carrier_for
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import State
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.shipments.decide import Outcome, Task, fingerprint
from amazon_bridge.flows.shipments.progress import JOB, Stage
from amazon_bridge.flows.shipments.records import progress_of, remember, settle
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.notes import Note

log = structlog.get_logger(__name__)


TOLD = "Amazon: shipment confirmed"
_REFUSED = "refused"


_INCOMPLETE = "incomplete"
_TRACKING_MISSING = Note(
    _INCOMPLETE,
    "Amazon waits for carrier and tracking reference",
    "Amazon can't be told of this shipment without a carrier and a tracking reference: enter"
    " both here. It is told as soon as they are there.",
)


def show_waiting(context: Context, tasks: Sequence[Task]) -> None:
    """Log once that a delivery order waits, and after a while ask for what it lacks."""
    late = []
    for task in tasks:
        progress, lacks = progress_of(context, task), task.delivery.lacks
        if progress.stage == Stage.SENT:
            continue
        waits = progress.stage in {Stage.WAITING, Stage.REMINDED}
        if lacks and not waits:
            log.info("shipment_waiting", **names(context, task), lacks=lacks)
            remember(context, task, Stage.WAITING)
        elif waits and progress.lacks != lacks:
            remember(context, task, progress.stage if lacks else Stage.UNSURE)
        overdue = context.clock() - task.delivery.done > context.account.tracking_reminder
        if lacks and overdue and progress.stage != Stage.REMINDED:
            late.append(task)
    _remind(context, {task.delivery.id: _TRACKING_MISSING for task in late})
    for task in late:
        remember(context, task, Stage.REMINDED)


def say_told(context: Context, outcomes: Sequence[tuple[Task, Outcome]]) -> None:
    """Note on the delivery orders what Amazon knows, and close what had asked for it."""
    told = {task.delivery.id: _told(context, task, outcome) for task, outcome in outcomes}
    notes.post(context.odoo, notes.DELIVERY_ORDER, told)
    notes.close_reminders(
        context.odoo, notes.DELIVERY_ORDER, told.keys(), (_REFUSED, _INCOMPLETE), "Amazon knows."
    )
    settle(context, (t.delivery for t, outcome in outcomes if outcome != Outcome.SENT), State.DONE)


def _told(context: Context, task: Task, outcome: Outcome) -> Note:
    if outcome == Outcome.ELSEWHERE or task.delivery.lacks:
        text = "Amazon knows of this shipment already; the bridge sent nothing."
    else:
        text = _sent_text(task, context.account.carriers)
    return Note("told", TOLD, text)


def _sent_text(task: Task, carriers: Mapping[str, str]) -> str:
    units = sum(each.quantity or 0 for each in task.shipped)
    carrier = carrier_for(task.delivery.carrier or "", carriers)
    shown = carrier.name or carrier.code + (f" ({carrier.method})" if carrier.method else "")
    first, *others = task.delivery.tracking_references
    text = (
        f"Amazon was told of this shipment: units {units}, carrier {shown},"
        f" tracking reference {first}. Amazon tells the customer."
    )
    return text + (" It takes one tracking reference; the others stand here." if others else "")


def quarantine(context: Context, failures: Sequence[tuple[Task, ItemError]]) -> None:
    """Put delivery orders aside, with an activity on each that says why and what to do."""
    _remind(context, {task.delivery.id: _why(task, error) for task, error in failures})
    for task, error in failures:
        context.ledger.put_aside(context.name, JOB, task.key, error)
        remember(context, task, Stage.UNSURE)
        about = names(context, task)
        log.warning("shipment_put_aside", **about, kind=error.kind, reason=error.reason)


def _why(task: Task, error: ItemError) -> Note:
    """Once for each reason and for each correction."""
    digest = hashlib.sha256(f"{error.reason}{fingerprint(task.delivery)}".encode()).hexdigest()[:8]
    return Note(f"{_REFUSED}_{digest}", "Amazon doesn't take this shipment", str(error))


def _remind(context: Context, asked: Mapping[int, Note]) -> None:
    notes.remind(
        context.odoo,
        {(notes.DELIVERY_ORDER, id_): note for id_, note in asked.items()},
        today=context.clock().date(),
        user_id=context.setup.salesperson_id,
    )


def names(context: Context, task: Task) -> dict[str, str]:
    """The fields of a log event that name the delivery order."""
    return {
        "account": context.name,
        "order": task.delivery.order_id,
        "delivery_order": task.delivery.name,
    }
