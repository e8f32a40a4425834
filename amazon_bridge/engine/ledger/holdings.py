"""Which daemon works for which seller, where several share the store."""

from __future__ import annotations

import json

from sqlalchemy import bindparam, select

from amazon_bridge.engine.ledger.columns import Moment
from amazon_bridge.engine.ledger.database import AnyRow, Subject
from amazon_bridge.engine.ledger.tables import daemons, leases
from amazon_bridge.engine.records import LEASE_LIFETIME, DaemonSeen, Holding

_HOLDINGS = (
    select(leases.c.seller, daemons.c.daemon, daemons.c.name, leases.c.since)
    .select_from(leases.outerjoin(daemons, leases.c.daemon == daemons.c.daemon))
    .add_columns(daemons.c.configuration, daemons.c.sellers, leases.c.expires)
    .order_by(leases.c.seller)
)
_ALIVE = select(daemons.c.name, daemons.c.began, daemons.c.seen, daemons.c.sellers).where(
    daemons.c.seen > bindparam("since", type_=Moment)
)


class Holdings(Subject):
    """The leases of sellers; there are none in SQLite, which one daemon alone uses."""

    def all(self) -> dict[str, Holding | None]:
        """Who holds the lease of each seller that a daemon knows which is alive.

        None: no daemon does, or none that is alive.
        """
        known = {seller for daemon in self.daemons() for seller in daemon.accounts}
        now = self._database.server_time()
        return {
            row.seller: _holding(row) if row.expires and row.expires > now else None
            for row in (self._rows(_HOLDINGS) if known else ())
            if row.seller in known
        }

    def daemons(self) -> list[DaemonSeen]:
        """The daemons that are alive."""
        if not self._database.is_shared:
            return []
        since = self._database.server_time() - LEASE_LIFETIME
        rows = self._rows(_ALIVE.order_by(daemons.c.began, daemons.c.name), {"since": since})
        return [DaemonSeen(row.name, row.began, row.seen, json.loads(row.sellers)) for row in rows]


def _holding(row: AnyRow) -> Holding | None:
    if row.daemon is None:  # its row was deleted
        return None
    accounts = json.loads(row.sellers).get(row.seller, ())
    return Holding(row.daemon, row.name, row.since, row.configuration, frozenset(accounts))
