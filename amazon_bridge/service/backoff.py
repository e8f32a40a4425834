"""Growing pauses for jobs that fail although both remotes are up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from amazon_bridge.service.job_health import JobKey

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=15)

_EARLY = 1.0
"""Seconds by which a run may start before its pause is over: schedulers are not exact."""


class Backoff:
    """Pause of each (account, job), in monotonic time: setting the clock has no effect."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._pauses: dict[JobKey, timedelta] = {}
        self._until: dict[JobKey, float] = {}

    def hold(self, key: JobKey) -> timedelta:
        """Pause a job that failed, twice as long as the last time.

        Returns:
            The pause.
        """
        with self._lock:
            pause = min(2 * self._pauses.get(key, FIRST_PAUSE / 2), LONGEST_PAUSE)
            self._pauses[key] = pause
            self._until[key] = self._monotonic() + pause.total_seconds()
            return pause

    def release(self, key: JobKey) -> None:
        """End the pause: the job succeeded, or is to be retried at once."""
        with self._lock:
            self._pauses.pop(key, None)
            self._until.pop(key, None)

    def is_held(self, key: JobKey) -> bool:
        return self._monotonic() < self._until.get(key, 0) - _EARLY
