from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import (
    AccountError,
    ConfigError,
    ItemError,
    ItemErrors,
    RateLimited,
    Refused,
    Stopped,
    StorageError,
    Transient,
)
from amazon_bridge.engine.retrying import BATCH, CALL, RetryPolicy, retry_transient
from amazon_bridge.engine.runner import work

SIZE = 16
POLICY = RetryPolicy(attempts=4, seconds=180)


class Remote:
    """A remote that processes batches of numbers; some are bad, each in its own way."""

    def __init__(self, bad: dict[int, str], *, down_after: int | None = None) -> None:
        self.bad = bad
        self.down_after = down_after
        self.done: set[int] = set()
        self.batches: list[list[int]] = []
        self.pauses: list[float] = []

    @property
    def down(self) -> bool:
        return self.down_after is not None and len(self.batches) > self.down_after

    def apply(self, batch: Sequence[int]) -> None:
        self.batches.append(list(batch))
        if self.down:
            raise Transient("connection refused")
        ways = {number: self.bad[number] for number in batch if number in self.bad}
        if ways:
            raise self._error(ways)
        self.done |= set(batch)

    def _error(self, ways: dict[int, str]) -> Exception:
        named = {
            str(n): ItemError("named", "bad", "Correct it.")
            for n, way in ways.items()
            if way == "named"
        }
        if named:
            return ItemErrors(named)
        errors: dict[str, Exception] = {
            "unnamed": ItemError("unnamed", "one of them is bad", "Correct it."),
            "keeps_failing": Transient("500"),
            "internal_error": KeyError("Erika Mustermann"),
            "access_refused": AccountError("HTTP status 403"),
        }
        return errors[next(iter(ways.values()))]

    def alive(self) -> None:
        if self.down:
            raise Transient("connection refused")

    def work(self, numbers: Sequence[int]) -> dict[str, ItemError]:
        return work(
            numbers,
            self.apply,
            key=str,
            alive=self.alive,
            size=SIZE,
            policy=POLICY,
            sleep=self.pauses.append,
        )


kinds = st.sampled_from(["named", "unnamed", "keeps_failing", "internal_error", "access_refused"])
bad_items = st.dictionaries(st.integers(0, 99), kinds, max_size=20)


@given(count=st.integers(0, 100), bad=bad_items)
def test_exactly_the_bad_ones_are_returned_and_every_good_one_is_applied(
    count: int, bad: dict[int, str]
):
    remote = Remote(bad)
    with capture_logs():
        failures = remote.work([-1, *range(count)])
    present = {number: way for number, way in bad.items() if number < count}
    assert {int(key): error.kind for key, error in failures.items()} == present
    assert remote.done == {-1, *range(count)} - set(bad)


@given(count=st.integers(1, 100), bad=bad_items)
def test_the_number_of_calls_is_bounded(count: int, bad: dict[int, str]):
    remote = Remote(bad)
    with capture_logs():
        remote.work([-1, *range(count)])
    batches = ceil((count + 1) / SIZE)
    tried = 2 * len(bad) * (ceil(log2(SIZE)) + 1) + len(bad) + batches
    transient = sum(way == "keeps_failing" for way in bad.values())
    assert len(remote.batches) <= tried + transient * (2 * POLICY.attempts)
    assert all(len(batch) <= SIZE for batch in remote.batches)


@given(bad=bad_items)
def test_no_good_item_is_applied_twice_by_calls_that_went_well(bad: dict[int, str]):
    remote = Remote(bad)
    with capture_logs():
        remote.work([-1, *range(100)])
    went_well = [n for batch in remote.batches if not set(batch) & set(bad) for n in batch]
    assert len(went_well) == len(set(went_well))


def test_named_items_cost_one_more_call_whatever_their_number():
    remote = Remote(dict.fromkeys(range(0, SIZE, 2), "named"))
    remote.work(range(SIZE))
    assert len(remote.batches) == 2


