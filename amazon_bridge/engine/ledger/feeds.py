"""Feeds: items that were sent together, and what is still to be learnt of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from amazon_bridge.engine.ledger.database import Subject, moment_of
from amazon_bridge.engine.records import Feed


class Feeds(Subject):
    """The feeds of all accounts."""

    def begin(self, account: str, keys: Iterable[str]) -> int:
        """Note that these items are about to be sent together.

        Returns:
            The number by which the state store identifies the feed.
        """
        with self._database.transaction(account) as db:
            sql = "INSERT INTO feeds (account, keys, begun) VALUES (?, ?, ?)"
            number = db.execute(sql, (account, json.dumps(list(keys)), self._now())).lastrowid
        assert number is not None
        return number

    def set_id(self, number: int, feed_id: str) -> None:
        """Note the id that the other side gave to a feed."""
        with self._database.transaction() as db:
            db.execute("UPDATE feeds SET feed_id = ? WHERE number = ?", (feed_id, number))

    def close(self, number: int) -> None:
        """Note that the feed's results are processed, or that it was never created."""
        with self._database.transaction() as db:
            db.execute("UPDATE feeds SET closed = ? WHERE number = ?", (self._now(), number))

    def open(self, account: str) -> list[Feed]:
        """The feeds whose results are not processed yet, oldest first."""
        where = "WHERE account = ? AND closed IS NULL ORDER BY number"
        return [_feed(row) for row in self._rows(f"SELECT * FROM feeds {where}", account)]  # noqa: S608  ours

    def last_begun(self, account: str) -> datetime | None:
        """When the account's latest feed began, of those that were or may have been created."""
        sql = (
            "SELECT max(begun) AS begun FROM feeds"
            " WHERE account = ? AND (feed_id IS NOT NULL OR closed IS NULL)"
        )
        rows = self._rows(sql, account)
        return moment_of(rows[0]["begun"])


def _feed(row: sqlite3.Row) -> Feed:
    begun = datetime.fromisoformat(row["begun"])
    return Feed(row["number"], tuple(json.loads(row["keys"])), begun, row["feed_id"])
