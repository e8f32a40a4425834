"""The tables of the state store, for SQLite and PostgreSQL.

SQLite stores are created and changed by ``migrations``; a test holds the two to each other.
"""

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
    case,
    func,
    literal,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.sql.type_api import TypeEngine

from amazon_bridge.engine.records import State

_SORTED_BY_CODE_POINT = Text().with_variant(Text(collation="C"), "postgresql")
"""For keys, which are compared with ``<``; SQLite's default."""

_LARGE = Integer().with_variant(BigInteger(), "postgresql")
"""For sums, and for numbers of Amazon; SQLite's default."""

metadata = MetaData()


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
        return dialect.type_descriptor(_SORTED_BY_CODE_POINT)

    def process_bind_param(self, value: datetime | None, _: Dialect) -> str | None:
        return text_of(value)

    def process_result_value(self, value: str | None, _: Dialect) -> datetime | None:
        return moment_of(value)


def insert(table: Table) -> Insert:
    """INSERT that can have an ON CONFLICT clause.

    SQLAlchemy 2.1 renders PostgreSQL's class for SQLite as well, but not SQLite's for PostgreSQL.
    """
    return Insert(table)


def _literal(state: State) -> ColumnElement[str]:
    return literal_column(f"'{state}'", Text)


def _table(name: str, *columns: Column[Any] | CheckConstraint, rowid: bool = False) -> Table:
    return Table(name, metadata, *columns, sqlite_strict=True, sqlite_with_rowid=rowid)


def _key(name: str) -> Column[str]:
    return Column(name, _SORTED_BY_CODE_POINT, primary_key=True)


def _account(*, primary_key: bool = True) -> Column[str]:
    return Column(
        "account",
        _SORTED_BY_CODE_POINT,
        ForeignKey("accounts.name"),
        primary_key=primary_key,
        nullable=False,
    )


def _moment(name: str, *, nullable: bool = True) -> Column[datetime]:
    return Column(name, Moment, nullable=nullable)


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


def _flag(name: str) -> CheckConstraint:
    return CheckConstraint(f"{name} IN (0, 1)")


def _partial_index(name: str, *columns: Column[Any], where: ColumnElement[bool]) -> None:
    Index(name, *columns, sqlite_where=where, postgresql_where=where)


accounts = _table(
    "accounts",
    _key("name"),
    _moment("cursor"),
    Column("configuration", Text, comment="a digest"),
    _moment("began"),
    _number("rewinds"),
)

