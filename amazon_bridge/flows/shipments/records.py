"""What the state store remembers of delivery orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from amazon_bridge.engine.ledger import Ledger, Seen, State
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.shipments.decide import Task
from amazon_bridge.flows.shipments.progress import JOB, Progress, Stage
from amazon_bridge.odoo.delivery_orders import DeliveryOrder


def settle(context: Context, deliveries: Iterable[DeliveryOrder], state: State) -> None:
    """File delivery orders, if they are not yet, and settle them."""
    for delivery in deliveries:
        known = context.ledger.entry(context.name, JOB, delivery.key)
        fingerprint = known.fingerprint if known else ""
        seen = Seen(delivery.key, fingerprint, label=delivery.name)
        context.ledger.file(context.name, JOB, [seen])
        context.ledger.settle(context.name, JOB, delivery.key, fingerprint, state)


def progress_of(context: Context, task: Task) -> Progress:
    """How far a delivery order is, as far as the state store knows."""
    entry = context.ledger.entry(context.name, JOB, task.key)
    unknown = Progress(Stage.UNSURE, task.delivery.done, task.delivery.order_id)
    return Progress.read(entry) or unknown


def remember(context: Context, task: Task, stage: Stage) -> None:
    """Remember how far the delivery order is; while it isn't told, since when it is done."""
    since = context.clock() if stage == Stage.SENT else task.delivery.done
    progress = Progress(stage, since, task.delivery.order_id, task.delivery.lacks)
    context.ledger.remember(context.name, JOB, task.key, progress.text())


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery order that is done and that Amazon hasn't been told of."""

    display_key: str
    """As people see it: name, order and database id."""
    delivery_order: str
    """Its name."""
    order_id: str
    since: datetime
    lacks: tuple[str, ...]
    """Empty: it can be told, and the next round does."""


def waiting(ledger: Ledger, account: str) -> list[Waiting]:
    """An account's delivery orders that Amazon is still to be told of, those done first in front.

    As the last round found them.
    """
    found = [
        Waiting(
            entry.display_key, entry.label or "", progress.order_id, progress.since, progress.lacks
        )
        for entry in ledger.pending_entries(account, JOB)
        if (progress := Progress.read(entry)) and progress.stage != Stage.SENT
    ]
    return sorted(found, key=lambda each: (each.since, each.delivery_order))
