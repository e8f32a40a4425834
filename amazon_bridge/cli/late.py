"""``late``: which orders are to be shipped by when, and what may make them late."""

from __future__ import annotations

import click

from amazon_bridge.cli.commands import examples
from amazon_bridge.cli.common import json_option
from amazon_bridge.cli.completion import account_names


@click.command(epilog=examples("late", "late acme-eu --json"))
@click.argument("account", required=False, shell_complete=account_names)
@json_option
@click.pass_context
def late(ctx: click.Context, account: str | None, *, as_json: bool) -> None:
    """List the orders to ship: overdue, due today, at risk, on track.

    With ACCOUNT, only that account's. Nothing is written. Exits with 3 if Odoo can't be read: then
    it is unknown which stock is reserved.
    """
    from amazon_bridge.cli import late_actions  # noqa: PLC0415 (slow)

    late_actions.late(ctx, account, as_json=as_json)
