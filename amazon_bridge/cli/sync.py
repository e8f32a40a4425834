"""``sync``: run jobs now, by the daemon if one is running."""

from __future__ import annotations

import click

from amazon_bridge.cli.commands import examples
from amazon_bridge.cli.common import JobChoice, account_option, json_option
from amazon_bridge.flows import jobs


@click.command(epilog=examples("sync orders --dry-run", "sync all --account acme-eu --json"))
@click.argument("job", type=JobChoice([*jobs.NAMES, "all"]))
@account_option
@click.option("--dry-run", is_flag=True, help="Say what would be done; change and store nothing.")
@json_option
@click.pass_context
def sync(
    ctx: click.Context, job: str, account: str | None, *, dry_run: bool, as_json: bool
) -> None:
    """Run one job, or all, now.

    The daemon of this configuration does it, if it is running.
    """
    from amazon_bridge.cli import sync_actions  # noqa: PLC0415 (slow)

    sync_actions.sync(ctx, job, account, dry_run=dry_run, as_json=as_json)
