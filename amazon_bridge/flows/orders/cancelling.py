"""Sale orders of orders that were cancelled on Amazon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows import notices
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import tell
from amazon_bridge.flows.orders.memo import JOB, Memo
from amazon_bridge.flows.orders.pieces import known_pieces
from amazon_bridge.model import FulfillmentStatus, Order
from amazon_bridge.odoo import notes, sale_actions, sales
from amazon_bridge.odoo.sales import SaleOrder


def cancel(
    context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> dict[str, ItemError]:
    """Cancel sale orders, and return the error of one that Odoo doesn't cancel.

    Raises:
        ItemError: Odoo left some of several as they are. One of them may be the cause, so they
            are to be tried in smaller batches.
    """
    if not orders:
        return {}
    _remember(context, orders)
    before = {order.order_id: standing[order.order_id] for order in orders}
    try:
        objection = sale_actions.cancel(context.odoo, before.values())
    except ItemError as error:
        if len(orders) > 1:
            raise
        return {key: _not_cancelled(sale_order, error.reason) for key, sale_order in before.items()}
    return _check_cancelled(context, before, objection)


def _check_cancelled(
    context: Context, before: Mapping[str, SaleOrder], objection: str
) -> dict[str, ItemError]:
    now = sales.read(context.odoo, {key: sale_order.id for key, sale_order in before.items()})
    left = [key for key, sale_order in now.items() if not sale_order.is_cancelled]
    sale_actions.lock(context.odoo, [before[key].id for key in left if before[key].is_locked])
    _explain(context, [now[key] for key in now if key not in left])
    errors = {key: _not_cancelled(before[key], objection) for key in left}
    if errors and len(before) > 1:
        raise errors[left[0]]
    return errors


def explain_interrupted(
    context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> None:
    """Explain cancellations of an earlier run that was interrupted before it could."""
    cancelled = [standing[o.order_id] for o in orders if o.status == FulfillmentStatus.CANCELLED]
    _explain(context, [each for each in cancelled if _is_ours(context, each)])


def _remember(context: Context, orders: Sequence[Order]) -> None:
    """Remember that these cancellations are Amazon's, as long as no note in Odoo says so."""
    for order in orders:
        former = Memo.read(context.ledger.items.get(context.name, JOB, order.order_id))
        memo = former or Memo.of(order, known_pieces(context, order, None))
        memo = replace(memo, cancelling=True)
        context.ledger.items.remember(context.name, JOB, order.order_id, memo)


def _is_ours(context: Context, sale_order: SaleOrder) -> bool:
    memo = Memo.read(context.ledger.items.get(context.name, JOB, sale_order.order_id))
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
