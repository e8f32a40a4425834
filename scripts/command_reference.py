"""Write the help of every command into docs/commands.md, below what people wrote there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from amazon_bridge.cli import main

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
_WIDTH = 95


def page() -> str:
    """Return the page as it should be."""
    by_people, _, _ = PAGE.read_text(encoding="utf-8").partition("## amazon-bridge\n")
    root = click.Context(
        main, info_name="amazon-bridge", terminal_width=_WIDTH, **main.context_settings
    )
    return by_people + "\n".join(_sections(root, level=2))


def _sections(context: click.Context, level: int) -> Iterator[str]:
    help_text = context.command.get_help(context)
    yield f"{'#' * level} {context.command_path}\n\n```text\n{help_text}\n```\n"
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command and not command.hidden:
                child = click.Context(command, context, name, terminal_width=_WIDTH)
                yield from _sections(child, min(level + 1, 3))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
