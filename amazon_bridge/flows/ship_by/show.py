"""Orders to ship as people and programs see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from amazon_bridge.flows.links import Links
from amazon_bridge.flows.ship_by.decide import OrderToShip, counts, risk_of
from amazon_bridge.marketplaces import country_of
from amazon_bridge.terminal import timestamp


def as_json(orders: Sequence[OrderToShip], now: datetime, links: Links) -> dict[str, Any]:
    """An account's orders to ship, with the number of each risk."""
    listed = [_as_json(order, now, links) for order in orders]
    numbers = {str(risk): number for risk, number in counts(orders, now).items()}
    return {**numbers, "orders": listed}


def _as_json(order: OrderToShip, now: datetime, links: Links) -> dict[str, Any]:
    return {
        "order": order.order_id,
        "risk": risk_of(order, now),
        "ship_by": timestamp(order.ship_by),
        "marketplace": country_of(order.marketplace_id) if order.marketplace_id else None,
        "obstacle": order.obstacle,
        "note": order.note,
        "delivery_order": order.delivery,
        "odoo_url": odoo_url(order, links),
        "amazon_url": links.amazon(order.account, order.order_id, order.marketplace_id),
    }


def odoo_url(order: OrderToShip, links: Links) -> str | None:
    """The link to its delivery order in Odoo, else to its sale order, if there is one."""
    if order.delivery_id:
        return links.delivery_order(order.delivery_id)
    return links.sale_order(order.sale_order_id) if order.sale_order_id else None


def line(order: OrderToShip) -> str:
    """An order in one line of text."""
    country = f", {country_of(order.marketplace_id)}" if order.marketplace_id else ""
    by = f"ship by {order.ship_by:%Y-%m-%d %H:%M} UTC"
    return f"{order.order_id} ({order.account}{country}): {by}; {order.note}"
