"""Metrics in Prometheus' format: ``docs/operations.md`` lists them."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    Summary,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from amazon_bridge import __version__
from amazon_bridge.app import ODOO
from amazon_bridge.engine.errors import AccountError, BridgeError, Transient
from amazon_bridge.engine.records import State
from amazon_bridge.engine.runner import Counts
from amazon_bridge.service.board import Key
from amazon_bridge.service.health import overdue_at

if TYPE_CHECKING:
    from amazon_bridge.service.rounds import Rounds

_JOB = ("account", "job")
_ALWAYS_TOLD = ("created", "notified", "quarantined")
"""Outcomes that are told as 0 from the first round on, so that no increase is missed."""


class Tallies:
    """What is counted as it happens."""

    def __init__(self) -> None:
        # or every counter would be told with its birthday
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        build = Info("amazon_bridge_build", "The bridge's version.", registry=self.registry)
        build.info({"version": __version__, "python": platform.python_version()})
        self._rounds = self._counter("rounds", "Rounds, by result.", *_JOB, "result")
        self._items = self._counter("items", "Items worked, by outcome.", *_JOB, "outcome")
        self._seconds = Summary(
            "amazon_bridge_round_seconds", "How long rounds took.", _JOB, registry=self.registry
        )
        self._amazon = self._counter(
            "amazon_calls", "Calls to Amazon.", "account", "operation", "result"
        )
        self._odoo = self._counter("odoo_calls", "Calls to Odoo.", "operation", "result")
        self._latency = Histogram(
            "amazon_bridge_odoo_call_seconds",
            "How long Odoo took to answer.",
            buckets=(0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
            registry=self.registry,
        )

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"amazon_bridge_{name}", meaning, labels, registry=self.registry)

    def count_round(self, key: Key, counts: Counts, seconds: float) -> None:
        numbers = asdict(counts)
        result = "failed" if numbers.pop("error") else "ok"
        self._rounds.labels(*key, result).inc()
        self._seconds.labels(*key).observe(seconds)
        for outcome, number in numbers.items():
            if number or outcome in _ALWAYS_TOLD:
                self._items.labels(*key, outcome).inc(number)

    def count_call(
        self, side: str, operation: str, error: BridgeError | None, seconds: float
    ) -> None:
        if side == ODOO:
            self._odoo.labels(operation, _result(error)).inc()
            self._latency.observe(seconds)
        else:
            self._amazon.labels(side, operation, _result(error)).inc()


def _result(error: BridgeError | None) -> str:
    match error:
        case None:
            return "ok"
        case Transient():
            return "unavailable"
        case AccountError():
            return "account_refused"
        case _:
            return "refused"


class Gauges:
    """What is read at the moment when somebody asks."""

    def __init__(self, rounds: Rounds, clock: Callable[[], datetime]) -> None:
        self._rounds = rounds
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """As prometheus_client asks its collectors."""
        yield from self._of_sides()
        yield from self._of_jobs()
        yield from self._of_items()
        yield self._cursor_ages()
        yield from self._throttle_waits()

    def _of_sides(self) -> Iterator[Metric]:
        up = _gauge("side_up", "Whether a side answers: 1 or 0.", "side")
        for side in (ODOO, *(account.name for account in self._rounds.app.config.accounts)):
            up.add_metric([side], self._rounds.sides.are_up(side))
        yield up
        running = _gauge("rounds_running", "Rounds that run now.")
        running.add_metric([], self._rounds.board.running)
        yield running

    def _of_jobs(self) -> Iterator[Metric]:
        success = _gauge("last_success_timestamp_seconds", "When it last went well.", *_JOB)
        due = _gauge("overdue_timestamp_seconds", "When it is late, unless it succeeds.", *_JOB)
        failures = _gauge("failures", "Failed rounds in a row.", *_JOB)
        for entry in self._rounds.timetable.planned:
            standing = self._rounds.board[entry.key]
            last = standing.last_success
            success.add_metric(entry.key, last.timestamp() if last else 0)
            due.add_metric(entry.key, overdue_at(self._rounds.board, entry).timestamp())
            failures.add_metric(entry.key, standing.failures)
        yield from (success, due, failures)

    def _of_items(self) -> Iterator[Metric]:
        aside = _gauge("quarantined", "Items put aside.", *_JOB)
        pending = _gauge("pending", "Items still to be worked, such as notifications.", *_JOB)
        open_items = self._rounds.app.ledger.items.open_counts()
        for entry in self._rounds.timetable.planned:
            aside.add_metric(entry.key, open_items[(*entry.key, State.QUARANTINED)])
            pending.add_metric(entry.key, open_items[(*entry.key, State.PENDING)])
        yield from (aside, pending)

    def _cursor_ages(self) -> Metric:
        ages = _gauge("cursor_age_seconds", "How far back everything is known.", "account")
        for account in self._rounds.app.config.accounts:
            if cursor := self._rounds.app.ledger.cursors.get(account.name):
                ages.add_metric([account.name], (self._clock() - cursor).total_seconds())
        return ages

    def _throttle_waits(self) -> Iterator[Metric]:
        waits = _counter("throttle_waits", "Calls that waited for one of Amazon's rates.")
        seconds = _counter("throttle_wait_seconds", "How long they waited.")
        for labels, each in list(self._rounds.app.throttle.waits.items()):
            waits.add_metric(labels, each.count)
            seconds.add_metric(labels, each.seconds)
        yield from (waits, seconds)


def _gauge(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"amazon_bridge_{name}", meaning, labels=labels)


def _counter(name: str, meaning: str) -> CounterMetricFamily:
    labels = ("seller", "operation")
    return CounterMetricFamily(f"amazon_bridge_{name}", meaning, labels=labels)
