"""One process at a time runs a job of an account."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amazon_bridge.engine.errors import AccountError, ConfigError

_POLL = 0.1  # seconds

_held: set[Path] = set()
"""The lock files that this process holds."""

WAIT = 5.0
"""Seconds that a run waits for another process that runs the same job."""


@contextmanager
def held(state: Path, account: str, job: str, *, wait: float = 0) -> Iterator[None]:
    """Hold the lock of an (account, job) of the state store at ``state``.

    The lock is advisory (``flock``) and dies with the process that holds it, however it ends.
    Its file stays, because removing it would let two processes hold two files of one name.

    Args:
        state: the path of the state store; the lock files are in a folder beside it.
        account: the account's name.
        job: the job's name.
        wait: how many seconds to wait for another holder to finish.

    Raises:
        AccountError: another process still holds it.
        ConfigError: the lock file can't be written.
    """
    path = _folder(state) / f"{account}.{job}.lock"
    descriptor = _open(path)
    try:
        if not _acquired(descriptor, wait):
            raise _busy(account, job, os.pread(descriptor, 20, 0).decode())
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)
    finally:
        os.close(descriptor)


def other_holder(state: Path) -> str | None:
    """Return the id of another process that holds a lock of this state store, or None."""
    for path in set(_folder(state).glob("*.lock")) - _held:
        descriptor = _open(path)
        try:
            if not _acquired(descriptor, 0):
                return os.pread(descriptor, 20, 0).decode() or "(unknown)"
        finally:
            os.close(descriptor)
    return None


def _folder(state: Path) -> Path:
    return state.with_name(f"{state.name}.locks")


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(
            f"The lock file {path} can't be written: {error.strerror}.",
            "Let the user that runs the bridge write to the folder of the state store.",
        ) from error


def _acquired(descriptor: int, wait: float) -> bool:
    """Take the lock; polls, because a blocking ``flock`` knows no time-out."""
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL)
        else:
            return True


def _busy(account: str, job: str, process_id: str) -> AccountError:
    return AccountError(
        f"{job} of account {account} is already running in process {process_id or '(unknown)'}.",
        "Wait until it is done, or stop that process, and try again.",
    )
