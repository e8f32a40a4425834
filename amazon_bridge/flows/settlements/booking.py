"""Reads documents, and books the settlements that they have."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

import structlog

from amazon_bridge.amazon.settlements import Header, Section
from amazon_bridge.config.account_map import Category
from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import (
    BridgeError,
    ItemError,
    Refused,
    Transient,
)
from amazon_bridge.engine.item_errors import internal_error, keeps_failing
from amazon_bridge.engine.records import Seen, State
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.settlements import find
from amazon_bridge.flows.settlements.apply import book
from amazon_bridge.flows.settlements.memo import JOB, REPORTS, Document, SettlementMemo
from amazon_bridge.flows.settlements.quarantine import close_activities, quarantine
from amazon_bridge.flows.settlements.statement import Statement
from amazon_bridge.marketplaces import in_digits, in_words

log = structlog.get_logger(__name__)

_LONGEST_SILENCE = timedelta(days=1)
"""After this time, what can't be read although Amazon is up is quarantined."""


@dataclass(slots=True)
class Booking:
    """Books what a run finds."""

    run: Run
    tried: set[tuple[str, str]] = field(default_factory=set)
    """Settlements that were tried in this run, with the document."""
    problems: dict[str, ItemError] = field(default_factory=dict)
    """Of settlements that no document of this run has without problems."""

    def read_new(self) -> None:
        """Read the documents that are new, and book what they have.

        Raises:
            AccountError: A remote is down, or refuses the account.
            RateLimited: Amazon shows no further document now.
        """
        context = self.run.context
        documents = find.listed(context)
        find.file_reports(context, documents)
        for report_id in context.ledger.items.pending(context.name, REPORTS):
            self._attempt(
                REPORTS, report_id, lambda key: self._read(find.named(context, documents, key))
            )

    def book_others(self) -> None:
        """Try settlements again that are still pending, in all documents that have them."""
        context = self.run.context
        self._reopen()
        for settlement_id in context.ledger.items.pending(context.name, JOB):
            self._attempt(JOB, settlement_id, self._try_again)

    def _reopen(self) -> None:
        """Take up settlements that the configuration left out before, and doesn't any more."""
        items, name = self.run.context.ledger.items, self.run.context.name
        for entry in items.of_job(name, JOB):
            memo = SettlementMemo.read(entry)
            if entry.state is State.LEFT_OUT and memo and not self._why_left_out(memo):
                items.reopen(name, JOB, entry.key)

    def _why_left_out(self, memo: SettlementMemo) -> str:
        return find.why_left_out(self.run.context, memo.end or date.min, memo.currency)

    def _attempt(self, job: str, key: str, work: Callable[[str], None]) -> None:
        """Do one item; an error costs this one only."""
        try:
            work(key)
        except ItemError as error:
            quarantine(self.run, key, error, job=job)
        except Refused as error:
            self.run.counts.note_error(error)
        except Transient as error:
            self.run.counts.note_error(error)
            self._give_up(job, key, error)
        except BridgeError:
            raise
        except Exception as error:  # noqa: BLE001  a bug must cost one item, not all the others
            quarantine(self.run, key, internal_error(error, 1), job=job)

    def _give_up(self, job: str, key: str, error: Transient) -> None:
        context = self.run.context
        since = context.ledger.items.note_silence(context.name, job, key)
        if since and context.clock() - since >= _LONGEST_SILENCE:
            quarantine(self.run, key, keeps_failing(error), job=job)

    def _read(self, document: Document) -> None:
        context = self.run.context
        for section in find.sections(context, document):
            self._take(section, document)
        report_id, document_id = document.report_id, document.document_id
        context.ledger.items.settle(context.name, REPORTS, report_id, document_id)
        self.run.has_advanced = True
        log.debug("settlement_report_read", account=context.name, report=report_id)

    def _take(self, section: Section, document: Document) -> None:
        """File a settlement of a document, and book it unless that was done before."""
        context, key = self.run.context, find.key_of(section, document)
        items = context.ledger.items
        pending = items.file(context.name, JOB, [Seen(key, key)])
        memo = find.memo_of(context, key).within(document)
        items.remember(context.name, JOB, key, memo)
        if not pending or (key, document.document_id) in self.tried:
            return
        self.tried.add((key, document.document_id))
        self.run.counts.seen += 1
        try:
            self._process(section)
        except ItemError as error:
            self.problems[key] = error

    def _process(self, section: Section) -> None:
        """Raises ``ItemError`` if this document's version of a settlement can't be booked."""
        context = self.run.context
        if isinstance(section.header, ItemError):
            raise section.header
        memo = find.memo_of(context, section.settlement_id).of(section.header)
        if reason := self._why_left_out(memo):
            self._leave_out(section.header, reason)
            return
        statement = find.read(context, section.header, section)
        if statement.total == section.header.total:  # else the header may be what is wrong
            context.ledger.items.remember(context.name, JOB, section.settlement_id, memo)
        if problem := statement.problem():
            raise problem
        self._attempt(JOB, section.settlement_id, lambda _: self._book(statement))

    def _leave_out(self, header: Header, reason: str) -> None:
        context, key = self.run.context, header.settlement_id
        memo = replace(find.memo_of(context, key).of(header), warning=reason)
        context.ledger.items.settle(context.name, JOB, key, key, State.LEFT_OUT, memo=memo)
        self.run.has_advanced = True

    def _try_again(self, settlement_id: str) -> None:
        context = self.run.context
        documents = find.memo_of(context, settlement_id).documents
        left = [each for each in documents if (settlement_id, each.document_id) not in self.tried]
        statement, problem = find.found_in(context, left, settlement_id)
        if statement:
            self._book_or_leave_out(statement)
        elif error := self.problems.get(settlement_id) or problem:
            raise error
        elif left or not documents:
            raise _without_document()

    def _book_or_leave_out(self, statement: Statement) -> None:
        memo = find.memo_of(self.run.context, statement.header.settlement_id)
        if reason := self._why_left_out(memo.of(statement.header)):
            self._leave_out(statement.header, reason)
        else:
            self._book(statement)

    def _book(self, statement: Statement) -> None:
        """Book a settlement that has no problem.

        Raises:
            ItemError: Odoo refuses it.
            AccountError: Odoo is down.
        """
        context, header = self.run.context, statement.header
        key, made = header.settlement_id, list[str]()

        def apply(batch: object) -> None:  # noqa: ARG001 - the one settlement
            made[:] = [entry.reference for entry in book(context, statement)]

        errors = runner.work([key], apply, key=str, alive=context.odoo.ping, sleep=context.sleep)
        if errors:
            raise errors[key]
        memo = find.memo_of(context, key).of(header)
        posted = context.account.settlements.mode == "post"
        warning = self._warning(statement)
        memo = replace(memo, entries=tuple(made), posted=posted, was_posted=False, warning=warning)
        self._settle(memo, key)

    def _settle(self, memo: SettlementMemo, key: str) -> None:
        context, items = self.run.context, self.run.context.ledger.items
        entry = items.get(context.name, JOB, key)
        if entry and entry.attempts:
            close_activities(context, key)
        items.settle(context.name, JOB, key, key, memo=memo)
        self.run.counts.created += 1
        self.run.has_advanced = True
        self.problems.pop(key, None)
        log.info(
            "settlement_booked", account=context.name, settlement=key, entries=len(memo.entries)
        )

    def _warning(self, statement: Statement) -> str:
        """What Amazon's own summary says, if it differs; that doesn't prevent anything."""
        context, header = self.run.context, statement.header
        proceeds: dict[str, Decimal] = {}
        with suppress(BridgeError):  # unproven for whom it is live; a comparison only
            proceeds = context.amazon.finances.summary(header.settlement_id)
        found = proceeds.get(header.currency)
        if found is None or found in {header.total, header.total - reserves(statement)}:
            return ""
        log.warning(
            "settlement_summary_differs", account=context.name, settlement=header.settlement_id
        )
        said, reported = in_words(found, header.currency), in_digits(header.total, header.currency)
        return f"Amazon's summary of it says {said}, its report {reported}."


def reserves(statement: Statement) -> Decimal:
    """What the rows of reserves add up to."""
    number = sum(
        amount
        for month in statement.months
        for (category, _), amount in month.others.items()
        if category is Category.RESERVE
    )
    return number * statement.unit


def _without_document() -> ItemError:
    return ItemError(
        "not_found",
        "No document of Amazon's has the settlement.",
        "Book it manually if Amazon doesn't list it any more: it keeps reports for 90 days.",
    )
