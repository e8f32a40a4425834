"""Checks of imported orders; each finds orders that a person must settle."""

from __future__ import annotations

from collections.abc import Sequence

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.amounts import alike
from amazon_bridge.flows.orders.batch import Batch, Result
from amazon_bridge.flows.orders.decide import LIVE, TO_BE_SHIPPED, Step
from amazon_bridge.flows.orders.memo import entry_of, memo_of, was_settled
from amazon_bridge.model import FulfilledBy, Order
from amazon_bridge.odoo.drop_shipping import bought_lines
from amazon_bridge.odoo.sales import SaleOrder


def find_without_delivery(context: Context, batch: Batch) -> Result:
    """Find orders that the merchant is to ship and that are confirmed without any delivery.

    What a vendor ships to the customer has none until somebody confirms the purchase.
    """
    without = {
        order.order_id: sale_order
        for order, sale_order in batch.imported
        if order.fulfilled_by == FulfilledBy.MERCHANT
        and order.status in TO_BE_SHIPPED
        and sale_order.is_confirmed
        and not sale_order.deliveries
    }
    bought = set(bought_lines(context.odoo, {each.id for each in without.values()}).values())
    return Result({k: _nothing_to_ship(s) for k, s in without.items() if s.id not in bought})


def _nothing_to_ship(sale_order: SaleOrder) -> ItemError:
    return ItemError(
        "nothing_to_ship",
        f"{sale_order.name} is confirmed, but Odoo created no delivery for it: none of its products"
        " is moved by the warehouse.",
        "Ship it and confirm the shipment in Seller Central. For later orders, set the product's"
        " type to Goods in Odoo (Inventory > Products), or name another in the account's"
        " `product_map`.",
    )


def find_misdirected(context: Context, batch: Batch) -> Result:
    """Find orders that Amazon has shipped and whose goods wait to leave the merchant's warehouse.

    Their route was archived after the run had read the setup and before they were confirmed.
    """
    found = {
        order.order_id: _misdirected(context, sale_order)
        for order, sale_order in batch.imported
        if order.fulfilled_by == FulfilledBy.AMAZON and not sale_order.goods_left
    }
    return Result({key: _leaves_warehouse(names) for key, names in found.items() if names})


def _misdirected(context: Context, sale_order: SaleOrder) -> list[str]:
    """Names of the open deliveries whose source is not the FBA location."""
    return [
        delivery.name
        for delivery in sale_order.deliveries
        if delivery.is_open
        and delivery.outgoing
        and delivery.location_id != context.setup.fba_location_id
    ]


def _leaves_warehouse(names: Sequence[str]) -> ItemError:
    return ItemError(
        "needs_attention",
        f"Amazon has shipped this order, but {', '.join(names)} would take its goods out of another"
        " location than Amazon's.",
        "Set the source location of the delivery to Amazon's location in Odoo (Inventory >"
        " Transfers), then retry: the bridge validates it.",
    )


def find_unpriced(context: Context, batch: Batch) -> Result:
    """Find orders that somebody confirmed, and perhaps locked, before they got their prices."""
    errors = {
        order.order_id: _confirmed_too_early(order, sale_order)
        for order, sale_order in batch.imported
        if order.worth and _is_unpriced(context, sale_order)
    }
    return Result(errors)


def _is_unpriced(context: Context, sale_order: SaleOrder) -> bool:
    """True if it is confirmed with a total of 0 and no run has processed it to its end."""
    if sale_order.total or not sale_order.is_confirmed:
        return False
    return not was_settled(entry_of(context, sale_order.order_id))


def _confirmed_too_early(order: Order, sale_order: SaleOrder) -> ItemError:
    return ItemError(
        "needs_attention",
        f"{sale_order.name} was confirmed by somebody before it had its prices: its total is 0,"
        f" the order's on Amazon is {order.worth} {order.currency}.",
        "Enter the prices in the sale order in Odoo, then retry.",
    )


def find_changed_worth(context: Context, batch: Batch) -> Result:
    """Find orders that Amazon has changed since they were imported, as by cancelling units."""
    errors = {
        order.order_id: _changed_worth(order, sale_order)
        for order, sale_order in batch.sale_orders_with(Step.NOTHING)
        if _has_changed_worth(context, order) and sale_order.total != order.worth
    }
    return Result(errors)


def _changed_worth(order: Order, sale_order: SaleOrder) -> ItemError:
    amazons, odoos = alike(order.worth, sale_order.total)
    return ItemError(
        "needs_attention",
        f"Amazon now says {amazons} {order.currency}; the sale order {sale_order.name} was"
        f" imported before, with a total of {odoos} {sale_order.currency}.",
        "Correct the quantities or prices of the sale order in Odoo, then retry.",
    )


def _has_changed_worth(context: Context, order: Order) -> bool:
    memo = memo_of(context, order.order_id)
    return order.status in LIVE and memo is not None and memo.worth != order.worth
