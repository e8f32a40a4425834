"""What a run reads: time windows in several lanes. Pure arithmetic on aware UTC datetimes.

The cursor of an account means: everything that changed up to here is known. Three kinds of lanes
read windows, page by page:

- *live*: from the cursor to now. If the cursor is far behind, from half an hour ago to now, so that
  new orders come in while the back-log is read. What it has read is its interval.
- *back-log*: from the cursor up to the live interval, in slices; then the cursor jumps to the
  interval's end.
- *second looks*: orders can show up late, so each is looked at again half an hour, 12 hours and 3
  days after it changed. Each look has its own position, which trails the present by its lag.

A lane moves to a window's ``before`` once that was read to its end, or to the earlier instant up
to which Amazon's response is complete: no gap is ever skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

SEARCH_DELAY = timedelta(minutes=2)
"""``lastUpdatedBefore`` must lie at least this far back, else searchOrders returns 400."""

SLICE = timedelta(days=1)
"""The longest window: a long history moves the cursor day by day, and page tokens live 24 h."""

BEHIND = timedelta(hours=1)
"""A cursor further behind has a back-log: new orders no longer wait for it."""

LIVE_START = timedelta(minutes=30)
"""How far back the live lane begins, when there is a back-log."""

LIVE_PAUSE = timedelta(minutes=15)
"""Between two live windows while there is a back-log: each costs a call that it could use."""

TOKEN_LIFETIME = timedelta(hours=23)
"""Amazon's page tokens live 24 hours."""


class Window(NamedTuple):
    """What changed from ``after`` to ``before``, both included (Amazon's rule for both)."""

    after: datetime
    before: datetime

    def until(self, instant: datetime) -> Window:
        """The part of the window up to an instant; an empty one if that lies before it."""
        return Window(self.after, max(self.after, min(self.before, instant)))


class Lane(StrEnum):
    """What reads windows of its own, with a position of its own."""

    LIVE = "live"
    BACKLOG = "backlog"
    LATE_30M = "late_30m"
    LATE_12H = "late_12h"
    LATE_3D = "late_3d"
    IN_FLIGHT = "in_flight"
    """The survey of the orders that hold units in flight."""


class Look(NamedTuple):
    """A second look at orders that changed ``lag`` ago."""

    lane: Lane
    lag: timedelta
    gather: timedelta
    """How much time must have gathered behind it to be worth a call."""


OVERLAP = timedelta(minutes=30)
"""Lag of the first look. It is part of the live window, for the same call, whenever half of the
burst is left: with a run every five minutes a page of 100 still holds what a seller of 4,000 orders
a day has in window and overlap."""

LOOKS = (
    Look(Lane.LATE_3D, timedelta(days=3), timedelta(hours=6)),
    Look(Lane.LATE_12H, timedelta(hours=12), timedelta(hours=1)),
    Look(Lane.LATE_30M, OVERLAP, BEHIND),
)
"""The latest one first: where there are not enough calls for all, it makes the others needless.
Orders have been reported to show up 12 hours late; three days hold that several times over."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A window that is being read page by page."""

    lane: Lane
    window: Window
    marketplaces: str
    """And other filters of the search: a page token is valid only with the same ones."""
    begun: datetime
    known_until: datetime
    """Up to when Amazon's response is complete."""
    token: str | None = None
    """Of the next page; None before the first and after the last one."""

    @classmethod
    def of(cls, lane: Lane, window: Window, marketplaces: str, now: datetime) -> Reading:
        """A window before its first page is read."""
        return cls(lane, window, marketplaces, now, window.before)

    def continued(self, complete_until: datetime, token: str | None) -> Reading:
        """After a further page."""
        known = min(self.known_until, complete_until)
        return replace(self, known_until=max(self.window.after, known), token=token)

    def is_valid(self, marketplaces: str, now: datetime) -> bool:
        """Whether its token may still be used."""
        return self.marketplaces == marketplaces and abs(now - self.begun) < TOKEN_LIFETIME


