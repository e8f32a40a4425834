"""An upgrade beside a running daemon, and the way back: docs/upgrade.md, step by step."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from forks import Fork
from odoo_server.databases import OdooDatabase
from running import RunningDaemon, an_hour_ago, wait_for
from test_daemon import imported, place_orders

from amazon_bridge.engine.ledger.file import verify
from amazon_bridge.engine.ledger.migrations import MIGRATIONS
from amazon_bridge.simulator import Simulator

pytestmark = [pytest.mark.odoo("in memory"), pytest.mark.slow]

VERSION_8 = Path(__file__).parents[1] / "unit" / "state_store_version_8.sql"
OLDER_DAEMON = """
import sys
from pathlib import Path
from amazon_bridge.engine.lock import DAEMON, held
with held(Path(sys.argv[1]), *DAEMON):
    print("runs", flush=True)
    sys.stdin.read()
"""
"""Holds the lock that a daemon of every version holds."""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The state store as an older version has left it."""
    path = tmp_path / "bridge.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(VERSION_8.read_text())
        db.execute("DELETE FROM odoo_database")  # it is of none yet
        db.execute("UPDATE accounts SET cursor = ?", (an_hour_ago(),))
        db.commit()
    return path


@contextmanager
def older_daemon(store: Path) -> Iterator[int]:
    command = [sys.executable, "-c", OLDER_DAEMON, str(store)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "runs\n"
        yield process.pid
        process.stdin.close()


def dump(store: Path) -> list[str]:
    with closing(sqlite3.connect(store)) as db:
        return list(db.iterdump())


def tried(daemon: RunningDaemon, *arguments: str) -> tuple[int | None, str]:
    """The exit code and messages of a command that can't use the state store."""
    command = ["-m", "amazon_bridge", "--config", str(daemon.config), *arguments]
    started = Fork(command, folder=Path.cwd(), environment=os.environ)
    _, err = started.communicate(timeout=60)
    return started.returncode, err


def test_an_upgrade_and_the_way_back(
    daemon: RunningDaemon, store: Path, simulator: Simulator, odoo_database: OdooDatabase
) -> None:
    old = dump(store)
    with older_daemon(store) as process:
        code, message = tried(daemon, "run")
        assert (code, "Another daemon runs with the state store" in message) == (3, True)
        code, message = tried(daemon, "cursor", "show")
        assert (code, f"Process {process} still uses the state store" in message) == (3, True)
        assert dump(store) == old
    orders = place_orders(simulator, 2)
    daemon.start()
    wait_for(lambda: imported(odoo_database, orders) == orders)
    assert daemon.stop()[0] == 0
    copy = store.with_name("bridge.db.version-8")
    assert dump(copy) == old

    with closing(sqlite3.connect(store)) as db:  # the version after this one
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer = dump(store)
    code, message = tried(daemon, "run")
    assert (code, "was written by a newer version of amazon-bridge" in message) == (2, True)
    assert dump(store) == newer

    for suffix in ("", "-wal", "-shm"):
        store.with_name(f"{store.name}{suffix}").unlink(missing_ok=True)
    copy.rename(store)
    more = place_orders(simulator, 1)
    daemon.start()
    wait_for(lambda: imported(odoo_database, orders | more) == orders | more)
    assert daemon.stop()[0] == 0
    assert verify(store)
