"""What happens in a round of the daemon, and when a side is down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial

import structlog

from amazon_bridge.app import ODOO, SWEEP, App
from amazon_bridge.config import AccountConfig
from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import BridgeError, Stopped
from amazon_bridge.engine.runner import Counts
from amazon_bridge.service.board import Board, Key
from amazon_bridge.service.metrics import Tallies
from amazon_bridge.service.sides import Sides
from amazon_bridge.service.timetable import Timetable

log = structlog.get_logger(__name__)


class Rounds:
    """Runs rounds, and keeps account of how they go."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.app: App
        """May be replaced at any time; a round that runs goes on with the one it began with."""
        self.timetable = Timetable(clock)
        self.board = Board(clock)
        self.sides = Sides(clock)
        self.tallies = Tallies()
        self.stopping = threading.Event()
        self._turns: dict[Key, threading.Lock] = {}

    def watch(self, side: str, operation: str, error: BridgeError | None, seconds: float) -> None:
        """Is told of each call to a side."""
        self.sides.note_call(side, error)
        self.tallies.count_call(side, operation, error, seconds)
        self.board.note_progress()

    def pause(self, seconds: float) -> None:
        """What rounds sleep with.

        Raises:
            Stopped: the daemon is to stop.
        """
        if self.stopping.wait(seconds):
            raise Stopped
        self.board.note_progress()

    def run(self, name: str, job: str) -> None:
        """One round, as scheduled; none while a side is down, for then it could only fail."""
        with self._turn(name, job):
            if not self.stopping.is_set() and self.sides.are_up(ODOO, name):
                self._round(name, job)

    def run_now(self, name: str, job: str) -> Counts | None:
        """One round that somebody waits for, after the one that may be running.

        A side that is down is asked at once. None: the round was stopped, or never begun.
        """
        with self._turn(name, job):
            reason = self._still_down(ODOO) or self._still_down(name)
            if self.stopping.is_set():
                return None
            return Counts(error=reason) if reason else self._round(name, job)

    def _turn(self, name: str, job: str) -> threading.Lock:
        """Held by the one round of an (account, job); those of other processes have files."""
        return self._turns.setdefault((name, job), threading.Lock())

    def _still_down(self, side: str) -> str | None:
        self.ask(side)
        if self.sides.are_up(side):
            return None
        return self.sides[side].failure or f"{side} is down."

    def _round(self, name: str, job: str) -> Counts | None:
        app = self.app
        account = next((each for each in app.config.accounts if each.name == name), None)
        if account is None:  # the configuration has changed while the round stood in line
            return Counts(error=f"The configuration has no account {name!r} any more.")
        counts = self._account_for(app, account, job, partial(app.sync, account, job))
        if counts is not None and self.sides.are_up(ODOO, name) and app.is_sweep_due(account, job):
            self._account_for(app, account, SWEEP, partial(app.sweep, account))
        return counts

    def ask(self, side: str) -> None:
        """Ask a side that is down; when it answers, make up for the rounds that were held."""
        if self.stopping.is_set() or self.sides.are_up(side):
            return
        with suppress(BridgeError, Stopped):
            self._question(side)
        if self.sides.was_asked(side):
            self.timetable.run_soon(None if side == ODOO else side)
        else:
            self._ask_later(side)

    def _question(self, side: str) -> None:
        if side == ODOO:
            self.app.log_in_again()
            self.app.odoo.ping()
        else:
            self.app.amazon(self.app.config.account(side)).marketplace_participations()

    def _ask_later(self, side: str) -> None:
        self.timetable.once(self._clock() + self.sides[side].pause, self.ask, side)

    def _account_for(
        self, app: App, account: AccountConfig, job: str, work: Callable[[], Counts]
    ) -> Counts | None:
        key = account.name, job
        self.board.begin(key)
        begun = time.monotonic()
        counts = _counts_of(key, work)
        self.board.end(key, counts)
        if counts is None:
            return None
        self.tallies.count_round(key, counts, time.monotonic() - begun)
        if counts.error:
            app.look_again(account)
            for side in (ODOO, account.name):
                if self.sides.went_down(side):
                    self._ask_later(side)
        return counts


def _counts_of(key: Key, work: Callable[[], Counts]) -> Counts | None:
    """What a round did; None when it was stopped halfway. Nothing may end the schedule."""
    try:
        return work()
    except Stopped:
        log.info("round_stopped", account=key[0], job=key[1])
        return None
    except BridgeError as error:
        return Counts(error=str(error))
    except Exception as error:  # noqa: BLE001 (a bug of ours costs this round, not all others)
        return Counts(error=str(runner.bug(error)))
