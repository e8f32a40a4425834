"""The items of all jobs: what was seen, done and quarantined.

An item is always in exactly one state::

    file ──> pending ──settle──> done, left_out ──file, changed──> pending
                └──quarantine──> quarantined ──file, changed / retry──> pending
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from amazon_bridge.engine.codec import BaseMemo, encode
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import continuity
from amazon_bridge.engine.ledger.cursors import advance
from amazon_bridge.engine.ledger.database import Subject, moment_of, text_of
from amazon_bridge.engine.records import HELD, MAX_ATTEMPTS, Entry, Seen, State
from amazon_bridge.engine.window import Window

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
    UPDATE items SET state = ?, memo = coalesce(?, memo), watched = coalesce(?, watched),
        last_tried = ?, kind = NULL, reason = NULL, remedy = NULL, unanswered_since = NULL,
        refused_since = NULL
    WHERE account = ? AND job = ? AND key = ? AND fingerprint = ?
"""
_QUARANTINE = """
    INSERT INTO items (account, job, key, fingerprint, importable, state, kind, reason,
        remedy, attempts, first_seen, last_seen, last_tried)
    VALUES (:account, :job, :key, '', 0, 'quarantined', :kind, :reason,
        :remedy, 1, :now, :now, :now)
    ON CONFLICT DO UPDATE SET state = 'quarantined', kind = excluded.kind,
        reason = excluded.reason, remedy = excluded.remedy, attempts = attempts + 1,
        last_tried = excluded.last_tried, unanswered_since = NULL, refused_since = NULL
"""
_REMEMBER = "UPDATE items SET memo = ?, watched = ? WHERE account = ? AND job = ? AND key = ?"
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
_FORGET = """
    DELETE FROM items
    WHERE account = ? AND job = ? AND state IN ('done', 'left_out') AND last_seen < ?
"""
_LATEST_DONE = """
    SELECT key FROM items WHERE job = ? AND state = 'done'
    ORDER BY last_tried DESC LIMIT CAST(? AS INTEGER)
"""


