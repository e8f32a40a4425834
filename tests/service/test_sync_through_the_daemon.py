"""``sync`` beside a daemon that listens: the daemon runs the jobs, with the same output."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from filled import CONFIG, idle_runner
from forks import Fork
from forwarder import Forwarder
from odoo_server.databases import OdooDatabase
from running import STOPS_WITHIN, RunningDaemon, wait_for
from test_daemon import imported, place_orders

from amazon_bridge.config import HttpConfig, load
from amazon_bridge.service.sync_requests import SyncRequests
from amazon_bridge.service.web import Listener, Website
from amazon_bridge.simulator import Simulator

pytestmark = [pytest.mark.odoo("in memory"), pytest.mark.slow]

LONG = 180  # seconds: windows are retried for three minutes


@dataclass
class Run:
    """What a ``sync`` left."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.err.splitlines() if line[0] == "{"]

    def counts(self, job: str) -> dict[str, Any]:
        counts = json.loads(self.out.splitlines()[-1])["accounts"]["acme"][job]
        return {name: value for name, value in counts.items() if value}


def ended(process: Fork) -> Run:
    out, err = process.communicate(timeout=LONG)
    assert "Traceback" not in out + err, err
    return Run(process.returncode, out, err)


def started_sync(daemon: RunningDaemon, *arguments: str) -> Fork:
    """A ``sync`` that the daemon has taken up."""
    process = daemon.program("sync", *arguments)
    [line] = wait_for(lambda: process.logged.splitlines()[:1])
    assert "sync_delegated" in line
    return process


def sync(daemon: RunningDaemon, *arguments: str) -> Run:
    return ended(daemon.program("sync", *arguments))


@pytest.fixture
def resting(daemon: RunningDaemon) -> RunningDaemon:
    """A daemon whose first runs are finished, and whose next ones are an hour away."""
    daemon.accounts = daemon.accounts.replace("2s", "1h")
    daemon.write()
    daemon.start()
    wait_for(lambda: all_are_done(daemon))
    time.sleep(1.1)  # of two runs within one second, the second has an empty window
    return daemon


def all_are_done(daemon: RunningDaemon) -> bool:
    jobs = daemon.get("/readyz").json()["jobs"]
    return all(job["last_success"] and not job["running_since"] for job in jobs)


def metric(daemon: RunningDaemon, name: str) -> float:
    lines = daemon.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


ROUNDS_OF_ORDERS = 'amazon_bridge_rounds_total{account="acme",job="orders"'
CREATED = 'amazon_bridge_items_total{account="acme",job="orders",outcome="created"}'


def test_the_daemon_runs_the_job(
    resting: RunningDaemon, simulator: Simulator, odoo_database: OdooDatabase
):
    orders = place_orders(simulator, 3)
    run = sync(resting, "orders", "--json")
    assert (run.code, run.counts("orders")) == (0, {"seen": 3, "created": 3})
    assert imported(odoo_database, orders) == orders
    assert run.events == ["sync_delegated"]
    assert resting.events_named("sync_requested", job="orders", account=None)
    processed = resting.events_named("order_processed", account="acme", step="import")
    assert {each["order"] for each in processed} == orders
    assert metric(resting, CREATED) == 3


def test_amazons_rates_are_kept_by_one_process(resting: RunningDaemon, simulator: Simulator):
    logins = len(simulator.received("token"))
    for job in ("orders", "all"):
        assert sync(resting, job, "--account", "acme").code == 0
        time.sleep(1.1)  # of two runs within one second, the second has an empty window
    assert len(simulator.received("token")) == logins
    calls = 'amazon_bridge_amazon_calls_total{account="acme",operation="searchOrders"'
    assert metric(resting, calls) == len(simulator.received("searchOrders")) >= 3


def test_people_read_the_same_as_ever(resting: RunningDaemon, simulator: Simulator):
    place_orders(simulator, 2)
    run = sync(resting, "all")
    assert run.code == 0
    rows = [line.split() for line in run.out.splitlines() if "acme" in line]
    assert [row[3] for row in rows] == ["orders", "cancellations", "pickings"]
    assert rows[0][5:8:2] == ["2", "2"]  # seen, created


def test_a_dry_run_asks_nobody(
    resting: RunningDaemon, simulator: Simulator, odoo_database: OdooDatabase
):
    orders = place_orders(simulator, 1)
    run = sync(resting, "orders", "--dry-run")
    assert (run.code, run.events) == (0, ["dry_run_order"])
    assert resting.events_named("sync_requested") == []
    assert imported(odoo_database, orders) == set()


def test_an_unknown_account_is_wrong_usage(resting: RunningDaemon):
    run = sync(resting, "orders", "--account", "nobody")
    assert run.code == 2
    assert "There is no account 'nobody'. The file has: acme." in run.err


def test_a_daemon_with_another_configuration_gets_no_request(
    resting: RunningDaemon, simulator: Simulator
):
    orders = place_orders(simulator, 1)
    written = resting.config.read_text()
    resting.config.write_text(written + "    cancel_reason: BuyerCanceled\n")
    run = sync(resting, "orders", "--json")
    assert (run.code, run.counts("orders")) == (0, {"seen": 1, "created": 1})
    assert "sync_not_delegated" in run.events
    assert "order_processed" in run.events
    assert "SIGHUP" in run.err
    assert resting.events_named("sync_requested") == []
    resting.signal(signal.SIGHUP)
    resting.wait_for_event("configuration_reloaded")
    assert sync(resting, "orders").events == ["sync_delegated"]
    assert {each["order"] for each in resting.events_named("order_processed")} & orders == set()


def test_without_a_daemon_it_works_itself(resting: RunningDaemon, simulator: Simulator):
    assert resting.stop()[0] == 0
    place_orders(simulator, 1)
    run = sync(resting, "orders", "--json")
    assert (run.code, run.counts("orders")) == (0, {"seen": 1, "created": 1})
    assert {"sync_delegated", "sync_not_delegated"} & set(run.events) == set()


def test_another_program_at_its_address_is_not_taken_for_the_daemon(
    daemon: RunningDaemon, simulator: Simulator
):
    daemon.config.write_text(
        daemon.config.read_text().replace("127.0.0.1:0", simulator.url.rpartition("/")[2])
    )
    (daemon.folder / "log").write_text('{"event": "listening", "port": 0}\n')
    run = sync(daemon, "orders")
    assert run.code == 0
    assert "sync_not_delegated" in run.events


def test_it_waits_for_runs_in_progress_and_everything_else_works_meanwhile(
    resting: RunningDaemon, simulator: Simulator, way_to_amazon: Forwarder
):
    before = metric(resting, ROUNDS_OF_ORDERS)
    way_to_amazon.take_away()
    resting.signal(signal.SIGUSR1)
    resting.wait_for_event("retrying")  # in a scheduled run
    posts = [httpx.post(f"{resting.url}/sync", json={"job": "orders"}) for _ in range(5)]
    paths = [f"/sync/{each.json()['id']}" for each in posts]
    for path in ("/healthz", "/readyz", "/", "/metrics"):
        assert resting.get(path).status_code == 200
    assert [resting.get(path).status_code for path in paths] == [202] * 5
    orders = place_orders(simulator, 2)
    way_to_amazon.give_back()
    wait_for(lambda: [resting.get(path).status_code for path in paths] == [200] * 5, LONG)
    results = [resting.get(path).json()["accounts"]["acme"]["orders"] for path in paths]
    assert [each["error"] for each in results] == [None] * 5
    assert {each["order"] for each in resting.events_named("order_processed")} == orders
    assert metric(resting, ROUNDS_OF_ORDERS) == before + 6
    assert resting.events_named("job_failing") == []


def test_a_stop_in_the_middle_is_reported(resting: RunningDaemon, way_to_amazon: Forwarder):
    way_to_amazon.take_away()
    command = started_sync(resting, "all", "--json")
    resting.wait_for_event("retrying")
    code, seconds = resting.stop()
    run = ended(command)
    assert (code, run.code, run.out) == (0, 3, "")
    assert seconds < STOPS_WITHIN
    assert "continues in the next run" in run.err


def test_a_stop_while_a_remote_does_not_respond_is_reported_too(
    resting: RunningDaemon, way_to_odoo: Forwarder
):
    way_to_odoo.take_away()
    assert sync(resting, "cancellations").code == 3
    resting.wait_for_event("remote_unavailable", side="Odoo")
    silent = way_to_odoo.fall_silent()
    command = started_sync(resting, "cancellations")
    with silent.accept()[0]:
        code, seconds = resting.stop()
        run = ended(command)
    assert (code, run.code) == (0, 3)
    assert seconds < STOPS_WITHIN
    assert "continues in the next run" in run.err


def test_a_daemon_that_dies_in_the_middle_is_reported(
    resting: RunningDaemon, way_to_amazon: Forwarder
):
    way_to_amazon.take_away()
    command = started_sync(resting, "all")
    resting.signal(signal.SIGKILL)
    run = ended(command)
    assert run.code == 3
    assert "The daemon does not respond any more" in run.err


def test_a_new_configuration_in_the_middle_ends_no_sync(
    resting: RunningDaemon, way_to_amazon: Forwarder
):
    way_to_amazon.take_away()
    command = started_sync(resting, "all", "--json")
    resting.wait_for_event("retrying")
    resting.accounts = resting.accounts.replace("name: acme", "name: renamed")
    resting.write()
    resting.signal(signal.SIGHUP)
    resting.wait_for_event("configuration_reloaded")
    way_to_amazon.give_back()
    run = ended(command)
    assert run.code == 3
    assert "error" not in run.counts("orders")
    assert "has no account 'acme' any more" in run.counts("pickings")["error"]


def test_a_remote_that_is_down_is_probed_at_once(resting: RunningDaemon, way_to_odoo: Forwarder):
    way_to_odoo.take_away()
    for _ in range(2):
        run = sync(resting, "cancellations", "--json")
        assert run.code == 3
        assert "Odoo" in run.counts("cancellations")["error"]
    assert len(resting.events_named("remote_unavailable")) == 1
    way_to_odoo.give_back()
    assert sync(resting, "cancellations").code == 0
    resting.wait_for_event("remote_recovered", side="Odoo")


@pytest.mark.parametrize(
    ("old", "new", "is_the_same"),
    [
        ("database: prod", "database: other", False),
        ("open-sesame", "another-password", False),
        ("refresh_token: tokens", "refresh_token: others", False),
        ("marketplaces: [JP]", "marketplaces: [AU]", False),
        ("state: bridge.db", "state: other.db", False),
        ("state: bridge.db", "state: folder/../bridge.db", True),
        ("state: bridge.db", "state: bridge.db\nlog: {level: debug}", True),
        ("state: bridge.db", "state: bridge.db\nhttp: {listen: '127.0.0.1:9'}", True),
    ],
)
def test_a_configuration_is_the_same_when_runs_would_do_the_same(
    tmp_path: Path, old: str, new: str, *, is_the_same: bool
):
    written = f"state: bridge.db\n{CONFIG}"
    path = tmp_path / "bridge.yaml"
    path.write_text(written)
    digest = load(path, {}).digest()
    path.write_text(written.replace(old, new))
    assert path.read_text() != written
    assert (load(path, {}).digest() == digest) is is_the_same


# Access to the listener, without any run


@contextmanager
def listening(folder: Path, **settings: object) -> Iterator[httpx.Client]:
    requests = SyncRequests(idle_runner(folder)[0])
    config = HttpConfig.model_validate({"listen": "127.0.0.1:0", **settings})
    listener = Listener(
        Website({"/sync/<name>": requests.result}, config, {"/sync": requests.accept})
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.port}", trust_env=False) as client:
            yield client
    finally:
        listener.close()


ALL = {"job": "all"}


def test_a_sync_is_accepted_and_can_be_polled(tmp_path: Path):
    with listening(tmp_path) as client:
        response = client.post("/sync", json={"job": "orders", "account": "acme-eu"})
        assert response.status_code == 202
        name = response.json()["id"]
        assert client.get(f"/sync/{name}").status_code == 202
        assert client.get("/sync/another").status_code == 404
        assert client.get("/sync").status_code == 405


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-type": ""}, 415),
        ({"content-type": "application/json", "origin": "https://evil.example.com"}, 403),
        ({"content-type": "application/json", "origin": "null"}, 403),
        ({"content-type": "application/json", "host": "evil.example.com"}, 403),
    ],
)
def test_a_web_page_can_make_no_browser_ask_for_a_sync(
    tmp_path: Path, headers: dict[str, str], status: int
):
    with listening(tmp_path) as client:
        response = client.post("/sync", content=json.dumps(ALL), headers=headers)
        assert response.status_code == status
        preflight = client.options(
            "/sync",
            headers={
                "origin": "https://evil.example.com",
                "access-control-request-method": "POST",
                "access-control-request-headers": "content-type",
            },
        )
        assert [name for name in preflight.headers if name.startswith("access-control")] == []


