"""Access to the state store's tables: transactions, rows, and how moments are written."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from amazon_bridge.engine.ledger import file


class Database:
    """An open connection, for one thread at a time: others wait."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self.path = path
        self.clock = clock
        self._lock = threading.Lock()
        self._db = file.opened(path)

    def close(self) -> None:
        self._db.close()

    def now(self) -> str:
        """The clock's time as the tables hold it."""
        return text_of(self.clock())

    def rows(self, sql: str, *values: str) -> list[sqlite3.Row]:
        """Run a query and return all its rows."""
        with self._lock, file.explained(self.path):
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self, account: str | None = None) -> Iterator[sqlite3.Connection]:
        """Write all or nothing. Inserts the account first if it is new."""
        with self._lock, file.explained(self.path), file.transaction(self._db) as db:
            if account is not None:
                db.execute("INSERT OR IGNORE INTO accounts (name) VALUES (?)", (account,))
            yield db

    def back_up(self, target: Path) -> None:
        """Copy the store into a new file.

        Raises:
            ConfigError: the target exists already, or can't be written.
        """
        file.create_copy(target)
        with self._lock, file.explained(target):
            self._db.execute("VACUUM INTO ?", (str(target),))


class Subject:
    """A part of the state store, on the connection that all parts share."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def _rows(self) -> Callable[..., list[sqlite3.Row]]:
        return self._database.rows

    def _now(self) -> str:
        return self._database.now()


def text_of(at: datetime) -> str:
    """ISO 8601 in UTC, of constant length, so that texts sort like the moments they stand for."""
    if at.tzinfo is None:
        raise ValueError("a naive datetime tells no moment")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment_of(text: str | None) -> datetime | None:
    """Parse what ``text_of`` wrote; None for None."""
    return datetime.fromisoformat(text) if text else None
