"""Token buckets: how often a seller may call an operation.

A bucket holds ``burst`` tokens and gets ``rate`` new ones a second; a call takes one. So in any
``t`` seconds at most ``burst + rate * t`` calls are made.

A bucket is kept as one number, the instant at which it will be full again. What that instant
lies ahead of now is exactly what is missing in it, and there is nothing to top up in between.

Nobody sleeps until there is a token, unless that takes a moment only: the call raises
``RateLimited`` and its caller comes back later. Meanwhile it has a place in the bucket's queue, so
that accounts of one seller get tokens in turn, and live reading before the reading of a back-log.
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import structlog

from amazon_bridge.engine.errors import RateLimited

log = structlog.get_logger(__name__)

PATIENCE = 5.0
"""Seconds that a call may sleep for a token: getOrder has one in two, which two jobs may share."""


_SAME_LEVEL = 0.5
"""Seconds by which levels may differ without a call between."""

_ROUNDING = 1e-6
"""Seconds; monotonic clocks are floats."""


Levels = dict[str, tuple[float, float]]
"""By operation, the seconds until a seller's bucket is full, and its rate in calls a second."""


def are_as_expected(levels: Levels, before: Levels, age: float) -> bool:
    """Whether levels are those of before, ``age`` seconds later: no call was made meanwhile."""

    def expected(operation: str) -> float:
        return max(before[operation][0] - age, 0.0) if operation in before else 0.0

    return all(
        abs(levels.get(operation, (0.0, 0.0))[0] - expected(operation)) < _SAME_LEVEL
        for operation in levels.keys() | before.keys()
    )


class Urgency(IntEnum):
    """How a call shares its bucket with others."""

    LIVE = 0
    BACKLOG = 1
    """After all live calls; leaves one token for the next of them."""
    SPARE = 2
    """Only while the bucket is more than half full; has no place in the queue."""


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


@dataclass(slots=True)
class _Place:
    """A claimant's place in a bucket's queue."""

    urgency: Urgency
    arrival: int
    expiry: float
    """A claimant that has not come back by then is out."""


class _Bucket:
    def __init__(self, limit: Limit, now: float) -> None:
        self.rate, self.burst = limit.rate, limit.burst
        self.full_at = now
        self.refused_since: float | None = None
        self._queue: dict[str, _Place] = {}
        self._arrivals = 0

    def take(self, now: float, claimant: str, urgency: Urgency) -> float:
        """Take a token and return 0, or return the seconds until the claimant may have one."""
        left = min(self._ahead(now, claimant, urgency) + self._reserve(urgency), self.burst - 1)
        free_at = self.full_at - (self.burst - 1 - left) / self.rate
        if free_at - now > _ROUNDING:
            self._enqueue(claimant, urgency, free_at)
            return free_at - now
        self._queue.pop(claimant, None)
        self.full_at = max(self.full_at, now) + 1 / self.rate
        return 0.0

    def has(self, now: float, urgency: Urgency, besides: int) -> bool:
        """Whether there would be a token, and as many others as this, if nobody queued."""
        left = min(self._reserve(urgency) + besides, self.burst - 1)
        free_at = self.full_at - (self.burst - 1 - left) / self.rate
        return free_at - now <= _ROUNDING

    def _reserve(self, urgency: Urgency) -> int:
        """Tokens that must be left."""
        return self.burst // 2 if urgency is Urgency.SPARE else min(urgency, self.burst - 1)

    def _ahead(self, now: float, claimant: str, urgency: Urgency) -> int:
        self._queue = {name: each for name, each in self._queue.items() if now <= each.expiry}
        mine = self._queue.get(claimant)
        place = urgency, mine.arrival if mine else math.inf
        return sum(
            (each.urgency, each.arrival) < place
            for name, each in self._queue.items()
            if name != claimant
        )

    def _enqueue(self, claimant: str, urgency: Urgency, free_at: float) -> None:
        if urgency is Urgency.SPARE:
            return
        self._arrivals += 1
        mine = self._queue.get(claimant)
        arrival = mine.arrival if mine else self._arrivals
        self._queue[claimant] = _Place(urgency, arrival, free_at + 1 / self.rate)

    def adapt(self, rate: float, now: float) -> None:
        missing = max(self.full_at - now, 0) * self.rate
        self.rate, self.full_at = rate, now + missing / rate

    def drain(self, now: float, seconds: float | None) -> None:
        pause = 1 / self.rate if seconds is None else seconds
        self.full_at = max(self.full_at, now + pause + (self.burst - 1) / self.rate)


