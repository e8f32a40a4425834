"""What the state store remembers of a cancellation."""

from __future__ import annotations

from dataclasses import dataclass, replace

from amazon_bridge.engine.codec import BaseMemo
from amazon_bridge.flows.cancellations import CANCELLATIONS
from amazon_bridge.flows.context import Context

JOB = CANCELLATIONS.name

CANCELLED, LIVE = "cancelled", "live"
"""Fingerprints of a sale order: one that is confirmed again and cancelled again is sent again."""


@dataclass(frozen=True, slots=True)
class Memo(BaseMemo):
    """What the state store remembers of a cancellation."""

    passed_brake: bool = False
    """The brake has let it pass, and won't hold it later."""
    feeds: int = 0
    """Number of feeds that named the order and did not cancel it."""
    last_feed: int = 0
    """The last one of these, by its number in the state store."""


def memo_of(context: Context, order_id: str) -> Memo:
    """Return what is remembered of an order's cancellation."""
    return Memo.read(context.ledger.items.get(context.name, JOB, order_id)) or Memo()


def remember_passed(context: Context, order_id: str) -> None:
    """Remember that the brake has let a cancellation pass."""
    _remember(context, order_id, replace(memo_of(context, order_id), passed_brake=True))


def remember_feed(context: Context, order_id: str, number: int) -> None:
    """Count a feed that did not cancel the order."""
    memo = memo_of(context, order_id)
    _remember(context, order_id, replace(memo, feeds=memo.feeds + 1, last_feed=number))


def _remember(context: Context, order_id: str, memo: Memo) -> None:
    context.ledger.items.remember(context.name, JOB, order_id, memo)