@dataclass(frozen=True, slots=True)
class Backlog:
    """What was not read yet when an account's cursor fell far behind."""

    begins: datetime
    position: datetime
    """The cursor: everything before it is known."""
    ends: datetime
    """Where the live interval begins."""
    live_until: datetime
    """Where the live interval ends."""
    since: datetime
    """When reading it began."""

    @property
    def share(self) -> float:
        """The part that is read, from 0 to 1."""
        whole = self.ends - self.begins
        return min(1.0, (self.position - self.begins) / whole) if whole else 1.0

    @property
    def left(self) -> timedelta:
        """How much time is still to be read."""
        return max(timedelta(0), self.ends - self.position)

    def estimate(self, now: datetime) -> timedelta | None:
        """How long it will take, at its own speed so far; None if that is not known yet."""
        spent, share = now - self.since, self.share
        return spent * ((1 - share) / share) if share and spent > timedelta(0) else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far what changed in an account was read."""

    cursor: datetime | None = None
    began: datetime | None = None
    """The earliest moment the cursor was ever set to."""
    positions: Mapping[Lane, datetime] = field(default_factory=dict)
    """Of second looks, and of what is read beside the cursor."""
    backlog: Backlog | None = None
    """What was not read when the cursor fell far behind; None if there is no such thing."""


def latest_searchable(now: datetime) -> datetime:
    """The latest moment that may be searched, in whole seconds: no rounding can lead past it."""
    return whole_seconds(now - SEARCH_DELAY)


def whole_seconds(at: datetime) -> datetime:
    """The instant rounded down.

    Amazon may respond with whole seconds only; a window that ends within a second would then seem
    to be complete only in part.
    """
    return at.replace(microsecond=0)


def window_between(after: datetime, end: datetime) -> Window | None:
    """The first slice of what lies between two moments; None if nothing does."""
    after, end = whole_seconds(after), whole_seconds(end)
    return Window(after, min(after + SLICE, end)) if after < end else None


def is_behind(position: datetime, now: datetime) -> bool:
    """Whether new orders should no longer wait until everything from here on was read."""
    return latest_searchable(now) - position > BEHIND


def live_window(cursor: datetime, start: datetime, now: datetime) -> Window | None:
    """The live window where there is no back-log.

    Args:
        cursor: everything before it is known.
        start: where the window begins: at the cursor, or at the position of the first look.
        now: the moment.
    """
    end = latest_searchable(now)
    return window_between(start, end) if cursor < end else None


def is_near(look: datetime, cursor: datetime) -> bool:
    """Whether a live window may begin at the first look's position without growing long."""
    return cursor - look <= BEHIND


def live_start(now: datetime) -> datetime:
    """Where the live interval begins, when there is a back-log."""
    return latest_searchable(now) - LIVE_START


def live_window_beside(backlog: Backlog, now: datetime) -> Window | None:
    """The live window where there is a back-log; None if it is too early for one."""
    is_first = backlog.live_until == backlog.ends
    if not is_first and latest_searchable(now) - backlog.live_until < LIVE_PAUSE:
        return None
    return window_between(backlog.live_until, latest_searchable(now))


def look_window(look: Look, position: datetime, cursor: datetime, now: datetime) -> Window | None:
    """The next window of a second look; None if it is not worth a call yet.

    It looks at nothing that was not read before: behind the cursor.
    """
    end = min(whole_seconds(now - look.lag), whole_seconds(cursor))
    return window_between(position, end) if end - position >= look.gather else None


def windows_from(cursor: datetime, now: datetime) -> list[Window]:
    """What is to be read from a cursor on, in the sequence in which the lanes read it."""
    end, start = latest_searchable(now), cursor - OVERLAP
    if cursor >= end:
        return []
    live = max(start, live_start(now)) if is_behind(cursor, now) else start
    windows = [Window(whole_seconds(live), end)]
    while window := window_between(start, live):
        windows.append(window)
        start = window.before
    return windows
