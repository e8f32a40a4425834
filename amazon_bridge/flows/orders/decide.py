"""What to do about an order: pure rules on what Amazon shows and what exists in Odoo."""

from __future__ import annotations

from enum import StrEnum, auto

from amazon_bridge.model import FulfilledBy, FulfillmentStatus, Order
from amazon_bridge.odoo.sales import SaleOrder


class Step(StrEnum):
    """What is to be done about an order."""

    IMPORT = auto()
    """Make its sale order, confirm it and, for FBA, do its delivery."""
    COMPLETE = auto()
    """Go on where an earlier round was interrupted."""
    CANCEL = auto()
    HOLD = auto()
    """Cancelled on Amazon although goods have left, or an invoice is made: people must look."""
    NOTHING = auto()
    LEAVE_OUT = auto()
    """It is not to stand in Odoo."""
    NOT_OURS = auto()
    """Someone made a sale order for it by hand."""


def decide(
    order: Order, sale_order: SaleOrder | None, *, fba_location_id: int, filed_before: bool
) -> Step:
    """What to do about an order, given what stands in Odoo.

    Args:
        order: as Amazon shows it now.
        sale_order: the one that stands for it in Odoo.
        fba_location_id: the stock location that FBA goods leave from.
        filed_before: an earlier round saw the order when it was to be imported.
    """
    if not order.sold_on_amazon or order.fulfilled_by is None:
        return Step.LEAVE_OUT
    if sale_order is None:
        return Step.IMPORT if to_be_imported(order, filed_before=filed_before) else Step.LEAVE_OUT
    if not sale_order.made_by_bridge:
        return Step.NOT_OURS
    if order.status == FulfillmentStatus.CANCELLED:
        return _about_cancelled(sale_order)
    if order.status not in LIVE or sale_order.is_cancelled:
        return Step.NOTHING
    return Step.COMPLETE if _is_unfinished(order, sale_order, fba_location_id) else Step.NOTHING


LIVE = {
    FulfillmentStatus.UNSHIPPED,
    FulfillmentStatus.PARTIALLY_SHIPPED,
    FulfillmentStatus.SHIPPED,
}


def to_be_imported(order: Order, *, filed_before: bool) -> bool:
    """FBA when Amazon has shipped; FBM when there is something to ship, or was when first seen."""
    if order.fulfilled_by == FulfilledBy.AMAZON:
        return order.status == FulfillmentStatus.SHIPPED
    if order.status == FulfillmentStatus.SHIPPED:
        return filed_before
    return order.status in {FulfillmentStatus.UNSHIPPED, FulfillmentStatus.PARTIALLY_SHIPPED}


def _about_cancelled(sale_order: SaleOrder) -> Step:
    if sale_order.is_cancelled:
        return Step.NOTHING
    return Step.HOLD if sale_order.goods_left or sale_order.is_invoiced else Step.CANCEL


def _is_unfinished(order: Order, sale_order: SaleOrder, fba_location_id: int) -> bool:
    """A quotation without any delivery was never confirmed.

    One with deliveries has been, and someone has set it back to a quotation: theirs to decide.
    """
    if sale_order.is_quotation:
        return not sale_order.deliveries
    is_fba = order.fulfilled_by == FulfilledBy.AMAZON
    return is_fba and bool(sale_order.open_from(fba_location_id))
