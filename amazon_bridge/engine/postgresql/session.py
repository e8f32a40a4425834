"""A process's session of a state store in PostgreSQL: its one connection, and its locks.

Locks and writes share a connection: when it is lost, PostgreSQL has released the locks, and nothing
that was begun under them can be committed any more. A new connection is made at once, but nothing
is written through it until all work that had a lock of the old one has ended.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self, TypeVar

import psycopg
from sqlalchemy import Executable, Row
from sqlalchemy.exc import DBAPIError

from amazon_bridge.engine.errors import BridgeError, StorageError
from amazon_bridge.engine.postgresql import fence
from amazon_bridge.engine.postgresql.connection import StoreConnection
from amazon_bridge.engine.postgresql.problems import explained
from amazon_bridge.engine.store import PostgresqlStore

T = TypeVar("T")
Prepare = Callable[[PostgresqlStore, StoreConnection], None]

_PAUSE = 1.0  # seconds between attempts to connect

_ENDS = "It ends, and runs again; the bridge goes on by itself."

_sessions: dict[PostgresqlStore, Session] = {}
_registering = threading.Lock()
os.register_at_fork(after_in_child=_sessions.clear)  # a connection belongs to one process


def shared(store: PostgresqlStore) -> Session:
    """Return the session that all threads of this process share."""
    with _registering:
        return _sessions.setdefault(store, Session(store))


class Session:
    """A connection that is made on first use and again when it is lost. Thread-safe.

    It is open within ``with``, any number of times; the last one closes it.
    """

    def __init__(self, store: PostgresqlStore) -> None:
        self.store = store
        self._mutex = threading.RLock()
        self._users = 0
        self._connection: StoreConnection | None = None
        self._prepare: Prepare | None = None
        self._failure: tuple[float, BridgeError] | None = None
        self._called_at = 0.0
        self._held: set[str] = set()
        self._lost: set[str] = set()
        """Those that were held when the connection was lost, and whose work has not ended."""

    def __enter__(self) -> Self:
        with self._mutex:
            self._users += 1
        return self

    def __exit__(self, *_: object) -> None:
        with self._mutex:
            self._users -= 1
            if not self._users and self._connection:
                self._connection.close()
                self._connection = self._prepare = None

    def prepare_by(self, prepare: Prepare) -> None:
        """Do this on the connection now, and on each later one before anything else."""
        with self._exclusive():
            if self._prepare is None:
                prepare(self.store, self._live())
                self._prepare = prepare

    # Statements

    def rows(self, query: Executable, values: Any = None) -> list[Row[*tuple[Any, ...]]]:
        """Run a query and return all its rows."""
        with self._exclusive():
            return self._on_live(lambda one: list(one.sql.execute(query, values).all()))

    @contextmanager
    def transaction(self) -> Iterator[StoreConnection]:
        """Write all or nothing, while no other process writes.

        Raises:
            StorageError: the connection was lost, and work that had a lock of it goes on; or the
                lease that this thread works under has another holder.
        """
        with self._exclusive():
            connection = self._on_live(self._begun)
            with connection.committed():
                yield connection

    def _begun(self, connection: StoreConnection) -> StoreConnection:
        if self._lost:
            raise StorageError(
                f"The connection to the state store {self.store} was lost, and with it the locks"
                " of what was running.",
                _ENDS,
            )
        lease = fence.current()
        if not connection.begin(lease):
            connection.driver.rollback()
            raise StorageError(
                f"Another daemon has taken over the seller {lease and lease.seller}.", _ENDS
            )
        return connection

    def _on_live(self, work: Callable[[StoreConnection], T]) -> T:
        """Begin work again if the connection proves to have been lost while it was idle."""
        connection = self._live()
        try:
            return work(connection)
        except (psycopg.Error, DBAPIError):
            if connection.is_open:
                raise
        return work(self._live())

    def _live(self) -> StoreConnection:
        if self._connection and not self._connection.is_open:
            self._connection.close()
            self._connection = None
            self._lost |= self._held
        if self._connection is None:
            self._connection = self._connected()
        return self._connection

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        called_at = time.monotonic()
        with self._mutex, explained(self.store):
            self._called_at = called_at
            yield

    def _connected(self) -> StoreConnection:
        """Connect; a failure is that of all threads that waited, and of the next second."""
        latest = min(self._called_at, time.monotonic() - _PAUSE)
        if self._failure and self._failure[0] > latest:
            raise self._failure[1]
        try:
            connection = self._prepared(StoreConnection(self.store))
        except BridgeError as error:
            self._failure = (time.monotonic(), error)
            raise
        self._failure = None
        return connection

    def _prepared(self, connection: StoreConnection) -> StoreConnection:
        try:
            if self._prepare:
                self._prepare(self.store, connection)
        except BaseException:
            connection.close()
            raise
        return connection

    # Locks

    def try_lock(self, name: str) -> bool:
        """Take a lock, unless another thread or process has it."""
        with self._exclusive():
            if name in self._held or not self._on_live(lambda one: one.try_lock(name)):
                return False
            self._held.add(name)
            return True

    def unlock(self, name: str) -> None:
        """Release a lock that this process holds, or held before the connection was lost."""
        with self._mutex:
            self._held.discard(name)
            connection = self._connection
            if name in self._lost:
                self._lost.remove(name)
            elif connection and connection.is_open:
                with suppress(psycopg.Error):  # a lost connection holds no lock
                    connection.unlock(name)

    def holder(self, name: str) -> str:
        """The process that has a lock, as a message names it."""
        with self._exclusive():
            if name in self._held:
                return str(os.getpid())
            return self._on_live(lambda one: one.holder(name))
