"""The leases of a daemon: taken, renewed and given back."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import psycopg
import structlog
from sqlalchemy import Connection, func, select

from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import AccountError, BridgeError, Locked
from amazon_bridge.engine.leases.assignment import assigned
from amazon_bridge.engine.leases.rows import AccountsOfSellers, Rows, Taken
from amazon_bridge.engine.ledger import postgresql_schema
from amazon_bridge.engine.postgresql import CHANNEL, fence, process
from amazon_bridge.engine.postgresql.connection import StoreConnection
from amazon_bridge.engine.postgresql.fence import Lease
from amazon_bridge.engine.postgresql.problems import explained, one_line
from amazon_bridge.engine.records import LEASE_LIFETIME
from amazon_bridge.engine.store import PostgresqlStore
from amazon_bridge.engine.throttle import Levels, are_as_expected

log = structlog.get_logger(__name__)

_MARGIN = 5.0
"""Seconds before a lease expires in which no work begins under it."""

_TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name ~ ('^amazon-bridge .* ' || %s || '( - .*)?$')
"""
"""PgBouncer can append the client's host."""


def server_time(db: Connection) -> datetime:
    """The time of the database, which all daemons share."""
    now: datetime = db.execute(select(func.clock_timestamp())).scalar_one()
    return now


def _seconds() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Member:
    """What other daemons know of this one."""

    accounts: AccountsOfSellers
    """Those in its configuration."""
    configuration: str
    """A digest of it."""


@dataclass(slots=True)
class _Held:
    lease: Lease
    is_leaving: bool = False
    """It is being given back: no more work begins under it."""


