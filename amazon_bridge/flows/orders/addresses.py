"""Delivery addresses that Amazon tells after the import, or tells otherwise than before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import reminders
from amazon_bridge.flows.orders.case import Case
from amazon_bridge.flows.orders.memo import has_address, place_of
from amazon_bridge.flows.orders.reminders import ADDRESS, NO_ADDRESS, TAXES, Reminder
from amazon_bridge.flows.orders.units import has_open_delivery
from amazon_bridge.model import Order
from amazon_bridge.odoo import delivery_addresses
from amazon_bridge.odoo.delivery_addresses import DeliveryAddress
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.partners import destinations
from amazon_bridge.odoo.sales import SaleOrder


@dataclass(frozen=True, slots=True)
class _Told:
    """An order whose address Amazon tells now and may not have told before."""

    order: Order
    sale_order: SaleOrder
    current: DeliveryAddress
    contact_id: int
    """The contact in Odoo with the address that Amazon tells."""


def reminders_of(context: Context, cases: Sequence[Case]) -> list[Reminder]:
    """Fill in addresses that were missing; return what people must know of those that differ."""
    open_ = [case for case in cases if has_open_delivery(case.order, case.sale_order)]
    missing = [case.sale_order for case in open_ if _is_missing(case)]
    told = _told(context, [case for case in open_ if _may_differ(case)])
    filled = [each for each in told if each.current.is_empty]
    for each in filled:
        _fill(context, each)
    return [
        *((sale_order, _NO_ADDRESS) for sale_order in missing),
        *((t.sale_order, _changed(t.order)) for t in told if not t.current.is_empty),
        *((t.sale_order, _TAXES) for t in filled if _may_change_taxes(context, t)),
    ]


def lasting_topics(case: Case) -> list[str]:
    """The topics of open reminders that only people can settle, as long as goods may leave."""
    if not has_open_delivery(case.order, case.sale_order):
        return []
    return [topic for topic in case.topics if reminders.kind_of(topic) in {ADDRESS, TAXES}]


def _is_missing(case: Case) -> bool:
    """Amazon never told an address, as far as it is known."""
    return not has_address(case.order) and (case.memo is None or case.memo.place == "")


def _may_differ(case: Case) -> bool:
    """Amazon tells an address that the sale order was not created with."""
    if case.is_new or not has_address(case.order):
        return False
    return case.memo is None or case.memo.place != place_of(case.order)


def _told(context: Context, cases: Sequence[Case]) -> list[_Told]:
    """The orders whose sale orders are to be delivered to another contact than Amazon tells."""
    if not cases:
        return []
    current = delivery_addresses.delivery_addresses(context.odoo, [c.sale_order for c in cases])
    orders = [case.order for case in cases]
    placed = {order_id: (now.customer_id, now.partner_id) for order_id, now in current.items()}
    found = destinations(context.odoo, context.geography, orders, placed)
    told = [
        _Told(c.order, c.sale_order, current[c.order.order_id], found[c.order.order_id].delivery_id)
        for c in cases
    ]
    return [t for t in told if t.current.is_empty or t.contact_id != t.current.partner_id]


def _fill(context: Context, told: _Told) -> None:
    if told.contact_id != told.current.partner_id:
        before = told.current.partner_id
        delivery_addresses.deliver_to(context.odoo, told.sale_order, before, told.contact_id)


def _may_change_taxes(context: Context, told: _Told) -> bool:
    if context.setup.fiscal_position_id or told.order.address is None:
        return False
    return delivery_addresses.may_change_taxes(
        context.odoo,
        company_id=context.setup.company_id,
        country_id=context.geography.country_id(told.order.address.country_code),
        position_id=told.current.fiscal_position_id,
    )


_NO_ADDRESS = reminders.note(
    NO_ADDRESS,
    "Amazon: no delivery address yet",
    "Amazon shows no delivery address for this order. Don't ship it yet: the address is filled in"
    " here when Amazon shows it. If it stays empty, look the order up in Seller Central.",
)
_TAXES = reminders.note(
    TAXES,
    "Amazon: check the taxes",
    "Amazon told the delivery address after this order was imported. Taxes were chosen without it,"
    " and another fiscal position may apply: check it under Other Info of the sale order, and the"
    " taxes of its lines.",
)


def _changed(order: Order) -> Note:
    """The note holds no address: buyers' data is kept in contacts only."""
    return reminders.note(
        ADDRESS,
        "Amazon: another delivery address",
        "The delivery address on Amazon differs from the one of this order. The one on Amazon is"
        " among the contacts of the customer, as a delivery address. Compare both before the parcel"
        " leaves, and enter the right one in the sale order and in the delivery order.",
        occurrence=int(place_of(order), base=16),
    )
