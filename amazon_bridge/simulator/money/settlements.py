"""Settlements: what Amazon paid out, or will, and of which events."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from amazon_bridge.simulator.money.events import Account, Event, total


@dataclass(slots=True, kw_only=True, eq=False)
class Settlement:
    """A period of an account; open until it is closed.

    Attributes:
        start: None: nothing happened yet.
        end: None: it is open.
        report_ids: Of the documents that have it, oldest first.
    """

    settlement_id: str
    account: Account
    start: datetime | None = None
    end: datetime | None = None
    deposited: datetime | None = None
    events: list[Event] = field(default_factory=list)
    report_ids: list[str] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        """``total-amount``: what is paid out, or taken from the seller's card."""
        return sum((event.total for event in self.events), Decimal(0))

    @property
    def reserved(self) -> Decimal:
        """What this settlement moved from the reserve, or into it."""
        rows = [row for event in self.events for row in event.rows]
        return total(row for row in rows if row.triple.category == "reserve")

    @property
    def currency(self) -> str:
        return self.account.currency

    @property
    def deposit(self) -> date:
        assert self.deposited, "it is open"
        return self.deposited.date()

    @property
    def report_id(self) -> str:
        """The latest document's report."""
        return self.report_ids[-1]

    @property
    def group_id(self) -> str:
        """The id of the group of financial events."""
        return token(f"group {self.settlement_id}")


def token(text: str) -> str:
    """An id that looks like Amazon's, always the same for a text."""
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
