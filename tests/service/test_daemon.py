"""A running daemon: its schedule, its signals, remotes that go down and recover."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from forwarder import Forwarder
from odoo_server.databases import OdooDatabase
from running import ACCOUNT, STOPS_WITHIN, RunningDaemon, an_hour_ago, needs, wait_for

from amazon_bridge.simulator import Seller, Simulator

pytestmark = [pytest.mark.odoo("in memory"), pytest.mark.slow]


def is_ready(daemon: RunningDaemon) -> bool:
    return bool(daemon.get("/readyz").json()["ready"])


def healthcheck(daemon: RunningDaemon) -> int:
    command = daemon.program("healthcheck")
    command.communicate(timeout=60)
    return command.returncode


def place_orders(simulator: Simulator, number: int) -> set[str]:
    """Orders that changed long enough ago for searchOrders to show them."""
    earlier = datetime.now(UTC) - timedelta(minutes=3)
    placed = [
        simulator.world.place_order("FR", created=earlier, last_updated=earlier)
        for _ in range(number)
    ]
    return {order.order_id for order in placed}


def imported(odoo: OdooDatabase, order_ids: set[str]) -> set[str]:
    domain = [("client_order_ref", "in", sorted(order_ids))]
    found = odoo.rpc("sale.order", "search_read", domain, ["client_order_ref"])
    assert len(found) == len({row["client_order_ref"] for row in found})
    return {row["client_order_ref"] for row in found}


def moments(simulator: Simulator, operation: str) -> list[float]:
    return [each.time.timestamp() for each in simulator.received(operation)]


def runs(daemon: RunningDaemon) -> float:
    """Number of runs since the start."""
    lines = daemon.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(RUNS))


RUNS = "amazon_bridge_rounds_total{"


def test_it_keeps_its_schedule_and_reports_health(
    daemon: RunningDaemon, simulator: Simulator, odoo_database: OdooDatabase
):
    daemon.start()
    wait_for(lambda: is_ready(daemon))
    assert healthcheck(daemon) == 0
    orders = place_orders(simulator, 3)
    wait_for(lambda: imported(odoo_database, orders) == orders)
    wait_for(lambda: len(moments(simulator, "searchOrders")) >= 8)
    gaps = [later - earlier for earlier, later in pairwise(moments(simulator, "searchOrders")[-5:])]
    assert 1 < min(gaps) < 3.5, gaps
    metrics = daemon.get("/metrics").text
    created = 'amazon_bridge_items_total{account="acme",job="orders",outcome="created"} 3.0'
    assert created in metrics
    code, seconds = daemon.stop()
    assert (code, daemon.events_named("job_failing")) == (0, [])
    assert seconds < STOPS_WITHIN
    assert healthcheck(daemon) == 1


def test_odoo_is_taken_away_and_given_back(
    daemon: RunningDaemon,
    way_to_odoo: Forwarder,
    simulator: Simulator,
    odoo_database: OdooDatabase,
):
    daemon.start()
    wait_for(lambda: is_ready(daemon))
    way_to_odoo.take_away()
    daemon.wait_for_event("remote_unavailable", side="Odoo")
    assert not is_ready(daemon)
    assert "Odoo has been down since" in daemon.get("/readyz").json()["reasons"][0]
    assert daemon.get("/healthz").status_code == 200
    assert healthcheck(daemon) == 1
    orders = place_orders(simulator, 2)
    way_to_odoo.give_back()
    daemon.wait_for_event("remote_recovered", side="Odoo")
    wait_for(lambda: imported(odoo_database, orders) == orders)
    wait_for(lambda: is_ready(daemon))
    assert (
        len(daemon.events_named("remote_unavailable"))
        == len(daemon.events_named("remote_recovered"))
        == 1
    )
    assert daemon.stop()[0] == 0


def test_amazon_is_taken_away_and_given_back(
    daemon: RunningDaemon,
    way_to_amazon: Forwarder,
    simulator: Simulator,
    odoo_database: OdooDatabase,
):
    daemon.start()
    wait_for(lambda: is_ready(daemon))
    way_to_amazon.take_away()
    daemon.wait_for_event("retrying")
    assert daemon.stop()[1] < 10  # although it is in a long pause
    daemon.start()
    orders = place_orders(simulator, 2)
    way_to_amazon.give_back()
    wait_for(lambda: imported(odoo_database, orders) == orders)
    assert daemon.stop()[0] == 0


def test_a_daemon_starts_while_both_remotes_are_down(
    daemon: RunningDaemon,
    way_to_odoo: Forwarder,
    way_to_amazon: Forwarder,
    simulator: Simulator,
    odoo_database: OdooDatabase,
):
    way_to_odoo.take_away()
    way_to_amazon.take_away()
    daemon.start()
    daemon.wait_for_event("remote_unavailable", side="Odoo")
    orders = place_orders(simulator, 1)
    way_to_odoo.give_back()
    way_to_amazon.give_back()
    wait_for(lambda: imported(odoo_database, orders) == orders)


def test_a_new_configuration_is_taken_up_and_a_wrong_one_is_not(
    daemon: RunningDaemon, simulator: Simulator, way_to_amazon: Forwarder
):
    daemon.start()
    daemon.wait_for_event("cursor_created")
    good = daemon.accounts
    daemon.accounts = good.replace("[FR, DE]", "[FR, XX]")
    daemon.write()
    daemon.signal(signal.SIGHUP)
    refused = daemon.wait_for_event("configuration_refused")
    assert "accounts[0].marketplaces[1]" in refused["problems"][0]
    before = len(moments(simulator, "searchOrders"))
    wait_for(lambda: len(moments(simulator, "searchOrders")) > before)
    other = simulator.world.add_seller("A2OTHER", countries=("US",))
    daemon.accounts = good + ACCOUNT.format(
        name="other",
        seller=other,
        countries="US",
        amazon=way_to_amazon.url,
        every="2s",
        start=an_hour_ago(),
    )
    daemon.write()
    daemon.signal(signal.SIGHUP)
    assert daemon.wait_for_event("configuration_reloaded")["accounts"] == 2
    daemon.wait_for_event("cursor_created", account="other")
    jobs = wait_for(lambda: is_ready(daemon) and daemon.get("/readyz").json()["jobs"])
    assert {(job["account"], job["job"]) for job in jobs} == {
        (account, job)
        for account in ("acme", "other")
        for job in ("orders", "cancellations", "pickings")
    }
    assert daemon.stop()[0] == 0


@pytest.mark.parametrize("listen", ["127.0.0.l:{port}", "no.such.host.invalid:0", "{taken}"])
def test_an_address_that_cannot_be_listened_on_costs_nothing(daemon: RunningDaemon, listen: str):
    """A slip of the pen at SIGHUP: the daemon goes on where it listens, and says so."""
    daemon.start()
    wait_for(lambda: is_ready(daemon))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        port = daemon.url.rpartition(":")[2]
        daemon.http = f"{{listen: '{listen.format(port=port, taken=taken)}', token: {'x' * 20}}}"
        daemon.write()
        daemon.signal(signal.SIGHUP)
        refused = daemon.wait_for_event("configuration_refused")
    assert "Cannot listen on" in refused["reason"]
    report = daemon.get("/readyz").json()
    assert report["ready"]
    assert "Cannot listen on" in report["configuration_refused"]
    assert daemon.get("/healthz").status_code == 200
    daemon.http = "{listen: '127.0.0.1:0'}"
    daemon.write()
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_event("configuration_reloaded")
    assert daemon.get("/readyz").json()["configuration_refused"] is None
    assert daemon.stop()[0] == 0


def test_the_same_port_on_more_addresses(daemon: RunningDaemon):
    daemon.start()
    wait_for(lambda: is_ready(daemon))
    port = daemon.url.rpartition(":")[2]
    token = "a-token-of-some-length"
    for number, (host, also) in enumerate((("0.0.0.0", "127.0.0.2"), ("127.0.0.1", "127.0.0.1"))):
        daemon.http = f"{{listen: '{host}:{port}', token: {token}}}"
        daemon.write()
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_event("configuration_reloaded", number=number + 1)
        address = f"http://{also}:{port}/readyz"
        assert httpx.get(address, auth=("any", token), trust_env=False).status_code in {200, 503}
    assert not daemon.events_named("configuration_refused")
    assert daemon.stop()[0] == 0


def test_a_signal_syncs_everything_now(daemon: RunningDaemon, simulator: Simulator):
    daemon.accounts = daemon.accounts.replace("2s", "1h")
    daemon.write()
    daemon.start()
    wait_for(lambda: is_ready(daemon))
    before = len(moments(simulator, "searchOrders"))
    daemon.signal(signal.SIGUSR1)
    wait_for(lambda: len(moments(simulator, "searchOrders")) > before)


def test_one_daemon_a_state_store(daemon: RunningDaemon):
    daemon.start()
    command = [sys.executable, "-m", "amazon_bridge", "--config", str(daemon.config), "run"]
    second = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert second.returncode == 3
    assert "Another daemon runs with the state store" in second.stderr


def test_a_full_disk_stops_no_daemon_and_loses_nothing(
    daemon: RunningDaemon, simulator: Simulator, odoo_database: OdooDatabase
):
    daemon.start()
    wait_for(lambda: is_ready(daemon))
    assert daemon.process
    unlimited = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (4096, unlimited[1]))
    orders = place_orders(simulator, 2)
    wait_for(lambda: daemon.get("/readyz").json()["jobs"][0]["failures"] >= 2)
    assert "Make room on its disk" in daemon.get("/readyz").json()["jobs"][0]["error"]
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, unlimited)
    wait_for(lambda: imported(odoo_database, orders) == orders)
    wait_for(lambda: daemon.get("/readyz").json()["jobs"][0]["failures"] == 0)
    assert daemon.stop()[0] == 0


FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@needs(FAKETIME, "libfaketime")
@pytest.mark.parametrize("jump", ["-2h", "+2h"])
def test_a_clock_that_is_set_stops_no_schedule(
    daemon: RunningDaemon, simulator: Simulator, jump: str
):
    clock = daemon.folder / "clock"
    clock.write_text("+0")
    daemon.environ = {
        **os.environ,
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    daemon.start()
    wait_for(lambda: is_ready(daemon))
    clock.write_text(jump)
    daemon.wait_for_event("clock_jumped")
    before = runs(daemon)
    wait_for(lambda: runs(daemon) >= before + 6)
    assert daemon.get("/healthz").status_code == 200
    assert daemon.stop()[0] == 0


def test_systemd_is_notified_of_the_state(daemon: RunningDaemon):
    address = str(daemon.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(30)
        daemon.environ = {**os.environ, "NOTIFY_SOCKET": address}
        daemon.start()
        messages: list[str] = []

        def is_told(what: str) -> bool:
            messages.append(systemd.recv(4096).decode())
            return any(line.startswith(what) for line in messages[-1].splitlines())

        wait_for(lambda: is_told("READY=1"))
        wait_for(lambda: is_told("WATCHDOG=1"))
        wait_for(lambda: is_told("STATUS=accounts 1, runs "))
        daemon.signal(signal.SIGHUP)
        wait_for(lambda: is_told("RELOADING=1"))
        wait_for(lambda: is_told("READY=1"))
        daemon.signal(signal.SIGTERM)
        wait_for(lambda: is_told("STOPPING=1"))


def test_sigterm_amid_a_batch_finishes_it_and_loses_nothing(
    daemon: RunningDaemon, simulator: Simulator, odoo_database: OdooDatabase, seller: Seller
):
    orders = place_orders(simulator, 130)
    daemon.start()
    daemon.wait_for_event("orders_filed")
    code, seconds = daemon.stop()
    assert code == 0
    assert seconds < STOPS_WITHIN
    done = {each["order"] for each in daemon.events_named("order_processed")}
    assert len(done) < 130
    assert done <= imported(odoo_database, orders)
    daemon.start()
    wait_for(lambda: imported(odoo_database, orders) == orders, seconds=120)
    daemon.stop()
