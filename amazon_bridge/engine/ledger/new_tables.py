"""Tables that a migration adds to stores in SQLite and in PostgreSQL."""

from __future__ import annotations

import sqlite3
from typing import Any


def create(driver: Any, *tables: str) -> None:
    """Create tables. ``{key}`` is the type of texts that sort by code point in both databases.

    Args:
        driver: the connection of the database's own driver.
        tables: CREATE TABLE statements, without options.
    """
    is_sqlite = isinstance(driver, sqlite3.Connection)
    key = "TEXT" if is_sqlite else 'TEXT COLLATE "C"'
    options = " STRICT, WITHOUT ROWID" if is_sqlite else ""
    for table in tables:
        driver.execute(table.format(key=key) + options)
