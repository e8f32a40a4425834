"""Moments as Odoo stores them."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(when: datetime) -> str:
    """A moment as Odoo stores it: naive, in UTC, without fractions of a second."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def moment(stored: str) -> datetime:
    """The moment of a stored timestamp."""
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)
