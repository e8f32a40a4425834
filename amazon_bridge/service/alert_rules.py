"""What people are alerted about: each thing once, and its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain, product
from typing import NamedTuple

from amazon_bridge.app import ODOO
from amazon_bridge.config import AlertsConfig
from amazon_bridge.engine.errors import BridgeError
from amazon_bridge.engine.records import Alert, Entry
from amazon_bridge.flows import jobs
from amazon_bridge.flows.links import Links
from amazon_bridge.flows.ship_by.decide import OrderToShip, is_alarming
from amazon_bridge.flows.ship_by.show import line as order_line
from amazon_bridge.flows.ship_by.show import odoo_url
from amazon_bridge.service import ship_by
from amazon_bridge.service.health import display_name
from amazon_bridge.service.job_health import JobHealth
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.terminal import counted

_MOST_NAMED = 20

Message = tuple[str, str]
"""Title and body."""


class Kind(StrEnum):
    """What an alert is about. The state store has these values."""

    DOWN = "down"
    FAILS = "fails"
    STALE = "stale"
    QUARANTINED = "quarantined"
    TO_SHIP = "to_ship"


_PROBLEMS = frozenset({Kind.DOWN, Kind.FAILS, Kind.STALE})
"""Those whose end is reported."""


class _Part(NamedTuple):
    """A part of what a check results in."""

    messages: list[Message]
    begun: set[Alert]
    ended: set[Alert]


@dataclass(slots=True)
class AlertRules:
    """Decides what to alert about: each lasting problem once, and again when it is resolved.

    What there was an alert about is in the state store: after a restart, and when another daemon
    takes over an account, only what is new is reported, and what has ended. While the store can't
    be read or written, it is kept in memory.
    """

    config: AlertsConfig
    _stored: dict[Alert, datetime] = field(default_factory=dict)
    """What the state store had at the last check that could read it, and since when."""
    _begun: dict[Alert, datetime] = field(default_factory=dict)
    """What is not in the state store: it could not be written, or is about no account."""
    _ended: set[Alert] = field(default_factory=set)
    """What the state store has still, because it could not be written."""
    _collecting_since: datetime | None = None

    def messages(self, runner: JobRunner, now: datetime) -> list[Message]:
        """Messages due now.

        At most one each about problems, quarantined items and orders to ship.
        """
        known = self._known(runner)
        parts = (
            self._of_problems(runner, known, now),
            *_readable(lambda: self._of_quarantine(runner, known, now)),
            *_readable(lambda: self._of_ship_by(runner, known, now)),
        )
        for part in parts:
            self._begun |= dict.fromkeys(part.begun, now)
            self._begun = {e: since for e, since in self._begun.items() if e not in part.ended}
            self._ended = (self._ended | part.ended) - part.begun
        self._note(runner)
        return list(chain.from_iterable(part.messages for part in parts))

    def _known(self, runner: JobRunner) -> dict[Alert, datetime]:
        """What there was an alert about, of the accounts that this daemon works for, and of all."""
        accounts = {account.name for account in runner.accounts()}
        with suppress(BridgeError):
            self._stored = runner.app.ledger.alerts.known(accounts)
        self._begun = {e: at for e, at in self._begun.items() if e.account in {"", *accounts}}
        self._ended = {each for each in self._ended if each.account in accounts}
        return {
            alert: since
            for alert, since in {**self._stored, **self._begun}.items()
            if alert.account in {"", *accounts} and alert not in self._ended
        }

    def _note(self, runner: JobRunner) -> None:
        """Write what changed to the state store, now or with a later check."""
        begun = {each for each in self._begun if each.account}
        with suppress(BridgeError):
            runner.app.ledger.alerts.note(begun=begun, ended=self._ended)
            self._begun = {e: since for e, since in self._begun.items() if e not in begun}
            self._stored |= dict.fromkeys(begun, runner.clock())
            self._ended = set()

    # Problems

    def _of_problems(
        self, runner: JobRunner, known: Mapping[Alert, datetime], now: datetime
    ) -> _Part:
        wrong = dict(self._wrong(runner, known, now))
        begun = wrong.keys() - known.keys()
        ended = {
            alert
            for alert, since in known.items()
            if alert.kind in _PROBLEMS
            and alert not in wrong
            and _is_over(runner, alert, min(since, now))
        }
        messages = [(_title(each), body) for each, body in wrong.items() if each in begun]
        messages += [
            (f"Resolved: {_title(each)}", f"It was reported on {_minute(since)}.")
            for each, since in known.items()
            if each in ended
        ]
        return _Part(_joined(messages), begun, ended)

    def _wrong(
        self, runner: JobRunner, known: Mapping[Alert, datetime], now: datetime
    ) -> Iterator[tuple[Alert, str]]:
        """The problems that there are, with the texts about them."""
        yield from self._down(runner, known, now)
        yield from _stale(runner, now)
        yield from self._failing(runner, known, now)

    def _down(
        self, runner: JobRunner, known: Mapping[Alert, datetime], now: datetime
    ) -> Iterator[tuple[Alert, str]]:
        for account in ("", *(account.name for account in runner.accounts())):
            remote, alert = runner.availability[account or ODOO], Alert(account, Kind.DOWN)
            since = remote.down_since
            if since and (alert in known or now - since >= self.config.after):
                yield alert, f"Since {_minute(since)}: {remote.failure}"

    def _failing(
        self, runner: JobRunner, known: Mapping[Alert, datetime], now: datetime
    ) -> Iterator[tuple[Alert, str]]:
        for planned in runner.scheduler.planned:
            alert = Alert(planned.account, Kind.FAILS, planned.job)
            health = runner.monitor[planned.key]
            is_bad = self._is_bad(health, now, is_known=alert in known)
            if is_bad and runner.availability.are_up(ODOO, planned.account):
                failures = counted(health.failures, "failed run")
                yield alert, f"{failures} in a row. Last error: {health.error}"

    def _is_bad(self, health: JobHealth, now: datetime, *, is_known: bool) -> bool:
        since = health.failing_since
        if since is None:
            return False
        if is_known or health.is_refused:
            return True
        return health.failures >= self.config.after_failures or now - since >= self.config.after

    # Items

    def _of_quarantine(
        self, runner: JobRunner, known: Mapping[Alert, datetime], now: datetime
    ) -> _Part:
        """Collect new items, so that a bad day is one message and not hundreds."""
        mine = {account.name for account in runner.accounts()}
        entries = runner.app.ledger.items.quarantined()
        quarantined = {_alert(each): each for each in entries if each.account in mine}
        ended = {each for each in known if each.kind == Kind.QUARANTINED} - quarantined.keys()
        new = {alert: entry for alert, entry in quarantined.items() if alert not in known}
        # Never a moment in the future: the clock may have been set back.
        self._collecting_since = min(self._collecting_since or now, now) if new else None
        if not self._collecting_since or now - self._collecting_since < self.config.collect:
            return _Part([], set(), ended)
        self._collecting_since = None
        return _Part([_quarantine_message([*new.values()], _links(runner))], set(new), ended)

    def _of_ship_by(
        self, runner: JobRunner, known: Mapping[Alert, datetime], now: datetime
    ) -> _Part:
        """One message about the orders whose ship-by date has come near since the last one."""
        before = self.config.before_ship_by
        orders = ship_by.all_orders(runner, runner.accounts()) if before is not None else []
        urgent = {
            Alert(each.account, Kind.TO_SHIP, key=each.order_id): each
            for each in orders
            if before is not None and is_alarming(each, now, before)
        }
        new = {alert: order for alert, order in urgent.items() if alert not in known}
        ended = {each for each in known if each.kind == Kind.TO_SHIP} - urgent.keys()
        messages = [_ship_by_message([*new.values()], _links(runner))] if new else []
        return _Part(messages, set(new), ended)


def _alert(entry: Entry) -> Alert:
    return Alert(entry.account, Kind.QUARANTINED, entry.job, entry.key)


def _readable(part: Callable[[], _Part]) -> list[_Part]:
    """A part of a check; nothing if the state store can't be read."""
    with suppress(BridgeError):
        return [part()]
    return []


