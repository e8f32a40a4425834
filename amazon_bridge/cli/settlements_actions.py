"""What the commands of ``settlements`` do."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import TypeVar

import click
from rich.table import Table

from amazon_bridge.app import App
from amazon_bridge.cli.commands import ITEMS_FAILED
from amazon_bridge.cli.common import opened
from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.settlements import SETTLEMENTS
from amazon_bridge.flows.settlements.preview import Preview, preview, switched_on
from amazon_bridge.flows.settlements.reconcile import OpenOrder, open_orders
from amazon_bridge.flows.settlements.tell import memo_of, state_of
from amazon_bridge.flows.settlements.tie_out import as_json as tie_as_json
from amazon_bridge.flows.settlements.tie_out import tie_out
from amazon_bridge.flows.settlements.ties import Tie
from amazon_bridge.marketplaces import in_digits, in_words
from amazon_bridge.odoo.journal_entries import BookedLine
from amazon_bridge.tables import add_row, console
from amazon_bridge.terminal import counted, say

T = TypeVar("T")

_COLUMNS = (
    "date",
    "account",
    "label",
    "debit",
    "credit",
    "currency",
    "amount_currency",
    "entry",
)


def list_known(ctx: click.Context, account: str | None) -> None:
    """List the settlements that the bridge knows, newest first."""
    with opened(ctx) as bridge:
        found = [
            entry
            for each in bridge.accounts(account)
            for entry in bridge.ledger.items.of_job(each.name, SETTLEMENTS.name)
        ]
    if not found:
        say("The bridge knows no settlement. To read them: amazon-bridge sync settlements")
        return
    table = Table("settlement", "account", "from", "until", "deposit", "total", "state", "entries")
    for entry in sorted(found, key=_end, reverse=True):
        _add(table, entry)
    console().print(table)


def _end(entry: Entry) -> tuple[str, str]:
    return str(memo_of(entry).end or ""), entry.key


def _add(table: Table, entry: Entry) -> None:
    memo = memo_of(entry)
    state = state_of(entry)
    total = "" if memo.total is None else in_words(memo.total, memo.currency)
    days = [str(day or "") for day in (memo.start, memo.end, memo.deposit)]
    is_booked = memo.entries and entry.state is State.DONE
    number = str(len(memo.entries)) if is_booked else ""
    add_row(table, entry.key, entry.account, *days, total, state, number)


def show(ctx: click.Context, settlement_id: str, account: str | None) -> None:
    """Show a settlement, its journal entries, and the orders that are still open."""
    with opened(ctx) as bridge:
        shown = [_show(bridge, each, settlement_id) for each in bridge.accounts(account)]
    if not any(shown):
        say(f"The bridge does not know the settlement {settlement_id}. To see what it would book:")
        say(f"  amazon-bridge settlements preview {settlement_id}")
        ctx.exit(ITEMS_FAILED)


def _show(bridge: App, account: AccountConfig, settlement_id: str) -> bool:
    entry = bridge.ledger.items.get(account.name, SETTLEMENTS.name, settlement_id)
    if entry is None:
        return False
    memo = memo_of(entry)
    state = "in the quarantine" if entry.kind else state_of(entry)
    say(f"{settlement_id} ({account.name}): {state}")
    if memo.total is not None:
        total = in_words(memo.total, memo.currency)
        say(f"  {memo.start} to {memo.end}, {total}, deposit {memo.deposit}")
    if entry.kind:
        say(f"  {entry.kind}: {entry.reason} {entry.remedy or ''}")
    if memo.warning:
        say(f"  {memo.warning}")
    if entry.state is State.DONE:
        _show_entries(bridge, account, entry)
    return True


def _show_entries(bridge: App, account: AccountConfig, entry: Entry) -> None:
    memo = memo_of(entry)
    for reference in memo.entries:
        say(f"  journal entry {reference}")
    if memo.entries and not memo.posted:
        say("  Drafts: once somebody has posted them in Odoo, the next run reconciles the orders.")
    elif memo.entries:
        _show_open(bridge.context(account, dry_run=True), entry.key)


def _show_open(context: Context, settlement_id: str) -> None:
    number, differs = 0, False
    for orders in open_orders(context, settlement_id):
        for each in orders:
            number += 1
            differs = differs or each.reason.startswith("differs")
            what = " (refund)" if each.is_refund else ""
            held = " (in the quarantine)" if _is_held(context, each) else ""
            say(f"  {each.order_id or 'no order'}{what}: {each.reason}{held}")
    if number == 0:
        say("  No order is open.")
    if differs:
        say("  Orders that differ are left to you: credit what Odoo has more, or invoice what")
        say("  Amazon has more, and register its payment in the payment journal. Then the next run")
        say("  reconciles them.")


def _is_held(context: Context, order: OpenOrder) -> bool:
    entries = context.ledger.items.of_order(order.order_id) if order.order_id else []
    return any(entry.account == context.name and entry.kind for entry in entries)


def show_preview(
    ctx: click.Context, settlement_id: str, account: str | None, *, as_csv: bool
) -> None:
    """Show what would be booked, line for line; nothing is written."""
    with opened(ctx) as bridge:
        found = _first(
            bridge.accounts(account),
            lambda each: preview(bridge.context(each, dry_run=True), settlement_id),
        )
    if found is None:
        say(f"Amazon does not list the settlement {settlement_id} (any more).", err=True)
        ctx.exit(ITEMS_FAILED)
    if found.problem:
        say(str(found.problem), err=True)
        ctx.exit(ITEMS_FAILED)
    _write_csv(found.lines) if as_csv else _show_lines(found)


def _first(
    accounts: Sequence[AccountConfig], find: Callable[[AccountConfig], T | None]
) -> T | None:
    return next(filter(None, map(find, accounts)), None)


def _cells(line: BookedLine) -> list[str]:
    return [
        line.date.isoformat(),
        line.account,
        line.label,
        str(line.debit),
        str(line.credit),
        line.currency,
        str(line.amount_currency),
        line.entry,
    ]


def _write_csv(lines: Iterable[BookedLine]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(_COLUMNS)
    writer.writerows(map(_cells, lines))


def _show_lines(found: Preview) -> None:
    header = found.statement.header
    lines = list(found.lines)
    if not lines:
        say("Nothing would be booked: its amounts add up to zero, by order and by category.")
        return
    for entry, of_entry in groupby(lines, lambda line: line.entry):
        table = Table(*_COLUMNS[:-1], title=entry, title_justify="left")
        for line in of_entry:
            add_row(table, *_cells(line)[:-1])
        console().print(table)
    total = in_words(header.total, header.currency)
    say(f"{counted(found.statement.rows, 'row')}, {total}, deposit {header.deposit}.")


def show_tie_out(
    ctx: click.Context, account: str | None, as_of: datetime | None, *, as_json: bool
) -> None:
    """Compare Amazon's balances with Odoo's, and explain the difference."""
    day = as_of.date() if as_of else None
    with opened(ctx) as bridge:
        if day and day > bridge.clock().date():
            raise click.UsageError(f"--as-of {day} is in the future.")
        contexts = [bridge.context(each, dry_run=True) for each in _booking(bridge, account)]
        ties = {each.name: tie_out(switched_on(each), day) for each in contexts}
    if as_json:
        found = {name: [tie_as_json(tie) for tie in of] for name, of in ties.items()}
        click.echo(json.dumps({"accounts": found}))
        return
    if not any(ties.values()):
        say("There is nothing to compare: Amazon has no balance, or no account books settlements.")
    for name, of in ties.items():
        for tie in of:
            for line in _tie_lines(name, tie):
                say(line)


def _booking(bridge: App, account: str | None) -> Sequence[AccountConfig]:
    """The named account, or those that book settlements."""
    if account:
        return bridge.accounts(account)
    return [each for each in bridge.accounts() if each.runs(SETTLEMENTS)]


def _tie_lines(name: str, tie: Tie) -> Iterator[str]:
    place = f", {tie.marketplace}" if tie.marketplace else ""
    yield f"{name}{place}, {tie.day}, in {tie.currency}:"
    sums = {
        "Amazon's balance": tie.amazon.total,
        "Odoo: owed by Amazon": tie.odoo.owed,
        "Odoo: reserve": tie.odoo.reserve,
        "difference": tie.difference,
        **{f"  {part.replace('_', ' ')}": amount for part, amount in tie.parts.items()},
    }
    for what, amount in sums.items():
        yield f"  {what:<22}{in_digits(amount, tie.currency):>14}"
