"""The Reports API 2021-06-30."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from werkzeug.wrappers import Response

from amazon_bridge.simulator import answers
from amazon_bridge.simulator.answers import invalid, not_found
from amazon_bridge.simulator.documents import Documents
from amazon_bridge.simulator.pages import Pages, matches
from amazon_bridge.simulator.rendering import timestamp
from amazon_bridge.simulator.sellers import own_marketplaces
from amazon_bridge.simulator.world import Seller, World

SCHEDULED_BY_AMAZON = ("GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2",)
"""These can't be requested, only listed (Amazon's page "Settlement reports")."""
RETENTION = timedelta(days=90)


@dataclass(slots=True)
class Report:
    """A report. Without content it ends CANCELLED: there is no data to return."""

    report_id: str
    seller: Seller
    report_type: str
    marketplace_ids: list[str]
    created: datetime
    starts: datetime
    ends: datetime
    content: bytes | None
    content_type: str
    fate: str = "DONE"
    document_id: str | None = None

    def status(self, now: datetime) -> str:
        if now < self.starts:
            return "IN_QUEUE"
        if now < self.ends and self.fate != "CANCELLED":
            return "IN_PROGRESS"
        return "CANCELLED" if self.content is None else self.fate


class Reports:
    """Keeps reports, and finishes them when they are due.

    ``contents`` holds the text of the reports that sellers can request, by type; those of other
    types have no data. ``charset`` is that of all reports made from now on. ``fates`` has the
    final statuses of the next requested reports (DONE, CANCELLED, FATAL).
    """

    def __init__(self, world: World, documents: Documents) -> None:
        self.reports: dict[str, Report] = {}
        self.contents: dict[str, str] = {}
        self.charset = "UTF-8"
        self.fates: list[str] = []
        self._world, self._documents = world, documents
        self._pages = Pages("reportTypes")

    def publish(
        self, seller: Seller, report_type: str, content: str, *, countries: tuple[str, ...] = ()
    ) -> str:
        """Add a finished report that Amazon made on its own, such as a settlement; its id."""
        markets = [m for m in seller.markets if m.country in (countries or seller.countries)]
        places = [market.marketplace_id for market in markets]
        now = self._world.clock()
        report = self._new(seller, report_type, places, content.encode(self.charset))
        report.starts = report.ends = now
        return report.report_id

    def create_report(self, seller: Seller, body: dict[str, Any]) -> Response:
        """The createReport operation."""
        report_type: str = body["reportType"]
        if report_type in SCHEDULED_BY_AMAZON:
            raise invalid(f"Reports of the type {report_type} can not be requested.")
        marketplace_ids = own_marketplaces(seller, body)
        text = self.contents.get(report_type)
        content = None if text is None else text.encode(self.charset)
        report = self._new(seller, report_type, marketplace_ids, content)
        report.fate = self.fates.pop(0) if self.fates else "DONE"
        return answers.as_json({"reportId": report.report_id}, 202)

    def get_report(self, seller: Seller, report_id: str) -> Response:
        """The getReport operation."""
        return answers.as_json(self._render(self._report(seller, report_id)))

    def get_reports(self, seller: Seller, arguments: Mapping[str, str]) -> Response:
        """The getReports operation: newest first."""
        if self._pages.is_next(arguments):
            page, token = self._pages.next(seller, arguments)
        else:
            page, token = self._pages.first(seller, self._matching(seller, arguments), arguments)
        reports = [self._render(self.reports[key]) for key in page]
        return answers.as_json({"reports": reports} | token)

    def cancel_report(self, seller: Seller, report_id: str) -> Response:
        """The cancelReport operation: only for reports in the queue."""
        report = self._report(seller, report_id)
        if report.status(self._world.clock()) != "IN_QUEUE":
            raise invalid("Only reports that are IN_QUEUE can be cancelled.")
        report.fate, report.starts = "CANCELLED", self._world.clock()
        return Response(status=200)

    def get_document(self, seller: Seller, document_id: str, root: str) -> Response:
        """The getReportDocument operation."""
        document = self._documents.of(seller, document_id)
        if document is None:
            raise not_found("The report document was not found.")
        answer = {"reportDocumentId": document_id, "url": self._documents.sign(document, root)}
        if document.compressed:
            answer["compressionAlgorithm"] = "GZIP"
        return answers.as_json(answer)

    def _new(
        self, seller: Seller, report_type: str, marketplace_ids: list[str], content: bytes | None
    ) -> Report:
        now, settings = self._world.clock(), self._world.settings
        starts = now + timedelta(seconds=settings.report_queue_time)
        report = Report(
            report_id=str(60_000_000_000 + len(self.reports)),
            seller=seller,
            report_type=report_type,
            marketplace_ids=marketplace_ids,
            created=now,
            starts=starts,
            ends=starts + timedelta(seconds=settings.report_work_time),
            content=content,
            content_type=f"text/plain; charset={self.charset}",
        )
        self.reports[report.report_id] = report
        return report

    def _matching(self, seller: Seller, arguments: Mapping[str, str]) -> list[str]:
        types = arguments["reportTypes"].split(",")
        now = self._world.clock()
        return [
            report.report_id
            for report in reversed(self.reports.values())
            if report.report_type in types
            and self._is_visible(report, seller)
            and matches(
                arguments,
                status=report.status(now),
                marketplace_ids=report.marketplace_ids,
                created=report.created,
            )
        ]

    def _is_visible(self, report: Report, seller: Seller) -> bool:
        return report.seller == seller and report.created >= self._world.clock() - RETENTION

    def _report(self, seller: Seller, report_id: str) -> Report:
        report = self.reports.get(report_id)
        if report is None or not self._is_visible(report, seller):
            raise not_found("The report was not found.")
        return report

    def _render(self, report: Report) -> dict[str, Any]:
        status = report.status(self._world.clock())
        answer: dict[str, Any] = {
            "reportId": report.report_id,
            "reportType": report.report_type,
            "marketplaceIds": report.marketplace_ids,
            "createdTime": timestamp(report.created),
            "processingStatus": status,
        }
        if status in {"IN_PROGRESS", "DONE", "FATAL"}:
            answer["processingStartTime"] = timestamp(report.starts)
        if status in {"DONE", "FATAL"}:
            answer["processingEndTime"] = timestamp(report.ends)
        if status == "DONE":
            answer["reportDocumentId"] = self._document_id(report)
        return answer

    def _document_id(self, report: Report) -> str:
        if report.document_id is None:
            report.document_id = self._documents.store(
                report.seller,
                report.content_type,
                report.content or b"",
                compressed=self._world.settings.compress_reports,
            ).document_id
        return report.document_id
