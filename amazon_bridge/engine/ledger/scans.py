"""How far each job has read the changes in Odoo, and which of the last day are processed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from amazon_bridge.engine.ledger.columns import Moment, insert
from amazon_bridge.engine.ledger.database import Subject, Transaction
from amazon_bridge.engine.ledger.tables import scanned, scans
from amazon_bridge.engine.scan import LATE, Scan, ScanProgress

_OF_JOB = (scans.c.account == bindparam("of_account"), scans.c.job == bindparam("of_job"))
_PROGRESS = select(scans).where(*_OF_JOB)
_EXPECT = insert(scans).on_conflict_do_nothing()
_RECORD = update(scans).where(
    *_OF_JOB, scans.c.complete_until.is_not_distinct_from(bindparam("was_until", type_=Moment))
)
_MOVE = insert(scans)
_MOVE = _MOVE.on_conflict_do_update(
    index_elements=scans.primary_key.columns, set_={"after": _MOVE.excluded.after}
)
_KNOWN = select(scanned.c.record, scanned.c.written).where(
    scanned.c.account == bindparam("of_account"),
    scanned.c.job == bindparam("of_job"),
    scanned.c.record.in_(bindparam("records", expanding=True)),
)
_REMEMBER = insert(scanned)
_REMEMBER = _REMEMBER.on_conflict_do_update(
    index_elements=scanned.primary_key.columns, set_={"written": _REMEMBER.excluded.written}
)


class Scans(Subject):
    """The scans of all accounts and jobs.

    A rewind forgets those of its account. A scan that is under way by then records nothing any
    more, so that the next run begins anew.
    """

    def progress(self, account: str, job: str) -> ScanProgress:
        """Return how far the changes are known."""
        rows = self._rows(_PROGRESS, {"of_account": account, "of_job": job})
        if not rows:
            return ScanProgress()
        (row,) = rows
        scan = Scan(row.since, row.began, bool(row.looks_back), row.after) if row.since else None
        return ScanProgress(row.complete_until, row.looked_back, scan)

    def expect(self, account: str, job: str) -> None:
        """Let the first scan of a job be recorded."""
        with self._transaction() as db:
            db.execute(_EXPECT, {"account": account, "job": job})

    def known(self, account: str, job: str, records: Collection[int]) -> dict[int, datetime]:
        """The last changes of these records that were processed, by id, as far as remembered."""
        values = {"of_account": account, "of_job": job, "records": list(records)}
        return {row.record: row.written for row in self._rows(_KNOWN, values)}

    def pause(
        self,
        account: str,
        job: str,
        scan: Scan,
        processed: Mapping[int, datetime],
        *,
        since: ScanProgress,
    ) -> None:
        """Record that a page is processed; the next run goes on behind it.

        Args:
            account: the account's name.
            job: the job's name.
            scan: with the last id of the page.
            processed: the changes to remember, by id.
            since: the progress from which the scan was derived.
        """
        columns = {**scan._asdict(), "looks_back": int(scan.looks_back)}
        with self._transaction() as db:
            if self._record(db, account, job, since, columns):
                _remember(db, account, job, processed)

    def finish(
        self,
        account: str,
        job: str,
        scan: Scan,
        processed: Mapping[int, datetime],
        *,
        since: ScanProgress,
    ) -> None:
        """Record that the last page is processed; see ``pause``."""
        columns: dict[str, object] = {"complete_until": scan.began, "since": None, "after": 0}
        columns |= {"looked_back": scan.began} if scan.looks_back else {}
        with self._transaction() as db:
            if self._record(db, account, job, since, columns):
                _remember(db, account, job, processed)
                if scan.looks_back:
                    _forget_old(db, account, job, scan.began - LATE)

    def position(self, account: str, job: str) -> int:
        """The last id that was processed of all records in turn; 0 to start over."""
        unfinished = self._rows(_PROGRESS, {"of_account": account, "of_job": job})
        return int(unfinished[0].after) if unfinished else 0

    def move(self, account: str, job: str, after: int) -> None:
        """Record the last id that was processed of all records in turn; 0 to start over."""
        with self._transaction() as db:
            db.execute(_MOVE, {"account": account, "job": job, "after": after})

    def forget(self, account: str, job: str) -> None:
        """Forget how far the changes are known, if it is."""
        if self.progress(account, job) != ScanProgress():
            with self._transaction() as db:
                for table in (scans, scanned):
                    db.execute(delete(table).where(table.c.account == account, table.c.job == job))

    @staticmethod
    def _record(
        db: Transaction, account: str, job: str, since: ScanProgress, columns: dict[str, object]
    ) -> bool:
        """Update the row; False if the account was rewound since the scan began."""
        row = {"of_account": account, "of_job": job, "was_until": since.complete_until}
        return db.execute(_RECORD.values(columns), row).rowcount > 0


def forget_all(db: Transaction, *accounts: str) -> None:
    """Forget how far the changes are known, of all jobs of these accounts."""
    for table in (scans, scanned):
        db.execute(delete(table).where(table.c.account.in_(accounts)))


def _remember(db: Transaction, account: str, job: str, processed: Mapping[int, datetime]) -> None:
    if processed:
        of_job = {"account": account, "job": job}
        rows = [{**of_job, "record": id_, "written": at} for id_, at in processed.items()]
        db.execute(_REMEMBER, rows)


def _forget_old(db: Transaction, account: str, job: str, before: datetime) -> None:
    of_job = (scanned.c.account == account, scanned.c.job == job)
    db.execute(delete(scanned).where(*of_job, scanned.c.written < before))
