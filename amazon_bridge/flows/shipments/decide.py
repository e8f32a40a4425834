"""What of a delivery order to tell Amazon, and when: pure rules."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import TypeGuard

from amazon_bridge.amazon.shipments import carrier_for
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Entry, State
from amazon_bridge.flows import orders
from amazon_bridge.flows.shipments.progress import Progress
from amazon_bridge.model import FulfilledBy, Order, Shipment
from amazon_bridge.odoo.delivery_orders import DeliveryOrder, Shipped

_READ_BACK_AFTER = timedelta(minutes=10)
_READ_BACKS = 20
"""A round reads back this many at most: getOrder allows 30 at once, then one in two seconds."""


class Outcome(StrEnum):
    """What came of a delivery order in a round."""

    SENT = auto()
    """Amazon was told, and accepted it."""
    CONFIRMED = auto()
    """Amazon shows the package."""
    ELSEWHERE = auto()
    """Amazon was told by someone else, such as in Seller Central."""
    PATIENCE = auto()
    """Amazon doesn't show the package yet."""


@dataclass(frozen=True, slots=True)
class Task:
    """A delivery order that Amazon is to be told of, or is yet to show."""

    delivery: DeliveryOrder
    memo: orders.Memo
    shipped: tuple[Shipped, ...]

    @property
    def key(self) -> str:
        return self.delivery.key


def shipment_of(task: Task, carriers: Mapping[str, str], now: datetime) -> Shipment:
    """What Amazon is told: of several tracking references the first.

    The ship date is when the delivery order was done, not before the order and not in the
    future, as confirmShipment demands.

    Raises:
        ItemError: the units of a kit can't be told.
    """
    delivery = task.delivery
    if any(each.quantity is None for each in task.shipped):
        raise ItemError(
            "kit_unclear",
            f"How many units of the item left with {delivery.name} can't be told from its moves.",
            "Confirm the whole order in Seller Central, then: amazon-bridge quarantine retry.",
        )
    carrier = carrier_for(delivery.carrier or "", carriers)
    return Shipment(
        order_id=delivery.order_id,
        marketplace_id=task.memo.marketplace_id,
        package_reference_id=str(delivery.id),
        carrier_code=carrier.code,
        carrier_name=carrier.name,
        shipping_method=carrier.method,
        tracking_number=delivery.tracking_references[0],
        ship_date=max(delivery.ordered, min(delivery.done, now)),
        quantities=tuple((s.order_item_id, s.quantity) for s in task.shipped if s.quantity),
    )


def is_open(delivery: DeliveryOrder, entry: Entry | None) -> bool:
    """True unless it is settled, or quarantined and unchanged since."""
    if entry is None or entry.state == State.PENDING:
        return True
    return entry.state == State.QUARANTINED and entry.fingerprint != fingerprint(delivery)


def fingerprint(delivery: DeliveryOrder) -> str:
    """Of what a person can correct when Amazon refuses it."""
    told = f"{delivery.carrier}\n{delivery.tracking_reference}"
    return hashlib.sha256(told.encode()).hexdigest()


def is_merchants(memo: orders.Memo | ItemError | None) -> TypeGuard[orders.Memo]:
    """True for an order of this account that the merchant ships."""
    return isinstance(memo, orders.Memo) and memo.fulfilled_by == FulfilledBy.MERCHANT


def shows(order: Order, task: Task) -> bool:
    """True if Amazon shows the delivery order's package."""
    return any(p.package_reference_id == str(task.delivery.id) for p in order.packages)


def to_be_read_back(
    sent: Sequence[Task], progresses: Mapping[str, Progress], now: datetime
) -> list[Task]:
    """As many as a round takes, those first that weren't looked at for longest."""
    last = {task.key: progresses[task.key].asked or progresses[task.key].since for task in sent}
    due = [task for task in sent if now - last[task.key] >= _READ_BACK_AFTER]
    return sorted(due, key=lambda task: last[task.key])[:_READ_BACKS]
