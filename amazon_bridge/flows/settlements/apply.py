"""Books a settlement in Odoo: lock dates, entries, verification, posting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.settlements.entries import entries
from amazon_bridge.flows.settlements.follow import cancelled_entry
from amazon_bridge.flows.settlements.statement import Statement
from amazon_bridge.odoo import journal_entries
from amazon_bridge.odoo.journal_entries import Booked, Entry
from amazon_bridge.odoo.setup import SettlementSetup, refusal


def settlement_setup(context: Context) -> SettlementSetup:
    """Where the account's settlements are booked.

    Raises:
        AccountError: Odoo lacks what they need.
    """
    setup = context.setup.settlement
    if setup is None:
        raise refusal(context.account, context.setup.settlement_missing)
    return setup


def book(context: Context, statement: Statement) -> tuple[Entry, ...]:
    """Book a settlement. Safe to repeat: entries that exist are not created again.

    Returns:
        Its entries.

    Raises:
        ItemError: A period is closed, or Odoo refuses an entry.
        AccountError, Transient: Odoo is down, or doesn't respond.
    """
    setup = settlement_setup(context)
    made = entries(statement, setup)
    existing = journal_entries.find(context.odoo, [entry.reference for entry in made])
    _ensure_none_cancelled(existing)
    if _is_booked(context, made, existing):
        return made
    made = dated(context, setup, made, existing)
    booked = journal_entries.create(context.odoo, setup, made)
    if context.account.settlements.mode == "post":
        _post(context, made, booked)
    return made


def _ensure_none_cancelled(existing: Mapping[str, Booked]) -> None:
    for reference, each in existing.items():
        if each.is_cancelled:
            raise cancelled_entry(reference)


def _is_booked(context: Context, made: Sequence[Entry], existing: Mapping[str, Booked]) -> bool:
    """Whether all of it exists; a person may have changed drafts, and posts them."""
    is_complete = all(entry.reference in existing for entry in made)
    may_be_drafts = context.account.settlements.mode == "draft"
    return is_complete and (may_be_drafts or all(each.is_posted for each in existing.values()))


def dated(
    context: Context,
    setup: SettlementSetup,
    made: Sequence[Entry],
    existing: Mapping[str, Booked],
) -> tuple[Entry, ...]:
    """The entries with the days on which they are booked: those that exist keep theirs.

    Raises:
        ItemError: A period is closed, and the configuration holds such settlements.
    """
    days = {reference: each.date for reference, each in existing.items()}
    return tuple(
        replace(entry, date=days.get(entry.reference) or _open_day(context, setup, entry))
        for entry in made
    )


def _open_day(context: Context, setup: SettlementSetup, entry: Entry) -> date:
    has_taxes = entry.has_taxes
    day = journal_entries.first_open_day(context.odoo, setup, entry.date, has_taxes=has_taxes)
    if day != entry.date and context.account.settlements.closed_period == "hold":
        raise ItemError(
            "settlement_period_closed",
            f"The period of {entry.date} is locked in Odoo; the first open day is {day}.",
            "Nothing of the settlement is booked. Open the period (Accounting > Lock Dates), or set"
            " `settlements.closed_period: next_open`; then run `amazon-bridge quarantine retry`"
            " with the settlement's id.",
        )
    return day


def _post(context: Context, made: Sequence[Entry], booked: Mapping[str, Booked]) -> None:
    drafts = [each.id for each in booked.values() if not each.is_posted]
    if not drafts:
        return
    journal_entries.post(context.odoo, drafts)
    posted = journal_entries.find(context.odoo, [entry.reference for entry in made])
    for entry in made:
        _ensure_posted(entry, posted.get(entry.reference))


def _ensure_posted(entry: Entry, booked: Booked | None) -> None:
    """Odoo may leave a draft, or post it on another day than asked, without a word."""
    if booked is None or not booked.is_posted:
        raise ItemError(
            "settlement_not_posted",
            f"Odoo left the journal entry {entry.reference} in draft.",
            "Open it in Odoo and post it, which shows what is in the way; then run"
            " `amazon-bridge quarantine retry` with the settlement's id.",
        )
    if booked.date != entry.date:
        raise ItemError(
            "settlement_entry_differs",
            f"Odoo posted the journal entry {entry.reference} on {booked.date}, not on"
            f" {entry.date}.",
            "Correct its date in Odoo, then run `amazon-bridge quarantine retry` with the"
            " settlement's id.",
        )
