"""What the bridge tells the people who work in Odoo, on the record that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amazon_bridge.odoo.session import OdooSession


@dataclass(frozen=True, slots=True)
class Note:
    """A note in a record's chatter. Its subject is said once of a record, ever."""

    subject: str
    body: str


def tell(
    session: OdooSession,
    model: str,
    ids: Sequence[int],
    note: Note,
    *,
    remind: bool = False,
    user_id: int | None = None,
) -> list[int]:
    """Post the note on those of the records that don't have it yet; answer with their ids.

    With ``remind`` a to-do activity of the same words is scheduled as well, for the user given
    or else for the bridge's own login.
    """
    domain = [
        ("model", "=", model),
        ("res_id", "in", sorted(ids)),
        ("subject", "=", note.subject),
    ]
    told = {row["res_id"] for row in session.search_read("mail.message", domain, ["res_id"])}
    fresh = sorted(set(ids) - told)
    for id_ in fresh:
        if remind:
            _schedule_activity(session, model, id_, note, user_id)
        session.call(model, "message_post", [id_], body=note.body, subject=note.subject)
    return fresh


def _schedule_activity(
    session: OdooSession, model: str, id_: int, note: Note, user_id: int | None
) -> None:
    """Schedule a to-do, unless one with the same summary is open (an earlier try was cut off)."""
    domain = [("res_model", "=", model), ("res_id", "=", id_), ("summary", "=", note.subject)]
    if session.search_read("mail.activity", domain, ["id"], limit=1):
        return
    values: dict[str, Any] = {"summary": note.subject, "note": note.body}
    if user_id:
        values["user_id"] = user_id
    session.call(model, "activity_schedule", [id_], "mail.mail_activity_data_todo", **values)
