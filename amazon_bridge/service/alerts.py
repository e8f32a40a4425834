"""Alerts: a dead man's switch, and messages through Apprise.

Alerts must never affect a job: they are sent from a separate thread, and dropped after a few
failed attempts, which are logged.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from queue import Full, Queue
from typing import NamedTuple, Protocol

import httpx
import structlog
from pydantic import SecretStr

from amazon_bridge.app import ODOO, App
from amazon_bridge.config import AlertsConfig
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.engine.records import Entry
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.flows.links import Links
from amazon_bridge.flows.ship_by.decide import OrderToShip, is_alarming
from amazon_bridge.flows.ship_by.show import line as order_line
from amazon_bridge.flows.ship_by.show import odoo_url
from amazon_bridge.service import ship_by
from amazon_bridge.service.health import display_name, readiness_problems
from amazon_bridge.service.job_health import JobHealth
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.terminal import counted

log = structlog.get_logger(__name__)

TICK = timedelta(minutes=1)
"""Interval between alert checks."""

PING = timedelta(minutes=5)
"""Interval between pings of the dead man's switch."""

_TAKE_OVER = timedelta(minutes=2)
"""Longer than an account is without a daemon when another one takes it over."""

_ATTEMPTS = 3
_PAUSE = 20.0  # seconds between two attempts
_TIMEOUT = 15.0  # seconds
_MOST_QUEUED = 100
_MOST_NAMED = 20


class Send(Protocol):
    """Sends a message and returns whether that succeeded."""

    def __call__(self, title: str, body: str) -> bool: ...


class DeliveryQueue:
    """Sends messages one after the other in a separate thread, with a few attempts each."""

    def __init__(self, pause: float = _PAUSE) -> None:
        self._pause = pause
        self._queue: Queue[Callable[[], bool]] = Queue(_MOST_QUEUED)
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
            self._queue.put(self._end, timeout=seconds)
        self._thread.join(seconds)
        self._stopping.set()

    def _end(self) -> bool:
        self._stopping.set()
        return True

    def _deliver(self) -> None:
        while not self._stopping.is_set():
            send = self._queue.get()
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

    def __init__(self, url: SecretStr, queue: DeliveryQueue) -> None:
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


Message = tuple[str, str]
"""Title and body."""


class _Problem(NamedTuple):
    """A lasting problem."""

    account: str | None
    """None: of all accounts."""
    title: str
    body: str


@dataclass(slots=True)
class AlertRules:
    """Decides what to alert about: each lasting problem once, and again when it is resolved."""

    config: AlertsConfig
    known_quarantined: set[tuple[str, str, str]]
    """Items quarantined before the start; no alert for these."""
    _alarmed: dict[str, _Problem] = field(default_factory=dict)
    _accounts: set[str] | None = None
    """Those that the daemon worked for at the last check; None before the first."""
    _collecting_since: datetime | None = None
    _urgent: set[tuple[str, str]] = field(default_factory=set)
    """Accounts and ids of orders to ship that there was an alert about; none after a start."""

    def messages(self, runner: JobRunner, now: datetime) -> list[Message]:
        """Messages due now: at most one about problems, and one about quarantined items."""
        others = runner.others()
        wrong = {problem.title: problem for problem in self._wrong(runner, now)}
        begun = [
            (each.title, each.body) for title, each in wrong.items() if title not in self._alarmed
        ]
        over = [
            (f"Resolved: {title}", "")
            for title, each in self._alarmed.items()
            if title not in wrong and each.account not in others
        ]
        self._alarmed = wrong
        entries = runner.app.ledger.items.quarantined()
        quarantined = {(e.account, e.job, e.key): e for e in entries if e.account not in others}
        self._take_over(runner, quarantined, now)
        return [
            *_joined(begun + over),
            *self._of_quarantine(quarantined, _links(runner), now),
            *self._of_ship_by(runner, now),
        ]

    def _take_over(
        self, runner: JobRunner, quarantined: Mapping[tuple[str, str, str], Entry], now: datetime
    ) -> None:
        """Consider what another daemon alerted about as known, when it worked for an account.

        What was quarantined shortly before is in an alert again: it may have been in none.
        """
        accounts = {account.name for account in runner.accounts()}
        known = set() if runner.app.ledger.is_shared else accounts
        new = accounts - (known if self._accounts is None else self._accounts)
        before = now - self.config.collect - _TAKE_OVER
        taken = {key: entry for key, entry in quarantined.items() if key[0] in new}
        self.known_quarantined |= taken.keys()
        self.known_quarantined -= {
            key for key, each in taken.items() if (each.last_tried or each.first_seen) >= before
        }
        self._accounts = accounts

    def _wrong(self, runner: JobRunner, now: datetime) -> Iterator[_Problem]:
        for name in (ODOO, *(account.name for account in runner.accounts())):
            remote, title = runner.availability[name], f"{display_name(name)} is down"
            if remote.down_since and self._is_due(title, remote.down_since, now):
                body = f"Since {_minute(remote.down_since)}: {remote.failure}"
                yield _Problem(None if name == ODOO else name, title, body)
        yield from self._stale(runner, now)
        for planned in runner.scheduler.planned:
            health = runner.monitor[planned.key]
            title = f"{planned.account}: {planned.job} fails"
            if runner.availability.are_up(ODOO, planned.account) and self._is_bad(
                title, health, now
            ):
                failures = counted(health.failures, "failed run")
                body = f"{failures} in a row. Last error: {health.error}"
                yield _Problem(planned.account, title, body)

    def _stale(self, runner: JobRunner, now: datetime) -> Iterator[_Problem]:
        """Jobs that have not succeeded for long, such as the one that sends quantities."""
        for account, job in product(runner.accounts(), JOBS):
            alert = job.stale_alert
            last = runner.monitor[account.name, job.name].last_success or runner.monitor.began
            if alert and account.is_active(job) and now - last >= alert.after(account):
                title = f"{account.name}: {alert.what} are stale"
                yield _Problem(account.name, title, f"Last success: {_minute(last)}.")

    def _is_bad(self, title: str, health: JobHealth, now: datetime) -> bool:
        since, failures = health.failing_since, health.failures
        if since is None:
            return False
        if health.is_refused:
            return True
        return failures >= self.config.after_failures or self._is_due(title, since, now)

    def _is_due(self, title: str, since: datetime, now: datetime) -> bool:
        return title in self._alarmed or now - since >= self.config.after

    def _of_quarantine(
        self, quarantined: dict[tuple[str, str, str], Entry], links: Links, now: datetime
    ) -> list[Message]:
        """Collect new items, so that a bad day is one message and not hundreds."""
        self.known_quarantined &= quarantined.keys()
        new = [entry for key, entry in quarantined.items() if key not in self.known_quarantined]
        # Never a moment in the future: the clock may have been set back.
        self._collecting_since = min(self._collecting_since or now, now) if new else None
        if not self._collecting_since or now - self._collecting_since < self.config.collect:
            return []
        self.known_quarantined |= quarantined.keys()
        self._collecting_since = None
        return [_quarantine_message(new, links)]

    def _of_ship_by(self, runner: JobRunner, now: datetime) -> list[Message]:
        """One message about the orders whose ship-by date has come near since the last one."""
        before = self.config.before_ship_by
        if before is None:
            return []
        orders = ship_by.all_orders(runner, runner.accounts())
        urgent = [each for each in orders if is_alarming(each, now, before)]
        new = [each for each in urgent if (each.account, each.order_id) not in self._urgent]
        self._urgent = {(each.account, each.order_id) for each in urgent}
        return [_ship_by_message(new, _links(runner))] if new else []


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _joined(messages: list[Message]) -> list[Message]:
    if len(messages) <= 1:
        return messages
    body = "\n\n".join(f"{title}\n{body}".strip() for title, body in messages[:_MOST_NAMED])
    more = len(messages) - _MOST_NAMED
    rest = f"\n\n... and {more} more." if more > 0 else ""
    return [(f"{len(messages)} changes", body + rest)]


