"""What would be booked of a settlement, line for line. Writes neither to Odoo nor to the state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.lazy import Lazy
from amazon_bridge.engine.records import State
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.settlements import find
from amazon_bridge.flows.settlements.apply import dated, settlement_setup
from amazon_bridge.flows.settlements.entries import entries
from amazon_bridge.flows.settlements.memo import JOB, Document
from amazon_bridge.flows.settlements.statement import Statement
from amazon_bridge.marketplaces import in_words
from amazon_bridge.odoo import journal_entries
from amazon_bridge.odoo.journal_entries import BookedLine
from amazon_bridge.odoo.setup import inspect, refusal


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be booked, or why nothing would be."""

    statement: Statement
    lines: Iterable[BookedLine]
    """They can be read once."""
    problem: ItemError | None


def preview(context: Context, settlement_id: str) -> Preview | None:
    """Preview one settlement; fetches the documents that have it. None: Amazon has none.

    Raises:
        ItemError: No document has it in a readable form.
    """
    context = switched_on(context)
    documents = list(find.memo_of(context, settlement_id).documents) or find.all_listed(context)
    statement, problem = find.found_in(context, documents, settlement_id)
    if statement is None:
        if problem:
            raise problem
        return None
    return _preview(context, statement)


def switched_on(context: Context) -> Context:
    """The account as if it booked settlements."""
    account = context.account
    if account.settlements.is_on:
        return context
    settings = account.settlements.model_copy(update={"mode": "draft"})
    account = account.model_copy(update={"settlements": settings})
    inspection = inspect(context.odoo, account)
    if inspection.expected is None:
        raise refusal(account, inspection.missing)
    expected = inspection.expected
    return replace(context, account=account, prepared=Lazy(lambda: expected), known_setup=expected)


def _preview(context: Context, statement: Statement) -> Preview:
    try:
        return Preview(statement, booked_lines(context, statement), None)
    except ItemError as error:
        return Preview(statement, (), error)


def booked_lines(context: Context, statement: Statement) -> Iterator[BookedLine]:
    """The lines that Odoo has, or will have.

    Raises:
        ItemError: A period is closed, or Odoo lacks the currency.
    """
    setup = settlement_setup(context)
    made = entries(statement, setup)
    if not made:
        return iter(())
    existing = journal_entries.find(context.odoo, [entry.reference for entry in made])
    made = dated(context, setup, made, existing)
    return journal_entries.as_booked(context.odoo, setup, made)


def preview_new(run: Run) -> None:
    """Show what a run would book, a line for each settlement."""
    context = switched_on(run.context)
    shown: set[str] = set()
    for document in reversed(find.listed(context)):
        for key, line, is_problem in _new_in(context, document):
            if key not in shown:
                shown.add(key)
                run.counts.seen += 1
                run.counts.quarantined += is_problem
                run.counts.created += not is_problem
                context.show(line)


def _new_in(context: Context, document: Document) -> Iterator[tuple[str, str, bool]]:
    """The settlements of a document, or the document itself if Amazon doesn't show it."""
    try:
        yield from _settlements_in(context, document)
    except ItemError as error:
        yield document.report_id, f"Report {document.report_id}: {error}", True


def _settlements_in(context: Context, document: Document) -> Iterator[tuple[str, str, bool]]:
    for section in find.sections(context, document):
        key = find.key_of(section, document)
        entry = context.ledger.items.get(context.name, JOB, key)
        if entry and entry.state is State.DONE:
            continue
        if isinstance(section.header, ItemError):
            yield key, f"{key}: {section.header}", True
        elif not find.why_left_out(context, section.header.end.date(), section.header.currency):
            header = section.header
            try:
                statement = find.read(context, header, section)
                problem = statement.problem() or _preview(context, statement).problem
            except ItemError as error:
                problem = error
            what = f"{key}, until {header.end:%Y-%m-%d}: {in_words(header.total, header.currency)}"
            yield key, f"{what}. {problem}" if problem else what, problem is not None
