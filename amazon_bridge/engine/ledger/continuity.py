"""What the state store needs to survive losses: of Odoo's database, and of time.

It remembers which Odoo database it belongs to, can be rewound to an earlier moment, and corrects
moments that a wrong clock wrote.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, update

from amazon_bridge.engine.ledger import memos
from amazon_bridge.engine.ledger.columns import Moment, insert
from amazon_bridge.engine.ledger.database import Subject, Transaction
from amazon_bridge.engine.ledger.lanes import forget_readings
from amazon_bridge.engine.ledger.scans import forget_all
from amazon_bridge.engine.ledger.tables import (
    accounts,
    alerts,
    chores,
    earlier,
    feeds,
    in_flight,
    items,
    lanes,
    odoo_database,
    readings,
    runs,
    stock_feeds,
    stock_listings,
    stock_marketplaces,
    stock_skus,
    surveys,
)
from amazon_bridge.engine.records import CLOCKS_DIFFER, DatabaseId, State
from amazon_bridge.engine.scan import EVERY_ACCOUNT

_WAITED_FOR = (
    feeds.c.begun,
    items.c.unanswered_since,
    items.c.refused_since,
    runs.c.last_started,
    runs.c.last_finished,
    chores.c.begun,
    alerts.c.since,
    lanes.c.since,
    readings.c.begun,
    in_flight.c.checked,
    surveys.c.finished,
    stock_listings.c.read_at,
    stock_listings.c.seen,
    stock_listings.c.sent_at,
    stock_skus.c.increase_since,
    stock_marketplaces.c.requested,
    stock_feeds.c.begun,
)
"""Moments from which on something is waited for.

The last success is not corrected: ``last_success`` ignores one in the future.
"""

_NOTE_DATABASE = insert(odoo_database)
_NOTE_DATABASE = _NOTE_DATABASE.on_conflict_do_update(
    index_elements=[odoo_database.c.number],
    set_={name: _NOTE_DATABASE.excluded[name] for name in DatabaseId._fields},
)

_FORGET_ODOO = (
    update(items)
    .where(items.c.account == bindparam("of_account"), items.c.job == bindparam("of_job"))
    .values(fingerprint="")
)
"""An item whose fingerprint differs from what Amazon shows is processed, whatever its state."""

_IS_UNDONE = (
    items.c.account == bindparam("of_account"),
    items.c.state.in_([State.DONE, State.LEFT_OUT]),
    items.c.last_tried >= bindparam("since", type_=Moment),
)
_REOPEN = (
    update(items)
    .where(*_IS_UNDONE, items.c.job == bindparam("of_job"))
    .values(
        state=State.PENDING,
        attempts=0,
        unanswered_since=None,
        memo=memos.at("memo"),
        watched=memos.at("watched"),
        opened=bindparam("now", type_=Moment),
    )
)
_FORGET = delete(items).where(*_IS_UNDONE, items.c.job != bindparam("of_job"))


class Continuity(Subject):
    """Survives losses: of Odoo's database, of its latest changes, of the right time."""

    # The database of Odoo

    def odoo_database(self) -> DatabaseId | None:
        """The database that this store belongs to; None before its first run."""
        columns = (odoo_database.c[name] for name in DatabaseId._fields)
        rows = self._rows(select(*columns))
        return DatabaseId(*rows[0]) if rows else None

    def note_odoo_database(self, database: DatabaseId) -> None:
        """Belong to this database from now on."""
        with self._transaction() as db:
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
        with self._transaction() as db:
            _note_database(db, database)
            for account, moment in since.items():
                db.add_account(account)
                _rewind(db, account, moment, job, self._now())

    # Rewinding

    def rewind(self, account: str, since: datetime, *, job: str) -> None:
        """Set the cursor back and forget what was done since, for it may be undone in Odoo.

        A cursor that is earlier stays where it is: nothing after it has been read yet.

        - Items of ``job`` that Amazon shows again are processed again, whatever their state.
          Those that were done or left out since that moment become pending, because Amazon
          need not have changed them since; they get the memo back that they had then.
        - Items of the other jobs that were done or left out since then are forgotten, and so is
          the last success of these jobs and how far they know the changes in Odoo: they look as far
          back as with a new store.

        What is pending or quarantined stays so.

        Args:
            account: the account's name.
            since: the moment.
            job: the job whose items are found with the cursor.
        """
        with self._transaction(account) as db:
            _rewind(db, account, since, job, self._now())

    def rewinds(self, account: str) -> int:
        """How often the account was rewound."""
        rows = self._rows(select(accounts.c.rewinds).where(accounts.c.name == account))
        return rows[0].rewinds if rows else 0

    # Time

    def correct_moments(self) -> bool:
        """Correct moments that lie in the future, which a clock wrote that was set back since.

        What waits for a time to pass begins to wait again, now; else it could wait for years.

        Returns:
            Whether there were any.
        """
        latest = self._rows(select(func.max(runs.c.last_finished).label("moment")))[0].moment
        now = self._now()
        limit = now + CLOCKS_DIFFER
        if latest is None or latest <= limit:
            return False
        with self._transaction() as db:
            for column in _WAITED_FOR:
                db.execute(update(column.table).where(column > limit).values({column: now}))
        return True


def rewinds_of(db: Transaction, account: str) -> int:
    """How often the account was rewound; it has a row."""
    query = select(accounts.c.rewinds).where(accounts.c.name == account)
    rewinds: int = db.execute(query).scalar_one()
    return rewinds


def _note_database(db: Transaction, database: DatabaseId) -> None:
    db.execute(_NOTE_DATABASE, {"number": 1, **database._asdict()})


def _rewind(db: Transaction, account: str, since: datetime, job: str, now: datetime) -> None:
    db.execute(
        update(accounts)
        .where(accounts.c.name == account)
        .values(
            cursor=earlier(accounts.c.cursor, since),
            began=earlier(accounts.c.began, since),
            rewinds=accounts.c.rewinds + 1,
        )
    )
    forget_readings(db, account)
    named = {"of_account": account, "of_job": job}
    db.execute(_FORGET_ODOO, named)
    db.execute(_REOPEN, {**named, "since": since, "now": now})
    db.execute(_FORGET, {**named, "since": since})
    forget_all(db, account, EVERY_ACCOUNT)
