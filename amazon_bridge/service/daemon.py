"""``amazon-bridge run``: the daemon's process, signals, start and stop."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NoReturn

import structlog
from werkzeug.wrappers import Response

from amazon_bridge import __version__
from amazon_bridge.app import App, utc_now
from amazon_bridge.config import Config
from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import AccountError, BridgeError, ConfigError, Locked
from amazon_bridge.engine.item_errors import internal_error
from amazon_bridge.engine.records import State
from amazon_bridge.engine.store import PostgresqlStore
from amazon_bridge.service import alerts, health, page, retention, ship_by, systemd, web
from amazon_bridge.service.gauges import Gauges
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.sync_requests import SyncRequests

if TYPE_CHECKING:
    from amazon_bridge.service.cluster import Cluster

log = structlog.get_logger(__name__)

_SIGNALS = {
    signal.SIGTERM: "stop",
    signal.SIGINT: "stop",
    signal.SIGHUP: "reload",
    signal.SIGUSR1: "sync",
}
_TICK = 1.0  # seconds
_LEAVE = 8.0
"""Seconds for runs to finish before the process ends; interrupted runs are repeated later."""

_LAST_ALERTS = 1.0
"""Seconds for queued alerts to be sent at the end."""

_FIRST_DELIVERIES = timedelta(seconds=10)
"""After a start, the first sync runs come before Odoo's open delivery orders are read."""

_JUMP = 5.0
"""Seconds by which the clock must jump to make the schedules be planned again."""


def run(load: Callable[[], Config], clock: Callable[[], datetime] = utc_now) -> None:
    """Run all jobs of all accounts on their schedules, until SIGTERM or SIGINT.

    Then the process exits with code 0. Daemons that share a state store in PostgreSQL share the
    sellers.

    Args:
        load: reads the configuration, now and at each SIGHUP.
        clock: returns the time in UTC.

    Raises:
        ConfigError: the configuration is invalid, or the state store or the address is unusable.
        AccountError: another daemon runs with this state store, if that is a file; or the
            database can't be reached.
    """
    events: SimpleQueue[str] = SimpleQueue()
    with _signals_to(events), ExitStack() as stack:
        config = load()
        if isinstance(config.state, Path):
            stack.enter_context(_locked(config))
        daemon = Daemon(load, config, events, clock)
        daemon.start()
        daemon.attend()
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
def _locked(config: Config) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(lock.held(config.state, *lock.DAEMON))
        except Locked as error:
            raise AccountError(
                f"Another daemon runs with the state store {config.state}.",
                f"Stop it first (process {error.holder}), or set another `state` for this one."
                " Daemons that share a state store need one in PostgreSQL.",
            ) from None
        yield


