"""Follows journal entries of settlements in Odoo until a person has posted them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import State
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.settlements.memo import JOB, SettlementMemo
from amazon_bridge.odoo import journal_entries


def follow_drafts(run: Run) -> None:
    """Note which settlements were posted; quarantine those whose entries were deleted.

    Raises:
        AccountError, Transient: Odoo is down, or doesn't respond.
    """
    context, items = run.context, run.context.ledger.items
    for entry in items.of_job(context.name, JOB):
        memo = SettlementMemo.read(entry)
        if entry.state is not State.DONE or memo is None or memo.posted or not memo.entries:
            continue
        found = journal_entries.find(context.odoo, memo.entries)
        missing = [reference for reference in memo.entries if reference not in found]
        if missing:
            items.quarantine(context.name, JOB, entry.key, _deleted(missing))
            run.counts.quarantined += 1
        elif all(each.is_posted for each in found.values()):
            items.remember(context.name, JOB, entry.key, replace(memo, posted=True))


def _deleted(missing: Sequence[str]) -> ItemError:
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return ItemError(
        "settlement_entry_missing",
        f"Somebody deleted the draft {missing[0]}{more} in Odoo.",
        "To book the settlement again, run `amazon-bridge quarantine retry` with its id.",
    )
