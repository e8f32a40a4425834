"""Calls for help: a dead man's switch, and messages through Apprise.

Nothing here may hurt a job: whatever is sent is sent from a thread of its own, and what can't
be delivered is logged and forgotten.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from queue import Full, Queue
from typing import Protocol

import httpx
import structlog
from pydantic import SecretStr

from amazon_bridge.app import ODOO, App
from amazon_bridge.config import AlertsConfig
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.engine.records import Entry
from amazon_bridge.service.board import Standing
from amazon_bridge.service.health import hindrances, named
from amazon_bridge.service.rounds import Rounds

log = structlog.get_logger(__name__)

TICK = timedelta(minutes=1)
"""How often it is looked whether there is something to call for."""

PING = timedelta(minutes=5)
"""How often the dead man's switch hears of us."""

_ATTEMPTS = 3
_PAUSE = 20.0  # seconds between two attempts
_TIMEOUT = 15.0  # seconds
_MOST_WAITING = 100
_MOST_NAMED = 20


class Send(Protocol):
    """Sends a message; False when that didn't work."""

    def __call__(self, title: str, body: str) -> bool: ...


class Mailbox:
    """Runs what sends, one after the other, in a thread of its own; tries again some times."""

    def __init__(self, pause: float = _PAUSE) -> None:
        self._pause = pause
        self._waiting: Queue[Callable[[], bool]] = Queue(_MOST_WAITING)
        self._stopping = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._deliver, name="alerts", daemon=True)
        self._thread.start()

    def put(self, send: Callable[[], bool]) -> None:
        """Send as soon as it is its turn; never waits."""
        with suppress(Full):  # then a hundred others tell of the trouble
            self._waiting.put_nowait(send)

    def close(self, seconds: float) -> None:
        """Give what waits so long to be sent."""
        with suppress(Full):
            self._waiting.put(self._end, timeout=seconds)
        self._thread.join(seconds)
        self._stopping.set()

    def _end(self) -> bool:
        self._stopping.set()
        return True

    def _deliver(self) -> None:
        while not self._stopping.is_set():
            send = self._waiting.get()
            delivered = any(self._tried(send, attempt) for attempt in range(_ATTEMPTS))
            if self._failing == delivered:  # said once, not for each
                (log.info if delivered else log.warning)(
                    "alert_delivery_recovered" if delivered else "alert_undeliverable"
                )
            self._failing = not delivered

    def _tried(self, send: Callable[[], bool], attempt: int) -> bool:
        if attempt and self._stopping.wait(self._pause):
            return False
        try:
            return send()
        except Exception as error:  # noqa: BLE001 (any plugin's, any network's)
            log.debug("alert_failed", error=type(error).__name__)
            return False


def apprise_sender(urls: Iterable[SecretStr]) -> Send:
    """Sends through Apprise to all of these addresses.

    Raises:
        ConfigError: Apprise isn't installed, or doesn't know what to do with an address.
    """
    try:
        import apprise  # noqa: PLC0415 (an extra: who needs no alerts needn't have it)
    except ImportError:
        raise ConfigError(
            "alerts.notify needs Apprise.", "Install it: scripts/install FOLDER alerts."
        ) from None
    everybody = apprise.Apprise()
    for number, url in enumerate(urls):
        if not everybody.add(url.get_secret_value()):
            raise ConfigError(
                f"alerts.notify[{number}] is no address that Apprise knows.",
                "Its documentation lists what there is: https://github.com/caronc/apprise/wiki",
            )
    text = apprise.NotifyFormat.TEXT  # else receivers of HTML take the text for markup
    return lambda title, body: bool(everybody.notify(title=title, body=body, body_format=text))


class DeadMansSwitch:
    """Pings an address in the manner of healthchecks.io: start, success, fail."""

    def __init__(self, url: SecretStr, mailbox: Mailbox) -> None:
        self._url = url.get_secret_value()
        self._mailbox = mailbox

    def start(self) -> None:
        self._ping("/start", "")

    def tell(self, hindrances: list[str]) -> None:
        """Success when there are none, else failure with the reasons."""
        self._ping("/fail" if hindrances else "", "\n".join(hindrances))

    def _ping(self, path: str, text: str) -> None:
        self._mailbox.put(lambda: _posted(f"{self._url}{path}", text))


def _posted(url: str, text: str) -> bool:
    answer = httpx.post(url, content=text.encode(), timeout=_TIMEOUT)
    return answer.is_success


Message = tuple[str, str]
"""Title and body."""


