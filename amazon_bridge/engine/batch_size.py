"""How many items go into a batch, so that no call comes near the time that it may take."""

from __future__ import annotations

import threading

import structlog

log = structlog.get_logger(__name__)

_MOST = 100
_PROXY = 60.0  # seconds: how long nginx and most load balancers wait for a response
_NEAR = 0.5
"""Part of the limit from which on a call is near it."""

_CALM = 10
"""Batches without a slow call after which they grow again."""


class BatchSize:
    """Halved after a slow call or a batch that was too much, doubled after many good ones.

    Thread-safe.

    Args:
        timeout: seconds that a call may take; proxies allow 60 at most.
        most: items in a batch.
    """

    def __init__(self, timeout: float = _PROXY, most: int = _MOST) -> None:
        self._near = _NEAR * min(timeout, _PROXY)
        self._most = self._size = most
        self._slowest, self._calm = 0.0, 0
        self._lock = threading.Lock()

    def note(self, seconds: float) -> None:
        """Note how long a call took."""
        with self._lock:
            self._slowest = max(self._slowest, seconds)

    def halve(self) -> None:
        """Note that a batch was too much for the remote: its slow calls need not count again."""
        with self._lock:
            self._slowest = 0.0
            self._set(max(1, self._size // 2))

    def next(self) -> int:
        """The size of the next batch, by the calls since the last one."""
        with self._lock:
            slowest, self._slowest = self._slowest, 0.0
            if slowest >= self._near:
                self._set(max(1, self._size // 2))
            elif self._calm >= _CALM:
                self._set(min(self._most, self._size * 2))
            self._calm += 1
            return self._size

    def _set(self, size: int) -> None:
        self._calm = 0
        if size != self._size:
            log.info("batch_size_changed", before=self._size, after=size)
            self._size = size
