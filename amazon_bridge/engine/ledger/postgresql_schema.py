"""The tables of a state store in PostgreSQL: create, migrate, verify."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    func,
    insert,
    inspect,
    literal_column,
    select,
    update,
)

from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import AccountError, ConfigError
from amazon_bridge.engine.ledger.file import newer, no_store
from amazon_bridge.engine.ledger.migrations import MIGRATIONS
from amazon_bridge.engine.ledger.tables import metadata
from amazon_bridge.engine.postgresql import problems, session_of
from amazon_bridge.engine.postgresql.connection import MARK, StoreConnection
from amazon_bridge.engine.store import PostgresqlStore

_VERSION = Table(MARK, MetaData(), Column("version", Integer, nullable=False))
"""Marks the tables as ours; SQLite has both in the file's header."""

_POLL = 0.1  # seconds


def prepare(store: PostgresqlStore, connection: StoreConnection) -> None:
    """Bring a store to this version, on each new connection; create it if there is none.

    A shared lock of the version, which all processes hold, keeps others from migrating the store.

    Raises:
        ConfigError: it is not ours, is newer than we are, or this role may not create it.
        AccountError: a process of an older version uses it, which can't go on after a migration.
    """
    connection.share(_lock_of(len(MIGRATIONS)))
    version = _version(connection.sql)
    if version == len(MIGRATIONS):
        return
    with _older_kept_out(store, connection, version), connection.transaction():
        version = _version(connection.sql)  # another process may have migrated it since
        if version > len(MIGRATIONS):
            raise newer(store)
        if not version:
            _create(store, connection.sql)
        elif version < len(MIGRATIONS):
            _migrate(connection, version)


def exists(store: PostgresqlStore) -> bool:
    """Whether there is a state store, which is not created."""
    with session_of(store) as session:
        return session.rows(select(func.to_regclass(MARK)))[0][0] is not None


def verify(store: PostgresqlStore) -> dict[str, int]:
    """Read all rows of a state store, and compare its tables with this version's.

    Returns:
        The number of rows by table.

    Raises:
        ConfigError: there is none, it is damaged, or it is newer than we are.
        AccountError: it can't be reached, or refuses the login.
    """
    with session_of(store) as session, session.transaction() as connection:
        version = _version(connection.sql)
        if not version:
            raise no_store(store)
        if version > len(MIGRATIONS):
            raise newer(store)
        if version == len(MIGRATIONS) and (lacking := _lacking(connection.sql)):
            raise problems.damaged(store, f"it lacks {', '.join(lacking)}")
        return {name: _rows(connection.sql, name) for name in _our_tables(connection.sql)}


def _version(db: Connection) -> int:
    """The version of the store; 0 if there is none."""
    if db.scalar(select(func.to_regclass(_VERSION.name).is_(None))):
        return 0
    return db.scalar(select(_VERSION.c.version)) or 0


def _lock_of(version: int) -> str:
    return f"version {version}"


def _create(store: PostgresqlStore, db: Connection) -> None:
    if found := _our_tables(db):
        raise ConfigError(
            f"The state store {store} has another program's table {found[0]}.",
            "Name another database, or another schema with `?options=-csearch_path%3DSCHEMA`.",
        )
    metadata.create_all(db, checkfirst=False)
    _VERSION.create(db, checkfirst=False)
    db.execute(insert(_VERSION).values(version=len(MIGRATIONS)))


def _migrate(connection: StoreConnection, version: int) -> None:
    """Run the steps that the store lacks, which must be SQL of both databases."""
    for step in MIGRATIONS[version:]:
        for statement in step:
            if callable(statement):
                statement(connection.driver)
            else:
                connection.sql.exec_driver_sql(statement)
    connection.sql.execute(update(_VERSION).values(version=len(MIGRATIONS)))


@contextmanager
def _older_kept_out(
    store: PostgresqlStore, connection: StoreConnection, version: int
) -> Iterator[None]:
    """Keep processes of a store's older version out until its migration is committed."""
    if not 0 < version < len(MIGRATIONS):
        yield
        return
    _await_older_processes(store, connection, version)
    try:
        yield
    finally:
        if connection.is_open:
            connection.unlock(_lock_of(version))


def _await_older_processes(
    store: PostgresqlStore, connection: StoreConnection, version: int
) -> None:
    deadline = time.monotonic() + lock.WAIT
    while not connection.try_lock(_lock_of(version)):
        if time.monotonic() > deadline:
            raise AccountError(
                f"Process {connection.holder(_lock_of(version))} still uses the state store {store}"
                " with an older version of amazon-bridge.",
                "Restart the daemon with the new version, or wait until that process has ended.",
            )
        time.sleep(_POLL)


def _our_tables(db: Connection) -> list[str]:
    return sorted(metadata.tables.keys() & set(inspect(db).get_table_names()))


def _lacking(db: Connection) -> list[str]:
    """Tables, columns and indexes that are not there."""
    found = inspect(db)
    tables = set(found.get_table_names())
    lacking = [f"the table {name}" for name in metadata.tables if name not in tables]
    for name in metadata.tables.keys() & tables:
        table = metadata.tables[name]
        columns = {column["name"] for column in found.get_columns(name)}
        indexes = {index["name"] for index in found.get_indexes(name)}
        lacking += [f"the column {name}.{c.name}" for c in table.c if c.name not in columns]
        lacking += [f"the index {each.name}" for each in table.indexes if each.name not in indexes]
    return lacking


def _rows(db: Connection, table: str) -> int:
    """Count rows, and read them whole: PostgreSQL checks what it reads."""
    number = func.count(literal_column(f"{table}::text"))
    return db.scalar(select(number).select_from(metadata.tables[table])) or 0
