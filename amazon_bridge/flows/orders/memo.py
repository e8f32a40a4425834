"""What the state store remembers of an order that was processed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from amazon_bridge.engine.ledger import Entry
from amazon_bridge.model import Item, Order

JOB = "orders"


@dataclass(frozen=True, slots=True)
class ItemMemo:
    """Amazon's figures of one order item as of the last processing."""

    order_item_id: str
    ordered: int
    fulfilled: int
    cancellation_requested: bool = False

    @classmethod
    def of(cls, item: Item) -> ItemMemo:
        requested = item.buyer_requested_cancellation
        return cls(item.order_item_id, item.quantity, item.quantity_fulfilled, requested)


@dataclass(frozen=True, slots=True)
class Memo:
    """What the state store remembers of an order that was processed; no buyer's data."""

    worth: Decimal
    marketplace_id: str
    fulfilled_by: str
    status: str
    items: tuple[ItemMemo, ...] | None = None
    """None in memos of older versions, which did not keep them."""
    reminders: tuple[str, ...] = ()
    """The kinds of activities that were scheduled for the order and not closed since."""

    @classmethod
    def of(cls, order: Order, *, reminders: tuple[str, ...] = ()) -> Memo:
        return cls(
            worth=order.worth,
            marketplace_id=order.marketplace_id or "",
            fulfilled_by=order.fulfilled_by or "",
            status=order.status,
            items=tuple(map(ItemMemo.of, order.items)),
            reminders=reminders,
        )

    @classmethod
    def read(cls, entry: Entry | None) -> Memo | None:
        """The memo of a state store entry, if it has one."""
        if entry is None or entry.memo is None:
            return None
        if not entry.memo.startswith("{"):
            return _of_older_version(entry.memo)
        return _decoded(json.loads(entry.memo))

    def text(self) -> str:
        """The memo as JSON, which ``read`` understands."""
        items = self.items
        return json.dumps(
            {
                "worth": str(self.worth),
                "marketplace_id": self.marketplace_id,
                "fulfilled_by": self.fulfilled_by,
                "status": self.status,
                "items": None if items is None else [_item_cells(item) for item in items],
                "reminders": list(self.reminders),
            }
        )


def _item_cells(item: ItemMemo) -> list[Any]:
    return [item.order_item_id, item.ordered, item.fulfilled, item.cancellation_requested]


def _decoded(values: dict[str, Any]) -> Memo:
    items = values["items"]
    return Memo(
        worth=Decimal(values["worth"]),
        marketplace_id=values["marketplace_id"],
        fulfilled_by=values["fulfilled_by"],
        status=values["status"],
        items=None if items is None else tuple(ItemMemo(*cells) for cells in items),
        reminders=tuple(values["reminders"]),
    )


def _of_older_version(text: str) -> Memo:
    """Older versions wrote the first four fields, separated by blanks."""
    worth, marketplace_id, fulfilled_by, status = text.split(" ")
    return Memo(Decimal(worth), marketplace_id, fulfilled_by, status)
