"""What the state store remembers of delivery orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Entry, Seen, State
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.shipments.decide import (
    ShipmentTask,
    fingerprint,
    is_outdated,
    label_digest,
    statement_digest,
)
from amazon_bridge.flows.shipments.find import Found
from amazon_bridge.flows.shipments.progress import JOB, ShipmentProgress, Stage
from amazon_bridge.job import PendingItem, PendingList
from amazon_bridge.model import FulfillmentStatus
from amazon_bridge.odoo.delivery_orders import DeliveryOrder

log = structlog.get_logger(__name__)


def file(run: Run, found: Found) -> dict[str, ItemError]:
    """File what was found, and settle what need not be confirmed.

    Returns:
        By key, the errors of delivery orders that can't be confirmed.
    """
    context = run.context
    settle(run, found.confirmed, State.DONE)
    settle(run, (*found.foreign, *found.finished), State.LEFT_OUT)
    for entry in found.vanished:
        _forget(context, entry)
    tasks, unclear = [task.delivery for task in found.tasks], [each for each, _ in found.failures]
    _file(context, (*tasks, *unclear, *found.unknown, *found.not_fetched))
    for task in found.tasks:
        if found.entries[task.key] is None:
            remember(context, task, _first_stage(context, task))
        elif is_outdated(task.delivery, known := progress_of(context, task)):
            same = known.done in {None, task.delivery.done}
            keep(
                context,
                task,
                replace(_unsure(task.delivery), sent_label=known.sent_label if same else None),
            )
    errors = {delivery.key: error for delivery, error in found.failures}
    return errors | context.all_given_up(JOB, (each.key for each in found.unknown))


def _forget(context: Context, entry: Entry) -> None:
    """Leave out a delivery order that isn't done any more; it is new when it is done again."""
    order_id = entry.key.partition("#")[0]
    names = {"order": order_id, "delivery_order": entry.label or entry.key}
    log.warning("delivery_order_gone", account=context.name, **names)
    context.ledger.items.file(context.name, JOB, [Seen(entry.key, _VANISHED)])
    context.ledger.items.remember(context.name, JOB, entry.key, None)
    context.ledger.items.settle(context.name, JOB, entry.key, _VANISHED, State.LEFT_OUT)


_VANISHED = "vanished"
"""Replaces the fingerprint: that of a delivery order done again differs from it."""


def _file(context: Context, deliveries: Iterable[DeliveryOrder]) -> None:
    seen = [Seen(each.key, fingerprint(each), label=each.name) for each in deliveries]
    context.ledger.items.file(context.name, JOB, seen)


def _first_stage(context: Context, task: ShipmentTask) -> Stage:
    if task.delivery.is_cancelled:
        return Stage.SENT
    last = context.ledger.runs.last_success(context.name, JOB)
    fresh = last is not None and task.delivery.done >= last
    untouched = task.memo.status == FulfillmentStatus.UNSHIPPED
    return Stage.NEW if fresh and untouched else Stage.UNSURE


def settle(run: Run, deliveries: Iterable[DeliveryOrder], state: State) -> None:
    """Settle delivery orders, whether they were filed before or not.

    New ones are recorded as sent with the carrier and reference that they have in Odoo now.
    """
    context = run.context
    for delivery in deliveries:
        known = context.ledger.items.get(context.name, JOB, delivery.key)
        run.settle(delivery.key, fingerprint(delivery), state, label=delivery.name)
        if known is None and state == State.DONE:
            progress = replace(
                _unsure(delivery), stage=Stage.SENT, sent_label=label_digest(delivery)
            )
            context.ledger.items.remember(context.name, JOB, delivery.key, progress)


def progress_of(context: Context, task: ShipmentTask) -> ShipmentProgress:
    """The recorded progress of a delivery order; unsure if none is recorded."""
    entry = context.ledger.items.get(context.name, JOB, task.key)
    return ShipmentProgress.read(entry) or _unsure(task.delivery)


def _unsure(delivery: DeliveryOrder) -> ShipmentProgress:
    return ShipmentProgress(
        Stage.UNSURE,
        delivery.done,
        delivery.order_id,
        done=delivery.done,
        stated=statement_digest(delivery),
    )


def remember(context: Context, task: ShipmentTask, stage: Stage) -> None:
    """Record a stage: since now if it was sent, else since the delivery order was done."""
    since = context.clock() if stage == Stage.SENT else task.delivery.done
    new = replace(_unsure(task.delivery), stage=stage, since=since, lacks=task.delivery.lacks)
    before = progress_of(context, task)
    keep(context, task, replace(new, sent_label=before.sent_label, corrects=before.corrects))


def keep(context: Context, task: ShipmentTask, progress: ShipmentProgress) -> None:
    """Record the progress of a delivery order."""
    context.ledger.items.remember(context.name, JOB, task.key, progress)


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """A delivery order that is done and not confirmed to Amazon yet."""

    display_key: str
    """Name, order id and database id."""
    delivery_order: str
    """Its name."""
    order_id: str
    since: datetime
    lacks: tuple[str, ...]
    """Names of the empty fields that Amazon requires; if none, the next run confirms it."""


def pending_deliveries(ledger: Ledger, account: str) -> list[PendingDelivery]:
    """Return an account's unconfirmed delivery orders as of the last run, oldest first."""
    entries = ledger.items.pending_entries(account, JOB)
    found = [_pending(entry, ShipmentProgress.read(entry)) for entry in entries]
    return sorted(filter(None, found), key=lambda each: (each.since, each.delivery_order))


def pending_list(ledger: Ledger, account: str, _most: int | None) -> PendingList:
    """All unconfirmed delivery orders, for ``status``."""
    items = [
        PendingItem(
            each.display_key,
            each.since,
            _note(each.lacks),
            {
                "key": each.display_key,
                "delivery_order": each.delivery_order,
                "order": each.order_id,
                "lacks": each.lacks,
            },
        )
        for each in pending_deliveries(ledger, account)
    ]
    return PendingList(items, len(items))


def with_reason(entry: Entry) -> Entry:
    """Return a pending delivery order with the reason why it is pending."""
    progress = ShipmentProgress.read(entry)
    if progress and progress.stage is Stage.SENT:
        return replace(entry, reason="Is confirmed; Amazon does not show the package yet.")
    note = _note(progress.lacks if progress else ())
    return replace(entry, reason=entry.reason or f"{note[0].upper()}{note[1:]}.")


def _note(lacks: Sequence[str]) -> str:
    return f"lacks {' and '.join(lacks)}" if lacks else "is confirmed in the next run"


def _pending(entry: Entry, progress: ShipmentProgress | None) -> PendingDelivery | None:
    """Return None if it was sent. Without progress, Amazon has not shown its order yet."""
    if progress and progress.stage == Stage.SENT:
        return None
    order_id = entry.key.partition("#")[0]
    since, lacks = (progress.since, progress.lacks) if progress else (entry.first_seen, ())
    return PendingDelivery(entry.display_key, entry.label or "", order_id, since, lacks)
