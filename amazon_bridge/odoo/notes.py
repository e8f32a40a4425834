"""What the bridge tells the people who work in Odoo, on the record that it is about.

Notes and activities are loaded with external ids, so that many are written in one call and
each is written once: of one topic, a record has one note for ever.
"""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from amazon_bridge.odoo.session import OdooSession

_MESSAGE = ["id", "model", "res_id", "subject", "body", "message_type", "subtype_id/id"]
_ACTIVITY = [
    *("id", "res_model_id/id", "res_id", "summary", "note"),
    *("activity_type_id/id", "date_deadline", "user_id/.id"),
]


@dataclass(frozen=True, slots=True)
class Note:
    """An internal note in a record's chatter, never mailed to anyone."""

    topic: str
    """A word that tells it from the record's other notes."""
    subject: str
    body: str


def post(session: OdooSession, model: str, notes: Mapping[int, Note]) -> None:
    """Post a note on each of these records, unless it has one of that topic already."""
    rows = [
        [
            *(_external_id("note", model, id_, notes[id_]), model, str(id_)),
            *(notes[id_].subject, _paragraph(notes[id_]), "notification", "mail.mt_note"),
        ]
        for id_ in sorted(notes)
    ]
    session.load("mail.message", _MESSAGE, rows)


def told(session: OdooSession, model: str, ids: Collection[int], subject: str) -> set[int]:
    """Those of the records that have a note with this subject."""
    if not ids:
        return set()
    about = [("model", "=", model), ("res_id", "in", sorted(ids)), ("subject", "=", subject)]
    return {row["res_id"] for row in session.search_read("mail.message", about, ["res_id"])}


def remind(
    session: OdooSession,
    model: str,
    notes: Mapping[int, Note],
    *,
    today: date,
    user_id: int | None,
) -> None:
    """Post notes and schedule a to-do activity of the same words with each.

    A record that has its note already gets no second activity: somebody may be done with it.
    """
    known: set[int] = set()
    for subject in {note.subject for note in notes.values()}:
        known |= told(session, model, notes.keys(), subject)
    fresh = {id_: note for id_, note in notes.items() if id_ not in known}
    rows = [
        [
            *(_external_id("activity", model, id_, fresh[id_]), _model_id(model), str(id_)),
            *(fresh[id_].subject, _paragraph(fresh[id_]), "mail.mail_activity_data_todo"),
            *(today.isoformat(), str(user_id or session.uid)),
        ]
        for id_ in sorted(fresh)
    ]
    session.load("mail.activity", _ACTIVITY, rows)
    post(session, model, fresh)


def close_reminders(
    session: OdooSession, model: str, ids: Sequence[int], topic: str, feedback: str
) -> None:
    """Mark the open activities of a topic on these records as done."""
    if not ids:
        return
    domain = [("res_model", "=", model), ("res_id", "in", sorted(ids))]
    activities = session.search_read("mail.activity", domain, ["id"])
    names = session.external_ids("mail.activity", [row["id"] for row in activities])
    ours = [id_ for id_, name in names.items() if name.startswith(f"activity_{topic}_")]
    if ours:
        session.call("mail.activity", "action_feedback", sorted(ours), feedback=feedback)


def _external_id(kind: str, model: str, id_: int, note: Note) -> str:
    return f"amazon_bridge.{kind}_{note.topic}_{model.replace('.', '_')}_{id_}"


def _model_id(model: str) -> str:
    """The external id that Odoo itself gives to a model, by the module that defines it."""
    module = model.partition(".")[0]
    return f"{module}.model_{model.replace('.', '_')}"


def _paragraph(note: Note) -> str:
    return f"<p>{html.escape(note.body)}</p>"
