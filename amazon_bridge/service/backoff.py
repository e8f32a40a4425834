"""Jobs that fail although both sides are up: each is run again after ever longer pauses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from amazon_bridge.service.board import Key

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=15)

_EARLY = 1.0
"""Seconds by which a run may begin before its pause is over: schedulers are not exact."""


class Backoff:
    """How long each (account, job) is to pause. Monotonic: no clock that is set matters."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._pauses: dict[Key, timedelta] = {}
        self._until: dict[Key, float] = {}

    def hold(self, key: Key) -> timedelta:
        """Let a job that failed pause, twice as long as the last time.

        Returns:
            How long.
        """
        with self._lock:
            pause = min(2 * self._pauses.get(key, FIRST_PAUSE / 2), LONGEST_PAUSE)
            self._pauses[key] = pause
            self._until[key] = self._monotonic() + pause.total_seconds()
            return pause

    def release(self, key: Key) -> None:
        """The job went well, or is to be tried at once."""
        with self._lock:
            self._pauses.pop(key, None)
            self._until.pop(key, None)

    def is_held(self, key: Key) -> bool:
        return self._monotonic() < self._until.get(key, 0) - _EARLY

    def remaining(self) -> dict[Key, timedelta]:
        """How long each job that is held still pauses."""
        now = self._monotonic()
        return {
            key: timedelta(seconds=until - now) for key, until in self._until.items() if until > now
        }
