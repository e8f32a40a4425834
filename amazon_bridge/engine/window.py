"""The time windows that a run reads. Pure arithmetic on aware UTC datetimes.

The cursor of an account means: everything that changed up to here is known. It moves to a
window's ``before`` once that window was read to its end, or to the earlier instant up to which
Amazon's response is complete. The next window then does not begin at the cursor and cannot move it:
no gap is ever skipped.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

SETTLED = timedelta(minutes=2)
"""``lastUpdatedBefore`` must lie at least this far back, else searchOrders answers 400."""

OVERLAP = timedelta(minutes=30)
"""How far a run looks back behind the cursor, because orders can show up minutes late.

The price is small: with a run every five minutes a page of 100 still holds what a seller of
4,000 orders a day has in window and overlap, and searchOrders grants one page in three minutes.
What shows up even later is read by the sweep.
"""

SLICE = timedelta(days=1)
"""The longest window: a long history moves the cursor day by day, and page tokens live 24 h."""

SWEEP = timedelta(days=3)
"""How far the daily sweep looks back.

Orders have been reported to show up 12 hours late. Three days hold that several times over,
and let a sweep fail on two days in a row without leaving anything unseen.
"""


class Window(NamedTuple):
    """What changed from ``after`` to ``before``, both included (Amazon's rule for both)."""

    after: datetime
    before: datetime

    def until(self, instant: datetime) -> Window:
        """The part of the window up to an instant; an empty one if that lies before it."""
        return Window(self.after, max(self.after, min(self.before, instant)))


def windows(cursor: datetime, now: datetime) -> list[Window]:
    """Return the windows to read, oldest first, so that everything up to ``now`` is known.

    Without a gap: the first begins ``OVERLAP`` before the cursor, each other one where its
    predecessor ends. None is longer than ``SLICE``; each ends after the cursor. Empty if the cursor
    is less than ``SETTLED`` ago.
    """
    end = _settled(now)
    return _slices(_whole_seconds(cursor - OVERLAP), end) if cursor < end else []


def sweep_windows(now: datetime, began: datetime) -> list[Window]:
    """Return the windows of the daily sweep, oldest first. Reading them never moves the cursor.

    None reaches back behind ``began``, the earliest moment of interest.
    """
    end = _settled(now)
    return _slices(_whole_seconds(max(end - SWEEP, began)), end)


def _settled(now: datetime) -> datetime:
    """The latest moment that may be asked for, in whole seconds: no rounding can lead past it."""
    return _whole_seconds(now - SETTLED)


def _whole_seconds(at: datetime) -> datetime:
    """The instant rounded down.

    Amazon may answer with whole seconds only; a window that ends within a second would then seem
    to be answered for a part of it.
    """
    return at.replace(microsecond=0)


def _slices(after: datetime, end: datetime) -> list[Window]:
    slices = []
    while after < end:
        before = min(after + SLICE, end)
        slices.append(Window(after, before))
        after = before
    return slices
