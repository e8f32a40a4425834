"""Pending items of a job and the numbers of what it watches, as people look at them."""

from __future__ import annotations

from collections.abc import Mapping

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.job import Job, PendingList, PendingView, Tally, load


def pending_entries(ledger: Ledger, account: str, job: Job, most: int) -> list[Entry]:
    """At most ``most`` pending items of an account, with reasons; known reasons come first."""
    return [explained(entry) for entry in ledger.items.first_pending(account, job.name, most)]


def explained(entry: Entry) -> Entry:
    """The entry; if it is pending, with the reason why."""
    explain = next((job.explain for job in JOBS if job.name == entry.job), None)
    if explain is None or entry.state is not State.PENDING:
        return entry
    with_reason: Entry = load(explain)(entry)
    return with_reason


def tally(ledger: Ledger, account: str, view: Tally) -> Mapping[str, int]:
    """The numbers of what a job watches for an account."""
    numbers: Mapping[str, int] = load(view.numbers)(ledger, account)
    return numbers


def pending_list(ledger: Ledger, account: str, view: PendingView, most: int | None) -> PendingList:
    """What ``status`` lists of a job's pending items: the first ``most``, or all."""
    found: PendingList = load(view.items)(ledger, account, most)
    return found