def test_a_passing_fault_costs_a_pause_and_nothing_else():
    results = iter([Transient("502"), Transient("502"), None])
    pauses: list[float] = []

    def apply(_batch: Sequence[int]) -> None:
        if error := next(results):
            raise error

    with capture_logs() as logs:
        failures = work([1, 2], apply, key=str, alive=_never, policy=POLICY, sleep=pauses.append)
    assert failures == {}
    assert 1 <= pauses[1] <= 2 <= pauses[2] <= 3
    assert [entry["event"] for entry in logs] == ["retrying", "retrying"]


def test_a_stop_finishes_the_batch_in_hand_and_begins_no_other():
    done: list[int] = []

    def pause(_seconds: float) -> None:
        if len(done) >= SIZE:
            raise Stopped

    with pytest.raises(Stopped):
        work(range(3 * SIZE), done.extend, key=str, alive=_never, size=SIZE, sleep=pause)
    assert done == list(range(SIZE))


def test_a_stop_in_a_pause_is_taken_for_no_fault_of_the_batch():
    def pause(seconds: float) -> None:
        if seconds:
            raise Stopped

    def apply(_batch: Sequence[int]) -> None:
        raise Transient("502")

    with capture_logs(), pytest.raises(Stopped):
        work([1, 2], apply, key=str, alive=_never, policy=POLICY, sleep=pause)


def test_a_call_that_keeps_failing_is_sent_at_most_as_often_as_one_policy_allows():
    """Calls are retried within batches, and batches are halved: their attempts don't multiply."""
    calls: Counter[tuple[int, ...]] = Counter()

    def send(batch: Sequence[int]) -> None:
        calls[tuple(batch)] += 1
        raise Transient("502")

    def apply(batch: Sequence[int]) -> None:
        retry_transient(lambda: send(batch), CALL, sleep=_no_sleep)

    items = range(SIZE)
    with pytest.raises(AccountError):
        work(items, apply, key=str, alive=lambda: None, sleep=_no_sleep)
    assert calls.pop(tuple(items)) == BATCH.attempts
    assert set(calls.values()) == {CALL.attempts}


def test_an_operation_that_fails_for_every_item_stops_the_account_after_a_few() -> None:
    remote = Remote(dict.fromkeys(range(SIZE), "keeps_failing"))
    with capture_logs(), pytest.raises(AccountError):
        remote.work(range(SIZE))
    alone = {batch[0] for batch in remote.batches if len(batch) == 1}
    assert alone == {0, 1, 2, 3, 4, SIZE - 1}


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_an_operation_that_fails_stops_the_account_also_where_batches_are_small(size: int) -> None:
    """They may have become small because the operation fails."""
    remote = Remote(dict.fromkeys(range(SIZE), "keeps_failing"))
    with capture_logs(), pytest.raises(AccountError):
        work(range(SIZE), remote.apply, key=str, alive=lambda: None, size=size, sleep=_no_sleep)
    alone = {batch[0] for batch in remote.batches if len(batch) == 1}
    assert alone == {0, 1, 2, 3, 4, SIZE - 1}


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_many_failing_items_in_small_batches_keep_no_other(size: int) -> None:
    remote = Remote(dict.fromkeys(range(SIZE - 1), "keeps_failing"))
    with capture_logs():
        failures = work(
            range(SIZE), remote.apply, key=str, alive=lambda: None, size=size, sleep=_no_sleep
        )
    assert set(failures) == {str(number) for number in range(SIZE - 1)}
    assert remote.done == {SIZE - 1}
    assert remote.batches.count([SIZE - 1]) == 1


def test_many_items_that_keep_failing_keep_no_other() -> None:
    remote = Remote(dict.fromkeys(range(SIZE - 1), "keeps_failing"))
    with capture_logs():
        failures = remote.work(range(SIZE))
    assert set(failures) == {str(number) for number in range(SIZE - 1)}
    assert remote.done == {SIZE - 1}
    assert remote.batches.count([SIZE - 1]) == 1


