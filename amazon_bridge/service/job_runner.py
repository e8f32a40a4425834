"""Sync runs of the daemon: what happens when a remote is down or a job keeps failing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import partial

import structlog

from amazon_bridge.app import ODOO, App
from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import BridgeError, ConfigError, RateLimited, Stopped, Transient
from amazon_bridge.engine.item_errors import internal_error
from amazon_bridge.flows.ship_by.find import Deliveries
from amazon_bridge.service.availability import Availability
from amazon_bridge.service.backoff import Backoff
from amazon_bridge.service.counters import Counters
from amazon_bridge.service.job_health import JobKey, JobMonitor
from amazon_bridge.service.leases import AllSellers, Leases
from amazon_bridge.service.relay import relayed
from amazon_bridge.service.resumed_runs import resume_pause
from amazon_bridge.service.scheduler import ScheduledJob, Scheduler, scheduled_jobs

log = structlog.get_logger(__name__)


class JobRunner:
    """Runs jobs, one run of an (account, job) at a time, and records their health."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock, self.monotonic = clock, monotonic
        self.app: App
        """May be replaced at any time; a run in progress continues with the one it started with."""
        self.deliveries: Deliveries | None = None
        """Odoo's open delivery orders as read last; None before the first time."""
        self.scheduler = Scheduler(clock)
        self.monitor = JobMonitor(clock)
        self.availability = Availability(clock)
        self.backoff = Backoff(monotonic)
        self.counters = Counters()
        self.leases: Leases = AllSellers()
        self.stopping = threading.Event()
        self._locks: dict[JobKey, threading.Lock] = {}
        self._due: set[JobKey] = set()
        """Jobs to be run after the run in progress."""
        self._queued: set[JobKey] = set()
        """Jobs with a run that waits for a worker."""
        self._queueing = threading.Lock()
        self._missed: set[JobKey] = set()
        """Jobs with a skipped or failed run because a remote is down."""

    def watch(self, remote: str, operation: str, error: BridgeError | None, seconds: float) -> None:
        """Callback invoked after every remote call."""
        self.availability.note_call(remote, error)
        _note_call(remote, operation, error)
        self.counters.count_call(remote, operation, error, seconds)
        self.monitor.note_progress()

    def pause(self, seconds: float) -> None:
        """Sleep during a run.

        Raises:
            Stopped: the daemon stops.
        """
        if self.stopping.wait(seconds):
            raise Stopped
        self.monitor.note_progress()

    def works_for(self, name: str) -> bool:
        """Whether this daemon, of those that share the state store, works for an account."""
        account = self._account(name)
        return account is None or self.leases.hold(account.seller_id)

    def scheduled_jobs(self) -> list[ScheduledJob]:
        """The jobs that are on, of the accounts that this daemon works for."""
        others = self.others()
        return [each for each in scheduled_jobs(self.app.config) if each.account not in others]

    def accounts(self) -> list[AccountConfig]:
        """The configured accounts that this daemon works for."""
        return [each for each in self.app.config.accounts if self.leases.hold(each.seller_id)]

    def others(self) -> set[str]:
        """The configured accounts that other daemons work for, or should."""
        accounts = self.app.config.accounts
        return {each.name for each in accounts if not self.leases.hold(each.seller_id)}

    def _account(self, name: str) -> AccountConfig | None:
        return next((each for each in self.app.config.accounts if each.name == name), None)

    def queue(self, name: str, job: str) -> None:
        """Queue a run of a job as scheduled, once: it may be waiting for a worker already.

        If a run is in progress, it follows that. Skipped while a remote is down, and while the job
        is paused because it failed although both remotes were up. A run that a rate limit ends goes
        on when there is a token.
        """
        key = name, job
        with self._queueing:
            if key in self._queued or self.stopping.is_set():
                return
            self._queued.add(key)
        self.scheduler.at(self.clock(), self._run_queued, *key, name=f"due:{name}:{job}", pool=job)

    def _run_queued(self, name: str, job: str) -> None:
        key = name, job
        with self._queueing:
            self._queued.discard(key)
        self._due.add(key)  # before the lock is tried: whoever holds it looks here afterwards
        if self._lock_of(key).acquire(blocking=False):
            with self._acquired(key):
                self._run_as_scheduled(key)

    def _run_as_scheduled(self, key: JobKey) -> None:
        name, job = key
        if self.stopping.is_set() or self.backoff.is_held(key) or not self.works_for(name):
            return
        if not self.availability.are_up(ODOO, name):
            self._missed.add(key)
        elif counts := self._run_job(name, job):
            self._go_on_later(key, counts)

    @contextmanager
    def _acquired(self, key: JobKey) -> Iterator[None]:
        """Release the lock of an (account, job) at the end, and run what became due meanwhile."""
        self._due.discard(key)
        try:
            yield
        finally:
            self._lock_of(key).release()
            if key in self._due:
                self.queue(*key)

    def run_now(self, name: str, job: str) -> Counts | None:
        """Run a job for a waiting caller, after a run in progress.

        A remote that is down is probed first. The daemon that works for the account runs it.

        Returns:
            The counts; None if the run was stopped or never started. Where they have a
            ``resume_in``, the caller lets it go on.
        """
        counts = self.run_here(name, job)
        account = self._account(name)
        if counts is None and account and not self.stopping.is_set():
            return self._run_elsewhere(account, job)
        return counts

    def run_here(self, name: str, job: str) -> Counts | None:
        """Run a job like that, unless another daemon works for the account; then return None."""
        self._lock_of((name, job)).acquire()
        with self._acquired((name, job)):
            if not self.works_for(name):
                return None
            reason = self._still_down(ODOO) or self._still_down(name)
            if self.stopping.is_set():
                return None
            return Counts(error=reason) if reason else self._run_job(name, job)

    def _run_elsewhere(self, account: AccountConfig, job: str) -> Counts | None:
        try:
            return relayed(self.app.ledger, account, job, self.pause)
        except Stopped:
            return None
        except BridgeError as error:
            return Counts(error=str(error))

    def take_over(self, jobs: Iterable[ScheduledJob]) -> None:
        """Begin anew with jobs that another daemon may have run, whatever held them up here.

        Raises:
            StorageError: when they ran last can't be read.
        """
        keys = [job.key for job in jobs]
        for key in keys:
            self.availability.forget(key[0])
            self.backoff.release(key)
            self._missed.discard(key)
        self.monitor.take_over(keys, self.app.ledger.runs.latest())

    def refresh_others(self) -> None:
        """Read how the jobs of accounts do that other daemons work for."""
        if others := self.others():
            runs = self.app.ledger.runs.latest()
            self.monitor.note_elsewhere(run for run in runs if run.account in others)

    def _lock_of(self, key: JobKey) -> threading.Lock:
        """Lock within this process; other processes are kept out by ``engine.lock``."""
        return self._locks.setdefault(key, threading.Lock())

    def _still_down(self, remote: str) -> str | None:
        self.probe(remote)
        if self.availability.are_up(remote):
            return None
        return self.availability[remote].failure or f"{remote} is down."

    def _run_job(self, name: str, job: str) -> Counts | None:
        app = self.app
        account = self._account(name)
        if account is None:  # the configuration changed while the run waited
            return Counts(error=f"The configuration has no account {name!r} any more.")
        return self._run_recorded(app, account, job, partial(self._run_leased, app, account, job))

    def _run_leased(self, app: App, account: AccountConfig, job: str) -> Counts:
        with self.leases.working(account.seller_id):
            return app.runs.sync(account, job)

    def probe(self, remote: str) -> None:
        """Probe a remote that is down; if it responds, run what was skipped."""
        if self.stopping.is_set() or self.availability.are_up(remote):
            return
        if not self.works_for(remote):
            return
        if remote == ODOO:
            self.app.log_in_again()
        if self.availability.note_probe(remote, responded=self._responds(remote)):
            self._run_missed(remote)
        else:
            self._probe_later(remote)

    def _responds(self, remote: str) -> bool:
        """Whether a remote responds to a small call; a refusal is a response."""
        try:
            if remote == ODOO:
                self.app.odoo.ping()
            else:
                self.app.amazon(self.app.config.account(remote)).marketplace_participations()
        except (Transient, RateLimited, Stopped):
            return False
        except BridgeError:
            return True
        return True

    def _run_missed(self, remote: str) -> None:
        """Run the jobs whose runs were skipped or failed while the remote was down."""
        due = {key for key in self._missed.copy() if remote in (ODOO, key[0])}
        self._missed -= due
        for key in due:
            self.backoff.release(key)
        self.scheduler.run_soon(due)

    def _probe_later(self, remote: str) -> None:
        at = self.clock() + self.availability[remote].pause
        self.scheduler.at(at, self.probe, remote, name=f"probe:{remote}", pool="probes")

    def clock_was_set(self, by: timedelta) -> None:
        """Shift all moments, because the machine's clock was set."""
        self.monitor.shift(by)
        self.availability.shift(by)
        self.scheduler.shift(by)

    def _run_at(self, moment: datetime, key: JobKey, why: str) -> None:
        self.scheduler.at(moment, self.queue, *key, name=":".join((why, *key)), pool="calls")

    def _run_later(self, key: JobKey, pause: timedelta) -> None:
        self._run_at(self.clock() + pause, key, "again")

    def _go_on_later(self, key: JobKey, counts: Counts) -> None:
        if counts.resume_in is not None and not counts.error:
            self._run_later(key, resume_pause(counts.resume_in))

    def _judge_failure(self, key: JobKey) -> None:
        """After a failed run, mark a remote as down if it does not respond to a probe either.

        If it does, a single operation of it is broken: only the job that needs it pauses.
        """
        account, job = key
        silent = {remote for remote, _ in _failing.get(set())}
        failing = [remote for remote in (ODOO, account) if remote in silent]
        down = [remote for remote in failing if self._is_down(remote)]
        if down:
            self._missed.add(key)
        elif failing:
            pause = self.backoff.hold(key)
            self._run_later(key, pause)
            seconds = round(pause.total_seconds())
            log.warning("job_paused", account=account, job=job, seconds=seconds)

    def _is_down(self, remote: str) -> bool:
        if not self.availability.are_up(remote):
            return True
        if self._responds(remote):
            return False
        if self.availability.mark_down(remote):
            self._probe_later(remote)
        return not self.availability.are_up(remote)

    def _run_recorded(
        self, app: App, account: AccountConfig, job: str, work: Callable[[], Counts]
    ) -> Counts | None:
        key = account.name, job
        self.monitor.begin(key)
        _failing.set(set())
        begun = time.monotonic()
        counts, refused = _counts_of(key, work)
        self.monitor.end(key, counts, refused=refused)
        if counts is None:
            return None
        self.counters.count_run(key, counts, time.monotonic() - begun)
        if counts.error:
            app.setups.forget(account)
            self._judge_failure(key)
        elif counts.succeeded:
            self.backoff.release(key)
        return counts


_failing: ContextVar[set[tuple[str, str]]] = ContextVar("failing")
"""Remote operations whose last call in the current run, in any of its threads, got no response."""


def _note_call(remote: str, operation: str, error: BridgeError | None) -> None:
    failing = _failing.get(set())
    if isinstance(error, Transient):
        failing.add((remote, operation))
    else:
        failing.discard((remote, operation))


def _counts_of(key: JobKey, work: Callable[[], Counts]) -> tuple[Counts | None, bool]:
    """Run, and turn every exception into counts: nothing may end the schedule.

    Returns:
        The counts (None if the run was stopped), and whether the configuration made the run
        impossible.
    """
    try:
        return work(), False
    except Stopped:
        log.info("run_stopped", account=key[0], job=key[1])
        return None, False
    except BridgeError as error:
        return Counts(error=str(error)), isinstance(error, ConfigError)
    except Exception as error:  # noqa: BLE001 (a bug costs this run, not the others)
        return Counts(error=str(internal_error(error))), False
