"""What the state store keeps of settlements and of the reports that have them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from amazon_bridge.amazon.reports import Report
from amazon_bridge.amazon.settlements import Header
from amazon_bridge.engine.codec import BaseMemo
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.flows.settlements import SETTLEMENTS

JOB = SETTLEMENTS.name
REPORTS = "settlement_reports"
"""The name under which reports are kept."""

TIES = "settlement_ties"
"""The name under which comparisons with Amazon's balances are kept."""

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
    starts: datetime | None = None
    ends: datetime | None = None
    deposit: date | None = None
    total: Decimal | None = None
    currency: str = ""
    entries: tuple[str, ...] = ()
    """References of its journal entries."""
    posted: bool = False
    """They were all seen posted."""
    was_posted: bool = False
    """They were all seen posted before, and no longer are."""
    warning: str = ""
    """What looks odd and doesn't prevent that it is booked."""

    @property
    def is_watched(self) -> bool:
        """Retention keeps all settlements: the tie-out needs to know which are booked."""
        return True

    @property
    def start(self) -> date | None:
        """Its first day."""
        return self.starts and self.starts.date()

    @property
    def end(self) -> date | None:
        """Its last day."""
        return self.ends and self.ends.date()

    def within(self, document: Document) -> SettlementMemo:
        """The memo with another document."""
        others = [each for each in self.documents if each.document_id != document.document_id]
        return replace(self, documents=(*others, document)[-_MOST_DOCUMENTS:])

    def of(self, header: Header) -> SettlementMemo:
        """The memo with what the settlement's header says."""
        return replace(
            self,
            starts=header.start,
            ends=header.end,
            deposit=header.deposit,
            total=header.total,
            currency=header.currency,
        )


def document_of(report: Report) -> Document:
    """The document of a report that is done."""
    return Document(report.report_id, report.document_id or "", report.marketplace_ids)


def entries_of(ledger: Ledger, account: str) -> frozenset[str]:
    """References of the journal entries of an account's settlements."""
    memos = (SettlementMemo.read(entry) for entry in ledger.items.of_job(account, JOB))
    return frozenset(reference for memo in memos if memo for reference in memo.entries)
