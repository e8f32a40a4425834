"""Orders that are cancelled in Odoo, and what Amazon and people see of it."""

import json
from typing import Any

from amazon_models import validate_request
from bridge import Bridge
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.simulator import Line, Order

CANCELLED_NOTE = "Amazon: told of the cancellation"
NOT_SENT = "Amazon: cancellation not told"
KNOWN = "Amazon: cancelled there too"
REFUSED = "Amazon doesn't cancel this order"
HELD = "Amazon: cancellation held"
OPERATIONS = ("createFeedDocument", "createFeed")


def check_feeds(bridge: Bridge) -> None:
    """Check that every feed that was sent has the form that Amazon documents."""
    for operation in OPERATIONS:
        for request in bridge.received(operation):
            validate_request(operation, body=json.loads(request.body))
    for request in bridge.received("getFeeds"):
        validate_request("getFeeds", query=request.query)


def place(bridge: Bridge, number: int = 1, **settings: Any) -> list[Order]:
    """Orders imported into Odoo, ready to be delivered."""
    world = bridge.simulator.world
    orders = [
        world.place_order("FR", [Line(quantity=2), Line()], **settings) for _ in range(number)
    ]
    bridge.sync("orders")
    return orders


def goes_by(bridge: Bridge, **duration: float) -> dict[str, Any]:
    """Time for Amazon to process a feed, and a run."""
    bridge.clock.advance(**(duration or {"minutes": 5}))
    return bridge.sync("cancellations")


def an_hour_passes(bridge: Bridge) -> None:
    """Odoo's clock is not shifted: late changes are found by the scan that looks back hourly."""
    bridge.clock.advance(hours=1)


def statuses(world: SettledWorld, orders: list[Order]) -> set[str]:
    return {world.order(order.order_id).status for order in orders}


def said(warehouse: Warehouse, order: Order) -> dict[str, str]:
    return warehouse.notes("sale.order", warehouse.shop.sale_order(order)["id"])


def activities(warehouse: Warehouse, order: Order) -> dict[str, str]:
    return warehouse.activities("sale.order", warehouse.shop.sale_order(order)["id"])


def ids(orders: list[Order]) -> list[str]:
    return sorted(order.order_id for order in orders)
