"""Schedules of all jobs, run by APScheduler; first runs are spread over time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.job import Job as SchedulerJob
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from tzlocal import get_localzone

from amazon_bridge.config import Config
from amazon_bridge.flows.jobs import JOBS, NAMES
from amazon_bridge.service.job_health import JobKey, JobMonitor

WORKERS = 8
"""Threads per job. Each job has its own pool, so that no import delays a shipment of another
account."""

_OTHER_POOLS = ("calls", "care", "probes", "requests", "relayed")
"""Of other tasks. Planned calls only queue a run, in a pool where none waits for a worker. Runs
that another daemon requests have a pool of their own: those that wait for another daemon must not
keep it from running what that one waits for."""

PACE = timedelta(seconds=1)
"""Time between the first starts of two jobs; shortened if that would exceed an interval."""

FAST_PACE = timedelta(seconds=0.2)
"""The same if somebody waits for the runs."""


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job of an account with its schedule: an interval, or a cron line in local time."""

    account: str
    job: str
    schedule: timedelta | str

    @property
    def key(self) -> JobKey:
        return self.account, self.job

    @property
    def id(self) -> str:
        return ":".join(self.key)

    @property
    def trigger(self) -> IntervalTrigger | CronTrigger:
        if isinstance(self.schedule, timedelta):
            return IntervalTrigger(seconds=self.schedule.total_seconds(), timezone=UTC)
        return CronTrigger.from_crontab(self.schedule, timezone=get_localzone())

    def due(self, since: datetime, times: int) -> datetime:
        """When the job is due for the ``times``-th time after ``since``."""
        if isinstance(self.schedule, timedelta):
            return since + times * self.schedule
        at = since
        for _ in range(times):
            # In UTC, because local times stand still where an hour comes twice.
            at = at.astimezone(UTC) + timedelta(microseconds=1)
            at = self.trigger.get_next_fire_time(None, at) or at
        return at.astimezone(UTC)


def scheduled_jobs(config: Config) -> list[ScheduledJob]:
    """The jobs that are on, of all accounts, grouped by job."""
    return [
        ScheduledJob(account.name, job.name, account.schedule_of(job))
        for job in JOBS
        for account in config.accounts
        if account.runs(job)
    ]


class Scheduler:
    """Calls jobs on their schedules; a call must return at once.

    Calls that were missed because the machine slept are caught up once.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={name: ThreadPoolExecutor(WORKERS) for name in (*NAMES, *_OTHER_POOLS)},
            # Two instances: the second is called while the first is ending.
            job_defaults={"coalesce": True, "max_instances": 2, "misfire_grace_time": None},
        )
        self.planned: list[ScheduledJob] = []

    def start(self) -> None:
        # It logs every start and end, and warns of every run that exceeds its interval.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler.start()

    def stop(self) -> None:
        """Start no more runs; those in progress continue."""
        self._scheduler.shutdown(wait=False)

    def plan(
        self, jobs: list[ScheduledJob], monitor: JobMonitor, run: Callable[[str, str], None]
    ) -> None:
        """Replace the planned jobs; the first runs start soon."""
        self._remove(self.planned)
        self._add(jobs, monitor, run)
        self.planned = jobs

    def adjust(
        self, jobs: list[ScheduledJob], monitor: JobMonitor, run: Callable[[str, str], None]
    ) -> None:
        """Plan these jobs; those that are planned already stay as they are."""
        self._remove([each for each in self.planned if each not in jobs])
        self._add([each for each in jobs if each not in self.planned], monitor, run)
        self.planned = jobs

    def _remove(self, jobs: Iterable[ScheduledJob]) -> None:
        for entry in jobs:
            self._scheduler.remove_job(entry.id)

    def _add(
        self, jobs: list[ScheduledJob], monitor: JobMonitor, run: Callable[[str, str], None]
    ) -> None:
        for entry, start in zip(jobs, starts(jobs, self._clock()), strict=True):
            first = _first(entry, start, monitor[entry.key].last_started)
            self._scheduler.add_job(
                run,
                entry.trigger,
                args=entry.key,
                id=entry.id,
                executor="calls",
                **({"next_run_time": first} if first else {}),
            )

    def run_soon(self, keys: Collection[JobKey] | None = None) -> None:
        """Run these jobs (default: all) now."""
        at = self._clock()
        for entry in self.planned:
            if keys is None or entry.key in keys:
                first = self._earliest(at, self._scheduler.get_job(entry.id))
                with suppress(JobLookupError):  # it is being planned anew, to run at once
                    self._scheduler.modify_job(entry.id, next_run_time=first)
                at += FAST_PACE

    def shift(self, by: timedelta) -> None:
        """Shift the calls planned besides the schedules, because the machine's clock was set."""
        for job in self._scheduler.get_jobs():
            if isinstance(job.trigger, DateTrigger):
                with suppress(JobLookupError):  # it ran meanwhile
                    job.reschedule("date", run_date=job.trigger.run_date + by)

    def every(self, interval: timedelta, what: Callable[[], None]) -> None:
        """Call a short function regularly, once per function name.

        If it is planned already, its next call isn't later than it was: reloads may come more often
        than that.
        """
        planned = self._scheduler.get_job(what.__name__)
        self._scheduler.add_job(
            what,
            IntervalTrigger(seconds=interval.total_seconds(), timezone=UTC),
            next_run_time=self._earliest(self._clock() + interval, planned),
            id=what.__name__,
            executor="care",
            replace_existing=True,
            max_instances=1,
        )

    def _earliest(self, at: datetime, planned: SchedulerJob | None) -> datetime:
        return min(at, planned.next_run_time or at) if planned else at

    def at(
        self, moment: datetime, what: Callable[..., None], *args: str, name: str, pool: str
    ) -> None:
        """Call ``what(*args)`` at a moment, besides the schedules.

        Args:
            moment: when to call it.
            what: may be called while its last call of this name is ending.
            args: its arguments.
            name: replaces a planned call of the same name.
            pool: whose workers call it: a job's name, or one of ``_OTHER_POOLS``.
        """
        self._scheduler.add_job(
            what,
            "date",
            run_date=moment,
            args=args,
            id=name,
            executor=pool,
            replace_existing=True,
        )


def starts(jobs: list[ScheduledJob], now: datetime) -> Iterator[datetime]:
    """Moment of each job's first run: soon, and no two at once."""
    intervals = [e.schedule for e in jobs if isinstance(e.schedule, timedelta)]
    pace = min([PACE, *(interval / len(jobs) for interval in intervals)])
    return (now + number * pace for number in range(len(jobs)))


def _first(entry: ScheduledJob, start: datetime, last: datetime | None) -> datetime | None:
    """First run: intervals at once; cron lines on time, unless a run was missed."""
    if isinstance(entry.schedule, timedelta):
        return start
    missed = last is not None and entry.due(last, 1) < start
    return start if missed else None
