"""What the state store remembers of the lanes: where they are, and which page comes next."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from clocks import NOON

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.window import OVERLAP, Lane, Reading, Window, live_start

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OLD = NOON - 10 * DAY
LIVE_FROM = live_start(NOON)


def reading(lane: Lane, after: datetime, before: datetime, token: str | None = None) -> Reading:
    return Reading.of(lane, Window(after, before), "FR", NOON).continued(before, token)


def file(ledger: Ledger, *read: object) -> None:
    ledger.items.file("acme", "orders", [], reading=reading(*read))


def test_a_page_moves_no_cursor_and_its_token_is_kept_until_the_last_one(ledger: Ledger):
    ledger.cursors.set("acme", NOON - HOUR)
    for token in ("t1", "t2"):
        file(ledger, Lane.LIVE, NOON - HOUR, NOON, token)
        known = ledger.lanes.readings("acme").get(Lane.LIVE)
        assert known == reading(Lane.LIVE, NOON - HOUR, NOON, token)
        assert ledger.cursors.get("acme") == NOON - HOUR
    file(ledger, Lane.LIVE, NOON - HOUR, NOON)
    assert ledger.lanes.readings("acme").get(Lane.LIVE) is None
    assert ledger.cursors.get("acme") == NOON


def test_a_cursor_moves_only_as_far_as_amazons_response_is_complete(ledger: Ledger):
    ledger.cursors.set("acme", NOON - HOUR)
    lags = reading(Lane.LIVE, NOON - HOUR, NOON).continued(NOON - HOUR / 2, None)
    ledger.items.file("acme", "orders", [], reading=lags)
    assert ledger.cursors.get("acme") == NOON - HOUR / 2


def test_a_token_can_be_dropped(ledger: Ledger):
    file(ledger, Lane.LATE_3D, OLD, OLD + HOUR, "t1")
    ledger.lanes.drop("acme", Lane.LATE_3D)
    assert ledger.lanes.readings("acme").get(Lane.LATE_3D) is None


def test_second_looks_have_positions_of_their_own(ledger: Ledger):
    ledger.cursors.set("acme", NOON)
    assert ledger.lanes.position("acme", Lane.LATE_12H, OLD) == OLD
    assert ledger.lanes.position("acme", Lane.LATE_12H, NOON) == OLD
    file(ledger, Lane.LATE_12H, OLD, OLD + DAY)
    assert ledger.lanes.position("acme", Lane.LATE_12H, NOON) == OLD + DAY
    assert ledger.lanes.position("acme", Lane.LATE_3D, OLD) == OLD
    assert ledger.cursors.get("acme") == NOON


def test_the_first_look_moves_with_the_cursor_if_it_was_part_of_the_window(ledger: Ledger):
    cursor = NOON - HOUR
    ledger.cursors.set("acme", cursor)
    look = ledger.lanes.position("acme", Lane.LATE_30M, cursor - OVERLAP)
    file(ledger, Lane.LIVE, cursor, cursor + OVERLAP / 2)
    assert ledger.lanes.position("acme", Lane.LATE_30M, NOON) == look
    file(ledger, Lane.LIVE, look, NOON)
    assert ledger.lanes.position("acme", Lane.LATE_30M, NOON) == NOON - OVERLAP


# The back-log


@pytest.fixture
def behind(ledger: Ledger) -> Ledger:
    """An account ten days behind, whose live interval begins half an hour ago."""
    ledger.cursors.set("acme", OLD)
    ledger.lanes.begin_backlog("acme", OLD, LIVE_FROM)
    return ledger


def test_live_windows_leave_the_cursor_while_there_is_a_back_log(behind: Ledger):
    file(behind, Lane.LIVE, LIVE_FROM, NOON)
    backlog = behind.lanes.backlog("acme")
    assert backlog
    assert (backlog.begins, backlog.position, backlog.ends) == (OLD, OLD, LIVE_FROM)
    assert (backlog.live_until, backlog.since) == (NOON, NOON)
    assert behind.cursors.get("acme") == OLD
    assert behind.cursors.synced_until("acme") == NOON


def test_a_cursor_that_reaches_the_live_interval_jumps_to_its_end(behind: Ledger):
    file(behind, Lane.LIVE, LIVE_FROM, NOON)
    file(behind, Lane.BACKLOG, OLD, OLD + DAY)
    assert behind.cursors.get("acme") == OLD + DAY
    file(behind, Lane.BACKLOG, OLD + DAY, LIVE_FROM)
    assert behind.cursors.get("acme") == NOON
    assert behind.lanes.backlog("acme") is None
    assert behind.cursors.synced_until("acme") == NOON


def test_a_back_log_that_is_done_before_anything_live_was_read_leaves_no_gap(behind: Ledger):
    file(behind, Lane.BACKLOG, OLD, LIVE_FROM)
    assert behind.cursors.get("acme") == LIVE_FROM


def test_another_live_interval_leaves_what_the_first_one_held_to_the_back_log(behind: Ledger):
    file(behind, Lane.LIVE, LIVE_FROM, NOON)
    file(behind, Lane.LIVE, NOON, NOON + HOUR, "t1")
    behind.lanes.begin_live_again("acme", NOON + 5 * HOUR)
    backlog = behind.lanes.backlog("acme")
    assert backlog
    assert (backlog.ends, backlog.live_until) == (NOON + 5 * HOUR, NOON + 5 * HOUR)
    assert behind.lanes.readings("acme").get(Lane.LIVE) is None


def test_a_window_that_was_begun_before_belongs_to_the_back_log(ledger: Ledger):
    ledger.cursors.set("acme", OLD)
    file(ledger, Lane.LIVE, OLD, OLD + HOUR, "t1")
    ledger.lanes.begin_backlog("acme", OLD, LIVE_FROM)
    assert ledger.lanes.readings("acme").get(Lane.LIVE) is None
    assert ledger.lanes.readings("acme").get(Lane.BACKLOG) == reading(
        Lane.BACKLOG, OLD, OLD + HOUR, "t1"
    )


@pytest.mark.parametrize("how", ["set", "skip", "rewind"])
def test_who_sets_the_cursor_discards_tokens_and_the_live_interval(behind: Ledger, how: str):
    file(behind, Lane.LIVE, LIVE_FROM, NOON)
    for lane in Lane:
        file(behind, lane, OLD, OLD + DAY, "t1")
    look = behind.lanes.position("acme", Lane.LATE_3D, OLD)
    match how:
        case "rewind":
            behind.continuity.rewind("acme", OLD - DAY, job="orders")
        case _:
            getattr(behind.cursors, how)("acme", OLD - DAY)
    assert behind.lanes.backlog("acme") is None
    assert behind.lanes.readings("acme") == {}
    assert behind.cursors.synced_until("acme") == OLD - DAY
    assert behind.lanes.position("acme", Lane.LATE_3D, NOON) == look


def test_accounts_keep_their_lanes_apart(behind: Ledger):
    file(behind, Lane.LIVE, LIVE_FROM, NOON, "t1")
    assert behind.lanes.backlog("other") is None
    assert behind.lanes.readings("other").get(Lane.LIVE) is None
