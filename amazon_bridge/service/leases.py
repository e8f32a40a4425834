"""Which sellers a daemon works for."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Leases(Protocol):
    """The sellers that this daemon works for; ``LeaseKeeper`` is one."""

    def hold(self, seller: str) -> bool:
        """Whether it works for a seller."""

    def problem(self) -> str | None:
        """Why no work begins for any seller; None if it does."""

    def working(self, seller: str) -> AbstractContextManager[None]:
        """Work for a seller.

        Raises:
            AccountError: this daemon must not.
        """


class AllSellers:
    """All sellers: the daemon has its state store alone."""

    def hold(self, _seller: str) -> bool:
        return True

    def problem(self) -> str | None:
        return None

    def working(self, _seller: str) -> AbstractContextManager[None]:
        return nullcontext()
