"""The state store in a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, func, select

from amazon_bridge.engine.ledger import copying, file, postgresql_schema
from amazon_bridge.engine.ledger.database import AnyRow, Database, SqliteDatabase, Transaction
from amazon_bridge.engine.ledger.prepared import Prepared
from amazon_bridge.engine.postgresql import CHANNEL, session_of
from amazon_bridge.engine.store import PostgresqlStore


class PostgresqlDatabase(Database):
    """An open database, by the session that all parts of this process share.

    Transactions are the session's, SQLAlchemy's are not used.
    """

    is_shared = True

    def __init__(self, store: PostgresqlStore, clock: Callable[[], datetime]) -> None:
        super().__init__(store, clock)
        self._session = session_of(store).__enter__()
        try:
            self._session.prepare_by(postgresql_schema.prepare)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._session.__exit__(None, None, None)

    def rows(
        self, query: Select[*tuple[Any, ...]], values: Mapping[str, object] | None = None
    ) -> list[AnyRow]:
        return self._session.rows(query, values)

    def fetch(self, query: Prepared, values: Mapping[str, object]) -> list[list[Any]]:
        return [list(row) for row in self._session.rows(query.statement, values)]

    def server_time(self) -> datetime:
        ((now,),) = self._session.rows(select(func.clock_timestamp()))
        found: datetime = now
        return found

    def notify(self, transaction: Transaction) -> None:
        transaction.execute(select(func.pg_notify(CHANNEL, "")))

    @contextmanager
    def _written(self) -> Iterator[Transaction]:
        with self._session.transaction() as connection:
            yield Transaction(connection.sql)

    def back_up(self, target: Path) -> None:
        file.create_copy(target)
        copy = SqliteDatabase(target, self.clock)
        try:
            copying.copy(self, copy)
        finally:
            copy.close()
