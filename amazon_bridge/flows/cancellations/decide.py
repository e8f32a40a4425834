"""What to do about an order that is cancelled in Odoo: pure rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from amazon_bridge.config.values import CancelReason
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import State
from amazon_bridge.flows.cancellations import tell
from amazon_bridge.model import Cancellation, FulfilledBy, FulfillmentStatus, Order
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.sales import SaleOrder


@dataclass(frozen=True, slots=True)
class Task:
    """A sale order that was cancelled in Odoo, and that Amazon may have to be told of."""

    sale_order: SaleOrder
    tags: tuple[str, ...]
    shipped_by_amazon: bool

    @property
    def order_id(self) -> str:
        return self.sale_order.order_id

    @property
    def is_tellable(self) -> bool:
        """As far as Odoo knows: Amazon has not shipped it, nor have we."""
        return not self.shipped_by_amazon and not self.sale_order.goods_left


@dataclass(frozen=True, slots=True)
class Ending:
    """How an order ends that Amazon isn't to be told of, and what is said about it in Odoo."""

    sale_order: SaleOrder
    state: State
    note: Note | None = None


def decide(
    task: Task, order: Order, *, reason: str, feeds: int
) -> Cancellation | Ending | ItemError:
    """What to do about a cancelled sale order. Never cancel an order that has shipped in part.

    Args:
        task: the sale order.
        order: as Amazon shows it now.
        reason: the account's, for Amazon.
        feeds: the number of feeds that named the order.
    """
    if order.status == FulfillmentStatus.CANCELLED:
        note = tell.TOLD if feeds else tell.CANCELLED_THERE_ALREADY
        return Ending(task.sale_order, State.DONE, note)
    if why := _why_untellable(task, order):
        return _needs_attention(task, why)
    if order.status != FulfillmentStatus.UNSHIPPED:
        return ItemError(
            "not_cancellable",
            f"Amazon shows the order as {order.status}, a status in which it can't be cancelled.",
            "Look at the order in Seller Central and settle it there; or retry.",
        )
    return _cancellation(task, order, reason)


def _why_untellable(task: Task, order: Order) -> str:
    if task.shipped_by_amazon:
        return "Amazon ships it itself"
    if task.sale_order.goods_left:
        return "goods of it have left"
    return "Amazon has it as shipped" if order.packages or order.status in _SHIPPED else ""


_SHIPPED = {FulfillmentStatus.PARTIALLY_SHIPPED, FulfillmentStatus.SHIPPED}


def _needs_attention(task: Task, why: str) -> ItemError:
    """Cancelling on Amazon would refund the whole order."""
    return ItemError(
        "needs_attention",
        f"{task.sale_order.name} was cancelled in Odoo, but {why}. Amazon was not told of the"
        " cancellation: it would refund the whole order.",
        "Refund in Seller Central what is to be refunded, and bring goods and books in Odoo in"
        " line. Then mark the activity on the sale order as done and retry.",
    )


def _cancellation(task: Task, order: Order, reason: str) -> Cancellation:
    tagged = tagged_reason(task.tags)
    asked = [i.order_item_id for i in order.items if i.buyer_requested_cancellation]
    return Cancellation(
        order_id=task.order_id,
        sale_order_name=task.sale_order.name,
        order_item_ids=tuple(item.order_item_id for item in order.items),
        reason=tagged or reason,
        item_reasons=() if tagged else tuple((item_id, _BUYER_CANCELED) for item_id in asked),
    )


_BUYER_CANCELED: CancelReason = "BuyerCanceled"


def tagged_reason(tags: Iterable[str]) -> str | None:
    """The tag of an order that is one of Amazon's reasons, if there is one.

    Capitals, spaces and hyphens don't matter: ``Customer exchange`` is ``CustomerExchange``.
    """
    reasons = {reason.casefold(): reason for reason in get_args(CancelReason)}
    words = ("".join(c for c in tag.casefold() if c.isalpha()) for tag in tags)
    return next((reasons[word] for word in words if word in reasons), None)


def deleted(order: Order) -> ItemError | None:
    """The error of an order whose sale order was deleted before Amazon was told, if it has one."""
    if order.status == FulfillmentStatus.CANCELLED:
        return None
    return ItemError(
        "needs_attention",
        "Its sale order was cancelled and then deleted in Odoo before Amazon was told; Amazon has"
        f" the order as {order.status}.",
        "Cancel it in Seller Central; or import it again: amazon-bridge order recover ACCOUNT"
        f" {order.order_id}. Then retry.",
    )


def is_shipped_by_amazon(fulfilled_by: str) -> bool:
    """Anyone but the merchant ships the order."""
    return fulfilled_by != FulfilledBy.MERCHANT
