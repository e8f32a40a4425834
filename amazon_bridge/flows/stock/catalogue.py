"""Reads the reports of listings: which SKUs there are, and who ships them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

import structlog

from amazon_bridge.amazon.documents import ProcessingStatus
from amazon_bridge.amazon.reports import Report
from amazon_bridge.engine.errors import ItemError, Transient
from amazon_bridge.engine.records import Seen, State
from amazon_bridge.engine.stock_records import ReportProgress
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.stock import STOCK, tell
from amazon_bridge.marketplaces import country_of
from amazon_bridge.model import DEFAULT_CHANNEL, Listing, UnreadableListing

log = structlog.get_logger(__name__)

_EVERY = timedelta(hours=6)
"""Interval between two reports; Amazon renews their contents every 1 to 6 hours."""

_FRESH = timedelta(hours=1)
"""A report that was requested at most this long ago is used, whoever requested it."""

_EMPTY_EVERY = timedelta(hours=1)
"""Interval between two reports of a marketplace without listings: the report may have been
cancelled by somebody."""

_LONGEST = timedelta(minutes=45)
"""A report that isn't done after this time is requested again."""

_POLL = 15.0  # seconds between two polls of the first report, while nothing else can be done

_POLLS = 60  # of a dry run

_ROWS = 500  # written to the state store at once

_DOUBTED = (DEFAULT_CHANNEL,)
"""A report that says that only the merchant ships a listing isn't believed if the listing was read
since: it may have turned to FBA after Amazon made the report's contents."""


def is_known(context: Context) -> bool:
    """True if the listings are known, except of marketplaces whose report Amazon doesn't make."""
    known = [_of(context, place) for place in _places(context)]
    is_any_read = any(each.read for each in known)
    return is_any_read and all(each.read or each.report_id is None for each in known)


def refresh(run: Run) -> None:
    """Request reports that are due, and read those that are done.

    While a marketplace has none yet, the run is resumed soon.
    """
    places = _places(run.context)
    run.context.ledger.stock_catalogue.keep_only(run.context.name, places)
    for place in places:
        try:
            _refresh(run, place)
        except Transient as error:
            run.counts.note_error(error)
        except ItemError as error:  # Amazon has no such document
            _drop(run, place, error)
    if not is_known(run.context) and not run.counts.error:
        run.counts.resume_after(_POLL)


def wait(run: Run) -> None:
    """Read the reports for a dry run, which is not resumed."""
    refresh(run)
    for _ in range(_POLLS):
        if run.counts.resume_in is None:
            return
        run.context.sleep(run.counts.resume_in)
        run.counts.resume_in = None
        refresh(run)


def _places(context: Context) -> list[str]:
    return [place.marketplace_id for place in context.account.marketplaces]


def _of(context: Context, place: str) -> ReportProgress:
    return context.ledger.stock_catalogue.of(context.name, place)


def _refresh(run: Run, place: str) -> None:
    context, known = run.context, _of(run.context, place)
    now = context.clock()
    if known.report_id is None:
        if known.read and abs(now - known.read) < _interval(context, place):
            return
        report_id = _found(context, place) or context.amazon.listing_reports.request(place)
        context.ledger.stock_catalogue.requested(context.name, place, report_id)
        known = _of(context, place)
    _poll(run, place, known)


def _interval(context: Context, place: str) -> timedelta:
    has_listings = context.ledger.stock_catalogue.has_listings(context.name, place)
    return _EVERY if has_listings else _EMPTY_EVERY


def _found(context: Context, place: str) -> str | None:
    """A report that somebody requested lately."""
    report = context.amazon.listing_reports.newest(place, context.clock() - _FRESH)
    is_usable = report and report.status is not ProcessingStatus.CANCELLED
    return report.report_id if report and is_usable else None


