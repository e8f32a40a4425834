"""Which sides answer: Odoo, and Amazon for each account.

A side is down when a run failed because it did not answer, and it does not answer one small
question either. Then runs that need it are held, and it is asked ever more rarely until it answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from amazon_bridge.engine.errors import BridgeError, Transient

log = structlog.get_logger(__name__)

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Side:
    """What is known of a side."""

    last_answer: datetime | None = None
    """When it last answered, be it by a refusal."""
    failure: str | None = None
    """Why its last call got no answer."""
    down_since: datetime | None = None
    pause: timedelta = FIRST_PAUSE
    """Until it is asked again."""


class Sides:
    """All sides, by name. Safe to share between threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sides: dict[str, Side] = {}

    def __getitem__(self, name: str) -> Side:
        return self._sides.get(name, Side())

    def forget(self) -> None:
        """Take all for up again: the configuration has changed."""
        with self._lock:
            self._sides.clear()

    def note_call(self, name: str, error: BridgeError | None) -> None:
        """Note how a call ended."""
        with self._lock:
            if isinstance(error, Transient):
                self._sides[name] = replace(self[name], failure=error.reason)
            else:
                known = replace(self[name], failure=None, last_answer=self._clock())
                self._sides[name] = known

    def are_up(self, *names: str) -> bool:
        return all(self[name].down_since is None for name in names)

    def went_down(self, name: str) -> bool:
        """After a call without an answer: note that the side is down, if it wasn't yet."""
        with self._lock:
            side = self[name]
            if side.failure is None or side.down_since:
                return False
            self._sides[name] = replace(side, down_since=self._clock(), pause=FIRST_PAUSE)
        log.warning("remote_unavailable", side=name, reason=side.failure)
        return True

    def was_asked(self, name: str, *, answered: bool) -> bool:
        """After a question to a side that was down: note whether it is up again."""
        with self._lock:
            side = self[name]
            if not answered:
                pause = min(2 * side.pause, LONGEST_PAUSE)
                self._sides[name] = replace(side, pause=pause)
                return False
            self._sides[name] = replace(side, failure=None, down_since=None, pause=FIRST_PAUSE)
        if side.down_since:
            seconds = round((self._clock() - side.down_since).total_seconds())
            log.info("remote_recovered", side=name, seconds=seconds)
        return True

    def down(self) -> list[str]:
        """The sides that are down."""
        return [name for name, side in self._sides.items() if side.down_since]

    def shift(self, by: timedelta) -> None:
        """Shift all moments: the clock was set."""
        with self._lock:
            for name, side in self._sides.items():
                self._sides[name] = replace(
                    side,
                    last_answer=side.last_answer and side.last_answer + by,
                    down_since=side.down_since and side.down_since + by,
                )
