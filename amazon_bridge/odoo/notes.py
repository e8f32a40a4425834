"""Notes and activities for the people who work in Odoo, on the records that they are about.

They are loaded with external ids, so that one call writes many and each is written once: a record
has at most one note per topic, for ever.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.session import OdooSession, chunks, external

SALE_ORDER = "sale.order"
DELIVERY_ORDER = "stock.picking"
CONTACT = "res.partner"
JOURNAL_ENTRY = "account.move"
"""The models of the records that notes are about."""

_MESSAGE = ["id", "model", "res_id", "subject", "body", "message_type", "subtype_id/id"]
_ACTIVITY = [
    *("id", "res_model_id/id", "res_id", "summary", "note"),
    *("activity_type_id/id", "date_deadline", "user_id/.id"),
]


@dataclass(frozen=True, slots=True)
class Note:
    """An internal note in a record's chatter, never mailed to anyone."""

    topic: str
    """Identifies the note among those of the record."""
    subject: str
    body: str
    for_packers: tuple[str, str] | None = None
    """Subject and body on delivery orders, if they differ."""
    contact_id: int | None = None
    """A contact to which "contact #ID" in the body leads."""

    def on(self, model: str) -> Note:
        """The note with the subject and body for records of a model."""
        if self.for_packers is None or model != DELIVERY_ORDER:
            return self
        subject, body = self.for_packers
        return replace(self, subject=subject, body=body, for_packers=None)


def topic_of(kind: str, facts: str, *, digits: int = 8) -> str:
    """Return the topic of a note that is posted again when its facts change.

    Earlier notes are found by it, so a kind must keep its number of digits.
    """
    return f"{kind}_{hashlib.sha256(facts.encode()).hexdigest()[:digits]}"


Record = tuple[str, int]
"""A model, and a database id."""

RecordNote = tuple[Record, Note]
"""A record, and a note about it."""


def post(session: OdooSession, model: str, notes: Mapping[int, Note]) -> None:
    """Post a note on each of these records, unless it has one of that topic already."""
    _post(session, [((model, id_), note) for id_, note in notes.items()])


def _post(session: OdooSession, notes: Iterable[RecordNote]) -> None:
    rows = [
        [
            *(external(_name("note", record, note)), record[0], str(record[1])),
            *(note.subject, _paragraph(note), "notification", "mail.mt_note"),
        ]
        for record, note in sorted(notes, key=_sequence)
    ]
    session.load("mail.message", _MESSAGE, rows)


def _sequence(item: RecordNote) -> tuple[Record, str]:
    record, note = item
    return record, note.topic


def records_with_note(
    session: OdooSession, model: str, ids: Collection[int], *subjects: str
) -> set[int]:
    """The ids of records that have a note with one of these subjects."""
    return {row["res_id"] for row in _notes(session, {model}, ids, subjects)} if ids else set()


def subjects_by_record(
    session: OdooSession, model: str, ids: Collection[int], subjects: Collection[str]
) -> dict[int, set[str]]:
    """The given subjects that each record's notes have; records without any are left out."""
    found: dict[int, set[str]] = {}
    for row in _notes(session, {model}, ids, subjects) if ids else ():
        found.setdefault(row["res_id"], set()).add(row["subject"])
    return found


def _notes(
    session: OdooSession, models: Collection[str], ids: Collection[int], subjects: Collection[str]
) -> list[dict[str, Any]]:
    domain = [("model", "in", sorted(models)), ("subject", "in", sorted(subjects))]
    return _read_about(session, "mail.message", domain, ids, ["res_id", "subject"])


def _read_about(
    session: OdooSession,
    model: str,
    domain: Sequence[Any],
    ids: Collection[int],
    fields: Sequence[str],
) -> list[dict[str, Any]]:
    """Search and read what is about records with these ids, this many records at once."""
    return [
        row
        for page in chunks(sorted(ids))
        for row in session.search_read(model, [*domain, ("res_id", "in", page)], fields)
    ]


def remind(
    session: OdooSession, notes: Mapping[Record, Note], *, today: date, user_id: int | None
) -> None:
    """Post notes and schedule a to-do activity with each, with the same text.

    A record that has its note already gets no second activity: somebody may be done with it.
    """
    remind_all(session, list(notes.items()), today=today, user_id=user_id)


