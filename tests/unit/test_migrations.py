"""State stores of earlier versions are migrated, and kept beside the new one."""

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path

import pytest

from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, ConfigError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.ledger.migrations import MIGRATIONS
from amazon_bridge.engine.ledger.stock_migration import FULL_COMPARISONS
from amazon_bridge.engine.ledger.verification import verify
from amazon_bridge.engine.lock import held
from amazon_bridge.engine.records import DatabaseId, HourOfEvents, Seen, State, Unmatched
from amazon_bridge.engine.stock_records import SkuState, StockProgress
from amazon_bridge.flows.cancellations.memo import Memo as CancellationMemo
from amazon_bridge.flows.orders.memo import ItemMemo
from amazon_bridge.flows.orders.memo import Memo as OrderMemo
from amazon_bridge.flows.shipments.progress import ShipmentProgress, Stage

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BEFORE, LAST = NOON - 24 * HOUR, NOON - HOUR
VERSION_8 = Path(__file__).with_name("state_store_version_8.sql")
OLD_MEMO = OrderMemo(Decimal("76.00"), "A13V1IB3VIYZZH", "MERCHANT", "UNSHIPPED")


def clock() -> datetime:
    return NOON


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "bridge.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(VERSION_8.read_text())
    return path


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())


def test_all_that_a_store_of_the_last_release_knows_is_taken_up(path: Path):
    with Ledger(path, clock) as ledger:
        assert (ledger.cursors.get("acme"), ledger.cursors.began("acme")) == (LAST, BEFORE)
        assert ledger.items.tally("acme") == {
            State.DONE: 5,
            State.PENDING: 3,
            State.QUARANTINED: 1,
        }
        (quarantined,) = ledger.items.quarantined()
        assert (quarantined.kind, quarantined.attempts) == ("unknown_sku", 3)
        assert ledger.continuity.odoo_database() == DatabaseId(
            "https://erp.example.com", "prod", "u-1"
        )
        assert ledger.skus.unmatched("acme") == [
            Unmatched("X-1", "There is no product X-1.", 1, "402-5")
        ]
        (feed,) = ledger.feeds.open("acme")
        assert (feed.keys, feed.feed_id, feed.begun) == (("402-7", "402-8"), "F1", LAST)
        (run,) = ledger.runs.latest()
        assert run.counts == Counts(seen=3, created=2, unchanged=1)
        assert ledger.runs.last_success("acme", "orders") == LAST
        imported = HourOfEvents(LAST, "acme", "imported", "")
        assert ledger.statistics.by_hour(BEFORE) == {imported: 2}
        assert ledger.statistics.durations() == {}, "how long they took was not counted"
    assert sum(verify(path).values()) == 17
    assert verify(path)["chores"] == 0, "there is no daily sweep any more"


def test_orders_have_a_version_as_soon_as_they_are_seen(path: Path):
    with Ledger(path, clock) as ledger:
        newer, older = Seen("402-1", "b", version=NOON), Seen("402-1", "a", version=BEFORE)
        assert ledger.items.file("acme", "orders", [newer]) == ["402-1"]
        assert ledger.items.file("acme", "orders", [older]) == []


def test_memos_of_all_encodings_are_read(path: Path):
    with Ledger(path, clock) as ledger:

        def entry(job: str, key: str):
            return ledger.items.get("acme", job, key)

        memo = OrderMemo.read(entry("orders", "402-2"))
        assert memo
        assert memo.items == (ItemMemo("51", 2, 2, pieces=6),)
        assert (memo.requests, memo.reminders, memo.place) == (1, ("address:1",), "9f2c")
        assert OrderMemo.read(entry("orders", "402-3")) == OLD_MEMO
        assert OrderMemo.read(entry("orders", "402-4")) == OrderMemo(
            Decimal(0), "", "MERCHANT", "UNSHIPPED"
        )
        assert [each.key for each in ledger.items.watched("acme", "orders")] == ["402-2"]
        assert [
            CancellationMemo.read(entry("cancellations", key)) for key in ("402-7", "402-8")
        ] == [CancellationMemo(passed_brake=True, feeds=n) for n in (2, 1)]
        progress = ShipmentProgress.read(entry("pickings", "402-1#17"))
        assert progress == ShipmentProgress(
            Stage.INCOMPLETE, NOON - 2 * HOUR, "402-1", ("carrier",), done=NOON - 2 * HOUR
        )


