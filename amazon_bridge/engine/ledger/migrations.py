"""The schema of the state store, as numbered steps."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from amazon_bridge.engine.ledger.alert_migration import ALERTS
from amazon_bridge.engine.ledger.lease_migration import LEASES
from amazon_bridge.engine.ledger.stock_migration import COVERS, FULL_COMPARISONS, STOCK, UNREAD

APPLICATION_ID = 0x416D4264  # "AmBd": marks the file as ours

Statement = str | Callable[[Any], None]
"""SQL, or a function that gets the connection of the database's driver."""


def _encode_old_memos(db: sqlite3.Connection) -> None:
    """Rewrite memos of versions that separated fields by blanks or stored a number alone."""
    for table in ("items", "memos"):
        old = f"SELECT account, job, key, memo FROM {table} WHERE memo NOT LIKE '{{%'"  # noqa: S608  ours
        for account, job, key, memo in db.execute(old).fetchall():
            update = f"UPDATE {table} SET memo = ? WHERE account = ? AND job = ? AND key = ?"  # noqa: S608  ours
            db.execute(f"{update} AND memo = ?", (_encoded(job, memo), account, job, key, memo))


def _encoded(job: str, memo: str) -> str:
    match job, memo.split(" "):
        case "orders", [worth, marketplace, fulfilled_by, status]:
            fields = {"marketplace_id": marketplace, "fulfilled_by": fulfilled_by}
            return json.dumps({"worth": worth, **fields, "status": status})
        case "cancellations", [feeds] if feeds.isdecimal():
            return json.dumps({"passed_brake": True, "feeds": int(feeds)})
    return memo


MIGRATIONS: tuple[tuple[Statement, ...], ...] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
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
    (
        _encode_old_memos,
        "ALTER TABLE items ADD COLUMN watched INTEGER NOT NULL DEFAULT 0 CHECK (watched IN (0, 1))",
        "ALTER TABLE memos ADD COLUMN watched INTEGER NOT NULL DEFAULT 0 CHECK (watched IN (0, 1))",
        """UPDATE items SET watched = 1 WHERE job = 'orders' AND instr(memo, '"reminders": ["')""",
        """UPDATE memos SET watched = 1 WHERE job = 'orders' AND instr(memo, '"reminders": ["')""",
        "CREATE INDEX watched_items ON items (watched, account, job) WHERE watched = 1",
        "ALTER TABLE rounds RENAME TO runs",
    ),
    ("UPDATE items SET kind = 'internal_error' WHERE kind = 'bug'",),
    ("ALTER TABLE items ADD COLUMN version TEXT",),
    (
        """
        CREATE TABLE scans (  -- how far each job has read the changes in Odoo
            account TEXT NOT NULL,
            job TEXT NOT NULL,
            complete_until TEXT,
            looked_back TEXT,
            since TEXT,  -- absent while no scan is unfinished
            began TEXT,
            looks_back INTEGER NOT NULL DEFAULT 0 CHECK (looks_back IN (0, 1)),
            after INTEGER NOT NULL DEFAULT 0,  -- the last id that is processed
            PRIMARY KEY (account, job)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE scanned (  -- changes of the last day that are processed
            account TEXT NOT NULL,
            job TEXT NOT NULL,
            record INTEGER NOT NULL,
            written TEXT NOT NULL,
            PRIMARY KEY (account, job, record)
        ) STRICT, WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE INDEX finished_items ON items (account, job, last_seen)
        WHERE state IN ('done', 'left_out')
        """,
        "CREATE INDEX unmatched_by_key ON unmatched (account, key)",
        "CREATE INDEX open_feeds ON feeds (account) WHERE closed IS NULL",
        "CREATE INDEX feeds_by_account ON feeds (account, begun)",
        # Until now they were kept for ever.
        """
        DELETE FROM unmatched AS old WHERE NOT EXISTS (
            SELECT 1 FROM items WHERE items.account = old.account AND items.key = old.key
        )
        """,
    ),
    (
        """
        CREATE TABLE lanes (
            account TEXT NOT NULL REFERENCES accounts (name),
            lane TEXT NOT NULL,
            begins TEXT,  -- of the back-log; of the live interval beside it
            position TEXT,  -- everything before it was read
            since TEXT,  -- when reading the back-log began
            PRIMARY KEY (account, lane)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE readings (
            account TEXT NOT NULL REFERENCES accounts (name),
            lane TEXT NOT NULL,
            window_after TEXT NOT NULL,
            window_before TEXT NOT NULL,
            marketplaces TEXT NOT NULL,
            begun TEXT NOT NULL,
            known_until TEXT NOT NULL,
            token TEXT NOT NULL,  -- Amazon's, of the next page
            PRIMARY KEY (account, lane)
        ) STRICT, WITHOUT ROWID
        """,
        # The daily sweep's: second looks replaced it.
        "DELETE FROM runs WHERE job = 'sweep'",
        "DELETE FROM chores WHERE name LIKE 'sweep of %'",
    ),
    (
        """
        CREATE TABLE in_flight (  -- units sold on Amazon whose order is not in Odoo yet
            account TEXT NOT NULL REFERENCES accounts (name),
            key TEXT NOT NULL,  -- the order's id
            sku TEXT NOT NULL,  -- empty if Amazon names none
            units INTEGER NOT NULL,  -- as Amazon counts them
            since TEXT NOT NULL,
            checked TEXT NOT NULL,
            version TEXT,
            PRIMARY KEY (account, key, sku)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE surveys (  -- accounts of which all units in flight are known
            account TEXT PRIMARY KEY NOT NULL REFERENCES accounts (name),
            filters TEXT NOT NULL,  -- of the search that found them
            finished TEXT NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
    ),
    STOCK,
    FULL_COMPARISONS,
    COVERS,
    UNREAD,
    (
        "ALTER TABLE items ADD COLUMN due TEXT",
        "ALTER TABLE items ADD COLUMN marketplace TEXT",
        "ALTER TABLE items ADD COLUMN record INTEGER",  # database id in Odoo
        "CREATE INDEX due_items ON items (account, job, due) WHERE due IS NOT NULL",
    ),
    (
        """
        CREATE TABLE order_hours (  -- what happened to orders
            hour TEXT NOT NULL,  -- its beginning; 1970 for all hours
            account TEXT NOT NULL REFERENCES accounts (name),
            event TEXT NOT NULL,
            fulfilled_by TEXT NOT NULL,
            within INTEGER NOT NULL,  -- seconds that it took; -1 if unknown
            number INTEGER NOT NULL,
            seconds INTEGER NOT NULL,  -- the sum of what it took
            PRIMARY KEY (hour, account, event, fulfilled_by, within)
        ) STRICT, WITHOUT ROWID
        """,
        """
        INSERT INTO order_hours (hour, account, event, fulfilled_by, within, number, seconds)
        SELECT hour, account, 'imported', '', -1, created, 0 FROM hours
        """,
        "DROP TABLE hours",
        "ALTER TABLE items ADD COLUMN opened TEXT",  # since when, if it was finished before
    ),
    LEASES,
    ALERTS,
)
"""Step n migrates a store from version n to n + 1. Steps are only ever added.

Stores in PostgreSQL begin with version 21: later steps must be valid for both databases.
"""
