"""Batches that are processed at the same time: how many, which ones, and what if one fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, Stopped
from amazon_bridge.engine.parallel import Batches, Pace

CREATED = 50
"""Items that each batch of these tests counts as created."""
LONG = 60.0
"""Seconds after which a test waits no longer."""


class Time:
    """Seconds, as many as the test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Remote:
    """Processes batches of words, each of which ends when the test lets it."""

    begun: list[list[str]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    errors: dict[str, BaseException] = field(default_factory=dict)
    gates: dict[str, threading.Event] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def process(self, words: Sequence[str]) -> Counts:
        with self.lock:
            self.begun.append(list(words))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            for word in words:
                if word in self.gates:
                    assert self.gates[word].wait(LONG)
                if word in self.errors:
                    raise self.errors[word]
        finally:
            with self.lock:
                self.at_once -= 1
        self.ended += words
        return Counts(created=CREATED, seen=len(words))


@pytest.fixture
def remote() -> Remote:
    return Remote()


def proven(most: int = 2) -> Pace:
    """The pace of a remote that has processed one batch alone."""
    pace = Pace(most, clock=lambda: 0.0)
    pace.timed(lambda: Counts(created=CREATED))
    return pace


def batches_of(remote: Remote, pace: Pace) -> tuple[Batches[str], Counts]:
    """Words; those with the same first letter share a claim."""
    total = Counts()

    def done(counts: Counts) -> None:
        total.seen += counts.seen

    return Batches(pace, remote.process, done, key=str, claims=lambda word: word[0]), total


def submit(batches: Batches[str], *words: str, is_last: bool = False) -> None:
    batches.wait()
    batches.submit(words, is_last=is_last)


def test_two_batches_are_in_flight_and_the_third_waits_for_one_of_them(remote: Remote) -> None:
    remote.gates = {"a": threading.Event(), "b": threading.Event()}
    batches, total = batches_of(remote, proven())
    submit(batches, "a")
    submit(batches, "b")
    threading.Timer(0.05, remote.gates["b"].set).start()
    submit(batches, "c")
    assert "b" in remote.ended
    remote.gates["a"].set()
    batches.drain()
    assert sorted(remote.ended) == ["a", "b", "c"]
    assert (remote.most_at_once, total.seen) == (2, 3)


def test_a_page_without_anything_to_do_keeps_its_place_for_the_next_one(remote: Remote) -> None:
    remote.gates = {"a": threading.Event()}
    batches, _ = batches_of(remote, proven())
    submit(batches, "a")
    submit(batches)
    submit(batches, "b")
    remote.gates["a"].set()
    batches.drain()
    assert remote.most_at_once == 2


def test_the_first_batch_is_processed_alone(remote: Remote) -> None:
    batches, _ = batches_of(remote, Pace(2))
    submit(batches, "a")
    batches.wait()
    assert remote.ended == ["a"]


def test_with_one_at_once_there_are_no_threads(remote: Remote) -> None:
    batches, _ = batches_of(remote, proven(most=1))
    submit(batches, "a")
    assert remote.ended == ["a"]
    assert not batches._pool


def test_the_only_batch_of_a_run_has_no_thread(remote: Remote) -> None:
    batches, _ = batches_of(remote, proven())
    submit(batches, "a", is_last=True)
    assert remote.ended == ["a"]
    assert not batches._pool


def test_items_with_a_claim_in_common_are_never_in_flight_together(remote: Remote) -> None:
    remote.gates = {"a1": threading.Event()}
    batches, total = batches_of(remote, proven())
    submit(batches, "a1", "b1")
    submit(batches, "a2", "c1")
    submit(batches, "d1", "c2", "a3")
    remote.gates["a1"].set()
    batches.drain()
    assert remote.begun[:2] == [["a1", "b1"], ["c1"]]
    assert remote.begun[-1][0] == "a2"
    assert total.seen == 7


def test_of_two_versions_of_a_held_item_the_later_one_is_processed(remote: Remote) -> None:
    remote.gates = {"1": threading.Event()}
    seen: list[str] = []

    def process(words: Sequence[str]) -> Counts:
        counts = remote.process([word[0] for word in words])
        seen.extend(words)
        return counts

    batches = Batches(proven(), process, lambda _: None, key=lambda w: w[0], claims=lambda _: ())
    batches.submit(["1 first"], is_last=False)
    batches.submit(["1 second"], is_last=False)
    batches.submit(["1 third"], is_last=False)
    remote.gates["1"].set()
    batches.drain()
    assert seen == ["1 first", "1 third"]


@pytest.mark.parametrize("error", [AccountError("Odoo is down."), Stopped()])
def test_an_error_reaches_the_run_after_the_other_batch_has_ended(
    remote: Remote, error: BaseException
) -> None:
    remote.errors = {"a": error}
    remote.gates = {"a": threading.Event(), "b": threading.Event()}
    pace = proven()
    batches, total = batches_of(remote, pace)
    submit(batches, "a")
    submit(batches, "b")
    for gate in remote.gates.values():
        gate.set()
    with pytest.raises(type(error)):
        batches.drain()
    assert (remote.ended, total.seen) == (["b"], 1)
    batches.drain()
    assert pace.take(), "what the run took is given back"


def test_runs_share_the_further_batches(remote: Remote) -> None:
    pace = proven()
    remote.gates = {"a": threading.Event(), "b": threading.Event()}
    batches, _ = batches_of(remote, pace)
    submit(batches, "a")
    submit(batches, "b")
    assert not pace.take()
    for gate in remote.gates.values():
        gate.set()
    batches.drain()
    assert pace.take()


# The pace


def both(pace: Pace, time: Time, seconds: float, created: int = CREATED) -> None:
    """Process two batches at once that take so long."""

    def outer() -> Counts:
        pace.timed(inner)
        return Counts(created=created)

    def inner() -> Counts:
        time.now += seconds
        return Counts(created=created)

    pace.timed(outer)


def alone(pace: Pace, time: Time, seconds: float) -> None:
    def process() -> Counts:
        time.now += seconds
        return Counts(created=CREATED)

    pace.timed(process)


def may(pace: Pace) -> bool:
    taken = pace.take()
    pace.give_back(int(taken))
    return taken


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.mark.parametrize(("seconds", "expected"), [(15, True), (19, False)])
def test_one_batch_at_a_time_if_two_get_slower(
    time: Time, seconds: float, *, expected: bool
) -> None:
    pace = Pace(2, time)
    alone(pace, time, 10)
    both(pace, time, seconds)
    assert may(pace) is expected


def test_after_ten_batches_alone_it_is_tried_again(time: Time) -> None:
    pace = Pace(2, time)
    alone(pace, time, 10)
    both(pace, time, 20)
    for _ in range(9):
        alone(pace, time, 10)
    assert not may(pace)
    alone(pace, time, 10)
    assert may(pace)


def test_a_small_batch_says_nothing_about_the_pace(time: Time) -> None:
    pace = Pace(2, time)
    alone(pace, time, 10)
    both(pace, time, 20, created=5)
    assert may(pace)


def test_a_batch_that_fails_says_nothing_about_the_pace(time: Time) -> None:
    pace = Pace(2, time)

    def fail() -> Counts:
        raise AccountError("Odoo is down.")

    call: Callable[[], Counts] = fail
    with pytest.raises(AccountError):
        pace.timed(call)
    assert not may(pace)
