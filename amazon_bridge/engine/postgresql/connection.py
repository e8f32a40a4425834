"""A connection to PostgreSQL, as the state store needs it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import psycopg
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.engine.postgresql import problems, process
from amazon_bridge.engine.postgresql.fence import Lease
from amazon_bridge.engine.store import PostgresqlStore

Driver = psycopg.Connection[tuple[Any, ...]]

_DRIVER: ContextVar[Driver] = ContextVar("_DRIVER")
_ENGINE = create_engine(
    "postgresql+psycopg://",
    creator=_DRIVER.get,
    poolclass=NullPool,
    hide_parameters=True,
    use_native_hstore=False,
)
"""One for all stores of the process: an engine of its own would compile all statements again."""
_OLDEST = 130000
_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 10,  # seconds
    "target_session_attrs": "read-write",
    # A peer that is gone is noticed within half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
}
"""For parameters that the URL does not have."""
_SETTINGS = """
SELECT set_config(name, value, false) FROM (VALUES
    ('lock_timeout', '30s'), ('statement_timeout', '0'), ('idle_session_timeout', '0'),
    ('idle_in_transaction_session_timeout', '20s'),
    ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3')
) AS ours (name, value) JOIN pg_settings USING (name)
"""
"""Those that the server has. A transaction of a process that is frozen, and the locks of a machine
that is gone, end before a lease does."""
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_HOLDS = sql.SQL("; SELECT FROM leases WHERE seller = {} AND number = {} FOR KEY SHARE")
_HOLDER = """
SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = %s::bigint::oid AND objid = %s::bigint::oid
"""
MARK = "amazon_bridge_store"
"""The table that marks the schema of a state store, and has its version."""
_SCHEMA = """
SELECT set_config('search_path', quote_ident(nspname), false), nspname FROM (
    SELECT coalesce(
        (SELECT relnamespace::regnamespace::oid FROM pg_class WHERE oid = to_regclass(%s)),
        (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
    ) AS oid
) AS found JOIN pg_namespace USING (oid)
"""
"""Makes the store's schema, or where it is to be created, the only one of the connection: a schema
that is created later, or another search path, leads to no other tables and locks."""
_WRITING = "writing"
"""Name of the lock that all transactions take."""


class StoreConnection:
    """A connection with its locks, which die with it.

    Raises:
        ConfigError: the URL is not valid, or the server is too old or of another encoding.
        AccountError: it refuses the login.
        StorageError: it can't be reached.
    """

    def __init__(self, store: PostgresqlStore) -> None:
        self.driver = _connected(store)
        try:
            self.driver.execute(_SETTINGS)
            _check_server(store, self.driver)
            self.schema = _only_schema(store, self.driver)
            opening = _DRIVER.set(self.driver)
            self.sql = _ENGINE.connect()
            _DRIVER.reset(opening)
        except BaseException:
            self.driver.close()
            raise
        self._alone = f"; SELECT pg_advisory_xact_lock({self._key(_WRITING)})"

    @property
    def is_open(self) -> bool:
        """False once it proved to be lost."""
        return not self.driver.closed

    def close(self) -> None:
        """Close it, lost or not."""
        with suppress(SQLAlchemyError, psycopg.Error):
            self.sql.invalidate()
            self.sql.close()
        self.driver.close()

    @contextmanager
    def transaction(self, *, alone: bool = True) -> Iterator[None]:
        """Write all or nothing.

        Args:
            alone: while no other process writes, as with SQLite.
        """
        self.begin(alone=alone)
        with self.committed():
            yield

    def begin(self, lease: Lease | None = None, *, alone: bool = True) -> bool:
        """Begin a transaction; returns False if the lease has another holder.

        A lease gets no other holder until the transaction ends.
        """
        statement = _BEGIN + (self._alone if alone else "")
        if lease:
            statement += _HOLDS.format(*map(sql.Literal, lease)).as_string(self.driver)
        with self._rolled_back():
            cursor = self.driver.execute(statement)
            while cursor.nextset():
                pass
            return lease is None or cursor.rowcount == 1

    @contextmanager
    def committed(self) -> Iterator[None]:
        """Commit the transaction that was begun, or roll it back."""
        with self._rolled_back():
            yield
            self.driver.execute("COMMIT")

    @contextmanager
    def _rolled_back(self) -> Iterator[None]:
        """Roll back after an error."""
        try:
            yield
        except BaseException:
            with suppress(psycopg.Error):  # with the connection, the transaction is gone
                self.driver.rollback()
            raise

    def share(self, name: str) -> None:
        """Take a lock that other connections may have taken like this, too."""
        self.driver.execute("SELECT pg_advisory_lock_shared(%s)", (self._key(name),))

    def try_share(self, name: str) -> bool:
        """Take a lock that others may share, unless another connection has it alone."""
        return self._returned("SELECT pg_try_advisory_lock_shared(%s)", self._key(name))

    def try_lock(self, name: str) -> bool:
        """Take a lock, unless another connection has it."""
        return self._returned("SELECT pg_try_advisory_lock(%s)", self._key(name))

    def unlock(self, name: str) -> None:
        """Release a lock."""
        self._returned("SELECT pg_advisory_unlock(%s)", self._key(name))

    def holder(self, name: str) -> str:
        """The process that has a lock, as a message names it."""
        key = self._key(name) % (1 << 64)
        row = self.driver.execute(_HOLDER, (key >> 32, key % (1 << 32))).fetchone()
        return process.shown(row[0] if row else "")

    def _returned(self, query: str, key: int) -> bool:
        row = self.driver.execute(query, (key,)).fetchone()
        return bool(row and row[0])

    def _key(self, name: str) -> int:
        """A number for a lock of the store; stores in other schemas have other ones."""
        text = f"amazon-bridge {self.schema} {name}"
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        return int.from_bytes(digest, signed=True)


def _connected(store: PostgresqlStore) -> Driver:
    parameters = _DEFAULTS | _parsed(store)
    if store.password:
        parameters["password"] = store.password
    parameters |= {"application_name": process.application_name(), "client_encoding": "utf8"}
    try:
        driver = psycopg.connect("", autocommit=True, **parameters)
    except psycopg.OperationalError as error:
        raise problems.refusal(store, error) from None
    except psycopg.ProgrammingError as error:
        raise problems.invalid(store, error) from None
    driver.adapters.register_dumper(str, _TextDumper)
    return driver


def _parsed(store: PostgresqlStore) -> dict[str, Any]:
    try:
        return conninfo_to_dict(store.url)
    except psycopg.ProgrammingError as error:
        raise ConfigError(
            f"`state` is not a valid URL of PostgreSQL: {problems.one_line(error)}.",
            "PostgreSQL's documentation of libpq lists the parameters.",
        ) from None


class _TextDumper(StrDumperUnknown):
    """Dumps text; PostgreSQL's has no NUL, which Amazon's could have."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))


def _check_server(store: PostgresqlStore, driver: Driver) -> None:
    if driver.info.server_version < _OLDEST:
        raise ConfigError(
            f"The server of the state store {store} is older than PostgreSQL 13.",
            "Use PostgreSQL 13 or newer.",
        )
    if (encoding := driver.info.parameter_status("server_encoding")) != "UTF8":
        raise ConfigError(
            f"The database of the state store {store} has the encoding {encoding}.",
            "Create it with ENCODING 'UTF8' TEMPLATE template0.",
        )


def _only_schema(store: PostgresqlStore, driver: Driver) -> str:
    row = driver.execute(_SCHEMA, (MARK,)).fetchone()
    if row is None:
        raise ConfigError(
            f"The state store {store} names no schema that exists.",
            "Create the schema of its `search_path`.",
        )
    return str(row[1])
