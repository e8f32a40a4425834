"""Follows journal entries of settlements in Odoo: whether people post, cancel or delete them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import State
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.settlements.memo import JOB, SettlementMemo
from amazon_bridge.flows.settlements.quarantine import quarantine
from amazon_bridge.odoo import journal_entries
from amazon_bridge.odoo.journal_entries import Booked

log = structlog.get_logger(__name__)


def follow_entries(run: Run) -> None:
    """Note which settlements are posted; quarantine those that lack an entry.

    Warns once of an entry that somebody reset to draft.

    Raises:
        AccountError, Transient: Odoo is down, or doesn't respond.
    """
    context, items = run.context, run.context.ledger.items
    booked = {
        entry.key: memo
        for entry in items.of_job(context.name, JOB)
        if entry.state is State.DONE and (memo := SettlementMemo.read(entry)) and memo.entries
    }
    references = [reference for memo in booked.values() for reference in memo.entries]
    found = journal_entries.find(context.odoo, references) if references else {}
    for key, memo in booked.items():
        if error := _problem(memo.entries, found):
            quarantine(run, key, error)
            continue
        posted = all(found[reference].is_posted for reference in memo.entries)
        if posted != memo.posted:
            followed = replace(memo, posted=posted, was_posted=not posted)
            items.remember(context.name, JOB, key, followed)
            _warn_of_draft(context, key, followed)


def is_draft_again(account: AccountConfig, memo: SettlementMemo) -> bool:
    """True if somebody reset an entry to draft that the bridge had posted."""
    return memo.was_posted and account.settlements.mode == "post"


def _warn_of_draft(context: Context, key: str, memo: SettlementMemo) -> None:
    if is_draft_again(context.account, memo):
        log.warning("settlement_reset_to_draft", account=context.name, settlement=key)


def _problem(references: Sequence[str], found: Mapping[str, Booked]) -> ItemError | None:
    """What keeps a settlement from being booked completely, if its entries do."""
    missing = [reference for reference in references if reference not in found]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        return ItemError(
            "settlement_entry_missing",
            f"Somebody deleted the journal entry {missing[0]}{more} in Odoo.",
            "To book the settlement again, run `amazon-bridge quarantine retry` with its id.",
        )
    cancelled = [reference for reference in references if found[reference].is_cancelled]
    return cancelled_entry(cancelled[0]) if cancelled else None


def cancelled_entry(reference: str) -> ItemError:
    """The error of a settlement with an entry that somebody cancelled."""
    return ItemError(
        "settlement_entry_differs",
        f"The journal entry {reference} was cancelled in Odoo.",
        "Reset it to draft in Odoo, or delete it; then run `amazon-bridge quarantine retry` with"
        " the settlement's id.",
    )
