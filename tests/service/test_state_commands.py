from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from filled import CONFIG

from amazon_bridge.cli import main
from amazon_bridge.cli.common import timestamp
from amazon_bridge.config import HttpConfig, load
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Seen
from amazon_bridge.engine.window import Lane, Reading, Window
from amazon_bridge.service import daemon_client, healthcheck


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "bridge.yaml"
    path.write_text(f"state: bridge.db\nhttp: null\n{CONFIG}")
    return path


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(config), *arguments])


def test_a_backup_is_whole_and_verified(config: Path, tmp_path: Path):
    run(config, "cursor", "set", "acme-eu", "2026-11-01T00:00:00Z")
    copy = tmp_path / "copy.db"
    assert run(config, "state", "backup", str(copy)).output == (
        f"{copy}: a complete copy of {tmp_path / 'bridge.db'}.\n"
    )
    for path in ([], [str(copy)]):
        verified = run(config, "state", "verify", *path)
        assert (verified.exit_code, "is intact: 1 accounts" in verified.output) == (0, True)
    assert run(config, "state", "backup", str(copy)).exit_code == 2


def test_a_missing_or_damaged_store_is_reported_with_a_remedy(config: Path, tmp_path: Path):
    missing = run(config, "state", "verify")
    assert (missing.exit_code, "Nothing that matters is lost" in missing.output) == (2, True)
    (tmp_path / "bridge.db").write_bytes(b"not a database" * 1000)
    for command in (["state", "verify"], ["status"], ["run"]):
        damaged = run(config, *command)
        assert damaged.exit_code == 2
        assert "nothing is done twice" in damaged.output


def test_orders_that_wait_are_listed_with_the_reason(config: Path, tmp_path: Path):
    with Ledger(tmp_path / "bridge.db", lambda: datetime.now(UTC)) as ledger:
        ledger.items.file("acme-eu", "orders", [Seen(f"403-{n:02}", "1") for n in range(23)])
        ledger.items.explain("acme-eu", "orders", "403-22", "Its status is unknown.")
        ledger.items.note_silence("acme-eu", "orders", "403-21")
        ledger.items.quarantine(
            "acme-eu", "orders", "403-20", ItemError("internal_error", "It broke.", "Report it.")
        )
    output = run(config, "status").output
    assert "acme-eu: 22 orders are pending:" in output
    assert "The others: amazon-bridge status --json" in output
    status = json.loads(run(config, "status", "--json").output)["accounts"]["acme-eu"]
    reasons = {each["order"]: each["reason"] for each in status["waiting_orders"]}
    assert len(reasons) == 22
    assert "403-20" not in reasons
    assert reasons["403-22"] == "Its status is unknown."
    assert reasons["403-21"].startswith("Amazon has not responded for it since ")
    assert reasons["403-00"].startswith("It is processed in the next run")
    assert "Its status is unknown." in run(config, "order", "show", "403-22").output
    assert "next run" in run(config, "order", "show", "403-00").output


def test_without_a_listener_the_healthcheck_asks_whether_the_daemon_runs(config: Path):
    assert healthcheck.problems(load(config, {})) == ["No daemon runs with this state store."]
    assert run(config, "healthcheck").exit_code == 1


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:9464", "http://127.0.0.1:9464"),
        ("0.0.0.0:9464", "http://127.0.0.1:9464"),
        ("[::]:9464", "http://[::1]:9464"),
        ("[2001:db8::7]:9464", "http://[2001:db8::7]:9464"),
        ("localhost:9464", "http://localhost:9464"),
    ],
)
def test_the_healthcheck_asks_where_the_daemon_listens(listen: str, address: str):
    assert daemon_client.address_of(HttpConfig(listen=listen, token="secret")) == address


class Forbids(BaseHTTPRequestHandler):
    """An Odoo behind a proxy that lets nobody through."""

    def do_POST(self) -> None:
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def forbidding() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Forbids)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_error_that_all_jobs_have_is_said_once(config: Path, forbidding: str):
    config.write_text(config.read_text().replace("https://erp.example.com", forbidding))
    result = run(config, "sync", "all", "--account", "acme-eu", "--dry-run")
    assert result.exit_code == 3
    flat = " ".join(result.output.split())
    assert flat.count("HTTP status 403") == 1
    assert "acme-eu, orders, cancellations, pickings: " in flat


def test_a_back_log_is_shown_with_its_progress(config: Path, tmp_path: Path):
    now = datetime.now(UTC)
    begins, ends = now - timedelta(days=20), now - timedelta(minutes=30)
    with Ledger(tmp_path / "bridge.db", lambda: now - timedelta(hours=2)) as ledger:
        ledger.cursors.set("acme-eu", begins)
        ledger.lanes.begin_backlog("acme-eu", begins, ends)
        half = Reading.of(Lane.BACKLOG, Window(begins, begins + (ends - begins) / 2), "", now)
        ledger.items.file("acme-eu", "orders", [], reading=half)
    output = run(config, "status").output
    assert "acme-eu: changes from" in output
    assert "50%" in output
    assert "about 2 h left" in output
    status = json.loads(run(config, "status", "--json").output)["accounts"]
    assert status["acme-eu"]["backlog"]["share_done"] == 0.5
    assert status["acme-eu"]["synced_until"] == timestamp(ends)
    assert status["acme-us"]["backlog"] is None
