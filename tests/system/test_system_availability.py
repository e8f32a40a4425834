"""The daemon's runs over simulated hours, while one operation or a whole side does not respond."""

import heapq
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from memory_shop import MemoryShop
from stock_shop import NOW, StockShop

from amazon_bridge.config import AlertsConfig
from amazon_bridge.engine.records import DatabaseId
from amazon_bridge.flows.jobs import NAMES
from amazon_bridge.service import health
from amazon_bridge.service.alert_rules import AlertRules
from amazon_bridge.service.job_health import JobKey
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.scheduler import ScheduledJob, scheduled_jobs
from amazon_bridge.simulator import ManualClock

MINUTE = timedelta(minutes=1)


class HandScheduler:
    """Runs what is due when its clock is moved on, in this thread. Jobs run every five minutes."""

    def __init__(
        self, clock: ManualClock, planned: list[ScheduledJob], run: Callable[..., None]
    ) -> None:
        self.clock, self.planned, self._run = clock, planned, run
        self._order = count()
        self._due: list[tuple[datetime, int, str, Callable[..., None], tuple[str, ...]]] = []
        self._current: dict[str, int] = {}
        self.run_soon()

    def at(
        self, moment: datetime, what: Callable[..., None], *args: str, name: str, pool: str
    ) -> None:
        assert pool in {"calls", "probes", *NAMES}
        self._plan(moment, name, what, args)

    def run_soon(self, keys: Collection[JobKey] | None = None) -> None:
        for entry in self.planned:
            if keys is None or entry.key in keys:
                self._plan(self.clock(), entry.id, self._scheduled, entry.key)

    def shift(self, by: timedelta) -> None:
        self._due = [(at + by, *rest) for at, *rest in self._due]

    def _scheduled(self, *key: str) -> None:
        self._plan(self.clock() + 5 * MINUTE, ":".join(key), self._scheduled, key)
        self._run(*key)

    def _plan(self, at: datetime, name: str, what: Callable[..., None], args: Any) -> None:
        self._current[name] = number = next(self._order)
        heapq.heappush(self._due, (at, number, name, what, args))

    def pass_time(self, duration: timedelta) -> None:
        end = self.clock() + duration
        while self._due and self._due[0][0] <= end:
            at, number, name, what, args = heapq.heappop(self._due)
            if self._current.get(name) == number:
                del self._current[name]
                self.clock.now = max(self.clock.now, at)
                what(*args)
        self.clock.now = end


@pytest.fixture
def runner(here: MemoryShop) -> JobRunner:
    return runner_of(here)


def runner_of(here: MemoryShop) -> JobRunner:
    """The daemon's runner; its monotonic clock follows the wall clock until that is set."""
    runner = JobRunner(here.clock, lambda: here.clock().timestamp())
    runner.pause = lambda _: None  # type: ignore[method-assign]
    here.bridge.watch = runner.watch
    runner.app = here.bridge.app
    planned = scheduled_jobs(runner.app.config)
    runner.scheduler = HandScheduler(here.clock, planned, runner.queue)  # type: ignore[assignment]
    return runner


def pass_time(runner: JobRunner, duration: timedelta) -> None:
    runner.scheduler.pass_time(duration)  # type: ignore[attr-defined]


def searches(here: MemoryShop) -> int:
    return len(here.bridge.received("searchOrders"))


@pytest.mark.slow
def test_an_operation_that_fails_for_hours_costs_the_other_jobs_nothing(
    here: MemoryShop, runner: JobRunner
) -> None:
    order = here.world.place_order("FR")
    pass_time(runner, 11 * MINUTE)
    here.warehouse.cancel(order)
    here.simulator.faults.add("response", "getFeed", status=500, times=None)
    pass_time(runner, 20 * MINUTE)
    before, polls = searches(here), len(here.bridge.received("getFeed"))
    late = here.world.place_order("FR")
    pass_time(runner, timedelta(hours=3))
    assert searches(here) - before == 3 * 12, "one in each run of the orders, as scheduled"
    assert order.order_id in here.shop.sale_orders()
    assert late.order_id in here.shop.sale_orders()
    assert runner.availability.are_up("acme")
    assert runner.monitor["acme", "cancellations"].error
    assert len(here.bridge.received("getFeed")) - polls < 3 * 4 * 6, "ever more rarely"
    here.simulator.faults.clear()
    pass_time(runner, timedelta(hours=1))
    assert runner.monitor["acme", "cancellations"].error is None
    assert here.world.order(order.order_id).status == "CANCELLED"


