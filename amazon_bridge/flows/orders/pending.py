"""Pending orders: filed, and neither processed nor quarantined yet."""

from __future__ import annotations

from dataclasses import replace

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.flows.orders.memo import JOB
from amazon_bridge.job import PendingItem, PendingList


def pending_orders(ledger: Ledger, account: str, most: int | None) -> PendingList:
    """The pending orders for ``status``: at most ``most``, those with a recorded reason first."""
    entries = [with_reason(entry) for entry in ledger.items.first_pending(account, JOB, most)]
    items = [
        PendingItem(
            each.key,
            each.first_seen,
            each.reason or "",
            {"order": each.key, "reason": each.reason},
        )
        for each in entries
    ]
    return PendingList(items, ledger.items.open_counts()[account, JOB, State.PENDING])


def with_reason(entry: Entry) -> Entry:
    """Return the entry of a pending order with the reason why it is pending."""
    if entry.unanswered_since:
        silent = (
            f"Amazon has not responded for it since {entry.unanswered_since:%Y-%m-%d %H:%M} UTC."
        )
        return replace(entry, reason=f"{silent} It is fetched again in each run.")
    return entry if entry.reason else replace(entry, reason=_NOT_PROCESSED)


_NOT_PROCESSED = "It is processed in the next run that reaches Amazon and Odoo."