def _poll(run: Run, place: str, known: ReportProgress) -> None:
    context = run.context
    report = _report(context, known.report_id or "")
    is_usable = report and _is_usable(context, place, report)
    if report and is_usable and not _is_late(known, context.clock()):
        _read(run, place, report)
    elif report is None or report.status.final or _is_late(known, context.clock()):
        reason = f"Amazon has not made the report of listings of {country_of(place)}."
        _drop(run, place, Transient(reason, "It is requested again in the next run."))


def _drop(run: Run, place: str, error: Transient | ItemError) -> None:
    """Don't wait for a report any more."""
    run.context.ledger.stock_catalogue.requested(run.context.name, place, None)
    run.counts.note_error(error)


def _is_usable(context: Context, place: str, report: Report) -> bool:
    """A report without listings is CANCELLED; so is one that Amazon did not make."""
    if report.status is ProcessingStatus.CANCELLED:
        return not context.ledger.stock_catalogue.has_listings(context.name, place)
    return report.status is ProcessingStatus.DONE


def _report(context: Context, report_id: str) -> Report | None:
    try:
        return context.amazon.reports.report(report_id)
    except ItemError:
        return None


def _is_late(known: ReportProgress, now: datetime) -> bool:
    return known.requested is not None and abs(now - known.requested) >= _LONGEST


def _read(run: Run, place: str, report: Report) -> None:
    """Record all listings of a report; those that it lacks are read one by one later.

    Amazon has made reports that had nothing but a heading: listings don't all vanish at once.
    """
    context, unreadable = run.context, list[UnreadableListing]()
    catalogue, name, number = context.ledger.stock_catalogue, context.name, 0
    listings = _readable(context, report, unreadable)
    while rows := list(islice(listings, _ROWS)):
        catalogue.file(name, place, rows, report.created, doubted=_DOUBTED)
        number += len(rows)
    if not (number or unreadable) and catalogue.has_listings(name, place):
        reason = f"Amazon's report of listings of {country_of(place)} is empty."
        _drop(run, place, Transient(reason, "Another one is requested within an hour."))
        return
    catalogue.keep(name, place, [row.sku for row in unreadable if row.sku], report.created)
    catalogue.finish(name, place, report.created)
    run.has_advanced = True
    log.info("listings_read", account=name, marketplace=place, listings=number)
    _quarantine(run, place, unreadable)


def _readable(
    context: Context, report: Report, unreadable: list[UnreadableListing]
) -> Iterator[Listing]:
    for row in context.amazon.listing_reports.read(report):
        if isinstance(row, UnreadableListing):
            unreadable.append(row)
        else:
            yield row


def _quarantine(run: Run, place: str, rows: Iterable[UnreadableListing]) -> None:
    """Quarantine listings that can't be read, unless they are already.

    Their keys aren't those of the SKUs: a SKU may well have a quantity, known from an earlier
    report, while its row can't be read.
    """
    context, items = run.context, run.context.ledger.items
    errors = {}
    keyed = {f"{row.sku or f'row {row.row}'}{_suffix(place)}": row for row in rows}
    _settle_rows(run, place, keyed)
    for key, row in keyed.items():
        if items.file(context.name, STOCK.name, [Seen(key, row.reason)]):
            errors[key] = ItemError(
                "listing_unreadable", row.reason, "Correct the listing in Seller Central."
            )
    tell.quarantine(run, errors)


def _settle_rows(run: Run, place: str, unreadable: Collection[str]) -> None:
    """Settle rows that were quarantined and that can be read now, or are gone."""
    items, name = run.context.ledger.items, run.context.name
    entries = [*items.quarantined(name), *items.pending_entries(name, STOCK.name)]
    for entry in entries:
        is_row = entry.job == STOCK.name and entry.key.endswith(_suffix(place))
        if is_row and entry.key not in unreadable:
            run.settle(entry.key, entry.fingerprint, State.DONE)


def _suffix(place: str) -> str:
    """Of the keys of a report's rows."""
    return f" of the report of {country_of(place)}"
