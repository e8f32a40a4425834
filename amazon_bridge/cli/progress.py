"""Bars on a terminal, for the back-logs that ``sync`` waits for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.flows.orders.backlog import duration
from amazon_bridge.tables import console

Refresh = Callable[[], None]


@contextmanager
def backlog_bars(
    ledger: Ledger, clock: Callable[[], datetime], accounts: Sequence[str]
) -> Iterator[Refresh]:
    """Show how far the back-logs of accounts have come, on stderr if it is a terminal.

    Yields:
        What brings the bars up to date.
    """
    if not sys.stderr.isatty():
        yield lambda: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=console(sys.stderr), transient=True) as progress:
        bars = _Bars(progress, ledger, clock, accounts)
        bars.refresh()
        yield bars.refresh


class _Bars:
    def __init__(
        self,
        progress: Progress,
        ledger: Ledger,
        clock: Callable[[], datetime],
        accounts: Sequence[str],
    ) -> None:
        self._progress, self._ledger, self._clock = progress, ledger, clock
        self._accounts = accounts
        self._bars: dict[str, TaskID] = {}

    def refresh(self) -> None:
        for account in self._accounts:
            self._show(account)

    def _show(self, account: str) -> None:
        backlog = self._ledger.lanes.backlog(account)
        if backlog is None:
            if account in self._bars:
                self._progress.update(self._bars.pop(account), completed=1, left="done")
            return
        if account not in self._bars:
            text = f"{account}: changes from {backlog.begins:%Y-%m-%d} to {backlog.ends:%Y-%m-%d}"
            self._bars[account] = self._progress.add_task(text, total=1, left="")
        estimate = backlog.estimate(self._clock())
        left = f"about {duration(estimate)} left" if estimate else "at Amazon's rate"
        self._progress.update(
            self._bars[account], completed=backlog.share, left=f"{backlog.share:.0%}, {left}"
        )
