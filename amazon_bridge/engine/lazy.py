"""Values computed on first use and shared between threads."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """A value computed on first use and shared between threads.

    If computing it fails, all threads that waited get that error: calling a remote that is down
    costs one time-out, not one per thread. A later call tries again.

    Args:
        compute: returns the value.
        lifetime: seconds after which the value is computed again.
    """

    def __init__(self, compute: Callable[[], T], lifetime: float = math.inf) -> None:
        self._compute = compute
        self._lifetime = lifetime
        self._computed_at = 0.0
        self._lock = threading.Lock()
        self._value: list[T] = []
        self._failure: tuple[float, Exception] | None = None

    def get(self) -> T:
        """Return the value. Raises what computing it raised."""
        called_at = time.monotonic()
        with self._lock:
            if self._value and called_at - self._computed_at > self._lifetime:
                self._value.clear()
            if not self._value:
                self._try(called_at)
            return self._value[0]

    def known(self) -> T | None:
        """Return the value if it is computed already, else None."""
        with self._lock:
            return self._value[0] if self._value else None

    def forget(self) -> None:
        """Compute the value again on the next use."""
        with self._lock:
            self._value.clear()

    def _try(self, called_at: float) -> None:
        if self._failure and self._failure[0] >= called_at:
            raise self._failure[1]
        try:
            self._value.append(self._compute())
            self._computed_at = time.monotonic()
        except Exception as failure:
            self._failure = (time.monotonic(), failure)
            raise
        self._failure = None
