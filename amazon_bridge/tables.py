"""Tables on the terminal. Texts of Amazon and Odoo are shown as they are, never as markup."""

from __future__ import annotations

import sys
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from amazon_bridge.terminal import plain

_WIDE = 160
"""Columns of a table that goes to a file or another program."""


def console(stream: IO[str] | None = None) -> Console:
    """A console that takes no text for markup, nor ``:name:`` for an emoji."""
    is_terminal = (stream or sys.stdout).isatty()
    width = None if is_terminal else _WIDE
    return Console(
        file=stream, markup=False, emoji=False, highlight=False, soft_wrap=True, width=width
    )


def add_row(table: Table, *cells: str) -> None:
    """Add a row of texts to a table."""
    table.add_row(*(Text(plain(cell)) for cell in cells))