class LeaseKeeper:
    """Holds leases of sellers. Thread-safe; one thread at a time renews.

    Args:
        store: where the leases are.
        member: returns what other daemons know of this one.
        levels: returns the levels of a seller's token buckets.
        on_taken: called with each lease that was taken, before work begins under it.
        daemon: the daemon's id.
        clock: returns the database's time.
        monotonic: seconds, also while the machine is suspended; setting its clock has no effect.
    """

    def __init__(
        self,
        store: PostgresqlStore,
        *,
        member: Callable[[], Member],
        levels: Callable[[str], Levels],
        on_taken: Callable[[Taken], None],
        daemon: str | None = None,
        clock: Callable[[Connection], datetime] = server_time,
        monotonic: Callable[[], float] = _seconds,
    ) -> None:
        self.store = store
        self.daemon = daemon or process.process_id()
        self._member, self._levels, self._on_taken = member, levels, on_taken
        self._clock, self._monotonic = clock, monotonic
        self._mutex = threading.Lock()
        self._connection: StoreConnection | None = None
        self._held: dict[str, _Held] = {}
        self._active: Counter[str] = Counter()
        self._noted: dict[str, tuple[float, Levels]] = {}
        self._valid_until = float("-inf")
        self._failure: str | None = None

    # Work under leases

    def hold(self, seller: str) -> bool:
        """Whether this daemon holds a seller's lease, and does not give it back."""
        with self._mutex:
            held = self._held.get(seller)
            return held is not None and not held.is_leaving

    def sellers(self) -> set[str]:
        """Those whose lease this daemon holds, and does not give back."""
        with self._mutex:
            return {seller for seller, held in self._held.items() if not held.is_leaving}

    @contextmanager
    def working(self, seller: str) -> Iterator[None]:
        """Work for a seller: nothing is written once another daemon has the lease.

        Raises:
            AccountError: this daemon does not hold the lease, or could not renew it in time.
        """
        lease = self._begin(seller)
        try:
            with fence.under(lease):
                yield
        finally:
            with self._mutex:
                self._active[seller] -= 1

    def problem(self) -> str | None:
        """Why no work begins under any lease; None if it does."""
        if self._monotonic() <= self._valid_until:
            return None
        return f"The leases of sellers could not be renewed: {self._failure or 'not done yet.'}"

    def guard(self, seller: str) -> None:
        """Check that work under a lease may go on: a process that was frozen may have lost it.

        Raises:
            AccountError: the lease was not renewed in time, or another daemon has it.
        """
        lease = fence.current()
        if lease is None or lease.seller != seller:
            return
        with self._mutex:
            held = self._held.get(seller)
            if held and held.lease == lease and self._monotonic() < self._valid_until + _MARGIN:
                return
        raise AccountError(
            f"The lease of the seller {seller} has expired: another daemon may work for it.",
            "The run ends; the bridge goes on by itself.",
        )

    def _begin(self, seller: str) -> Lease:
        with self._mutex:
            held = self._held.get(seller)
            if held is None or held.is_leaving:
                raise AccountError(f"Another daemon works for the seller {seller}.")
            if problem := self.problem():
                raise AccountError(problem)
            self._active[seller] += 1
            return held.lease

    # Renewal

    def connect(self) -> None:
        """Connect, unless that is done already.

        Raises:
            AccountError: a process needs the state store alone, or the database can't be reached.
            ConfigError: it is not usable.
        """
        if self._connection and self._connection.is_open:
            return
        self._disconnect()
        connection = StoreConnection(self.store)
        try:
            postgresql_schema.prepare(self.store, connection)
            self._share(connection)
            connection.driver.execute(f"LISTEN {CHANNEL}")
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _share(self, connection: StoreConnection) -> None:
        """Keep away what needs the store without daemons, such as ``state copy``."""
        name = lock.name_of(*lock.DAEMON)
        if not lock.acquired(partial(connection.try_share, name), lock.WAIT):
            holder = connection.holder(name)
            raise Locked(
                f"Process {holder} needs the state store {self.store} without a daemon.",
                "Wait until it has ended, or stop it.",
                holder,
            )

    def renew(self) -> None:
        """Renew the leases, take those that this daemon should have, and give back others.

        Raises:
            AccountError: the database can't be reached.
        """
        try:
            self._renew()
        except Exception as error:
            known = isinstance(error, BridgeError)
            self._failure = str(error) if known else "an internal error, see the log."
            raise
        self._failure = None

    def _renew(self) -> None:
        begun = self._monotonic()
        with explained(self.store):
            self.connect()
            taken = self._renewed(begun)
        for each in taken:
            self._begin_holding(each)
        for daemon in {each.former for each in taken if each.former} - {self.daemon}:
            self._terminate(daemon)

    def _renewed(self, begun: float) -> list[Taken]:
        """Renew in one transaction; returns what was taken."""
        member = self._member()
        with self._mutex:
            for held in self._held.values():
                held.is_leaving = False
        with self._transaction() as rows:
            daemons = rows.daemons()
            is_new = daemons.get(self.daemon) != member.accounts
            self._join(rows, member)
            known = self._numbers()
            kept = rows.renew(known)
            self._forget({seller for seller in known if kept.get(seller) != known[seller]})
            targets = assigned(
                {**daemons, self.daemon: member.accounts}, self._holders(rows, member)
            )
            mine = {seller for seller, daemon in targets.items() if daemon == self.daemon}
            wanted = mine - self._numbers().keys()
            taken = rows.take(wanted, expired=self._is_in_time(begun)) if wanted else []
            left = self._give_back(rows, mine)
            changed = self._changed_levels()
            rows.note_rates(changed)
            if is_new or left:
                self._notify(rows)
        with self._mutex:
            self._valid_until = begun + LEASE_LIFETIME.total_seconds() - _MARGIN
            self._noted |= {seller: (begun, levels) for seller, levels in changed.items()}
            for lease in left:
                del self._held[lease.seller]
        return taken

    def _is_in_time(self, now: float) -> bool:
        """Whether the last renewal is recent.

        If not, the database may have been away for all daemons: the others get time to renew
        theirs, too.
        """
        return now <= self._valid_until + _MARGIN

    def _join(self, rows: Rows, member: Member) -> None:
        """Note that this daemon is alive."""
        name = process.shown(process.application_name())
        rows.join(name, member.configuration, member.accounts)

    def _holders(self, rows: Rows, member: Member) -> dict[str, str | None]:
        """The holders of all leases, after those of new sellers were added."""
        holders = rows.holders()
        if new := member.accounts.keys() - holders.keys():
            rows.add_sellers(new)
        return holders

    def _numbers(self) -> dict[str, int]:
        with self._mutex:
            return {seller: held.lease.number for seller, held in self._held.items()}

    def _forget(self, lost: Collection[str]) -> None:
        for seller in sorted(lost):
            log.warning("lease_lost", seller=seller)
            with self._mutex:
                del self._held[seller]

    def _give_back(self, rows: Rows, mine: Collection[str]) -> list[Lease]:
        """Give back what other daemons should have, where nothing is being done for it."""
        with self._mutex:
            idle = [
                held
                for seller, held in self._held.items()
                if seller not in mine and not self._active[seller]
            ]
            for held in idle:
                held.is_leaving = True
        left = [held.lease for held in idle]
        rows.give_back(left, {lease.seller: self._levels(lease.seller) for lease in left})
        for lease in left:
            log.info("lease_given_back", seller=lease.seller)
        return left

    def _changed_levels(self) -> dict[str, Levels]:
        """The levels of buckets from which tokens were taken since they were noted last."""
        now, sellers = self._monotonic(), self._numbers()
        changed = {}
        for seller, (at, before) in {s: self._noted.get(s, (now, {})) for s in sellers}.items():
            levels = self._levels(seller)
            if not are_as_expected(levels, before, now - at):
                changed[seller] = levels
        return changed

    def _begin_holding(self, taken: Taken) -> None:
        seller = taken.lease.seller
        log.info("lease_taken", seller=seller, expired=taken.former is not None)
        self._noted.pop(seller, None)
        self._on_taken(taken)
        with self._mutex:
            self._held[seller] = _Held(taken.lease)

    def _terminate(self, daemon: str) -> None:
        """Break the connections of a daemon whose leases expired: its locks end with them."""
        assert self._connection
        try:
            self._connection.driver.execute(_TERMINATE, (daemon,))
        except psycopg.Error as error:
            log.warning("connections_not_terminated", reason=one_line(error))

    @contextmanager
    def _transaction(self) -> Iterator[Rows]:
        assert self._connection
        with self._connection.transaction(alone=False):
            db = self._connection.sql
            yield Rows(db, self.daemon, self._clock(db))

    def _notify(self, rows: Rows) -> None:
        rows.db.execute(select(func.pg_notify(CHANNEL, self.daemon)))

    # Waiting and ending

    def wait(self, seconds: float) -> bool:
        """Wait until another daemon or a command gives a reason to look, or the time is over."""
        if self._connection is None or not self._connection.is_open:
            time.sleep(seconds)
            return False
        with explained(self.store):
            found = self._connection.driver.notifies(timeout=seconds)
            return any(each.payload != self.daemon for each in found)

    def close(self) -> None:
        """Give back all leases, also those under which work is being done."""
        with self._mutex:
            held = [each.lease for each in self._held.values()]
            self._held.clear()
        if self._connection and self._connection.is_open:  # else they expire
            with suppress(BridgeError, psycopg.Error), explained(self.store):
                self._leave(held)
        self._disconnect()

    def _leave(self, held: Collection[Lease]) -> None:
        with self._transaction() as rows:
            rows.give_back(held, {each.seller: self._levels(each.seller) for each in held})
            rows.leave()
            self._notify(rows)

    def _disconnect(self) -> None:
        if self._connection:
            with closing(self._connection):
                self._connection = None
