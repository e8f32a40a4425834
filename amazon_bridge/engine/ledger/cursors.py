"""The cursor of each account: everything that changed up to it is filed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, or_, select, update

from amazon_bridge.engine.ledger.database import Subject, Transaction
from amazon_bridge.engine.ledger.tables import accounts, earlier
from amazon_bridge.engine.window import Window

_GET = select(accounts.c.cursor, accounts.c.began).where(accounts.c.name == bindparam("account"))


class Cursors(Subject):
    """The cursors of all accounts."""

    def get(self, account: str) -> datetime | None:
        """Everything up to this moment is known; None before the account's first run."""
        rows = self._rows(_GET, {"account": account})
        return rows[0].cursor if rows else None

    def set(self, account: str, at: datetime) -> None:
        """Move the cursor; items stay as they are. To process them again, ``rewind``."""
        move = update(accounts).where(accounts.c.name == account)
        with self._transaction(account) as db:
            db.execute(move.values(cursor=at, began=earlier(accounts.c.began, at)))

    def began(self, account: str) -> datetime | None:
        """The earliest moment the cursor was ever set to; None before it was set."""
        rows = self._rows(_GET, {"account": account})
        return rows[0].began if rows else None

    def skip(self, account: str, until: datetime) -> None:
        """Start over at a later moment: earlier changes are not wanted, read or not."""
        move = update(accounts).where(accounts.c.name == account)
        with self._transaction(account) as db:
            db.execute(move.values(cursor=until, began=until))


def advance(db: Transaction, account: str, window: Window) -> None:
    """Move a cursor to the end of a window, unless it is outside of it."""
    is_inside = accounts.c.cursor.between(window.after, window.before)
    db.execute(
        update(accounts)
        .where(accounts.c.name == account, or_(accounts.c.cursor.is_(None), is_inside))
        .values(cursor=window.before)
    )
