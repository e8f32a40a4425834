from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.engine.window import (
    OVERLAP,
    SETTLED,
    SLICE,
    SWEEP,
    Window,
    sweep_windows,
    windows,
)

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
moments = st.datetimes(
    min_value=datetime(2024, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def test_a_run_five_minutes_after_the_last_looks_back_over_the_overlap():
    cursor = NOON - timedelta(minutes=7)
    assert windows(cursor, NOON) == [Window(cursor - OVERLAP, NOON - SETTLED)]


def test_a_long_history_comes_in_day_by_day():
    cursor = NOON - timedelta(days=2)
    first = cursor - OVERLAP
    assert windows(cursor, NOON) == [
        Window(first, first + SLICE),
        Window(first + SLICE, first + 2 * SLICE),
        Window(first + 2 * SLICE, NOON - SETTLED),
    ]


def test_nothing_is_left_before_amazons_two_minutes_are_over():
    assert windows(NOON - SETTLED, NOON) == []
    assert windows(NOON + timedelta(days=1), NOON) == []


def test_of_a_window_only_what_amazon_spoke_of_is_known():
    window = Window(NOON, NOON + timedelta(hours=2))
    for hours, known in ((3, 2), (1, 1), (-1, 0)):
        until = window.until(NOON + timedelta(hours=hours))
        assert until == Window(NOON, NOON + timedelta(hours=known))


def test_fractions_of_a_second_wait_for_the_next_run():
    (window,) = windows(NOON - timedelta(hours=1), NOON + timedelta(microseconds=999_999))
    assert window.before == NOON - SETTLED


def test_windows_begin_and_end_with_whole_seconds():
    fraction = timedelta(microseconds=517_831)
    days = windows(NOON - timedelta(days=3) + fraction, NOON)
    late = sweep_windows(NOON, NOON - timedelta(days=1) + fraction)
    assert not any(moment.microsecond for window in [*days, *late] for moment in window)


def test_the_sweep_looks_at_the_last_days():
    slices = sweep_windows(NOON, NOON - timedelta(days=30))
    assert slices[0].after == NOON - SETTLED - SWEEP
    assert slices[-1].before == NOON - SETTLED
    assert all(before.before == after.after for before, after in pairwise(slices))


def test_the_sweep_looks_at_nothing_from_before_the_beginning():
    (window,) = sweep_windows(NOON, NOON - timedelta(hours=5))
    assert window == Window(NOON - timedelta(hours=5), NOON - SETTLED)
    assert sweep_windows(NOON, NOON) == []


@given(cursor=moments, now=moments)
def test_windows_have_no_gap_no_future_and_bounded_length(cursor: datetime, now: datetime):
    found = windows(cursor, now)
    end = (now - SETTLED).replace(microsecond=0)
    assert bool(found) == (cursor < end)
    if found:
        assert timedelta(0) <= cursor - OVERLAP - found[0].after < timedelta(seconds=1)
        assert found[-1].before == end
    assert all(older.before == newer.after for older, newer in pairwise(found))
    assert all(timedelta(0) < before - after <= SLICE for after, before in found)
    assert all(before > cursor for _, before in found)
    assert len(found) <= max(0, (end - cursor + OVERLAP) / SLICE) + 1


@given(
    start=moments,
    steps=st.lists(st.timedeltas(timedelta(0), timedelta(days=3)), min_size=1, max_size=20),
    read=st.data(),
)
def test_the_cursor_only_grows_and_every_moment_behind_it_was_read(
    start: datetime, steps: list[timedelta], read: st.DataObject
):
    """Runs at odd times, each interrupted after some of its windows."""
    cursor = known = now = start
    for step in steps:
        now += step
        found = windows(cursor, now)
        for window in found[: read.draw(st.integers(0, len(found)))]:
            assert window.after <= known
            assert window.before > cursor
            cursor = known = window.before
        assert cursor == start or cursor <= now - SETTLED


@given(cursor=moments, now=moments)
def test_a_completed_run_leaves_nothing_to_the_same_moment(cursor: datetime, now: datetime):
    for window in windows(cursor, now):
        cursor = window.before
    assert windows(cursor, now) == []
