"""What to do about an order: pure rules on what Amazon shows and what exists in Odoo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum, auto

from amazon_bridge.flows.orders.memo import units_to_ship
from amazon_bridge.model import FulfilledBy, FulfillmentStatus, Item, Order, UnreadableOrder
from amazon_bridge.odoo.sales import SaleOrder


class Step(StrEnum):
    """What to do about an order."""

    IMPORT = auto()
    """Create its sale order, confirm it and, for FBA, validate its delivery."""
    COMPLETE = auto()
    """Go on where an earlier run was interrupted."""
    CANCEL = auto()
    HOLD = auto()
    """Cancelled on Amazon after goods left or an invoice was made: a person must decide."""
    NOTHING = auto()
    LEAVE_OUT = auto()
    """Don't create it in Odoo."""
    NOT_OURS = auto()
    """A person created a sale order for it."""
    UNCLEAR = auto()
    """Amazon's data is not enough to decide: fetch again, then quarantine."""


def decide(
    order: Order, sale_order: SaleOrder | None, *, fba_location_id: int, filed_before: bool
) -> Step:
    """Decide what to do about an order, given its sale order in Odoo.

    Args:
        order: as Amazon shows it now.
        sale_order: its sale order in Odoo, if it exists.
        fba_location_id: the stock location that FBA goods leave from.
        filed_before: an earlier run saw the order when it was to be imported.
    """
    if not order.sold_on_amazon:
        return Step.LEAVE_OUT
    if sale_order is None:
        return _first_seen(order, filed_before=filed_before)
    if not sale_order.made_by_bridge:
        return Step.NOT_OURS
    return _imported(order, sale_order, fba_location_id)


LIVE = {
    FulfillmentStatus.UNSHIPPED,
    FulfillmentStatus.PARTIALLY_SHIPPED,
    FulfillmentStatus.SHIPPED,
}


UNPAID = {FulfillmentStatus.PENDING, FulfillmentStatus.PENDING_AVAILABILITY}


_WITHOUT_SALE_ORDER = {
    *UNPAID,
    FulfillmentStatus.UNFULFILLABLE,
    FulfillmentStatus.CANCELLED,
}
"""Statuses in which there is nothing to sell yet, or ever. The order's status would change."""


def _first_seen(order: Order, *, filed_before: bool) -> Step:
    """Decide about an order without a sale order; left out only if Amazon's data says why."""
    if order.status in _WITHOUT_SALE_ORDER:
        return Step.LEAVE_OUT
    if order.status not in LIVE or order.fulfilled_by is None:
        return Step.UNCLEAR
    return Step.IMPORT if to_be_imported(order, filed_before=filed_before) else Step.LEAVE_OUT


def to_be_imported(order: Order | UnreadableOrder, *, filed_before: bool) -> bool:
    """True for FBA once Amazon has shipped; for FBM with units to ship, now or when first seen."""
    if order.fulfilled_by == FulfilledBy.AMAZON:
        return order.status == FulfillmentStatus.SHIPPED
    if order.status == FulfillmentStatus.SHIPPED:
        return filed_before
    return order.status in TO_BE_SHIPPED


TO_BE_SHIPPED = {FulfillmentStatus.UNSHIPPED, FulfillmentStatus.PARTIALLY_SHIPPED}


def _imported(order: Order, sale_order: SaleOrder, fba_location_id: int) -> Step:
    if order.status == FulfillmentStatus.CANCELLED:
        return _about_cancelled(sale_order)
    if sale_order.is_cancelled:
        return Step.NOTHING
    if order.status not in LIVE:
        return Step.UNCLEAR
    return _about_live(order, sale_order, fba_location_id)


def _about_cancelled(sale_order: SaleOrder) -> Step:
    if sale_order.is_cancelled:
        return Step.NOTHING
    return Step.HOLD if sale_order.goods_left or sale_order.is_invoiced else Step.CANCEL


def _about_live(order: Order, sale_order: SaleOrder, fba_location_id: int) -> Step:
    """Decide about a live order with a sale order.

    A quotation without any delivery was never confirmed. One with deliveries was confirmed, and a
    person has set it back to a quotation: the bridge leaves it to that person.
    """
    if sale_order.is_quotation and not sale_order.deliveries:
        return Step.COMPLETE if order.fulfilled_by else Step.UNCLEAR
    if sale_order.is_quotation:
        return Step.NOTHING
    is_fba = order.fulfilled_by == FulfilledBy.AMAZON
    return Step.COMPLETE if is_fba and sale_order.open_from(fba_location_id) else Step.NOTHING


def units_in_flight(order: Order | UnreadableOrder) -> dict[str, int | None]:
    """Return by SKU the units that Amazon has taken off the merchant's stock count for an order.

    Only proof releases them: that Amazon ships the order, or that nothing is left to be shipped.
    The SKU is empty where Amazon names none. None: their number can't be read.
    """
    if order.fulfilled_by == FulfilledBy.AMAZON or order.status in _WITHOUT_UNITS:
        return {}
    known, unclear = Counter[str](), dict[str, int | None]()
    for sku, units in _units(order):
        if units is None:
            unclear[sku] = None
        else:
            known[sku] += units
    return {**+known, **unclear}


_WITHOUT_UNITS = {
    FulfillmentStatus.SHIPPED,
    FulfillmentStatus.CANCELLED,
    FulfillmentStatus.UNFULFILLABLE,
}


def _units(order: Order | UnreadableOrder) -> Iterable[tuple[str, int | None]]:
    if isinstance(order, UnreadableOrder):
        return order.units
    if not order.sold_on_amazon:
        return ()
    left = _ordered if order.status in UNPAID else units_to_ship
    return [(item.sku or "", left(order, item)) for item in order.items]


def _ordered(_: Order, item: Item) -> int:
    """Of pending orders: Amazon need not count their units as unfulfilled yet."""
    return item.quantity
