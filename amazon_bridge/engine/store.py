"""The file of the state store: created, opened, brought up to date, examined. SQLite.

What SQLite says when that fails becomes what a person can do about it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

from amazon_bridge.engine.errors import BridgeError, ConfigError, StorageError, Transient

_BUSY_TIMEOUT = 30  # seconds
_APPLICATION_ID = 0x416D4264  # "AmBd": marks the file as ours

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        f"PRAGMA application_id = {_APPLICATION_ID}",
        """
        CREATE TABLE accounts (
            name TEXT PRIMARY KEY,
            cursor TEXT,
            configuration TEXT  -- a digest
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE items (
            account TEXT NOT NULL REFERENCES accounts (name),
            job TEXT NOT NULL,
            key TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            importable INTEGER NOT NULL CHECK (importable IN (0, 1)),
            state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'left_out', 'quarantined')),
            kind TEXT,
            reason TEXT,
            remedy TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            memo TEXT,
            first_seen TEXT NOT NULL,
            last_seen TEXT NOT NULL,
            last_tried TEXT,
            PRIMARY KEY (account, job, key),
            CHECK ((state = 'quarantined') = (kind IS NOT NULL))
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE INDEX open_items ON items (state, account, job)
        WHERE state IN ('pending', 'quarantined')
        """,
        "CREATE INDEX items_by_key ON items (key)",
        """
        CREATE TABLE rounds (
            account TEXT NOT NULL REFERENCES accounts (name),
            job TEXT NOT NULL,
            last_started TEXT NOT NULL,
            last_finished TEXT NOT NULL,
            last_success TEXT,
            last_error TEXT,
            counts TEXT NOT NULL,  -- JSON
            PRIMARY KEY (account, job)
        ) STRICT, WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE TABLE feeds (
            number INTEGER PRIMARY KEY,
            account TEXT NOT NULL REFERENCES accounts (name),
            keys TEXT NOT NULL,  -- JSON, in the sequence of the feed's messages
            begun TEXT NOT NULL,
            feed_id TEXT,  -- absent while it isn't known whether the feed was made
            closed TEXT
        ) STRICT
        """,
    ),
    (
        "ALTER TABLE accounts ADD COLUMN began TEXT",
        "UPDATE accounts SET began = cursor",
        """
        CREATE TABLE hours (
            hour TEXT NOT NULL,  -- its beginning
            account TEXT NOT NULL REFERENCES accounts (name),
            created INTEGER NOT NULL,
            PRIMARY KEY (hour, account)
        ) STRICT, WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE TABLE unmatched (
            account TEXT NOT NULL REFERENCES accounts (name),
            name TEXT NOT NULL,
            key TEXT NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (account, name, key)
        ) STRICT, WITHOUT ROWID
        """,
    ),
    ("ALTER TABLE items ADD COLUMN unanswered_since TEXT",),
    (
        "ALTER TABLE items ADD COLUMN label TEXT",
        # Deliveries were known by their names, which two of them may bear. What was known of them
        # comes again from Odoo's notes and Amazon's packages: without a last success, the job
        # looks as far back as with a new store.
        "DELETE FROM items WHERE job = 'pickings'",
        "UPDATE rounds SET last_success = NULL WHERE job = 'pickings'",
    ),
    (
        """
        CREATE TABLE odoo_database (
            number INTEGER PRIMARY KEY CHECK (number = 1),
            url TEXT NOT NULL,
            name TEXT NOT NULL,
            uuid TEXT  -- absent where the login may not read it
        ) STRICT
        """,
        """
        CREATE TABLE memos (  -- of an item, each with the moment from which on it had it
            account TEXT NOT NULL REFERENCES accounts (name),
            job TEXT NOT NULL,
            key TEXT NOT NULL,
            since TEXT NOT NULL,
            memo TEXT NOT NULL,
            PRIMARY KEY (account, job, key, since)
        ) STRICT, WITHOUT ROWID
        """,
        """
        INSERT INTO memos (account, job, key, since, memo)
        SELECT account, job, key, first_seen, memo FROM items
        WHERE memo IS NOT NULL AND job = 'orders'
        """,
        """
        CREATE TABLE chores (
            name TEXT PRIMARY KEY,
            begun TEXT NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        """
        INSERT INTO chores (name, begun)
        SELECT 'sweep of ' || account, last_started FROM rounds WHERE job = 'sweep'
        """,
        "ALTER TABLE accounts ADD COLUMN rewinds INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE rounds ADD COLUMN rewinds INTEGER NOT NULL DEFAULT 0",
    ),
    ("ALTER TABLE items ADD COLUMN refused_since TEXT",),
)
"""Step n brings a store from version n to n + 1. Steps are only ever added."""


def opened(path: Path) -> sqlite3.Connection:
    """The store, brought up to date; created, with its folder, when there is none.

    Raises:
        StorageError: its disk is full.
        ConfigError: it can't be opened, is damaged, is not ours, or is newer than we are.
        Transient: another process keeps it busy.
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
    """Examine a state store or a backup of one, without changing it.

    Returns:
        The number of rows by table.

    Raises:
        ConfigError: there is none, it is damaged, it is not ours, or it is newer than we are.
        Transient: another process keeps it busy.
    """
    if not path.exists():
        raise ConfigError(
            f"There is no state store {path}.",
            "Nothing that matters is lost: the next round makes a new one, recognises what stands"
            " in Odoo, and does nothing twice. To look again at orders that came in earlier, set"
            " `start`, or the cursor (amazon-bridge cursor set).",
        )
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
        db.row_factory = sqlite3.Row
        _check_ours(db, path)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last moments' memory
        db.execute("PRAGMA foreign_keys = ON")
        _migrate(db)
    except BaseException:
        db.close()
        raise
    return db


def _check_ours(db: sqlite3.Connection, path: Path) -> None:
    if _pragma(db, "user_version") > len(MIGRATIONS):
        raise ConfigError(
            f"The state store {path} was written by a newer version of amazon-bridge.",
            "Run that version, or a newer one.",
        )
    tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables and _pragma(db, "application_id") != _APPLICATION_ID:
        raise ConfigError(
            f"{path} is another program's database, not a state store of amazon-bridge.",
            "Name another path as `state`.",
        )


def _migrate(db: sqlite3.Connection) -> None:
    if _pragma(db, "user_version") == len(MIGRATIONS):
        return
    with transaction(db):
        for step in MIGRATIONS[_pragma(db, "user_version") :]:
            for statement in step:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


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
    """Turn what SQLite says into what a person can do about it.

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
        " again: what stands in Odoo is recognised, so nothing is done twice. Then set the"
        " cursors to a moment before the damage (amazon-bridge cursor set): that brings back"
        " what was waiting or put aside.",
    )
