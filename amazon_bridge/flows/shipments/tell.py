"""Notes and activities in Odoo about shipments, and the quarantine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import State
from amazon_bridge.flows import notices
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.notices import Announcement, Failures
from amazon_bridge.flows.orders.units import name_of
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.shipments.decide import (
    ShipmentOutcome,
    ShipmentTask,
    carrier_of,
    fingerprint,
    label_digest,
)
from amazon_bridge.flows.shipments.progress import Stage
from amazon_bridge.flows.shipments.records import progress_of, remember, settle
from amazon_bridge.flows.shipments.subjects import CONFIRMED, NOTHING_TO_CONFIRM
from amazon_bridge.model import Order
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.delivery_orders import DeliveryOrder
from amazon_bridge.odoo.notes import Note, Record, RecordNote, topic_of

log = structlog.get_logger(__name__)

_REFUSED, _INCOMPLETE, _SURPLUS, _STILL_OPEN = "refused", "incomplete", "surplus", "open_on_amazon"
"""Topics of activities; most are followed by a digest of the facts."""

_SUBJECTS = {
    **dict.fromkeys(("goods_unclear", "kit_unclear"), "Amazon: say what left with this delivery"),
    "told_too_much": "Amazon was told that more left",
    **dict.fromkeys(
        (
            *("access_refused", "internal_error", "keeps_failing", "no_account", "not_found"),
            *("reference_taken", "unreadable"),
        ),
        "Amazon isn't told of this shipment",
    ),
}
"""Subjects of activities by the error's kind; any other was refused by Amazon. Earlier notes are
found by their subjects: changed ones would be scheduled again."""

_TRACKING_MISSING = Note(
    _INCOMPLETE,
    "Amazon waits for carrier and tracking reference",
    "Amazon accepts this shipment only with a carrier and a tracking reference: enter both here."
    " The next run then confirms it to Amazon.",
)
_NO_FIELDS = replace(
    _TRACKING_MISSING,
    body="Amazon accepts this shipment only with a carrier and a tracking reference, and Odoo has"
    " no fields for them. Install the module stock_delivery (before Odoo 17: delivery), then enter"
    " both here. The next run then confirms it to Amazon.",
)
"""Where the module is missing."""


_SETTLED = "Settled: the delivery order was processed."


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did about a delivery order."""

    outcome: ShipmentOutcome
    order: Order | None = None
    """As Amazon shows it, if it was fetched."""
    units: Mapping[str, int] = field(default_factory=dict)
    """Units confirmed to Amazon, by order item id."""
    surplus: Mapping[str, int] = field(default_factory=dict)
    """Units by order item id that left and that Amazon doesn't accept."""
    still_open: Mapping[str, int] = field(default_factory=dict)
    """Units by order item id that are open on Amazon, with no delivery open in Odoo."""
    is_correction: bool = False


# What lacks its carrier or tracking reference


def report_incomplete(context: Context, tasks: Sequence[ShipmentTask]) -> None:
    """Log incomplete delivery orders once; schedule activities on those incomplete for too long."""
    late = [task for task in tasks if _is_late(context, task)]
    note = _TRACKING_MISSING if context.odoo.capabilities.has_tracking else _NO_FIELDS
    refused = notices.remind(context, [(_record(task.delivery), note) for task in late])
    for task in late:
        if _record(task.delivery) not in refused:
            remember(context, task, Stage.REMINDED)


def _is_late(context: Context, task: ShipmentTask) -> bool:
    """Record what it lacks; return True if an activity about it is due."""
    progress, lacks = progress_of(context, task), task.delivery.lacks
    if progress.stage == Stage.SENT:
        return False
    was_incomplete = progress.stage in {Stage.INCOMPLETE, Stage.REMINDED}
    if lacks and not was_incomplete:
        log.info("shipment_waiting", **names(context, task.delivery), lacks=lacks)
        remember(context, task, Stage.INCOMPLETE)
    elif was_incomplete and progress.lacks != lacks:
        remember(context, task, progress.stage if lacks else Stage.UNSURE)
    overdue = context.clock() - task.delivery.done > context.account.tracking_reminder
    return bool(lacks) and overdue and progress.stage != Stage.REMINDED


# What was done


def report(run: Run, reports: Sequence[tuple[ShipmentTask, Report]]) -> None:
    """Note on the delivery orders what was confirmed, and close the activities about it."""
    context = run.context
    noted = {
        task.delivery.id: _note(context, task, each)
        for task, each in reports
        if each.outcome != ShipmentOutcome.CANCELLED
    }
    notices.post(context, notes.DELIVERY_ORDER, noted)
    records = [(notes.DELIVERY_ORDER, id_) for id_ in noted]
    notices.close(context, records, (_REFUSED, _INCOMPLETE), _SETTLED)
    unannounced = _show_differences(context, reports)
    settled = [t.delivery for t, each in reports if each.outcome != ShipmentOutcome.SENT]
    settle(run, settled, State.DONE)
    _quarantine(run, unannounced, {})


def _note(context: Context, task: ShipmentTask, report: Report) -> Note:
    if report.outcome == ShipmentOutcome.NOTHING:
        text = "No unit that Amazon expects left with this delivery order: nothing was confirmed."
        return Note("nothing_told", NOTHING_TO_CONFIRM, text)
    if report.is_correction:
        text = f"The correction was confirmed to Amazon: {_parcel(context, task)}."
        topic = f"corrected_{label_digest(task.delivery)}"
        return Note(topic, "Amazon: shipment corrected", text)
    if report.outcome == ShipmentOutcome.ELSEWHERE or task.delivery.lacks:
        text = "Amazon already shows this shipment; the bridge sent nothing."
        return Note("told", CONFIRMED, text)
    return Note("told", CONFIRMED, _sent_text(context, task, report))