def test_a_response_in_between_shows_that_the_operation_works() -> None:
    """Also if it is that an item is bad."""
    bad = dict.fromkeys(range(SIZE), "keeps_failing") | dict.fromkeys((4, 9, 14), "unnamed")
    with capture_logs():
        failures = Remote(bad).work(range(SIZE))
    assert set(failures) == {str(number) for number in bad}


def test_a_passing_fault_while_halving_does_not_cost_an_item_its_place():
    """The lone good item is hit once more, then gets its last chance."""
    hits = {"good": 2}

    def apply(batch: Sequence[str]) -> None:
        if "bad" in batch:
            raise Transient("500")
        hits["good"] -= 1
        if hits["good"] > 0:
            raise Transient("500")

    failures = work(
        ["good", "bad"], apply, key=str, alive=lambda: None, policy=POLICY, sleep=_no_sleep
    )
    assert failures.keys() == {"bad"}
    assert hits == {"good": 0}


def test_a_remote_that_asks_for_too_long_a_pause_stops_the_account_and_blames_no_item():
    def apply(_batch: Sequence[int]) -> None:
        raise Transient("too many requests", retry_after=3600)

    with pytest.raises(AccountError, match="too many requests"):
        work([1, 2], apply, key=str, alive=lambda: None, sleep=_no_sleep)


@given(down_after=st.integers(0, 40), bad=bad_items)
def test_a_remote_that_goes_down_stops_the_account_and_blames_no_good_item(
    down_after: int, bad: dict[int, str]
):
    remote = Remote(bad, down_after=down_after)
    failures: dict[str, ItemError] | None = None
    with capture_logs(), suppress(AccountError):
        failures = remote.work([-1, *range(100)])
    assert (failures is None) == remote.down
    assert len(remote.batches) <= down_after + POLICY.attempts
    assert failures is None or {int(key) for key in failures} == set(bad)


@pytest.mark.parametrize(
    "error",
    [StorageError("disk full"), ConfigError("no such company"), RateLimited("getOrder", 9)],
)
def test_nothing_more_is_tried_when_the_bridge_itself_cannot_go_on(error: Exception):
    batches = []

    def apply(batch: Sequence[int]) -> None:
        batches.append(batch)
        raise error

    with pytest.raises(type(error), match=str(error)):
        work(range(10), apply, key=str, alive=_never, size=2, sleep=_no_sleep)
    assert len(batches) == 1


def test_a_refusal_of_a_remote_that_refuses_the_login_too_ends_the_work():
    remote = Remote({3: "access_refused"})

    def refuse() -> None:
        raise AccountError("access denied")

    with pytest.raises(AccountError, match="access denied"):
        work(range(100), remote.apply, key=str, alive=refuse, size=SIZE, sleep=_no_sleep)
    assert len(remote.batches) == 1


def test_one_refused_item_keeps_no_other():
    remote = Remote({3: "access_refused"})
    failures = remote.work(range(6))
    assert {key: error.kind for key, error in failures.items()} == {"3": "access_refused"}
    assert "HTTP status 403" in failures["3"].reason
    assert remote.done == {0, 1, 2, 4, 5}


@pytest.mark.parametrize("count", [1, SIZE, 5 * SIZE])
def test_the_account_is_to_blame_if_every_item_is_refused_and_no_further_batch_is_tried(
    count: int,
):
    remote = Remote(dict.fromkeys(range(count), "access_refused"))
    with pytest.raises(Refused, match="HTTP status 403") as raised:
        remote.work(range(count))
    tried = min(count, SIZE)
    assert raised.value.errors.keys() == set(map(str, range(tried)))
    assert len(remote.batches) == 2 * tried - 1


