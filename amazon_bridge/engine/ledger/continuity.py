"""What the state store needs to survive losses: of Odoo's database, of time, of a process.

It remembers which Odoo database it belongs to, can be rewound to an earlier moment, corrects
moments that a wrong clock wrote, and knows when the daily chores were last done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from amazon_bridge.engine.ledger.database import Subject, moment_of, text_of
from amazon_bridge.engine.records import CLOCKS_DIFFER, DatabaseId

_FORGET_ODOO = """
    UPDATE items SET fingerprint = '' WHERE account = :account AND job = :job
"""
"""An item whose fingerprint differs from what Amazon shows is processed, whatever its state."""

_MEMO_THEN = """
    coalesce(
        (SELECT {0} FROM memos WHERE memos.account = items.account AND memos.job = items.job
            AND memos.key = items.key AND memos.since <= :since
            ORDER BY memos.since DESC LIMIT 1),
        (SELECT {0} FROM memos WHERE memos.account = items.account AND memos.job = items.job
            AND memos.key = items.key ORDER BY memos.since LIMIT 1),
        {0})
"""
_REOPEN_SINCE = f"""
    UPDATE items SET state = 'pending', attempts = 0, unanswered_since = NULL,
        memo = {_MEMO_THEN.format("memo")}, watched = {_MEMO_THEN.format("watched")}
    WHERE account = :account AND job = :job AND state IN ('done', 'left_out')
        AND last_tried >= :since
"""  # noqa: S608  ours
_FORGET_SINCE = """
    DELETE FROM items
    WHERE account = :account AND job <> :job AND state IN ('done', 'left_out')
        AND last_tried >= :since
"""
_REMEMBER_MEMO = """
    INSERT INTO memos (account, job, key, since, memo, watched)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6
    WHERE ?5 IS NOT (
        SELECT memo FROM memos WHERE account = ?1 AND job = ?2 AND key = ?3
        ORDER BY since DESC LIMIT 1)
    ON CONFLICT DO UPDATE SET memo = excluded.memo, watched = excluded.watched
"""
_FORGET_MEMOS = """
    DELETE FROM memos WHERE account = :account AND job = :job AND NOT EXISTS (
        SELECT 1 FROM items WHERE items.account = memos.account AND items.job = memos.job
            AND items.key = memos.key)
"""


class Continuity(Subject):
    """Survives losses: of Odoo's database, of its latest changes, of the right time."""

    # The database of Odoo

    def odoo_database(self) -> DatabaseId | None:
        """The database that this store belongs to; None before its first run."""
        rows = self._rows("SELECT url, name, uuid FROM odoo_database")
        return DatabaseId(*rows[0]) if rows else None

    def note_odoo_database(self, database: DatabaseId) -> None:
        """Belong to this database from now on."""
        with self._database.transaction() as db:
            _note_database(db, database)

    def adopt_odoo_database(
        self, database: DatabaseId, since: dict[str, datetime], *, job: str
    ) -> None:
        """Belong to another database from now on, and rewind accounts; all of it or nothing.

        Args:
            database: the new one.
            since: the moment that each account is rewound to, by its name.
            job: as ``rewind`` takes it.
        """
        with self._database.transaction() as db:
            _note_database(db, database)
            for account, moment in since.items():
                db.execute("INSERT OR IGNORE INTO accounts (name) VALUES (?)", (account,))
                _rewind(db, account, moment, job)

    # Rewinding

    def rewind(self, account: str, since: datetime, *, job: str) -> None:
        """Set the cursor back and forget what was done since, for it may be undone in Odoo.

        A cursor that is earlier stays where it is: nothing after it has been read yet.

        - Items of ``job`` that Amazon shows again are processed again, whatever their state.
          Those that were done or left out since that moment become pending, because Amazon
          need not have changed them since; they get the memo back that they had then.
        - Items of the other jobs that were done or left out since then are forgotten, and so is
          the last success of these jobs: they look as far back as with a new store.

        What is pending or quarantined stays so.

        Args:
            account: the account's name.
            since: the moment.
            job: the job whose items are found with the cursor.
        """
        with self._database.transaction(account) as db:
            _rewind(db, account, since, job)

    def rewinds(self, account: str) -> int:
        """How often the account was rewound."""
        rows = self._rows("SELECT rewinds FROM accounts WHERE name = ?", account)
        return rows[0]["rewinds"] if rows else 0

    # Time

    def correct_moments(self) -> bool:
        """Correct moments that lie in the future, which a clock wrote that was set back since.

        What waits for a time to pass begins to wait again, now; else it could wait for years.

        Returns:
            Whether there were any.
        """
        rows = self._rows("SELECT max(last_finished) AS latest FROM rounds")
        latest, now = moment_of(rows[0]["latest"]), self._database.clock()
        if latest is None or latest <= now + CLOCKS_DIFFER:
            return False
        values = {"now": text_of(now), "limit": text_of(now + CLOCKS_DIFFER)}
        with self._database.transaction() as db:
            for table, column in _WAITED_FOR:
                db.execute(
                    f"UPDATE {table} SET {column} = :now WHERE {column} > :limit",  # noqa: S608  ours
                    values,
                )
        return True


_WAITED_FOR = (
    ("feeds", "begun"),
    ("items", "unanswered_since"),
    ("items", "refused_since"),
    ("rounds", "last_started"),
    ("rounds", "last_finished"),
    ("chores", "begun"),
)
"""Tables and columns of moments from which on something is waited for.

The last success is not corrected: one in the future tells nothing, and is not believed.
"""


def _note_database(db: sqlite3.Connection, database: DatabaseId) -> None:
    sql = "INSERT OR REPLACE INTO odoo_database (number, url, name, uuid) VALUES (1, ?, ?, ?)"
    db.execute(sql, database)


def _rewind(db: sqlite3.Connection, account: str, since: datetime, job: str) -> None:
    values = {"account": account, "job": job, "since": text_of(since)}
    db.execute(
        "UPDATE accounts SET cursor = min(coalesce(cursor, :since), :since),"
        " began = min(coalesce(began, :since), :since),"
        " rewinds = rewinds + 1 WHERE name = :account",
        values,
    )
    db.execute(_FORGET_ODOO, values)
    db.execute(_REOPEN_SINCE, values)
    db.execute(_FORGET_SINCE, values)


def remember_memo(db: sqlite3.Connection, values: Sequence[object]) -> None:
    """Keep an item's memo beside its earlier ones, so that a rewind can restore those.

    ``values``: account, job, key, moment, memo, watched.
    """
    db.execute(_REMEMBER_MEMO, values)


def forget_memos(db: sqlite3.Connection, account: str, job: str) -> None:
    """Forget the memos of items that are forgotten."""
    db.execute(_FORGET_MEMOS, {"account": account, "job": job})
