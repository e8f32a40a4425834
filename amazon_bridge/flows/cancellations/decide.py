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
class CancellationTask:
    """A sale order that was cancelled in Odoo and may have to be cancelled on Amazon."""

    sale_order: SaleOrder
    tags: tuple[str, ...]
    shipped_by_amazon: bool

    @property
    def order_id(self) -> str:
        return self.sale_order.order_id

    @property
    def is_cancellable(self) -> bool:
        """True if neither Amazon nor the merchant has shipped it, as far as Odoo knows."""
        return not self.shipped_by_amazon and not self.sale_order.goods_left


@dataclass(frozen=True, slots=True)
class Resolution:
    """The state in which to settle an order without notifying Amazon, and the note about it."""

    sale_order: SaleOrder
    state: State
    note: Note | None = None


def decide(
    task: CancellationTask, order: Order, *, reason: str, feeds: int
) -> Cancellation | Resolution | ItemError:
    """Decide what to do about a cancelled sale order. Partly shipped orders are never cancelled.

    Args:
        task: the sale order.
        order: as Amazon shows it now.
        reason: the account's default cancel reason.
        feeds: the number of feeds that named the order.
    """
    if order.status == FulfillmentStatus.CANCELLED:
        note = tell.ACCEPTED if feeds else tell.ALREADY_CANCELLED
        return Resolution(task.sale_order, State.DONE, note)
    if why := _why_not_cancellable(task, order):
        return _needs_attention(task, why)
    if order.status != FulfillmentStatus.UNSHIPPED:
        return ItemError(
            "not_cancellable",
            f"Amazon shows the order as {order.status}, a status in which it can't be cancelled.",
            "Look at the order in Seller Central and settle it there; or retry.",
        )
    return _cancellation(task, order, reason)


def _why_not_cancellable(task: CancellationTask, order: Order) -> str:
    if task.shipped_by_amazon:
        return "Amazon ships it itself"
    if task.sale_order.goods_left:
        return "goods of it have left"
    return "Amazon has it as shipped" if order.packages or order.status in _SHIPPED else ""


_SHIPPED = {FulfillmentStatus.PARTIALLY_SHIPPED, FulfillmentStatus.SHIPPED}


def _needs_attention(task: CancellationTask, why: str) -> ItemError:
    """The error of an order that must not be cancelled: Amazon would refund all of it."""
    return ItemError(
        "needs_attention",
        f"{task.sale_order.name} was cancelled in Odoo, but {why}. The cancellation was not sent to"
        " Amazon, which would refund the whole order.",
        "Refund in Seller Central what must be refunded, and correct deliveries and invoices in"
        " Odoo. Then mark the activity on the sale order as done and retry.",
    )


def _cancellation(task: CancellationTask, order: Order, reason: str) -> Cancellation:
    tagged = tagged_reason(task.tags)
    requested = [i.order_item_id for i in order.items if i.buyer_requested_cancellation]
    return Cancellation(
        order_id=task.order_id,
        sale_order_name=task.sale_order.name,
        order_item_ids=tuple(item.order_item_id for item in order.items),
        reason=tagged or reason,
        item_reasons=() if tagged else tuple((item_id, _BUYER_CANCELED) for item_id in requested),
    )


_BUYER_CANCELED: CancelReason = "BuyerCanceled"


def tagged_reason(tags: Iterable[str]) -> str | None:
    """Return the first tag that is one of Amazon's cancel reasons, if any.

    Case, spaces and hyphens are ignored: ``Customer exchange`` is ``CustomerExchange``.
    """
    reasons = {reason.casefold(): reason for reason in get_args(CancelReason)}
    words = ("".join(c for c in tag.casefold() if c.isalpha()) for tag in tags)
    return next((reasons[word] for word in words if word in reasons), None)


def error_of_deleted(order: Order) -> ItemError | None:
    """The error of an order whose sale order was deleted; None if Amazon has cancelled it."""
    if order.status == FulfillmentStatus.CANCELLED:
        return None
    return ItemError(
        "needs_attention",
        "Its sale order was cancelled and then deleted in Odoo before the cancellation was sent to"
        f" Amazon, where the order is {order.status}.",
        "Cancel it in Seller Central; or import it again: amazon-bridge order recover ACCOUNT"
        f" {order.order_id}. Then retry.",
    )


def is_shipped_by_amazon(fulfilled_by: str) -> bool:
    """True if anyone but the merchant ships the order."""
    return fulfilled_by != FulfilledBy.MERCHANT
