"""The tables and statements of the state store, as SQLite and PostgreSQL get them."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from amazon_bridge.engine.ledger import (
    Ledger,
    continuity,
    database,
    in_flight,
    memos,
    runs,
    scans,
    skus,
    statements,
    statistics,
)
from amazon_bridge.engine.ledger.tables import items, metadata
from amazon_bridge.engine.records import Entry


@pytest.fixture
def migrated(tmp_path: Path) -> Iterator[Connection]:
    path = tmp_path / "bridge.db"
    Ledger(path, lambda: datetime.now(UTC)).close()
    with create_engine(f"sqlite:///{path}").connect() as connection:
        yield connection


@pytest.fixture
def created() -> Iterator[Connection]:
    with create_engine("sqlite://").connect() as connection:
        metadata.create_all(connection)
        yield connection


def described(connection: Connection, table: str) -> dict[str, Any]:
    found = inspect(connection)
    columns = connection.exec_driver_sql(f"PRAGMA table_info({table})").all()
    (options,) = connection.exec_driver_sql(f"PRAGMA table_list({table})").all()
    return {
        "columns": {row[1]: (row[2], row[3] or row[5] > 0, *row[4:]) for row in columns},
        "indexes": sorted(
            (index["name"], index["column_names"]) for index in found.get_indexes(table)
        ),
        "keys": [
            (k["constrained_columns"], k["referred_table"]) for k in found.get_foreign_keys(table)
        ],
        "checks": sorted(check["sqltext"] for check in found.get_check_constraints(table)),
        "without_rowid, strict": options[4:6],
    }


def test_a_migrated_store_has_the_tables_that_the_statements_are_made_for(
    migrated: Connection, created: Connection
):
    assert set(inspect(migrated).get_table_names()) == set(metadata.tables)
    for table in metadata.tables:
        assert described(migrated, table) == described(created, table), table


def test_postgresql_takes_the_same_tables():
    for table in metadata.sorted_tables:
        assert "STRICT" not in str(CreateTable(table).compile(dialect=postgresql.dialect()))


PREPARED = {
    name: statement.statement
    for module in (statements, memos, skus, statistics)
    for name, statement in vars(module).items()
    if isinstance(statement, statements.Prepared)
}
EXECUTED = {
    "add_account": database._ADD_ACCOUNT,
    "record": runs._RECORD,
    "note": skus._NOTE,
    "note_database": continuity._NOTE_DATABASE,
    "reopen_since": continuity._REOPEN,
    "expect_scan": scans._EXPECT,
    "record_scan": scans._RECORD,
    "remember_change": scans._REMEMBER,
    "known_changes": scans._KNOWN,
    "add_units": in_flight._ADD,
    "release_units": in_flight._RELEASE,
    "finish_survey": in_flight._FINISH,
    "pending": statements.PENDING,
    "watched": statements.WATCHED,
    "due": statements.DUE,
}


@pytest.mark.parametrize(
    "statement", [pytest.param(s, id=n) for n, s in (PREPARED | EXECUTED).items()]
)
def test_a_statement_is_the_same_in_both_databases(statement: Any):
    """Upserts too, whose classes SQLAlchemy has twice."""
    of_sqlite = str(statement.compile(dialect=sqlite.dialect(paramstyle="named")))
    of_postgresql = str(statement.compile(dialect=postgresql.dialect(paramstyle="named")))
    assert of_sqlite.split(maxsplit=1)[0] == of_postgresql.split(maxsplit=1)[0]
    assert ("ON CONFLICT" in of_sqlite) == ("ON CONFLICT" in of_postgresql)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (statements.PENDING, "open_items"),
        (statements.WATCHED, "watched_items"),
        (statements.DUE, "due_items"),
        (statements.QUARANTINED_KEYS.where(items.c.account == "acme").limit(50), "open_items"),
        (statements.QUARANTINED_KEYS.limit(50), "open_items"),
        (statements.REOPEN, "open_items"),
        (statements.FORGETTABLE, "finished_items"),
    ],
)
def test_open_and_watched_items_are_found_without_reading_the_others(
    migrated: Connection, statement: Any, index: str
):
    expanded = {"render_postcompile": True}
    compiled = statement.compile(migrated.engine, compile_kwargs=expanded)
    values = [compiled.params[name] for name in compiled.positiontup]
    plan = migrated.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", tuple(values)).all()
    assert any(f"INDEX {index}" in step[-1] for step in plan)
    assert not any("SCAN" in step[-1] or "(account=? AND job=?)" in step[-1] for step in plan)


def test_columns_are_read_in_the_sequence_of_the_entrys_fields():
    assert [column.name for column in statements.ENTRY] == [field.name for field in fields(Entry)]


def test_sqlalchemy_is_loaded_only_to_open_a_store():
    code = "import sys, amazon_bridge.app; assert 'sqlalchemy' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
