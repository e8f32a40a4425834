"""Alerts: a dead man's switch, and messages through Apprise.

Alerts must never affect a job: they are sent from a separate thread, and dropped after a few
failed attempts, which are logged.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from queue import Full, Queue
from typing import Protocol, Self

import httpx
import structlog
from pydantic import SecretStr

from amazon_bridge.config import AlertsConfig
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.service.alert_rules import AlertRules
from amazon_bridge.service.health import readiness_problems
from amazon_bridge.service.job_runner import JobRunner

log = structlog.get_logger(__name__)

TICK = timedelta(minutes=1)
"""Interval between alert checks."""

PING = timedelta(minutes=5)
"""Interval between pings of the dead man's switch."""

_ATTEMPTS = 3
_PAUSE = 20.0  # seconds between two attempts
_TIMEOUT = 15.0  # seconds
_MOST_QUEUED = 100


class Send(Protocol):
    """Sends a message and returns whether that succeeded."""

    def __call__(self, title: str, body: str) -> bool: ...


class AlertQueue:
    """Sends messages one after the other in a separate thread, with a few attempts each."""

    def __init__(self, pause: float = _PAUSE) -> None:
        self._pause = pause
        self._queue: Queue[Callable[[], bool] | None] = Queue(_MOST_QUEUED)
        """``None`` is the end."""
        self._stopping = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._deliver, name="alerts", daemon=True)
        self._thread.start()

    def put(self, send: Callable[[], bool]) -> None:
        """Queue a message; never blocks."""
        with suppress(Full):  # then a hundred other messages report the trouble
            self._queue.put_nowait(send)

    def close(self, seconds: float) -> None:
        """Stop, after at most ``seconds`` for queued messages to be sent."""
        with suppress(Full):
            self._queue.put(None, timeout=seconds)
        self._thread.join(seconds)
        self._stopping.set()
        if self._thread.is_alive():  # the state store has them as sent
            log.warning("alerts_dropped")

    def _deliver(self) -> None:
        while not self._stopping.is_set() and (send := self._queue.get()):
            delivered = any(self._attempt(send, attempt) for attempt in range(_ATTEMPTS))
            if self._failing == delivered:  # logged once, not for each message
                (log.info if delivered else log.warning)(
                    "alert_delivery_recovered" if delivered else "alert_undeliverable"
                )
            self._failing = not delivered

    def _attempt(self, send: Callable[[], bool], attempt: int) -> bool:
        if attempt and self._stopping.wait(self._pause):
            return False
        try:
            return send()
        except Exception as error:  # noqa: BLE001 (any plugin's, any network's)
            log.debug("alert_failed", error=type(error).__name__)
            return False


def apprise_sender(urls: Iterable[SecretStr]) -> Send:
    """Return a sender to all of these Apprise URLs.

    Raises:
        ConfigError: Apprise is not installed, or does not support a URL.
    """
    try:
        import apprise  # noqa: PLC0415 (an optional extra)
    except ImportError:
        raise ConfigError(
            "alerts.notify needs Apprise.", "Install it: scripts/install FOLDER alerts."
        ) from None
    receivers = apprise.Apprise()
    for number, url in enumerate(urls):
        if not receivers.add(url.get_secret_value()):
            raise ConfigError(
                f"alerts.notify[{number}] is not a URL that Apprise supports.",
                "Supported URLs: https://github.com/caronc/apprise/wiki",
            )
    text = apprise.NotifyFormat.TEXT  # HTML receivers would interpret the text as markup
    return lambda title, body: bool(receivers.notify(title=title, body=body, body_format=text))


class DeadMansSwitch:
    """Pings a URL in the style of healthchecks.io: start, success, fail."""

    def __init__(self, url: SecretStr, queue: AlertQueue) -> None:
        self._url = url.get_secret_value()
        self._queue = queue

    def start(self) -> None:
        self._ping("/start", "")

    def report(self, problems: list[str]) -> None:
        """Report success if there are no problems, else failure with the problems."""
        self._ping("/fail" if problems else "", "\n".join(problems))

    def _ping(self, path: str, text: str) -> None:
        self._queue.put(lambda: _posted(f"{self._url}{path}", text))


def _posted(url: str, text: str) -> bool:
    response = httpx.post(url, content=text.encode(), timeout=_TIMEOUT)
    return response.is_success


@dataclass(frozen=True, slots=True)
class Receivers:
    """Who gets the alerts of a configuration."""

    config: AlertsConfig
    send: Send | None

    @classmethod
    def of(cls, config: AlertsConfig) -> Self:
        """Return the receivers of a configuration.

        Raises:
            ConfigError: one is unusable.
        """
        return cls(config, apprise_sender(config.notify) if config.notify else None)


class Alerts:
    """The alerts of a daemon: the receivers may be replaced at any time by ``use``.

    What waits to be delivered is then sent to the new ones.
    """

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner
        self._send: Send | None = None
        self._queue = AlertQueue()
        self._switch: DeadMansSwitch | None = None
        self._rules = AlertRules(AlertsConfig())

    def use(self, receivers: Receivers) -> None:
        """Send alerts to these receivers from now on."""
        config = self._rules.config = receivers.config
        self._send = receivers.send
        self._switch = DeadMansSwitch(config.ping, self._queue) if config.ping else None

    def start(self) -> None:
        if self._switch:
            self._switch.start()

    def check(self, now: datetime) -> None:
        """Send the messages that are due."""
        if not self._send:
            return
        for title, body in self._rules.messages(self._runner, now):
            log.info("alert", title=title)
            self._queue.put(partial(self._deliver, f"amazon-bridge: {title}", body))

    def _deliver(self, title: str, body: str) -> bool:
        send = self._send
        return send is None or send(title, body)

    def ping(self, now: datetime) -> None:
        """Ping the dead man's switch."""
        if self._switch:
            self._switch.report(readiness_problems(self._runner, now))

    def close(self, seconds: float) -> None:
        """Stop, after at most ``seconds`` for queued messages to be sent."""
        self._queue.close(seconds)
