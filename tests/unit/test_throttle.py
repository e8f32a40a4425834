"""The token buckets: never above the rate, in any interval, whatever the calls' times."""

import threading
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.engine.errors import RateLimited
from amazon_bridge.engine.throttle import PATIENCE, Limit, Throttle, Urgency


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds


def throttle(clock: Clock, **limits: Limit) -> Throttle:
    return Throttle(limits, clock=clock, sleep=clock.sleep)


def come_back(buckets: Throttle, clock: Clock, operation: str = "read", **who: Any) -> None:
    """Take a token of A1 as soon as there is one."""
    while True:
        try:
            return buckets.wait("A1", operation, **who)
        except RateLimited as limit:
            clock.sleep(limit.seconds)


def times(buckets: Throttle, clock: Clock, pauses: list[float]) -> list[float]:
    granted = []
    for pause in pauses:
        clock.now += pause
        come_back(buckets, clock)
        granted.append(clock.now)
    return granted


def most_in_excess(granted: list[float], limit: Limit) -> float:
    """By how much the calls of any interval exceed burst + rate * its length."""
    return max(
        (last - first + 1) - (limit.burst + limit.rate * (granted[last] - granted[first]))
        for first in range(len(granted))
        for last in range(first, len(granted))
    )


LIMITS = st.builds(Limit, rate=st.floats(0.001, 100), burst=st.integers(1, 30))
PAUSES = st.lists(st.one_of(st.just(0.0), st.floats(0, 1000)), min_size=1, max_size=60)


@given(limit=LIMITS, pauses=PAUSES, start=st.floats(0, 1e9))
def test_no_interval_holds_more_than_burst_and_rate_allow(
    limit: Limit, pauses: list[float], start: float
) -> None:
    clock = Clock(start)
    granted = times(throttle(clock, read=limit), clock, pauses)
    assert most_in_excess(granted, limit) < 1e-4 * (1 + limit.rate)


@given(limit=LIMITS, pauses=PAUSES, rates=st.lists(st.floats(0.001, 100), max_size=5))
def test_an_adapted_rate_never_allows_more_than_the_fastest_one(
    limit: Limit, pauses: list[float], rates: list[float]
) -> None:
    clock = Clock()
    buckets = throttle(clock, read=limit)
    granted = times(buckets, clock, pauses)
    for rate in rates:
        buckets.adapt("A1", "read", rate)
        granted += times(buckets, clock, pauses[:5])
    fastest = Limit(max([limit.rate, *rates]), limit.burst)
    assert most_in_excess(granted, fastest) < 1e-3 * (1 + fastest.rate)


@given(limit=LIMITS, pauses=PAUSES)
def test_nobody_waits_who_need_not(limit: Limit, pauses: list[float]) -> None:
    clock = Clock()
    granted = times(throttle(clock, read=limit), clock, pauses)
    if len(pauses) <= limit.burst:
        assert clock.slept == []
    most = max(0, len(granted) - limit.burst) / limit.rate
    assert sum(clock.slept) <= most * (1 + 1e-6) + 1e-6


def test_sellers_and_operations_have_buckets_of_their_own() -> None:
    clock = Clock()
    buckets = throttle(clock, read=Limit(0.1, 1), send=Limit(0.1, 1))
    come_back(buckets, clock)
    buckets.wait("A2", "read")
    buckets.wait("A1", "send")
    assert clock.slept == []
    come_back(buckets, clock)
    assert clock.slept == [pytest.approx(10)]


def test_waits_are_counted() -> None:
    clock = Clock()
    buckets = throttle(clock, read=Limit(0.5, 2))
    times(buckets, clock, [0, 0, 0, 0])
    assert buckets.waits["A1", "read"].count == 2
    assert buckets.waits["A1", "read"].seconds == pytest.approx(4)


def test_a_refused_call_empties_the_bucket() -> None:
    clock = Clock()
    buckets = throttle(clock, read=Limit(0.5, 10))
    come_back(buckets, clock)
    buckets.drain("A1", "read")
    times(buckets, clock, [0, 0])
    assert clock.slept == [pytest.approx(2), pytest.approx(2)]


def test_a_refused_call_waits_as_long_as_requested() -> None:
    clock = Clock()
    buckets = throttle(clock, read=Limit(0.5, 10))
    buckets.drain("A1", "read", 60)
    come_back(buckets, clock)
    assert clock.slept == [pytest.approx(60)]


def test_a_lower_rate_slows_the_bucket_down_at_once() -> None:
    clock = Clock()
    buckets = throttle(clock, read=Limit(1, 2))
    times(buckets, clock, [0, 0])
    buckets.adapt("A1", "read", 0.1)
    come_back(buckets, clock)
    assert clock.slept == [pytest.approx(10)]


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_a_senseless_rate_changes_nothing(rate: float) -> None:
    clock = Clock()
    buckets = throttle(clock, read=Limit(1, 1))
    buckets.adapt("A1", "read", rate)
    times(buckets, clock, [0, 0])
    assert clock.slept == [pytest.approx(1)]


