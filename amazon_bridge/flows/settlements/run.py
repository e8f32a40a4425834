"""The settlements job: its steps in a sync run."""

from __future__ import annotations

from datetime import date

import structlog

from amazon_bridge.engine.counts import Counts
from amazon_bridge.flows.attempts import attempt
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.settlements import SETTLEMENTS
from amazon_bridge.flows.settlements.booking import Booking
from amazon_bridge.flows.settlements.follow import follow_entries
from amazon_bridge.flows.settlements.preview import preview_new
from amazon_bridge.flows.settlements.reconcile import reconcile
from amazon_bridge.flows.settlements.tie_out import due, record, tie_out

log = structlog.get_logger(__name__)


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """Do one sync run."""
    run = Run(context, SETTLEMENTS.name)
    if dry_run:
        attempt(run, lambda: preview_new(run))
        return run.counts
    booking = Booking(run)
    if attempt(run, booking.read_new):
        attempt(run, booking.book_others)
    attempt(run, lambda: follow_entries(run))
    settings = context.account.settlements
    if settings.reconcile and settings.orders == "clearing":
        attempt(run, lambda: reconcile(context))
    if day := due(context):
        attempt(run, lambda: _tie_out(context, day))
    counts = run.counts
    counts.stalled = counts.resume_in is not None and not run.has_advanced
    counts.unchanged = max(0, counts.seen - counts.created - counts.quarantined)
    return counts


def _tie_out(context: Context, day: date) -> None:
    ties = tie_out(context, day)
    record(context, ties)
    for tie in ties:
        unknown = tie.parts["unknown"]
        level = log.warning if unknown else log.info
        level(
            "tied_out",
            account=context.name,
            currency=tie.currency,
            difference=str(tie.difference),
            unknown=str(unknown),
        )
