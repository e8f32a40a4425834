"""Requests to run a job, for the daemon that works for the account's seller."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import bindparam, delete, insert, select, update

from amazon_bridge.engine.codec import decode, encode
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.ledger.database import Subject
from amazon_bridge.engine.ledger.tables import sync_requests
from amazon_bridge.engine.records import RequestProgress, StoredRequest

_KEPT = timedelta(days=1)
_THIS = sync_requests.c.request == bindparam("this")
_NEW = (
    select(sync_requests.c.request, sync_requests.c.account, sync_requests.c.job)
    .where(
        sync_requests.c.daemon.is_(None),
        sync_requests.c.account.in_(bindparam("accounts", expanding=True)),
    )
    .order_by(sync_requests.c.begun, sync_requests.c.request)
)
_PROGRESS = select(sync_requests.c.daemon, sync_requests.c.counts).where(_THIS)
_ACCEPT = update(sync_requests).where(_THIS, sync_requests.c.daemon.is_(None))
_CHANGE = update(sync_requests).where(_THIS, sync_requests.c.daemon == bindparam("of_daemon"))


class SyncRequests(Subject):
    """The requests of all processes that share the store."""

    def add(self, account: str, job: str) -> str:
        """Request a run; returns the request's id."""
        request, now = uuid4().hex, self._database.server_time()
        row = {"request": request, "account": account, "job": job, "begun": now}
        with self._transaction() as db:
            db.execute(delete(sync_requests).where(sync_requests.c.begun < now - _KEPT))
            db.execute(insert(sync_requests), row)
            self._database.notify(db)
        return request

    def accept(self, accounts: Collection[str], daemon: str) -> list[StoredRequest]:
        """Accept the new requests for some accounts: this daemon runs them."""
        found = [StoredRequest(*row) for row in self._rows(_NEW, {"accounts": list(accounts)})]
        if not found:
            return []
        with self._transaction() as db:
            accept = _ACCEPT.values(daemon=daemon)
            return [each for each in found if db.execute(accept, {"this": each.request}).rowcount]

    def finish(self, request: str, daemon: str, counts: Counts) -> None:
        """Note the result of a request, unless another daemon runs it now."""
        with self._transaction() as db:
            change = {"this": request, "of_daemon": daemon}
            db.execute(_CHANGE.values(counts=encode(counts)), change)

    def progress(self, request: str) -> RequestProgress | None:
        """Which daemon runs a request, and its result; None if there is no such request."""
        for daemon, counts in self._rows(_PROGRESS, {"this": request}):
            return RequestProgress(daemon, decode(Counts, counts) if counts else None)
        return None

    def offer_again(self, request: str, daemon: str) -> None:
        """Let another daemon run a request that this one does not."""
        with self._transaction() as db:
            db.execute(_CHANGE.values(daemon=None), {"this": request, "of_daemon": daemon})
            self._database.notify(db)

    def remove(self, request: str) -> None:
        """Delete a request: its result was read, or nobody waits for it."""
        with self._transaction() as db:
            db.execute(delete(sync_requests).where(_THIS), {"this": request})
