"""The total that Amazon states, for orders whose figures contradict each other."""

from __future__ import annotations

from decimal import Decimal

from amazon_bridge.amazon.payloads import OrderPayload
from amazon_bridge.amazon.proceeds import NOTHING, OrderProceeds
from amazon_bridge.marketplaces import smallest_unit
from amazon_bridge.model import Charge, ChargeKind


def stated_proceeds(order: OrderPayload) -> OrderProceeds:
    """The stated grand total as a charge of the first item with units; empty if there is none."""
    charges = [NOTHING for _ in order.order_items]
    stated = order.proceeds.grand_total
    if stated is None or not charges:
        return OrderProceeds(tuple(charges), None)
    amount = Decimal(stated.amount).quantize(smallest_unit(stated.currency_code))
    with_units = (n for n, item in enumerate(order.order_items) if item.quantity_ordered)
    charges[next(with_units, 0)] = (Charge(ChargeKind.ITEM, amount),)
    return OrderProceeds(tuple(charges), stated.currency_code)
