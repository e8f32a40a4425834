"""Token buckets: how often a seller may call an operation.

A bucket holds ``burst`` tokens and gets ``rate`` new ones a second; a call takes one. So in any
``t`` seconds at most ``burst + rate * t`` calls are made.

A bucket is kept as one number, the instant at which it will be full again. What that instant
lies ahead of now is exactly what is missing in it, and there is nothing to top up in between.
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

_WORTH_A_WORD = 1.0
"""Seconds; shorter waits are counted and not logged."""


@dataclass(frozen=True, slots=True)
class Limit:
    """``rate`` in calls a second, ``burst`` in calls."""

    rate: float
    burst: int


@dataclass(slots=True)
class Waits:
    """How often, and for how many seconds in all, calls had to wait."""

    count: int = 0
    seconds: float = 0.0


class _Bucket:
    def __init__(self, limit: Limit, now: float) -> None:
        self.rate, self.burst = limit.rate, limit.burst
        self.full_at = now

    def take(self, now: float) -> float:
        """Take a token and return 0, or return the seconds until there will be one."""
        if now < (free_at := self.full_at - (self.burst - 1) / self.rate):
            return free_at - now
        self.full_at = max(self.full_at, now) + 1 / self.rate
        return 0.0

    def adapt(self, rate: float, now: float) -> None:
        missing = max(self.full_at - now, 0) * self.rate
        self.rate, self.full_at = rate, now + missing / rate

    def drain(self, now: float, seconds: float | None) -> None:
        pause = 1 / self.rate if seconds is None else seconds
        self.full_at = max(self.full_at, now + pause + (self.burst - 1) / self.rate)


class Throttle:
    """One token bucket for each seller and operation. Safe to share between threads.

    Args:
        limits: The published limit of each operation.
        clock: Monotonic seconds.
        sleep: Waits for a number of seconds.
    """

    def __init__(
        self,
        limits: Mapping[str, Limit],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._limits, self._clock, self._sleep = limits, clock, sleep
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._lock = threading.Lock()
        self.waits: defaultdict[tuple[str, str], Waits] = defaultdict(Waits)

    def wait(self, seller: str, operation: str) -> None:
        """Return as soon as the seller may call the operation; the call counts as made."""
        while seconds := self._take(seller, operation):
            if seconds >= _WORTH_A_WORD:
                log.info("throttled", seller=seller, operation=operation, seconds=round(seconds, 1))
            self._sleep(seconds)

    def adapt(self, seller: str, operation: str, rate: float) -> None:
        """Continue at the rate (calls a second) that the remote granted."""
        with self._lock:
            bucket = self._bucket(seller, operation)
            if 0 < rate < math.inf and rate != bucket.rate:
                bucket.adapt(rate, self._clock())

    def drain(self, seller: str, operation: str, seconds: float | None = None) -> None:
        """Empty the bucket: the remote refused a call because of its rate.

        Args:
            seller: Whose bucket.
            operation: Which of them.
            seconds: No call before so many seconds; default: the time of one token.
        """
        with self._lock:
            self._bucket(seller, operation).drain(self._clock(), seconds)

    def _take(self, seller: str, operation: str) -> float:
        with self._lock:
            seconds = self._bucket(seller, operation).take(self._clock())
            if seconds:
                waits = self.waits[seller, operation]
                waits.count, waits.seconds = waits.count + 1, waits.seconds + seconds
            return seconds

    def _bucket(self, seller: str, operation: str) -> _Bucket:
        key = seller, operation
        if key not in self._buckets:
            self._buckets[key] = _Bucket(self._limits[operation], self._clock())
        return self._buckets[key]
