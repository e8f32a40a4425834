"""What several commands use: options, the loaded configuration, the opened App, timestamps.

Modules of commands are imported while somebody types (completion), so this one imports the App and
the configuration, which take a second, only when a command runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amazon_bridge import config_file, terminal
from amazon_bridge.cli.commands import DONE, ITEMS_FAILED, OUT_OF_REACH
from amazon_bridge.cli.completion import account_names
from amazon_bridge.closest import did_you_mean
from amazon_bridge.terminal import say

if TYPE_CHECKING:
    from amazon_bridge.app import App
    from amazon_bridge.config import Config
    from amazon_bridge.engine.counts import Counts

account_option = click.option(
    "--account", metavar="NAME", help="Only this account.", shell_complete=account_names
)
account_argument = click.argument("account", shell_complete=account_names)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class JobChoice(click.Choice[str]):
    """The name of a job."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            message = error.message + did_you_mean(str(value), self.choices)
            raise click.BadParameter(message, ctx=error.ctx, param=error.param) from None


def config_path(ctx: click.Context) -> Path:
    """The configuration file.

    Raises:
        ConfigError: there is none.
    """
    return config_file.find(ctx.find_root().obj, os.environ)


def load(ctx: click.Context) -> Config:
    """Load the configuration, and log as it says."""
    from amazon_bridge import config, log  # noqa: PLC0415 (slow)

    loaded = config.load(config_path(ctx), os.environ)
    log.configure(loaded.log.level, loaded.log.format, modules=loaded.log.modules)
    log.hide(loaded.secrets())
    return loaded


@contextmanager
def opened(ctx: click.Context) -> Iterator[App]:
    """The bridge of the configuration."""
    from amazon_bridge import app  # noqa: PLC0415 (slow)

    with app.opened(load(ctx), show=say) as bridge:
        yield bridge


def exit_code(counts: Sequence[Counts]) -> int:
    """The exit code after these sync runs."""
    if any(each.error for each in counts):
        return OUT_OF_REACH
    return ITEMS_FAILED if any(each.quarantined for each in counts) else DONE


def parse_timestamp(text: str) -> datetime:
    """Parse a timestamp with time zone into UTC, as the configuration does."""
    from amazon_bridge.config.values import instant  # noqa: PLC0415 (slow)

    try:
        return instant(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} {error}") from None


def timestamp(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second."""
    return terminal.timestamp(at) if at else None
