"""One process at a time runs a job of an account."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from amazon_bridge.engine.errors import ConfigError, Locked
from amazon_bridge.engine.postgresql import session_of
from amazon_bridge.engine.store import PostgresqlStore, Store

_POLL = 0.1  # seconds

_held: set[Path] = set()
"""The lock files that this process holds."""

DAEMON = "the", "daemon"
"""The daemon's lock, in place of an account and a job. Those that share a store share it."""

WAIT = 5.0
"""Seconds that a run waits for another process that runs the same job."""


@contextmanager
def held(store: Store, account: str, job: str, *, wait: float = 0) -> Iterator[None]:
    """Hold the lock of an (account, job) of a state store.

    It dies with the process that holds it, however it ends. In PostgreSQL it also dies with the
    connection; then nothing can be written until the ``with`` statement ends.

    Args:
        store: the state store.
        account: the account's name.
        job: the job's name.
        wait: how many seconds to wait for another holder to finish.

    Raises:
        Locked: another process still holds it.
        AccountError: the database can't be reached.
        ConfigError: the lock file can't be written.
    """
    if isinstance(store, PostgresqlStore):
        with _held_in_database(store, account, job, wait):
            yield
        return
    with _held_file(store, account, job, wait):
        yield


def name_of(account: str, job: str) -> str:
    """The name of a lock in a database."""
    return f"{account}.{job}"


@contextmanager
def _held_in_database(
    store: PostgresqlStore, account: str, job: str, wait: float
) -> Iterator[None]:
    name = name_of(account, job)
    with session_of(store) as session:
        if not acquired(partial(session.try_lock, name), wait):
            raise _busy(account, job, session.holder(name))
        try:
            yield
        finally:
            session.unlock(name)


@contextmanager
def _held_file(state: Path, account: str, job: str, wait: float) -> Iterator[None]:
    """Hold an advisory lock (``flock``) on a file in a folder beside the store.

    The file stays, because removing it would let two processes hold two files of one name.
    """
    path = _folder(state) / f"{account}.{job}.lock"
    descriptor = _open(path)
    try:
        if not acquired(partial(_try_flock, descriptor), wait):
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
            if not _try_flock(descriptor):
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


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def acquired(try_lock: Callable[[], bool], wait: float) -> bool:
    """Take a lock within some seconds; polls, because a blocking ``flock`` knows no time-out."""
    deadline = time.monotonic() + wait
    while not try_lock():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL)
    return True


def _busy(account: str, job: str, process_id: str) -> Locked:
    holder = process_id or "(unknown)"
    return Locked(
        f"{job} of account {account} is already running in process {holder}.",
        "Wait until it is done, or stop that process, and try again.",
        holder,
    )
