"""The cursor of each account: everything that changed up to it is filed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ColumnElement, select, update

from amazon_bridge.engine.ledger.database import Subject
from amazon_bridge.engine.ledger.lanes import forget_readings
from amazon_bridge.engine.ledger.tables import accounts, earlier, lanes
from amazon_bridge.engine.window import Lane


class Cursors(Subject):
    """The cursors of all accounts."""

    def get(self, account: str) -> datetime | None:
        """Everything up to this moment is known; None before the account's first run."""
        return self._get(accounts.c.cursor, account)

    def set(self, account: str, at: datetime) -> None:
        """Move the cursor; items stay as they are. To process them again, ``rewind``.

        What was read beyond it is read again.
        """
        self._move(account, at, earlier(accounts.c.began, at))

    def synced_until(self, account: str) -> datetime | None:
        """Up to when new orders are known; while there is a back-log, that is not the cursor."""
        is_live = (lanes.c.account == account, lanes.c.lane == Lane.LIVE)
        rows = self._rows(select(lanes.c.position).where(*is_live))
        return rows[0].position if rows else self.get(account)

    def began(self, account: str) -> datetime | None:
        """The earliest moment the cursor was ever set to; None before it was set."""
        return self._get(accounts.c.began, account)

    def skip(self, account: str, until: datetime) -> None:
        """Start over at a later moment; changes before it are left out."""
        self._move(account, until, until)

    def _get(self, column: Column[datetime], account: str) -> datetime | None:
        rows = self._rows(select(column).where(accounts.c.name == account))
        return rows[0][0] if rows else None

    def _move(
        self, account: str, cursor: datetime, began: datetime | ColumnElement[datetime]
    ) -> None:
        move = update(accounts).where(accounts.c.name == account)
        with self._transaction(account) as db:
            db.execute(move.values(cursor=cursor, began=began))
            forget_readings(db, account)
