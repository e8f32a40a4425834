"""Clocks. The simulator reads the time only from the clock that it is given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns the time: aware, in UTC."""


def system_clock() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


class ManualClock:
    """A clock that only ``advance`` moves, for tests."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> datetime:
        """Advance by the arguments of ``timedelta`` (``minutes=5``). Returns the new time."""
        self.now += timedelta(**duration)
        return self.now
