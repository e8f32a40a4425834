"""Instructions for packing and labelling, in the note of a delivery order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.case import Case
from amazon_bridge.flows.orders.memo import has_address
from amazon_bridge.flows.orders.units import name_of
from amazon_bridge.model import FulfilledBy, Order
from amazon_bridge.odoo import deliveries
from amazon_bridge.odoo.deliveries import DELIVERY_INSTRUCTIONS, GIFT_MESSAGE, Instruction


def note(context: Context, cases: Sequence[Case]) -> None:
    """Write instructions on the open deliveries from the warehouse that have no note yet.

    Instructions that Amazon shows later, together with the address, are added to the note.
    """
    notes, late = {}, set()
    for case in cases:
        lines = list(instructions(case.order))
        for delivery in case.sale_order.deliveries if lines else ():
            if delivery.is_open and not delivery.incoming:
                notes[delivery] = lines
                late |= {delivery} if _has_late_address(case) else set()
    deliveries.note_instructions(context.odoo, notes, late=late)


def _has_late_address(case: Case) -> bool:
    return case.memo is not None and case.memo.place == "" and has_address(case.order)


def instructions(order: Order) -> Iterator[Instruction]:
    """Yield the instructions for packing, labelling and delivering a merchant-fulfilled order."""
    if order.fulfilled_by != FulfilledBy.MERCHANT:
        return
    yield from _dates(order)
    if order.programs:
        yield Instruction("Amazon programs", ", ".join(order.programs))
    for number in dict.fromkeys(item.ioss_number for item in order.items if item.ioss_number):
        yield Instruction("IOSS number", number)
    for item in order.items:
        if item.shipping_constraints:
            checks = ", ".join(map(_in_words, item.shipping_constraints))
            yield Instruction("Required at delivery", f"{checks} ({name_of(item)})")
    yield from _of_units(order)
    if order.address and order.address.is_pickup_point:
        yield Instruction("Address", "a pick-up point, which not every carrier delivers to")
    if order.delivery_instructions:
        yield Instruction(DELIVERY_INSTRUCTIONS, order.delivery_instructions)
    for item in order.items:
        if item.gift_message:
            yield Instruction(GIFT_MESSAGE, item.gift_message)


def _of_units(order: Order) -> Iterator[Instruction]:
    """Yield what must be done with units before they are packed."""
    for item in order.items:
        if item.customization_url:
            text = f"{name_of(item)}: download the buyer's wishes in Seller Central"
            yield Instruction("Customised", text)
        if item.serial_numbers_required:
            yield Instruction("Serial numbers required", name_of(item))


def _dates(order: Order) -> Iterator[Instruction]:
    if order.ship_by:
        yield Instruction("Ship by", _moment(order.ship_by))
    if order.deliver_by:
        yield Instruction("Deliver by", _moment(order.deliver_by))


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _in_words(name: str) -> str:
    """``signatureConfirmation`` as ``signature confirmation``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
