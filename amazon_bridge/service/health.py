"""Liveness and readiness of the daemon, each with the reasons if it fails."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from amazon_bridge.app import ODOO
from amazon_bridge.service.job_health import JobMonitor
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.scheduler import ScheduledJob
from amazon_bridge.terminal import timestamp

BEAT = timedelta(seconds=10)
"""Interval of the scheduler's heartbeat."""

_LONGEST_WITHOUT_BEAT = 60.0
_LONGEST_SILENCE = 300.0
"""Seconds without a remote call, beyond the time-out of one, after which a run is stuck."""

_INTERVALS = 3
_GRACE = timedelta(minutes=1)


@dataclass(slots=True)
class Heartbeat:
    """The scheduler's last heartbeat, in monotonic seconds."""

    at: float = 0.0

    def beat(self) -> None:
        self.at = time.monotonic()


def overdue_at(monitor: JobMonitor, entry: ScheduledJob) -> datetime:
    """When a job is overdue: after three due runs without success.

    Counted from its last success, or from when the daemon began to work for it if that is later.
    """
    health = monitor[entry.key]
    known = (health.last_success, health.taken_over, monitor.began)
    return entry.due(max(filter(None, known)), _INTERVALS) + _GRACE


def liveness_problems(runner: JobRunner, heartbeat: Heartbeat) -> list[str]:
    """Why the daemon should be restarted; empty if it is alive."""
    found = []
    if time.monotonic() - heartbeat.at > _LONGEST_WITHOUT_BEAT:
        found.append(f"The scheduler has not run for {_LONGEST_WITHOUT_BEAT:.0f} seconds.")
    patience = _LONGEST_SILENCE + runner.app.config.odoo.timeout
    if (silence := runner.monitor.longest_silence) > patience:
        found.append(f"A sync run has made no progress for {silence:.0f} seconds.")
    return found


def readiness_problems(runner: JobRunner, now: datetime, account: str | None = None) -> list[str]:
    """Why jobs are not being run; empty if they are. Of one account, or of all."""
    planned = [each for each in runner.scheduler.planned if account in {None, each.account}]
    remotes = _remotes(runner) if account is None else [ODOO, account]
    lease_problem = runner.leases.problem()
    return [
        *([lease_problem] if lease_problem else []),
        *(reason for remote in remotes if (reason := _outage(runner, remote))),
        *(_lateness(runner.monitor, e) for e in planned if _is_late(runner, e, now)),
    ]


def _remotes(runner: JobRunner) -> list[str]:
    return [ODOO, *(account.name for account in runner.accounts())]


def display_name(remote: str) -> str:
    """Name of a remote in texts for people."""
    return ODOO if remote == ODOO else f"Amazon for {remote}"


def _outage(runner: JobRunner, name: str) -> str | None:
    remote = runner.availability[name]
    if remote.down_since:
        since = timestamp(remote.down_since)
        return f"{display_name(name)} has been down since {since}: {remote.failure}"
    is_needed = bool(runner.scheduler.planned)
    if name == ODOO and is_needed and remote.last_answer is None and not remote.failure:
        return "Odoo has not been called yet."  # a new account makes no call to Amazon at first
    return None


def _is_late(runner: JobRunner, entry: ScheduledJob, now: datetime) -> bool:
    """True if a job is overdue, or refused: waiting does not help then.

    A run in progress is not late; ``liveness_problems`` reports one that is stuck. Nor is one that
    waits for Amazon to prepare something, before that took too long once.
    """
    health = runner.monitor[entry.key]
    if health.is_refused:
        return True
    is_busy = health.running_since is not None or (health.is_waiting and not health.error)
    return not is_busy and now > overdue_at(runner.monitor, entry)


def _lateness(monitor: JobMonitor, entry: ScheduledJob) -> str:
    health = monitor[entry.key]
    last = timestamp(health.last_success) if health.last_success else "never"
    why = health.error or (_STALLED if health.is_stalled else "")
    return f"{entry.account}, {entry.job}: last success {last}. {why}".strip()


_STALLED = (
    "Amazon's rates allow no call: another program may use them up, or the seller's accounts run"
    " too often (`schedule`)."
)


def report(runner: JobRunner, now: datetime) -> dict[str, Any]:
    """Content of ``/readyz``."""
    reasons = readiness_problems(runner, now)
    return {
        "ready": not reasons,
        "reasons": reasons,
        "sides": {
            display_name(name): {
                "up": runner.availability.are_up(name),
                **_plain(runner.availability[name]),
            }
            for name in _remotes(runner)
        },
        "jobs": [
            {"account": e.account, "job": e.job, **_plain(runner.monitor[e.key])}
            for e in runner.scheduler.planned
        ],
    }


def _plain(known: Any) -> dict[str, Any]:
    moments = {k: timestamp(v) for k, v in asdict(known).items() if isinstance(v, datetime)}
    others = {k: v for k, v in asdict(known).items() if not isinstance(v, datetime | timedelta)}
    return others | moments
