"""Orders that wait: filed, and neither processed nor quarantined yet."""

from __future__ import annotations

from dataclasses import replace

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Entry
from amazon_bridge.flows.orders.memo import JOB


def waiting(ledger: Ledger, account: str, *, most: int) -> list[Entry]:
    """At most so many pending orders of an account, each with the reason that it waits.

    Those with a known reason come first, then those seen first.
    """
    return [with_reason(entry) for entry in ledger.items.waiting(account, JOB, most)]


def with_reason(entry: Entry) -> Entry:
    """The entry of a pending order with the reason that it waits."""
    if entry.unanswered_since:
        silent = (
            f"Amazon has not answered for it since {entry.unanswered_since:%Y-%m-%d %H:%M} UTC."
        )
        return replace(entry, reason=f"{silent} It is asked again in each run.")
    return entry if entry.reason else replace(entry, reason=_NOT_PROCESSED)


_NOT_PROCESSED = "It is processed in the next run that reaches Amazon and Odoo."
