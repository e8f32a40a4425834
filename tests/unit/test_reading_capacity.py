"""What the real rate of Amazon carries: calls a day, and how far new orders lag behind.

The clock is played; the throttle, the lanes and the state store are the real ones.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from clocks import Clock
from played_seller import PlayedAccount, play, spread, throttled

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.window import Lane

pytestmark = [pytest.mark.slow, pytest.mark.sqlite]

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GRANTED = 0.0056 * DAY.total_seconds()
"""Calls of searchOrders that Amazon allows a day: 484."""


@pytest.fixture
def account(ledger: Ledger, clock: Clock) -> PlayedAccount:
    return PlayedAccount(ledger, clock, throttled(clock))


def longest_lag(account: PlayedAccount, clock: Clock, duration: timedelta) -> timedelta:
    lags = [timedelta(0)]
    play([account], clock, duration, lambda: lags.append(account.lag))
    return max(lags)


def behind(account: PlayedAccount, clock: Clock, lane: Lane) -> timedelta:
    return clock() - account.ledger.lanes.position(account.name, lane, clock())


def test_a_quiet_account_makes_one_call_a_run_and_few_for_second_looks(
    account: PlayedAccount, clock: Clock
):
    play([account], clock, 14 * HOUR)
    before = account.amazon.calls
    assert longest_lag(account, clock, 6 * HOUR) <= 7 * MINUTE
    assert account.amazon.calls - before == 6 * 12 + 6
    assert behind(account, clock, Lane.LATE_12H) <= 13 * HOUR


def test_a_busy_account_is_as_current_as_a_quiet_one(account: PlayedAccount, clock: Clock):
    """At 8,000 changed orders a day."""
    spread(account.amazon, clock(), 18 * HOUR, 6000)
    play([account], clock, 12 * HOUR)
    before = account.amazon.calls
    assert longest_lag(account, clock, 6 * HOUR) <= 7 * MINUTE
    assert account.amazon.calls - before <= GRANTED / 4 + 10
    assert behind(account, clock, Lane.LATE_12H) <= 13 * HOUR
    assert set(account.times.values()) == {1}


def test_two_thousand_orders_an_hour_for_four_hours_lag_less_than_an_hour(
    account: PlayedAccount, clock: Clock
):
    """More than the 2,016 an hour that the rate carries, if pages were full."""
    spread(account.amazon, clock(), 8 * HOUR, 8 * 83)
    play([account], clock, 2 * HOUR)
    spread(account.amazon, clock(), 4 * HOUR, 8000, "peak")
    assert longest_lag(account, clock, 4 * HOUR) < HOUR
    play([account], clock, HOUR)
    assert account.lag <= 7 * MINUTE


def test_a_back_log_delays_no_new_order(account: PlayedAccount, clock: Clock):
    """Ten days at 500 orders a day: 50 pages, besides the live ones."""
    account.ledger.cursors.set("acme", clock() - 10 * DAY)
    orders = spread(account.amazon, clock() - 10 * DAY, 11 * DAY, 11 * 500)
    play([account], clock, 4 * MINUTE)
    assert account.lag <= 8 * MINUTE, "the live orders come first"
    hours = 0
    while account.ledger.lanes.backlog("acme"):
        hours += 1
        assert longest_lag(account, clock, HOUR) <= 21 * MINUTE
    assert hours <= 4
    assert account.lag <= 21 * MINUTE
    past = [each for each in orders if each in account.processed]
    assert len(past) >= 10 * 500


def test_accounts_of_one_seller_share_its_rate_fairly(ledger: Ledger, clock: Clock):
    """One of them is a month behind, two are busy, one is quiet."""
    throttle = throttled(clock)
    names = ("behind", "busy", "busier", "quiet")
    accounts = [PlayedAccount(ledger, clock, throttle, name) for name in names]
    ledger.cursors.set("behind", clock() - 30 * DAY)
    spread(accounts[0].amazon, clock() - 30 * DAY, 30 * DAY, 6000, "behind")
    spread(accounts[1].amazon, clock(), DAY, 1000, "busy")
    spread(accounts[2].amazon, clock(), DAY, 3000, "busier")
    play(accounts, clock, 3 * HOUR)
    lags = {each.name: [timedelta(0)] for each in accounts}

    def watch() -> None:
        for each in accounts:
            lags[each.name].append(each.lag)

    play(accounts, clock, 4 * HOUR, watch)
    assert max(map(max, lags.values())) <= 45 * MINUTE
    assert ledger.lanes.backlog("behind"), "it waits for its gaps"
