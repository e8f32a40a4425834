"""``anonymise``: remove buyers' data from Odoo."""

from __future__ import annotations

import json
from datetime import timedelta

import click

from amazon_bridge.cli.commands import examples
from amazon_bridge.cli.common import json_option, opened
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.terminal import say

_MOST_KEPT = 20


def _retention(_: click.Context, __: click.Parameter, text: str | None) -> timedelta | None:
    if not text:
        return None
    from amazon_bridge import config  # noqa: PLC0415 (slow)

    try:
        return config.retention(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(epilog=examples("anonymise --dry-run", "anonymise --after 30d"))
@click.option(
    "--after",
    metavar="INTERVAL",
    callback=_retention,
    help="Minimum time since a buyer's last goods left, such as 30d. Default: `retention.buyers`.",
)
@click.option("--dry-run", is_flag=True, help="Say who would be anonymised; change nothing.")
@json_option
@click.pass_context
def anonymise(ctx: click.Context, after: timedelta | None, *, dry_run: bool, as_json: bool) -> None:
    """Anonymise buyers in Odoo whose data is no longer needed."""
    with opened(ctx) as bridge:
        after = after or bridge.config.retention.buyers
        if after is None:
            raise ConfigError(
                "No retention of buyers' data is set.",
                "Set `retention.buyers` in the configuration file, or give `--after 30d`.",
            )
        result = bridge.housekeeping.anonymise(after, dry_run=dry_run)
    if as_json:
        kept = [{"customer": id_, "reason": why} for id_, why in result.kept.items()]
        click.echo(json.dumps({"anonymised": result.anonymised, "kept": kept}))
        return
    say(f"Customers {'to be ' if dry_run else ''}anonymised: {result.anonymised}.")
    _show_kept(result.kept)


def _show_kept(kept: dict[int, str]) -> None:
    """Say why customers' data is still needed, by their database id."""
    if kept:
        say(f"Kept, because their data is still needed: {len(kept)}")
    for id_, reason in list(kept.items())[:_MOST_KEPT]:
        say(f"  customer {id_}: {reason}")
    if len(kept) > _MOST_KEPT:
        say("  See all: amazon-bridge anonymise --dry-run --json")
