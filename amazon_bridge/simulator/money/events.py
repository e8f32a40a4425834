"""What happens to a seller's money: events, each with rows that a settlement later shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from amazon_bridge.simulator.markets import Market
from amazon_bridge.simulator.money.triples import Triple

STANDARD = "Standard Orders"
"""The type of account that most sellers have only."""
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An amount; positive if the seller gets it.

    Attributes:
        item_code: The order item's id.
        item: Index of the item in the transaction, or None if the row belongs to no item.
    """

    triple: Triple
    amount: Decimal
    item: int | None = None
    item_code: str = ""
    sku: str = ""
    asin: str = ""
    title: str = ""
    quantity: int | None = None
    promotion_id: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a seller at Amazon: one for each currency and type."""

    seller_id: str
    currency: str
    type: str = STANDARD


@dataclass(slots=True, kw_only=True, eq=False)
class Event:
    """Something that happened to an account.

    Attributes:
        key: The transaction's id.
        kind: ``transactionType``.
        market: None: of no marketplace; Amazon leaves the name blank.
        order_id: Of an order; ``reference`` is what other rows have in that column.
        matures: When deferred money becomes available; None: at once.
        released_by: The id of the transaction that made it available.
        releases: The id of the deferred transaction that this one makes available.
        settlement_id: The settlement that has it, closed or open; deferred money is in none.
    """

    key: str
    account: Account
    kind: str
    description: str
    posted: datetime
    rows: tuple[Row, ...]
    market: Market | None = None
    order_id: str = ""
    reference: str = ""
    shipment_id: str = ""
    adjustment_id: str = ""
    merchant_order_id: str = ""
    network: str = ""
    matures: datetime | None = None
    released_by: str = ""
    releases: str = ""
    settlement_id: str = ""

    @property
    def total(self) -> Decimal:
        return total(self.rows)

    @property
    def status(self) -> str:
        """``transactionStatus``."""
        if self.matures is None:
            return "RELEASED"
        return "DEFERRED_RELEASED" if self.released_by else "DEFERRED"


def total(rows: Iterable[Row]) -> Decimal:
    """The sum of rows."""
    return sum((row.amount for row in rows), ZERO)
