"""The state store after losses: rewound, of another database, written by a wrong clock."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from clocks import NOON, Clock

from amazon_bridge.engine.codec import BaseMemo
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.ledger.migrations import MIGRATIONS
from amazon_bridge.engine.ledger.verification import verify
from amazon_bridge.engine.records import DatabaseId, Seen, State
from amazon_bridge.engine.stock_records import Comparison, SkuState
from amazon_bridge.flows.orders.memo import Memo as OrderMemo
from amazon_bridge.model import Listing

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BAD = ItemError("bad", "It is bad.", "Correct it.")
LAST_RELEASE = 5
"""The version of the state stores that are in use."""


@dataclass(frozen=True, slots=True)
class Memo(BaseMemo):
    text: str


@pytest.fixture
def ledger(ledger: Ledger) -> Ledger:
    ledger.cursors.set("acme", NOON - 30 * DAY)
    return ledger


def do(ledger: Ledger, job: str, key: str, memo: str | None = None, fingerprint: str = "1") -> None:
    ledger.items.file("acme", job, [Seen(key, fingerprint)])
    assert ledger.items.settle("acme", job, key, fingerprint, memo=Memo(memo) if memo else None)


def state(ledger: Ledger, key: str, job: str = "orders") -> State | None:
    entry = ledger.items.get("acme", job, key)
    return entry and entry.state


# Rewinding


def test_what_was_done_since_is_pending_and_the_rest_only_if_amazon_shows_it(
    ledger: Ledger, clock: Clock
):
    do(ledger, "orders", "before")
    clock.now += HOUR
    since = clock.now
    do(ledger, "orders", "after")
    ledger.items.quarantine("acme", "orders", "bad", BAD)
    clock.now += HOUR
    ledger.cursors.set("acme", clock.now)
    ledger.continuity.rewind("acme", since, job="orders")
    assert ledger.cursors.get("acme") == since
    assert ledger.items.pending("acme", "orders") == ["after"]
    assert state(ledger, "before") is State.DONE
    assert state(ledger, "bad") is State.QUARANTINED
    shown = [Seen("before", "1"), Seen("bad", "")]
    assert ledger.items.file("acme", "orders", shown) == ["before"]
    assert ledger.items.settle("acme", "orders", "before", "1")
    assert ledger.items.file("acme", "orders", shown) == []


def test_a_run_under_way_does_not_settle_what_is_to_be_looked_at_again(ledger: Ledger):
    ledger.items.file("acme", "orders", [Seen("A", "1")])
    ledger.continuity.rewind("acme", NOON - HOUR, job="orders")
    assert not ledger.items.settle("acme", "orders", "A", "1")
    assert state(ledger, "A") is State.PENDING


def test_other_jobs_forget_what_was_settled_since_and_keep_what_is_open(
    ledger: Ledger, clock: Clock
):
    do(ledger, "pickings", "before")
    clock.now += HOUR
    since = clock.now
    do(ledger, "pickings", "after")
    ledger.items.file("acme", "pickings", [Seen("waiting", "1")])
    ledger.items.quarantine("acme", "pickings", "bad", BAD)
    ledger.continuity.rewind("acme", since, job="orders")
    found = {key: state(ledger, key, "pickings") for key in ("before", "after", "waiting", "bad")}
    assert found == {
        "before": State.DONE,
        "after": None,
        "waiting": State.PENDING,
        "bad": State.QUARANTINED,
    }


def test_rewinding_does_not_move_an_earlier_cursor_forward(ledger: Ledger):
    ledger.cursors.set("acme", NOON - DAY)
    ledger.continuity.rewind("acme", NOON - HOUR, job="orders")
    assert ledger.cursors.get("acme") == NOON - DAY


def test_another_account_is_not_rewound(ledger: Ledger):
    ledger.items.file("other", "orders", [Seen("A", "1")])
    ledger.items.settle("other", "orders", "A", "1")
    ledger.continuity.rewind("acme", NOON - DAY, job="orders")
    assert ledger.items.file("other", "orders", [Seen("A", "1")]) == []


def test_the_memo_is_again_what_it_was_then(ledger: Ledger, clock: Clock):
    moments = []
    for number, memo in enumerate(["first", "second", "second", "third"]):
        do(ledger, "orders", "A", memo, str(number))
        moments.append(clock.now)
        clock.now += HOUR

    def memo_after_rewind(since: datetime) -> str | None:
        ledger.continuity.rewind("acme", since, job="orders")
        entry = ledger.items.get("acme", "orders", "A")
        assert entry
        ledger.items.file("acme", "orders", [Seen("A", "x")])
        ledger.items.settle("acme", "orders", "A", "x")
        memo = Memo.read(entry)
        return memo and memo.text

    assert memo_after_rewind(moments[3]) == "third"
    assert memo_after_rewind(moments[2]) == "second"
    assert memo_after_rewind(moments[1] - HOUR / 2) == "first"
    assert memo_after_rewind(moments[0] - DAY) == "first", "it was never without one"


def test_jobs_look_back_as_with_a_new_store_until_a_run_that_began_later_succeeds(
    ledger: Ledger, clock: Clock
):
    def record(error: str | None, rewinds: int) -> None:
        counts = Counts(error=error)
        at = clock.now
        ledger.runs.record(
            "acme", "pickings", started=at, finished=at, counts=counts, rewinds=rewinds
        )

    before = ledger.continuity.rewinds("acme")
    record(None, before)
    assert ledger.runs.last_success("acme", "pickings") == NOON
    ledger.continuity.rewind("acme", NOON - DAY, job="orders")
    assert ledger.runs.last_success("acme", "pickings") is None
    record(None, before)  # it began before the store was rewound
    record("Odoo is down.", ledger.continuity.rewinds("acme"))
    assert ledger.runs.last_success("acme", "pickings") is None
    record(None, ledger.continuity.rewinds("acme"))
    assert ledger.runs.last_success("acme", "pickings") == NOON


def test_the_memos_of_forgotten_items_are_forgotten(ledger: Ledger, clock: Clock):
    do(ledger, "orders", "A", "memo")
    clock.now += DAY
    assert ledger.items.forget_finished("acme", "orders", clock.now) == 1
    assert verify(ledger.store)["memos"] == 0


# The database of Odoo


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (DatabaseId("https://a", "prod", "1"), True),
        (DatabaseId("https://b", "moved", "1"), True),
        (DatabaseId("https://a", "prod", "2"), False),
        (DatabaseId("https://a", "prod", None), True),
        (DatabaseId("https://b", "prod", None), True),
        (DatabaseId("https://a", "test", None), False),
    ],
)
def test_a_database_is_known_by_its_uuid_or_else_by_its_address(
    other: DatabaseId, *, is_same: bool
):
    assert DatabaseId("https://a", "prod", "1").is_same(other) is is_same


def test_the_database_is_remembered(ledger: Ledger):
    assert ledger.continuity.odoo_database() is None
    for database in (DatabaseId("https://a", "prod", None), DatabaseId("https://a", "prod", "1")):
        ledger.continuity.note_odoo_database(database)
        assert ledger.continuity.odoo_database() == database


def test_another_database_is_adopted_with_all_that_it_may_lack(ledger: Ledger):
    do(ledger, "orders", "A")
    ledger.cursors.set("acme", NOON)
    ledger.continuity.adopt_odoo_database(
        DatabaseId("https://b", "prod", "2"), {"acme": NOON - DAY, "new": NOON}, job="orders"
    )
    assert ledger.continuity.odoo_database() == DatabaseId("https://b", "prod", "2")
    assert (ledger.cursors.get("acme"), ledger.cursors.get("new")) == (NOON - DAY, NOON)
    assert ledger.items.pending("acme", "orders") == ["A"]


# Time


@pytest.mark.parametrize("jump", [-30 * DAY, -2 * DAY, 2 * DAY, 400 * DAY])
def test_a_chore_is_due_once_an_interval_whatever_the_clock_does(
    ledger: Ledger, clock: Clock, jump: timedelta
):
    assert ledger.chores.is_due("forgetting", DAY)
    assert not ledger.chores.is_due("forgetting", DAY)
    clock.now += jump
    assert ledger.chores.is_due("forgetting", DAY)
    assert not ledger.chores.is_due("forgetting", DAY)
    clock.now += DAY
    assert ledger.chores.is_due("forgetting", DAY)
    ledger.chores.make_due("forgetting")
    assert ledger.chores.is_due("forgetting", DAY)


def test_a_success_in_the_future_is_not_believed(ledger: Ledger, clock: Clock):
    clock.now += 365 * DAY
    at = clock.now
    ledger.runs.record("acme", "pickings", started=at, finished=at, counts=Counts())
    assert ledger.runs.last_success("acme", "pickings") == at
    clock.now = NOON
    assert ledger.runs.last_success("acme", "pickings") is None


def test_what_waits_for_time_to_pass_waits_anew_after_the_clock_was_set_back(
    ledger: Ledger, clock: Clock
):
    clock.now += 365 * DAY
    at = clock.now
    ledger.feeds.begin("acme", ["A"])
    ledger.items.file("acme", "orders", [Seen("A", "1")])
    ledger.items.note_silence("acme", "orders", "A")
    ledger.runs.record("acme", "orders", started=at, finished=at, counts=Counts())
    assert not ledger.continuity.correct_moments()
    clock.now = NOON
    assert ledger.continuity.correct_moments()
    assert ledger.feeds.last_begun("acme") == NOON
    assert ledger.feeds.open("acme")[0].begun == NOON
    assert ledger.items.note_silence("acme", "orders", "A") == NOON
    assert not ledger.continuity.correct_moments()


def test_quantities_that_were_sent_in_the_future_are_read_back(ledger: Ledger, clock: Clock):
    clock.now += 365 * DAY
    at = clock.now
    ledger.stock_catalogue.file("acme", "FR", [Listing("MUG", "FR", ("DEFAULT",), 5)], at)
    ledger.stock.note_sent("acme", "MUG", ["FR"], 3)
    waiting = Comparison("MUG", SkuState.WAITING, increase_since=at)
    ledger.stock.note_comparisons("acme", [waiting])
    ledger.runs.record("acme", "stock", started=at, finished=at, counts=Counts())
    clock.now = NOON
    ledger.continuity.correct_moments()
    assert ledger.stock.sent_before("acme", NOON, 10) == ["MUG"]
    assert ledger.stock.first_increase("acme") == NOON


# Stores of the last release


def test_a_store_of_the_last_release_is_taken_up(tmp_path: Path, clock: Clock):
    path = tmp_path / "bridge.db"
    with closing(sqlite3.connect(path)) as db:
        for step in MIGRATIONS[:LAST_RELEASE]:
            for statement in step:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {LAST_RELEASE}")
        at = (NOON - DAY).isoformat(timespec="microseconds")
        db.execute("INSERT INTO accounts (name, cursor, began) VALUES ('acme', ?1, ?1)", (at,))
        db.execute(
            "INSERT INTO items (account, job, key, fingerprint, importable, state, memo,"
            " first_seen, last_seen, last_tried)"
            " VALUES ('acme', 'orders', 'A', '1', 1, 'done', '9.00 X MERCHANT UNSHIPPED',"
            " ?1, ?1, ?1)",
            (at,),
        )
        db.execute(
            "INSERT INTO rounds (account, job, last_started, last_finished, last_success, counts)"
            " VALUES ('acme', 'sweep', ?1, ?1, ?1, '{}'), ('acme', 'orders', ?1, ?1, ?1, '{}')",
            (at,),
        )
        db.commit()
    with Ledger(path, clock) as ledger:
        assert ledger.continuity.odoo_database() is None
        assert ledger.runs.last_success("acme", "orders") == NOON - DAY
        assert [run.job for run in ledger.runs.latest()] == ["orders"], "no sweep any more"
        assert ledger.items.file("acme", "orders", [Seen("A", "1")]) == []
        ledger.continuity.rewind("acme", NOON - 2 * DAY, job="orders")
        (entry,) = ledger.items.pending_entries("acme", "orders")
        assert OrderMemo.read(entry) == OrderMemo(Decimal("9.00"), "X", "MERCHANT", "UNSHIPPED")
    with Ledger(path, clock) as ledger:
        assert ledger.cursors.get("acme") == NOON - 2 * DAY
