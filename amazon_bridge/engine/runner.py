"""Works items in batches, so that no item and no bad moment of a side stops the others."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Generic, TypeVar

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type
from tenacity.wait import wait_exponential_jitter

from amazon_bridge.engine.errors import (
    AccountError,
    BridgeError,
    ConfigError,
    ItemError,
    ItemErrors,
    Transient,
)

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, and for how many seconds, something is tried that may yet go well."""

    attempts: int = 6
    seconds: float = 180
    longest_pause: float = 60


NO_PATIENCE = Patience(attempts=1)
"""For the parts of a batch that was tried patiently while its side was alive."""

LAST_CHANCE = Patience(attempts=2)
"""For a single item of such a batch: no passing fault may cost it its place."""


@dataclass(slots=True)
class Counts:
    """What a round did, in items. ``error`` tells what kept it from its end, if anything did."""

    seen: int = 0
    created: int = 0
    updated: int = 0
    cancelled: int = 0
    notified: int = 0
    unchanged: int = 0
    quarantined: int = 0
    error: str | None = None

    def __add__(self, other: Counts) -> Counts:
        """The sum of both, and the first error of the two."""
        mine, yours = asdict(self), asdict(other)
        error = mine.pop("error") or yours.pop("error")
        return Counts(**{name: number + yours[name] for name, number in mine.items()}, error=error)


