from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alert_receiver import Receiver, receiving
from filled import CLAIMED, FR, HOUR, NOW, SENDING, Clock, idle_runner, succeed
from postgresql_server import Server
from pydantic import SecretStr
from running import wait_for
from structlog.testing import capture_logs

from amazon_bridge.config import AlertsConfig
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import ConfigError, StorageError, Transient
from amazon_bridge.engine.records import Alert, Seen
from amazon_bridge.service.alert_rules import AlertRules
from amazon_bridge.service.alerts import (
    AlertQueue,
    Alerts,
    DeadMansSwitch,
    Receivers,
    apprise_sender,
)
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.leases import AllSellers

MINUTE = timedelta(minutes=1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def idle(tmp_path: Path) -> tuple[JobRunner, Clock]:
    return idle_runner(tmp_path)


def titles(rules: AlertRules, runner: JobRunner, clock: Clock) -> list[str]:
    return [title for title, _ in rules.messages(runner, clock.now)]


def report_quarantined(rules: AlertRules, runner: JobRunner, clock: Clock) -> None:
    """Let what is quarantined be reported."""
    assert titles(rules, runner, clock) == []
    clock.now += 15 * MINUTE
    assert titles(rules, runner, clock) == ["1 item was quarantined"]


def test_a_job_that_fails_so_often_is_reported_once_and_again_when_it_works(
    idle: tuple[JobRunner, Clock],
):
    runner, clock = idle
    rules = AlertRules(AlertsConfig(after_failures=3))
    for failures in range(1, 6):
        succeed(runner, "acme-eu", "orders", error="Odoo lacks a route.")
        sent_titles = titles(rules, runner, clock)
        assert sent_titles == (["acme-eu: orders fails"] if failures == 3 else [])
    succeed(runner, "acme-eu", "orders")
    assert titles(rules, runner, clock) == ["Resolved: acme-eu: orders fails"]
    assert titles(rules, runner, clock) == []


def test_a_job_that_fails_for_so_long_is_reported_although_it_seldom_runs(
    idle: tuple[JobRunner, Clock],
):
    runner, clock = idle
    rules = AlertRules(AlertsConfig(after=timedelta(hours=2)))
    succeed(runner, "acme-eu", "orders", error="Odoo lacks a route.")
    assert titles(rules, runner, clock) == []
    clock.now = NOW + 2 * HOUR
    assert rules.messages(runner, clock.now) == [
        ("acme-eu: orders fails", "1 failed run in a row. Last error: Odoo lacks a route.")
    ]


def test_quantities_that_were_not_compared_for_long_are_reported(tmp_path: Path):
    runner, clock = idle_runner(tmp_path, SENDING)
    rules = AlertRules(AlertsConfig())
    for account in ("acme-eu", "acme-us", "acme-jp"):
        succeed(runner, account, "stock")
    clock.now = NOW + 5 * HOUR
    for account in ("acme-us", "acme-jp"):
        succeed(runner, account, "stock")
    assert titles(rules, runner, clock) == []
    clock.now = NOW + 6 * HOUR
    assert titles(rules, runner, clock) == ["acme-eu: quantities are stale"]
    succeed(runner, "acme-eu", "stock")
    assert titles(rules, runner, clock) == ["Resolved: acme-eu: quantities are stale"]


def test_a_remote_that_is_down_is_reported_once_for_all_jobs_that_need_it(
    idle: tuple[JobRunner, Clock],
):
    runner, clock = idle
    rules = AlertRules(AlertsConfig(after_failures=1))
    for entry in runner.scheduler.planned:
        succeed(runner, *entry.key, error="Odoo can't be reached.")
    runner.watch("Odoo", "login", Transient("Odoo can't be reached."), 1)
    runner.availability.mark_down("Odoo")
    assert titles(rules, runner, clock) == []
    clock.now = NOW + HOUR
    assert rules.messages(runner, clock.now) == [
        ("Odoo is down", "Since 2026-11-23 14:37 UTC: Odoo can't be reached.")
    ]
    runner.watch("Odoo", "login", None, 1)
    runner.availability.note_probe("Odoo", responded=True)
    for entry in runner.scheduler.planned:
        succeed(runner, *entry.key)
    assert titles(rules, runner, clock) == ["Resolved: Odoo is down"]


def test_many_failures_are_one_message(idle: tuple[JobRunner, Clock]):
    runner, clock = idle
    rules = AlertRules(AlertsConfig(after_failures=1))
    for entry in runner.scheduler.planned:
        succeed(runner, *entry.key, error="Odoo lacks a route.")
    (message,) = rules.messages(runner, clock.now)
    assert message[0] == "9 changes"
    assert "acme-jp: pickings fails\n1 failed run in a row." in message[1]


def test_quarantined_items_are_collected_into_one_message(idle: tuple[JobRunner, Clock]):
    runner, clock = idle
    rules = AlertRules(AlertsConfig())
    runner.app.ledger.items.quarantine("acme-eu", "orders", "known", CLAIMED)
    report_quarantined(rules, runner, clock)
    runner.app.ledger.items.quarantine("acme-eu", "orders", "first", CLAIMED)
    assert titles(rules, runner, clock) == []
    clock.now += 10 * MINUTE
    runner.app.ledger.items.quarantine("acme-us", "orders", "second", CLAIMED)
    assert titles(rules, runner, clock) == []
    clock.now += 5 * MINUTE
    ((title, body),) = rules.messages(runner, clock.now)
    assert title == "2 items were quarantined"
    assert ("known" in body, "first" in body, "second" in body) == (False, True, True)
    assert "\nhttps://sellercentral.amazon.com/orders-v3/order/second" in body
    clock.now += HOUR
    assert titles(rules, runner, clock) == []


def test_an_item_quarantined_again_is_reported_again(idle: tuple[JobRunner, Clock]):
    runner, clock = idle
    ledger = runner.app.ledger
    rules = AlertRules(AlertsConfig())
    ledger.items.quarantine("acme-eu", "orders", "known", CLAIMED)
    report_quarantined(rules, runner, clock)
    ledger.items.retry("known")
    assert titles(rules, runner, clock) == []
    ledger.items.quarantine("acme-eu", "orders", "known", CLAIMED)
    assert titles(rules, runner, clock) == []
    clock.now += 15 * MINUTE
    assert titles(rules, runner, clock) == ["1 item was quarantined"]


def test_orders_are_reported_before_they_are_late(idle: tuple[JobRunner, Clock]):
    runner, clock = idle
    items = runner.app.ledger.items
    rules = AlertRules(AlertsConfig(before_ship_by=4 * HOUR))
    due = Seen("403-1", "f", due=NOW + 5 * HOUR, marketplace=FR)
    items.file("acme-eu", "orders", [due, due._replace(key="403-2", due=NOW + 24 * HOUR)])
    assert titles(rules, runner, clock) == []
    clock.now += HOUR
    order = "https://sellercentral-europe.amazon.com/orders-v3/order/403-1"
    assert rules.messages(runner, clock.now) == [
        (
            "1 order has to be shipped now",
            f"403-1 (acme-eu, FR): ship by 2026-11-23 19:37 UTC; not imported yet\n{order}",
        )
    ]
    clock.now += 5 * HOUR
    assert titles(rules, runner, clock) == [], "once"
    items.file("acme-eu", "orders", [due._replace(fingerprint="shipped", due=None)])
    clock.now += 24 * HOUR
    assert titles(rules, runner, clock) == ["1 order has to be shipped now"]
    assert titles(AlertRules(AlertsConfig(before_ship_by=None)), runner, clock) == []


def test_a_dead_mans_switch_hears_of_start_success_and_failure(receiver: Receiver):
    queue = AlertQueue()
    url = SecretStr(f"http://127.0.0.1:{receiver.port}/uuid")
    switch = DeadMansSwitch(url, queue)
    switch.start()
    switch.report([])
    switch.report(["Odoo is down.", "acme-eu is late."])
    queue.close(seconds=10)
    assert receiver.got == [
        ("/uuid/start", ""),
        ("/uuid", ""),
        ("/uuid/fail", "Odoo is down.\nacme-eu is late."),
    ]


def test_messages_go_out_through_apprise(idle: tuple[JobRunner, Clock], receiver: Receiver):
    runner, clock = idle
    webhook = SecretStr(f"json://127.0.0.1:{receiver.port}/hook")
    config = AlertsConfig(notify=(webhook,), after_failures=1)
    alerts = Alerts(runner)
    alerts.use(Receivers.of(config))
    succeed(runner, "acme-eu", "orders", error="Odoo lacks a route.")
    alerts.check(clock.now)
    succeed(runner, "acme-eu", "orders")
    alerts.check(clock.now)
    alerts.close(seconds=10)
    (path, body), (_, end) = receiver.got
    assert path == "/hook"
    assert json.loads(body)["title"] == "amazon-bridge: acme-eu: orders fails"
    assert "Odoo lacks a route." in json.loads(body)["message"]
    assert json.loads(end)["title"] == "amazon-bridge: Resolved: acme-eu: orders fails"
    assert json.loads(end)["message"] == "It was reported on 2026-11-23 14:37 UTC."


@pytest.mark.parametrize(
    ("form", "shown"), [("text", "<b>[/web]</b> & x"), ("html", "&lt;b&gt;[/web]&lt;/b&gt; &amp;")]
)
def test_receivers_of_html_get_no_markup_from_outside(receiver: Receiver, form: str, shown: str):
    url = SecretStr(f"json://127.0.0.1:{receiver.port}/hook?format={form}")
    assert apprise_sender([url])("title", "<b>[/web]</b> & x")
    ((_, body),) = receiver.got
    assert shown in json.loads(body)["message"].replace("&nbsp;", " ")


def test_what_cant_be_delivered_is_tried_again_said_once_and_holds_nobody_up():
    tries: list[int] = []

    def fail() -> bool:
        tries.append(1)
        raise OSError("https://user:secret@example.com can't be reached")

    with capture_logs() as logs:
        queue = AlertQueue(pause=0)
        for _ in range(500):  # more than it keeps
            queue.put(fail)
        queue.close(seconds=10)
        wait_for(lambda: len(tries) >= 3)
    warnings = [each for each in logs if each["log_level"] == "warning"]
    assert warnings == [{"event": "alert_undeliverable", "log_level": "warning"}]
    assert "secret" not in str(logs)


def test_the_end_of_the_queue_is_no_delivery():
    with capture_logs() as logs:
        queue = AlertQueue(pause=0)
        queue.put(lambda: False)
        wait_for(lambda: logs)
        queue.close(seconds=10)
    assert [each["event"] for each in logs] == ["alert_undeliverable"]


def test_messages_that_are_not_sent_when_the_daemon_ends_are_reported():
    is_over = threading.Event()
    with capture_logs() as logs:
        queue = AlertQueue()
        queue.put(lambda: is_over.wait(60))
        queue.put(lambda: True)
        queue.close(seconds=0.1)
        is_over.set()
    assert [each["event"] for each in logs] == ["alerts_dropped"]


def test_an_address_that_apprise_doesnt_know_is_refused_without_showing_it():
    with pytest.raises(ConfigError, match=r"alerts\.notify\[0\]") as caught:
        apprise_sender([SecretStr("nothing://secret")])
    assert "secret" not in str(caught.value)


def again(idle: tuple[JobRunner, Clock]) -> JobRunner:
    """The daemon after a restart, or another one with the same state store."""
    runner, clock = idle
    other = JobRunner(clock)
    other.app = runner.app
    other.monitor.remember(runner.app.ledger.runs.latest())
    other.scheduler.plan(other.scheduled_jobs(), other.monitor, other.queue)
    return other


def run(runner: JobRunner, clock: Clock, error: str | None = None) -> None:
    """A run of a job, which the state store and the daemon record."""
    counts = Counts(error=error)
    runner.app.ledger.runs.record(
        "acme-eu", "orders", started=clock.now, finished=clock.now, counts=counts
    )
    succeed(runner, "acme-eu", "orders", error=error)


def report_failure(idle: tuple[JobRunner, Clock]) -> AlertRules:
    """Let a job fail, and be reported."""
    runner, clock = idle
    rules = AlertRules(AlertsConfig(after_failures=1))
    run(runner, clock, "Odoo lacks a route.")
    assert titles(rules, runner, clock) == ["acme-eu: orders fails"]
    return rules


def test_a_problem_is_reported_once_and_its_end_once_whoever_sees_them(
    idle: tuple[JobRunner, Clock],
):
    runner, clock = idle
    for _ in range(3):
        run(runner, clock, "Odoo lacks a route.")
    assert titles(AlertRules(AlertsConfig()), runner, clock) == ["acme-eu: orders fails"]
    other, rules = again(idle), AlertRules(AlertsConfig())
    clock.now += MINUTE
    assert titles(rules, other, clock) == [], "it has not run since"
    for _ in range(5):
        run(other, clock, "Odoo lacks a route.")
        assert titles(rules, other, clock) == [], "it was reported"
    run(other, clock)
    assert titles(rules, other, clock) == ["Resolved: acme-eu: orders fails"]
    assert titles(AlertRules(AlertsConfig()), again(idle), clock) == []


def test_a_problem_that_ended_while_nobody_watched_is_resolved(idle: tuple[JobRunner, Clock]):
    runner, clock = idle
    for _ in range(3):
        run(runner, clock, "Odoo lacks a route.")
    assert titles(AlertRules(AlertsConfig()), runner, clock) == ["acme-eu: orders fails"]
    clock.now += MINUTE
    run(runner, clock)
    resolved = ["Resolved: acme-eu: orders fails"]
    assert titles(AlertRules(AlertsConfig()), again(idle), clock) == resolved


def test_an_account_that_is_down_is_so_until_amazon_responds(idle: tuple[JobRunner, Clock]):
    runner, clock = idle
    runner.watch("acme-eu", "searchOrders", Transient("It can't be reached."), 1)
    runner.availability.mark_down("acme-eu")
    clock.now += HOUR
    assert titles(AlertRules(AlertsConfig()), runner, clock) == ["Amazon for acme-eu is down"]
    other, rules = again(idle), AlertRules(AlertsConfig())
    assert titles(rules, other, clock) == [], "it was not called since"
    other.watch("acme-eu", "searchOrders", None, 1)
    assert titles(rules, other, clock) == ["Resolved: Amazon for acme-eu is down"]


def test_a_job_that_was_switched_off_fails_no_more(idle: tuple[JobRunner, Clock]):
    runner, clock = idle
    rules = report_failure(idle)
    runner.scheduler.planned.clear()
    assert titles(rules, runner, clock) == ["Resolved: acme-eu: orders fails"]


def test_a_problem_goes_on_while_odoo_is_down(idle: tuple[JobRunner, Clock]):
    runner, clock = idle
    rules = report_failure(idle)
    runner.watch("Odoo", "login", Transient("Odoo can't be reached."), 1)
    runner.availability.mark_down("Odoo")
    assert titles(rules, runner, clock) == []


def test_what_another_version_reported_is_resolved_or_left_alone(idle: tuple[JobRunner, Clock]):
    runner, clock = idle
    alerts = runner.app.ledger.alerts
    of_other_job, of_other_kind = Alert("acme-eu", "stale", "prices"), Alert("acme-eu", "noise")
    alerts.note(begun=[of_other_job, of_other_kind], ended=[])
    resolved = ["Resolved: acme-eu: prices are stale"]
    assert titles(AlertRules(AlertsConfig()), runner, clock) == resolved
    assert set(alerts.known(["acme-eu"])) == {of_other_kind}


def test_what_was_quarantined_is_reported_by_one_daemon_alone(idle: tuple[JobRunner, Clock]):
    """By the next one, if the first had no time for it."""
    runner, clock = idle
    items = runner.app.ledger.items
    items.quarantine("acme-eu", "orders", "reported", CLAIMED)
    report_quarantined(AlertRules(AlertsConfig()), runner, clock)
    items.quarantine("acme-eu", "orders", "just now", CLAIMED)
    assert titles(AlertRules(AlertsConfig()), runner, clock) == []
    rules = AlertRules(AlertsConfig())
    assert titles(rules, again(idle), clock) == []
    clock.now += 15 * MINUTE
    (message,) = rules.messages(again(idle), clock.now)
    assert ("just now" in message[1], "reported" in message[1]) == (True, False)


def test_orders_to_ship_are_reported_by_one_daemon_alone(idle: tuple[JobRunner, Clock]):
    runner, clock = idle
    due = Seen("403-1", "f", due=NOW + HOUR, marketplace=FR)
    runner.app.ledger.items.file("acme-eu", "orders", [due])
    config = AlertsConfig(before_ship_by=4 * HOUR)
    assert titles(AlertRules(config), runner, clock) == ["1 order has to be shipped now"]
    assert titles(AlertRules(config), again(idle), clock) == []


def test_a_daemon_reports_only_of_the_accounts_that_it_works_for(idle: tuple[JobRunner, Clock]):
    runner, clock = idle
    held = {runner.app.config.account("acme-eu").seller_id}
    runner.leases = Held(held)
    rules = AlertRules(AlertsConfig(after_failures=1))
    items = runner.app.ledger.items
    items.quarantine("acme-eu", "orders", "mine", CLAIMED)
    items.quarantine("acme-us", "orders", "another's", CLAIMED)
    report_quarantined(rules, runner, clock)
    run(runner, clock, "Odoo lacks a route.")
    assert titles(rules, runner, clock) == ["acme-eu: orders fails"]
    held.clear()
    runner.scheduler.planned.clear()
    assert titles(rules, runner, clock) == [], "nothing is resolved: another daemon has it"


def test_a_state_store_that_cant_be_written_keeps_no_alert_back(idle: tuple[JobRunner, Clock]):
    runner, clock = idle
    rules = AlertRules(AlertsConfig(after_failures=1))
    driver = runner.app.ledger._database._driver  # type: ignore[attr-defined]
    driver.execute("PRAGMA query_only = ON")
    succeed(runner, "acme-eu", "orders", error="The state store can't be written.")
    assert titles(rules, runner, clock) == ["acme-eu: orders fails"]
    assert titles(rules, runner, clock) == [], "once"
    driver.execute("PRAGMA query_only = OFF")
    assert titles(rules, runner, clock) == []
    run(runner, clock)
    driver.execute("PRAGMA query_only = ON")
    assert titles(rules, runner, clock) == ["Resolved: acme-eu: orders fails"]
    assert titles(rules, runner, clock) == [], "once"
    driver.execute("PRAGMA query_only = OFF")
    assert titles(rules, runner, clock) == []
    assert runner.app.ledger.alerts.known({"acme-eu"}) == {}


def is_reachable(runner: JobRunner) -> bool:
    """Whether the state store is; a failed attempt to connect is repeated after a second."""
    try:
        runner.app.ledger.runs.latest()
    except StorageError:
        return False
    return True


@pytest.mark.postgresql
def test_a_state_store_that_cant_be_reached_is_reported(tmp_path: Path, postgresql_server: Server):
    runner, clock = idle_runner(tmp_path, f"state: {postgresql_server.new_store()}\n")
    with closing(runner.app):
        rules = AlertRules(AlertsConfig(after_failures=1))
        assert titles(rules, runner, clock) == []
        postgresql_server.stop()
        succeed(runner, "acme-eu", "orders", error="The state store is out of reach.")
        assert titles(rules, runner, clock) == ["acme-eu: orders fails"]
        postgresql_server.restart()
        wait_for(lambda: is_reachable(runner))
        assert titles(rules, runner, clock) == []
        run(runner, clock)
        assert titles(rules, runner, clock) == ["Resolved: acme-eu: orders fails"]


class Held(AllSellers):
    """The leases of some sellers."""

    def __init__(self, sellers: set[str]) -> None:
        self._sellers = sellers

    def hold(self, seller: str) -> bool:
        return seller in self._sellers
