"""The last run of each job."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, case, func, select

from amazon_bridge.engine.codec import decode, encode
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.ledger.columns import insert
from amazon_bridge.engine.ledger.continuity import rewinds_of
from amazon_bridge.engine.ledger.database import AnyRow, Subject
from amazon_bridge.engine.ledger.tables import accounts, runs
from amazon_bridge.engine.records import CLOCKS_DIFFER, Run

_RECORD = insert(runs)
_new = _RECORD.excluded
_RECORD = _RECORD.on_conflict_do_update(
    index_elements=runs.primary_key.columns,
    set_={
        "last_started": _new.last_started,
        "last_finished": _new.last_finished,
        "last_success": func.coalesce(_new.last_success, runs.c.last_success),
        "last_error": _new.last_error,
        "counts": _new.counts,
        "rewinds": case((_new.last_success.is_(None), runs.c.rewinds), else_=_new.rewinds),
    },
)

_LAST_SUCCESS = (
    select(runs.c.last_success)
    .join(accounts)
    .where(
        runs.c.account == bindparam("account"),
        runs.c.job == bindparam("job"),
        runs.c.rewinds >= accounts.c.rewinds,
    )
)


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
        """Record how a run went.

        ``rewinds`` is how often the account had been rewound when the run began; None: as often
        as it is now.
        """
        run = {
            "account": account,
            "job": job,
            "last_started": started,
            "last_finished": finished,
            "last_success": finished if counts.succeeded else None,
            "last_error": counts.error,
            "counts": encode(counts.final),
        }
        with self._transaction(account) as db:
            before = rewinds_of(db, account) if rewinds is None else rewinds
            db.execute(_RECORD, {**run, "rewinds": before})

    def latest(self) -> list[Run]:
        """The last run of each account and job."""
        columns = [column for column in runs.c if column is not runs.c.rewinds]
        query = select(*columns).order_by(runs.c.account, runs.c.job)
        return [_run(row) for row in self._rows(query)]

    def last_success(self, account: str, job: str) -> datetime | None:
        """When a run of a job last succeeded.

        None if none ever did, or none since the account was rewound, and if the moment lies
        in the future: a clock was wrong, so it is unknown how far back to look.
        """
        rows = self._rows(_LAST_SUCCESS, {"account": account, "job": job})
        last: datetime | None = rows[0].last_success if rows else None
        return last if last and last <= self._now() + CLOCKS_DIFFER else None


def _run(row: AnyRow) -> Run:
    return Run(**row._asdict() | {"counts": decode(Counts, row.counts)})
