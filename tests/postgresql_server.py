"""A PostgreSQL server of the test session, for state stores."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg
from odoo_server import unprivileged
from odoo_server.postgresql import Cluster

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.ledger.tables import metadata
from amazon_bridge.engine.store import PostgresqlStore, postgresql_store

EMPTY = "; ".join(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables))


class Server:
    """A server that only this machine reaches, by a socket; each store is a schema of its own."""

    def __init__(self, folder: Path) -> None:
        self._sockets = folder / "run"
        unprivileged.own(self._sockets)
        self.cluster = Cluster(folder, self._sockets)
        self._numbers = count(1)
        self._common: PostgresqlStore | None = None

    @property
    def socket(self) -> Path:
        """The file by which it is reached."""
        return self._sockets / ".s.PGSQL.5432"

    @contextmanager
    def common_store(self) -> Iterator[PostgresqlStore]:
        """A store that tests use one after the other; it is empty at the end."""
        if self._common is None:
            self._common = self.new_store()
            Ledger(self._common, lambda: datetime.now(UTC)).close()
        yield self._common
        with psycopg.connect(self._common.url, autocommit=True) as connection:
            connection.execute(EMPTY)

    def url(self, user: str = "odoo", database: str = "postgres", options: str = "") -> str:
        return f"postgresql://{user}@/{database}?host={self._sockets}{options}"

    def new_store(self) -> PostgresqlStore:
        """An empty place for a store."""
        schema = f"store_{next(self._numbers)}"
        self.sql(f"CREATE SCHEMA {schema}")
        return postgresql_store(self.url(options=f"&options=-csearch_path%3D{schema}"))

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def let_in_with_password(self, role: str, password: str) -> None:
        self.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
        (((file,),),) = (self.sql("SHOW hba_file"),)
        rules = Path(str(file))
        rules.write_text(f"local all {role} scram-sha-256\n{rules.read_text()}")
        self.sql("SELECT pg_reload_conf()")

    def restart(self) -> None:
        """Break all connections, and start again."""
        self._control("restart")

    def stop(self) -> None:
        self._control("stop")

    def _control(self, action: str) -> None:
        log = self._sockets / "postgresql.log"
        self.cluster._run("pg_ctl", "-w", "-m", "fast", "-l", log, action)


def break_connections(store: PostgresqlStore) -> None:
    """Break the bridge's connections, as a restart of the server does."""
    with psycopg.connect(store.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name LIKE 'amazon-bridge %'"
        )


@contextmanager
def running() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="bridge-pg-"))
    folder.chmod(0o755)
    server = Server(folder)
    try:
        unprivileged.own(folder)
        server.cluster.start()
        yield server
    finally:
        server.cluster.stop()
        shutil.rmtree(folder)
