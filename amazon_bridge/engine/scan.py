"""Computes which changes in Odoo a run reads. Pure arithmetic on aware UTC datetimes.

A scan reads id and ``write_date`` of the records that changed since a moment, page by page by id.
The state store remembers the page at which an interrupted scan stopped, and the changes of the last
day that were processed: those are not processed again.

``write_date`` is the beginning of the transaction that wrote the record, by the clock of Odoo's
database, but the record appears only at the transaction's end. So a scan must start before the
last one began:

- Each scan looks back over ``OVERLAP``, for transactions of usual length and for clocks that
  differ.
- One scan per hour looks back over ``LATE``, for imports, scheduled actions and mass changes that
  take hours in one transaction, and for a clock that was set back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from amazon_bridge.engine.records import CLOCKS_DIFFER

OVERLAP = timedelta(minutes=30)
"""How far each scan looks back: Odoo ends requests after 2 minutes, scheduled actions mostly after
15; and the two clocks may differ a few minutes."""

LATE = timedelta(days=1)
"""How far one scan per hour looks back."""

EVERY_ACCOUNT = ""
"""The account of scans that aren't of one account, such as that of old customers."""

LOOKS_BACK_EVERY = timedelta(hours=1)


class Scan(NamedTuple):
    """One pass over the changes since a moment."""

    since: datetime
    began: datetime
    """What changes later is read by the next scan."""
    looks_back: bool
    """It goes back at least over ``LATE``."""
    after: int = 0
    """The last id of the pages that are processed already."""


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a job has read the changes in Odoo."""

    complete_until: datetime | None = None
    """Start of the last completed scan; None if there is none."""
    looked_back: datetime | None = None
    """Start of the last completed scan that looked back over ``LATE``."""
    unfinished: Scan | None = None
    """The scan that was interrupted between two pages."""


def next_scan(progress: ScanProgress, now: datetime, *, first: datetime) -> Scan:
    """Return the scan that a run does: the rest of an interrupted one, or a new one.

    Moments in the future were written by a wrong clock: it is unknown how far back to look.

    Args:
        progress: what earlier runs did.
        now: the moment.
        first: where the first scan begins.
    """
    limit = now + CLOCKS_DIFFER
    if progress.unfinished and progress.unfinished.began <= limit:
        return progress.unfinished
    until = progress.complete_until
    if until is None or until > limit:
        return Scan(first, now, looks_back=True)
    last = progress.looked_back
    looks_back = last is None or abs(now - last) >= LOOKS_BACK_EVERY
    return Scan(until - (LATE if looks_back else OVERLAP), now, looks_back)


def is_remembered(scan: Scan, written: datetime) -> bool:
    """True if a processed change must be remembered, so that later scans skip it.

    Later scans see it again only if it is at most ``LATE`` old. ``write_date`` has whole seconds: a
    change by another transaction of the same second is seen unless it is committed more than
    ``CLOCKS_DIFFER`` later.
    """
    return scan.began - LATE <= written < scan.began - CLOCKS_DIFFER
