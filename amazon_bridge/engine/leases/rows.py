"""The rows of daemons and leases, in one transaction of a daemon."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Text, bindparam, column, delete, select, update, values

from amazon_bridge.engine.ledger.columns import insert
from amazon_bridge.engine.ledger.tables import daemons, leases
from amazon_bridge.engine.postgresql.fence import Lease
from amazon_bridge.engine.records import LEASE_LIFETIME
from amazon_bridge.engine.throttle import Levels

_KEPT = timedelta(hours=1)
"""How long a daemon's row is kept after it was seen last."""

_JOIN = insert(daemons)
_JOIN = _JOIN.on_conflict_do_update(
    index_elements=[daemons.c.daemon],
    set_={name: _JOIN.excluded[name] for name in ("configuration", "sellers", "seen")},
)
_ADD_SELLER = insert(leases).on_conflict_do_nothing()
_OF_SELLER = leases.c.seller == bindparam("of_seller")
_CHANGE_HOLDER = update(leases).where(_OF_SELLER, leases.c.number == bindparam("was"))


AccountsOfSellers = Mapping[str, Collection[str]]
"""The names of accounts by seller."""


class Taken(NamedTuple):
    """A lease that was taken."""

    lease: Lease
    former: str | None
    """The daemon whose lease expired; None if nobody held it."""
    levels: Levels
    """Of the seller's token buckets."""
    age: float
    """Seconds since they were noted."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Reads and writes rows for one daemon, as of a moment of the database's clock."""

    db: Connection
    daemon: str
    now: datetime

    def join(self, name: str, configuration: str, accounts: AccountsOfSellers) -> None:
        """Note that the daemon is alive, and which accounts of which sellers it has."""
        row = {
            "daemon": self.daemon,
            "name": name,
            "configuration": configuration,
            "sellers": json.dumps(
                {seller: sorted(accounts[seller]) for seller in sorted(accounts)}
            ),
            "began": self.now,
            "seen": self.now,
        }
        self.db.execute(_JOIN, row)

    def add_sellers(self, sellers: Iterable[str]) -> None:
        """Add leases of new sellers, and forget daemons that ended long ago."""
        self.db.execute(_ADD_SELLER, [{"seller": each} for each in sorted(sellers)])
        self.db.execute(delete(daemons).where(daemons.c.seen < self.now - _KEPT))

    def renew(self, sellers: Collection[str]) -> dict[str, int]:
        """Renew leases; returns the numbers of those that the daemon still holds, by seller."""
        mine = leases.c.daemon == self.daemon, leases.c.seller.in_(sellers)
        renewal = update(leases).where(*mine).values(expires=self.now + LEASE_LIFETIME)
        found = self.db.execute(renewal.returning(leases.c.seller, leases.c.number))
        return {row.seller: row.number for row in found}

    def note_rates(self, levels: Mapping[str, Levels]) -> None:
        """Note the levels of token buckets, by seller."""
        if not levels:
            return
        new = values(column("seller", Text), column("rates", Text), name="new").data(
            [(seller, json.dumps(each, sort_keys=True)) for seller, each in sorted(levels.items())]
        )
        mine = leases.c.seller == new.c.seller, leases.c.daemon == self.daemon
        noted = {"rates": new.c.rates, "rates_at": self.now}
        self.db.execute(update(leases).where(*mine).values(noted))

    def daemons(self) -> dict[str, AccountsOfSellers]:
        """The accounts of sellers that each daemon has that is alive."""
        alive = select(daemons.c.daemon, daemons.c.sellers).where(
            daemons.c.seen > self.now - LEASE_LIFETIME
        )
        return {row.daemon: json.loads(row.sellers) for row in self.db.execute(alive)}

    def holders(self) -> dict[str, str | None]:
        """The daemon that holds each lease; None if nobody does, or it has expired."""
        rows = self.db.execute(select(leases.c.seller, leases.c.daemon, leases.c.expires))
        return {
            row.seller: row.daemon if row.expires and row.expires > self.now else None
            for row in rows
        }

    def take(self, sellers: Collection[str], *, expired: bool) -> list[Taken]:
        """Take leases that nobody holds; others may take the same at once.

        Args:
            sellers: whose leases, none of which this daemon knows to hold.
            expired: also those that were not given back, but have expired.
        """
        is_free = leases.c.expires.is_(None) | (leases.c.daemon == self.daemon)
        if expired:
            is_free |= leases.c.expires <= self.now
        free = (
            select(leases)
            .where(leases.c.seller.in_(sellers), is_free)
            .order_by(leases.c.seller)
            .with_for_update(skip_locked=True)
        )
        rows = self.db.execute(free).all()
        for row in rows:
            self._set_holder(Lease(row.seller, row.number), self.daemon)
        return [
            Taken(
                Lease(row.seller, row.number + 1),
                row.daemon,
                json.loads(row.rates or "{}"),
                (self.now - row.rates_at).total_seconds() if row.rates_at else 0.0,
            )
            for row in rows
        ]

    def give_back(self, held: Iterable[Lease], levels: Mapping[str, Levels]) -> None:
        """Give back leases that the daemon holds."""
        self.note_rates(levels)
        for lease in sorted(held):
            self._set_holder(lease, None)

    def leave(self) -> None:
        """Note that the daemon ends."""
        self.db.execute(delete(daemons).where(daemons.c.daemon == self.daemon))

    def _set_holder(self, lease: Lease, daemon: str | None) -> None:
        """Change the holder, unless there is a newer one."""
        holder = {
            "number": lease.number + 1,
            "daemon": daemon,
            "since": self.now,
            "expires": self.now + LEASE_LIFETIME if daemon else None,
        }
        change = {"of_seller": lease.seller, "was": lease.number}
        self.db.execute(_CHANGE_HOLDER.values(holder), change)
