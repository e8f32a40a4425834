"""Lines on the terminal.

Texts of Amazon and Odoo (SKUs, names, reasons) are in nearly every line. They are shown without
characters that move the cursor or change colours.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime

import click


def say(text: str, *, err: bool = False) -> None:
    """Print one line on stdout, or on stderr."""
    click.echo(plain(text), err=err)


def say_linked(text: str, links: Sequence[tuple[str, str]]) -> None:
    """Print one line on stdout, and pairs of title and address as hyperlinks on a terminal.

    Output that goes to a file or another program has none: ``--json`` has them.
    """
    is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    shown = [_hyperlink(title, url) for title, url in links if is_terminal]
    click.echo("  ".join([plain(text), *shown]))


def _hyperlink(title: str, url: str) -> str:
    """OSC 8, which terminals that don't know it leave out."""
    return f"\x1b]8;;{plain(url)}\x1b\\{plain(title)}\x1b]8;;\x1b\\"


def say_marked(mark: str, colour: str, text: str) -> None:
    """Print a line that begins with a coloured word of ours."""
    click.echo(f"  {click.style(mark, fg=colour)} {plain(text)}")


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as ``1 order`` or ``3 orders``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def plain(text: str) -> str:
    """The text in one line, without control characters and hidden changes of direction."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if category == "Cs" or character in _DIRECTION else character


_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def timestamp(at: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
