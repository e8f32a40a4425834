"""Errors, by how to recover from them.

Every message is written for the person who operates the bridge. None may hold a secret or a
buyer's personal data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping


class BridgeError(Exception):
    """Something went wrong for a known reason, with a remedy where there is one."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.reason} {self.remedy}".strip()


class Transient(BridgeError):
    """May succeed when tried again, unchanged, a little later.

    Attributes:
        retry_after: Seconds to wait, if the remote stated them.
        maybe_done: The work may have been done although no response came.
        exhausted: It was retried already; see ``engine.retrying``.
    """

    def __init__(
        self,
        reason: str,
        remedy: str = "",
        *,
        retry_after: float | None = None,
        maybe_done: bool = False,
    ) -> None:
        super().__init__(reason, remedy)
        self.retry_after = retry_after
        self.maybe_done = maybe_done
        self.exhausted = False


class RateLimited(BridgeError):
    """A remote's rate limit allows no further call for ``seconds``.

    Nothing failed, and nothing waits for it: the run ends with what it did, and is resumed then.
    """

    def __init__(self, operation: str, seconds: float) -> None:
        super().__init__(
            f"Amazon's rate limit for {operation} is exhausted.",
            f"Try again in {seconds:.0f} seconds.",
        )
        self.seconds = seconds


class ItemError(BridgeError):
    """This item can't be processed as it is: quarantine it and continue with the others.

    ``kind`` is a short, stable word for the quarantine, such as ``unknown_sku``. ``remedy`` is
    required: the reader of the quarantine must learn what to do. ``dont_ship``: goods
    that are still in the warehouse must not leave, although a delivery order may be ready.
    """

    def __init__(self, kind: str, reason: str, remedy: str, *, dont_ship: bool = False) -> None:
        super().__init__(reason, remedy)
        self.kind = kind
        self.dont_ship = dont_ship


class TooLarge(ItemError):
    """The request is larger than the remote accepts: a smaller batch may pass."""


class ItemErrors(BridgeError):
    """Some items of a batch can't be processed; ``errors`` has the error of each, by its key."""

    def __init__(self, errors: Mapping[str, ItemError]) -> None:
        super().__init__(f"{len(errors)} items of the batch can't be processed")
        self.errors = dict(errors)


class AccountError(BridgeError):
    """This account can't continue now; the other accounts can."""


class InvalidRequest(AccountError):
    """A remote refuses a request, and not the login: one of its parameters is not valid."""


class Refused(AccountError):
    """A remote is up and accepts the login, but refuses every item that it was given.

    ``errors`` has the error of each of these items by its key: if the same remote accepts other
    items, the items are to blame and not the account.
    """

    def __init__(self, errors: Mapping[str, ItemError]) -> None:
        first = next(iter(errors.values()))
        super().__init__(first.reason, first.remedy)
        self.errors = dict(errors)


class Locked(AccountError):
    """Another process holds a lock; ``holder`` names it."""

    def __init__(self, reason: str, remedy: str, holder: str) -> None:
        super().__init__(reason, remedy)
        self.holder = holder


class StorageError(AccountError):
    """The state store can't be written now; no item and no remote is to blame."""


class Stopped(BaseException):
    """The daemon stops: raised by its pauses, where a run can be interrupted.

    Not an ``Exception``, like ``KeyboardInterrupt``, so that no handler of errors catches it.
    """


class ConfigError(BridgeError):
    """The configuration or the usage is wrong. ``problems`` lists all problems at once."""

    def __init__(self, reason: str, remedy: str = "", *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(reason, remedy)
        self.problems = problems


Watch = Callable[[str, BridgeError | None, float], None]
"""Callback after every remote call: the operation, its error if any, its duration in seconds."""


def nobody_watches(_operation: str, _error: BridgeError | None, _seconds: float) -> None:
    """The ``Watch`` of commands, which record nothing."""