def remind_all(
    session: OdooSession,
    notes: Collection[RecordNote],
    *,
    today: date,
    user_id: int | None,
    new: Collection[Record] = (),
) -> None:
    """The same as ``remind``, with any number of notes for each record.

    ``new`` records were created just now: they have no notes yet.
    """
    if not notes:
        return
    names = _names_of(session, [each for each in notes if each[0] not in new])
    fresh = [(r, note) for r, note in notes if _name("note", r, note) not in names]
    _schedule(session, fresh, today=today, user_id=user_id or session.uid)
    _post(session, fresh)


def _names_of(session: OdooSession, notes: Collection[RecordNote]) -> set[str]:
    """The external ids of the notes with these subjects on these records, if they have any."""
    if not notes:
        return set()
    models, ids = {model for (model, _), _ in notes}, {id_ for (_, id_), _ in notes}
    known = _notes(session, models, ids, {note.subject for _, note in notes})
    return set(session.external_ids("mail.message", [row["id"] for row in known]).values())


def _schedule(
    session: OdooSession, notes: Collection[RecordNote], *, today: date, user_id: int
) -> None:
    """Schedule activities. Odoo refuses to assign them to users who may not see the record."""
    rows = [
        [
            external(_name("activity", record, note)),
            *(_model_id(record[0]), str(record[1])),
            *(note.subject, _paragraph(note), "mail.mail_activity_data_todo"),
            *(today.isoformat(), str(user_id)),
        ]
        for record, note in sorted(notes, key=_sequence)
    ]
    try:
        session.load("mail.activity", _ACTIVITY, rows)
    except ItemError:
        if user_id == session.uid:
            raise
        _schedule(session, notes, today=today, user_id=session.uid)


def close_reminders(
    session: OdooSession,
    model: str,
    ids: Collection[int],
    topics: Collection[str],
    feedback: str,
) -> None:
    """Mark the open activities of these topics on these records as done."""
    close_all(session, [(model, id_) for id_ in ids], topics, feedback)


def close_all(
    session: OdooSession,
    records: Collection[Record],
    topics: Collection[str],
    feedback: str,
    *,
    keep: Collection[RecordNote] = (),
) -> None:
    """Mark open activities on records of any models as done.

    Args:
        session: the login.
        records: that the activities are about.
        topics: the beginnings of the topics, up to an underscore.
        feedback: why they are done; goes into the chatter.
        keep: the notes whose activities stay open.
    """
    kept = {_name("activity", record, note) for record, note in keep}
    open_ = _open_activities(session, records, topics)
    ours = [id_ for id_, (name, _) in open_.items() if name not in kept]
    if ours:
        session.call("mail.activity", "action_feedback", sorted(ours), feedback=feedback)


def records_with_reminder(
    session: OdooSession, model: str, ids: Collection[int], topics: Collection[str]
) -> set[int]:
    """The ids of records that have an open activity of one of these topics."""
    open_ = _open_activities(session, [(model, id_) for id_ in ids], topics)
    return {id_ for _, (_, id_) in open_.values()}


def _open_activities(
    session: OdooSession, records: Collection[Record], topics: Collection[str]
) -> dict[int, tuple[str, Record]]:
    """External id and record of the open activities of these topics, by their database id."""
    if not records:
        return {}
    models, ids = {model for model, _ in records}, {id_ for _, id_ in records}
    domain = [("res_model", "in", sorted(models))]
    rows = _read_about(session, "mail.activity", domain, ids, ["res_model", "res_id"])
    about = {row["id"]: (row["res_model"], row["res_id"]) for row in rows}
    requested = set(records)
    mine = sorted(id_ for id_, record in about.items() if record in requested)
    names = session.external_ids("mail.activity", mine)
    beginnings = tuple(f"activity_{topic}_" for topic in topics)
    return {id_: (n, about[id_]) for id_, n in names.items() if n.startswith(beginnings)}


def _name(kind: str, record: Record, note: Note) -> str:
    """The external id, without the module."""
    model, id_ = record
    return f"{kind}_{note.topic}_{model.replace('.', '_')}_{id_}"


def _model_id(model: str) -> str:
    """The external id that Odoo itself gives to a model, by the module that defines it."""
    module = "base" if model == CONTACT else model.partition(".")[0]
    return f"{module}.model_{model.replace('.', '_')}"


def _paragraph(note: Note) -> str:
    text = html.escape(note.body)
    if note.contact_id:
        label = f"contact #{note.contact_id}"
        link = f'<a href="#" data-oe-model="{CONTACT}" data-oe-id="{note.contact_id}">{label}</a>'
        text = text.replace(label, link)
    return f"<p>{text}</p>"
