"""When chores such as the daily sweep were last begun."""

from __future__ import annotations

from datetime import timedelta

from amazon_bridge.engine.ledger.database import Subject, moment_of, text_of


class Chores(Subject):
    """The chores of all processes that share the store, by name."""

    def is_due(self, chore: str, interval: timedelta, *, at_first: bool = True) -> bool:
        """Whether an interval has passed since any process began a chore.

        If so, it counts as begun now: the caller must do it.

        Args:
            chore: its name.
            interval: the time between two beginnings, whichever way the clock was set between.
            at_first: whether a chore that was never begun is due now, or an interval later.
        """
        now = self._database.clock()
        with self._database.transaction() as db:
            row = db.execute("SELECT begun FROM chores WHERE name = ?", (chore,)).fetchone()
            begun = moment_of(row["begun"]) if row else None
            if begun and abs(now - begun) < interval:
                return False
            sql = "INSERT OR REPLACE INTO chores (name, begun) VALUES (?, ?)"
            db.execute(sql, (chore, text_of(now)))
        return begun is not None or at_first

    def make_due(self, chore: str) -> None:
        """Note that a chore that was begun could not be done."""
        long_ago = text_of(self._database.clock() - timedelta(days=3650))
        with self._database.transaction() as db:
            db.execute("UPDATE chores SET begun = ? WHERE name = ?", (long_ago, chore))
