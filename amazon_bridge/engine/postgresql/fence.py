"""What is written under a lease is written only while the lease has the same holder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Lease(NamedTuple):
    """The right to work for a seller."""

    seller: str
    number: int
    """Grows with each new holder: the fencing number."""


_LEASE: ContextVar[Lease | None] = ContextVar("_LEASE", default=None)


def current() -> Lease | None:
    """The lease under which this thread works; None if it needs none."""
    return _LEASE.get()


@contextmanager
def under(lease: Lease) -> Iterator[None]:
    """Work under a lease; threads that are started with a copy of the context do, too."""
    token = _LEASE.set(lease)
    try:
        yield
    finally:
        _LEASE.reset(token)
