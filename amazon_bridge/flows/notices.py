"""Notes and activities in Odoo; a record that refuses one doesn't keep the others from theirs.

A record rule, a proxy or an automation of Odoo can refuse what is written on one record. Such a
refusal is logged and returned, so that the caller goes on and reports it elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import ItemError, Refused
from amazon_bridge.flows.context import Context
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.notes import Note, Record, RecordNote
from amazon_bridge.odoo.session import chunks

log = structlog.get_logger(__name__)

T = TypeVar("T")

Failures = dict[Record, ItemError]
"""Errors by record: why Odoo refused a note or an activity on it."""


def remind(
    context: Context,
    record_notes: Collection[RecordNote],
    *,
    in_batch: bool = False,
    new: Collection[Record] = (),
) -> Failures:
    """Schedule activities, each with a note of the same text.

    Args:
        context: of the account.
        record_notes: pairs of record and note, any number for each record.
        in_batch: part of a batch that is retried when Odoo doesn't respond.
        new: records that were created just now, which have no notes yet.

    Returns:
        The errors of the records that refuse one.

    Raises:
        AccountError: Odoo is down.
        Transient: Odoo doesn't respond, and ``in_batch``.
    """
    if not record_notes:
        return {}
    today, user_id = context.clock().date(), context.setup.salesperson_id

    def apply(batch: Sequence[RecordNote]) -> None:
        notes.remind_all(context.odoo, batch, today=today, user_id=user_id, new=new)

    return _each(
        context, record_notes, apply, about=_record, event="reminder_failed", in_batch=in_batch
    )


def post(
    context: Context, model: str, posted: Mapping[int, Note], *, in_batch: bool = False
) -> Failures:
    """Post a note on each of these records; see ``remind``."""

    def apply(ids: Sequence[int]) -> None:
        notes.post(context.odoo, model, {id_: posted[id_] for id_ in ids})

    def about(id_: int) -> Record:
        return model, id_

    return _each(context, posted, apply, about=about, event="note_failed", in_batch=in_batch)


def close(
    context: Context,
    records: Collection[Record],
    topics: Collection[str],
    feedback: str,
    *,
    keep: Collection[RecordNote] = (),
    in_batch: bool = False,
) -> Failures:
    """Mark open activities as done, as ``notes.close_all`` does; see ``remind``."""

    def apply(batch: Sequence[Record]) -> None:
        notes.close_all(context.odoo, batch, topics, feedback, keep=keep)

    def about(record: Record) -> Record:
        return record

    event = "reminder_not_closed"
    return _each(context, records, apply, about=about, event=event, in_batch=in_batch)


def _record(item: RecordNote) -> Record:
    return item[0]


def _each(
    context: Context,
    items: Collection[T],
    apply: Callable[[Sequence[T]], None],
    *,
    about: Callable[[T], Record],
    event: str,
    in_batch: bool,
) -> Failures:
    """Apply to a page of items at once; find out the failing ones only if that is refused.

    Their number has no limit: people may have cancelled thousands of orders at once.
    """
    numbered = list(enumerate(items))
    errors: dict[str, ItemError] = {}
    for page in chunks(numbered):
        errors |= _errors(context, page, lambda batch: apply([item for _, item in batch]), in_batch)
    failures = {about(item): errors[str(n)] for n, item in numbered if str(n) in errors}
    for (model, id_), error in failures.items():
        log.warning(event, account=context.name, model=model, record=id_, reason=error.reason)
    return failures


def _errors(
    context: Context,
    numbered: Sequence[tuple[int, T]],
    apply: Callable[[Sequence[tuple[int, T]]], None],
    in_batch: bool,  # noqa: FBT001
) -> dict[str, ItemError]:
    def sleep(seconds: float) -> None:
        if seconds:  # what was done is still noted in Odoo when the daemon is to stop
            context.sleep(seconds)

    try:
        return runner.work(
            numbered,
            apply,
            key=lambda each: str(each[0]),
            alive=context.odoo.ping,
            size=len(numbered),
            sleep=sleep,
            raise_transient=in_batch,
        )
    except Refused as refused:
        return refused.errors


Announcement = tuple[str, RecordNote]
"""The name of a record, and the record with the note for its activity."""


def announce(
    context: Context, errors: Mapping[str, ItemError], announcements: Mapping[str, Announcement]
) -> dict[str, ItemError]:
    """Schedule activities about items that are to be quarantined.

    Args:
        context: of the account.
        errors: by item key.
        announcements: by item key; items without a record in Odoo have none.

    Returns:
        By item key, the errors to quarantine with: they say where no activity could be scheduled.
    """
    refused = remind(context, [about for _, about in announcements.values()])
    failed = {
        key: {name: refused[record]}
        for key, (name, (record, _)) in announcements.items()
        if record in refused
    }
    return {key: without_activity(error, failed.get(key, {})) for key, error in errors.items()}


def without_activity(error: ItemError, failures: Mapping[str, ItemError]) -> ItemError:
    """Add to an error that no activity could be scheduled; ``failures`` are by record name."""
    said = f"No activity could be scheduled on {', '.join(failures)}:"
    if not failures or said in error.reason:
        return error
    why = next(iter(failures.values())).reason
    reason = f"{error.reason.rstrip('.')}. {said} {why}"
    return ItemError(error.kind, reason, error.remedy, dont_ship=error.dont_ship)
