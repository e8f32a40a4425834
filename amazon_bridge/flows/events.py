"""What happens to orders, for the statistics: see ``OrderStatistics`` of the state store."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from amazon_bridge.engine.records import Event
from amazon_bridge.model import FulfilledBy, Order


class OrderEvent(StrEnum):
    """The events that are counted."""

    IMPORTED = "imported"
    """Its sale order is complete in Odoo, this long after the purchase."""
    CANCELLED = "cancelled"
    """In Odoo because Amazon had cancelled it, or on Amazon because Odoo had."""
    CONFIRMED = "confirmed"
    """A shipment, to Amazon, this long after the delivery order was done."""


def imported(order: Order, now: datetime) -> Event:
    """Event of an order that is complete in Odoo now."""
    return Event(OrderEvent.IMPORTED, order.fulfilled_by or "", now - order.created)


def cancelled(order: Order) -> Event:
    """Event of an order that Odoo has cancelled because Amazon had."""
    return Event(OrderEvent.CANCELLED, order.fulfilled_by or "")


CANCELLED_ON_AMAZON = Event(OrderEvent.CANCELLED, FulfilledBy.MERCHANT)


def confirmed(done: datetime, now: datetime) -> Event:
    """Event of a shipment whose delivery order was done at a moment."""
    return Event(OrderEvent.CONFIRMED, FulfilledBy.MERCHANT, now - done)
