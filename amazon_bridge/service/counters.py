"""Metrics that are counted as events happen; ``docs/monitoring.md`` lists them."""

from __future__ import annotations

import platform

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

from amazon_bridge import __version__
from amazon_bridge.app import ODOO
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, BridgeError, RateLimited, Transient
from amazon_bridge.service.job_health import JobKey

_JOB = ("account", "job")
_ALWAYS_EXPORTED = ("created", "notified", "quarantined")
"""Outcomes exported as 0 from the first run on, so that no increase is missed."""


class Counters:
    """Counters and histograms of runs and remote calls, with their registry."""

    def __init__(self) -> None:
        # prometheus_client would export a `_created` series for every counter.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        build = Info("amazon_bridge_build", "The bridge's version.", registry=self.registry)
        build.info({"version": __version__, "python": platform.python_version()})
        self._runs = self._counter("rounds", "Sync runs, by result.", *_JOB, "result")
        self._items = self._counter("items", "Items processed, by outcome.", *_JOB, "outcome")
        self._seconds = Summary(
            "amazon_bridge_round_seconds", "Duration of sync runs.", _JOB, registry=self.registry
        )
        self._amazon = self._counter(
            "amazon_calls", "Calls to Amazon.", "account", "operation", "result"
        )
        self._odoo = self._counter("odoo_calls", "Calls to Odoo.", "operation", "result")
        self._latency = Histogram(
            "amazon_bridge_odoo_call_seconds",
            "Duration of calls to Odoo.",
            buckets=(0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
            registry=self.registry,
        )

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"amazon_bridge_{name}", meaning, labels, registry=self.registry)

    def count_run(self, key: JobKey, counts: Counts, seconds: float) -> None:
        self._runs.labels(*key, "failed" if counts.error else "ok").inc()
        self._seconds.labels(*key).observe(seconds)
        for outcome, number in counts.numbers().items():
            if number or outcome in _ALWAYS_EXPORTED:
                self._items.labels(*key, outcome).inc(number)

    def count_call(
        self, remote: str, operation: str, error: BridgeError | None, seconds: float
    ) -> None:
        if remote == ODOO:
            self._odoo.labels(operation, _result(error)).inc()
            self._latency.observe(seconds)
        else:
            self._amazon.labels(remote, operation, _result(error)).inc()


def _result(error: BridgeError | None) -> str:
    match error:
        case None:
            return "ok"
        case Transient():
            return "unavailable"
        case AccountError():
            return "account_refused"
        case RateLimited():
            return "rate_limited"
        case _:
            return "refused"
