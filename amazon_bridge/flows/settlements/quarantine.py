"""Quarantines settlements, and informs people in Odoo."""

from __future__ import annotations

import structlog

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows import notices
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.notices import Announcement
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.settlements.memo import JOB
from amazon_bridge.odoo import journal_entries, notes
from amazon_bridge.odoo.notes import Note, topic_of

log = structlog.get_logger(__name__)

_TOPIC = "settlement_not_booked"
"""Prefix of the topic of each activity about a settlement."""


def quarantine(run: Run, key: str, error: ItemError, *, job: str = JOB) -> None:
    """Quarantine a settlement or a report, with an activity if Odoo has an entry of it."""
    announcements = _announcements(run.context, key, error) if job == JOB else {}
    announced = run.quarantine({key: error}, announcements, job=job)[key]
    name, about = run.context.name, {"kind": announced.kind, "reason": announced.reason}
    log.warning("settlement_quarantined", account=name, key=key, **about)


def _announcements(context: Context, key: str, error: ItemError) -> dict[str, Announcement]:
    """The activity is on the first entry that isn't posted; if all are posted, on the first."""
    found = journal_entries.find_of_settlement(context.odoo, key)
    if not found:
        return {}
    reference = min(found, key=lambda each: (found[each].is_posted, each))
    topic = topic_of(_TOPIC, error.reason)
    note = Note(topic, "Amazon: this settlement needs attention", str(error))
    return {key: (reference, ((notes.JOURNAL_ENTRY, found[reference].id), note))}


def close_activities(context: Context, key: str) -> None:
    """Mark the activities about a settlement as done."""
    found = journal_entries.find_of_settlement(context.odoo, key)
    entries = [(notes.JOURNAL_ENTRY, each.id) for each in found.values()]
    notices.close(context, entries, (_TOPIC,), "Settled: the settlement is booked.")