def _sent_text(context: Context, task: ShipmentTask, report: Report) -> str:
    units = sum(report.units.values()) or sum(each.quantity or 0 for each in task.goods.shipped)
    text = (
        f"Confirmed to Amazon: units {units}, {_parcel(context, task)}."
        " Amazon informs the customer."
    )
    others = task.delivery.tracking_references[1:]
    return text + (
        f" It accepts only the first of {len(others) + 1} tracking references." if others else ""
    )


def _parcel(context: Context, task: ShipmentTask) -> str:
    carrier = carrier_of(task.delivery, context.account.carriers)
    service = f" ({carrier.method})" if carrier.method else ""
    reference = task.delivery.tracking_references[0]
    return f"carrier {carrier.name or carrier.code}{service}, tracking reference {reference}"


def _show_differences(
    context: Context, reports: Sequence[tuple[ShipmentTask, Report]]
) -> list[tuple[DeliveryOrder, ItemError]]:
    """Schedule activities where what left and what Amazon counts don't match.

    Returns:
        The deliveries with a difference that no activity could be scheduled about.
    """
    differences = [(t.delivery, pair) for t, each in reports for pair in _differences(t, each)]
    scheduled = dict(pair for _, pair in differences)
    refused = notices.remind(context, scheduled.items())
    matching = {
        (notes.SALE_ORDER, task.delivery.sale_order_id)
        for task, each in reports
        if not each.still_open and each.order and each.outcome != ShipmentOutcome.SENT
    }
    notices.close(context, matching - scheduled.keys(), (_STILL_OPEN,), "Nothing is open any more.")
    return list(_unannounced(differences, refused))


def _differences(task: ShipmentTask, report: Report) -> list[RecordNote]:
    """The activities about surplus units, and about units still open on Amazon."""
    found = []
    if report.surplus:
        found.append((_record(task.delivery), _surplus(task, report)))
    if report.still_open:
        record = notes.SALE_ORDER, task.delivery.sale_order_id
        found.append((record, _still_open(report)))
    return found


def _unannounced(
    differences: Sequence[tuple[DeliveryOrder, RecordNote]], refused: Failures
) -> Iterator[tuple[DeliveryOrder, ItemError]]:
    """Yield each delivery with all of its differences that Odoo takes no activity about."""
    notes_of: defaultdict[DeliveryOrder, list[RecordNote]] = defaultdict(list)
    for delivery, (record, note) in differences:
        if record in refused:
            notes_of[delivery].append((record, note))
    for delivery, pairs in notes_of.items():
        failure = refused[pairs[0][0]]
        facts = " ".join(note.body for _, note in pairs)
        reason = f"{facts} No activity could be scheduled about it: {failure.reason}"
        yield delivery, ItemError(failure.kind, reason, failure.remedy)


def _surplus(task: ShipmentTask, report: Report) -> Note:
    units = _named(report.surplus, report.order)
    text = (
        f"{units} left with {task.delivery.name}, but Amazon takes no more of it: it was cancelled"
        " there, or shipped before. Stop the parcel or bring the goods back, or settle it with"
        " the buyer: the buyer doesn't pay for them."
    )
    return _fact(_SURPLUS, "Amazon doesn't take all that left", text)


def _still_open(report: Report) -> Note:
    units, number = _named(report.still_open, report.order), sum(report.still_open.values())
    text = (
        f"{units} {'is' if number == 1 else 'are'} still open on Amazon, but nothing of this order"
        f" is to be delivered any more: send {'it' if number == 1 else 'them'} or refund"
        f" {'it' if number == 1 else 'them'} in Seller Central. If nothing has left at all, you can"
        " also cancel this sale order: then Amazon is notified."
    )
    return _fact(_STILL_OPEN, "Amazon: units are still open", text)


def _named(units: Mapping[str, int], order: Order | None) -> str:
    """The units as text, such as "1 unit of MUG-BLUE and 2 units of MUG-RED"."""
    known = {item.order_item_id: name_of(item) for item in order.items} if order else {}
    return " and ".join(
        f"{number} unit{'s' if number > 1 else ''} of {known.get(item, item)}"
        for item, number in units.items()
    )


def _fact(topic: str, subject: str, text: str) -> Note:
    """A note that is posted again when its facts change."""
    return Note(topic_of(topic, text), subject, text)


# What can't be confirmed


def quarantine(run: Run, failures: Sequence[tuple[DeliveryOrder, ItemError]]) -> None:
    """Quarantine delivery orders, with an activity on each that says why and what to do."""
    _quarantine(
        run, failures, {d.key: (d.name, (_record(d), _why(d, error))) for d, error in failures}
    )


def _quarantine(
    run: Run,
    failures: Sequence[tuple[DeliveryOrder, ItemError]],
    announcements: Mapping[str, Announcement],
) -> None:
    errors = run.quarantine({d.key: error for d, error in failures}, announcements)
    for delivery, _ in failures:
        about, error = names(run.context, delivery), errors[delivery.key]
        log.warning("shipment_quarantined", **about, kind=error.kind, reason=error.reason)


def _record(delivery: DeliveryOrder) -> Record:
    return notes.DELIVERY_ORDER, delivery.id


def _why(delivery: DeliveryOrder, error: ItemError) -> Note:
    """Once for each reason and for each correction."""
    topic = topic_of(_REFUSED, f"{error.reason}{fingerprint(delivery)}")
    subject = _SUBJECTS.get(error.kind, "Amazon doesn't take this shipment")
    return Note(topic, subject, str(error))


def names(context: Context, delivery: DeliveryOrder) -> dict[str, str]:
    """Return the fields of a log event that identify the delivery order."""
    return {
        "account": context.name,
        "order": delivery.order_id,
        "delivery_order": delivery.name,
    }
