"""Processes items in batches or one by one; an item that fails delays none of the others."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from amazon_bridge.engine.batch_size import BatchSize
from amazon_bridge.engine.errors import (
    AccountError,
    BridgeError,
    ConfigError,
    ItemError,
    ItemErrors,
    RateLimited,
    Refused,
    StorageError,
    TooLarge,
    Transient,
)
from amazon_bridge.engine.item_errors import (
    ACCESS_REFUSED,
    access_refused,
    internal_error,
    keeps_failing,
)
from amazon_bridge.engine.retrying import BATCH, LAST_CHANCE, NO_RETRY, RetryPolicy, retry_transient

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")


def work(
    items: Sequence[T],
    apply: Callable[[Sequence[T]], object],
    *,
    key: Callable[[T], str],
    alive: Callable[[], object],
    size: int | BatchSize = 100,
    policy: RetryPolicy = BATCH,
    sleep: Callable[[float], None] = time.sleep,
    raise_transient: bool = False,
) -> dict[str, ItemError]:
    """Process all items in batches, and return the error of each item that failed, by its key.

    After a failed batch, ``apply`` gets the same items again in smaller batches, so it must be
    safe to repeat. It should record its results per batch, because an ``AccountError`` ends this
    function between two batches. What it raises decides:

    - ``ItemErrors``: the named items fail, the rest of the batch is retried.
    - ``ItemError``: the batch is halved until the bad item is alone.
    - ``Transient``: the batch is retried. If that does not help although the remote is up, the
      batch is to blame and is halved, now without retries; an item that fails alone, twice,
      gets an ``ItemError`` of kind ``keeps_failing``. If ``_FAILING`` items in a row fail so,
      and the last one of ``_SPAN`` items too, the operation is broken: no item is to blame.
    - ``AccountError``: if the remote is up and accepts the login, some item is to blame: the
      batch is halved, and an item that is refused alone gets an ``ItemError`` of kind
      ``access_refused``. Only if every item is refused in the same way, the account is to blame;
      a batch of n items costs 2 n - 1 calls to find that out, and no further batch is tried if
      there were ``_REFUSALS`` items.
    - any other exception is a bug, logged as ``internal_error``; the batch is halved, and an item
      that fails alone gets an ``ItemError`` of kind ``internal_error``.

    Args:
        items: the items, in this order.
        apply: processes a batch or raises.
        key: the key of an item; no two may have the same.
        alive: a cheap call that raises a ``BridgeError`` if the remote is down.
        size: the number of items in a batch; a ``BatchSize`` adapts to slow calls, and to batches
            that get no response or are too large for the remote (``TooLarge``).
        policy: for ``Transient`` errors, for each batch.
        sleep: takes seconds; called with 0 before each batch.
        raise_transient: raise a ``Transient`` at once: within the ``apply`` of another ``work``,
            which retries.

    Raises:
        Refused: the remote is up, but refuses every item tried so far in the same way.
        AccountError: the remote is down, refuses the login, asks to wait longer than the
            policy allows, or fails for all items alike. No further item is tried.
        Transient: with ``raise_transient`` only.
        StorageError, ConfigError, RateLimited: as raised by ``apply`` or ``alive``.
    """
    adaptive = size if isinstance(size, BatchSize) else None
    worker = _Worker(apply, key, alive, policy, sleep, adaptive, raise_transient)
    done = 0
    while done < len(items):
        sleep(0)  # where a daemon that is to stop raises ``Stopped``: between two batches
        end = _end_of_span(len(items), done, size)
        batch = items[done : min(end, done + (size if isinstance(size, int) else size.next()))]
        worker.process(batch, items[end - 1])
        done += len(batch)
        if done >= min(_REFUSALS, len(items)):
            worker.stop_if_all_are_refused(items[:done])
    return worker.failures


_FAILING = 5
"""Consecutive items that keep failing, after which the last one of their span is tried: if that
fails too, the operation is broken."""

_SPAN = 100
"""Items that share a last one, however small their batches have become."""


def _end_of_span(number: int, done: int, size: int | BatchSize) -> int:
    """No batch crosses it: a span has whole batches where their size is fixed."""
    span = -(-_SPAN // size) * size if isinstance(size, int) else _SPAN
    return min((done // span + 1) * span, number)


_SILENCE = 3
"""Consecutive items without a response after which the remote counts as down."""

_REFUSALS = 10
"""Refused items, with none accepted, after which the account is to blame."""

_REFUSALS_IN_A_ROW = 3
"""Consecutive refused items after which the remote is probed again: the login may be revoked."""

_NUMBERS = re.compile(r"\d+")
"""Ids in texts of refusals, which may differ from item to item."""


class RefusedItem(Transient):
    """The remote is up, but refuses this item; the item or the account may be to blame."""


def one_by_one(
    items: Iterable[T],
    process: Callable[[T], R],
    *,
    key: Callable[[T], str],
    alive: Callable[[], object] | None = None,
) -> Iterator[tuple[T, R | ItemError | Transient]]:
    """Process items one by one; yield each with its result or its error.

    ``ItemError``: it can't be processed; a bug fails only its item, as in ``work``.
    ``Transient``: the remote did not respond for it, a later run may retry.
    ``RefusedItem``: the remote refused it as it would refuse the account, but is up.

    Args:
        items: the items, in this order.
        process: processes an item or raises.
        key: the key of an item.
        alive: called on the first refusal, and after each ``_REFUSALS_IN_A_ROW``; raises a
            ``BridgeError`` if the remote is down or refuses the login. Without it the first
            refusal ends the run.

    Raises:
        AccountError: the remote is down, refuses the login, or refused ``_REFUSALS`` items and
            accepted none. No further item is tried.
        StorageError, ConfigError, RateLimited: as raised by ``process``.
    """
    streak = _Streak(alive)
    for item in items:
        result = streak.judge(_singly(item, process))
        if isinstance(result, Transient):
            log.warning("outcome_unknown", item=key(item), reason=str(result))
            streak.stop_if_down(result)
        yield item, result


def _singly(item: T, process: Callable[[T], R]) -> R | ItemError | Transient | AccountError:
    try:
        return process(item)
    except (StorageError, ConfigError, RateLimited):
        raise
    except (ItemError, Transient, AccountError) as error:
        return error
    except Exception as error:  # noqa: BLE001  a bug must cost one item, not all the others
        return internal_error(error, 1)


@dataclass(slots=True)
class _Streak:
    """Results so far of items that are processed one by one."""

    alive: Callable[[], object] | None
    silent: int = 0
    """Consecutive items without a response."""
    refused: int = 0
    refused_in_a_row: int = 0
    accepted: int = 0

    def judge(self, result: R | ItemError | Transient | AccountError) -> R | ItemError | Transient:
        """Count one result; a refusal while the remote is up may be the item's own."""
        self.silent = self.silent + 1 if isinstance(result, Transient) else 0
        if not isinstance(result, AccountError):
            self.accepted += not isinstance(result, ItemError | Transient)
            if not isinstance(result, Transient):
                self.refused_in_a_row = 0
            return result
        if self.alive is None:
            raise result
        self.refused += 1
        self.refused_in_a_row += 1
        self._probe(self.alive)
        return RefusedItem(result.reason, result.remedy)

    def _probe(self, alive: Callable[[], object]) -> None:
        if self.refused == 1:
            _ensure_alive(alive)
        elif self.refused_in_a_row % _REFUSALS_IN_A_ROW == 0:
            with suppress(RateLimited):  # the rate of probes must not end the run
                _ensure_alive(alive)

    def stop_if_down(self, error: Transient) -> None:
        hopeless = self.refused == _REFUSALS and not self.accepted
        if self.silent == _SILENCE or hopeless:
            raise AccountError(error.reason, error.remedy) from error