@dataclass(slots=True)
class Watchman:
    """Decides what is worth a message: what stays wrong, once, and again when it is over."""

    config: AlertsConfig
    known_aside: set[tuple[str, str, str]]
    """What was in the quarantine before; nobody is called for that."""
    _alarmed: dict[str, str] = field(default_factory=dict)
    _collecting_since: datetime | None = None

    def look(self, rounds: Rounds, now: datetime) -> list[Message]:
        """What there is to say: at most one message on what is wrong and works, one on items."""
        wrong = dict(self._wrong(rounds, now))
        begun = [(title, wrong[title]) for title in wrong if title not in self._alarmed]
        over = [(f"Over: {title}", "") for title in self._alarmed if title not in wrong]
        self._alarmed = wrong
        aside = {(e.account, e.job, e.key): e for e in rounds.app.ledger.items.quarantined()}
        return [*_joined(begun + over), *self._of_quarantine(aside, now)]

    def _wrong(self, rounds: Rounds, now: datetime) -> Iterator[Message]:
        for name in (ODOO, *(account.name for account in rounds.app.config.accounts)):
            side = rounds.sides[name]
            if side.down_since and self._is_due(f"{named(name)} is down", side.down_since, now):
                yield f"{named(name)} is down", f"Since {_minute(side.down_since)}: {side.failure}"
        for planned in rounds.timetable.planned:
            standing = rounds.board[planned.key]
            title = f"{planned.account}: {planned.job} fails"
            if rounds.sides.are_up(ODOO, planned.account) and self._is_bad(title, standing, now):
                yield title, f"{standing.failures} rounds in a row. The last one: {standing.error}"

    def _is_bad(self, title: str, standing: Standing, now: datetime) -> bool:
        since, failures = standing.failing_since, standing.failures
        if since is None:
            return False
        if standing.is_refused:
            return True
        return failures >= self.config.after_failures or self._is_due(title, since, now)

    def _is_due(self, title: str, since: datetime, now: datetime) -> bool:
        return title in self._alarmed or now - since >= self.config.after

    def _of_quarantine(
        self, aside: dict[tuple[str, str, str], Entry], now: datetime
    ) -> list[Message]:
        """Tell of new items together, so that a bad day is one message and not hundreds."""
        self.known_aside &= aside.keys()
        new = [entry for key, entry in aside.items() if key not in self.known_aside]
        # Not from a moment in the future: the clock was set back since.
        self._collecting_since = min(self._collecting_since or now, now) if new else None
        if not self._collecting_since or now - self._collecting_since < self.config.collect:
            return []
        self.known_aside |= aside.keys()
        self._collecting_since = None
        return [_told_of(new)]


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _joined(messages: list[Message]) -> list[Message]:
    if len(messages) <= 1:
        return messages
    body = "\n\n".join(f"{title}\n{body}".strip() for title, body in messages[:_MOST_NAMED])
    more = len(messages) - _MOST_NAMED
    rest = f"\n\n... and {more} more." if more > 0 else ""
    return [(f"{len(messages)} changes", body + rest)]


def _told_of(entries: list[Entry]) -> tuple[str, str]:
    lines = [
        f"{e.display_key} ({e.account}, {e.job}): {e.reason} {e.remedy or ''}" for e in entries
    ]
    if len(lines) > _MOST_NAMED:
        lines[_MOST_NAMED:] = [f"... and {len(lines) - _MOST_NAMED} more."]
    noun = "item was" if len(entries) == 1 else "items were"
    return f"{len(entries)} {noun} put aside", "\n\n".join(lines)


class Alerts:
    """All of the above, for the configuration of an App.

    Raises:
        ConfigError: a receiver can't be used.
    """

    def __init__(self, config: AlertsConfig, rounds: Rounds, app: App) -> None:
        self._rounds = rounds
        self._send = apprise_sender(config.notify) if config.notify else None
        self._mailbox = Mailbox()
        self._switch = DeadMansSwitch(config.ping, self._mailbox) if config.ping else None
        known = {(e.account, e.job, e.key) for e in app.ledger.items.quarantined()}
        self._watchman = Watchman(config, known)

    def start(self) -> None:
        if self._switch:
            self._switch.start()

    def look(self, now: datetime) -> None:
        """Call for help, if there is something to call for."""
        if not self._send:
            return
        for title, body in self._watchman.look(self._rounds, now):
            log.info("alert", title=title)
            self._mailbox.put(partial(self._send, f"amazon-bridge: {title}", body))

    def ping(self, now: datetime) -> None:
        """Let the dead man's switch hear of us."""
        if self._switch:
            self._switch.tell(hindrances(self._rounds, now))

    def close(self, seconds: float = 0) -> None:
        """Stop, after giving what waits so many seconds to be sent."""
        self._mailbox.close(seconds)
