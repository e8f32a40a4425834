"""Access to the state store's tables: queries and transactions."""

from __future__ import annotations

import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, NullPool, Row, Select, create_engine
from sqlalchemy.exc import StatementError

from amazon_bridge.engine.ledger import file
from amazon_bridge.engine.ledger.columns import insert
from amazon_bridge.engine.ledger.prepared import Prepared
from amazon_bridge.engine.ledger.tables import accounts
from amazon_bridge.engine.store import Store

AnyRow = Row[*tuple[Any, ...]]

_DRIVER: ContextVar[sqlite3.Connection] = ContextVar("_DRIVER")
_ENGINE = create_engine("sqlite://", creator=_DRIVER.get, poolclass=NullPool, hide_parameters=True)
"""One for all stores of the process: an engine of its own would compile all statements again."""
_ADD_ACCOUNT = insert(accounts).on_conflict_do_nothing()


class Transaction:
    """Executes statements of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(
        self,
        statement: Executable,
        values: Mapping[str, object] | Sequence[Mapping[str, object]] | None = None,
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute a statement, once or for each of several sets of values."""
        return self._connection.execute(statement, values)

    def run(self, statement: Prepared, *values: Mapping[str, object]) -> int:
        """Execute a prepared statement for each set of values; returns the number of rows."""
        return self.execute(statement.statement, values).rowcount if values else 0

    def add_account(self, account: str) -> None:
        """Insert an account if it is new."""
        self.execute(_ADD_ACCOUNT, {"name": account})


class SqliteTransaction(Transaction):
    """Executes statements of one transaction in SQLite."""

    def __init__(self, connection: Connection, driver: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._driver = driver

    def run(self, statement: Prepared, *values: Mapping[str, object]) -> int:
        bound = [statement.bound(each) for each in values]
        return self._driver.executemany(statement.sql, bound).rowcount


class Database(ABC):
    """An open state store, for one thread at a time: others wait."""

    is_shared = False
    """Whether several daemons may use the store."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.clock = clock
        self._accounts: set[str] = set()
        """Those that are known to have a row; rows are never deleted."""

    @abstractmethod
    def close(self) -> None:
        """Close the store, after the statement that another thread may be executing."""

    @abstractmethod
    def rows(
        self, query: Select[*tuple[Any, ...]], values: Mapping[str, object] | None = None
    ) -> list[AnyRow]:
        """Run a query and return all its rows."""

    @abstractmethod
    def fetch(self, query: Prepared, values: Mapping[str, object]) -> list[list[Any]]:
        """Run a prepared query and return all its rows."""

    @abstractmethod
    def server_time(self) -> datetime:
        """The time of the clock that all processes share."""

    @abstractmethod
    def notify(self, transaction: Transaction) -> None:
        """Let daemons look at what a transaction wrote, once it is committed."""

    @abstractmethod
    def back_up(self, target: Path) -> None:
        """Copy the store into a new SQLite file.

        Raises:
            ConfigError: the target exists already, or can't be written.
        """

    @abstractmethod
    def _written(self) -> AbstractContextManager[Transaction]:
        """A transaction, while no other process has one."""

    @contextmanager
    def transaction(self, account: str | None = None) -> Iterator[Transaction]:
        """Write all or nothing. Inserts the account first if it is new."""
        with self._written() as transaction:
            if account is not None and account not in self._accounts:
                transaction.add_account(account)
            yield transaction
        if account is not None:
            self._accounts.add(account)


class SqliteDatabase(Database):
    """An open file.

    Transactions are the driver's, SQLAlchemy's are not used: SQLite begins them with BEGIN
    IMMEDIATE, and they are many and small.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        super().__init__(path, clock)
        self.path = path
        self._lock = threading.Lock()
        self._driver = file.opened(path)
        opening = _DRIVER.set(self._driver)
        with _driver_errors(path):
            self._connection = _ENGINE.connect()
        _DRIVER.reset(opening)
        self._open = SqliteTransaction(self._connection, self._driver)

    def close(self) -> None:
        with self._lock:
            self._connection.close()
            self._driver.close()

    def rows(
        self, query: Select[*tuple[Any, ...]], values: Mapping[str, object] | None = None
    ) -> list[AnyRow]:
        with self._lock, _driver_errors(self.path):
            return list(self._connection.execute(query, values).all())

    def fetch(self, query: Prepared, values: Mapping[str, object]) -> list[list[Any]]:
        with self._lock, file.explained(self.path):
            rows = self._driver.execute(query.sql, query.bound(values)).fetchall()
        return [query.read(row) for row in rows]

    def server_time(self) -> datetime:
        return self.clock()

    def notify(self, transaction: Transaction) -> None:
        """Do nothing: one daemon alone uses the store."""

    @contextmanager
    def _written(self) -> Iterator[Transaction]:
        with self._lock, _driver_errors(self.path), file.transaction(self._driver):
            yield self._open

    def back_up(self, target: Path) -> None:
        file.create_copy(target)
        with self._lock, file.explained(target):
            self._driver.execute("VACUUM INTO ?", (str(target),))


class Subject:
    """A part of the state store, on the connection that all parts share."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = database.rows
        self._fetch = database.fetch
        self._transaction = database.transaction
        self._now = database.clock


@contextmanager
def _driver_errors(path: Path) -> Iterator[None]:
    """Explain errors of the database driver, without SQLAlchemy's wrapping.

    Raises:
        StorageError: the disk is full.
        ConfigError: the store is damaged, or this user may not write to it.
        Transient: another process keeps it busy.
    """
    with file.explained(path):
        try:
            yield
        except StatementError as error:
            raise error.orig or error from None