def _stale(runner: JobRunner, now: datetime) -> Iterator[tuple[Alert, str]]:
    """Jobs that have not succeeded for long, such as the one that sends quantities."""
    for account, job in product(runner.accounts(), jobs.JOBS):
        stale = job.stale_alert
        last = runner.monitor[account.name, job.name].last_success or runner.monitor.began
        if stale and account.is_active(job) and now - last >= stale.after(account):
            yield Alert(account.name, Kind.STALE, job.name), f"Last success: {_minute(last)}."


def _is_over(runner: JobRunner, alert: Alert, since: datetime) -> bool:
    """Whether a problem that is not noticed now has ended.

    After a restart nothing is known of a remote before it has responded, nor of a job before it
    has run.
    """
    if alert.kind == Kind.DOWN:
        remote = runner.availability[alert.account or ODOO]
        answer = remote.last_answer
        return remote.down_since is None and answer is not None and answer >= since
    if alert.kind == Kind.FAILS and any(
        each.key == (alert.account, alert.job) for each in runner.scheduler.planned
    ):
        health = runner.monitor[alert.account, alert.job]
        success = health.last_success
        return health.error is None and success is not None and success >= since
    return True


def _title(alert: Alert) -> str:
    if alert.kind == Kind.DOWN:
        return f"{display_name(alert.account or ODOO)} is down"
    if alert.kind == Kind.FAILS:
        return f"{alert.account}: {alert.job} fails"
    named = (job.stale_alert for job in jobs.JOBS if job.name == alert.job and job.stale_alert)
    return f"{alert.account}: {next((each.what for each in named), alert.job)} are stale"


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
