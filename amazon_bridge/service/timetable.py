"""When rounds run: APScheduler, with a start of each job at its own moment."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from tzlocal import get_localzone

from amazon_bridge.app import JOBS
from amazon_bridge.config import Config
from amazon_bridge.service.board import Board, Key

WORKERS = 8
"""Rounds of a job that run at once. Each job has its own: who catches up on months of orders,
waiting for Amazon's rates, keeps no shipment of another account from going out."""

PACE = timedelta(seconds=1)
"""Between the first starts of two jobs; less where that would outlast an interval."""

FAST_PACE = timedelta(seconds=0.2)
"""The same when somebody waits for the rounds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A job of an account, and when it runs: an interval, or a cron line in local time."""

    account: str
    job: str
    schedule: timedelta | str

    @property
    def key(self) -> Key:
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
        """When the job is due for the so manieth time since a moment."""
        if isinstance(self.schedule, timedelta):
            return since + times * self.schedule
        at = since
        for _ in range(times):
            # In UTC, because local times stand still where an hour comes twice.
            at = at.astimezone(UTC) + timedelta(microseconds=1)
            at = self.trigger.get_next_fire_time(None, at) or at
        return at.astimezone(UTC)


def entries(config: Config) -> list[Entry]:
    """What is to run, all accounts of one job after the other."""
    return [
        Entry(account.name, job, getattr(account.schedule, job))
        for job in JOBS
        for account in config.accounts
    ]


class Timetable:
    """Runs each job on its schedule, one round of an (account, job) at a time.

    A round that is missed (because the one before was still running, or the machine slept) is
    made up for once.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={
                job: ThreadPoolExecutor(WORKERS) for job in (*JOBS, "care", "probes", "asked")
            },
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self.planned: list[Entry] = []

    def start(self) -> None:
        # It tells of every start and end, and warns of every round that runs over the next one's
        # time: the board knows, and tells once.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler.start()

    def stop(self) -> None:
        """Start nothing any more; what is running goes on."""
        self._scheduler.shutdown(wait=False)

    def plan(self, wanted: list[Entry], board: Board, run: Callable[[str, str], None]) -> None:
        """Run these from now on, the first time soon, and nothing that was planned before."""
        for entry in self.planned:
            self._scheduler.remove_job(entry.id)
        self.planned = wanted
        for entry, start in zip(wanted, starts(wanted, self._clock()), strict=True):
            first = _first(entry, start, board[entry.key].last_started)
            self._scheduler.add_job(
                run,
                entry.trigger,
                args=entry.key,
                id=entry.id,
                executor=entry.job,
                **({"next_run_time": first} if first else {}),
            )

    def run_soon(self, keys: Collection[Key] | None = None) -> None:
        """Run these jobs now, or all."""
        at = self._clock()
        for entry in self.planned:
            if keys is None or entry.key in keys:
                self._scheduler.modify_job(entry.id, next_run_time=at)
                at += FAST_PACE

    def every(self, interval: timedelta, what: Callable[[], None]) -> None:
        """Do something small regularly; planned anew when it was before."""
        self._scheduler.add_job(
            what,
            IntervalTrigger(seconds=interval.total_seconds(), timezone=UTC),
            id=what.__name__,
            executor="care",
            replace_existing=True,
        )

    def at_once(self, what: Callable[[str], None], name: str) -> None:
        """Do something with a name that is used once, now or when a worker is free."""
        self._scheduler.add_job(what, args=(name,), id=f"asked:{name}", executor="asked")

    def once(self, at: datetime, what: Callable[..., None], *names: str) -> None:
        """Do something with names at a moment; what was planned for these names is forgotten."""
        self._scheduler.add_job(
            what,
            "date",
            run_date=at,
            args=names,
            id=f"once:{':'.join(names)}",
            executor="probes",
            replace_existing=True,
        )


def starts(wanted: list[Entry], now: datetime) -> Iterator[datetime]:
    """A moment for each job's first round: soon, and no two together."""
    intervals = [e.schedule for e in wanted if isinstance(e.schedule, timedelta)]
    pace = min([PACE, *(interval / len(wanted) for interval in intervals)])
    return (now + number * pace for number in range(len(wanted)))


def _first(entry: Entry, start: datetime, last: datetime | None) -> datetime | None:
    """When to begin: intervals at once; a cron line in its time, unless it missed one."""
    if isinstance(entry.schedule, timedelta):
        return start
    missed = last is not None and entry.due(last, 1) < start
    return start if missed else None
