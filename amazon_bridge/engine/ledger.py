"""The state store: what each account's jobs have seen, done and put aside. SQLite.

It makes the bridge fast, never right: without it, or with an old copy of it, nothing is done
twice. It holds keys, fingerprints and reasons, and never a buyer's data.

An item is always in exactly one state::

    file ──> pending ──settle──> done, left_out ──file, changed──> pending
                └──put_aside──> quarantined ──file, changed / retry──> pending
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from amazon_bridge.engine import continuity, store
from amazon_bridge.engine.continuity import CLOCKS_DIFFER, Continuity
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.runner import Counts
from amazon_bridge.engine.tables import moment_of, text_of
from amazon_bridge.engine.window import Window

MAX_ATTEMPTS = 10
"""An item put aside this often comes back only by hand, or when it changed on Amazon."""

HELD = "held"
"""The kind of error of an item that only a person may let go."""

_FILE = """
    INSERT INTO items
        (account, job, key, label, fingerprint, importable, state, first_seen, last_seen)
    VALUES (:account, :job, :key, :label, :fingerprint, :importable, 'pending', :now, :now)
    ON CONFLICT DO UPDATE SET label = coalesce(excluded.label, label),
        importable = max(importable, excluded.importable),
        last_seen = excluded.last_seen
"""
_REOPEN_IF_CHANGED = """
    UPDATE items SET fingerprint = :fingerprint, state = 'pending', attempts = 0,
        kind = NULL, reason = NULL, remedy = NULL, unanswered_since = NULL
    WHERE account = :account AND job = :job AND key = :key AND fingerprint <> :fingerprint
"""
_REOPEN = "UPDATE items SET state = 'pending', kind = NULL, reason = NULL, remedy = NULL "
_NAMED = """
    state = 'quarantined' AND (
        ?1 IN (key, label, label || '@' || key, '')
        OR substr(key, 1, length(?1) + 1) = ?1 || '#'
    )
"""
_SETTLE = """
    UPDATE items SET state = ?, memo = coalesce(?, memo), last_tried = ?,
        kind = NULL, reason = NULL, remedy = NULL, unanswered_since = NULL, refused_since = NULL
    WHERE account = ? AND job = ? AND key = ? AND fingerprint = ?
"""
_PUT_ASIDE = """
    INSERT INTO items (account, job, key, fingerprint, importable, state, kind, reason,
        remedy, attempts, first_seen, last_seen, last_tried)
    VALUES (:account, :job, :key, '', 0, 'quarantined', :kind, :reason,
        :remedy, 1, :now, :now, :now)
    ON CONFLICT DO UPDATE SET state = 'quarantined', kind = excluded.kind,
        reason = excluded.reason, remedy = excluded.remedy, attempts = attempts + 1,
        last_tried = excluded.last_tried, unanswered_since = NULL, refused_since = NULL
"""
_EXPLAIN = """
    UPDATE items SET reason = ? WHERE account = ? AND job = ? AND key = ? AND state = 'pending'
"""
_NOTE_SILENCE = """
    UPDATE items SET unanswered_since = coalesce(unanswered_since, ?)
    WHERE account = ? AND job = ? AND key = ? RETURNING unanswered_since
"""
_NOTE_REFUSAL = """
    UPDATE items SET refused_since = coalesce(refused_since, ?)
    WHERE account = ? AND job = ? AND key = ? RETURNING refused_since
"""
_NOTE_ANSWER = """
    UPDATE items SET unanswered_since = NULL
    WHERE account = ? AND job = ? AND key = ? AND unanswered_since IS NOT NULL
"""
_RECORD_ROUND = """
    INSERT INTO rounds
        (account, job, last_started, last_finished, last_success, last_error, counts, rewinds)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET last_started = excluded.last_started,
        last_finished = excluded.last_finished,
        last_success = coalesce(excluded.last_success, last_success),
        last_error = excluded.last_error, counts = excluded.counts,
        rewinds = CASE WHEN excluded.last_success IS NULL THEN rewinds ELSE excluded.rewinds END
"""


_COUNT_HOUR = """
    INSERT INTO hours (hour, account, created) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET created = created + excluded.created
"""
_FORGET = """
    DELETE FROM items
    WHERE account = ? AND job = ? AND state IN ('done', 'left_out') AND last_seen < ?
"""
_LATEST_DONE = """
    SELECT key FROM items WHERE job = ? AND state = 'done'
    ORDER BY last_tried DESC LIMIT CAST(? AS INTEGER)
