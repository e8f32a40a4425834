"""The state store's runs and file; threads, processes and kills."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from clocks import NOON, Clock
from examples import UNKNOWN_SKU, live_window
from stores import driver_of

from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, ConfigError, Transient
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.ledger.migrations import MIGRATIONS
from amazon_bridge.engine.records import Seen, State

HOUR = timedelta(hours=1)


# Runs


def test_the_last_run_is_remembered_with_the_last_success(ledger: Ledger, clock: Clock):
    clock.now = NOON + 2 * HOUR
    good = Counts(seen=3, created=2)
    bad = Counts(seen=1, error="Odoo is down.")
    ledger.runs.record("acme", "orders", started=NOON, finished=NOON + HOUR, counts=good)
    (last,) = ledger.runs.latest()
    assert (last.last_started, last.last_success) == (NOON, NOON + HOUR)
    assert (last.last_error, last.counts) == (None, good)
    later = NOON + 2 * HOUR
    ledger.runs.record("acme", "orders", started=later, finished=later, counts=bad)
    (last,) = ledger.runs.latest()
    assert (last.last_started, last.last_success) == (later, NOON + HOUR)
    assert (last.last_error, last.counts) == ("Odoo is down.", bad)
    ledger.runs.record("acme", "orders", started=later, finished=later, counts=good)
    assert ledger.runs.latest()[0].last_error is None
    assert ledger.runs.last_success("acme", "orders") == later
    assert ledger.runs.last_success("acme", "pickings") is None


# The file


def test_the_store_is_for_its_owner_only_with_all_its_files(path: Path, clock: Clock):
    old = os.umask(0)
    try:
        with Ledger(path, clock) as ledger:
            ledger.cursors.set("acme", NOON)
            files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(old)
    assert files == dict.fromkeys(["bridge.db", "bridge.db-wal", "bridge.db-shm"], 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_was_written_is_there_after_reopening(path: Path, clock: Clock):
    with Ledger(path, clock) as ledger:
        ledger.items.file(
            "acme", "orders", [Seen("1", "a")], reading=live_window(NOON - HOUR, NOON)
        )
    with Ledger(path, clock) as ledger:
        assert ledger.items.pending("acme", "orders") == ["1"]
        assert ledger.cursors.get("acme") == NOON


def test_a_newer_store_is_refused_and_left_as_it_is(path: Path, clock: Clock):
    Ledger(path, clock).close()
    _sql(path, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(ConfigError, match="newer version"):
        Ledger(path, clock)
    assert _sql(path, "PRAGMA user_version") == [(len(MIGRATIONS) + 1,)]


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path, clock: Clock):
    other = tmp_path / "other.db"
    _sql(other, "CREATE TABLE theirs (a)")
    with pytest.raises(ConfigError, match="another program's"):
        Ledger(other, clock)
    assert _sql(other, "SELECT name FROM sqlite_schema") == [("theirs",)]


def test_an_empty_file_becomes_a_store(path: Path, clock: Clock):
    path.parent.mkdir()
    path.touch()
    with Ledger(path, clock) as ledger:
        assert ledger.runs.latest() == []


def test_a_file_that_is_no_database_is_named_with_what_to_do(path: Path, clock: Clock):
    path.parent.mkdir()
    path.write_bytes(random.Random(1).randbytes(8192))
    with pytest.raises(ConfigError, match=r"is damaged\. Stop the bridge, move bridge\.db"):
        Ledger(path, clock)


@pytest.mark.parametrize("table", ["sqlite_schema", "accounts", "items"])
def test_a_damaged_page_is_named_with_what_to_do(path: Path, clock: Clock, table: str):
    with Ledger(path, clock) as ledger:
        ledger.items.file("acme", "orders", [Seen(str(number), "a" * 64) for number in range(500)])
    found = _sql(path, f"SELECT rootpage FROM sqlite_schema WHERE name = '{table}'")
    page = found[0][0] if found else 1
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(ConfigError, match="is damaged"):
        _quarantine_one(path, clock)


def _quarantine_one(path: Path, clock: Clock) -> None:
    with Ledger(path, clock) as ledger:
        ledger.items.quarantine("acme", "orders", "1", UNKNOWN_SKU)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, clock: Clock):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="can't be created"):
        Ledger(tmp_path / "file" / "state" / "bridge.db", clock)
    with pytest.raises(ConfigError, match="can't be written"):
        Ledger(tmp_path, clock)


@pytest.mark.sqlite
def test_a_full_disk_stops_the_run_and_harms_nothing(ledger: Ledger):
    ledger.items.file("acme", "orders", [Seen("1", "a")])
    driver_of(ledger).execute("PRAGMA max_page_count = 12")
    many = [Seen(str(number), "b" * 100) for number in range(1000)]
    with pytest.raises(AccountError, match="Make room"):
        ledger.items.file("acme", "orders", many, reading=live_window(NOON - HOUR, NOON))
    assert ledger.cursors.get("acme") is None
    assert ledger.items.pending("acme", "orders") == ["1"]
    assert ledger.items.settle("acme", "orders", "1", "a")


def test_a_busy_store_is_worth_another_try(ledger: Ledger, path: Path):
    driver_of(ledger).execute("PRAGMA busy_timeout = 10")
    with sqlite3.connect(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Transient, match="busy"):
            ledger.cursors.set("acme", NOON)
        other.rollback()
    ledger.cursors.set("acme", NOON)


# Threads, processes, kills


def test_all_threads_may_use_one_ledger(ledger: Ledger):
    def work(account: str) -> None:
        for number in range(30):
            for key in ledger.items.file(account, "orders", [Seen(str(number), "a")]):
                assert ledger.items.settle(account, "orders", key, "a")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, (f"account{number}" for number in range(8))))
    assert {ledger.items.tally(f"account{n}")[State.DONE] for n in range(8)} == {30}


def test_a_store_may_be_created_by_many_at_once(tmp_path: Path, clock: Clock):
    barrier = Barrier(8)

    def create(path: Path) -> None:
        barrier.wait()
        with Ledger(path, clock) as ledger:
            ledger.items.file("acme", "orders", [Seen("1", "a")])

    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            list(pool.map(create, [tmp_path / f"{number}.db"] * 8))


WORK = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Seen
with Ledger(Path(sys.argv[1]), lambda: datetime.now(UTC)) as ledger:
    for number in range(100):
        ledger.items.file(sys.argv[2], "orders", [Seen(f"{number}", "a")])
        assert ledger.items.settle(sys.argv[2], "orders", f"{number}", "a")
"""