def test_a_search_that_fails_for_hours_is_sent_less_often_and_stops_no_shipment(
    here: MemoryShop, runner: JobRunner
) -> None:
    order = here.world.place_order("FR")
    pass_time(runner, 6 * MINUTE)
    here.simulator.faults.add("response", "searchOrders", status=500, times=None)
    here.warehouse.ship(order)
    before = searches(here)
    pass_time(runner, timedelta(hours=1))
    assert 6 <= searches(here) - before < 12 * 6, "six in a run, ever more rarely"
    assert here.world.order(order.order_id).status == "SHIPPED"
    assert runner.availability.are_up("acme")
    here.simulator.faults.clear()
    late = here.world.place_order("FR")
    pass_time(runner, 20 * MINUTE)
    assert late.order_id in here.shop.sale_orders()


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1)])
def test_a_clock_that_is_set_while_a_remote_is_down_holds_nothing_up(
    here: MemoryShop, runner: JobRunner, jump: timedelta
) -> None:
    pass_time(runner, 6 * MINUTE)
    here.simulator.faults.add("response", status=503, times=None)
    pass_time(runner, 12 * MINUTE)
    assert not runner.availability.are_up("acme")
    down_since = runner.availability["acme"].down_since
    here.clock.now += jump
    runner.clock_was_set(jump)
    assert runner.availability["acme"].down_since == (down_since and down_since + jump)
    runner.scheduler.run_soon()
    here.simulator.faults.clear()
    pass_time(runner, 16 * MINUTE)
    assert runner.availability.are_up("acme")
    assert runner.monitor["acme", "pickings"].error is None


def test_a_daemon_that_refuses_another_database_says_so_at_once_and_everywhere(
    here: MemoryShop, runner: JobRunner
) -> None:
    pass_time(runner, 11 * MINUTE)
    other = DatabaseId("https://old.example.com", "other", "another-uuid")
    here.bridge.app.ledger.continuity.note_odoo_database(other)
    here.bridge.app.log_in_again()
    assert health.readiness_problems(runner, here.clock()) == []
    pass_time(runner, 6 * MINUTE)
    reasons = health.readiness_problems(runner, here.clock())
    assert any("orders" in each and "is another database" in each for each in reasons)
    stored = {each.job: each.last_error for each in here.bridge.app.ledger.runs.latest()}
    assert "is another database" in (stored["orders"] or "")
    rules = AlertRules(AlertsConfig(after_failures=100))
    assert "acme: orders fails" in str(rules.messages(runner, here.clock()))
    here.bridge.app.adopt(None)
    pass_time(runner, 11 * MINUTE)
    assert health.readiness_problems(runner, here.clock()) == []
    stored = {each.job: each.last_error for each in here.bridge.app.ledger.runs.latest()}
    assert stored["orders"] is None


STOCK = ("acme", "stock")


@pytest.fixture
def sending(here: MemoryShop) -> Iterator[JobRunner]:
    """Of an account that sends quantities, and knows no listing yet."""
    StockShop(here).offer("MUG-BLUE", 9)
    with here.bridge.configured(stock=NOW):
        yield runner_of(here)


def test_a_first_report_that_takes_long_is_waited_for(here: MemoryShop, sending: JobRunner) -> None:
    here.world.settings.report_work_time = 40 * 60
    pass_time(sending, 35 * MINUTE)
    assert health.readiness_problems(sending, here.clock()) == []
    assert sending.monitor[STOCK].last_success is None
    pass_time(sending, 10 * MINUTE)
    assert sending.monitor[STOCK].last_success
    assert health.readiness_problems(sending, here.clock()) == []


def test_a_report_that_never_comes_is_a_failure(here: MemoryShop, sending: JobRunner) -> None:
    here.world.settings.report_work_time = 100 * 3600
    pass_time(sending, 46 * MINUTE)
    (problem,) = health.readiness_problems(sending, here.clock())
    assert "Amazon has not made the report of listings of FR" in problem
    pass_time(sending, timedelta(hours=2))
    assert sending.monitor[STOCK].failures == 3, "although it waits again in between"
    assert sending.monitor[STOCK].last_success is None
