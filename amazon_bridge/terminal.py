"""What people read on the terminal.

Texts of Amazon and Odoo (SKUs, names, reasons) are in nearly every line. They are shown as they
are: never as markup, and without characters that move the cursor or change colours.
"""

from __future__ import annotations

import sys
import unicodedata
from typing import IO

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDE = 160
"""Columns of a table that goes to a file or another program."""


def console(stream: IO[str] | None = None) -> Console:
    """A console that takes no text for markup, nor ``:name:`` for an emoji."""
    is_terminal = (stream or sys.stdout).isatty()
    width = None if is_terminal else _WIDE
    return Console(
        file=stream, markup=False, emoji=False, highlight=False, soft_wrap=True, width=width
    )


def say(text: str, *, err: bool = False) -> None:
    """Print one line on stdout, or on stderr."""
    click.echo(plain(text), err=err)


def say_marked(mark: str, colour: str, text: str) -> None:
    """Print a line that begins with a coloured word of ours."""
    click.echo(f"  {click.style(mark, fg=colour)} {plain(text)}")


def add_row(table: Table, *cells: str) -> None:
    """Add a row of texts to a table."""
    table.add_row(*(Text(plain(cell)) for cell in cells))


def plain(text: str) -> str:
    """The text in one line, without control characters and hidden changes of direction."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if category == "Cs" or character in _DIRECTION else character


_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
