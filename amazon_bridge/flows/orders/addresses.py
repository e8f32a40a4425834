"""Delivery addresses that Amazon shows or changes after the import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import reminders
from amazon_bridge.flows.orders.case import Case
from amazon_bridge.flows.orders.memo import Memo, has_address, place_of
from amazon_bridge.flows.orders.reminders import ADDRESS, NO_ADDRESS, TAXES, Reminder
from amazon_bridge.flows.orders.units import has_open_delivery
from amazon_bridge.model import Order
from amazon_bridge.odoo import delivery_addresses
from amazon_bridge.odoo.delivery_addresses import DeliveryAddress
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.partners import destinations


def reminders_of(context: Context, cases: Sequence[Case]) -> list[Reminder]:
    """Fill in missing addresses, and return reminders of those that differ."""
    open_ = [case for case in cases if has_open_delivery(case.order, case.sale_order)]
    missing = [(case.sale_order, _NO_ADDRESS) for case in open_ if _is_missing(case)]
    candidates = [case for case in open_ if _may_differ(case)]
    if not candidates:
        return missing
    current = delivery_addresses.delivery_addresses(
        context.odoo, [c.sale_order for c in candidates]
    )
    taxed = [
        (case.sale_order, _TAXES)
        for case in candidates
        if _may_change_taxes(context, case.order, current[case.order.order_id])
    ]
    # Before the address is filled in: a run that is interrupted then would not see it missing.
    reminders.remind_or_refuse(context, taxed)
    return [*missing, *taxed, *_fill_in(context, candidates, current)]


def _fill_in(
    context: Context, cases: Sequence[Case], current: Mapping[str, DeliveryAddress]
) -> list[Reminder]:
    """Fill in what is empty; return reminders of the addresses that differ from Amazon's."""
    orders = [case.order for case in cases]
    placed = {order_id: (now.customer_id, now.partner_id) for order_id, now in current.items()}
    contacts = destinations(context.odoo, context.geography, orders, placed)
    differing = []
    for case in cases:
        address = current[case.order.order_id]
        contact_id = contacts[case.order.order_id]
        before = address.partner_id
        if contact_id != before and address.is_empty:
            delivery_addresses.deliver_to(context.odoo, case.sale_order, before, contact_id)
        elif contact_id != before or address.ready_for - {contact_id}:
            differing.append((case.sale_order, _changed(case, contact_id)))
        # Else Odoo has it, or it was filled in on the contact itself.
    return differing


def lasting_topics(case: Case) -> list[str]:
    """Topics of open reminders that can't be checked, and stay open while goods may leave."""
    if not has_open_delivery(case.order, case.sale_order):
        return []
    lasting = {TAXES} if has_address(case.order) else {ADDRESS, TAXES}
    return [topic for topic in case.topics if reminders.kind_of(topic) in lasting]


def _is_missing(case: Case) -> bool:
    """True if Amazon has never shown an address."""
    return not has_address(case.order) and (case.memo is None or case.memo.place == "")


def _may_differ(case: Case) -> bool:
    """True if Amazon changed the address, or people were reminded of it.

    Corrections by people in Odoo don't count.
    """
    if case.is_new or not has_address(case.order):
        return False
    if case.memo is None or case.memo.place != place_of(case.order):
        return True
    return any(reminders.kind_of(topic) == ADDRESS for topic in case.topics)


def moves(case: Case) -> int:
    """Return how often Amazon has changed the address so far."""
    if case.memo is None or case.is_new:
        return 0
    return case.memo.moves + (bool(case.memo.place) and _is_elsewhere(case.memo, case.order))


def _is_elsewhere(memo: Memo, order: Order) -> bool:
    return has_address(order) and memo.place != place_of(order)


def _may_change_taxes(context: Context, order: Order, current: DeliveryAddress) -> bool:
    """True if the address, had it been there at the import, might have led to other taxes."""
    if not current.is_empty or context.setup.fiscal_position_id or order.address is None:
        return False
    return delivery_addresses.may_change_taxes(
        context.odoo,
        company_id=context.setup.company_id,
        country_id=context.geography.country_id(order.address.country_code),
        position_id=current.fiscal_position_id,
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
    "Amazon showed the delivery address only after this order was imported. Taxes were chosen"
    " without it, and another fiscal position may apply: check it under Other Info of the sale"
    " order, and the taxes of its lines.",
)


def _changed(case: Case, contact_id: int) -> Note:
    """The note names a contact, not the address: buyers' data is kept in contacts only."""
    note = reminders.note(
        ADDRESS,
        "Amazon: another delivery address",
        "The delivery address on Amazon differs from the one of this order. The latest one on"
        f" Amazon is contact #{contact_id}, a delivery address of the customer. Compare both before"
        " the parcel leaves, and enter the right one in the sale order and in the delivery order.",
        occurrence=moves(case),
    )
    return replace(note, contact_id=contact_id)
