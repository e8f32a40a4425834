"""The SQLite file of the state store: create, open, migrate, verify.

SQLite's errors become messages that say what to do.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import (
    AccountError,
    BridgeError,
    ConfigError,
    StorageError,
    Transient,
)
from amazon_bridge.engine.ledger.migrations import APPLICATION_ID, MIGRATIONS
from amazon_bridge.engine.store import Store

_BUSY_TIMEOUT = 30  # seconds
_POLL = 0.1  # seconds


def opened(path: Path) -> sqlite3.Connection:
    """Open and migrate the store; create it, with its folder, if it does not exist.

    Raises:
        StorageError: its disk is full.
        ConfigError: it can't be opened, is damaged, is not ours, or is newer than we are.
        Transient: another process keeps it busy.
        AccountError: a process of an older version uses it, which can't go on after a migration.
    """
    _create(path)
    with explained(path):
        return _open(path)


def _create(path: Path) -> None:
    """Create an empty file for the owner only; SQLite gives its side files the same mode.

    An existing one is not opened here: closing it would drop SQLite's own locks on it.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise ConfigError(
            f"The state store {path} can't be created: {error.strerror}.",
            "Let the user that runs the bridge write to that folder, or name another as `state`.",
        ) from error


def create_copy(path: Path) -> None:
    """Create the empty file that ``VACUUM INTO`` fills; for the owner only.

    Raises:
        ConfigError: it exists already, or can't be written.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise ConfigError(
            f"The backup {path} can't be written: {error.strerror}.",
            "Name a file that doesn't exist yet, in a folder that this user may write to.",
        ) from error


def verify(path: Path) -> dict[str, int]:
    """Check the integrity of a state store or of a backup, without changing it.

    Returns:
        The number of rows by table.

    Raises:
        ConfigError: there is none, it is damaged, it is not ours, or it is newer than we are.
        Transient: another process keeps it busy.
    """
    if not path.exists():
        raise no_store(path)
    with (
        explained(path),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db,
    ):
        _check_ours(db, path)
        problems = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        if problems or db.execute("PRAGMA foreign_key_check").fetchall():
            raise _damaged(path)
        tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        return {
            name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608  ours
            for (name,) in tables.fetchall()
        }


def no_store(store: Store) -> ConfigError:
    """There is no state store at a place."""
    return ConfigError(
        f"There is no state store {store}.",
        "Nothing that matters is lost: the next run creates a new one, recognises what exists"
        " in Odoo, and does nothing twice. To process earlier orders again, set"
        " `start`, or the cursor (amazon-bridge cursor set).",
    )


def newer(store: Store) -> ConfigError:
    """This version can't use a state store."""
    return ConfigError(
        f"The state store {store} was written by a newer version of amazon-bridge.",
        "Run that version, or a newer one.",
    )


_LISTED = 200
_QUARANTINED = """
SELECT key, kind FROM items WHERE state = 'quarantined' AND substr(key, 1, length(?1)) = ?1
ORDER BY key LIMIT ?2
"""


def quarantined(path: Path, start: str) -> list[tuple[str, str]]:
    """The first keys of quarantined items that begin so, with their kinds; changes nothing.

    Raises:
        sqlite3.Error: There is no store, or it is busy at the moment.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=0.1)) as db:
        return db.execute(_QUARANTINED, (start, _LISTED)).fetchall()


def _is_busy(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


@retry(
    # While another process creates the store, switching to WAL fails at once, not after the
    # time-out: SQLite does not wait where two could wait for each other.
    retry=retry_if_exception(_is_busy),
    wait=wait_random(0.01, 0.1),
    stop=stop_after_delay(_BUSY_TIMEOUT),
    reraise=True,
)
def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    try:
        _check_ours(db, path)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last moments' memory
        db.execute("PRAGMA foreign_keys = ON")
        _migrate(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _check_ours(db: sqlite3.Connection, path: Path) -> None:
    if _pragma(db, "user_version") > len(MIGRATIONS):
        raise newer(path)
    tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables and _pragma(db, "application_id") != APPLICATION_ID:
        raise ConfigError(
            f"{path} is another program's database, not a state store of amazon-bridge.",
            "Name another path as `state`.",
        )


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    if _pragma(db, "user_version") == len(MIGRATIONS):
        return
    _await_older_processes(db, path)
    with transaction(db):
        version = _pragma(db, "user_version")  # another process may have migrated it since
        if 0 < version < len(MIGRATIONS):
            _keep_old(path, version)
        for step in MIGRATIONS[version:]:
            for statement in step:
                statement(db) if callable(statement) else db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _await_older_processes(db: sqlite3.Connection, path: Path) -> None:
    """Wait for processes of an older version to end: they can't go on with a migrated store."""
    deadline = time.monotonic() + lock.WAIT
    while 0 < _pragma(db, "user_version") < len(MIGRATIONS) and (holder := lock.other_holder(path)):
        if time.monotonic() > deadline:
            raise AccountError(
                f"Process {holder} still uses the state store {path} with an older version of"
                " amazon-bridge.",
                "Restart the daemon with the new version, or wait until that process has ended.",
            )
        time.sleep(_POLL)


def _keep_old(path: Path, version: int) -> None:
    """Copy a store of an older version, which its writer holds locked, to a file beside it."""
    target = path.with_name(f"{path.name}.version-{version}")
    unfinished = target.with_name(f"{target.name}.part")
    try:
        unfinished.unlink(missing_ok=True)
        create_copy(unfinished)
        with closing(sqlite3.connect(path)) as reader:  # VACUUM does not run in a transaction
            reader.execute("VACUUM INTO ?", (str(unfinished),))
        unfinished.replace(target)
    except OSError as error:
        raise ConfigError(
            f"The backup {target} can't be written: {error.strerror}.",
            "Let the user that runs the bridge write to the folder of the state store.",
        ) from error


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Write all or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into errors that say what to do.

    Raises:
        StorageError: the disk is full.
        ConfigError: the store is damaged, or can't be written by this user.
        Transient: another process keeps it busy.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        explanation = _explanation(path, error)
        if explanation is None:
            raise
        raise explanation from error


def _explanation(path: Path, error: sqlite3.DatabaseError) -> BridgeError | None:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Transient(f"The state store {path} is kept busy by another process.")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return _damaged(path)
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return ConfigError(
                f"The state store {path} can't be written: {error}.",
                "Let the user that runs the bridge write to it and to its folder.",
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return StorageError(
                f"The state store {path} can't be written: {error}.",
                "Make room on its disk; the bridge goes on by itself.",
            )
    return None


def _damaged(path: Path) -> ConfigError:
    return ConfigError(
        f"The state store {path} is damaged.",
        f"Stop the bridge, move {path.name}, {path.name}-wal and {path.name}-shm away, and start"
        " again: what exists in Odoo is recognised, so nothing is done twice. Then set the"
        " cursors to a moment before the damage (amazon-bridge cursor set): that brings back"
        " what was pending or quarantined.",
    )
