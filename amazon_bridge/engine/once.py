"""What is made once and used by many threads."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Makes a thing when it is first asked for; others who ask meanwhile wait for it.

    When making it fails, all who waited get that error: asking a side that is down costs one
    time-out, not one for each thread. Whoever asks later tries again.
    """

    def __init__(self, make: Callable[[], T], lifetime: float = math.inf) -> None:
        self._make = make
        self._lifetime = lifetime
        """In seconds; what is older is made again when it is asked for."""
        self._made_at = 0.0
        self._lock = threading.Lock()
        self._made: list[T] = []
        self._failure: tuple[float, Exception] | None = None

    def get(self) -> T:
        """The thing. Raises what making it raised."""
        asked = time.monotonic()
        with self._lock:
            if self._made and asked - self._made_at > self._lifetime:
                self._made.clear()
            if not self._made:
                self._try(asked)
            return self._made[0]

    def known(self) -> T | None:
        """The thing, if it was made; asking for it makes none."""
        with self._lock:
            return self._made[0] if self._made else None

    def forget(self) -> None:
        """Make another one when it is asked for again."""
        with self._lock:
            self._made.clear()

    def _try(self, asked: float) -> None:
        if self._failure and self._failure[0] >= asked:
            raise self._failure[1]
        try:
            self._made.append(self._make())
            self._made_at = time.monotonic()
        except Exception as failure:
            self._failure = (time.monotonic(), failure)
            raise
        self._failure = None