def _anybody(_seller: str) -> None:
    """Let this process call Amazon for all sellers."""


class Throttle:
    """One token bucket for each seller and operation. Safe to share between threads.

    Args:
        limits: The published limit of each operation.
        clock: Monotonic seconds.
        sleep: Waits for a number of seconds, ``PATIENCE`` at most.
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
        self.guard: Callable[[str], None] = _anybody
        """Called before each call with its seller; raises if this process must not make it."""

    def wait(
        self, seller: str, operation: str, claimant: str = "", urgency: Urgency = Urgency.LIVE
    ) -> None:
        """Return as soon as the seller may call the operation; the call counts as made.

        Args:
            seller: Whose bucket.
            operation: Which of them.
            claimant: Whose turn it is, where several take from the bucket: an account.
            urgency: How it shares the bucket.

        Raises:
            AccountError: Another process works for the seller now.
            RateLimited: That takes longer than ``PATIENCE``. The claimant keeps its place in the
                queue until about then.
        """
        self.guard(seller)
        slept = 0.0
        while seconds := self._take(seller, operation, claimant, urgency):
            slept += seconds
            if urgency is Urgency.SPARE or slept > PATIENCE:
                say = log.debug if urgency is Urgency.SPARE else log.info
                say("throttled", seller=seller, operation=operation, seconds=round(seconds, 1))
                raise RateLimited(operation, seconds)
            self._sleep(seconds)

    def has(self, seller: str, operation: str, urgency: Urgency, besides: int = 0) -> bool:
        """Whether this call, and ``besides`` others, would get a token now if nobody queued."""
        with self._lock:
            return self._bucket(seller, operation).has(self._clock(), urgency, besides)

    def adapt(self, seller: str, operation: str, rate: float) -> None:
        """Continue at the rate (calls a second) that the remote granted."""
        with self._lock:
            bucket = self._bucket(seller, operation)
            if 0 < rate < math.inf and rate != bucket.rate:
                bucket.adapt(rate, self._clock())

    def note_success(self, seller: str, operation: str) -> None:
        """Note that the remote did not refuse a call for its rate."""
        with self._lock:
            self._bucket(seller, operation).refused_since = None

    def drain(self, seller: str, operation: str, seconds: float | None = None) -> float:
        """Empty the bucket: the remote refused a call because of its rate.

        Args:
            seller: Whose bucket.
            operation: Which of them.
            seconds: No call before this many seconds; default: the time of one token.

        Returns:
            For how many seconds the remote has refused every call.
        """
        with self._lock:
            now, bucket = self._clock(), self._bucket(seller, operation)
            bucket.drain(now, seconds)
            bucket.refused_since = now if bucket.refused_since is None else bucket.refused_since
            return now - bucket.refused_since

    def levels(self, seller: str) -> Levels:
        """The levels of a seller's buckets; without those that are full at the usual rate."""
        with self._lock:
            now = self._clock()
            mine = {
                operation: each for (s, operation), each in self._buckets.items() if s == seller
            }
            return {
                operation: (round(max(each.full_at - now, 0.0), 3), each.rate)
                for operation, each in mine.items()
                if each.full_at > now or each.rate != self._limits[operation].rate
            }

    def restore(self, seller: str, levels: Levels, age: float) -> None:
        """Continue with the levels that another process noted.

        Args:
            seller: Whose buckets; those without a level are full.
            levels: As ``levels`` returned them.
            age: Seconds since then.
        """
        with self._lock:
            for operation in [o for s, o in self._buckets if s == seller]:
                del self._buckets[seller, operation]
            for operation in levels.keys() & self._limits.keys():
                missing, rate = levels[operation]
                bucket = self._bucket(seller, operation)
                bucket.rate, bucket.full_at = rate, self._clock() + max(missing - age, 0.0)

    def _take(self, seller: str, operation: str, claimant: str, urgency: Urgency) -> float:
        with self._lock:
            bucket = self._bucket(seller, operation)
            seconds = bucket.take(self._clock(), claimant, urgency)
            if seconds and urgency is not Urgency.SPARE:
                waits = self.waits[seller, operation]
                waits.count, waits.seconds = waits.count + 1, waits.seconds + seconds
            return seconds

    def _bucket(self, seller: str, operation: str) -> _Bucket:
        key = seller, operation
        if key not in self._buckets:
            self._buckets[key] = _Bucket(self._limits[operation], self._clock())
        return self._buckets[key]
