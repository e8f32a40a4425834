"""Reports: requested or listed, polled, and read row by row.

Source: Amazon's model "reports_2021-06-30" and its page "Reports API v2021-06-30 Use Case Guide".
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from amazon_bridge.amazon import operations
from amazon_bridge.amazon.client import Connection
from amazon_bridge.amazon.documents import REPORT_IT, ProcessingStatus, downloaded
from amazon_bridge.amazon.pages import pages
from amazon_bridge.amazon.payloads import Instant, KnownEntries, NonEmpty, Payload, Text, iso
from amazon_bridge.engine.errors import Transient
from amazon_bridge.marketplaces import marketplace

_LARGEST = 2**30  # bytes, unpacked: settlements of 100 MB have been seen
_CHUNK = 2**16
_PER_PAGE = 100  # the most that getReports allows


@dataclass(frozen=True, slots=True)
class Report:
    """A report as Amazon shows it now.

    Attributes:
        report_id: Amazon's id.
        report_type: Such as ``GET_MERCHANT_LISTINGS_ALL_DATA``.
        status: CANCELLED means that there is no data.
        created: When it was requested, or created by Amazon itself.
        marketplace_ids: The marketplaces that it is about.
        document_id: What ``Reports.rows`` reads; None unless the status is DONE.
    """

    report_id: str
    report_type: str
    status: ProcessingStatus
    created: datetime
    marketplace_ids: tuple[str, ...]
    document_id: str | None


class _Created(Payload):
    report_id: NonEmpty


class _Report(_Created):
    report_type: str
    processing_status: ProcessingStatus
    created_time: Instant
    marketplace_ids: KnownEntries[str] = ()
    report_document_id: Text = None


class _Page(Payload):
    reports: list[_Report]
    next_token: Text = None


class Reports:
    """The reports of one seller. Safe to share between threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, report_type: str, marketplace_id: str) -> str:
        """Request a report about one marketplace.

        Returns:
            The report's id. Save it before polling ``report``: another request costs minutes.

        Raises:
            Transient: With ``maybe_done``, ``created_since`` shows whether it was requested.
        """
        created = self._connection.ask(
            _Created,
            operations.CREATE_REPORT,
            reportType=report_type,
            marketplaceIds=[marketplace_id],
        )
        return created.report_id

    def report(self, report_id: str) -> Report:
        """A report as it is now.

        Raises:
            ItemError: ``not_found``, or ``report_refused`` if it isn't a report id.
        """
        return _report(self._connection.ask(_Report, operations.GET_REPORT, report_id))

    def created_since(self, since: datetime, report_types: Sequence[str]) -> list[Report]:
        """The reports of these types created since then, newest first; one call for 100 of them.

        Some types can't be requested, only listed: settlements. Amazon doesn't document in which
        sequence it lists them.
        """
        query = {  # with a token, Amazon's model allows none of these
            "reportTypes": list(report_types),
            "createdSince": iso(since),
            "pageSize": _PER_PAGE,
        }
        listed = pages(
            lambda token: self._page({"nextToken": token} if token else query),
            lambda page: page.next_token,
            of="reports",
        )
        reports = (_report(each) for page in listed for each in page.reports)
        return sorted(reports, key=lambda report: report.created, reverse=True)

    def rows(
        self, document_id: str, charset: str = "UTF-8", *, fallback: str | None = None
    ) -> Iterator[dict[str, str]]:
        """Read a tab-separated report. Takes memory for one row at a time.

        Args:
            document_id: Of a report that is DONE.
            charset: Of the document: UTF-8, cp1252 or Shift-JIS, by marketplace.
            fallback: Its charset if it isn't in ``charset``; what is in neither is replaced by
                U+FFFD.

        Yields:
            The cells of each row by the heading's names; cells missing at the end are "".

        Raises:
            ItemError: ``not_found``, or ``report_refused`` if it isn't a document id.
            Transient: The document didn't arrive, or isn't such a report.
        """
        with downloaded(
            self._connection,
            operations.GET_REPORT_DOCUMENT,
            document_id,
            what="report",
            largest=_LARGEST,
        ) as file:
            if fallback and not _is_in(file, charset):
                yield from _rows(_text(file, fallback, errors="replace"))
                return
            try:
                yield from _rows(_text(file, charset))
            except UnicodeDecodeError:
                raise Transient(f"The report is not in {charset}.", REPORT_IT) from None

    def _page(self, query: Mapping[str, object]) -> _Page:
        return self._connection.ask(_Page, operations.GET_REPORTS, **query)


def _report(payload: _Report) -> Report:
    return Report(
        report_id=payload.report_id,
        report_type=payload.report_type,
        status=payload.processing_status,
        created=payload.created_time,
        marketplace_ids=payload.marketplace_ids,
        document_id=payload.report_document_id,
    )


def charset_of(marketplace_id: str) -> str:
    """The charset of a marketplace's documents that aren't in UTF-8."""
    place = marketplace(marketplace_id)
    return "cp932" if place and place.country_code == "JP" else "cp1252"


def _codec(charset: str) -> str:
    """UTF-8 may begin with a byte order mark, which is no part of the first column's name."""
    return "utf-8-sig" if charset.casefold() == "utf-8" else charset


def _text(file: IO[bytes], charset: str, errors: str = "strict") -> io.TextIOWrapper:
    return io.TextIOWrapper(file, _codec(charset), errors, newline="\n")


def _is_in(file: IO[bytes], charset: str) -> bool:
    """Whether all of the document can be decoded so; it is read from its beginning again."""
    decoder = codecs.getincrementaldecoder(charset)()
    try:
        for part in iter(lambda: file.read(_CHUNK), b""):
            decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True


def _rows(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """The rows below the heading. Quotation marks mean nothing in Amazon's flat files."""
    split = (line.rstrip("\r\n").split("\t") for line in lines)
    heading = [name.strip() for name in next(split, [])]
    for number, cells in enumerate(split, start=2):
        if any(cells[len(heading) :]):
            reason = f"Line {number} of the report has more cells than its heading."
            raise Transient(reason, REPORT_IT)
        if any(cells):
            padding = [""] * (len(heading) - len(cells))
            yield dict(zip(heading, [*cells[: len(heading)], *padding], strict=True))
