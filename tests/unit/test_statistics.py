"""What happened to orders: counted by the hour, with how long it took."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from itertools import chain, pairwise
from pathlib import Path

import pytest
from clocks import NOON, Clock
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.engine.durations import BEYOND, BOUNDS, Durations, bound_of
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.ledger.migrations import MIGRATIONS
from amazon_bridge.engine.records import Event, HourOfEvents, Seen, State

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
IMPORTED = ("acme", "imported", "MERCHANT")


def imported(took: timedelta | None) -> Event:
    return Event("imported", "MERCHANT", took)


def test_events_are_counted_by_hour_account_kind_and_who_fulfils(ledger: Ledger, clock: Clock):
    clock.now = NOON + 59 * MINUTE
    ledger.statistics.count("acme", [imported(4 * MINUTE)] * 2 + [imported(None)])
    ledger.statistics.count("acme", [Event("cancelled", "AMAZON")])
    ledger.statistics.count("acme", [])
    clock.now += 2 * MINUTE
    ledger.statistics.count("beta", [imported(4 * MINUTE)])
    both = {
        HourOfEvents(NOON, "acme", "imported", "MERCHANT"): 3,
        HourOfEvents(NOON, "acme", "cancelled", "AMAZON"): 1,
        HourOfEvents(NOON + HOUR, "beta", "imported", "MERCHANT"): 1,
    }
    assert ledger.statistics.by_hour(NOON) == both
    assert ledger.statistics.by_hour(NOON, "acme").total() == 4
    assert ledger.statistics.by_hour(NOON + MINUTE).total() == 1


def test_the_durations_of_a_period_and_of_all_time(ledger: Ledger, clock: Clock):
    ledger.statistics.count("acme", [imported(4 * MINUTE), imported(6 * MINUTE), imported(None)])
    ledger.statistics.count("acme", [Event("cancelled", "AMAZON")])
    clock.now += HOUR
    ledger.statistics.count("acme", [imported(6 * MINUTE)])
    assert ledger.statistics.durations() == {IMPORTED: Durations({240: 1, 420: 2}, 960)}
    assert ledger.statistics.durations(NOON + HOUR) == {IMPORTED: Durations({420: 1}, 360)}
    assert ledger.statistics.durations(account="acme") == ledger.statistics.durations()
    assert ledger.statistics.durations(NOON, "beta") == {}


def test_events_of_forgotten_hours_still_count(ledger: Ledger, clock: Clock):
    for _ in range(3):
        ledger.statistics.count("acme", [imported(4 * MINUTE), Event("cancelled", "AMAZON")])
        clock.now += HOUR
        ledger.statistics.forget_hours(clock.now - HOUR)
    all_time = {IMPORTED: Durations({240: 3}, 720)}
    assert ledger.statistics.durations() == all_time
    assert ledger.statistics.durations(NOON) == {IMPORTED: Durations({240: 1}, 240)}
    assert set(ledger.statistics.by_hour(NOON)) == {
        HourOfEvents(NOON + 2 * HOUR, "acme", "imported", "MERCHANT"),
        HourOfEvents(NOON + 2 * HOUR, "acme", "cancelled", "AMAZON"),
    }
    ledger.statistics.forget_hours(clock.now)
    assert ledger.statistics.durations() == all_time
    assert ledger.statistics.by_hour(NOON) == {}


def test_a_store_of_the_version_before_is_taken_up(tmp_path: Path, clock: Clock):
    path = tmp_path / "bridge.db"
    version = next(n for n, step in enumerate(MIGRATIONS) if "DROP TABLE hours" in step)
    hour = NOON.isoformat(timespec="microseconds")
    with closing(sqlite3.connect(path)) as db:
        for statement in chain.from_iterable(MIGRATIONS[:version]):
            statement(db) if callable(statement) else db.execute(statement)
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("INSERT INTO accounts (name) VALUES ('acme')")
        db.execute("INSERT INTO hours VALUES (?, 'acme', 7)", (hour,))
        db.execute(
            "INSERT INTO items (account, job, key, fingerprint, importable, state, first_seen,"
            " last_seen) VALUES ('acme', 'orders', '402-1', 'a', 1, 'pending', ?, ?)",
            (hour, hour),
        )
        db.commit()
    with Ledger(path, clock) as ledger:
        ledger.statistics.count("acme", [imported(4 * MINUTE)])
        assert ledger.statistics.by_hour(NOON) == {
            HourOfEvents(NOON, "acme", "imported", ""): 7,
            HourOfEvents(NOON, "acme", "imported", "MERCHANT"): 1,
        }
        assert ledger.statistics.durations() == {IMPORTED: Durations({240: 1}, 240)}
        (oldest,) = ledger.items.oldest_open()
        assert oldest.since == NOON


@pytest.mark.parametrize("finished_as", [State.DONE, State.LEFT_OUT])
def test_an_item_is_open_since_it_was_opened_again(
    ledger: Ledger, clock: Clock, finished_as: State
):
    ledger.items.file("acme", "orders", [Seen("1", "a")])
    clock.now += HOUR
    ledger.items.file("acme", "orders", [Seen("1", "b")])
    assert ledger.items.oldest_open()[0].since == NOON, "it was open all the time"
    ledger.items.settle("acme", "orders", "1", "b", finished_as)
    clock.now += HOUR
    ledger.items.file("acme", "orders", [Seen("1", "b")])
    assert ledger.items.oldest_open() == []
    ledger.items.file("acme", "orders", [Seen("1", "c")])
    clock.now += HOUR
    ledger.items.file("acme", "orders", [Seen("1", "d")])
    assert ledger.items.oldest_open()[0].since == NOON + 2 * HOUR
    (entry,) = ledger.items.with_key("1")
    assert (entry.first_seen, entry.open_since) == (NOON, NOON + 2 * HOUR)


def test_reopened_rewound_and_newly_quarantined_items_are_open_since_then(
    ledger: Ledger, clock: Clock
):
    for key in ("reopened", "quarantined", "rewound"):
        ledger.items.file("acme", "orders", [Seen(key, "a")])
        ledger.items.settle("acme", "orders", key, "a")
    clock.now += HOUR
    ledger.items.reopen("acme", "orders", "reopened")
    ledger.items.quarantine("acme", "orders", "quarantined", ItemError("k", "r", "m"))
    ledger.continuity.rewind("acme", NOON, job="orders")
    clock.now += HOUR
    ledger.items.quarantine("acme", "orders", "quarantined", ItemError("k", "r", "m"))
    ledger.items.reopen("acme", "orders", "reopened")
    entries = [*ledger.items.pending_entries("acme", "orders"), *ledger.items.quarantined()]
    assert {entry.key for entry in entries} == {"reopened", "quarantined", "rewound"}
    assert {entry.open_since for entry in entries} == {NOON + HOUR}


# Durations


@given(st.integers(min_value=-(10**6), max_value=10**8))
def test_a_bound_is_the_least_that_holds(seconds: int):
    bound = bound_of(timedelta(seconds=seconds))
    assert bound >= seconds
    assert all(lower < seconds for lower in BOUNDS if lower < bound)
    assert bound in (*BOUNDS, BEYOND)


def test_bounds_are_ascending_and_never_far_apart():
    assert all(low < high <= 2 * low for low, high in pairwise(BOUNDS))


@given(st.lists(st.sampled_from(BOUNDS), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_least_that_so_many_do_not_exceed(bounds: list[int], percent: int):
    found = Durations({bound: bounds.count(bound) for bound in bounds}, 0).percentile(percent)
    assert sum(bound <= found for bound in bounds) * 100 >= percent * len(bounds)
    assert sum(bound < found for bound in bounds) * 100 < percent * len(bounds)