@dataclass(slots=True)
class _Worker(Generic[T]):
    apply: Callable[[Sequence[T]], object]
    key: Callable[[T], str]
    alive: Callable[[], object]
    policy: RetryPolicy
    sleep: Callable[[float], None]
    size: BatchSize | None
    raise_transient: bool = False
    failures: dict[str, ItemError] = field(default_factory=dict)
    whole: int = 0
    """Items in the current batch."""
    failing: int = 0
    """Consecutive items that keep failing."""
    witness: str | None = None
    """The key of the last item of the current span."""
    untried: list[T] = field(default_factory=list)
    """The last item of the current span; empty once it was tried ahead of its turn."""
    ahead: str | None = None
    """The key of the item that was processed ahead of its turn."""

    def process(self, batch: Sequence[T], witness: T) -> None:
        """Process a batch; if it fails, its halves. ``witness`` is the last item of a span."""
        if self.key(witness) != self.witness:
            self.failing, self.untried, self.witness = 0, [witness], self.key(witness)
        self.whole = len(batch)
        self.work(batch, self.policy)

    def work(self, batch: Sequence[T], policy: RetryPolicy) -> None:
        if self.ahead and not (batch := [each for each in batch if self.key(each) != self.ahead]):
            return
        result = self._error_of(batch, policy)
        if not isinstance(result, Transient):
            self.failing = 0
        match result:
            case None:
                pass
            case ItemErrors() as error:
                self._exclude(batch, error, policy)
            case ItemError() as error:
                if isinstance(error, TooLarge):
                    self._shrink(batch)
                self._halve(batch, error, policy)
            case Transient() as error:
                _raise_if_asked_to_wait(error)
                _ensure_alive(self.alive)
                self._shrink(batch)
                self._halve(batch, keeps_failing(error), NO_RETRY)
                self._stop_if_broken(batch, error)
            case AccountError() as error:
                _ensure_alive(self.alive)
                self._halve(batch, access_refused(error), policy)
            case error:
                self._halve(batch, internal_error(error, len(batch)), policy)

    def _shrink(self, batch: Sequence[T]) -> None:
        """Make the following batches smaller, once for each that was too much for the remote."""
        if self.size and len(batch) == self.whole > 1:
            self.size.halve()

    def _error_of(self, batch: Sequence[T], policy: RetryPolicy) -> Exception | None:
        try:
            if self.raise_transient:
                self.apply(batch)
            else:
                retry_transient(lambda: self.apply(batch), policy, sleep=self.sleep)
        except (StorageError, ConfigError, RateLimited):
            raise
        except Transient as error:
            if self.raise_transient:
                raise
            return error
        except Exception as error:  # noqa: BLE001  a bug must cost one item, not all the others
            return error
        return None

    def stop_if_all_are_refused(self, items: Sequence[T]) -> None:
        """Raise ``Refused`` when these were refused singly, all in the same way."""
        errors = {key: self.failures.get(key) for key in map(self.key, items)}
        refusals = {k: e for k, e in errors.items() if e and e.kind == ACCESS_REFUSED}
        ways = {_NUMBERS.sub("", error.reason) for error in refusals.values()}
        if len(refusals) == len(errors) and len(ways) == 1:
            raise Refused(refusals)

    def _stop_if_broken(self, batch: Sequence[T], error: Transient) -> None:
        """After ``_FAILING`` failing items, raise AccountError if the last one fails too."""
        if len(batch) > 1:
            return
        self.failing += 1
        if self.failing < _FAILING or not self.untried or self.untried[0] is batch[0]:
            return
        last = self.untried.pop()
        match self._error_of([last], LAST_CHANCE):
            case None:
                self.failing, self.ahead = 0, self.key(last)
            case Transient():
                raise AccountError(error.reason, error.remedy) from error

    def _exclude(self, batch: Sequence[T], error: ItemErrors, policy: RetryPolicy) -> None:
        """Fail the items that the error names, retry the rest; naming none of them is a bug."""
        named = {self.key(item) for item in batch} & error.errors.keys()
        if not named:
            self._halve(batch, internal_error(error, len(batch)), policy)
            return
        self.failures |= {name: error.errors[name] for name in named}
        if rest := [item for item in batch if self.key(item) not in named]:
            self.work(rest, policy)

    def _halve(self, batch: Sequence[T], item_error: ItemError, policy: RetryPolicy) -> None:
        """Process both halves; a single item fails with ``item_error``."""
        if len(batch) == 1:
            self.failures[self.key(batch[0])] = item_error
            return
        middle = len(batch) // 2
        for half in (batch[:middle], batch[middle:]):
            alone = policy is NO_RETRY and len(half) == 1
            self.work(half, LAST_CHANCE if alone else policy)


def _raise_if_asked_to_wait(error: Transient) -> None:
    """Raise AccountError if the remote asked to wait (``retry_after``)."""
    if error.retry_after is not None:
        raise AccountError(error.reason, error.remedy) from error


def _ensure_alive(alive: Callable[[], object]) -> None:
    """Raise AccountError if the remote is down or refuses the login."""
    try:
        alive()
    except (AccountError, ConfigError, RateLimited):
        raise
    except BridgeError as down:
        raise AccountError(down.reason, down.remedy) from down
