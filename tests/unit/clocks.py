"""A clock that only tests move."""

from datetime import UTC, datetime

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now
