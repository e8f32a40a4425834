"""Clocks: the simulator never asks the machine for the time behind its caller's back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Tells the time: aware, in UTC."""


def system_clock() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved, for tests that can't wait."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> datetime:
        """Move on by a duration in the words of ``timedelta`` (``minutes=5``); the new time."""
        self.now += timedelta(**duration)
        return self.now
