"""Which daemon works for which seller, where several share the store."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, select

from amazon_bridge.engine.ledger.columns import Moment
from amazon_bridge.engine.ledger.database import Subject
from amazon_bridge.engine.ledger.tables import daemons, leases
from amazon_bridge.engine.records import DaemonSeen, Holding

_NOW = bindparam("now", type_=Moment)
_HOLDINGS = (
    select(leases.c.seller, daemons.c.daemon, daemons.c.name, leases.c.since)
    .select_from(leases.outerjoin(daemons, leases.c.daemon == daemons.c.daemon))
    .add_columns(daemons.c.configuration, leases.c.expires > _NOW)
    .order_by(leases.c.seller)
)
_ALIVE = select(daemons.c.name, daemons.c.began, daemons.c.seen).where(
    daemons.c.seen > bindparam("since", type_=Moment)
)
_LIFETIME = timedelta(seconds=30)


class Holdings(Subject):
    """The leases of sellers; there are none in SQLite, which one daemon alone uses."""

    def all(self) -> dict[str, Holding | None]:
        """Who holds each seller's lease; None: no daemon does, or none that is alive."""
        rows = self._rows(_HOLDINGS, {"now": self._database.server_time()})
        return {seller: Holding(*rest) if valid else None for seller, *rest, valid in rows}

    def daemons(self) -> list[DaemonSeen]:
        """The daemons that are alive."""
        since = self._database.server_time() - _LIFETIME
        query = _ALIVE.order_by(daemons.c.began, daemons.c.name)
        return [DaemonSeen(*row) for row in self._rows(query, {"since": since})]
