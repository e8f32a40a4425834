"""The last run of each job, and how many items were created in each hour."""

from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import datetime

from amazon_bridge.engine.codec import decode, encode
from amazon_bridge.engine.ledger.database import Subject, moment_of, text_of
from amazon_bridge.engine.records import CLOCKS_DIFFER, Run
from amazon_bridge.engine.runner import Counts

_RECORD = """
    INSERT INTO rounds
        (account, job, last_started, last_finished, last_success, last_error, counts, rewinds)
    VALUES (?, ?, ?, ?, ?, ?, ?, coalesce(?, (SELECT rewinds FROM accounts WHERE name = ?1)))
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


class Runs(Subject):
    """The runs of all accounts and jobs."""

    def record(
        self,
        account: str,
        job: str,
        *,
        started: datetime,
        finished: datetime,
        counts: Counts,
        rewinds: int | None = None,
    ) -> None:
        """Record how a run went; it succeeded if ``counts`` has no error.

        ``rewinds`` is how often the account had been rewound when the run began; None: as often
        as it is now.
        """
        success = None if counts.error else text_of(finished)
        values = (account, job, text_of(started), text_of(finished), success, counts.error)
        hour = finished.replace(minute=0, second=0, microsecond=0)
        with self._database.transaction(account) as db:
            db.execute(_RECORD, (*values, encode(counts), rewinds))
            if counts.created:
                db.execute(_COUNT_HOUR, (text_of(hour), account, counts.created))

    def latest(self) -> list[Run]:
        """The last run of each account and job."""
        return [_run(row) for row in self._rows("SELECT * FROM rounds ORDER BY account, job")]

    def last_success(self, account: str, job: str) -> datetime | None:
        """When a run of a job last succeeded.

        None if none ever did, or none since the account was rewound, and if the moment lies
        in the future: a clock was wrong, so nobody knows how far back to look.
        """
        sql = """
            SELECT last_success FROM rounds JOIN accounts ON name = account
            WHERE account = ? AND job = ? AND rounds.rewinds >= accounts.rewinds
        """
        rows = self._rows(sql, account, job)
        last = moment_of(rows[0]["last_success"]) if rows else None
        return last if last and last <= self._database.clock() + CLOCKS_DIFFER else None

    def created_by_hour(self, since: datetime) -> Counter[datetime]:
        """The number of items created in each hour, by the hour's start; zeros are absent."""
        rows = self._rows("SELECT hour, created FROM hours WHERE hour >= ?", text_of(since))
        created: Counter[datetime] = Counter()
        for row in rows:
            created[datetime.fromisoformat(row["hour"])] += row["created"]
        return created

    def forget_hours(self, before: datetime) -> None:
        """Forget what was created in the hours before a moment."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM hours WHERE hour < ?", (text_of(before),))


_MOMENTS = ("last_started", "last_finished", "last_success")


def _run(row: sqlite3.Row) -> Run:
    values = dict(row) | {name: moment_of(row[name]) for name in _MOMENTS}
    del values["rewinds"]
    values["counts"] = decode(Counts, values["counts"])
    return Run(**values)