def _links(runner: JobRunner) -> Links:
    return Links(runner.app.config, runner.app.ledger)


def _quarantine_message(entries: list[Entry], links: Links) -> tuple[str, str]:
    lines = [_entry_lines(entry, links) for entry in entries[:_MOST_NAMED]]
    noun = "item was" if len(entries) == 1 else "items were"
    return f"{len(entries)} {noun} quarantined", _body(lines, len(entries))


def _entry_lines(entry: Entry, links: Links) -> str:
    what = f"{entry.display_key} ({entry.account}, {entry.job})"
    text = f"{what}: {entry.reason} {entry.remedy or ''}".strip()
    return "\n".join([text, *(link.url for link in links.of(entry))])


def _ship_by_message(orders: Sequence[OrderToShip], links: Links) -> tuple[str, str]:
    lines = [_order_lines(order, links) for order in orders[:_MOST_NAMED]]
    noun = "order has" if len(orders) == 1 else "orders have"
    return f"{len(orders)} {noun} to be shipped now", _body(lines, len(orders))


def _order_lines(order: OrderToShip, links: Links) -> str:
    amazon = links.amazon(order.account, order.order_id, order.marketplace_id)
    urls = (odoo_url(order, links), amazon)
    return "\n".join([order_line(order), *(url for url in urls if url)])


def _body(named: list[str], number: int) -> str:
    """The texts of the items that are named, and how many more there are."""
    more = number - len(named)
    return "\n\n".join([*named, *([f"... and {more} more."] if more else [])])


class Alerts:
    """The alerts of an App's configuration.

    Raises:
        ConfigError: a receiver is unusable.
    """

    def __init__(self, config: AlertsConfig, runner: JobRunner, app: App) -> None:
        self._runner = runner
        self._send = apprise_sender(config.notify) if config.notify else None
        self._queue = DeliveryQueue()
        self._switch = DeadMansSwitch(config.ping, self._queue) if config.ping else None
        known = {(e.account, e.job, e.key) for e in app.ledger.items.quarantined()}
        self._rules = AlertRules(config, known)

    def start(self) -> None:
        if self._switch:
            self._switch.start()

    def check(self, now: datetime) -> None:
        """Send the messages that are due."""
        if not self._send:
            return
        for title, body in self._rules.messages(self._runner, now):
            log.info("alert", title=title)
            self._queue.put(partial(self._send, f"amazon-bridge: {title}", body))

    def ping(self, now: datetime) -> None:
        """Ping the dead man's switch."""
        if self._switch:
            self._switch.report(readiness_problems(self._runner, now))

    def close(self, seconds: float = 0) -> None:
        """Stop, after at most ``seconds`` for queued messages to be sent."""
        self._queue.close(seconds)
