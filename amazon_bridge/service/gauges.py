"""Metrics that are read when Prometheus asks; ``docs/monitoring.md`` lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from amazon_bridge.app import ODOO
from amazon_bridge.engine.records import State
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.flows.pending import tally
from amazon_bridge.flows.ship_by.decide import counts
from amazon_bridge.job import EventCounter, Gauge, Job, Tally, load
from amazon_bridge.service import ship_by
from amazon_bridge.service.durations import histograms
from amazon_bridge.service.health import overdue_at
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.oldest import PENDING

_JOB = ("account", "job")


class Gauges:
    """Collects the current state of remotes, jobs, items, cursors and throttle."""

    def __init__(self, runner: JobRunner, clock: Callable[[], datetime]) -> None:
        self._runner = runner
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics: the interface of prometheus_client's collectors."""
        yield from self._remotes()
        yield from self._jobs()
        yield from self._items()
        yield self._oldest()
        yield from histograms(self._runner.app.ledger, self._runner.others())
        for job in JOBS:
            yield from self._of_job(job)
        yield self._orders_to_ship()
        yield from self._cursors()
        yield from self._throttle_waits()
        yield from self._leases()

    def _remotes(self) -> Iterator[Metric]:
        up = _gauge("side_up", "1 if the remote responds, else 0.", "side")
        for remote in (ODOO, *(account.name for account in self._runner.accounts())):
            up.add_metric([remote], self._runner.availability.are_up(remote))
        yield up
        running = _gauge("rounds_running", "Sync runs in progress.")
        running.add_metric([], self._runner.monitor.running)
        yield running

    def _jobs(self) -> Iterator[Metric]:
        success = _gauge("last_success_timestamp_seconds", "Unix time of the last success.", *_JOB)
        due = _gauge("overdue_timestamp_seconds", "Unix time from which the job is overdue.", *_JOB)
        failures = _gauge("failures", "Consecutive failed runs.", *_JOB)
        for entry in self._runner.scheduler.planned:
            health = self._runner.monitor[entry.key]
            last = health.last_success
            success.add_metric(entry.key, last.timestamp() if last else 0)
            due.add_metric(entry.key, overdue_at(self._runner.monitor, entry).timestamp())
            failures.add_metric(entry.key, health.failures)
        yield from (success, due, failures)

    def _items(self) -> Iterator[Metric]:
        quarantined = _gauge("quarantined", "Quarantined items.", *_JOB)
        pending = _gauge("pending", "Items still to be processed.", *_JOB)
        open_items = self._runner.app.ledger.items.open_counts()
        for entry in self._runner.scheduler.planned:
            quarantined.add_metric(entry.key, open_items[(*entry.key, State.QUARANTINED)])
            pending.add_metric(entry.key, open_items[(*entry.key, State.PENDING)])
        yield from (quarantined, pending)

    def _oldest(self) -> Metric:
        meaning = "Unix time since which the oldest open item of this kind is open."
        found = _gauge("oldest_open_timestamp_seconds", meaning, *_JOB, "kind")
        others = self._runner.others()
        of_ours = (
            each
            for each in self._runner.app.ledger.items.oldest_open()
            if each.account not in others
        )
        for each in of_ours:
            labels = [each.account, each.job, each.kind or PENDING]
            found.add_metric(labels, each.since.timestamp())
        return found

    def _of_job(self, job: Job) -> Iterator[Metric]:
        """The metrics that a job's description adds."""
        if job.tally:
            yield self._tally(job, job.tally)
        for counter in job.counters:
            yield self._counter(job, counter)
        for gauge in job.gauges:
            yield self._gauge(job, gauge)

    def _tally(self, job: Job, view: Tally) -> Metric:
        name = f"{job.name}_{view.noun.lower()}"
        meaning = f"{view.noun} of the {job.name} job, by state."
        numbers = _gauge(name, meaning, "account", "state")
        for account in self._accounts_with(job):
            for state, number in tally(self._runner.app.ledger, account, view).items():
                numbers.add_metric([account, state], number)
        return numbers

    def _counter(self, job: Job, counter: EventCounter) -> Metric:
        name = f"amazon_bridge_{job.name}_{counter.name}"
        found = CounterMetricFamily(name, counter.meaning, labels=["account"])
        for account in self._accounts_with(job):
            found.add_metric([account], load(counter.number)(self._runner.app.ledger, account))
        return found

    def _gauge(self, job: Job, gauge: Gauge) -> Metric:
        found = _gauge(f"{job.name}_{gauge.name}", gauge.meaning, "account", gauge.label)
        for account in self._accounts_with(job):
            numbers = load(gauge.numbers)(self._runner.app.ledger, account)
            for value, number in numbers.items():
                found.add_metric([account, value], number)
        return found

    def _accounts_with(self, job: Job) -> list[str]:
        return [each.name for each in self._runner.accounts() if each.is_active(job)]

    def _cursors(self) -> Iterator[Metric]:
        ages = _gauge("cursor_age_seconds", "How far the sync of orders is behind.", "account")
        left = _gauge("backlog_seconds", "Length of the back-log left to read.", "account")
        ledger = self._runner.app.ledger
        for account in self._runner.accounts():
            if synced_until := ledger.cursors.synced_until(account.name):
                ages.add_metric([account.name], (self._clock() - synced_until).total_seconds())
            backlog = ledger.lanes.backlog(account.name)
            left.add_metric([account.name], backlog.left.total_seconds() if backlog else 0)
        yield from (ages, left)

    def _orders_to_ship(self) -> Metric:
        meaning = "Merchant-fulfilled orders that are not shipped, by risk."
        found = _gauge("orders_to_ship", meaning, "account", "risk")
        now = self._clock()
        for account in self._runner.accounts():
            for risk, number in counts(ship_by.orders(self._runner, account), now).items():
                found.add_metric([account.name, risk], number)
        return found

    def _throttle_waits(self) -> Iterator[Metric]:
        waits = _counter("throttle_waits", "Calls delayed by one of Amazon's rate limits.")
        seconds = _counter("throttle_wait_seconds", "Total delay of these calls.")
        for labels, each in list(self._runner.app.throttle.waits.items()):
            waits.add_metric(labels, each.count)
            seconds.add_metric(labels, each.seconds)
        yield from (waits, seconds)

    def _leases(self) -> Iterator[Metric]:
        """Who works for which seller, where several daemons share the state store."""
        meaning = "Unix time since which a daemon works for a seller; 0 if none does."
        since = _gauge("lease_since_timestamp_seconds", meaning, "seller", "daemon")
        for seller, holding in self._runner.app.ledger.holdings.all().items():
            moment = holding.since.timestamp() if holding else 0
            since.add_metric([seller, holding.name if holding else ""], moment)
        yield since


def _gauge(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"amazon_bridge_{name}", meaning, labels=labels)


def _counter(name: str, meaning: str) -> CounterMetricFamily:
    labels = ("seller", "operation")
    return CounterMetricFamily(f"amazon_bridge_{name}", meaning, labels=labels)
