"""Cancels sale orders whose orders were cancelled on Amazon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows import notices
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import tell
from amazon_bridge.flows.orders.batch import Batch, Result, errors_of_one
from amazon_bridge.flows.orders.decide import Step
from amazon_bridge.flows.orders.memo import JOB, Memo, memo_of
from amazon_bridge.flows.orders.pieces import known_pieces
from amazon_bridge.model import FulfillmentStatus, Order
from amazon_bridge.odoo import notes, sale_actions, sales
from amazon_bridge.odoo.sales import SaleOrder


def cancel(context: Context, batch: Batch) -> Result:
    """Cancel the sale orders of orders that Amazon has cancelled.

    Returns:
        The error of an order that Odoo doesn't cancel.

    Raises:
        ItemError: Odoo left some of several as they are; see ``errors_of_one``.
    """
    cancelled = batch.sale_orders_with(Step.CANCEL)
    if not cancelled:
        return Result()
    _remember(context, [order for order, _ in cancelled])
    before = {order.order_id: sale_order for order, sale_order in cancelled}
    try:
        objection = sale_actions.cancel(context.odoo, before.values())
    except ItemError as error:
        errors = {key: _not_cancelled(each, error.reason) for key, each in before.items()}
        return Result(errors_of_one(errors, len(before)))
    return _check_cancelled(context, before, objection)


def _check_cancelled(context: Context, before: Mapping[str, SaleOrder], objection: str) -> Result:
    now = sales.read(context.odoo, {key: sale_order.id for key, sale_order in before.items()})
    left = [key for key, sale_order in now.items() if not sale_order.is_cancelled]
    sale_actions.lock(context.odoo, [before[key].id for key in left if before[key].is_locked])
    _explain(context, [now[key] for key in now if key not in left])
    errors = {key: _not_cancelled(before[key], objection) for key in left}
    return Result(errors_of_one(errors, len(before)))


def explain_interrupted(context: Context, batch: Batch) -> Result:
    """Explain cancellations of an earlier run that was interrupted before it could."""
    cancelled = [
        sale_order
        for order, sale_order in batch.sale_orders_with(Step.NOTHING)
        if order.status == FulfillmentStatus.CANCELLED and _is_ours(context, sale_order)
    ]
    _explain(context, cancelled)
    return Result()


def _remember(context: Context, orders: Sequence[Order]) -> None:
    """Remember that Amazon cancelled these orders, until a note in Odoo says so.

    As settled, also if the import was never finished: other jobs rely on settled memos only.
    """
    for order in orders:
        former = memo_of(context, order.order_id)
        memo = former or Memo.of(order, known_pieces(context, order, None))
        memo = replace(memo, cancelling=True, is_settled=True)
        context.ledger.items.remember(context.name, JOB, order.order_id, memo)


def _is_ours(context: Context, sale_order: SaleOrder) -> bool:
    memo = memo_of(context, sale_order.order_id)
    return sale_order.is_cancelled and memo is not None and memo.cancelling


def _explain(context: Context, sale_orders: Sequence[SaleOrder]) -> None:
    posted = {sale_order.id: tell.CANCELLED_THERE for sale_order in sale_orders}
    notices.post(context, notes.SALE_ORDER, posted, in_batch=True)


def _not_cancelled(sale_order: SaleOrder, objection: str) -> ItemError:
    why = f": {objection.rstrip('.')}" if objection else ", and does not say why"
    return ItemError(
        "not_cancelled",
        f"Cancelled on Amazon, but Odoo did not cancel {sale_order.name}{why}.",
        "Don't ship it. Cancel the sale order in Odoo, which shows what is in the way; then retry.",
        dont_ship=True,
    )
