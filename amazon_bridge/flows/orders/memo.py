"""What the state store remembers of an order that was processed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from amazon_bridge.engine.ledger import Entry
from amazon_bridge.model import Order

JOB = "orders"


@dataclass(frozen=True, slots=True)
class Memo:
    """What the ledger remembers of an order that was worked."""

    worth: Decimal
    marketplace_id: str
    fulfilled_by: str
    status: str

    @classmethod
    def of(cls, order: Order) -> Memo:
        told = (order.marketplace_id or "", order.fulfilled_by or "", order.status)
        return cls(order.worth, *told)

    @classmethod
    def read(cls, entry: Entry | None) -> Memo | None:
        """The memo of a ledger's entry, if it has one."""
        if entry is None or entry.memo is None:
            return None
        worth, *told = entry.memo.split(" ")
        return cls(Decimal(worth), *told)

    def text(self) -> str:
        return f"{self.worth} {self.marketplace_id} {self.fulfilled_by} {self.status}"
