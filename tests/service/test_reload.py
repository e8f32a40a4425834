"""What a daemon keeps when its configuration is read again. In this process, without its jobs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue

import pytest
from alert_receiver import Receiver, receiving
from filled import CONFIG, HOUR, Clock, succeed
from running import wait_for
from structlog.testing import capture_logs

from amazon_bridge.config import Config, load
from amazon_bridge.engine.errors import Transient
from amazon_bridge.service.daemon import Daemon

DOWN = Transient("Odoo can't be reached.")


@pytest.fixture
def first() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def second() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def alerting(*receivers: Receiver) -> str:
    urls = [f"json://127.0.0.1:{receiver.port}/" for receiver in receivers]
    return f"alerts: {{notify: {json.dumps(urls)}, after_failures: 1}}\n"


class IdleDaemon:
    """A daemon that is not started."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.path = folder / "bridge.yaml"
        self.clock, self.events = Clock(), SimpleQueue[str]()
        self.write(more)
        self.daemon = Daemon(self.load, self.load(), self.events, self.clock)
        self.runner = self.daemon.runner
        self.daemon._plan()

    def load(self) -> Config:
        return load(self.path, {})

    def write(self, more: str = "") -> None:
        self.path.write_text(f"state: bridge.db\nhttp: null\n{more}{CONFIG}")

    def reload(self) -> None:
        self.events.put("reload")
        self.events.put("stop")
        self.daemon.attend()

    def check_alerts(self) -> None:
        self.daemon._check_alerts()

    def close(self) -> None:
        self.daemon._alerts.close(1)
        self.runner.app.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., IdleDaemon]]:
    started: list[IdleDaemon] = []

    def start(more: str = "") -> IdleDaemon:
        started.append(IdleDaemon(tmp_path, more))
        return started[-1]

    yield start
    for each in started:
        each.close()


def titles(receiver: Receiver) -> list[str]:
    return [json.loads(body)["title"] for _, body in receiver.got]


def test_the_end_of_an_outage_is_reported_after_a_reload(
    start: Callable[..., IdleDaemon], first: Receiver
):
    idle = start(alerting(first))
    idle.runner.watch("Odoo", "login", DOWN, 1)
    idle.runner.availability.mark_down("Odoo")
    idle.clock.now += HOUR
    idle.check_alerts()
    wait_for(lambda: titles(first) == ["amazon-bridge: Odoo is down"])
    idle.reload()
    idle.check_alerts()
    idle.runner.watch("Odoo", "login", None, 1)
    idle.check_alerts()
    wait_for(lambda: titles(first)[1:] == ["amazon-bridge: Resolved: Odoo is down"])


def fail(idle: IdleDaemon, job: str) -> None:
    succeed(idle.runner, "acme-eu", job, error="Odoo lacks a route.")
    idle.check_alerts()


def test_what_waits_to_be_delivered_goes_to_the_new_receivers(
    start: Callable[..., IdleDaemon], first: Receiver, second: Receiver
):
    idle = start(alerting(first))
    first.is_open.clear()
    fail(idle, "orders")
    wait_for(lambda: titles(first) == ["amazon-bridge: acme-eu: orders fails"])
    fail(idle, "pickings")
    idle.write(alerting(second))
    idle.reload()
    first.is_open.set()
    wait_for(lambda: titles(second) == ["amazon-bridge: acme-eu: pickings fails"])


def test_a_configuration_is_refused_while_the_state_store_cant_be_read(
    start: Callable[..., IdleDaemon],
):
    idle = start()
    before, planned = idle.runner.app, idle.runner.scheduler.planned
    other = sqlite3.connect(idle.path.parent / "bridge.db")
    with closing(other):
        other.execute("ALTER TABLE runs RENAME TO gone")
        idle.path.write_text(idle.path.read_text().replace("acme-jp", "acme-ie"))
        with capture_logs() as logs:
            idle.reload()
        assert logs[-1]["event"] == "configuration_refused"
        assert (idle.runner.app, idle.runner.scheduler.planned) == (before, planned)
        other.execute("ALTER TABLE gone RENAME TO runs")
    idle.reload()
    assert {each.account for each in idle.runner.scheduler.planned} == {
        "acme-eu",
        "acme-us",
        "acme-ie",
    }


def test_a_reload_opens_no_further_connection_to_the_state_store(
    start: Callable[..., IdleDaemon],
):
    idle = start()
    store = idle.path.parent / "bridge.db"

    def connections() -> int:
        return [link.resolve() for link in Path("/proc/self/fd").iterdir()].count(store)

    assert connections() == 1
    for _ in range(3):
        idle.reload()
    assert connections() == 1
