"""The cursor of each account: everything that changed up to it is filed."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from amazon_bridge.engine.ledger.database import Subject, moment_of, text_of
from amazon_bridge.engine.window import Window


class Cursors(Subject):
    """The cursors of all accounts."""

    def get(self, account: str) -> datetime | None:
        """Everything up to this moment is known; None before the account's first run."""
        rows = self._rows("SELECT cursor FROM accounts WHERE name = ?", account)
        return moment_of(rows[0]["cursor"]) if rows else None

    def set(self, account: str, at: datetime) -> None:
        """Move the cursor; items stay as they are. To process them again, ``rewind``."""
        with self._database.transaction(account) as db:
            db.execute(
                "UPDATE accounts SET cursor = ?1, began = min(coalesce(began, ?1), ?1)"
                " WHERE name = ?2",
                (text_of(at), account),
            )

    def began(self, account: str) -> datetime | None:
        """The earliest moment the cursor was ever set to; None before it was set."""
        rows = self._rows("SELECT began FROM accounts WHERE name = ?", account)
        return moment_of(rows[0]["began"]) if rows else None

    def skip(self, account: str, until: datetime) -> None:
        """Start over at a later moment: earlier changes are not wanted, read or not."""
        with self._database.transaction(account) as db:
            sql = "UPDATE accounts SET cursor = :until, began = :until WHERE name = :account"
            db.execute(sql, {"until": text_of(until), "account": account})


def advance(db: sqlite3.Connection, account: str, window: Window) -> None:
    """Move a cursor to the end of a window, unless it is outside of it."""
    db.execute(
        "UPDATE accounts SET cursor = ?2"
        " WHERE name = ?1 AND (cursor IS NULL OR cursor BETWEEN ?3 AND ?2)",
        (account, text_of(window.before), text_of(window.after)),
    )
