"""``amazon-bridge run``: the process, its signals, its start and its end."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import NoReturn

import structlog
from werkzeug.wrappers import Response

from amazon_bridge import __version__
from amazon_bridge.app import App, utc_now
from amazon_bridge.config import Config
from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import AccountError, BridgeError, ConfigError
from amazon_bridge.engine.records import State
from amazon_bridge.engine.runner import internal_error
from amazon_bridge.service import alerts, forgetting, health, page, systemd, web
from amazon_bridge.service.asked import Asked
from amazon_bridge.service.metrics import Gauges
from amazon_bridge.service.rounds import Rounds
from amazon_bridge.service.timetable import entries

log = structlog.get_logger(__name__)

_SIGNALS = {
    signal.SIGTERM: "stop",
    signal.SIGINT: "stop",
    signal.SIGHUP: "reload",
    signal.SIGUSR1: "sync",
}
_TICK = 1.0  # seconds
_LEAVE = 8.0
"""Seconds for rounds to end before the process does; what is cut off then is made up for."""

_LAST_CALLS = 1.0
"""Seconds for alerts to be sent at the end."""

_JUMP = 5.0
"""Seconds by which the clock must be set at once to be worth a new timetable."""


def run(load: Callable[[], Config], clock: Callable[[], datetime] = utc_now) -> None:
    """Work the configuration's accounts on their schedules, until SIGTERM or SIGINT.

    Then the process ends, with exit code 0.

    Args:
        load: reads the configuration, now and at each SIGHUP.
        clock: tells the time in UTC.

    Raises:
        ConfigError: the configuration is wrong, or the state store or the address can't be used.
        AccountError: a daemon works with this state store already.
    """
    events: SimpleQueue[str] = SimpleQueue()
    with _signals_to(events), ExitStack() as stack:
        config = load()
        stack.enter_context(_alone(config))
        daemon = Daemon(load, config, clock)
        daemon.start()
        daemon.attend(events)
        daemon.stop()


@contextmanager
def _signals_to(events: SimpleQueue[str]) -> Iterator[None]:
    before = {
        number: signal.signal(number, lambda *_, event=event: events.put(event))
        for number, event in _SIGNALS.items()
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _alone(config: Config) -> Iterator[None]:
    try:
        held = lock.held(config.state, *DAEMON_LOCK)
        held.__enter__()
    except AccountError:
        raise AccountError(
            f"A daemon works with the state store {config.state} already.",
            "Stop that one first, or give this one another `state`.",
        ) from None
    try:
        yield
    finally:
        held.__exit__(None, None, None)


DAEMON_LOCK = "the", "daemon"
"""Names its lock file, where those of rounds have an account and a job."""


class Daemon:
    """One process: the rounds, the listener, and what surrounds them."""

    def __init__(
        self, load: Callable[[], Config], config: Config, clock: Callable[[], datetime]
    ) -> None:
        self._load = load
        self._clock = clock
        self._pulse = health.Pulse()
        self._offset = _clock_offset()
        self.rounds = Rounds(clock)
        self.rounds.tallies.registry.register(Gauges(self.rounds, clock))
        self._asked = Asked(self.rounds)
        self._website: web.Website | None = None
        self._listener: web.Listener | None = None
        self._forgetting = forgetting.Forgetting(self.rounds)
        self._alerts: alerts.Alerts
        self._refusal: str | None = None
        """Why the last SIGHUP's configuration was not adopted."""
        self._adopt(config)

    def start(self) -> None:
        self._pulse.beat()
        self.rounds.timetable.start()
        self._plan()
        self._alerts.start()
        log.info("daemon_started", version=__version__, accounts=self._accounts)
        systemd.notify(READY=1, STATUS="Starting the first rounds")

    def attend(self, events: SimpleQueue[str]) -> None:
        """Do what signals ask for, and watch over the rest, until one asks to stop."""
        while True:
            try:
                event = events.get(timeout=_TICK)
            except Empty:
                event = "tick"
            match event:
                case "stop":
                    return
                case "reload":
                    self._reload()
                case "sync":
                    log.info("sync_requested")
                    self.rounds.timetable.run_soon()
            self._watch_over()

    def stop(self) -> None:
        """Let the batches in hand be finished; cut off what takes longer."""
        log.info("daemon_stopping", runs=self.rounds.board.running)
        systemd.notify(STOPPING=1, STATUS="Finishing the batches in hand")
        self.rounds.stopping.set()
        self.rounds.timetable.stop()
        ended = self.rounds.board.wait_until_idle(_LEAVE)
        if self._listener:
            self._listener.close()
        self._alerts.close(_LAST_CALLS)
        log.info("daemon_stopped", runs_interrupted=self.rounds.board.running)
        if ended:
            self.rounds.app.close()
        _leave()

    # The configuration

    @property
    def _accounts(self) -> int:
        return len(self.rounds.app.config.accounts)

    def _adopt(self, config: Config) -> None:
        """Work with this configuration from now on, or, when it raises, with the one before."""
        before = getattr(self.rounds, "app", None)
        if before and before.config.state != config.state:
            raise ConfigError("`state` can't change while the daemon runs.", "Restart it.")
        app = App(
            config,
            clock=self._clock,
            sleep=self.rounds.pause,
            throttle=before.throttle if before else None,
            watch=self.rounds.watch,
        )
        with ExitStack() as undo:
            undo.callback(app.close)
            calls = alerts.Alerts(config.alerts, self.rounds, app)
            undo.callback(calls.close)
            self._listen(config)
            undo.pop_all()
        self.rounds.app = app
        if before:
            self._alerts.close()
        self._alerts = calls
        self.rounds.board.remember(app.ledger.runs.latest())

    def _listen(self, config: Config) -> None:
        if config.http and self._website and config.http.listen == self._website.config.listen:
            self._website.config = config.http  # the token may be another one
            return
        website = None
        if config.http:
            website = web.Website(self._pages(), config.http, {"/sync": self._asked.take})
        if config.http and self._listener and self._listener.port == config.http.port:
            self._listener.close()  # it would be in the new one's way
            self._listener, self._website = self._reopened(website), website
            return
        listener = web.Listener(website) if website else None
        if self._listener:
            self._listener.close()
        self._website, self._listener = website, listener

    def _reopened(self, website: web.Website | None) -> web.Listener | None:
        """The listener of a website on the port of the one before, which is closed.

        Raises:
            ConfigError: the new address can't be listened on; the old one is again, if possible.
        """
        try:
            return web.Listener(website) if website else None
        except ConfigError:
            before, self._website, self._listener = self._website, None, None
            if before:
                self._listener = web.Listener(before)
                self._website = before
            raise

    def _reload(self) -> None:
        systemd.notify_reloading()
        self._refusal = None
        try:
            self._adopt(self._load())
        except BridgeError as error:
            self._refuse(error)
        except Exception as error:  # noqa: BLE001  a bug costs this reload, not the daemon
            self._refuse(internal_error(error))
        else:
            self.rounds.sides.forget()
            self._plan()
            log.info("configuration_reloaded", accounts=self._accounts)
        systemd.notify(READY=1)

    def _refuse(self, error: BridgeError) -> None:
        """Go on with the configuration before, and say why."""
        problems = getattr(error, "problems", ())
        log.error("configuration_refused", reason=str(error), problems=problems)
        self._refusal = "; ".join((str(error), *problems))

    def _plan(self) -> None:
        rounds = self.rounds
        rounds.timetable.plan(entries(rounds.app.config), rounds.board, rounds.run)
        rounds.timetable.every(health.BEAT, self._beat)
        rounds.timetable.every(alerts.TICK, self._call_for_help)
        rounds.timetable.every(alerts.PING, self._ping)
        rounds.timetable.every(forgetting.TICK, self._forgetting.forget)

    # Watching over it

    def _beat(self) -> None:
        self._pulse.beat()
        with suppress(BridgeError):  # of the state store: the rounds tell of it
            systemd.notify(STATUS=self._status())

    def _status(self) -> str:
        open_items = self.rounds.app.ledger.items.open_counts()
        aside = sum(n for (_, _, state), n in open_items.items() if state == State.QUARANTINED)
        hindrances = health.hindrances(self.rounds, self._clock())
        counts = f"accounts {self._accounts}, rounds {self.rounds.board.running}, put aside {aside}"
        refusal = [f"configuration refused: {self._refusal}"] if self._refusal else []
        return f"{counts}; {next(iter(refusal + hindrances), 'all is well')}"

    def _call_for_help(self) -> None:
        with suppress(BridgeError):
            self._alerts.look(self._clock())

    def _ping(self) -> None:
        self._alerts.ping(self._clock())

    def _watch_over(self) -> None:
        offset = _clock_offset()
        if abs(offset - self._offset) > _JUMP:
            by = offset - self._offset
            log.warning("clock_jumped", seconds=round(by))
            self.rounds.clock_was_set(timedelta(seconds=by))
            self._plan()
        self._offset = offset
        if not health.ailments(self.rounds, self._pulse):
            systemd.notify(WATCHDOG=1)

    # What the listener has

    def _pages(self) -> dict[str, web.Answer]:
        return {
            "/": lambda: page.show(self.rounds, self._clock()),
            "/healthz": self._show_health,
            "/readyz": self._show_readiness,
            "/metrics": lambda: web.as_metrics(self.rounds.tallies.registry),
            "/sync/<name>": self._asked.tell,
        }

    def _show_health(self) -> Response:
        ailments = health.ailments(self.rounds, self._pulse)
        return web.as_json({"alive": not ailments, "reasons": ailments}, 503 if ailments else 200)

    def _show_readiness(self) -> Response:
        report = health.report(self.rounds, self._clock())
        report["configuration_refused"] = self._refusal
        return web.as_json(report, 200 if report["ready"] else 503)


def _leave() -> NoReturn:
    """End the process, although a thread may wait for a side that keeps silent.

    Python would wait for that thread, which can't be ended otherwise. What it does is safe to cut
    off anywhere.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _clock_offset() -> float:
    """What the wall clock is ahead of one that nobody sets."""
    return time.time() - time.monotonic()