def test_items_that_a_bug_quarantined_have_todays_kind(path: Path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE items SET kind = 'bug' WHERE kind = 'unknown_sku'")
        db.commit()
    with Ledger(path, clock) as ledger:
        assert [each.kind for each in ledger.items.quarantined()] == ["internal_error"]


def test_a_rewind_restores_memos_of_earlier_versions(path: Path):
    with Ledger(path, clock) as ledger:
        ledger.continuity.rewind("acme", BEFORE, job="orders")
        memo = OrderMemo.read(ledger.items.get("acme", "orders", "402-2"))
        assert memo == OrderMemo(Decimal("76.00"), "A13V1IB3VIYZZH", "MERCHANT", "PENDING")
        ledger.items.file("acme", "orders", [])
        ledger.items.settle("acme", "orders", "402-2", "")
        assert ledger.items.watched("acme", "orders") == []


def test_the_old_store_is_kept_beside_the_new_one(path: Path):
    old = dump(path)
    Ledger(path, clock).close()
    backup = path.with_name("bridge.db.version-8")
    assert dump(backup) == old
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert verify(backup)["items"] == 9
    Ledger(path, clock).close()
    assert sorted(each.name for each in path.parent.iterdir()) == ["bridge.db", backup.name]


def test_a_migration_that_was_interrupted_is_repeated(path: Path):
    path.with_name("bridge.db.version-8.part").write_text("half a backup")
    old = dump(path)
    Ledger(path, clock).close()
    assert dump(path.with_name("bridge.db.version-8")) == old


def test_all_that_a_store_knew_of_quantities_is_taken_up(tmp_path: Path):
    path = tmp_path / "bridge.db"
    with closing(sqlite3.connect(path)) as db:
        version = MIGRATIONS.index(FULL_COMPARISONS)
        for statement in chain.from_iterable(MIGRATIONS[:version]):
            statement(db) if callable(statement) else db.execute(statement)
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("INSERT INTO accounts (name) VALUES ('acme'), ('other'), ('none')")
        places = "('acme', 'FR'), ('acme', 'DE'), ('other', 'US')"
        db.execute(f"INSERT INTO stock_marketplaces (account, marketplace) VALUES {places}")
        feed = "INSERT INTO stock_feeds (account, marketplace, skus, begun) VALUES (?, 'FR', ?, ?)"
        begun = LAST.isoformat()
        db.executemany(feed, [("acme", '["MUG"]', begun), ("none", '["MUG"]', begun)])
        sku = "INSERT INTO stock_skus (account, sku, state, quantity, product, in_flight)"
        db.execute(f"{sku} VALUES ('acme', 'MUG', 'equal', 3, 7, 2)")
        progress = "INSERT INTO stock_progress (account, compared, settings, drifts)"
        db.execute(f"{progress} VALUES ('acme', ?, 'digest', 4)", (begun,))
        db.commit()
    with Ledger(path, clock) as ledger:
        assert ledger.stock.counts("acme") == {SkuState.EQUAL: 1}
        assert ledger.stock.in_flight("acme") == {"MUG": 2}
        progress_then = StockProgress(LAST, "digest", drifts=4)
        assert ledger.stock_comparisons.progress("acme") == progress_then
        (known,), (unknown,) = map(ledger.stock_catalogue.open_feeds, ("acme", "none"))
        assert (known.skus, known.begun, set(known.covers)) == (("MUG",), LAST, {"FR", "DE"})
        assert unknown.covers == ()


def test_a_new_store_needs_no_backup(tmp_path: Path):
    Ledger(tmp_path / "bridge.db", clock).close()
    assert [each.name for each in tmp_path.iterdir()] == ["bridge.db"]


def test_many_processes_may_open_an_old_store_at_once(path: Path):
    def open_it(_: int) -> None:
        with Ledger(path, clock) as ledger:
            assert ledger.cursors.get("acme") == LAST

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_it, range(8)))
    assert verify(path.with_name("bridge.db.version-8"))["items"] == 9


HOLDER = """
import sys
from pathlib import Path
from amazon_bridge.engine.lock import held
with held(Path(sys.argv[1]), "daemon", "run"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_store_that_an_older_daemon_uses_is_left_as_it_is(path: Path, monkeypatch):
    monkeypatch.setattr("amazon_bridge.engine.lock.WAIT", 0.2)
    old = dump(path)
    command = [sys.executable, "-c", HOLDER, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as daemon:
        assert daemon.stdout
        assert daemon.stdout.readline() == "held\n"
        with pytest.raises(AccountError, match=f"Process {daemon.pid} still uses the state store"):
            Ledger(path, clock)
        assert dump(path) == old
        daemon.kill()
    with Ledger(path, clock) as ledger:
        assert ledger.cursors.get("acme") == LAST


def test_the_new_daemon_migrates_the_store_whose_lock_it_holds(path: Path):
    with held(path, "daemon", "run"), Ledger(path, clock) as ledger:
        assert ledger.cursors.get("acme") == LAST


def test_a_store_whose_folder_takes_no_backup_is_left_as_it_is(path: Path):
    path.with_name("bridge.db.version-8").mkdir()
    old = dump(path)
    with pytest.raises(ConfigError, match=r"bridge\.db\.version-8 can't be written"):
        Ledger(path, clock)
    assert dump(path) == old