def patiently(
    call: Callable[[], T],
    *,
    patience: Patience = Patience(),
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call, and call again as long as it raises ``Transient`` and there is patience left.

    Pauses grow exponentially from one second, with jitter, and are never shorter than the
    other side asked for.

    Raises:
        Transient: the last one, when attempts or seconds are used up.
    """

    def exhausted(state: RetryCallState) -> bool:
        spent = max(state.idle_for, state.seconds_since_start or 0)
        out_of_time = spent + state.upcoming_sleep > patience.seconds
        return state.attempt_number >= patience.attempts or out_of_time

    retrying = Retrying(
        retry=retry_if_exception_type(Transient),
        wait=_Pause(patience.longest_pause),
        stop=exhausted,
        sleep=sleep,
        before_sleep=_log_retry,
        reraise=True,
    )
    return retrying(call)


def work(
    items: Sequence[T],
    apply: Callable[[Sequence[T]], object],
    *,
    key: Callable[[T], str],
    alive: Callable[[], object],
    size: int = 100,
    patience: Patience = Patience(),
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, ItemError]:
    """Apply ``apply`` to all items, in batches; tell by key which can't be worked, and why.

    ``apply`` gets a batch, and gets the same items again, in smaller batches, when that
    failed: it must not mind that some of its work was done before. Let it record what it
    did when a batch is done, for an ``AccountError`` can end this function halfway. What
    it raises decides:

    - ``ItemErrors``: the named items are put out, the rest is tried again.
    - ``ItemError``: the batch is halved until the bad item stands alone.
    - ``Transient``: the batch is tried again, patiently. When that doesn't help although
      the side is alive, the batch is to blame and is halved, now without patience; an
      item that fails alone, twice, becomes an ``ItemError`` of kind ``keeps_failing``.
    - any other exception is a bug of ours, logged as ``bug``; the batch is halved, and an
      item that fails alone becomes an ``ItemError`` of kind ``bug``.

    Args:
        items: what is to be worked, in this order.
        apply: works a batch or raises.
        key: the key of an item.
        alive: a cheap call that raises a ``BridgeError`` when the side is down.
        size: the number of items in a batch.
        patience: for ``Transient`` errors, for each batch.
        sleep: takes seconds; called with 0 before each batch.

    Raises:
        AccountError: the side is down, or asks to wait longer than there is patience, or
            ``apply`` says that the account can't go on. No further item is tried.
        ConfigError: as raised by ``apply`` or ``alive``.
    """
    worker = _Worker(apply, key, alive, patience, sleep)
    for start in range(0, len(items), size):
        sleep(0)  # where a daemon that is to stop raises ``Stopped``: between two batches
        worker.work(items[start : start + size], patience)
    return worker.failures


_SILENCE = 3
"""So many items in a row that a side doesn't answer for mean that it is down."""


def one_by_one(
    items: Iterable[T], work: Callable[[T], R], *, key: Callable[[T], str]
) -> Iterator[tuple[T, R | ItemError | Transient]]:
    """Work items singly; yield each with what came of it, or with why it wasn't worked.

    ``ItemError``: it can't be worked; a bug of ours costs the item that it befalls, as in
    ``work``. ``Transient``: the other side didn't answer for it, a later round may try again.

    Raises:
        AccountError: the side is down, and no further item is tried.
        ConfigError: as raised by ``work``.
    """
    in_a_row = 0
    for item in items:
        result = _singly(item, work)
        in_a_row = in_a_row + 1 if isinstance(result, Transient) else 0
        if isinstance(result, Transient):
            log.warning("no_answer", item=key(item), reason=str(result))
            if in_a_row == _SILENCE:
                raise AccountError(result.reason, result.remedy) from result
        yield item, result


def _singly(item: T, work: Callable[[T], R]) -> R | ItemError | Transient:
    try:
        return work(item)
    except (ItemError, Transient) as error:
        return error
    except (AccountError, ConfigError):
        raise
    except Exception as error:  # noqa: BLE001  a bug must cost one item, not all the others
        return bug(error, 1)


@dataclass(slots=True)
class _Worker(Generic[T]):
    apply: Callable[[Sequence[T]], object]
    key: Callable[[T], str]
    alive: Callable[[], object]
    patience: Patience
    sleep: Callable[[float], None]
    failures: dict[str, ItemError] = field(default_factory=dict)

    def work(self, batch: Sequence[T], patience: Patience) -> None:
        match self._tried(batch, patience):
            case None:
                pass
            case ItemErrors() as error:
                self._put_out(batch, error, patience)
            case ItemError() as error:
                self._halve(batch, error, patience)
            case Transient() as error:
                _ensure_alive(self.alive, error)
                self._halve(batch, keeps_failing(error), NO_PATIENCE)
            case error:
                self._halve(batch, bug(error, len(batch)), patience)

    def _tried(self, batch: Sequence[T], patience: Patience) -> Exception | None:
        try:
            patiently(lambda: self.apply(batch), patience=patience, sleep=self.sleep)
        except (AccountError, ConfigError):
            raise
        except Exception as error:  # noqa: BLE001  a bug must cost one item, not all the others
            return error
        return None

    def _put_out(self, batch: Sequence[T], error: ItemErrors, patience: Patience) -> None:
        """Put out the items that the error names; one that names none of the batch is a bug."""
        named = {self.key(item) for item in batch} & error.errors.keys()
        if not named:
            self._halve(batch, bug(error, len(batch)), patience)
            return
        self.failures |= {name: error.errors[name] for name in named}
        if rest := [item for item in batch if self.key(item) not in named]:
            self.work(rest, patience)

    def _halve(self, batch: Sequence[T], verdict: ItemError, patience: Patience) -> None:
        """Work both halves; upon an item that stands alone, the verdict is spoken."""
        if len(batch) == 1:
            self.failures[self.key(batch[0])] = verdict
            return
        middle = len(batch) // 2
        for half in (batch[:middle], batch[middle:]):
            alone = patience is NO_PATIENCE and len(half) == 1
            self.work(half, LAST_CHANCE if alone else patience)


class _Pause(wait_exponential_jitter):
    """Grows exponentially; at least as long as the other side asked for."""

    def __init__(self, longest: float) -> None:
        super().__init__(initial=1, max=longest, jitter=1)

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        asked = error.retry_after if isinstance(error, Transient) else None
        return max(asked or 0, super().__call__(retry_state))


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.info(
        "retrying", attempt=state.attempt_number, pause=state.upcoming_sleep, reason=str(error)
    )


def _ensure_alive(alive: Callable[[], object], error: Transient) -> None:
    """Raise AccountError when the side is down, or wants to be left alone for a while."""
    if error.retry_after is not None:
        raise AccountError(error.reason, error.remedy) from error
    try:
        alive()
    except (AccountError, ConfigError):
        raise
    except BridgeError as down:
        raise AccountError(down.reason, down.remedy) from down


def keeps_failing(error: Transient) -> ItemError:
    """The error of an item that alone gets no answer, however often it is tried."""
    return ItemError(
        "keeps_failing",
        f"It fails again and again, although the other side is up: {error.reason}",
        error.remedy or "Look into the other side's own log, then: amazon-bridge quarantine retry.",
    )


def bug(error: Exception, items: int = 0) -> ItemError:
    """Log a bug of ours, met with so many items, and put it in words.

    The exception's message stays untold: it may hold a buyer's data.
    """
    log.error("bug", error=type(error).__name__, items=items, traceback=_frames(error))
    return ItemError(
        "bug",
        f"The bridge itself failed on it ({type(error).__name__}).",
        "Report the event `bug` of the log. After an update: amazon-bridge quarantine retry.",
    )


def _frames(error: BaseException) -> str:
    """The traceback with its causes: types and lines of code, neither messages nor locals."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{_frames(cause)}\n" if cause else ""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{before}{frames}{type(error).__name__}"
