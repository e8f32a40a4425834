"""The Reports API 2021-06-30."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from amazon_bridge.simulator import listings_report, responses
from amazon_bridge.simulator.documents import Documents
from amazon_bridge.simulator.listings_report import ListingsReport
from amazon_bridge.simulator.markets import market_of
from amazon_bridge.simulator.processing import Processing, RoleCheck, Task
from amazon_bridge.simulator.responses import invalid
from amazon_bridge.simulator.roles import REPORT_TYPES
from amazon_bridge.simulator.sellers import own_marketplaces
from amazon_bridge.simulator.world import Seller, World

SCHEDULED_BY_AMAZON = ("GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2",)
"""These can't be requested, only listed (Amazon's page "Settlement reports")."""


@dataclass(slots=True, kw_only=True)
class Report(Task):
    """A report. Without content it ends CANCELLED: there is no data to return."""

    content: bytes | None
    content_type: str
    document_id: str | None = None

    @property
    def outcome(self) -> str:
        return "CANCELLED" if self.content is None else self.fate


class Reports(Processing[Report]):
    """Keeps reports, and finishes them when they are due.

    ``contents`` holds the text of the reports that sellers can request, by type; that of all
    listings is made from these, and those of other types have no data. ``charset`` is that of all
    reports made from now on; None: Amazon's for the marketplace. ``fates`` has the final statuses
    of the next requested reports (DONE, CANCELLED, FATAL).
    """

    def __init__(self, world: World, documents: Documents, check_roles: RoleCheck) -> None:
        super().__init__(
            "report", 60_000_000_000, world, documents, types=REPORT_TYPES, check_roles=check_roles
        )
        self.contents: dict[str, str] = {}
        self._listings = ListingsReport(world)
        self.charset: str | None = None
        self.fates: list[str] = []

    def publish(
        self,
        seller: Seller,
        report_type: str,
        content: str,
        *,
        countries: tuple[str, ...] | None = (),
        charset: str | None = None,
    ) -> str:
        """Add a finished report that Amazon made on its own, such as a settlement; its id.

        Without ``countries`` it names all marketplaces of the seller; None: none of them.
        """
        named = () if countries is None else countries or seller.countries
        markets = [market for market in seller.markets if market.country in named]
        places = [market.marketplace_id for market in markets]
        fields = self._common(seller, report_type, places, queue_time=0, work_time=0)
        return self._new(fields, content, charset=charset).key

    def create_report(self, seller: Seller, body: dict[str, Any]) -> Response:
        """The createReport operation."""
        report_type: str = body["reportType"]
        self._require_type(report_type)
        _check_period(body, self._world.clock())
        if report_type in SCHEDULED_BY_AMAZON:
            raise invalid(f"Reports of the type {report_type} can not be requested.")
        marketplace_ids = own_marketplaces(seller, body)
        settings = self._world.settings
        fields = self._common(
            seller,
            report_type,
            marketplace_ids,
            queue_time=settings.report_queue_time,
            work_time=settings.report_work_time,
        )
        report = self._new(fields, *self._text(seller, report_type, marketplace_ids))
        report.fate = self.fates.pop(0) if self.fates else "DONE"
        return responses.as_json({"reportId": report.key}, 202)

    def _text(
        self, seller: Seller, report_type: str, marketplace_ids: list[str]
    ) -> tuple[str | None, str]:
        """The text of a report, and the error handler for characters its charset lacks."""
        if report_type == listings_report.REPORT_TYPE and report_type not in self.contents:
            return self._listings(seller, marketplace_ids), listings_report.ERRORS
        return self.contents.get(report_type), "strict"

    def _new(
        self,
        fields: dict[str, Any],
        text: str | None,
        errors: str = "strict",
        *,
        charset: str | None = None,
    ) -> Report:
        """Keep a report.

        Raises:
            UnicodeEncodeError: Its charset doesn't have a character of the text.
        """
        charset = charset or self.charset or _charset(fields["type"], fields["marketplace_ids"])
        content = None if text is None else text.encode(charset, errors)
        content_type = f"text/plain; charset={charset}"
        report = Report(**fields, content=content, content_type=content_type)
        self.tasks[report.key] = report
        return report

    def _render(self, task: Report) -> dict[str, Any]:
        response = super()._render(task)
        if response["processingStatus"] == "DONE":
            response["reportDocumentId"] = self._document_id(task)
        return response

    def _document_id(self, report: Report) -> str:
        if report.document_id is None:
            report.document_id = self._documents.store(
                report.seller,
                report.content_type,
                report.content or b"",
                compressed=self._world.settings.compress_reports,
            ).document_id
        return report.document_id


def _charset(report_type: str, marketplace_ids: list[str]) -> str:
    if report_type != listings_report.REPORT_TYPE:
        return "UTF-8"
    return listings_report.charset(market_of(marketplace_ids[0]))


def _check_period(body: dict[str, Any], now: datetime) -> None:
    """Amazon's model states these rules in its descriptions only; both times default to now."""
    start, end = (
        datetime.fromisoformat(body[name]) if name in body else now
        for name in ("dataStartTime", "dataEndTime")
    )
    if max(start, end) > now:
        raise invalid("'dataStartTime' and 'dataEndTime' must not be in the future.")
    if start > end:
        raise invalid("'dataStartTime' must not be after 'dataEndTime'.")
