"""A back-log of changed orders, described for people and for programs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from amazon_bridge.engine.window import Backlog
from amazon_bridge.terminal import timestamp


def sentence(backlog: Backlog, now: datetime) -> str:
    """How far reading it has come, and how long it will take at the speed so far."""
    estimate = backlog.estimate(now)
    left = f"about {duration(estimate)} left" if estimate else "no estimate yet"
    return (
        f"changes from {_minute(backlog.begins)} to {_minute(backlog.ends)} are being caught up on:"
        f" {backlog.share:.0%}, up to {_minute(backlog.position)}, {left}. New orders do not wait"
        " for them."
    )


def as_json(backlog: Backlog, now: datetime) -> dict[str, Any]:
    """The same as data."""
    estimate = backlog.estimate(now)
    return {
        "from": timestamp(backlog.begins),
        "to": timestamp(backlog.ends),
        "position": timestamp(backlog.position),
        "share_done": round(backlog.share, 3),
        "seconds_left": round(estimate.total_seconds()) if estimate else None,
    }


def duration(span: timedelta) -> str:
    """A rough length of time."""
    minutes = max(1, round(span.total_seconds() / 60))
    if minutes < 2 * 60:
        return f"{minutes} min"
    return f"{round(minutes / 60)} h" if minutes < 2 * 24 * 60 else f"{round(minutes / 1440)} days"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
