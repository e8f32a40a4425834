"""The connections of open state stores, for tests that look behind them."""

from __future__ import annotations

import sqlite3

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.ledger.database import SqliteDatabase


def driver_of(ledger: Ledger) -> sqlite3.Connection:
    """SQLite's connection."""
    assert isinstance(ledger._database, SqliteDatabase)
    return ledger._database._driver
