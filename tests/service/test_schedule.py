"""When runs are due, late or held; availability of remotes, health of jobs. Without a process."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import tzlocal
from filled import HOUR, NOW, Clock, idle_runner, succeed
from hypothesis import given
from hypothesis import strategies as st
from memory_odoo import MemoryApp, MemoryDatabase, MemoryOdoo
from running import ACCOUNT, RunningDaemon, an_hour_ago, wait_for
from structlog.testing import capture_logs

from amazon_bridge.amazon.operations import LIMITS
from amazon_bridge.app import ODOO
from amazon_bridge.config import load
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, ItemError, Stopped, Transient
from amazon_bridge.engine.throttle import Limit, Throttle
from amazon_bridge.service import health, resumed_runs
from amazon_bridge.service.availability import FIRST_PAUSE, LONGEST_PAUSE, Availability
from amazon_bridge.service.health import (
    Heartbeat,
    liveness_problems,
    overdue_at,
    readiness_problems,
)
from amazon_bridge.service.job_health import JobMonitor
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.scheduler import PACE, WORKERS, ScheduledJob, Scheduler, starts
from amazon_bridge.service.sync_requests import SyncRequests
from amazon_bridge.simulator import Seller, Simulator, search

MINUTE = timedelta(minutes=1)
ORDERS = ("acme-eu", "orders")
DOWN = Transient("Odoo can't be reached.")

intervals = st.timedeltas(timedelta(seconds=1), timedelta(days=1))


@given(st.lists(intervals, min_size=1, max_size=700))
def test_no_two_jobs_begin_together_and_none_waits_longer_than_its_interval(
    schedules: list[timedelta],
):
    wanted = [ScheduledJob(f"a{n}", "orders", schedule) for n, schedule in enumerate(schedules)]
    begun = list(starts(wanted, NOW))
    assert begun[0] == NOW
    assert all(earlier < later for earlier, later in pairwise(begun))
    assert begun[-1] - NOW < min([*schedules, len(schedules) * PACE])


def test_an_interval_is_due_after_so_many_of_it():
    assert ScheduledJob("a", "orders", 5 * MINUTE).due(NOW, 3) == NOW + 15 * MINUTE


@pytest.fixture
def in_paris(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Europe/Paris")
        tzlocal.reload_localzone()
        yield
    tzlocal.reload_localzone()


@pytest.mark.parametrize(
    ("line", "times", "due"),
    [
        ("0 6 * * *", 1, datetime(2026, 11, 24, 5, tzinfo=UTC)),
        ("0 6 * * mon-fri", 5, datetime(2026, 11, 30, 5, tzinfo=UTC)),  # NOW is a Monday
        ("*/10 * * * *", 3, datetime(2026, 11, 23, 15, tzinfo=UTC)),
        ("0 6 1 4 *", 1, datetime(2027, 4, 1, 4, tzinfo=UTC)),  # in summer time
    ],
)
@pytest.mark.usefixtures("in_paris")
def test_a_cron_line_is_due_at_its_local_times(line: str, times: int, due: datetime):
    assert ScheduledJob("a", "orders", line).due(NOW, times) == due


@pytest.mark.parametrize(
    ("line", "night", "due"),
    [
        ("30 2 * * *", datetime(2027, 3, 27, 12, tzinfo=UTC), ["01:30", "00:30"]),  # at 3:30
        ("30 2 * * *", datetime(2027, 10, 30, 12, tzinfo=UTC), ["00:30", "01:30", "01:30"]),
        ("0 * * * *", datetime(2027, 3, 27, 23, 30, tzinfo=UTC), ["00:00", "01:00", "02:00"]),
        ("0 * * * *", datetime(2027, 10, 30, 23, 30, tzinfo=UTC), ["00:00", "01:00", "02:00"]),
    ],
)
@pytest.mark.usefixtures("in_paris")
def test_when_clocks_change_no_run_is_left_out(line: str, night: datetime, due: list[str]):
    """A time that is skipped is caught up; one that occurs twice is used twice."""
    entry = ScheduledJob("a", "orders", line)
    assert [f"{entry.due(night, n + 1):%H:%M}" for n in range(len(due))] == due


def test_a_job_is_late_when_it_was_due_three_times(tmp_path: Path):
    runner, clock = idle_runner(tmp_path)
    runner.watch("Odoo", "login", None, 0.1)
    for entry in runner.scheduler.planned:
        succeed(runner, *entry.key)
    clock.now = NOW + 10 * MINUTE
    succeed(runner, *ORDERS)
    clock.now = NOW + 16 * MINUTE
    assert readiness_problems(runner, clock.now) == []
    clock.now += timedelta(seconds=1)
    late = readiness_problems(runner, clock.now)
    assert len(late) == 8
    assert "acme-eu, cancellations: last success 2026-11-23T14:37:00Z." in late
    runner.monitor.begin(("acme-eu", "cancellations"))
    assert len(readiness_problems(runner, clock.now)) == 7  # it is running


def test_a_daemon_that_was_away_gets_time_to_catch_up(tmp_path: Path):
    runner, clock = idle_runner(tmp_path)
    counts = Counts()
    long_ago = NOW - 100 * HOUR
    runner.app.ledger.runs.record(*ORDERS, started=long_ago, finished=long_ago, counts=counts)
    runner.monitor.remember(runner.app.ledger.runs.latest())
    entry = runner.scheduler.planned[0]
    assert overdue_at(runner.monitor, entry) == NOW + 16 * MINUTE
    clock.now = NOW + 17 * MINUTE
    shown = [
        reason for reason in readiness_problems(runner, clock.now) if "acme-eu, orders" in reason
    ]
    assert shown == ["acme-eu, orders: last success 2026-11-19T10:37:00Z."]


def test_a_failing_job_is_logged_when_it_begins_changes_and_ends():
    monitor = JobMonitor(Clock())
    with capture_logs() as logs:
        for error in ("no route", "no route", "no route", "no team", None, None):
            monitor.begin(ORDERS)
            monitor.end(ORDERS, Counts(error=error))
    assert [(each["event"], each.get("reason")) for each in logs] == [
        ("job_failing", "no route"),
        ("job_failing", "no team"),
        ("job_recovered", None),
    ]


def test_a_stopped_run_reports_nothing():
    monitor = JobMonitor(Clock())
    monitor.begin(ORDERS)
    monitor.end(ORDERS, Counts(error="no route"))
    before = monitor[ORDERS]
    monitor.begin(ORDERS)
    monitor.end(ORDERS, None)
    assert monitor[ORDERS] == before


LIMITED = Counts(seen=100, resume_in=60, rate_limited=True)
STALLED = Counts(resume_in=60, rate_limited=True, stalled=True)


def test_a_run_that_a_rate_limit_ended_at_once_is_neither_a_success_nor_a_failure(tmp_path: Path):
    runner, clock = idle_runner(tmp_path)
    succeed(runner, *ORDERS)
    succeed(runner, *ORDERS, error="no route")
    before = runner.monitor[ORDERS]
    clock.now += MINUTE
    for _ in range(2):
        runner.monitor.begin(ORDERS)
        runner.monitor.end(ORDERS, STALLED)
    after = runner.monitor[ORDERS]
    assert (after.last_success, after.failing_since) == (NOW, NOW)
    assert (after.failures, after.error, after.is_stalled) == (1, before.error, True)
    runner.monitor.begin(ORDERS)
    runner.monitor.end(ORDERS, LIMITED)
    after = runner.monitor[ORDERS]
    assert (after.last_success, after.failures, after.is_stalled) == (clock.now, 0, False)


def test_a_job_that_never_gets_a_call_is_late(tmp_path: Path):
    runner, clock = idle_runner(tmp_path)
    succeed(runner, *ORDERS)
    runner.monitor.begin(ORDERS)
    runner.monitor.end(ORDERS, STALLED)
    clock.now += 17 * MINUTE
    (reason,) = (each for each in readiness_problems(runner, clock.now) if "eu, orders" in each)
    assert "Amazon's rates allow no call" in reason


def test_calls_besides_the_schedule_move_with_the_clock():
    scheduler, done = Scheduler(lambda: datetime.now(UTC)), []
    scheduler.start()
    in_an_hour = datetime.now(UTC) + HOUR
    scheduler.at(in_an_hour, lambda *key: done.append(key), *ORDERS, name="again", pool="orders")
    scheduler.at(in_an_hour, done.append, "acme-eu", name="probe", pool="probes")
    scheduler.shift(-HOUR)
    wait_for(lambda: sorted(map(str, done)) == [str(ORDERS), "acme-eu"])
    scheduler.stop()


def test_a_remote_is_down_when_a_run_failed_by_it_and_up_when_it_responds():
    clock = Clock()
    availability = Availability(clock)
    with capture_logs() as logs:
        availability.note_call("Odoo", DOWN)
        assert availability.are_up("Odoo")  # a call that is retried does not prove an outage
        assert availability.mark_down("Odoo")
        assert not availability.mark_down("Odoo")
        assert availability.are_up("acme-eu")
        assert not availability.are_up("Odoo", "acme-eu")
        clock.now += MINUTE
        availability.note_call(
            "Odoo", AccountError("The login is refused.")
        )  # a refusal is a response
        assert availability.note_probe("Odoo", responded=True)
    assert availability.are_up("Odoo", "acme-eu")
    assert [each["event"] for each in logs] == ["remote_unavailable", "remote_recovered"]
    assert logs[1]["seconds"] == 60


def test_a_remote_that_responds_is_not_to_blame():
    availability = Availability(Clock())
    availability.note_call("Odoo", DOWN)
    availability.note_call("Odoo", ItemError("odoo_refused", "No.", "Correct it."))
    assert not availability.mark_down("Odoo")
    assert not availability.mark_down("never called")


def test_a_remote_is_probed_ever_more_rarely_up_to_a_bound():
    availability = Availability(Clock())
    availability.note_call("Odoo", DOWN)
    availability.mark_down("Odoo")
    pauses = []
    for _ in range(10):
        pauses.append(availability["Odoo"].pause)
        assert not availability.note_probe("Odoo", responded=False)
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE


def test_a_stuck_run_and_a_dead_scheduler_are_liveness_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    runner, _ = idle_runner(tmp_path)
    heartbeat = Heartbeat()
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    heartbeat.beat()
    runner.monitor.begin(ORDERS)
    now[0] += 59
    assert liveness_problems(runner, heartbeat) == []
    now[0] += 2
    assert liveness_problems(runner, heartbeat) == ["The scheduler has not run for 60 seconds."]
    now[0] += 400  # the time-out is 120 s
    heartbeat.beat()
    assert liveness_problems(runner, heartbeat) == [
        "A sync run has made no progress for 461 seconds."
    ]
    runner.monitor.note_progress()
    assert liveness_problems(runner, heartbeat) == []


def test_progress_is_noted_of_each_run_for_itself(tmp_path: Path):
    monitor = JobMonitor(Clock())
    hold, begun_at = threading.Event(), time.monotonic()

    def work() -> None:
        monitor.begin(("acme-us", "orders"))
        hold.wait(60)
        monitor.end(("acme-us", "orders"), Counts())

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: monitor.running == 1)
    time.sleep(0.1)
    monitor.begin(ORDERS)
    monitor.note_progress()
    assert monitor.longest_silence >= 0.1  # the other's
    hold.set()
    thread.join()
    assert monitor.longest_silence <= time.monotonic() - begun_at - 0.1


def test_a_pause_ends_at_once_when_the_daemon_stops():
    runner = JobRunner(Clock())
    begun = time.monotonic()
    threading.Timer(0.1, runner.stopping.set).start()
    with pytest.raises(Stopped):
        runner.pause(60)
    assert time.monotonic() - begun < 30


def test_the_report_is_what_machines_read(tmp_path: Path):
    runner, clock = idle_runner(tmp_path)
    runner.watch("Odoo", "login", DOWN, 1)
    runner.availability.mark_down("Odoo")
    report = health.report(runner, clock.now)
    assert report["ready"] is False
    assert report["reasons"] == [
        "Odoo has been down since 2026-11-23T14:37:00Z: Odoo can't be reached."
    ]
    assert report["sides"]["Odoo"]["down_since"] == "2026-11-23T14:37:00Z"
    assert report["sides"]["Amazon for acme-eu"]["up"] is True
    assert {job["account"] for job in report["jobs"]} == {"acme-eu", "acme-us", "acme-jp"}


# Runs between an Odoo in memory and a simulated Amazon


class InMemoryApp(MemoryApp):
    def __init__(self, *args: Any, **options: Any) -> None:
        self.server = MemoryOdoo()
        super().__init__(*args, **options)


def orders_runner(folder: Path, simulator: Simulator, seller: Seller, **options: Any) -> JobRunner:
    """Its account is set up in Odoo, and its jobs are not planned."""
    values = {"amazon": simulator.url, "countries": "FR", "every": "1h", "start": an_hour_ago()}
    accounts = ACCOUNT.format(name="acme-eu", seller=seller, **values)
    RunningDaemon(folder, MemoryDatabase().access(), accounts).write()
    runner = JobRunner(lambda: datetime.now(UTC))
    config = load(folder / "bridge.yaml", {})
    runner.app = InMemoryApp(config, clock=runner.clock, **options)
    runner.app.setups.get(config.accounts[0])
    return runner


def place_orders(simulator: Simulator, number: int) -> None:
    earlier = datetime.now(UTC) - 3 * MINUTE
    for _ in range(number):
        simulator.world.place_order(created=earlier, last_updated=earlier)


def test_calls_of_a_runs_other_threads_are_its_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, simulator: Simulator, seller: Seller
):
    monkeypatch.setattr(search, "_page_size", lambda _: 10)
    place_orders(simulator, 20)
    silences, its_thread = [], threading.get_ident()

    def watch(*call: Any) -> None:
        if threading.get_ident() == its_thread:
            runner.watch(*call)
        else:
            time.sleep(0.1)
            runner.watch(*call)
            silences.append(runner.monitor.longest_silence)

    runner = orders_runner(tmp_path, simulator, seller, watch=watch)
    runner.run_now(*ORDERS)
    assert len(silences) >= 10, "the first page is processed in another thread"
    assert silences[-1] < 0.1 * len(silences) / 2
    assert runner.monitor.running == 0
    runner.app.close()


@dataclass
class Blocked:
    """Blocks the calls to Odoo."""

    is_open: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)

    def watch(self, remote: str, *_: Any) -> None:
        if remote == ODOO:
            self.begun.set()
            assert self.is_open.wait(60)


@pytest.fixture
def blocked(
    tmp_path: Path, simulator: Simulator, seller: Seller
) -> Iterator[tuple[JobRunner, Blocked]]:
    """Its jobs are planned every hour; the first run of orders is in progress."""
    calls = Blocked()
    calls.is_open.set()
    runner = orders_runner(tmp_path, simulator, seller, watch=calls.watch)
    calls.is_open.clear()
    calls.begun.clear()
    place_orders(simulator, 1)
    planned = [each for each in runner.scheduled_jobs() if each.key == ORDERS]
    runner.scheduler.plan(planned, runner.monitor, runner.queue)
    runner.scheduler.start()
    assert calls.begun.wait(60)
    yield runner, calls
    runner.stopping.set()
    calls.is_open.set()
    wait_for(lambda: runner.monitor.running == 0)
    runner.scheduler.stop()
    runner.app.close()


def finished_runs(runner: JobRunner) -> float:
    labels = dict(zip(("account", "job"), ORDERS, strict=True))
    value = runner.counters.registry.get_sample_value("amazon_bridge_round_seconds_count", labels)
    return value or 0


def test_a_run_that_becomes_due_during_another_one_follows_it_once(
    blocked: tuple[JobRunner, Blocked],
):
    runner, calls = blocked
    for _ in range(3):
        runner.scheduler.run_soon()
        time.sleep(0.1)
    calls.is_open.set()
    wait_for(lambda: finished_runs(runner) == 2)
    time.sleep(0.3)
    assert finished_runs(runner) == 2


def test_a_run_that_a_new_plan_begins_with_is_not_lost(blocked: tuple[JobRunner, Blocked]):
    runner, calls = blocked
    runner.scheduler.plan(list(runner.scheduler.planned), runner.monitor, runner.queue)
    time.sleep(0.1)
    calls.is_open.set()
    wait_for(lambda: finished_runs(runner) == 2)


def test_a_run_that_is_due_keeps_no_worker_from_other_accounts(
    blocked: tuple[JobRunner, Blocked],
):
    runner, calls = blocked
    begun = time.monotonic()
    runner.queue(*ORDERS)
    assert time.monotonic() - begun < 30
    assert (runner.monitor.running, calls.is_open.is_set()) == (1, False)


def test_a_run_that_waits_for_a_worker_is_queued_once(
    tmp_path: Path, simulator: Simulator, seller: Seller
):
    """Its schedule comes round several times meanwhile."""
    runner, is_free = orders_runner(tmp_path, simulator, seller), threading.Event()
    runner.scheduler.start()
    for number in range(WORKERS):
        name = f"another account {number}"
        runner.scheduler.at(runner.clock(), lambda: is_free.wait(60), name=name, pool="orders")
    time.sleep(0.3)
    for _ in range(3):
        runner.queue(*ORDERS)
        time.sleep(0.1)
    assert finished_runs(runner) == 0
    is_free.set()
    wait_for(lambda: finished_runs(runner) >= 1)
    time.sleep(0.5)
    assert finished_runs(runner) == 1
    runner.stopping.set()
    runner.scheduler.stop()
    runner.app.close()


def test_planning_anew_does_not_postpone_what_is_planned():
    scheduler, done = Scheduler(lambda: datetime.now(UTC)), []

    def tick() -> None:
        done.append(1)

    scheduler.start()
    jobs = [ScheduledJob("acme", "orders", HOUR), ScheduledJob("beta", "orders", HOUR)]
    scheduler.plan(jobs, JobMonitor(lambda: datetime.now(UTC)), lambda *key: done.append(key))
    for _ in range(12):  # beta begins 0.2 s after acme
        scheduler.every(timedelta(seconds=0.5), tick)
        scheduler.run_soon()
        time.sleep(0.1)
    scheduler.stop()
    assert done.count(1) >= 1
    assert done.count(("beta", "orders")) >= 2


def test_a_call_that_plans_itself_anew_for_now_is_not_lost():
    scheduler, done = Scheduler(lambda: datetime.now(UTC)), []

    def again() -> None:
        done.append(1)
        if len(done) < 2:
            scheduler.at(datetime.now(UTC), again, name="again", pool="requests")
            time.sleep(0.3)  # its end

    scheduler.start()
    scheduler.at(datetime.now(UTC), again, name="again", pool="requests")
    wait_for(lambda: len(done) == 2, seconds=10)
    scheduler.stop()


@pytest.fixture
def limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, simulator: Simulator, seller: Seller
) -> Iterator[JobRunner]:
    """Has orders to import, but no call of searchOrders left for six seconds."""
    monkeypatch.setattr(resumed_runs, "_SHORTEST_PAUSE", 0.0)
    place_orders(simulator, 2)
    simulator.settings.rate_multiplier = 1 / 6 / LIMITS["searchOrders"].rate
    throttle = Throttle(LIMITS | {"searchOrders": Limit(1 / 6, 1)})
    runner = orders_runner(tmp_path, simulator, seller, throttle=throttle)
    throttle.wait(seller.seller_id, "searchOrders")
    runner.scheduler.start()
    yield runner
    runner.scheduler.stop()
    runner.app.close()


def test_a_run_that_a_rate_limit_ended_is_scheduled_again_and_has_not_failed(limited: JobRunner):
    limited.queue(*ORDERS)
    assert limited.app.ledger.statistics.by_hour(NOW).total() == 0
    wait_for(lambda: limited.app.ledger.statistics.by_hour(NOW).total() == 2)
    wait_for(lambda: limited.monitor.running == 0)
    assert limited.monitor[ORDERS].failures == 0
    assert limited.monitor[ORDERS].last_success


def test_a_sync_request_gets_the_sum_of_its_runs(limited: JobRunner):
    requests = SyncRequests(limited)
    accepted = requests.accept(b'{"job": "orders", "account": "acme-eu"}')
    name = json.loads(accepted.data)["id"]
    wait_for(lambda: requests.result(name).status_code == 200)
    done = json.loads(requests.result(name).data)["accounts"]["acme-eu"]["orders"]
    assert (done["created"], done["error"]) == (2, None)
