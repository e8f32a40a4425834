"""What the books have to show for a settlement, from the events alone, without its file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from amazon_bridge.simulator.money.events import ZERO, Event, Row
from amazon_bridge.simulator.money.settlements import Settlement

_TAXES = ("Tax", "ShippingTax", "GiftWrapTax")
Sums = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Sums of a settlement; positive if the seller gets the money.

    Attributes:
        payout: What is paid out, or charged if it is negative: ``total-amount``.
        categories: By category.
        by_month: By month of posting (``202611``) and category.
        orders: By order id, of the category ``order``; ``refunds`` of the category ``refund``.
        owed_orders: As ``orders``, less the tax charged that Amazon withheld in the same month, so
            that each is worth its invoice; ``owed_refunds`` likewise.
        facilitator: What Amazon withheld without a tax charged, or charged and never withheld.
    """

    settlement_id: str
    currency: str
    deposit: date
    payout: Decimal
    categories: Sums
    by_month: Mapping[tuple[str, str], Decimal]
    orders: Sums
    refunds: Sums
    owed_orders: Sums
    owed_refunds: Sums
    facilitator: Decimal

    @property
    def total(self) -> Decimal:
        return self.payout


def expect(settlement: Settlement) -> Expected:
    """The sums of a closed settlement."""
    categories: dict[str, Decimal] = defaultdict(lambda: ZERO)
    by_month: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for event, row in _rows(settlement.events):
        categories[row.triple.category] += row.amount
        by_month[f"{event.posted:%Y%m}", row.triple.category] += row.amount
    orders, order_taxes = _of_orders(settlement.events, "order")
    refunds, refund_taxes = _of_orders(settlement.events, "refund")
    withheld = categories.get("facilitator tax", ZERO)
    return Expected(
        settlement_id=settlement.settlement_id,
        currency=settlement.currency,
        deposit=settlement.deposit,
        payout=settlement.total,
        categories=dict(categories),
        by_month=dict(by_month),
        orders=orders,
        refunds=refunds,
        owed_orders=_less(orders, order_taxes),
        owed_refunds=_less(refunds, refund_taxes),
        facilitator=withheld + sum((*order_taxes.values(), *refund_taxes.values()), ZERO),
    )


def _rows(events: Iterable[Event]) -> Iterable[tuple[Event, Row]]:
    return ((event, row) for event in events for row in event.rows)


def _of_orders(
    events: Iterable[Event], category: str
) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """By order: the sum of the category, and the tax that was charged and withheld."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    charged: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    withheld: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for event, row in _rows(events):
        month = event.order_id, f"{event.posted:%Y%m}"
        if row.triple.category == category:
            sums[event.order_id] += row.amount
            if row.triple.amount_type == "ItemPrice" and row.triple.amount_description in _TAXES:
                charged[month] += row.amount
        elif row.triple.amount_type == "ItemWithheldTax" and _side(row) == category:
            withheld[month] += row.amount
    taxes: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for (order_id, month_), amount in charged.items():
        taxes[order_id] += _both(amount, withheld[order_id, month_])
    return dict(sums), dict(taxes)


def _side(row: Row) -> str:
    """Whether tax was withheld from an order or from a refund; retrocharges are neither."""
    if row.triple.category != "facilitator tax" or "Retrocharge" in row.triple.transaction_type:
        return ""
    return "order" if row.triple.transaction_type == "Order" else "refund"


def _both(charged: Decimal, withheld: Decimal) -> Decimal:
    """The part of a tax charged that was withheld: the two have opposite signs."""
    if charged * withheld >= 0:
        return ZERO
    return min(charged, -withheld) if charged > 0 else max(charged, -withheld)


def _less(sums: Sums, taxes: Sums) -> dict[str, Decimal]:
    return {order_id: amount - taxes.get(order_id, ZERO) for order_id, amount in sums.items()}
