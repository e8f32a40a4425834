"""The lines of the demonstration, each with the seconds since its start."""

from __future__ import annotations

import time

from rich.table import Table

from amazon_bridge.tables import console
from amazon_bridge.terminal import say

_MARGIN = " " * 9


class Timeline:
    """Prints headings, lines and tables."""

    def __init__(self) -> None:
        self._console = console()
        self._start = time.monotonic()

    def part(self, title: str) -> None:
        """Begin a part of the scenario."""
        self._console.rule(title)

    def say(self, text: str) -> None:
        """Print what just happened, and when."""
        say(f"[{time.monotonic() - self._start:4.0f} s] {text}")

    def add(self, text: str) -> None:
        """Print a line that belongs to the one before."""
        say(_MARGIN + text)

    def show(self, table: Table) -> None:
        """Print a table."""
        self._console.print(table)