def test_the_token_is_needed_to_ask(tmp_path: Path):
    with listening(tmp_path, token="right-token") as client:
        assert client.post("/sync", json=ALL).status_code == 401
        assert client.post("/sync", json=ALL, auth=("any", "wrong")).status_code == 401
        assert client.post("/sync", json=ALL, auth=("any", "right-token")).status_code == 202
        assert client.get("/sync/any").status_code == 401


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ("", 400),
        ("[" * 4000, 400),
        ('"all"', 400),
        ("{}", 400),
        ('{"job": "sweep"}', 400),
        ('{"job": ["all"]}', 400),
        ('{"job": "all", "account": "nobody"}', 400),
        ('{"job": "all", "force": true}', 400),
        ('{"job": "all", "configuration": "another"}', 409),
        (" " * 5000 + '{"job": "all"}', 413),
    ],
)
def test_what_cant_be_done_is_refused(tmp_path: Path, document: str, status: int):
    with listening(tmp_path) as client:
        headers = {"content-type": "application/json"}
        assert client.post("/sync", content=document, headers=headers).status_code == status


def test_a_line_that_is_too_long_is_refused(tmp_path: Path):
    with listening(tmp_path) as client:
        statuses = [client.post("/sync", json=ALL).status_code for _ in range(40)]
    assert statuses == [202] * 32 + [503] * 8
