"""``config``: check the configuration file, or learn what it may hold."""

from __future__ import annotations

import json
import os
from importlib import resources

import click

from amazon_bridge import config_file
from amazon_bridge.cli.commands import examples
from amazon_bridge.terminal import counted, say


@click.group()
def config() -> None:
    """Check the configuration file; print its schema or a sample."""


@config.command(
    epilog=examples("config validate", "--config /etc/amazon-bridge/bridge.yaml config validate")
)
@click.pass_context
def validate(ctx: click.Context) -> None:
    """Check the file, and report all that is wrong with it."""
    from amazon_bridge import config  # noqa: PLC0415 (slow; `example` needs none of it)

    path = config_file.find(ctx.find_root().obj, os.environ)
    accounts = config.load(path, os.environ).accounts
    names = ", ".join(account.name for account in accounts)
    say(f"{path} is valid ({counted(len(accounts), 'account')}: {names}).")


@config.command(epilog=examples("config schema > bridge.schema.json"))
def schema() -> None:
    """Print the file's JSON schema, for editors."""
    from amazon_bridge import config  # noqa: PLC0415 (slow; `example` needs none of it)

    click.echo(json.dumps(config.schema(), indent=2))


@config.command(epilog=examples("config example > config/bridge.yaml"))
def example() -> None:
    """Print a commented sample to begin with."""
    sample = resources.files("amazon_bridge") / "config" / "bridge.example.yaml"
    click.echo(sample.read_text(encoding="utf-8"), nl=False)
