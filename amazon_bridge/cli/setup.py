"""``setup`` and ``check``: what the bridge needs, created and examined."""

from __future__ import annotations

import click

from amazon_bridge.cli.commands import examples
from amazon_bridge.cli.common import account_option


@click.command(epilog=examples("setup --dry-run", "setup --account acme-eu"))
@account_option
@click.option("--dry-run", is_flag=True, help="Say what would be created; create nothing.")
@click.pass_context
def setup(ctx: click.Context, account: str | None, *, dry_run: bool) -> None:
    """Create in Odoo what the bridge needs.

    Existing records are used, archived ones unarchived. Safe to repeat.
    """
    from amazon_bridge.cli import setup_actions  # noqa: PLC0415 (slow)

    setup_actions.setup(ctx, account, dry_run=dry_run)


@click.command(epilog=examples("check", "check --account acme-eu"))
@account_option
@click.pass_context
def check(ctx: click.Context, account: str | None) -> None:
    """Check Odoo and Amazon, and say how to fix problems."""
    from amazon_bridge.cli import setup_actions  # noqa: PLC0415 (slow)

    setup_actions.check(ctx, account)
