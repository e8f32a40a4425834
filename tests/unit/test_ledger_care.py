"""The state store over years: creation, hourly counts, retention, backup, verification."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from clocks import NOON, Clock

from amazon_bridge.engine.codec import BaseMemo
from amazon_bridge.engine.errors import ConfigError, ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.ledger.migrations import MIGRATIONS
from amazon_bridge.engine.ledger.verification import verify
from amazon_bridge.engine.records import Seen, State

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Memo(BaseMemo):
    """What a job remembers of an item."""

    text: str


class WatchedMemo(Memo):
    @property
    def is_watched(self) -> bool:
        return True


def test_a_store_of_the_first_version_is_brought_to_this_one(tmp_path: Path, clock: Clock):
    path = tmp_path / "bridge.db"
    with closing(sqlite3.connect(path)) as db:
        for statement in MIGRATIONS[0]:
            db.execute(statement)
        db.execute("INSERT INTO accounts VALUES ('acme', '2026-11-15T12:00:00+00:00', NULL)")
        db.execute("PRAGMA user_version = 1")
        db.commit()
    with Ledger(path, clock) as ledger:
        assert ledger.cursors.get("acme") == ledger.cursors.began("acme") == NOON


def test_deliveries_that_were_known_by_name_are_looked_at_again(tmp_path: Path, clock: Clock):
    path = tmp_path / "bridge.db"
    with closing(sqlite3.connect(path)) as db:
        for step in MIGRATIONS[:5]:
            for statement in step:
                db.execute(statement)
        db.execute("INSERT INTO accounts (name) VALUES ('acme')")
        item = "'f', 0, 'done', 0, '2026-11-15T12:00:00Z', '2026-11-15T12:00:00Z'"
        for job, key in (("pickings", "WH/OUT/00012"), ("orders", "402-1")):
            db.execute(
                "INSERT INTO items (account, job, key, fingerprint, importable, state, attempts,"
                f" first_seen, last_seen) VALUES ('acme', '{job}', '{key}', {item})"
            )
            at = "'2026-11-15T12:00:00+00:00'"
            values = f"'acme', '{job}', {at}, {at}, {at}, NULL, '{{}}'"
            db.execute(f"INSERT INTO rounds VALUES ({values})")
        db.execute("PRAGMA user_version = 5")
        db.commit()
    with Ledger(path, clock) as ledger:
        assert ledger.items.get("acme", "pickings", "WH/OUT/00012") is None
        assert ledger.items.get("acme", "orders", "402-1") is not None
        assert ledger.runs.last_success("acme", "pickings") is None
        assert ledger.runs.last_success("acme", "orders") == NOON


def test_an_account_began_where_its_cursor_was_earliest(ledger: Ledger):
    assert ledger.cursors.began("acme") is None
    ledger.cursors.set("acme", NOON)
    ledger.cursors.set("acme", NOON + DAY)
    assert ledger.cursors.began("acme") == NOON
    ledger.cursors.set("acme", NOON - DAY)
    assert ledger.cursors.began("acme") == NOON - DAY


def test_finished_items_are_forgotten_and_others_are_not(ledger: Ledger, clock: Clock):
    keys = ["done", "left_out", "pending", "aside", "seen_again"]
    ledger.items.file("acme", "orders", [Seen(key, "1") for key in keys])
    ledger.items.settle("acme", "orders", "done", "1")
    ledger.items.settle("acme", "orders", "seen_again", "1")
    ledger.items.settle("acme", "orders", "left_out", "1", State.LEFT_OUT)
    ledger.items.quarantine(
        "acme", "orders", "aside", ItemError("internal_error", "It broke.", "Report it.")
    )
    clock.now = NOON + DAY
    ledger.items.file("acme", "orders", [Seen("seen_again", "1")])
    assert ledger.items.forget_finished("acme", "pickings", NOON + HOUR) == 0
    assert ledger.items.forget_finished("acme", "orders", NOON + HOUR) == 2
    assert [key for key in keys if ledger.items.with_key(key)] == ["pending", "aside", "seen_again"]


def test_a_backup_made_while_others_write_is_whole_and_for_its_owner_only(
    ledger: Ledger, tmp_path: Path
):
    ledger.items.file("acme", "orders", [Seen(str(number), "1") for number in range(500)])

    def write() -> None:
        for number in range(50):
            ledger.items.settle("acme", "orders", str(number), "1")

    writing = Thread(target=write)
    writing.start()
    target = tmp_path / "copy.db"
    ledger.back_up(target)
    writing.join()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert verify(target)["items"] == 500
    with Ledger(target, Clock()) as copy:
        assert sum(copy.items.tally("acme").values()) == 500


def test_a_backup_overwrites_nothing(ledger: Ledger, tmp_path: Path):
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(ConfigError, match="exists"):
        ledger.back_up(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"


def test_a_good_store_is_counted_while_it_is_used(ledger: Ledger):
    ledger.cursors.set("acme", NOON)
    counted = verify(ledger.store)
    assert (counted["accounts"], counted["items"]) == (1, 0)


def test_a_missing_store_is_said_plainly_and_not_made(tmp_path: Path):
    with pytest.raises(ConfigError, match="Nothing that matters is lost"):
        verify(tmp_path / "bridge.db")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_store_is_said_plainly(ledger: Ledger, tmp_path: Path):
    ledger.items.file("acme", "orders", [Seen(str(number), "1") for number in range(2000)])
    damaged = tmp_path / "copy.db"
    ledger.back_up(damaged)
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 5000] = bytes(5000)
    damaged.write_bytes(content)
    with pytest.raises(ConfigError, match="damaged"):
        verify(damaged)


def test_a_newer_store_is_refused(ledger: Ledger, tmp_path: Path):
    ledger.back_up(tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(ConfigError, match="newer version"):
        verify(tmp_path / "copy.db")


def test_an_item_that_runs_still_check_is_not_forgotten(ledger: Ledger, clock: Clock):
    """Such as an order with an open reminder, which a run closes when it is settled."""
    ledger.items.file("acme", "orders", [Seen("watched", "1"), Seen("old", "1")])
    for key, memo in (("watched", WatchedMemo("w")), ("old", Memo("o"))):
        ledger.items.settle("acme", "orders", key, "1", memo=memo)
    clock.now = NOON + DAY
    assert ledger.items.forget_finished("acme", "orders", NOON + HOUR) == 1
    assert ledger.items.get("acme", "orders", "watched")
    ledger.items.remember("acme", "orders", "watched", Memo("w"))
    assert ledger.items.forget_finished("acme", "orders", NOON + HOUR) == 1


def test_what_is_kept_of_an_item_goes_with_it(ledger: Ledger, clock: Clock):
    ledger.items.file("acme", "orders", [Seen("old", "1"), Seen("asked", "1")])
    ledger.items.settle("acme", "orders", "old", "1", memo=Memo("first"))
    ledger.items.settle("acme", "orders", "old", "1", memo=Memo("second"))
    unmatched = [("X-1", key, "There is no product X-1.") for key in ("old", "asked", "gone")]
    ledger.skus.note_matches("acme", unmatched=unmatched, matched=())
    clock.now = NOON + DAY
    assert ledger.items.forget_finished("acme", "orders", NOON + HOUR) == 1
    assert verify(ledger.store)["memos"] == 0
    assert [each.items for each in ledger.skus.unmatched("acme")] == [2]


def test_the_skus_of_an_order_stay_while_any_job_has_an_item_of_it(ledger: Ledger, clock: Clock):
    for job in ("orders", "cancellations"):
        ledger.items.file("acme", job, [Seen("402-1", "1")])
        ledger.items.settle("acme", job, "402-1", "1")
    ledger.skus.note_matches("acme", unmatched=[("X-1", "402-1", "No product.")], matched=())
    clock.now = NOON + DAY
    for job, left in (("cancellations", 1), ("orders", 0)):
        assert ledger.items.forget_finished("acme", job, NOON + HOUR) == 1
        assert len(ledger.skus.unmatched("acme")) == left


@pytest.mark.sqlite
def test_many_items_are_forgotten_in_batches(ledger: Ledger, clock: Clock):
    keys = [f"{number:04}" for number in range(2500)]
    ledger.items.file("acme", "orders", [Seen(key, "1") for key in keys])
    for key in keys[:2300]:
        ledger.items.settle("acme", "orders", key, "1")
    clock.now = NOON + DAY
    assert ledger.items.forget_finished("acme", "orders", NOON + HOUR) == 2300
    assert ledger.items.pending("acme", "orders") == keys[2300:]


def test_closed_feeds_are_forgotten_and_open_ones_are_not(ledger: Ledger, clock: Clock):
    old, stuck = (ledger.feeds.begin("acme", [key]) for key in ("402-1", "402-2"))
    ledger.feeds.set_id(old, "F1")
    ledger.feeds.close(old)
    clock.now = NOON + DAY
    ledger.feeds.forget(["acme"], NOON + HOUR)
    assert [feed.number for feed in ledger.feeds.open("acme")] == [stuck]
    assert verify(ledger.store)["feeds"] == 1
