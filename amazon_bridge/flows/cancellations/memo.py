"""What the state store remembers of a cancellation."""

from __future__ import annotations

from dataclasses import dataclass, replace

from amazon_bridge.engine.codec import BaseMemo
from amazon_bridge.flows.context import Context

JOB = "cancellations"

CANCELLED, LIVE = "cancelled", "live"
"""The fingerprints of a sale order here: one that is revived and cancelled again is told again."""


@dataclass(frozen=True, slots=True)
class Memo(BaseMemo):
    """What happened to a cancellation so far."""

    passed_brake: bool = False
    """It was not held as part of a mass action, and is not held later."""
    feeds: int = 0
    """Number of feeds that named the order and did not cancel it."""


def memo_of(context: Context, order_id: str) -> Memo:
    """What is remembered of an order's cancellation."""
    return Memo.read(context.ledger.items.get(context.name, JOB, order_id)) or Memo()


def remember_passed(context: Context, order_id: str) -> None:
    """Remember that a cancellation is no part of a mass action."""
    _remember(context, order_id, replace(memo_of(context, order_id), passed_brake=True))


def remember_feed(context: Context, order_id: str) -> int:
    """Count a feed that did not cancel the order, and return how many there were."""
    memo = memo_of(context, order_id)
    counted = replace(memo, feeds=memo.feeds + 1)
    _remember(context, order_id, counted)
    return counted.feeds


def _remember(context: Context, order_id: str, memo: Memo) -> None:
    context.ledger.items.remember(context.name, JOB, order_id, memo)
