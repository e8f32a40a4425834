"""What the state store keeps of settlements and of the reports that have them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from amazon_bridge.amazon.reports import Report
from amazon_bridge.amazon.settlements import Header
from amazon_bridge.engine.codec import BaseMemo
from amazon_bridge.flows.settlements import SETTLEMENTS

JOB = SETTLEMENTS.name
REPORTS = "settlement_reports"
"""The name under which reports are kept."""

_MOST_DOCUMENTS = 20


@dataclass(frozen=True, slots=True)
class Document:
    """A document of Amazon's that has the settlement."""

    report_id: str
    document_id: str
    marketplace_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettlementMemo(BaseMemo):
    """What is kept of a settlement."""

    documents: tuple[Document, ...] = ()
    """Those that have it, the newest last."""
    start: date | None = None
    end: date | None = None
    deposit: date | None = None
    total: Decimal | None = None
    currency: str = ""
    entries: tuple[str, ...] = ()
    """References of its journal entries."""
    warning: str = ""
    """What looks odd and doesn't prevent that it is booked."""

    def within(self, document: Document) -> SettlementMemo:
        """The memo with another document."""
        others = [each for each in self.documents if each.document_id != document.document_id]
        return replace(self, documents=(*others, document)[-_MOST_DOCUMENTS:])

    def of(self, header: Header) -> SettlementMemo:
        """The memo with what the settlement's header says."""
        return replace(
            self,
            start=header.start.date(),
            end=header.end.date(),
            deposit=header.deposit,
            total=header.total,
            currency=header.currency,
        )


def document_of(report: Report) -> Document:
    """The document of a report that is done."""
    return Document(report.report_id, report.document_id or "", report.marketplace_ids)
