"""What happens in a run of the daemon, when a side is down, and when a job fails by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from amazon_bridge.app import ODOO, SWEEP, App
from amazon_bridge.config import AccountConfig
from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import BridgeError, ConfigError, Stopped, Transient
from amazon_bridge.engine.runner import Counts
from amazon_bridge.service.backoff import Backoff
from amazon_bridge.service.board import Board, Key
from amazon_bridge.service.metrics import Tallies
from amazon_bridge.service.sides import Sides
from amazon_bridge.service.timetable import Timetable

log = structlog.get_logger(__name__)


class Rounds:
    """Runs rounds, and keeps account of how they go."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self.app: App
        """May be replaced at any time; a round that runs goes on with the one it began with."""
        self.timetable = Timetable(clock)
        self.board = Board(clock)
        self.sides = Sides(clock)
        self.backoff = Backoff(monotonic)
        self.tallies = Tallies()
        self.stopping = threading.Event()
        self._turns: dict[Key, threading.Lock] = {}
        self._missed: set[Key] = set()
        """The jobs of which a run was left out, or failed, because a side is down."""
        self._run = _Run()

    def watch(self, side: str, operation: str, error: BridgeError | None, seconds: float) -> None:
        """Is told of each call to a side."""
        self.sides.note_call(side, error)
        self._run.note_call(side, operation, error)
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
        """One run, as scheduled; none while a side is down, for then it could only fail.

        Nor while the job pauses because it failed although both sides were up.
        """
        key = name, job
        with self._turn(name, job):
            if self.stopping.is_set() or self.backoff.is_held(key):
                return
            if self.sides.are_up(ODOO, name):
                self._round(name, job)
            else:
                self._missed.add(key)

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
        """Ask a side that is down; when it answers, make up for the runs that were held."""
        if self.stopping.is_set() or self.sides.are_up(side):
            return
        if side == ODOO:
            self.app.log_in_again()
        if self.sides.was_asked(side, answered=self._answers(side)):
            self._make_up(side)
        else:
            self._ask_later(side)

    def _answers(self, side: str) -> bool:
        """Whether a side answers a small question, be it by a refusal."""
        try:
            if side == ODOO:
                self.app.odoo.ping()
            else:
                self.app.amazon(self.app.config.account(side)).marketplace_participations()
        except (Transient, Stopped):
            return False
        except BridgeError:
            return True
        return True

    def _make_up(self, side: str) -> None:
        """Run what was left out or failed while the side was down; all else is up to date."""
        due = {key for key in self._missed if side in (ODOO, key[0])}
        self._missed -= due
        for key in due:
            self.backoff.release(key)
        self.timetable.run_soon(due)

    def _ask_later(self, side: str) -> None:
        self.timetable.once(self._clock() + self.sides[side].pause, self.ask, side)

    def clock_was_set(self, by: timedelta) -> None:
        """Shift all moments that are compared with the clock, and plan anew what waits for one."""
        self.board.shift(by)
        self.sides.shift(by)
        for side in self.sides.down():
            self._ask_later(side)
        for key, pause in self.backoff.remaining().items():
            self._run_later(key, pause)

    def _run_later(self, key: Key, pause: timedelta) -> None:
        self.timetable.once(self._clock() + pause, self.run, *key)

    def _judge_failure(self, key: Key) -> None:
        """After a run that failed: a side is down if it doesn't answer a small question either.

        If it does, one operation of it is out of order: only the job that needs it pauses.
        """
        name, _ = key
        failing = [side for side in (ODOO, name) if side in self._run.failing_sides]
        down = [side for side in failing if self._is_down(side)]
        if down:
            self._missed.add(key)
        elif failing:
            pause = self.backoff.hold(key)
            self._run_later(key, pause)
            account, job = key
            seconds = round(pause.total_seconds())
            log.warning("job_paused", account=account, job=job, seconds=seconds)

    def _is_down(self, side: str) -> bool:
        if not self.sides.are_up(side):
            return True
        if self._answers(side):
            return False
        if self.sides.went_down(side):
            self._ask_later(side)
        return not self.sides.are_up(side)

    def _account_for(
        self, app: App, account: AccountConfig, job: str, work: Callable[[], Counts]
    ) -> Counts | None:
        key = account.name, job
        self.board.begin(key)
        self._run.begin()
        begun = time.monotonic()
        counts, refused = _counts_of(key, work)
        self.board.end(key, counts, refused=refused)
        if counts is None:
            return None
        self.tallies.count_round(key, counts, time.monotonic() - begun)
        if counts.error:
            app.look_again(account)
            self._judge_failure(key)
        else:
            self.backoff.release(key)
        return counts


class _Run(threading.local):
    """The calls of the run in this thread: which operations got no answer when last called."""

    def __init__(self) -> None:
        self._failing: set[tuple[str, str]] = set()

    def begin(self) -> None:
        self._failing = set()

    def note_call(self, side: str, operation: str, error: BridgeError | None) -> None:
        if isinstance(error, Transient):
            self._failing.add((side, operation))
        else:
            self._failing.discard((side, operation))

    @property
    def failing_sides(self) -> set[str]:
        return {side for side, _ in self._failing}


def _counts_of(key: Key, work: Callable[[], Counts]) -> tuple[Counts | None, bool]:
    """What a run did, and whether the configuration kept it from working.

    None when it was stopped halfway. Nothing may end the schedule.
    """
    try:
        return work(), False
    except Stopped:
        log.info("run_stopped", account=key[0], job=key[1])
        return None, False
    except BridgeError as error:
        return Counts(error=str(error)), isinstance(error, ConfigError)
    except Exception as error:  # noqa: BLE001 (a bug of ours costs this round, not all others)
        return Counts(error=str(runner.internal_error(error))), False
