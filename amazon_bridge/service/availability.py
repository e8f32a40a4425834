"""Availability of the remote systems: Odoo, and Amazon for each account.

A remote is down when a run failed because it did not respond, and a small probe gets no response
either. Runs that need it are then held, and it is probed at growing intervals until it responds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from amazon_bridge.engine.errors import BridgeError, Transient

log = structlog.get_logger(__name__)

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class RemoteStatus:
    """What is known about one remote."""

    last_answer: datetime | None = None
    """When it last responded; a refusal is a response."""
    failure: str | None = None
    """Why its last call got no response."""
    down_since: datetime | None = None
    pause: timedelta = FIRST_PAUSE
    """Time until the next probe."""


class Availability:
    """Status of all remotes by name. Thread-safe."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._remotes: dict[str, RemoteStatus] = {}

    def __getitem__(self, name: str) -> RemoteStatus:
        return self._remotes.get(name, RemoteStatus())

    def reset(self) -> None:
        """Assume that every remote is up, because the configuration changed."""
        with self._lock:
            self._remotes.clear()

    def forget(self, name: str) -> None:
        """Assume that a remote is up, because another daemon has called it meanwhile."""
        with self._lock:
            self._remotes.pop(name, None)

    def note_call(self, name: str, error: BridgeError | None) -> None:
        """Record how a call ended."""
        with self._lock:
            if isinstance(error, Transient):
                self._remotes[name] = replace(self[name], failure=error.reason)
            else:
                known = replace(self[name], failure=None, last_answer=self._clock())
                self._remotes[name] = known

    def are_up(self, *names: str) -> bool:
        return all(self[name].down_since is None for name in names)

    def mark_down(self, name: str) -> bool:
        """Mark a remote as down after a call without a response; False if it is marked already."""
        with self._lock:
            remote = self[name]
            if remote.failure is None or remote.down_since:
                return False
            self._remotes[name] = replace(remote, down_since=self._clock(), pause=FIRST_PAUSE)
        log.warning("remote_unavailable", side=name, reason=remote.failure)
        return True

    def note_probe(self, name: str, *, responded: bool) -> bool:
        """Record the result of a probe of a remote that was down, and return whether it is up."""
        with self._lock:
            remote = self[name]
            if not responded:
                pause = min(2 * remote.pause, LONGEST_PAUSE)
                self._remotes[name] = replace(remote, pause=pause)
                return False
            self._remotes[name] = replace(remote, failure=None, down_since=None, pause=FIRST_PAUSE)
        if remote.down_since:
            seconds = round((self._clock() - remote.down_since).total_seconds())
            log.info("remote_recovered", side=name, seconds=seconds)
        return True

    def shift(self, by: timedelta) -> None:
        """Shift all moments, because the machine's clock was set."""
        with self._lock:
            for name, remote in self._remotes.items():
                self._remotes[name] = replace(
                    remote,
                    last_answer=remote.last_answer and remote.last_answer + by,
                    down_since=remote.down_since and remote.down_since + by,
                )
