"""An imported order with what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from amazon_bridge.flows.orders.memo import Memo
from amazon_bridge.model import Order
from amazon_bridge.odoo.sales import SaleOrder


@dataclass(frozen=True, slots=True)
class Case:
    """An order as Amazon shows it now, its sale order, and what is remembered of it."""

    order: Order
    sale_order: SaleOrder
    memo: Memo | None
    """As of the last processing; None if there was none."""
    is_new: bool
    """The sale order was created in this run, from what Amazon shows now."""

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of the reminders that are open."""
        return self.memo.reminders if self.memo else ()
