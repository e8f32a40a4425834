"""``settlements``: list, show and preview settlements, and tie them out with Amazon's balances."""

from __future__ import annotations

from datetime import datetime

import click

from amazon_bridge.cli.commands import examples
from amazon_bridge.cli.common import account_option, json_option


@click.group()
def settlements() -> None:
    """List, show, preview and tie out settlements."""


@settlements.command("list", epilog=examples("settlements list --account acme-eu"))
@account_option
@click.pass_context
def list_(ctx: click.Context, account: str | None) -> None:
    """List the settlements that the bridge knows, newest first."""
    from amazon_bridge.cli import settlements_actions  # noqa: PLC0415 (slow)

    settlements_actions.list_known(ctx, account)


@settlements.command(epilog=examples("settlements show 12345678901"))
@click.argument("settlement_id", metavar="ID")
@account_option
@click.pass_context
def show(ctx: click.Context, settlement_id: str, account: str | None) -> None:
    """Show a settlement, its journal entries, and the orders that are still open."""
    from amazon_bridge.cli import settlements_actions  # noqa: PLC0415 (slow)

    settlements_actions.show(ctx, settlement_id, account)


@settlements.command(
    "preview",
    epilog=examples(
        "settlements preview 12345678901", "settlements preview 12345678901 --csv > entries.csv"
    ),
)
@click.argument("settlement_id", metavar="ID")
@account_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.pass_context
def preview_(ctx: click.Context, settlement_id: str, account: str | None, *, as_csv: bool) -> None:
    """Show what would be booked, line for line; nothing is written."""
    from amazon_bridge.cli import settlements_actions  # noqa: PLC0415 (slow)

    settlements_actions.show_preview(ctx, settlement_id, account, as_csv=as_csv)


@settlements.command("tie-out", epilog=examples("settlements tie-out --account acme-eu"))
@account_option
@json_option
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Compare balances as of the end of this day (UTC). Default: now.",
)
@click.pass_context
def tie_out_(
    ctx: click.Context, account: str | None, as_of: datetime | None, *, as_json: bool
) -> None:
    """Compare Amazon's balances with Odoo's, and explain the difference."""
    from amazon_bridge.cli import settlements_actions  # noqa: PLC0415 (slow)

    settlements_actions.show_tie_out(ctx, account, as_of, as_json=as_json)
