"""Reads what people changed in Odoo, each change once, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Generic, TypeVar

from amazon_bridge.engine.scan import ScanProgress, is_remembered, next_scan
from amazon_bridge.flows.context import Context
from amazon_bridge.odoo.paging import ChangedPage, Query
from amazon_bridge.odoo.session import PAGE, chunks

K = TypeVar("K")

_OVERLAP = timedelta(days=1)
"""How far the first scan looks back behind the last run that succeeded without one."""

_FIRST_LOOK = timedelta(days=60)
"""How far the first scan of a state store looks back: Amazon itself cancels orders that nobody
has confirmed long before."""


@dataclass(frozen=True, slots=True)
class Batch(Generic[K]):
    """What to process next."""

    changed: list[int]
    """Database ids of records that changed."""
    filed: list[K]
    """Keys of what earlier runs filed."""


ReadChanges = Callable[[datetime, int], Iterator[ChangedPage]]
"""Reads the changes since a moment, of records behind an id."""


def batches(
    context: Context,
    job: str,
    read: ReadChanges,
    filed: Sequence[K] = (),
    *,
    first_look: timedelta = _FIRST_LOOK,
) -> Iterator[Batch[K]]:
    """Yield non-empty batches: what changed since the last run, then what was filed.

    When the next batch is requested, the one before counts as processed: its changes are filed or
    settled. Later runs don't see them again, unless the records are changed once more.

    Args:
        context: of the account.
        job: the job's name.
        read: reads the changes.
        filed: keys of what earlier runs filed; they come with the last changes.
        first_look: how far the first scan of a state store looks back.
    """
    first, *others = chunks(filed) or [[]]
    for changed, is_last in _changes(context, job, read, first_look):
        batch = Batch(changed, first if is_last else [])
        if batch.changed or batch.filed:
            yield batch
    yield from (Batch([], chunk) for chunk in others)


_PAGES = 4
"""Pages in a run, in addition to the newest one."""


def in_turn(context: Context, name: str, query: Query) -> Iterator[list[dict[str, Any]]]:
    """Yield the newest page of a query, then the pages after those of the run before.

    For queries in which nothing shows what is new. The newest records are read in each run; if
    there are more than a page, all pages in turn, a few in each run.

    Args:
        context: of the account.
        name: under which the state store keeps the position.
        query: what is read.
    """
    newest = query.newest()
    yield newest
    if len(newest) < PAGE:
        return
    scans = context.ledger.scans
    for rows in islice(query.pages(scans.position(context.name, name)), _PAGES):
        yield rows
        scans.move(context.name, name, rows[-1]["id"] if len(rows) == PAGE else 0)


def _changes(
    context: Context, job: str, read: ReadChanges, first_look: timedelta
) -> Iterator[tuple[list[int], bool]]:
    """Yield, for each page, the records with unprocessed changes, and whether it is the last page.

    Each page is recorded when the next one is requested.
    """
    scans, name = context.ledger.scans, context.name
    progress = scans.progress(name, job)
    first = context.since(job, overlap=_OVERLAP, first_look=first_look)
    scan = next_scan(progress, context.clock(), first=first)
    if progress == ScanProgress() and not context.dry_run:
        scans.expect(name, job)
        # `first` moves with a run that a rate limit ends: it counts as a success.
        scans.pause(name, job, scan, {}, since=progress)
    for changes, is_last in read(scan.since, scan.after):
        known = scans.known(name, job, changes)
        new = {id_: written for id_, written in changes.items() if known.get(id_) != written}
        yield list(new), is_last
        if context.dry_run:
            continue
        scan = scan._replace(after=max(changes, default=scan.after))
        processed = {id_: at for id_, at in new.items() if is_remembered(scan, at)}
        record = scans.finish if is_last else scans.pause
        record(name, job, scan, processed, since=progress)
