"""Batches of a run that are processed at the same time, each in a thread of its own."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from amazon_bridge.engine.counts import Counts

log = structlog.get_logger(__name__)

T = TypeVar("T")

_SLOWER = 1.6
"""A batch beside another one is too slow if it takes this many times as long as one alone."""

_MANY = 10
"""Created items; the time of a batch with fewer says little about the remote."""

_COOLDOWN = 10
"""Batches that are processed alone after one was too slow beside another."""


class Pace:
    """How many batches may be processed at once, by the time that they take. Thread-safe.

    Each run may process one batch at any time. All runs together may process ``most - 1`` besides,
    unless batches get slower by it: the remote has a single worker, or others use it.

    Args:
        most: batches of a run at once.
        clock: monotonic, in seconds.
    """

    def __init__(self, most: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._extra = 0
        self._running: set[_Timing] = set()
        self._lone_times: deque[float] = deque(maxlen=_COOLDOWN)
        """Seconds per created item of the latest batches that were processed alone."""
        self._cooldown = 1

    def take(self) -> bool:
        """Take a further batch, if there may be one now; ``give_back`` ends it."""
        with self._lock:
            may = not self._cooldown and self._extra < self.most - 1
            self._extra += may
            return may

    def give_back(self, number: int) -> None:
        with self._lock:
            self._extra -= number

    def timed(self, process: Callable[[], Counts]) -> Counts:
        """Process a batch, and note how long it takes."""
        with self._among_others() as timing:
            counts = process()
        seconds = self._clock() - timing.begun
        if counts.created >= _MANY:
            with self._lock:
                self._note(seconds / counts.created, is_alone=timing.is_alone)
        return counts

    @contextmanager
    def _among_others(self) -> Iterator[_Timing]:
        timing = _Timing(self._clock())
        with self._lock:
            self._running.add(timing)
            if len(self._running) > 1:
                for each in self._running:
                    each.is_alone = False
        try:
            yield timing
        finally:
            with self._lock:
                self._running.remove(timing)

    def _note(self, seconds: float, *, is_alone: bool) -> None:
        if is_alone:
            self._lone_times.append(seconds)
            self._cooldown = max(self._cooldown - 1, 0)
        elif self._lone_times and seconds > _SLOWER * min(self._lone_times):
            self._cooldown = _COOLDOWN
        log.debug("batch_timed", alone=is_alone, seconds=round(seconds, 4), cooldown=self._cooldown)


@dataclass(eq=False, slots=True)
class _Timing:
    begun: float
    is_alone: bool = True


@dataclass(slots=True)
class Batches(Generic[T]):
    """The batches of one run.

    Attributes:
        pace: how many may be processed at once.
        process: processes a batch, in any thread.
        done: gets the counts of each batch, in the run's thread.
        key: of an item.
        claims: what an item shares with others, as its customer. Items that have a key or a claim
            in common are never in two batches at once.
    """

    pace: Pace
    process: Callable[[Sequence[T]], Counts]
    done: Callable[[Counts], None]
    key: Callable[[T], str]
    claims: Callable[[T], Iterable[Hashable]]
    _running: dict[Future[Counts], frozenset[Hashable]] = field(default_factory=dict)
    _held: dict[str, T] = field(default_factory=dict)
    """Items that wait for a batch which has a claim in common with them."""
    _extra: int = 0
    _pool: ThreadPoolExecutor | None = None

    def wait(self) -> None:
        """Wait until a batch may begin.

        Raises:
            Exception: what an earlier batch raised.
        """
        while self._extra < len(self._running):
            if self.pace.take():
                self._extra += 1
            else:
                self._collect()

    def submit(self, items: Sequence[T], *, is_last: bool = True) -> None:
        """Process a batch, for which ``wait`` was called; in a thread if others follow.

        Raises:
            Exception: what this or an earlier batch raised.
        """
        busy = self._busy()
        held = {self.key(i): i for i in items if busy and self._claimed(i) & busy}
        self._held |= held
        free = [item for item in items if self.key(item) not in held]
        if is_last or self.pace.most == 1:
            self._process(free)
        elif free:
            self._start(free)

    def drain(self) -> None:
        """Finish all batches, and process what waited for them.

        Raises:
            Exception: what one of them raised, after the others have ended.
        """
        try:
            if self._running:
                self._collect()
        finally:
            if self._running:
                self.drain()
        if self._pool:
            self._pool.shutdown()
            self._pool = None
        held, self._held = list(self._held.values()), {}
        self._process(held)

    def _busy(self) -> frozenset[Hashable]:
        held = map(self._claimed, self._held.values())
        return frozenset().union(*self._running.values(), *held)

    def _claimed(self, item: T) -> frozenset[Hashable]:
        return frozenset((self.key(item), *self.claims(item)))

    def _process(self, items: Sequence[T]) -> None:
        if items:
            self.done(self.pace.timed(lambda: self.process(items)))

    def _start(self, items: Sequence[T]) -> None:
        self._pool = self._pool or ThreadPoolExecutor(self.pace.most)
        run = contextvars.copy_context().run
        future = self._pool.submit(run, self.pace.timed, lambda: self.process(items))
        self._running[future] = frozenset().union(*map(self._claimed, items))

    def _collect(self) -> None:
        """Wait until a batch ends, and note its counts."""
        ended, _ = wait(self._running, return_when=FIRST_COMPLETED)
        future = next(iter(ended))
        del self._running[future]
        self._give_back()
        self.done(future.result())

    def _give_back(self) -> None:
        needed = max(len(self._running) - 1, 0)
        self.pace.give_back(self._extra - needed)
        self._extra = needed