@pytest.mark.parametrize("size", [1, 4])
def test_a_few_refused_items_before_all_others_stop_nothing(size: int):
    """Batches may have become small because the remote is slow."""
    remote = Remote(dict.fromkeys(range(8), "access_refused"))
    failures = work(
        range(20), remote.apply, key=str, alive=lambda: None, size=size, sleep=_no_sleep
    )
    assert failures.keys() == set(map(str, range(8)))
    assert remote.done == set(range(8, 20))
    every = Remote(dict.fromkeys(range(100), "access_refused"))
    with pytest.raises(Refused) as raised:
        work(range(100), every.apply, key=str, alive=lambda: None, size=size, sleep=_no_sleep)
    assert 10 <= len(raised.value.errors) < 10 + size


def test_a_batch_of_refused_items_behind_an_accepted_one_stops_nothing():
    remote = Remote(dict.fromkeys(range(SIZE, 2 * SIZE), "access_refused"))
    failures = remote.work(range(3 * SIZE))
    assert failures.keys() == set(map(str, range(SIZE, 2 * SIZE)))
    assert remote.done == set(range(3 * SIZE)) - set(range(SIZE, 2 * SIZE))


def test_items_that_are_refused_in_different_ways_are_to_blame_themselves():
    def apply(batch: Sequence[str]) -> None:
        raise AccountError(f"Not {batch[0]}.")

    failures = work(["a", "b"], apply, key=str, alive=lambda: None, sleep=_no_sleep)
    assert failures.keys() == {"a", "b"}


@pytest.mark.parametrize("error", [AccountError("access denied"), ConfigError("no such company")])
def test_what_the_probe_says_of_the_account_is_passed_on(error: Exception):
    with pytest.raises(type(error), match=str(error)):
        work(
            [1],
            lambda _: _raise(Transient("500")),
            key=str,
            alive=lambda: _raise(error),
            sleep=_no_sleep,
        )


def test_a_bug_is_logged_with_its_lines_and_without_its_data():
    with capture_logs() as logs:
        failures = Remote({3: "internal_error"}).work([3])
    (entry,) = logs
    assert entry["event"] == "internal_error"
    assert entry["error"] == "KeyError"
    assert "in apply" in entry["traceback"]
    assert entry["traceback"].endswith("KeyError")
    assert "Erika" not in str(entry) + str(failures["3"])


def test_a_bug_shows_its_cause():
    buyer = "Erika Mustermann"

    def apply(_batch: Sequence[int]) -> None:
        try:
            _raise(ValueError(buyer))
        except ValueError as error:
            raise RuntimeError from error

    with capture_logs() as logs:
        work([1], apply, key=str, alive=_never)
    traceback = logs[0]["traceback"]
    assert traceback.index("ValueError") < traceback.index("RuntimeError")
    assert buyer not in traceback


def test_errors_that_name_none_of_the_batch_are_a_bug_and_end():
    def apply(_batch: Sequence[int]) -> None:
        raise ItemErrors({"another": ItemError("bad", "bad", "Correct it.")})

    with capture_logs():
        failures = work(range(4), apply, key=str, alive=_never)
    assert {error.kind for error in failures.values()} == {"internal_error"}
    assert failures.keys() == set("0123")


def test_an_interrupt_is_no_bug():
    with pytest.raises(KeyboardInterrupt):
        work([1, 2], lambda _: _raise(KeyboardInterrupt()), key=str, alive=_never)


def test_counts_add_up():
    total = Counts(seen=3, created=2) + Counts(seen=1, error="down") + Counts(error="later")
    assert total == Counts(seen=4, created=2, error="down Also: later")
    assert sum([Counts(updated=1), Counts(updated=2)], Counts()).updated == 3


def test_no_error_is_lost_and_none_is_repeated():
    counts = Counts(seen=1)
    for error in ("No response.", "Refused.", "No response."):
        counts.note_error(Transient(error))
    assert counts.error == "No response. Also: Refused."
    assert (counts + Counts(error="Refused.")).error == counts.error


def _raise(error: BaseException) -> str:
    raise error


def _never() -> None:
    raise AssertionError("not to be asked")


def _no_sleep(_seconds: float) -> None:
    pass
