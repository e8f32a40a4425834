"""The numbers of items: by state, and of those that are open."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select

from amazon_bridge.engine.ledger.database import Subject
from amazon_bridge.engine.ledger.tables import is_open, items, open_since
from amazon_bridge.engine.records import OldestOpen, State


class ItemNumbers(Subject):
    """How many items there are, of all accounts and jobs."""

    def tally(self, account: str, job: str | None = None) -> Counter[State]:
        """The number of items in each state, of one job or of all."""
        of_job = (items.c.job == job,) if job else ()
        query = (
            select(items.c.state, func.count())
            .where(items.c.account == account, *of_job)
            .group_by(items.c.state)
        )
        return Counter({State(state): number for state, number in self._rows(query)})

    def open_counts(self) -> Counter[tuple[str, str, State]]:
        """The numbers of pending and of quarantined items, by account, job and state."""
        columns = (items.c.account, items.c.job, items.c.state)
        query = select(*columns, func.count()).where(is_open).group_by(*columns)
        rows = self._rows(query)
        return Counter({(account, job, State(state)): n for account, job, state, n in rows})

    def oldest_open(self) -> list[OldestOpen]:
        """How many items are open, and since when the oldest one, by account, job and kind."""
        columns = (items.c.account, items.c.job, items.c.kind)
        query = select(*columns, func.count(), func.min(open_since))
        rows = self._rows(query.where(is_open).group_by(*columns).order_by(*columns))
        return [OldestOpen(*row) for row in rows]
