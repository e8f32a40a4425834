"""``quarantine``: list quarantined items, and retry them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from amazon_bridge.cli.commands import ITEMS_FAILED, examples
from amazon_bridge.cli.common import account_option, json_option, opened, timestamp
from amazon_bridge.cli.completion import quarantined_items
from amazon_bridge.closest import did_you_mean
from amazon_bridge.terminal import say, say_linked

if TYPE_CHECKING:
    from amazon_bridge.engine.records import Entry


@click.group()
def quarantine() -> None:
    """List and retry quarantined items."""


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
    epilog=examples(
        "quarantine retry 404-1234567-1234567",
        "quarantine retry --all --account acme-eu --kind odoo_refused",
        "quarantine retry --all",
    )
)
@click.argument("key", required=False, shell_complete=quarantined_items)
@click.option("--all", "everything", is_flag=True, help="All quarantined items.")
@account_option
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind. May be repeated."
)
@click.pass_context
def retry(
    ctx: click.Context,
    key: str | None,
    *,
    everything: bool,
    account: str | None,
    kinds: Sequence[str],
) -> None:
    """Retry an item (KEY), or all, in the next run. What a brake holds is released."""
    if bool(key) == everything:
        raise click.UsageError("Name one KEY, or --all.")
    with opened(ctx) as bridge:
        bridge.accounts(account)
        found = [e for e in bridge.ledger.items.quarantined() if account in {None, e.account}]
        chosen = kinds or (_without_held(found) if everything else None)
        number = bridge.ledger.items.retry(key, account=account, kinds=chosen)
    keeps_all = chosen == set()  # a brake holds all, and the person said no
    if not number and not keeps_all and (key or account or kinds):
        say(f"{_nothing_matches(key, kinds, found)} To see what is: amazon-bridge quarantine list")
        ctx.exit(ITEMS_FAILED)
    items = "1 item" if number == 1 else f"{number} items"
    say(f"{items} will be retried in the next run (to run now: amazon-bridge sync all).")


def _without_held(entries: Iterable[Entry]) -> Collection[str] | None:
    """Ask on a terminal whether to release what a brake holds; return the other kinds if not."""
    from amazon_bridge.cli.prompts import confirmed  # noqa: PLC0415 (slow)
    from amazon_bridge.engine.records import HELD  # noqa: PLC0415 (slow)

    kinds = Counter(entry.kind or "" for entry in entries)
    if not kinds[HELD] or not sys.stdin.isatty():
        return None
    released = confirmed(f"A brake holds {kinds[HELD]} of them. Send these to Amazon, too?")
    return None if released else kinds.keys() - {HELD}


def _nothing_matches(key: str | None, kinds: Sequence[str], found: Collection[Entry]) -> str:
    if key and not kinds:
        return f"{key} is not in the quarantine.{did_you_mean(key, names_of(found))}"
    if key:
        return f"{key} is not in the quarantine with this kind."
    meant = did_you_mean(kinds[0], {entry.kind or "" for entry in found}) if kinds else ""
    return f"Nothing in the quarantine matches.{meant}"
