"""The group of all commands: loads them when they are used, and reports errors."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from typing import Any

import click

from amazon_bridge.closest import did_you_mean
from amazon_bridge.engine.errors import (
    AccountError,
    BridgeError,
    ConfigError,
    RateLimited,
    Transient,
)
from amazon_bridge.terminal import say

DONE, ITEMS_FAILED, WRONG_USAGE, OUT_OF_REACH = range(4)
"""Exit codes."""


class Commands(click.Group):
    """Commands that are imported on first use.

    The bridge's own errors become a message and an exit code, never a traceback.

    Args:
        entry_points: by name, a command's ``package.module:attribute`` and its one-line help,
            which is all that the group's help shows.
    """

    def __init__(
        self, *args: Any, entry_points: Mapping[str, tuple[str, str]], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.entry_points = entry_points

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's interface)
        return sorted(self.entry_points)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self.entry_points:
            return None
        entry_point, _ = self.entry_points[cmd_name]
        command: click.Command = pkgutil.resolve_name(entry_point)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in self.entry_points or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        meant = did_you_mean(name, self.entry_points)
        raise click.UsageError(f"No such command {name!r}.{meant}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self.entry_points[name][1]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            _complain(error)
            ctx.exit(WRONG_USAGE)
        except (AccountError, Transient, RateLimited) as error:
            _complain(error)
            ctx.exit(OUT_OF_REACH)
        except BridgeError as error:
            _complain(error)
            ctx.exit(ITEMS_FAILED)


def examples(*commands: str) -> str:
    """The end of a command's help: commands as people type them, one a line."""
    return "\n".join(["\b", "Examples:", *(f"  amazon-bridge {each}" for each in commands)])


def _complain(error: BridgeError) -> None:
    for line in f"amazon-bridge: {error}".splitlines():
        say(line, err=True)
    for problem in getattr(error, "problems", ()):
        say(f"  {problem}", err=True)
