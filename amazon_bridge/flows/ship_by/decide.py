"""How urgent an order is that the merchant still has to ship. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from amazon_bridge.marketplaces import local_date

SOON = timedelta(days=3)
"""Of orders due later than this, nobody needs to look at missing stock yet. Includes a weekend."""


class Risk(StrEnum):
    """How urgent an order is, the worst first."""

    OVERDUE = "overdue"
    DUE_TODAY = "due_today"
    AT_RISK = "at_risk"
    ON_TRACK = "on_track"


class Obstacle(StrEnum):
    """What keeps an order from leaving."""

    NOTHING = "nothing"
    QUARANTINED = "quarantined"
    NOT_IMPORTED = "not_imported"
    NO_DELIVERY = "no_delivery"
    """Odoo has no open delivery order for it."""
    NO_STOCK = "no_stock"
    """The stock of its delivery order is not reserved, or only in part."""
    NOT_CONFIRMED = "not_confirmed"
    """It has left or was cancelled in Odoo, and Amazon doesn't know that."""
    UNKNOWN = "unknown"
    """Odoo could not be read, or not since the order was processed."""


_STEADY = {Obstacle.NOTHING, Obstacle.UNKNOWN}
"""These don't make an order late by themselves."""


@dataclass(frozen=True, slots=True)
class OrderToShip:
    """A merchant-fulfilled order that is not shipped, as far as Amazon knows."""

    account: str
    order_id: str
    ship_by: datetime
    """The last moment at which Amazon counts it as shipped in time."""
    obstacle: Obstacle
    note: str
    """The state of its delivery, for people."""
    marketplace_id: str | None = None
    delivery_id: int | None = None
    """The database id of its delivery order in Odoo."""
    delivery: str | None = None
    """The name of that delivery order."""
    sale_order_id: int | None = None


def risk_of(order: OrderToShip, now: datetime) -> Risk:
    """Return how urgent an order is.

    "Today" is a day in the marketplace's time zone.
    """
    if order.ship_by < now:
        return Risk.OVERDUE
    last_moment = order.ship_by - timedelta(microseconds=1)  # it may be midnight, the end of a day
    if _day(order, last_moment) == _day(order, now):
        return Risk.DUE_TODAY
    is_soon = order.ship_by - now <= SOON or order.obstacle is Obstacle.QUARANTINED
    return Risk.AT_RISK if is_soon and order.obstacle not in _STEADY else Risk.ON_TRACK


def _day(order: OrderToShip, at: datetime) -> object:
    return local_date(at, order.marketplace_id)


def counts(orders: Collection[OrderToShip], now: datetime) -> dict[Risk, int]:
    """Return the number of orders of each risk; zeros included."""
    numbers = Counter(risk_of(order, now) for order in orders)
    return {risk: numbers[risk] for risk in Risk}


def is_alarming(order: OrderToShip, now: datetime, before: timedelta) -> bool:
    """True if the order is overdue, or will be within ``before``."""
    return order.ship_by - now <= before
