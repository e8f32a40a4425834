"""What to do about an order that is cancelled in Odoo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from amazon_bridge.config.values import CancelReason
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import State
from amazon_bridge.flows import orders
from amazon_bridge.flows.cancellations import tell
from amazon_bridge.flows.cancellations.memo import feeds_without_effect
from amazon_bridge.flows.context import Context
from amazon_bridge.model import Cancellation, FulfilledBy, FulfillmentStatus
from amazon_bridge.odoo.cancelled_orders import CancelledOrder
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.sales import SaleOrder


@dataclass(frozen=True, slots=True)
class Task:
    """A sale order whose cancellation Amazon is to be told of."""

    sale_order: SaleOrder
    reason: str

    @property
    def order_id(self) -> str:
        return self.sale_order.order_id


@dataclass(frozen=True, slots=True)
class Ending:
    """How an order ends that Amazon isn't to be told of, and what is said about it in Odoo."""

    sale_order: SaleOrder
    state: State
    note: Note | None = None


def judge(
    context: Context, each: CancelledOrder, memo: orders.Memo | ItemError | None
) -> Task | Ending | ItemError:
    """What to do about a cancelled sale order, given what is known of its Amazon order."""
    if isinstance(memo, ItemError):
        return memo
    if memo is None:  # another account's
        return Ending(each.sale_order, State.LEFT_OUT)
    if memo.fulfilled_by != FulfilledBy.MERCHANT:
        return Ending(each.sale_order, State.LEFT_OUT, tell.SHIPPED_BY_AMAZON)
    if each.sale_order.goods_left:
        return Ending(each.sale_order, State.LEFT_OUT, tell.GOODS_LEFT)
    return Task(each.sale_order, reason_of(each.tags, context.account.cancel_reason))


def reason_of(tags: Iterable[str], default: str) -> str:
    """The reason that Amazon is told: a tag of the order that is one of Amazon's, else the default.

    Capitals, spaces and hyphens don't matter: ``Customer exchange`` is ``CustomerExchange``.
    """
    reasons = {reason.casefold(): reason for reason in get_args(CancelReason)}
    words = ("".join(c for c in tag.casefold() if c.isalpha()) for tag in tags)
    return next((reasons[word] for word in words if word in reasons), default)


def look(context: Context, task: Task) -> Cancellation | Ending:
    """Never cancel an order of which anything has shipped.

    Raises:
        ItemError: the order is in no state to be cancelled, or can't be understood.
        Transient: Amazon is down.
    """
    order = orders.fetch(context, task.order_id)
    if order.status == FulfillmentStatus.CANCELLED:
        told = feeds_without_effect(context, task.order_id) > 0
        return Ending(
            task.sale_order, State.DONE, tell.TOLD if told else tell.CANCELLED_THERE_ALREADY
        )
    if order.packages or order.status in _SHIPPED:
        return Ending(task.sale_order, State.LEFT_OUT, tell.SHIPPED_THERE)
    if order.status != FulfillmentStatus.UNSHIPPED:
        raise ItemError(
            "not_cancellable",
            f"Amazon has the order as {order.status}, in which it can't be cancelled.",
            "Look at the order in Seller Central and settle it there; or retry.",
        )
    return Cancellation(
        order_id=task.order_id,
        sale_order_name=task.sale_order.name,
        order_item_ids=tuple(item.order_item_id for item in order.items),
        reason=task.reason,
    )


_SHIPPED = {FulfillmentStatus.PARTIALLY_SHIPPED, FulfillmentStatus.SHIPPED}
