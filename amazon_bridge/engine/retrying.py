"""When a failed call is retried: one policy for both remotes and for batches.

Only ``Transient`` errors are retried, and only around what is safe to repeat: reads, loads that
create what is missing, and work that reads back before it sends again. Pauses grow exponentially
from one second, with jitter, and are never shorter than the remote asked for.

Retries nest without multiplying. The innermost one does the retrying, with the limits of the
widest one around it; an error that it gives up on is marked ``exhausted``, and none around it
repeats the work for it. A call that keeps failing is therefore sent at most ``attempts`` times
of one policy, never of their product.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception
from tenacity.wait import wait_exponential_jitter

from amazon_bridge.engine.errors import Transient

log = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits of retrying. Whichever is reached first ends it.

    Attributes:
        attempts: Calls in all, the first one included.
        seconds: From the first call to the start of the last one.
        longest_pause: Seconds between two attempts, unless the remote asks for more.
    """

    attempts: int
    seconds: float
    longest_pause: float = 60


CALL = RetryPolicy(attempts=4, seconds=30)
"""A single call that is safe to repeat: about 7 seconds of pauses."""

BATCH = RetryPolicy(attempts=6, seconds=180)
"""A batch, or a window of changed orders: long enough for a remote to restart."""

ITEM = RetryPolicy(attempts=3, seconds=60)
"""One item of many that are sent one by one."""

NO_RETRY = RetryPolicy(attempts=1, seconds=0)
"""Parts of a batch that was retried while its remote was up."""

LAST_CHANCE = RetryPolicy(attempts=2, seconds=180)
"""A single item of such a batch, so that no passing fault quarantines it."""


@dataclass(frozen=True, slots=True)
class _Limits:
    attempts: int
    deadline: float
    """Monotonic."""


_around: ContextVar[_Limits | None] = ContextVar("retry_limits", default=None)
"""Limits of the ``retry_transient`` around the current call."""


def retry_transient(
    call: Callable[[], T],
    policy: RetryPolicy = BATCH,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call, and call again as long as it raises ``Transient`` and the policy allows.

    Within another ``retry_transient``, the wider limits of both hold.

    Raises:
        Transient: The last one, marked as exhausted.
    """
    limits = _limits(policy)
    retrying = Retrying(
        retry=retry_if_exception(_is_worth_retrying),
        wait=_Pause(policy.longest_pause),
        stop=lambda state: _is_over(state, limits),
        sleep=sleep,
        before_sleep=_log_retry,
        reraise=True,
    )
    outside = _around.set(limits)
    try:
        return retrying(call)
    except Transient as error:
        error.exhausted = True
        raise
    finally:
        _around.reset(outside)


def _limits(policy: RetryPolicy) -> _Limits:
    own = _Limits(policy.attempts, time.monotonic() + policy.seconds)
    outer = _around.get() or own
    return _Limits(max(own.attempts, outer.attempts), max(own.deadline, outer.deadline))


def _is_worth_retrying(error: BaseException) -> bool:
    return isinstance(error, Transient) and not error.exhausted


def _is_over(state: RetryCallState, limits: _Limits) -> bool:
    """No attempt is left, or the next one would start too late."""
    seconds = limits.deadline - state.start_time
    spent = max(state.idle_for, state.seconds_since_start or 0)
    return state.attempt_number >= limits.attempts or spent + state.upcoming_sleep > seconds


class _Pause(wait_exponential_jitter):
    """Grows exponentially; at least as long as the remote asked for."""

    def __init__(self, longest: float) -> None:
        super().__init__(initial=1, max=longest, jitter=1)

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        requested = error.retry_after if isinstance(error, Transient) else None
        return max(requested or 0, super().__call__(retry_state))


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.info(
        "retrying", attempt=state.attempt_number, pause=state.upcoming_sleep, reason=str(error)
    )
