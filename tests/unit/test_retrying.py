"""The retry policy: its limits, and that nested retries don't multiply."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs

from amazon_bridge.engine.errors import AccountError, Transient
from amazon_bridge.engine.retrying import (
    BATCH,
    CALL,
    ITEM,
    LAST_CHANCE,
    NO_RETRY,
    RetryPolicy,
    retry_transient,
)

POLICIES = [CALL, BATCH, ITEM, NO_RETRY, LAST_CHANCE]


class Remote:
    """A call that fails as long as there are errors left, and counts how often it is made."""

    def __init__(self, *errors: Exception, always: Exception | None = None) -> None:
        self.errors = iter(errors)
        self.always = always
        self.calls = 0
        self.pauses: list[float] = []

    def call(self) -> str:
        self.calls += 1
        if error := next(self.errors, self.always):
            raise error
        return "ok"

    def retried(self, policy: RetryPolicy = CALL) -> str:
        return retry_transient(self.call, policy, sleep=self.pauses.append)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():
        yield


@pytest.mark.parametrize("policy", POLICIES)
def test_attempts_are_bounded(policy: RetryPolicy):
    remote = Remote(always=Transient("502"))
    with pytest.raises(Transient) as caught:
        remote.retried(policy)
    assert remote.calls == policy.attempts
    assert caught.value.exhausted


def test_seconds_are_bounded_and_no_pause_is_longer_than_allowed():
    remote = Remote(always=Transient("502"))
    with pytest.raises(Transient):
        remote.retried(RetryPolicy(attempts=1000, seconds=100, longest_pause=30))
    assert 60 < sum(remote.pauses) <= 100
    assert max(remote.pauses) <= 30


def test_the_pause_is_as_long_as_the_remote_asks():
    remote = Remote(Transient("429", retry_after=22))
    assert remote.retried() == "ok"
    assert remote.pauses == [22]


def test_nobody_waits_longer_than_the_policy_allows():
    remote = Remote(always=Transient("429", retry_after=CALL.seconds + 1))
    with pytest.raises(Transient):
        remote.retried()
    assert remote.pauses == []


def test_other_errors_are_not_retried():
    remote = Remote(AccountError("401"))
    with pytest.raises(AccountError):
        remote.retried()
    assert remote.calls == 1


@pytest.mark.parametrize("outer", POLICIES)
@pytest.mark.parametrize("inner", POLICIES)
def test_nested_retries_do_not_multiply(inner: RetryPolicy, outer: RetryPolicy):
    remote = Remote(always=Transient("502"))
    with pytest.raises(Transient):
        retry_transient(lambda: remote.retried(inner), outer, sleep=remote.pauses.append)
    assert remote.calls == max(inner.attempts, outer.attempts)
    assert sum(remote.pauses) <= max(inner.seconds, outer.seconds)


def test_within_a_batch_a_call_waits_for_the_restart_of_the_remote():
    remote = Remote(*[Transient("502")] * (BATCH.attempts - 1))
    assert retry_transient(remote.retried, BATCH, sleep=remote.pauses.append) == "ok"


def test_the_limits_around_a_call_end_with_it():
    retry_transient(lambda: None, BATCH)
    remote = Remote(always=Transient("502"))
    with pytest.raises(Transient):
        remote.retried()
    assert remote.calls == CALL.attempts


def test_what_was_not_retried_inside_is_retried_outside():
    """A call that changes something is sent once; work that can read it back is repeated."""
    read, write = Remote(), Remote(Transient("no response", maybe_done=True))

    def work() -> str:
        read.retried()
        return write.call()

    assert retry_transient(work, BATCH, sleep=read.pauses.append) == "ok"
    assert (read.calls, write.calls) == (2, 2)


def _wrapped(call: Callable[[], str], policy: RetryPolicy) -> Callable[[], str]:
    return lambda: retry_transient(call, policy, sleep=lambda _: None)


def test_any_depth_of_nesting_keeps_the_widest_limit():
    remote = Remote(always=Transient("502"))
    call: Callable[[], str] = remote.call
    for policy in POLICIES:
        call = _wrapped(call, policy)
    with pytest.raises(Transient):
        call()
    assert remote.calls == BATCH.attempts