class Items(Subject):
    """The items of all accounts and jobs."""

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
        with self._database.transaction(account) as db:
            db.executemany(_FILE, rows)
            db.executemany(_REOPEN_IF_CHANGED, rows)
            if window:
                advance(db, account, window)
        pending = set(self.pending(account, job))
        return [key for key in dict.fromkeys(row["key"] for row in rows) if key in pending]

    def pending(self, account: str, job: str) -> list[str]:
        """The keys of all items that are still to be processed, first seen first."""
        rows = self._rows(
            "SELECT key FROM items WHERE state = 'pending' AND account = ? AND job = ?"
            " ORDER BY first_seen, key",
            account,
            job,
        )
        return [row["key"] for row in rows]

    def pending_entries(self, account: str, job: str) -> list[Entry]:
        """The items that are still to be processed."""
        where = "WHERE state = 'pending' AND account = ?1 AND job = ?2"
        return self._entries(where, account, job)

    def waiting(self, account: str, job: str, most: int) -> list[Entry]:
        """At most ``most`` pending items: those with a known reason to wait, then the oldest."""
        where = (
            "WHERE state = 'pending' AND account = ? AND job = ?"
            " ORDER BY coalesce(reason, unanswered_since) IS NULL, first_seen, key"
            " LIMIT CAST(? AS INTEGER)"
        )
        rows = self._rows(f"SELECT * FROM items {where}", account, job, str(most))  # noqa: S608  ours
        return [_entry(row) for row in rows]

    def explain(self, account: str, job: str, key: str, reason: str) -> None:
        """Note why a pending item waits, until it is settled, quarantined or changed."""
        with self._database.transaction(account) as db:
            db.execute(_EXPLAIN, (reason, account, job, key))

    def remember(self, account: str, job: str, key: str, memo: BaseMemo | None) -> None:
        """Keep the job's memo of an item; None forgets it."""
        columns = (encode(memo), memo.is_watched) if memo else (None, False)
        with self._database.transaction(account) as db:
            db.execute(_REMEMBER, (*columns, account, job, key))

    def note_silence(self, account: str, job: str, key: str) -> datetime | None:
        """Note that a side does not answer for a filed item, and return since when.

        Settling, quarantining or changing an item clears it.
        """
        with self._database.transaction(account) as db:
            row = db.execute(_NOTE_SILENCE, (self._now(), account, job, key)).fetchone()
        return moment_of(row["unanswered_since"]) if row else None

    def note_answer(self, account: str, job: str, key: str) -> None:
        """Note that a side answers for an item."""
        with self._database.transaction(account) as db:
            db.execute(_NOTE_ANSWER, (account, job, key))

    def note_refusal(self, account: str, job: str, key: str) -> datetime | None:
        """Note that Odoo refuses a filed item, and return since when.

        Settling or quarantining an item clears it.
        """
        with self._database.transaction(account) as db:
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
        memo: BaseMemo | None = None,
    ) -> bool:
        """Note that an item was processed: done, or left out on purpose.

        Args:
            account: the account's name.
            job: the job's name.
            key: the item's key.
            fingerprint: of the item as it was processed.
            state: DONE or LEFT_OUT.
            memo: what the job remembers of it; None keeps the old one.

        Returns:
            False if the filed item has changed since: it stays as it is.
        """
        with self._database.transaction(account) as db:
            now = self._now()
            columns = (encode(memo), memo.is_watched) if memo else (None, None)
            values = (state, *columns, now, account, job, key, fingerprint)
            settled = db.execute(_SETTLE, values).rowcount > 0
            if settled and memo:
                continuity.remember_memo(db, (account, job, key, now, *columns))
        return settled

    def quarantine(self, account: str, job: str, key: str, error: ItemError) -> None:
        """Quarantine an item, whether it was filed before or not."""
        with self._database.transaction(account) as db:
            values = {"account": account, "job": job, "key": key, "now": self._now()}
            refusal = {"kind": error.kind, "reason": error.reason, "remedy": error.remedy}
            db.execute(_QUARANTINE, values | refusal)

    def get(self, account: str, job: str, key: str) -> Entry | None:
        """One item; None if it was never filed."""
        sql = "SELECT * FROM items WHERE account = ? AND job = ? AND key = ?"
        return next(map(_entry, self._rows(sql, account, job, key)), None)

    def with_key(self, key: str) -> list[Entry]:
        """The items with this key, in any account and job."""
        return self._entries("WHERE key = ?", key)

    def of_order(self, order_id: str) -> list[Entry]:
        """An order and what belongs to it, such as its delivery orders."""
        return self._entries("WHERE key = ?1 OR (key >= ?1 || '#' AND key < ?1 || '$')", order_id)

    def quarantined(self, account: str | None = None) -> list[Entry]:
        """The quarantined items, of one account or of all."""
        return self._entries("WHERE state = 'quarantined' AND ?1 IN (account, '')", account or "")

    def watched(self, account: str, job: str) -> list[Entry]:
        """The items that are done and that runs look at again all the same."""
        where = "WHERE watched = 1 AND state = 'done' AND account = ?1 AND job = ?2"
        return self._entries(where, account, job)

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

    def open_counts(self) -> Counter[tuple[str, str, State]]:
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
        with self._database.transaction() as db:
            return db.execute(f"{_REOPEN} WHERE {_NAMED}", (key or "",)).rowcount

    def configuration_changed(self, account: str, digest: str) -> bool:
        """Compare with the configuration of last time; if it changed, retry quarantined items.

        Items that were quarantined ``MAX_ATTEMPTS`` times stay there, and those that are ``HELD``.
        The first digest of an account is no change.
        """
        with self._database.transaction(account) as db:
            known = db.execute("SELECT configuration FROM accounts WHERE name = ?", (account,))
            if (before := known.fetchone()[0]) == digest:
                return False
            db.execute("UPDATE accounts SET configuration = ? WHERE name = ?", (digest, account))
            if before is not None:
                where = "WHERE state = 'quarantined' AND account = ? AND attempts < ? AND kind <> ?"
                db.execute(_REOPEN + where, (account, MAX_ATTEMPTS, HELD))
            return before is not None

    def forget_finished(self, account: str, job: str, before: datetime) -> int:
        """Forget items that are done or left out and were last seen before a moment.

        Returns:
            How many there were.
        """
        with self._database.transaction() as db:
            number = db.execute(_FORGET, (account, job, text_of(before))).rowcount
            if number:
                continuity.forget_memos(db, account, job)
        return number

    def _entries(self, where: str, *values: str) -> list[Entry]:
        rows = self._rows(f"SELECT * FROM items {where} ORDER BY account, job, key", *values)  # noqa: S608  ours
        return [_entry(row) for row in rows]


_MOMENTS = ("first_seen", "last_seen", "last_tried", "unanswered_since", "refused_since")


def _entry(row: sqlite3.Row) -> Entry:
    values = dict(row) | {name: moment_of(row[name]) for name in _MOMENTS}
    del values["watched"]
    values["importable"] = bool(values["importable"])
    values["state"] = State(values["state"])
    return Entry(**values)
