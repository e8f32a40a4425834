"""``status``: the state of each account and job."""

from __future__ import annotations

import click

from amazon_bridge.cli.commands import examples
from amazon_bridge.cli.common import json_option


@click.command(epilog=examples("status", "status --json"))
@json_option
@click.pass_context
def status(ctx: click.Context, *, as_json: bool) -> None:
    """Show the state of each account and job."""
    from amazon_bridge.cli import status_actions  # noqa: PLC0415 (slow)

    status_actions.status(ctx, as_json=as_json)
