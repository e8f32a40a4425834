"""How the jobs of all accounts stand, as the daemon saw it. Safe to share between threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

import structlog

from amazon_bridge.engine.records import Run
from amazon_bridge.engine.runner import Counts

log = structlog.get_logger(__name__)

Key = tuple[str, str]
"""Account and job."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a job of an account stands."""

    last_success: datetime | None = None
    last_started: datetime | None = None
    running_since: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    """In a row."""
    error: str | None = None
    """Of the last round, None when it went well."""
    is_refused: bool = False
    """The configuration kept the last run from working: none goes well before it is corrected."""


class Board:
    """The standing of each (account, job), and the rounds that are running."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.began = clock()
        self._clock = clock
        self._lock = threading.Lock()
        self._round_ended = threading.Condition(self._lock)
        self._standings: dict[Key, Standing] = {}
        self._progress: dict[int, float] = {}  # of each thread in a round, monotonic seconds

    def __getitem__(self, key: Key) -> Standing:
        return self._standings.get(key, Standing())

    def remember(self, rounds: Iterable[Run]) -> None:
        """Begin with what the ledger has of earlier rounds, where nothing newer is known."""
        now = self._clock()
        with self._lock:
            for each in rounds:
                # A moment in the future was written while a clock was wrong: nothing would be
                # late before it.
                success = each.last_success and min(each.last_success, now)
                known = Standing(last_success=success, last_started=min(each.last_started, now))
                self._standings.setdefault((each.account, each.job), known)

    def shift(self, by: timedelta) -> None:
        """Shift all moments: the clock was set."""
        with self._lock:
            self.began += by
            for key, standing in self._standings.items():
                moments = {
                    field.name: moment + by
                    for field in fields(standing)
                    if isinstance(moment := getattr(standing, field.name), datetime)
                }
                self._standings[key] = replace(standing, **moments)  # type: ignore[arg-type]

    def begin(self, key: Key) -> None:
        """A round begins, in this thread."""
        now = self._clock()
        with self._lock:
            self._progress[threading.get_ident()] = time.monotonic()
            self._standings[key] = replace(self[key], running_since=now, last_started=now)

    def note_progress(self) -> None:
        """The round in this thread moves on."""
        with self._lock:
            if (thread := threading.get_ident()) in self._progress:
                self._progress[thread] = time.monotonic()

    def end(self, key: Key, counts: Counts | None, *, refused: bool = False) -> None:
        """The round in this thread ended; without counts it was stopped, which tells nothing."""
        with self._lock:
            self._progress.pop(threading.get_ident(), None)
            before = self[key]
            after = replace(before, running_since=None)
            if counts is not None:
                after = self._judged(replace(after, is_refused=refused), counts)
            self._standings[key] = after
            self._round_ended.notify_all()
        _log_change(key, before, after)

    def _judged(self, standing: Standing, counts: Counts) -> Standing:
        now = self._clock()
        if counts.error is None:
            return Standing(last_success=now, last_started=standing.last_started)
        return replace(
            standing,
            failing_since=standing.failing_since or now,
            failures=standing.failures + 1,
            error=counts.error,
        )

    @property
    def running(self) -> int:
        """How many rounds are running."""
        return len(self._progress)

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until no round runs, and return whether that came true in time."""
        with self._round_ended:
            return self._round_ended.wait_for(lambda: not self._progress, seconds)

    @property
    def longest_silence(self) -> float:
        """Seconds since the last sign of progress of the running round that has none longest."""
        with self._lock:
            return time.monotonic() - min(self._progress.values(), default=time.monotonic())


def _log_change(key: Key, before: Standing, after: Standing) -> None:
    account, job = key
    if after.error and after.error != before.error:
        log.warning("job_failing", account=account, job=job, reason=after.error)
    if before.error and not after.error:
        log.info("job_recovered", account=account, job=job, failures=before.failures)
