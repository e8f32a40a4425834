"""Feeds: items that were sent together, and whose results are still to be processed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import delete, or_, select, update

from amazon_bridge.engine.ledger.columns import insert
from amazon_bridge.engine.ledger.database import AnyRow, Subject
from amazon_bridge.engine.ledger.tables import feeds, is_open_feed
from amazon_bridge.engine.records import Feed


class Feeds(Subject):
    """The feeds of all accounts."""

    def begin(self, account: str, keys: Iterable[str]) -> int:
        """Note that these items are about to be sent together.

        Returns:
            The number by which the state store identifies the feed.
        """
        row = {"account": account, "keys": json.dumps(list(keys)), "begun": self._now()}
        with self._transaction(account) as db:
            number: int = db.execute(insert(feeds).returning(feeds.c.number), row).scalar_one()
        return number

    def set_id(self, number: int, feed_id: str) -> None:
        """Note the id that Amazon gave to a feed."""
        self._update(number, feed_id=feed_id)

    def close(self, number: int) -> None:
        """Note that the feed's results are processed, or that it was never created."""
        self._update(number, closed=self._now())

    def open(self, account: str) -> list[Feed]:
        """The feeds whose results are not processed yet, oldest first."""
        query = (
            select(feeds).where(feeds.c.account == account, is_open_feed).order_by(feeds.c.number)
        )
        return [_feed(row) for row in self._rows(query)]

    def last_begun(self, account: str) -> datetime | None:
        """When the account's latest feed began, of those that were or may have been created."""
        was_created = or_(feeds.c.feed_id.is_not(None), feeds.c.closed.is_(None))
        query = select(feeds.c.begun).where(feeds.c.account == account, was_created)
        rows = self._rows(query.order_by(feeds.c.begun.desc()).limit(1))
        return rows[0].begun if rows else None

    def forget(self, accounts: Collection[str], before: datetime) -> None:
        """Forget the closed feeds of these accounts that began before a moment."""
        of = feeds.c.account.in_(accounts)
        old = (of, feeds.c.begun < before, feeds.c.closed.is_not(None))
        with self._transaction() as db:
            db.execute(delete(feeds).where(*old))

    def _update(self, number: int, **values: object) -> None:
        with self._transaction() as db:
            db.execute(update(feeds).where(feeds.c.number == number).values(**values))


def _feed(row: AnyRow) -> Feed:
    return Feed(row.number, tuple(json.loads(row.keys)), row.begun, row.feed_id)
