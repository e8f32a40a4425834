"""Health of every (account, job), as the daemon saw it. Thread-safe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

import structlog

from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.records import Run

log = structlog.get_logger(__name__)

JobKey = tuple[str, str]
"""Account and job."""

_run: ContextVar[JobKey | None] = ContextVar("run", default=None)
"""The run that this thread works for: its own thread, or one that processes a batch of it."""


@dataclass(frozen=True, slots=True)
class JobHealth:
    """What is known about the runs of one job of one account."""

    last_success: datetime | None = None
    last_started: datetime | None = None
    running_since: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    """Consecutive failed runs."""
    error: str | None = None
    """Error of the last run; None if it succeeded."""
    is_refused: bool = False
    """True if the configuration made the last run impossible: none succeeds before it changes."""
    is_stalled: bool = False
    """True if a rate limit ended the last run before it got anything done."""
    is_waiting: bool = False
    """True if the last run is resumed when Amazon has prepared what it needs."""
    taken_over: datetime | None = None
    """When this daemon began to work for the account, until a run succeeds."""


class JobMonitor:
    """Keeps the health of each (account, job) and watches the runs in progress."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.began = clock()
        self._clock = clock
        self._lock = threading.Lock()
        self._run_ended = threading.Condition(self._lock)
        self._healths: dict[JobKey, JobHealth] = {}
        self._progress: dict[JobKey, float] = {}  # monotonic seconds of each run in progress

    def __getitem__(self, key: JobKey) -> JobHealth:
        return self._healths.get(key, JobHealth())

    def remember(self, runs: Iterable[Run]) -> None:
        """Load earlier runs from the state store, unless something newer is known."""
        now = self._clock()
        with self._lock:
            for each in runs:
                # A moment in the future was written while a clock was wrong: no job would be
                # late before it.
                success = each.last_success and min(each.last_success, now)
                known = JobHealth(last_success=success, last_started=min(each.last_started, now))
                self._healths.setdefault((each.account, each.job), known)

    def take_over(self, keys: Collection[JobKey], runs: Iterable[Run]) -> None:
        """Begin anew with jobs that another daemon may have run."""
        self.note_elsewhere(run for run in runs if (run.account, run.job) in keys)
        now = self._clock()
        with self._lock:
            for key in keys:
                self._healths[key] = replace(self[key], error=None, taken_over=now)

    def note_elsewhere(self, runs: Iterable[Run]) -> None:
        """Note the last runs of jobs that another daemon runs."""
        with self._lock:
            for run in runs:
                success = run.last_success and min(run.last_success, self._clock())
                health = JobHealth(success, run.last_started, error=run.last_error)
                self._healths[run.account, run.job] = health

    def shift(self, by: timedelta) -> None:
        """Shift all moments, because the machine's clock was set."""
        with self._lock:
            self.began += by
            for key, health in self._healths.items():
                moments = {
                    field.name: moment + by
                    for field in fields(health)
                    if isinstance(moment := getattr(health, field.name), datetime)
                }
                self._healths[key] = replace(health, **moments)  # type: ignore[arg-type]

    def begin(self, key: JobKey) -> None:
        """Record that a run starts in this thread."""
        now = self._clock()
        _run.set(key)
        with self._lock:
            self._progress[key] = time.monotonic()
            self._healths[key] = replace(self[key], running_since=now, last_started=now)

    def note_progress(self) -> None:
        """Record that the run which this thread works for makes progress."""
        with self._lock:
            if (key := _run.get()) in self._progress:
                self._progress[key] = time.monotonic()

    def end(self, key: JobKey, counts: Counts | None, *, refused: bool = False) -> None:
        """Record that the run in this thread ended.

        Args:
            key: account and job.
            counts: what the run did; None if it was stopped, which says nothing about its health.
            refused: the configuration made the run impossible.
        """
        _run.set(None)
        with self._lock:
            self._progress.pop(key, None)
            before = self[key]
            after = replace(before, running_since=None)
            if counts is not None:
                after = self._judged(replace(after, is_refused=refused), counts)
            self._healths[key] = after
            self._run_ended.notify_all()
        _log_change(key, before, after)

    def _judged(self, health: JobHealth, counts: Counts) -> JobHealth:
        now = self._clock()
        limited, waits = counts.rate_limited, counts.stalled and not counts.error
        health = replace(health, is_stalled=waits and limited, is_waiting=waits and not limited)
        if counts.succeeded:
            return JobHealth(last_success=now, last_started=health.last_started)
        if counts.error is None:
            return health  # neither a success nor a failure
        return replace(
            health,
            failing_since=health.failing_since or now,
            failures=health.failures + 1,
            error=counts.error,
        )

    @property
    def running(self) -> int:
        """Number of runs in progress."""
        return len(self._progress)

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until no run is in progress; False on time-out."""
        with self._run_ended:
            return self._run_ended.wait_for(lambda: not self._progress, seconds)

    @property
    def longest_silence(self) -> float:
        """Seconds since the least recent progress of any run in progress."""
        with self._lock:
            return time.monotonic() - min(self._progress.values(), default=time.monotonic())


def _log_change(key: JobKey, before: JobHealth, after: JobHealth) -> None:
    account, job = key
    if after.error and after.error != before.error:
        log.warning("job_failing", account=account, job=job, reason=after.error)
    if before.error and not after.error:
        log.info("job_recovered", account=account, job=job, failures=before.failures)