items = _table(
    "items",
    _account(),
    _key("job"),
    _key("key"),
    Column("fingerprint", Text, nullable=False),
    Column("importable", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("kind", Text),
    Column("reason", Text),
    Column("remedy", Text),
    _number("attempts"),
    Column("memo", Text, comment="of the job's class, by engine.codec"),
    _moment("first_seen", nullable=False),
    _moment("last_seen", nullable=False),
    _moment("last_tried"),
    _moment("unanswered_since"),
    Column("label", Text),
    _moment("refused_since"),
    _number("watched"),
    _moment("version"),
    _moment("due"),
    Column("marketplace", Text),
    Column("record", Integer, comment="database id in Odoo, where the key has none"),
    Column("opened", Moment, comment="since when it is open, if it was finished before"),
    _flag("importable"),
    _flag("watched"),
    CheckConstraint("state IN ('pending', 'done', 'left_out', 'quarantined')"),
    CheckConstraint("(state = 'quarantined') = (kind IS NOT NULL)"),
)
is_open = items.c.state.in_([_literal(State.PENDING), _literal(State.QUARANTINED)])
"""SQLite uses a partial index only for queries with its very condition, values included."""
is_pending = is_open & (items.c.state == _literal(State.PENDING))
is_quarantined = is_open & (items.c.state == _literal(State.QUARANTINED))
is_finished = items.c.state.in_([_literal(State.DONE), _literal(State.LEFT_OUT)])
is_watched = items.c.watched == literal_column("1")
is_due = items.c.due.is_not(None)
open_since = func.coalesce(items.c.opened, items.c.first_seen)
_partial_index("open_items", items.c.state, items.c.account, items.c.job, where=is_open)
_partial_index("watched_items", items.c.watched, items.c.account, items.c.job, where=is_watched)
_partial_index("finished_items", items.c.account, items.c.job, items.c.last_seen, where=is_finished)
_partial_index("due_items", items.c.account, items.c.job, items.c.due, where=is_due)
Index("items_by_key", items.c.key)

memos = _table(
    "memos",
    _account(),
    _key("job"),
    _key("key"),
    Column("since", Moment, primary_key=True, comment="the moment from which on it was the memo"),
    Column("memo", Text, nullable=False),
    _number("watched"),
    _flag("watched"),
)

runs = _table(
    "runs",
    _account(),
    _key("job"),
    _moment("last_started", nullable=False),
    _moment("last_finished", nullable=False),
    _moment("last_success"),
    Column("last_error", Text),
    Column("counts", Text, nullable=False, comment="by engine.codec"),
    _number("rewinds"),
)

order_hours = _table(
    "order_hours",
    Column("hour", Moment, primary_key=True, comment="its beginning; 1970 for all hours"),
    _account(),
    _key("event"),
    _key("fulfilled_by"),
    Column("within", Integer, primary_key=True, comment="seconds that it took; -1 if unknown"),
    Column("number", _LARGE, nullable=False),
    Column("seconds", _LARGE, nullable=False, comment="the sum of what it took"),
)

feeds = _table(
    "feeds",
    Column("number", Integer, primary_key=True),
    _account(primary_key=False),
    Column("keys", Text, nullable=False, comment="JSON, in the sequence of the feed's messages"),
    _moment("begun", nullable=False),
    Column("feed_id", Text, comment="absent while it is unknown whether the feed was created"),
    _moment("closed"),
    rowid=True,
)

is_open_feed = feeds.c.closed.is_(None)
_partial_index("open_feeds", feeds.c.account, where=is_open_feed)
Index("feeds_by_account", feeds.c.account, feeds.c.begun)

unmatched = _table(
    "unmatched",
    _account(),
    _key("name"),
    _key("key"),
    Column("reason", Text, nullable=False),
)
Index("unmatched_by_key", unmatched.c.account, unmatched.c.key)

scans = _table(
    "scans",
    _key("account"),
    _key("job"),
    _moment("complete_until"),
    _moment("looked_back"),
    _moment("since"),
    _moment("began"),
    _number("looks_back"),
    _number("after"),
    _flag("looks_back"),
)

scanned = _table(
    "scanned",
    _key("account"),
    _key("job"),
    Column("record", Integer, primary_key=True, autoincrement=False, comment="database id in Odoo"),
    _moment("written", nullable=False),
)

lanes = _table(
    "lanes",
    _account(),
    _key("lane"),
    Column("begins", Moment, comment="of the back-log; of the live interval beside it"),
    Column("position", Moment, comment="everything before it was read"),
    Column("since", Moment, comment="when reading the back-log began"),
)

readings = _table(
    "readings",
    _account(),
    _key("lane"),
    _moment("window_after", nullable=False),
    _moment("window_before", nullable=False),
    Column("marketplaces", Text, nullable=False),
    _moment("begun", nullable=False),
    _moment("known_until", nullable=False),
    Column("token", Text, nullable=False, comment="Amazon's, of the next page"),
)

in_flight = _table(
    "in_flight",
    _account(),
    Column("key", _SORTED_BY_CODE_POINT, primary_key=True, comment="the order's id"),
    Column("sku", _SORTED_BY_CODE_POINT, primary_key=True, comment="empty if Amazon names none"),
    Column("units", _LARGE, nullable=False, comment="as Amazon counts them"),
    _moment("since", nullable=False),
    _moment("checked", nullable=False),
    _moment("version"),
)

surveys = _table(
    "surveys",
    _account(),
    Column("filters", Text, nullable=False, comment="of the search that found what is in flight"),
    _moment("finished", nullable=False),
)

odoo_database = _table(
    "odoo_database",
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("url", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("uuid", Text, comment="absent where the login may not read it"),
    CheckConstraint("number = 1"),
    rowid=True,
)

stock_skus = _table(
    "stock_skus",
    _account(),
    _key("sku"),
    Column("state", Text),
    Column("note", Text, nullable=False, server_default=text("''")),
    _moment("increase_since"),
    _number("in_flight"),
    _moment("since"),
)

stock_listings = _table(
    "stock_listings",
    _account(),
    _key("sku"),
    _key("marketplace"),
    Column("channels", Text, nullable=False, comment="separated by commas"),
    Column("quantity", _LARGE),
    Column("product_type", Text),
    Column("status", Text, nullable=False, server_default=text("''")),
    _moment("read_at", nullable=False),
    _moment("seen", nullable=False),
    Column("sent", _LARGE, comment="absent while it is unclear what was sent"),
    _moment("sent_at"),
    _moment("gone"),
)
is_sent = stock_listings.c.sent_at.is_not(None)
_partial_index("sent_listings", stock_listings.c.account, stock_listings.c.sent_at, where=is_sent)

stock_parts = _table(
    "stock_parts",
    _account(),
    Column("product", Integer, primary_key=True, autoincrement=False, comment="id in Odoo"),
    _key("sku"),
)
Index("stock_parts_by_sku", stock_parts.c.account, stock_parts.c.sku)

stock_marketplaces = _table(
    "stock_marketplaces",
    _account(),
    _key("marketplace"),
    Column("report_id", Text),
    _moment("requested"),
    _moment("read"),
    _number("is_separate"),
    _flag("is_separate"),
)

stock_progress = _table(
    "stock_progress",
    _account(),
    _moment("compared"),
    Column("settings", Text, nullable=False, server_default=text("''"), comment="a digest"),
    _number("drifts"),
    _moment("full_began"),
    Column("full_after", Text, nullable=False, server_default=text("''"), comment="a SKU"),
)

stock_feeds = _table(
    "stock_feeds",
    Column("number", Integer, primary_key=True),
    _account(primary_key=False),
    Column("marketplace", Text, nullable=False),
    Column("skus", Text, nullable=False, comment="JSON, in the sequence of the feed's messages"),
    _moment("begun", nullable=False),
    Column("feed_id", Text, comment="absent while it is unknown whether the feed was created"),
    _moment("given_up"),
    _moment("closed"),
    Column("covers", Text, nullable=False, server_default=text("'[]'"), comment="JSON"),
    rowid=True,
)
is_open_stock_feed = stock_feeds.c.closed.is_(None)
_partial_index("open_stock_feeds", stock_feeds.c.account, where=is_open_stock_feed)

chores = _table("chores", _key("name"), _moment("begun", nullable=False))


def earlier(column: Column[datetime], at: datetime) -> ColumnElement[datetime]:
    """The earlier of a column's moment and another one; that one if the column has none."""
    return case((column <= at, column), else_=literal(at, Moment))