class Daemon:
    """The running daemon: jobs, listener, alerts, watchdog."""

    def __init__(
        self,
        load: Callable[[], Config],
        config: Config,
        events: SimpleQueue[str],
        clock: Callable[[], datetime],
    ) -> None:
        self._load = load
        self._events = events
        self._clock = clock
        self._heartbeat = health.Heartbeat()
        self._offset = _clock_offset()
        self.runner = JobRunner(clock)
        self.runner.counters.registry.register(Gauges(self.runner, clock))
        self._sync_requests = SyncRequests(self.runner)
        self._website: web.Website | None = None
        self._listener: web.Listener | None = None
        self._retention = retention.RetentionTask(self.runner)
        self._deliveries = ship_by.DeliveriesTask(self.runner)
        self._alerts = alerts.Alerts(self.runner)
        self._refusal: str | None = None
        """Why the last SIGHUP's configuration was refused."""
        self._adopt(config)
        self._cluster: Cluster | None = None
        if isinstance(config.state, PostgresqlStore):
            from amazon_bridge.service.cluster import Cluster  # noqa: PLC0415 (needs psycopg)

            self._cluster = Cluster(config.state, self.runner, lambda: events.put("leases"))

    def start(self) -> None:
        self._heartbeat.beat()
        self.runner.scheduler.start()
        self._plan()
        if self._cluster:
            self._cluster.start()
        self._alerts.start()
        log.info("daemon_started", version=__version__, accounts=self._accounts)
        systemd.notify(READY=1, STATUS="Starting the first sync runs")

    def attend(self) -> None:
        """Do what signals ask for, and watch over the rest, until one asks to stop."""
        while True:
            try:
                event = self._events.get(timeout=_TICK)
            except Empty:
                event = "tick"
            match event:
                case "stop":
                    return
                case "reload":
                    self._reload()
                case "sync":
                    log.info("sync_requested")
                    self.runner.scheduler.run_soon()
                case "leases" if self._cluster:
                    self._cluster.plan()
            self._watch_over()

    def stop(self) -> None:
        """Let batches in progress finish, interrupt what takes longer, and end the process."""
        log.info("daemon_stopping", runs=self.runner.monitor.running)
        systemd.notify(STOPPING=1, STATUS="Finishing batches in progress")
        self.runner.stopping.set()
        self.runner.scheduler.stop()
        self.runner.monitor.wait_until_idle(_LEAVE)
        if self._listener:
            self._listener.close()
        self._alerts.close(_LAST_ALERTS)
        interrupted = self.runner.monitor.running
        log.info("daemon_stopped", runs_interrupted=interrupted)
        if self._cluster:
            self._cluster.close()
        if not interrupted:  # a run would log errors about a closed state store
            self.runner.app.close()
        _leave()

    # The configuration

    @property
    def _accounts(self) -> int:
        return len(self.runner.app.config.accounts)

    def _adopt(self, config: Config, before: App | None = None) -> None:
        """Use this configuration from now on; if this raises, the previous one stays."""
        if before and before.config.state != config.state:
            raise ConfigError("`state` can't change while the daemon runs.", "Restart it.")
        app = App(
            config,
            clock=self._clock,
            sleep=self.runner.pause,
            throttle=before.throttle if before else None,
            ledger=before.ledger if before else None,
            watch=self.runner.watch,
        )
        with ExitStack() as undo:
            if not before:
                undo.callback(app.close)
            receivers = alerts.Receivers.of(config.alerts)
            runs = app.ledger.runs.latest()
            self._listen(config)
            undo.pop_all()
        self.runner.app = app
        self._alerts.use(receivers)
        self.runner.monitor.remember(runs)

    def _listen(self, config: Config) -> None:
        if config.http and self._website and config.http.listen == self._website.config.listen:
            self._website.config = config.http  # the token may be another one
            return
        website = None
        if config.http:
            website = web.Website(self._pages(), config.http, {"/sync": self._sync_requests.accept})
        if config.http and self._listener and self._listener.port == config.http.port:
            self._listener.close()  # it occupies the port
            self._listener, self._website = self._reopened(website), website
            return
        listener = web.Listener(website) if website else None
        if self._listener:
            self._listener.close()
        self._website, self._listener = website, listener

    def _reopened(self, website: web.Website | None) -> web.Listener | None:
        """Open a listener on the port of the previous one, which is closed already.

        Raises:
            ConfigError: listening failed; the previous listener is reopened if possible.
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
            self._adopt(self._load(), self.runner.app)
        except BridgeError as error:
            self._refuse(error)
        except Exception as error:  # noqa: BLE001  a bug costs this reload, not the daemon
            self._refuse(internal_error(error))
        else:
            self.runner.availability.reset()
            self._plan()
            if self._cluster:
                self._cluster.plan()
            log.info("configuration_reloaded", accounts=self._accounts)
        systemd.notify(READY=1)

    def _refuse(self, error: BridgeError) -> None:
        """Keep the previous configuration, and report why."""
        problems = getattr(error, "problems", ())
        log.error("configuration_refused", reason=str(error), problems=problems)
        self._refusal = "; ".join((str(error), *problems))

    def _plan(self) -> None:
        runner = self.runner
        runner.scheduler.plan(runner.scheduled_jobs(), runner.monitor, runner.queue)
        runner.scheduler.every(health.BEAT, self._beat)
        runner.scheduler.every(alerts.TICK, self._check_alerts)
        runner.scheduler.every(alerts.PING, self._ping)
        runner.scheduler.every(retention.TICK, self._retention.apply_retention)
        runner.scheduler.every(ship_by.TICK, self._deliveries.read_deliveries)
        first, read = self._clock() + _FIRST_DELIVERIES, self._deliveries.read_deliveries
        runner.scheduler.at(first, read, name="first deliveries", pool="probes")

    # Watching over it

    def _beat(self) -> None:
        self._heartbeat.beat()
        with suppress(BridgeError):  # of the state store: the runs report it
            systemd.notify(STATUS=self._status())

    def _status(self) -> str:
        open_items = self.runner.app.ledger.items.open_counts()
        quarantined = sum(
            n for (_, _, state), n in open_items.items() if state == State.QUARANTINED
        )
        problems = health.readiness_problems(self.runner, self._clock())
        running = self.runner.monitor.running
        counts = f"accounts {self._accounts}, runs {running}, quarantined {quarantined}"
        refusal = [f"configuration refused: {self._refusal}"] if self._refusal else []
        return f"{counts}; {next(iter(refusal + problems), 'OK')}"

    def _check_alerts(self) -> None:
        with suppress(BridgeError):
            self._alerts.check(self._clock())

    def _ping(self) -> None:
        self._alerts.ping(self._clock())

    def _watch_over(self) -> None:
        offset = _clock_offset()
        if abs(offset - self._offset) > _JUMP:
            by = offset - self._offset
            log.warning("clock_jumped", seconds=round(by))
            self.runner.clock_was_set(timedelta(seconds=by))
            self._plan()
        self._offset = offset
        if not health.liveness_problems(self.runner, self._heartbeat):
            systemd.notify(WATCHDOG=1)

    # Content of the listener

    def _pages(self) -> dict[str, web.Page]:
        return {
            "/": lambda **chosen: page.show(self.runner, self._clock(), **chosen),
            "/healthz": self._show_health,
            "/readyz": self._show_readiness,
            "/metrics": lambda: web.as_metrics(self.runner.counters.registry),
            "/sync/<name>": self._sync_requests.result,
        }

    def _show_health(self) -> Response:
        liveness_problems = health.liveness_problems(self.runner, self._heartbeat)
        return web.as_json(
            {"alive": not liveness_problems, "reasons": liveness_problems},
            503 if liveness_problems else 200,
        )

    def _show_readiness(self) -> Response:
        report = health.report(self.runner, self._clock())
        report["configuration_refused"] = self._refusal
        return web.as_json(report, 200 if report["ready"] else 503)


def _leave() -> NoReturn:
    """End the process, although a thread may be waiting for a remote.

    Python would wait for that thread, which cannot be ended otherwise. Its work can be interrupted
    anywhere.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _clock_offset() -> float:
    """Difference between the wall clock and the monotonic clock, in seconds."""
    return time.time() - time.monotonic()
