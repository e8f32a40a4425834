"""The kinds of columns of the state store, and how tables are made of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.sql.type_api import TypeEngine

SORTED_BY_CODE_POINT = Text().with_variant(Text(collation="C"), "postgresql")
"""For keys, which are compared with ``<``; SQLite's default."""

LARGE = Integer().with_variant(BigInteger(), "postgresql")
"""For sums, and for numbers of Amazon; SQLite's default."""

METADATA = MetaData()


def text_of(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, of constant length, so that texts sort like their moments."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise ValueError("a datetime without time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment_of(text: str | None) -> datetime | None:
    """Parse what ``text_of`` wrote."""
    return datetime.fromisoformat(text) if text else None


class Moment(TypeDecorator[datetime]):
    """A moment as text."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(SORTED_BY_CODE_POINT)

    def process_bind_param(self, value: datetime | None, _: Dialect) -> str | None:
        return text_of(value)

    def process_result_value(self, value: str | None, _: Dialect) -> datetime | None:
        return moment_of(value)


def insert(table: Table) -> Insert:
    """INSERT that can have an ON CONFLICT clause.

    SQLAlchemy 2.1 renders PostgreSQL's class for SQLite as well, but not SQLite's for PostgreSQL.
    """
    return Insert(table)


def table(name: str, *columns: Column[Any] | CheckConstraint, rowid: bool = False) -> Table:
    """Make a table that both databases get; in SQLite it is strict."""
    return Table(name, METADATA, *columns, sqlite_strict=True, sqlite_with_rowid=rowid)


def key(name: str) -> Column[str]:
    """A text that is all or a part of the primary key."""
    return Column(name, SORTED_BY_CODE_POINT, primary_key=True)


def account(*, primary_key: bool = True) -> Column[str]:
    """The name of an account that has a row."""
    return Column(
        "account",
        SORTED_BY_CODE_POINT,
        ForeignKey("accounts.name"),
        primary_key=primary_key,
        nullable=False,
    )


def moment(name: str, *, nullable: bool = True) -> Column[datetime]:
    """A moment as text."""
    return Column(name, Moment, nullable=nullable)


def number(name: str) -> Column[int]:
    """A number that begins with 0."""
    return Column(name, Integer, nullable=False, server_default=text("0"))


def flag(name: str) -> CheckConstraint:
    """Let a number be 0 or 1 only."""
    return CheckConstraint(f"{name} IN (0, 1)")


def partial_index(name: str, *columns: Column[Any], where: ColumnElement[bool]) -> None:
    """Add an index of the rows with a condition."""
    Index(name, *columns, sqlite_where=where, postgresql_where=where)
