"""``cursor``: show and move the cursors."""

from __future__ import annotations

from datetime import datetime

import click

from amazon_bridge.cli.commands import examples
from amazon_bridge.cli.common import account_argument, opened, parse_timestamp, timestamp
from amazon_bridge.terminal import say


@click.group()
def cursor() -> None:
    """Show or move each account's sync cursor."""


@cursor.command(epilog=examples("cursor show"))
@click.pass_context
def show(ctx: click.Context) -> None:
    """Print the cursors."""
    with opened(ctx) as bridge:
        for account in bridge.accounts():
            at = bridge.ledger.cursors.get(account.name)
            say(f"{account.name} {timestamp(at) or 'none yet: its first run sets it'}")


@cursor.command(
    "set",
    epilog=examples(
        "cursor set acme-eu 2026-11-01T00:00:00Z", "cursor set acme-eu 2026-11-20T00:00:00Z --skip"
    ),
)
@account_argument
@click.argument("timestamp_", metavar="TIMESTAMP")
@click.option("--skip", is_flag=True, help="Leave out what changed between cursor and TIMESTAMP.")
@click.pass_context
def set_(ctx: click.Context, account: str, timestamp_: str, *, skip: bool) -> None:
    """Process an account's orders since TIMESTAMP again, such as 2026-11-01T00:00:00Z.

    In the next run every order that changed on Amazon since then, and every delivery and
    cancellation in Odoo since then, is processed again, also those that were done. Nothing is
    done twice, and what people changed in Odoo stays.

    The cursor moves back to TIMESTAMP. If it is earlier it stays, because orders after it have
    not been read yet; with --skip it moves forward, and they are left out.
    """
    at = parse_timestamp(timestamp_)
    with opened(ctx) as bridge:
        if at > bridge.clock():
            raise click.BadParameter(f"{timestamp_} is in the future: no order would be imported.")
        found = bridge.config.account(account)
        before = bridge.move_cursor(found, at, skip=skip)
        after = bridge.ledger.cursors.get(found.name) or at
        for sentence in _about_move(before, after, at):
            say(f"{found.name}: {sentence}")


def _about_move(before: datetime | None, after: datetime, at: datetime) -> list[str]:
    again = f"What was done since {timestamp(at)} is processed again in the next run."
    if before and before < after:
        left_out = (
            f"What changed on Amazon from {timestamp(before)} to {timestamp(after)} is left out."
        )
        return [f"cursor moved from {timestamp(before)} to {timestamp(after)}.", left_out, again]
    if before and after < at:
        stays = f"the cursor stays at {timestamp(after)}:"
        return [f"{stays} what changed after it is still to be read (--skip leaves it out).", again]
    return [f"cursor moved from {timestamp(before) or 'none'} to {timestamp(after)}.", again]
