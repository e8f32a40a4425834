"""What the state store remembers of an order that was processed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from amazon_bridge.engine.codec import BaseMemo
from amazon_bridge.engine.records import Entry
from amazon_bridge.flows.orders import ORDERS
from amazon_bridge.model import FulfillmentStatus, Item, Order

if TYPE_CHECKING:  # loads the clients of both sides, which `status` does without
    from amazon_bridge.flows.context import Context

JOB = ORDERS.name


@dataclass(frozen=True, slots=True)
class ItemMemo:
    """Amazon's figures of one order item as of the last processing."""

    order_item_id: str
    ordered: int
    to_ship: int
    """Units that Amazon still expected to be shipped."""
    cancellation_requested: bool = False
    shipped_before: int = 0
    """Units that had left, according to Amazon, when the sale order was created."""
    pieces: int = 1
    """Pieces in Odoo of one unit, as of the import: the product map may change afterwards."""

    @classmethod
    def of(cls, order: Order, item: Item, pieces: int) -> ItemMemo:
        requested = item.buyer_requested_cancellation
        to_ship = units_to_ship(order, item)
        return cls(item.order_item_id, item.quantity, to_ship, requested, pieces=pieces)


@dataclass(frozen=True, slots=True)
class Memo(BaseMemo):
    """What the state store remembers of an order that was processed; no buyer's data."""

    worth: Decimal
    marketplace_id: str
    fulfilled_by: str
    status: str
    items: tuple[ItemMemo, ...] | None = None
    """None in memos of older versions, which did not keep them."""
    place: str | None = None
    """Checksum of the delivery address; empty if Amazon showed none, None if unknown."""
    requests: int = 0
    """How often the buyer has asked to cancel the order or a further part of it."""
    reminders: tuple[str, ...] = ()
    """The topics of activities that were scheduled for the order and not closed since."""
    moves: int = 0
    """How often Amazon has changed the delivery address."""
    in_odoo: str = ""
    """A checksum of what people may change in Odoo; kept while reminders are open."""
    is_settled: bool = True
    """A sync run has processed the order to its end; False since its sale order was created."""
    cancelling: bool = False
    """Amazon has cancelled it, and the note on its sale order is not posted yet."""

    @classmethod
    def of(cls, order: Order, pieces: Mapping[str, int]) -> Memo:
        """Return the memo of an order; ``pieces`` are those of one unit, by order item id."""
        return cls(
            worth=order.worth,
            marketplace_id=order.marketplace_id or "",
            fulfilled_by=order.fulfilled_by or "",
            status=order.status,
            items=tuple(
                ItemMemo.of(order, item, pieces.get(item.order_item_id, 1)) for item in order.items
            ),
            place=place_of(order),
        )

    def item(self, order_item_id: str) -> ItemMemo | None:
        """What is remembered of an item, if anything."""
        return next((i for i in self.items or () if i.order_item_id == order_item_id), None)

    @property
    def pieces(self) -> dict[str, int]:
        """Pieces in Odoo of one unit, by order item id."""
        return {item.order_item_id: item.pieces for item in self.items or ()}

    @property
    def is_watched(self) -> bool:
        """Whether people may still follow a reminder."""
        return bool(self.reminders)

    @classmethod
    def at_import(cls, order: Order, pieces: Mapping[str, int]) -> Memo:
        """Return the memo of an order whose sale order is about to be created.

        It distinguishes Amazon's changes from people's corrections while it is quarantined.
        """
        items = (
            replace(
                ItemMemo.of(order, item, pieces.get(item.order_item_id, 1)),
                cancellation_requested=False,
                shipped_before=units_shipped(order, item),
            )
            for item in order.items
        )
        return replace(cls.of(order, pieces), items=tuple(items), is_settled=False)


def entry_of(context: Context, order_id: str) -> Entry | None:
    """What the state store has of an order, if the account has seen it."""
    return context.ledger.items.get(context.name, JOB, order_id)


def memo_of(context: Context, order_id: str) -> Memo | None:
    """What is remembered of an order, if it was processed."""
    return Memo.read(entry_of(context, order_id))


def was_settled(entry: Entry | None) -> bool:
    """True if a sync run has processed the order to its end."""
    memo = Memo.read(entry)
    return memo is not None and memo.is_settled


def units_to_ship(order: Order, item: Item) -> int:
    """Return the units of an item that Amazon still expects to be shipped.

    Amazon may cancel units without lowering the ordered quantity, and may show a package before it
    counts its units as fulfilled: the lowest figure holds.
    """
    if order.status == FulfillmentStatus.SHIPPED:
        return 0
    left = max(item.quantity - _counted_as_shipped(order, item), 0)
    if item.quantity_unfulfilled is None or not _has_unfulfilled(order):
        return left
    return min(left, item.quantity_unfulfilled)


def units_shipped(order: Order, item: Item) -> int:
    """Return the units of an item that have left according to Amazon.

    All units of a shipped order, unless Amazon counts them: then uncounted units were cancelled.
    """
    is_counted = any(_counted_as_shipped(order, each) for each in order.items)
    if order.status == FulfillmentStatus.SHIPPED and not is_counted:
        return item.quantity
    return _counted_as_shipped(order, item)


def _counted_as_shipped(order: Order, item: Item) -> int:
    packed = sum(n for p in order.packages for id_, n in p.quantities if id_ == item.order_item_id)
    return max(item.quantity_fulfilled, packed)


def _has_unfulfilled(order: Order) -> bool:
    """False if the figures contradict the status, under which something is still to be shipped."""
    return any(item.quantity_unfulfilled for item in order.items)


def has_address(order: Order) -> bool:
    """True if Amazon shows a delivery address."""
    address = order.address
    return address is not None and bool(address.lines or address.city or address.postal_code)


def place_of(order: Order) -> str:
    """Return a checksum of the delivery address; empty if there is none.

    Two bytes suffice to notice a changed address and are too few to confirm a guess at it: the
    state store holds no buyer's data.
    """
    if order.address is None or not has_address(order):
        return ""
    # Amazon may withhold the phone number later, or replace it: the parcel goes to the same place.
    address = replace(order.address, phone=None)
    text = json.dumps([order.order_id, asdict(address)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:4]
