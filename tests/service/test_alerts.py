from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from filled import CLAIMED, HOUR, NOW, Clock, idle_rounds, succeed
from pydantic import SecretStr
from running import wait_for
from structlog.testing import capture_logs
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from amazon_bridge.config import AlertsConfig
from amazon_bridge.engine.errors import ConfigError, Transient
from amazon_bridge.service.alerts import Alerts, DeadMansSwitch, Mailbox, Watchman, apprise_sender
from amazon_bridge.service.rounds import Rounds

MINUTE = timedelta(minutes=1)


class Receiver:
    """Takes what is posted to it; may be out of order."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.status = 200
        self._server = make_server("127.0.0.1", 0, Request.application(self._take), threaded=True)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _take(self, request: Request) -> Response:
        self.got.append((request.path, request.get_data(as_text=True)))
        return Response("OK", self.status)

    def stop(self) -> None:
        self._server.shutdown()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


@pytest.fixture
def idle(tmp_path: Path) -> tuple[Rounds, Clock]:
    return idle_rounds(tmp_path)


def titles(watchman: Watchman, rounds: Rounds, clock: Clock) -> list[str]:
    return [title for title, _ in watchman.look(rounds, clock.now)]


def test_a_job_that_fails_so_often_is_told_once_and_again_when_it_works(
    idle: tuple[Rounds, Clock],
):
    rounds, clock = idle
    watchman = Watchman(AlertsConfig(after_failures=3), set())
    for failures in range(1, 6):
        succeed(rounds, "acme-eu", "orders", error="Odoo lacks a route.")
        told = titles(watchman, rounds, clock)
        assert told == (["acme-eu: orders fails"] if failures == 3 else [])
    succeed(rounds, "acme-eu", "orders")
    assert titles(watchman, rounds, clock) == ["Over: acme-eu: orders fails"]
    assert titles(watchman, rounds, clock) == []


def test_a_job_that_fails_for_so_long_is_told_although_it_seldom_runs(idle: tuple[Rounds, Clock]):
    rounds, clock = idle
    watchman = Watchman(AlertsConfig(after=timedelta(hours=2)), set())
    succeed(rounds, "acme-eu", "orders", error="Odoo lacks a route.")
    assert titles(watchman, rounds, clock) == []
    clock.now = NOW + 2 * HOUR
    assert watchman.look(rounds, clock.now) == [
        ("acme-eu: orders fails", "1 rounds in a row. The last one: Odoo lacks a route.")
    ]


def test_a_side_that_is_down_is_told_once_for_all_that_needs_it(idle: tuple[Rounds, Clock]):
    rounds, clock = idle
    watchman = Watchman(AlertsConfig(after_failures=1), set())
    for entry in rounds.timetable.planned:
        succeed(rounds, *entry.key, error="Odoo can't be reached.")
    rounds.watch("Odoo", "login", Transient("Odoo can't be reached."), 1)
    rounds.sides.went_down("Odoo")
    assert titles(watchman, rounds, clock) == []
    clock.now = NOW + HOUR
    assert watchman.look(rounds, clock.now) == [
        ("Odoo is down", "Since 2026-11-23 14:37 UTC: Odoo can't be reached.")
    ]
    rounds.watch("Odoo", "login", None, 1)
    rounds.sides.was_asked("Odoo", answered=True)
    for entry in rounds.timetable.planned:
        succeed(rounds, *entry.key)
    assert titles(watchman, rounds, clock) == ["Over: Odoo is down"]


def test_many_failures_are_one_message(idle: tuple[Rounds, Clock]):
    rounds, clock = idle
    watchman = Watchman(AlertsConfig(after_failures=1), set())
    for entry in rounds.timetable.planned:
        succeed(rounds, *entry.key, error="Odoo lacks a route.")
    (message,) = watchman.look(rounds, clock.now)
    assert message[0] == "9 changes"
    assert "acme-jp: pickings fails\n1 rounds in a row." in message[1]


def test_items_put_aside_are_collected_into_one_message(idle: tuple[Rounds, Clock]):
    rounds, clock = idle
    rounds.app.ledger.items.quarantine("acme-eu", "orders", "known", CLAIMED)
    watchman = Watchman(AlertsConfig(), {("acme-eu", "orders", "known")})
    rounds.app.ledger.items.quarantine("acme-eu", "orders", "first", CLAIMED)
    assert titles(watchman, rounds, clock) == []
    clock.now += 10 * MINUTE
    rounds.app.ledger.items.quarantine("acme-us", "orders", "second", CLAIMED)
    assert titles(watchman, rounds, clock) == []
    clock.now += 5 * MINUTE
    ((title, body),) = watchman.look(rounds, clock.now)
    assert title == "2 items were put aside"
    assert ("known" in body, "first" in body, "second" in body) == (False, True, True)
    clock.now += HOUR
    assert titles(watchman, rounds, clock) == []


def test_an_item_put_aside_anew_is_told_anew(idle: tuple[Rounds, Clock]):
    rounds, clock = idle
    ledger = rounds.app.ledger
    watchman = Watchman(AlertsConfig(), {("acme-eu", "orders", "known")})
    ledger.items.quarantine("acme-eu", "orders", "known", CLAIMED)
    ledger.items.retry("known")
    assert titles(watchman, rounds, clock) == []
    ledger.items.quarantine("acme-eu", "orders", "known", CLAIMED)
    assert titles(watchman, rounds, clock) == []
    clock.now += 15 * MINUTE
    assert titles(watchman, rounds, clock) == ["1 item was put aside"]


def test_a_dead_mans_switch_hears_of_start_success_and_failure(receiver: Receiver):
    mailbox = Mailbox()
    url = SecretStr(f"http://127.0.0.1:{receiver.port}/uuid")
    switch = DeadMansSwitch(url, mailbox)
    switch.start()
    switch.tell([])
    switch.tell(["Odoo is down.", "acme-eu is late."])
    mailbox.close(seconds=10)
    assert receiver.got == [
        ("/uuid/start", ""),
        ("/uuid", ""),
        ("/uuid/fail", "Odoo is down.\nacme-eu is late."),
    ]


def test_messages_go_out_through_apprise(idle: tuple[Rounds, Clock], receiver: Receiver):
    rounds, clock = idle
    webhook = SecretStr(f"json://127.0.0.1:{receiver.port}/hook")
    config = AlertsConfig(notify=(webhook,), after_failures=1)
    alerts = Alerts(config, rounds, rounds.app)
    succeed(rounds, "acme-eu", "orders", error="Odoo lacks a route.")
    alerts.look(clock.now)
    alerts.close(seconds=10)
    ((path, body),) = receiver.got
    assert path == "/hook"
    assert json.loads(body)["title"] == "amazon-bridge: acme-eu: orders fails"
    assert "Odoo lacks a route." in json.loads(body)["message"]


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
        mailbox = Mailbox(pause=0)
        for _ in range(500):  # more than it keeps
            mailbox.put(fail)
        mailbox.close(seconds=10)
        wait_for(lambda: len(tries) >= 3)
    told = [each for each in logs if each["log_level"] == "warning"]
    assert told == [{"event": "alert_undeliverable", "log_level": "warning"}]
    assert "secret" not in str(logs)


def test_an_address_that_apprise_doesnt_know_is_refused_without_showing_it():
    with pytest.raises(ConfigError, match=r"alerts\.notify\[0\]") as caught:
        apprise_sender([SecretStr("nothing://secret")])
    assert "secret" not in str(caught.value)