"""


class State(StrEnum):
    """What has become of an item."""

    PENDING = "pending"
    DONE = "done"
    LEFT_OUT = "left_out"
    QUARANTINED = "quarantined"


class Seen(NamedTuple):
    """An item as a round saw it."""

    key: str
    fingerprint: str
    importable: bool = False
    """It is in a state now in which it belongs into the other side. Never forgotten again."""
    label: str | None = None
    """What people call the item, where the key alone says it to nobody."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger knows of one item. Datetimes are aware, in UTC."""

    account: str
    job: str
    key: str
    fingerprint: str
    importable: bool
    state: State
    kind: str | None
    reason: str | None
    """Why it is quarantined; or why it is pending, where that is known."""
    remedy: str | None
    attempts: int
    memo: str | None
    first_seen: datetime
    last_seen: datetime
    last_tried: datetime | None
    unanswered_since: datetime | None
    label: str | None = None
    """What people call the item; not unique."""
    refused_since: datetime | None = None
    """Since when Odoo refuses it, although it is up."""

    @property
    def display_key(self) -> str:
        """The key as people see it, with the label where there is one."""
        return f"{self.label}@{self.key}" if self.label else self.key


@dataclass(frozen=True, slots=True)
class Feed:
    """Items that were sent together, or were about to be when the bridge was interrupted."""

    number: int
    keys: tuple[str, ...]
    begun: datetime
    feed_id: str | None


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A name on one side for which the other side has nothing of its own."""

    name: str
    reason: str
    """Why, as of the last time."""
    items: int
    """How many items something else stands in for it in."""
    last_key: str
    """The greatest key of these items."""


@dataclass(frozen=True, slots=True)
class Round:
    """The last round of a job. Datetimes are aware, in UTC."""

    account: str
    job: str
    last_started: datetime
    last_finished: datetime
    last_success: datetime | None
    last_error: str | None
    """Why the last round failed; None when it went well."""
    counts: Counts


class Ledger(Continuity):
    """The state store in a file. One object serves all threads; processes may share the file.

    All methods raise ``Transient`` when another process keeps the store busy, ``ConfigError``
    when it is damaged or can't be written by this user, ``StorageError`` when the disk is full.
    """

    # Cursors

    def cursor(self, account: str) -> datetime | None:
        """Up to when everything is known; None before the account's first round."""
        rows = self._rows("SELECT cursor FROM accounts WHERE name = ?", account)
        return moment_of(rows[0]["cursor"]) if rows else None

    def set_cursor(self, account: str, at: datetime) -> None:
        """Move the cursor; what is known of the items stays. To look again, ``rewind``."""
        with self._transaction(account) as db:
            db.execute(
                "UPDATE accounts SET cursor = ?1, began = min(coalesce(began, ?1), ?1)"
                " WHERE name = ?2",
                (text_of(at), account),
            )

    def began(self, account: str) -> datetime | None:
        """The earliest moment that the cursor was ever set to; None before it was."""
        rows = self._rows("SELECT began FROM accounts WHERE name = ?", account)
        return moment_of(rows[0]["began"]) if rows else None

    # Items

    def file(
        self, account: str, job: str, seen: Iterable[Seen], *, window: Window | None = None
    ) -> list[str]:
        """File what was seen, and move the cursor to the end of the window: both or neither.

        New and changed items become pending, quarantined ones too. An item is changed when
        its fingerprint is not the filed one. File an order again when it was fetched anew.

        The cursor only moves forward, and only from within the window or from its start: a
        cursor that somebody set back meanwhile stays where it was set.

        Returns:
            The keys of those seen that are pending, in the order in which they were seen.
        """
        rows = [
            {"account": account, "job": job, "now": self._now(), **item._asdict()} for item in seen
        ]
        with self._transaction(account) as db:
            db.executemany(_FILE, rows)
            db.executemany(_REOPEN_IF_CHANGED, rows)
            if window:
                _advance(db, account, window)
        pending = set(self.pending(account, job))
        return [key for key in dict.fromkeys(row["key"] for row in rows) if key in pending]

    def pending(self, account: str, job: str) -> list[str]:
        """The keys of all items that are still to be worked, those seen first in front."""
        rows = self._rows(
            "SELECT key FROM items WHERE state = 'pending' AND account = ? AND job = ?"
            " ORDER BY first_seen, key",
            account,
            job,
        )
        return [row["key"] for row in rows]

    def pending_entries(self, account: str, job: str) -> list[Entry]:
        """The items that are still to be worked, with what is known of each."""
        where = "WHERE state = 'pending' AND account = ?1 AND job = ?2"
        return self._entries(where, account, job)

    def waiting(self, account: str, job: str, most: int) -> list[Entry]:
        """At most so many pending items: those with a known reason to wait, then the oldest."""
        where = (
            "WHERE state = 'pending' AND account = ? AND job = ?"
            " ORDER BY coalesce(reason, unanswered_since) IS NULL, first_seen, key"
            " LIMIT CAST(? AS INTEGER)"
        )
        rows = self._rows(f"SELECT * FROM items {where}", account, job, str(most))  # noqa: S608  ours
        return [_entry(row) for row in rows]

    def explain(self, account: str, job: str, key: str, reason: str) -> None:
        """Note why a pending item waits, until it is settled, quarantined or changed."""
        with self._transaction(account) as db:
            db.execute(_EXPLAIN, (reason, account, job, key))

    def remember(self, account: str, job: str, key: str, memo: str | None) -> None:
        """Keep a word of the flow's own about an item, free of buyer's data."""
        with self._transaction(account) as db:
            where = "WHERE account = ? AND job = ? AND key = ?"
            db.execute(f"UPDATE items SET memo = ? {where}", (memo, account, job, key))  # noqa: S608  ours

    def note_silence(self, account: str, job: str, key: str) -> datetime | None:
        """Note that a side doesn't answer for a filed item, and tell since when it doesn't.

        An item that is settled, put aside or changed begins anew.
        """
        with self._transaction(account) as db:
            row = db.execute(_NOTE_SILENCE, (self._now(), account, job, key)).fetchone()
        return moment_of(row["unanswered_since"]) if row else None

    def note_answer(self, account: str, job: str, key: str) -> None:
        """Note that a side answers for an item."""
        with self._transaction(account) as db:
            db.execute(_NOTE_ANSWER, (account, job, key))

    def note_refusal(self, account: str, job: str, key: str) -> datetime | None:
        """Note that Odoo refuses a filed item, and return since when it does.

        An item that is settled or quarantined begins anew.
        """
        with self._transaction(account) as db:
            row = db.execute(_NOTE_REFUSAL, (self._now(), account, job, key)).fetchone()
        return moment_of(row["refused_since"]) if row else None

    def settle(
        self,
        account: str,
        job: str,
        key: str,
        fingerprint: str,
        state: State = State.DONE,
        *,
        memo: str | None = None,
    ) -> bool:
        """Note that an item was worked: done, or left out on purpose.

        Args:
            account: the account's name.
            job: the job's name.
            key: the item's key.
            fingerprint: of the item as it was worked.
            state: DONE or LEFT_OUT.
            memo: a word for the flow's own use, free of buyer's data; None keeps the old one.

        Returns:
            False when the filed item is another by now: it stays as it is.
        """
        with self._transaction(account) as db:
            now = self._now()
            values = (state, memo, now, account, job, key, fingerprint)
            settled = db.execute(_SETTLE, values).rowcount > 0
            if settled and memo is not None:
                known = {"account": account, "job": job, "key": key, "now": now, "memo": memo}
                continuity.remember_memo(db, known)
        return settled

    def put_aside(self, account: str, job: str, key: str, error: ItemError) -> None:
        """Put an item into the quarantine, whether it was filed before or not."""
        with self._transaction(account) as db:
            values = {"account": account, "job": job, "key": key, "now": self._now()}
            told = {"kind": error.kind, "reason": error.reason, "remedy": error.remedy}
            db.execute(_PUT_ASIDE, values | told)

    def entry(self, account: str, job: str, key: str) -> Entry | None:
        """What is known of one item; None when it was never filed."""
        sql = "SELECT * FROM items WHERE account = ? AND job = ? AND key = ?"
        return next(map(_entry, self._rows(sql, account, job, key)), None)

    def entries(self, key: str) -> list[Entry]:
        """All that is known of the items with this key, in any account and job."""
        return self._entries("WHERE key = ?", key)

    def entries_of_order(self, order_id: str) -> list[Entry]:
        """All that is known of an order and of what belongs to it, such as its deliveries."""
        return self._entries("WHERE key = ?1 OR (key >= ?1 || '#' AND key < ?1 || '$')", order_id)

    def quarantined(self, account: str | None = None) -> list[Entry]:
        """The items put aside, of one account or of all."""
        return self._entries("WHERE state = 'quarantined' AND ?1 IN (account, '')", account or "")

    def done_with(self, account: str, job: str, text: str) -> list[Entry]:
        """The items that are done and have this text in their memo."""
        where = "WHERE state = 'done' AND account = ?1 AND job = ?2 AND instr(memo, ?3)"
        return self._entries(where, account, job, text)

    def latest_done(self, job: str, number: int) -> list[str]:
        """The keys of the items of a job that were done last, in any account."""
        return [row["key"] for row in self._rows(_LATEST_DONE, job, str(number))]

    def tally(self, account: str, job: str | None = None) -> Counter[State]:
        """The number of items in each state, of one job or of all."""
        rows = self._rows(
            "SELECT state, count(*) AS number FROM items"
            " WHERE account = ? AND ?2 IN (job, '') GROUP BY state",
            account,
            job or "",
        )
        return Counter({State(row["state"]): row["number"] for row in rows})

    def open_items(self) -> Counter[tuple[str, str, State]]:
        """The numbers of pending and of quarantined items, by account, job and state."""
        rows = self._rows(
            "SELECT account, job, state, count(*) AS number FROM items"
            " WHERE state IN ('pending', 'quarantined') GROUP BY state, account, job"
        )
        return Counter({(r["account"], r["job"], State(r["state"])): r["number"] for r in rows})

    def retry(self, key: str | None = None) -> int:
        """Make quarantined items pending again: those that this names, or all.

        Args:
            key: an item's key, its label or both as ``display_key`` has them, or the id of the
                order that the key begins with; None for all.

        Returns:
            How many there were.
        """
        with self._transaction() as db:
            return db.execute(f"{_REOPEN} WHERE {_NAMED}", (key or "",)).rowcount

    def note_matches(
        self,
        account: str,
        *,
        unmatched: Iterable[tuple[str, str, str]],
        matched: Iterable[str],
    ) -> None:
        """Remember names that something else stands in for, until they are matched.

        Args:
            account: the account's name.
            unmatched: the name, the item's key and the reason, of each name of each item.
            matched: names that have their own counterpart by now: they are forgotten.
        """
        with self._transaction(account) as db:
            db.executemany(
                "INSERT OR REPLACE INTO unmatched (account, name, key, reason) VALUES (?, ?, ?, ?)",
                [(account, *each) for each in unmatched],
            )
            db.executemany(
                "DELETE FROM unmatched WHERE account = ? AND name = ?",
                [(account, name) for name in matched],
            )

    def unmatched(self, account: str) -> list[Unmatched]:
        """The names that something else stands in for, those of most items in front."""
        rows = self._rows(
            "SELECT name, max(reason) AS reason, count(*) AS items, max(key) AS last_key"
            " FROM unmatched WHERE account = ? GROUP BY name ORDER BY items DESC, name",
            account,
        )
        return [Unmatched(**row) for row in rows]

    def configuration_changed(self, account: str, digest: str) -> bool:
        """Compare with the configuration of last time; when it changed, retry what was put aside.

        Items that were put aside ``MAX_ATTEMPTS`` times stay there, and those that are ``HELD``.
        The first digest of an account is no change.
        """
        with self._transaction(account) as db:
            known = db.execute("SELECT configuration FROM accounts WHERE name = ?", (account,))
            if (before := known.fetchone()[0]) == digest:
                return False
            db.execute("UPDATE accounts SET configuration = ? WHERE name = ?", (digest, account))
            if before is not None:
                where = "WHERE state = 'quarantined' AND account = ? AND attempts < ? AND kind <> ?"
                db.execute(_REOPEN + where, (account, MAX_ATTEMPTS, HELD))
            return before is not None

    # Feeds

    def begin_feed(self, account: str, keys: Iterable[str]) -> int:
        """Note that these items are about to be sent together.

        Returns:
            The number under which the ledger knows the feed.
        """
        with self._transaction(account) as db:
            sql = "INSERT INTO feeds (account, keys, begun) VALUES (?, ?, ?)"
            number = db.execute(sql, (account, json.dumps(list(keys)), self._now())).lastrowid
        assert number is not None
        return number

    def name_feed(self, number: int, feed_id: str) -> None:
        """Note the id that the other side gave to a feed."""
        with self._transaction() as db:
            db.execute("UPDATE feeds SET feed_id = ? WHERE number = ?", (feed_id, number))

    def close_feed(self, number: int) -> None:
        """Note that nothing more is to be learnt of a feed, or that it was never made."""
        with self._transaction() as db:
            db.execute("UPDATE feeds SET closed = ? WHERE number = ?", (self._now(), number))

    def open_feeds(self, account: str) -> list[Feed]:
        """The feeds of which the end isn't known yet, oldest first."""
        where = "WHERE account = ? AND closed IS NULL ORDER BY number"
        return [_feed(row) for row in self._rows(f"SELECT * FROM feeds {where}", account)]  # noqa: S608  ours

    def last_feed_begun(self, account: str) -> datetime | None:
        """When the account's latest feed was begun, of those that were made or may have been."""
        sql = (
            "SELECT max(begun) AS begun FROM feeds"
            " WHERE account = ? AND (feed_id IS NOT NULL OR closed IS NULL)"
        )
        rows = self._rows(sql, account)
        return moment_of(rows[0]["begun"])

    # Rounds

    def record_round(
        self,
        account: str,
        job: str,
        *,
        started: datetime,
        finished: datetime,
        counts: Counts,
        rewinds: int | None = None,
    ) -> None:
        """Note how a run went; it succeeded when ``counts`` tells no error.

        ``rewinds`` is how often the account had been rewound when the run began; None: as often
        as it is now.
        """
        success = None if counts.error else text_of(finished)
        before = self.rewinds(account) if rewinds is None else rewinds
        values = (account, job, text_of(started), text_of(finished), success, counts.error)
        hour = finished.replace(minute=0, second=0, microsecond=0)
        with self._transaction(account) as db:
            db.execute(_RECORD_ROUND, (*values, json.dumps(asdict(counts)), before))
            if counts.created:
                db.execute(_COUNT_HOUR, (text_of(hour), account, counts.created))

    def rounds(self) -> list[Round]:
        """The last round of each account and job."""
        return [_round(row) for row in self._rows("SELECT * FROM rounds ORDER BY account, job")]

    def last_success(self, account: str, job: str) -> datetime | None:
        """When a run of a job last went well.

        None when none ever did, or none since the account was rewound, and when the moment lies
        in the future: a clock was wrong, so that nobody knows how far back to look.
        """
        sql = """
            SELECT last_success FROM rounds JOIN accounts ON name = account
            WHERE account = ? AND job = ? AND rounds.rewinds >= accounts.rewinds
        """
        rows = self._rows(sql, account, job)
        last = moment_of(rows[0]["last_success"]) if rows else None
        return last if last and last <= self._clock() + CLOCKS_DIFFER else None

    def created_by_hour(self, since: datetime) -> Counter[datetime]:
        """How many items were created in each hour, by the hour's beginning; zeros are absent."""
        rows = self._rows("SELECT hour, created FROM hours WHERE hour >= ?", text_of(since))
        created: Counter[datetime] = Counter()
        for row in rows:
            created[datetime.fromisoformat(row["hour"])] += row["created"]
        return created

    # Care

    def forget_finished(self, account: str, job: str, before: datetime) -> int:
        """Forget items that are done or left out and were last seen before a moment.

        Returns:
            How many there were.
        """
        with self._transaction() as db:
            number = db.execute(_FORGET, (account, job, text_of(before))).rowcount
            if number:
                continuity.forget_memos(db, account, job)
        return number

    def forget_hours(self, before: datetime) -> None:
        """Forget what was created in the hours before a moment."""
        with self._transaction() as db:
            db.execute("DELETE FROM hours WHERE hour < ?", (text_of(before),))

    def back_up(self, target: Path) -> None:
        """Copy the store as it is at one moment, while others work with it.

        Raises:
            ConfigError: the target exists already, or can't be written.
        """
        store.create_copy(target)
        with self._lock, store.explained(target):
            self._db.execute("VACUUM INTO ?", (str(target),))

    # Below: how it is stored

    def _entries(self, where: str, *values: str) -> list[Entry]:
        rows = self._rows(f"SELECT * FROM items {where} ORDER BY account, job, key", *values)  # noqa: S608  ours
        return [_entry(row) for row in rows]


def _advance(db: sqlite3.Connection, account: str, window: Window) -> None:
    db.execute(
        "UPDATE accounts SET cursor = ?2"
        " WHERE name = ?1 AND (cursor IS NULL OR cursor BETWEEN ?3 AND ?2)",
        (account, text_of(window.before), text_of(window.after)),
    )


def _with_moments(row: sqlite3.Row) -> dict[str, Any]:
    moments = {name for name in row.keys() if name.startswith(_MOMENTS)}  # noqa: SIM118
    moments.discard("last_error")
    return dict(row) | {name: moment_of(row[name]) for name in moments}


_MOMENTS = ("first_", "last_", "unanswered_")


def _entry(row: sqlite3.Row) -> Entry:
    values = _with_moments(row)
    values["importable"] = bool(values["importable"])
    values["state"] = State(values["state"])
    return Entry(**values)


def _feed(row: sqlite3.Row) -> Feed:
    begun = datetime.fromisoformat(row["begun"])
    return Feed(row["number"], tuple(json.loads(row["keys"])), begun, row["feed_id"])


def _round(row: sqlite3.Row) -> Round:
    values = _with_moments(row)
    del values["rewinds"]
    values["counts"] = Counts(**json.loads(values["counts"]))
    return Round(**values)
