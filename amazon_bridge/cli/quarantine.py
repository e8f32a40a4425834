"""``quarantine``: list quarantined items, and retry them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from amazon_bridge.cli.commands import ITEMS_FAILED, examples
from amazon_bridge.cli.common import json_option, opened, timestamp
from amazon_bridge.cli.completion import quarantined_items
from amazon_bridge.closest import did_you_mean
from amazon_bridge.terminal import say, say_linked

if TYPE_CHECKING:
    from amazon_bridge.engine.records import Entry


@click.group()
def quarantine() -> None:
    """Quarantined items: list and retry."""


@quarantine.command("list", epilog=examples("quarantine list", "quarantine list --json"))
@json_option
@click.pass_context
def list_(ctx: click.Context, *, as_json: bool) -> None:
    """List quarantined items."""
    from amazon_bridge.flows import links as of  # noqa: PLC0415 (slow)

    with opened(ctx) as bridge:
        of_config = of.Links(bridge.config, bridge.ledger)
        entries = [(entry, of_config.of(entry)) for entry in bridge.ledger.items.quarantined()]
    if as_json:
        click.echo(json.dumps([_json(entry) | of.as_json(links) for entry, links in entries]))
        return
    for entry, links in entries:
        title = f"{entry.display_key} {entry.account}, {entry.job}: {entry.kind}"
        say_linked(title, [(link.title, link.url) for link in links])
        say(f"  {entry.reason}")
        if entry.remedy:
            say(f"  → {entry.remedy}")
    say(f"{len(entries)} quarantined." if entries else "Nothing is quarantined.")


def names_of(entries: Iterable[Entry]) -> list[str]:
    """The names by which people may mean quarantined items."""
    named = [(entry.display_key, entry.key, entry.key.partition("#")[0]) for entry in entries]
    return list(dict.fromkeys(name for names in named for name in names))


def _json(entry: Entry) -> dict[str, Any]:
    fields = {"key", "account", "job", "kind", "reason", "remedy", "attempts"}
    values = {name: value for name, value in asdict(entry).items() if name in fields}
    moments = {
        "first_seen": timestamp(entry.first_seen),
        "last_tried": timestamp(entry.last_tried),
    }
    return values | moments | {"key": entry.display_key}


@quarantine.command(
    epilog=examples("quarantine retry 404-1234567-1234567", "quarantine retry --all")
)
@click.argument("key", required=False, shell_complete=quarantined_items)
@click.option("--all", "everything", is_flag=True, help="All quarantined items.")
@click.pass_context
def retry(ctx: click.Context, key: str | None, *, everything: bool) -> None:
    """Retry an item (KEY), or all, in the next run."""
    if bool(key) == everything:
        raise click.UsageError("Name one KEY, or --all.")
    with opened(ctx) as bridge:
        number = bridge.ledger.items.retry(key)
        names = [] if number else names_of(bridge.ledger.items.quarantined())
    if key and not number:
        meant = did_you_mean(key, names)
        say(f"{key} is not in the quarantine.{meant} To see what is: amazon-bridge quarantine list")
        ctx.exit(ITEMS_FAILED)
    say(f"{number} to be retried in the next run (amazon-bridge sync all).")
