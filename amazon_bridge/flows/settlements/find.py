"""Finds reports of settlements, and the documents that have a settlement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from amazon_bridge.amazon.settlements import Header, Section
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import Seen
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.settlements.classify import Classifier
from amazon_bridge.flows.settlements.memo import JOB, REPORTS, Document, SettlementMemo, document_of
from amazon_bridge.flows.settlements.statement import Statement, read_statement
from amazon_bridge.marketplaces import marketplace

_KEPT = timedelta(days=90)
"""How long Amazon keeps reports."""

_OVERLAP = timedelta(days=14)


def listed(context: Context) -> list[Document]:
    """The documents that Amazon has listed since the last successful run, oldest first."""
    since = context.since(JOB, overlap=_OVERLAP, first_look=_KEPT)
    return _listed(context, max(since, context.clock() - _KEPT))


def all_listed(context: Context) -> list[Document]:
    """All documents that Amazon still has, oldest first."""
    return _listed(context, context.clock() - _KEPT)


def _listed(context: Context, since: datetime) -> list[Document]:
    found = context.amazon.settlement_reports.created_since(since)
    return [
        document_of(report)
        for report in reversed(list(found))
        if _is_about(context, report.marketplace_ids)
    ]


def _is_about(context: Context, marketplace_ids: Sequence[str]) -> bool:
    """Whether a report is about a marketplace of the account, or doesn't say."""
    own = {place.marketplace_id for place in context.account.marketplaces}
    return not marketplace_ids or not own.isdisjoint(marketplace_ids)


def file_reports(context: Context, documents: Sequence[Document]) -> None:
    """File documents; those that were read before stay so."""
    seen = [Seen(each.report_id, each.document_id) for each in documents]
    context.ledger.items.file(context.name, REPORTS, seen)


def named(context: Context, documents: Sequence[Document], report_id: str) -> Document:
    """The document of a report; Amazon is asked for those that aren't listed.

    Raises:
        ItemError: Amazon doesn't have it any more.
    """
    listed_one = next((each for each in documents if each.report_id == report_id), None)
    return listed_one or document_of(context.amazon.reports.report(report_id))


def sections(context: Context, document: Document) -> Iterator[Section]:
    """The settlements of a document.

    Raises:
        ItemError: Amazon doesn't have it any more.
        Transient: It can't be read.
    """
    places = document.marketplace_ids
    return context.amazon.settlement_reports.read(document.document_id, places)


def read(context: Context, header: Header, section: Section) -> Statement:
    """Read a settlement, as the account's configuration says.

    Raises:
        ItemError: A row can't be read.
    """
    settings = context.account.settlements
    return read_statement(
        header,
        section.rows,
        Classifier(settings.accounts),
        unknown_is_other=settings.unknown == "other",
        by_order=settings.orders == "clearing",
    )


def why_left_out(context: Context, end: date, currency: str) -> str:
    """Why a settlement is not the account's to book; empty if it is.

    Args:
        context: Of the account.
        end: The settlement's last day.
        currency: Its currency.
    """
    since = context.account.settlements.since
    if since and end < since:
        return f"It ends before {since}, which `settlements.since` names."
    places = context.account.marketplaces
    if currency in {place.currency for place in places}:
        return ""
    for place_id, name in context.accounts_by_marketplace.items():
        place = marketplace(place_id)
        if place and place.currency == currency and name != context.name:
            return f"It is in {currency}: the account {name} has that."
    return ""


def key_of(section: Section, document: Document) -> str:
    """The key of a settlement: its id, or its report's if it has none."""
    return section.settlement_id or document.report_id


def memo_of(context: Context, settlement_id: str) -> SettlementMemo:
    """What is known of a settlement."""
    entry = context.ledger.items.get(context.name, JOB, settlement_id)
    return SettlementMemo.read(entry) or SettlementMemo()


def found_in(
    context: Context, documents: Sequence[Document], settlement_id: str
) -> tuple[Statement | None, ItemError | None]:
    """Read a settlement in the newest document that has it without problems.

    Returns:
        The statement, or the newest document's problem. Neither, if no document has it.
    """
    problem: ItemError | None = None
    for document in reversed(documents):
        try:
            statement = _statement_in(context, document, settlement_id)
        except ItemError as error:
            if error.kind != "not_found":  # another document may have it
                problem = problem or error
            continue
        if statement is None:
            continue
        found = statement.problem()
        if found is None:
            return statement, None
        problem = problem or found
    return None, problem


def _statement_in(context: Context, document: Document, settlement_id: str) -> Statement | None:
    for section in sections(context, document):
        if key_of(section, document) == settlement_id:
            if isinstance(section.header, ItemError):
                raise section.header
            return read(context, section.header, section)
    return None
