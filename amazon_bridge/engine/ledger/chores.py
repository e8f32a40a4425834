"""When chores such as retention were last begun."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from amazon_bridge.engine.ledger.columns import insert
from amazon_bridge.engine.ledger.database import Subject
from amazon_bridge.engine.ledger.tables import chores

_BEGIN = insert(chores)
_BEGIN = _BEGIN.on_conflict_do_update(
    index_elements=[chores.c.name], set_={"begun": _BEGIN.excluded.begun}
)


class Chores(Subject):
    """The chores of all processes that share the store, by name."""

    def is_due(self, chore: str, interval: timedelta) -> bool:
        """Whether an interval has passed since any process began a chore.

        If so, it counts as begun now: the caller must do it.

        Args:
            chore: its name.
            interval: the time between two beginnings, whichever way the clock was set between.
        """
        now = self._now()
        with self._transaction() as db:
            begun = db.execute(select(chores.c.begun).where(chores.c.name == chore)).scalar()
            if begun and abs(now - begun) < interval:
                return False
            db.execute(_BEGIN, {"name": chore, "begun": now})
        return True

    def note(self, chore: str) -> None:
        """Note that a chore is begun, or was done, now."""
        with self._transaction() as db:
            db.execute(_BEGIN, {"name": chore, "begun": self._now()})

    def was_begun(self, chore: str) -> bool:
        """Whether any process ever began a chore."""
        return bool(self._rows(select(chores.c.begun).where(chores.c.name == chore)))

    def make_due(self, chore: str) -> None:
        """Note that a chore that was begun could not be done."""
        long_ago = self._now() - timedelta(days=3650)
        with self._transaction() as db:
            db.execute(update(chores).where(chores.c.name == chore).values(begun=long_ago))
