"""Copies a state store to another one, of the same kind or the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any

from sqlalchemy import Table, func, insert, select, text

from amazon_bridge.engine.errors import ConfigError, StorageError
from amazon_bridge.engine.ledger.database import AnyRow, Database, Transaction
from amazon_bridge.engine.ledger.tables import daemons, leases, metadata, sync_requests
from amazon_bridge.engine.store import PostgresqlStore, Store

_COPIED = [t for t in metadata.sorted_tables if t not in (daemons, leases, sync_requests)]
"""Without what concerns the daemons that run with one of the stores."""

_PAGE = 1000  # rows in a statement
_NUMBERED = ("feeds", "stock_feeds")
"""Tables whose rows PostgreSQL numbers, beginning after the last number that it gave."""


def copy(source: Database, target: Database) -> dict[str, int]:
    """Copy all rows at one moment, read them again and compare them: all or nothing.

    Returns:
        The number of rows by table.

    Raises:
        ConfigError: the target has rows already.
        StorageError: a row of the copy differs.
    """
    with source.transaction() as reading, target.transaction() as writing:
        _refuse_used(writing, target.store)
        for table in _COPIED:
            for page in _pages(reading, table):
                writing.execute(insert(table), [row._asdict() for row in page])
        if isinstance(target.store, PostgresqlStore):
            _continue_numbers(writing)
        return {table.name: _compared(reading, writing, table, target.store) for table in _COPIED}


def _refuse_used(db: Transaction, store: Store) -> None:
    for table in _COPIED:
        if number := db.execute(select(func.count()).select_from(table)).scalar_one():
            raise ConfigError(
                f"The state store {store} is used already: it has {number} {table.name}.",
                "Name an empty database or a file that does not exist yet.",
            )


def _pages(db: Transaction, table: Table) -> Iterator[Sequence[AnyRow]]:
    """The rows of a table by their keys, a page at a time."""
    query = select(table).order_by(*table.primary_key.columns)
    return db.execute(query.execution_options(stream_results=True)).partitions(_PAGE)


def _continue_numbers(db: Transaction) -> None:
    for name in _NUMBERED:
        db.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'number'), max(number))"  # noqa: S608  ours
                f" FROM {name} HAVING count(*) > 0"
            )
        )


def _compared(reading: Transaction, writing: Transaction, table: Table, store: Store) -> int:
    """The number of rows, which are the same in both."""
    rows: tuple[Iterator[Any], ...] = tuple(
        chain.from_iterable(_pages(db, table)) for db in (reading, writing)
    )
    number = 0
    for original, copied in zip_longest(*rows):
        if original is None or copied is None or tuple(original) != tuple(copied):
            raise StorageError(
                f"A row of {table.name} differs in {store}: nothing was copied.",
                "Please report this; `amazon-bridge state verify` examines the original.",
            )
        number += 1
    return number
