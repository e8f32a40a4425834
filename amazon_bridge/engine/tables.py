"""Access to the state store's tables: transactions, rows, and how moments are written."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from amazon_bridge.engine import store


class Tables:
    """An open state store. One object serves all threads; processes may share the file."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        """Open the store; create it, with its folder, when there is none.

        Raises:
            ConfigError: it can't be opened, is damaged, is not ours, or is newer than we are.
        """
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._db = store.opened(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def _now(self) -> str:
        return text_of(self._clock())

    def _rows(self, sql: str, *values: str) -> list[sqlite3.Row]:
        with self._lock, store.explained(self.path):
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self, account: str | None = None) -> Iterator[sqlite3.Connection]:
        """Write all or nothing; makes the account known first."""
        with self._lock, store.explained(self.path), store.transaction(self._db) as db:
            if account is not None:
                db.execute("INSERT OR IGNORE INTO accounts (name) VALUES (?)", (account,))
            yield db


def text_of(at: datetime) -> str:
    """ISO 8601 in UTC, of one length, so that texts compare like the moments they stand for."""
    if at.tzinfo is None:
        raise ValueError("a naive datetime tells no moment")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment_of(text: str | None) -> datetime | None:
    """The moment that ``text_of`` wrote; None for none."""
    return datetime.fromisoformat(text) if text else None