def test_two_processes_may_create_and_use_one_store_at_once(path: Path, clock: Clock):
    command = [sys.executable, "-c", WORK, str(path)]
    processes = [subprocess.Popen([*command, name]) for name in ("acme", "beta")]
    assert [process.wait(120) for process in processes] == [0, 0]
    with Ledger(path, clock) as ledger:
        assert ledger.items.tally("acme") == ledger.items.tally("beta") == {State.DONE: 100}


def test_a_kill_at_any_statement_leaves_all_or_nothing(path: Path, clock: Clock):
    def file(ledger: Ledger) -> None:
        seen = [Seen("1", "b"), Seen("2", "a")]
        ledger.items.file("acme", "orders", seen, reading=live_window(NOON - HOUR, NOON + HOUR))

    with Ledger(path, clock) as ledger:
        ledger.items.file(
            "acme", "orders", [Seen("1", "a")], reading=live_window(NOON - HOUR, NOON)
        )
        ledger.items.settle("acme", "orders", "1", "a")
    outcomes = set()
    for statement in range(1, 20):
        killed = _killed_at(statement, path, clock, file)
        with Ledger(path, clock) as ledger:
            outcome = (tuple(ledger.items.pending("acme", "orders")), ledger.cursors.get("acme"))
        outcomes.add(outcome)
        if not killed:
            break
    assert not killed
    assert outcomes == {((), NOON), (("1", "2"), NOON + HOUR)}


def _killed_at(statement: int, path: Path, clock: Clock, act: Callable[[Ledger], None]) -> bool:
    """Act in a child process that kills itself before its n-th statement."""
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    try:
        ledger = Ledger(path, clock)
        countdown = iter(range(statement - 1, -1, -1))
        driver_of(ledger).set_trace_callback(
            lambda _: None if next(countdown) else os.kill(os.getpid(), signal.SIGKILL)
        )
        act(ledger)
    finally:
        os._exit(0)


def _sql(path: Path, statement: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(path)
    try:
        return db.execute(statement).fetchall()
    finally:
        db.close()
