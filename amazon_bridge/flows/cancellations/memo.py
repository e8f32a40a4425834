"""What the state store remembers of a cancellation."""

from __future__ import annotations

from amazon_bridge.flows.context import Context

JOB = "cancellations"

CANCELLED, LIVE = "cancelled", "live"
"""The fingerprints of a sale order here: one that is revived and cancelled again is told again."""


def feeds_without_effect(context: Context, order_id: str) -> int:
    """Number of feeds that named the order and did not cancel it."""
    entry = context.ledger.entry(context.name, JOB, order_id)
    return int(entry.memo or 0) if entry else 0
