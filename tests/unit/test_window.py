"""Which windows the lanes read: no gap, no future, bounded length."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.engine.window import (
    BEHIND,
    LIVE_PAUSE,
    LIVE_START,
    LOOKS,
    OVERLAP,
    SEARCH_DELAY,
    SLICE,
    TOKEN_LIFETIME,
    Backlog,
    Lane,
    Reading,
    Window,
    is_behind,
    is_near,
    live_start,
    live_window,
    live_window_beside,
    look_window,
    window_between,
    windows_from,
)

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
END = NOON - SEARCH_DELAY
moments = st.datetimes(
    min_value=datetime(2024, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
spans = st.timedeltas(timedelta(0), timedelta(days=40))


# Windows


def test_a_live_window_begins_at_the_cursor_or_at_the_first_look():
    cursor = NOON - 7 * MINUTE
    assert live_window(cursor, cursor, NOON) == Window(cursor, END)
    assert live_window(cursor, cursor - OVERLAP, NOON) == Window(cursor - OVERLAP, END)
    assert is_near(cursor - OVERLAP, cursor)
    assert not is_near(cursor - 2 * HOUR, cursor)


def test_nothing_is_left_before_amazons_two_minutes_are_over():
    for cursor in (END, NOON + timedelta(days=1)):
        assert live_window(cursor, cursor - OVERLAP, NOON) is None
        assert windows_from(cursor, NOON) == []


def test_of_a_window_only_what_amazon_spoke_of_is_known():
    window = Window(NOON, NOON + 2 * HOUR)
    for hours, known in ((3, 2), (1, 1), (-1, 0)):
        until = window.until(NOON + timedelta(hours=hours))
        assert until == Window(NOON, NOON + timedelta(hours=known))


def test_fractions_of_a_second_wait_for_the_next_run():
    cursor = NOON - HOUR
    window = live_window(cursor, cursor, NOON + timedelta(microseconds=999_999))
    assert window == Window(cursor, END)
    assert window_between(END, END + timedelta(microseconds=1)) is None


@given(cursor=moments, span=spans)
def test_windows_have_no_gap_no_future_and_bounded_length(cursor: datetime, span: timedelta):
    now = cursor + span
    found = windows_from(cursor, now)
    assert bool(found) == (cursor < (now - SEARCH_DELAY).replace(microsecond=0))
    ordered = sorted(found)
    assert all(older.before >= newer.after for older, newer in pairwise(ordered))
    assert all(timedelta(0) < before - after <= SLICE for after, before in found)
    assert not any(moment.microsecond for window in found for moment in window)
    if found:
        assert ordered[0].after <= cursor - OVERLAP
        assert found[0].before == ordered[-1].before <= now - SEARCH_DELAY


# The back-log


def backlog(**moments: datetime) -> Backlog:
    fields = {
        "begins": NOON - timedelta(days=10),
        "position": NOON - timedelta(days=10),
        "ends": live_start(NOON),
        "live_until": live_start(NOON),
        "since": NOON,
    }
    return Backlog(**(fields | moments))


def test_a_cursor_an_hour_behind_has_no_back_log_and_an_older_one_has():
    assert not is_behind(END - BEHIND, NOON)
    assert is_behind(END - BEHIND - timedelta(seconds=1), NOON)


def test_the_live_interval_begins_at_once_and_goes_on_every_quarter_of_an_hour():
    first = live_window_beside(backlog(), NOON)
    assert first == Window(END - LIVE_START, END)
    later = backlog(live_until=END)
    assert live_window_beside(later, NOON + LIVE_PAUSE - MINUTE) is None
    assert live_window_beside(later, NOON + LIVE_PAUSE) == Window(END, END + LIVE_PAUSE)


def test_how_much_of_a_back_log_is_left():
    half = backlog(position=NOON - timedelta(days=5), ends=NOON)
    assert half.share == pytest.approx(0.5)
    assert half.left == timedelta(days=5)
    assert half.estimate(NOON) is None
    assert half.estimate(NOON + 3 * HOUR) == 3 * HOUR
    assert backlog().estimate(NOON + 3 * HOUR) is None
    assert backlog(begins=NOON, ends=NOON).share == 1


# Second looks


@pytest.mark.parametrize("look", LOOKS)
def test_a_second_look_waits_until_it_is_worth_a_call(look):
    cursor, due = NOON - 10 * MINUTE, NOON - look.lag
    assert look_window(look, due - look.gather + MINUTE, cursor, NOON) is None
    window = look_window(look, due - look.gather, cursor, NOON)
    assert window == Window(due - look.gather, due)
    far_behind = look_window(look, due - timedelta(days=3), cursor, NOON)
    assert far_behind == Window(due - timedelta(days=3), due - timedelta(days=2))


def test_a_second_look_looks_at_nothing_that_was_not_read_before():
    cursor = NOON - timedelta(days=9)
    for look in LOOKS:
        assert look_window(look, cursor - HOUR * 6, cursor, NOON) == Window(
            cursor - HOUR * 6, cursor
        )
        assert look_window(look, cursor, cursor, NOON) is None
        assert look_window(look, cursor + HOUR, cursor, NOON) is None


# Page tokens


def test_a_token_is_valid_for_the_same_marketplaces_for_less_than_a_day():
    reading = Reading.of(Lane.LIVE, Window(NOON - HOUR, END), "DE FR", NOON)
    assert reading.is_valid("DE FR", NOON + TOKEN_LIFETIME - MINUTE)
    assert not reading.is_valid("DE FR", NOON + TOKEN_LIFETIME)
    assert not reading.is_valid("DE FR", NOON - timedelta(days=3)), "the clock was set back"
    assert not reading.is_valid("FR", NOON)


def test_a_window_is_known_up_to_what_its_least_complete_page_says():
    reading = Reading.of(Lane.LIVE, Window(NOON - HOUR, END), "FR", NOON)
    reading = reading.continued(NOON - 20 * MINUTE, "t1").continued(END, "t2")
    assert (reading.known_until, reading.token) == (NOON - 20 * MINUTE, "t2")
    assert reading.continued(NOON - 3 * HOUR, None).known_until == NOON - HOUR