def test_threads_together_stay_below_the_rate() -> None:
    limit = Limit(rate=200, burst=5)
    buckets = Throttle({"read": limit})
    begin = time.monotonic()
    threads = [
        threading.Thread(target=lambda: [buckets.wait("A1", "read") for _ in range(15)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begin >= (60 - limit.burst) / limit.rate


# Nobody sleeps for long


SEARCH = Limit(0.0056, 20)
TOKEN = 1 / SEARCH.rate


def emptied(clock: Clock, limit: Limit = SEARCH) -> Throttle:
    buckets = throttle(clock, read=limit)
    times(buckets, clock, [0] * limit.burst)
    assert clock.slept == []
    return buckets


def may_read(buckets: Throttle, claimant: str, urgency: Urgency = Urgency.LIVE) -> bool:
    try:
        buckets.wait("A1", "read", claimant, urgency)
    except RateLimited:
        return False
    return True


def test_a_call_that_has_to_wait_longer_says_when_to_come_back() -> None:
    clock = Clock()
    buckets = emptied(clock)
    with pytest.raises(RateLimited) as limit:
        buckets.wait("A1", "read")
    assert limit.value.seconds == pytest.approx(TOKEN)
    assert clock.slept == []
    clock.now += limit.value.seconds
    buckets.wait("A1", "read")


@given(limit=LIMITS, pauses=PAUSES)
def test_no_call_sleeps_longer_than_its_patience(limit: Limit, pauses: list[float]) -> None:
    clock = Clock()
    buckets = throttle(clock, read=limit)
    for pause in pauses:
        clock.now += pause
        before = clock.now
        may_read(buckets, "a")
        assert clock.now - before <= PATIENCE + 1e-6


# Who is served first


def test_accounts_of_a_seller_are_served_in_turn() -> None:
    clock = Clock()
    buckets = emptied(clock)
    served: list[str] = []
    for _ in range(60):
        clock.now += TOKEN / 3
        served += [each for each in ("busy", "busy", "calm") if may_read(buckets, each)]
    assert len(served) == pytest.approx(20, abs=1)
    assert served.count("calm") == pytest.approx(served.count("busy"), abs=1)
    assert all(one != other for one, other in pairwise(served))


def test_who_does_not_come_back_is_waited_for_no_longer_than_a_token() -> None:
    clock = Clock()
    buckets = emptied(clock)
    assert not may_read(buckets, "gone")
    assert not may_read(buckets, "here")
    clock.now += TOKEN
    assert not may_read(buckets, "here")
    clock.now += 1.1 * TOKEN
    assert may_read(buckets, "here")
    assert may_read(buckets, "here")


def test_a_back_log_comes_after_all_that_is_live_and_leaves_it_a_token() -> None:
    clock = Clock()
    buckets = emptied(clock)
    assert not may_read(buckets, "old", Urgency.BACKLOG)
    assert not may_read(buckets, "new")
    clock.now += TOKEN
    assert not may_read(buckets, "old", Urgency.BACKLOG)
    assert may_read(buckets, "new")
    clock.now += TOKEN
    assert not may_read(buckets, "old", Urgency.BACKLOG)
    clock.now += TOKEN
    assert may_read(buckets, "old", Urgency.BACKLOG)
    assert may_read(buckets, "new")


def test_spare_calls_leave_half_a_bucket_and_delay_nobody() -> None:
    clock = Clock()
    buckets = throttle(clock, read=SEARCH)
    assert buckets.has("A1", "read", Urgency.SPARE)
    assert sum(may_read(buckets, "spare", Urgency.SPARE) for _ in range(20)) == 10
    assert not buckets.has("A1", "read", Urgency.SPARE)
    assert sum(may_read(buckets, "live") for _ in range(20)) == 10
    assert clock.slept == []
    assert buckets.waits["A1", "read"].count == 10


def test_it_is_known_whether_there_are_calls_besides_those_to_be_left() -> None:
    clock = Clock()
    buckets = throttle(clock, read=SEARCH)
    assert buckets.has("A1", "read", Urgency.SPARE, besides=SEARCH.burst), "it is full"
    times(buckets, clock, [0] * 6)
    has = [buckets.has("A1", "read", Urgency.SPARE, besides) for besides in (0, 3, 4)]
    assert has == [True, True, False]


@pytest.mark.parametrize("urgency", Urgency)
def test_a_bucket_of_one_token_serves_everybody(urgency: Urgency) -> None:
    clock = Clock()
    buckets = throttle(clock, read=Limit(1, 1))
    assert may_read(buckets, "a", urgency)


def test_a_claimant_at_the_burst_s_end_is_served_although_many_are_ahead() -> None:
    clock = Clock()
    buckets = emptied(clock, Limit(0.01, 2))
    assert not any(may_read(buckets, f"ahead {n}") for n in range(5))
    assert not may_read(buckets, "last")
    clock.now += 200
    assert may_read(buckets, "last")
