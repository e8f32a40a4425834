"""The tables of the state store, for SQLite and PostgreSQL.

SQLite stores are created and changed by ``migrations``; a test holds the two to each other.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Index,
    Integer,
    Text,
    case,
    func,
    literal,
    literal_column,
    text,
)

from amazon_bridge.engine.ledger.columns import (
    LARGE,
    METADATA,
    SORTED_BY_CODE_POINT,
    Moment,
    account,
    flag,
    key,
    moment,
    number,
    partial_index,
    table,
)
from amazon_bridge.engine.records import State

metadata = METADATA
"""All of these tables."""


def _literal(state: State) -> ColumnElement[str]:
    return literal_column(f"'{state}'", Text)


accounts = table(
    "accounts",
    key("name"),
    moment("cursor"),
    Column("configuration", Text, comment="a digest"),
    moment("began"),
    number("rewinds"),
)

items = table(
    "items",
    account(),
    key("job"),
    key("key"),
    Column("fingerprint", Text, nullable=False),
    Column("importable", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("kind", Text),
    Column("reason", Text),
    Column("remedy", Text),
    number("attempts"),
    Column("memo", Text, comment="of the job's class, by engine.codec"),
    moment("first_seen", nullable=False),
    moment("last_seen", nullable=False),
    moment("last_tried"),
    moment("unanswered_since"),
    Column("label", Text),
    moment("refused_since"),
    number("watched"),
    moment("version"),
    moment("due"),
    Column("marketplace", Text),
    Column("record", Integer, comment="database id in Odoo, where the key has none"),
    Column("opened", Moment, comment="since when it is open, if it was finished before"),
    flag("importable"),
    flag("watched"),
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
partial_index("open_items", items.c.state, items.c.account, items.c.job, where=is_open)
partial_index("watched_items", items.c.watched, items.c.account, items.c.job, where=is_watched)
partial_index("finished_items", items.c.account, items.c.job, items.c.last_seen, where=is_finished)
partial_index("due_items", items.c.account, items.c.job, items.c.due, where=is_due)
Index("items_by_key", items.c.key)

memos = table(
    "memos",
    account(),
    key("job"),
    key("key"),
    Column("since", Moment, primary_key=True, comment="the moment from which on it was the memo"),
    Column("memo", Text, nullable=False),
    number("watched"),
    flag("watched"),
)

runs = table(
    "runs",
    account(),
    key("job"),
    moment("last_started", nullable=False),
    moment("last_finished", nullable=False),
    moment("last_success"),
    Column("last_error", Text),
    Column("counts", Text, nullable=False, comment="by engine.codec"),
    number("rewinds"),
)

order_hours = table(
    "order_hours",
    Column("hour", Moment, primary_key=True, comment="its beginning; 1970 for all hours"),
    account(),
    key("event"),
    key("fulfilled_by"),
    Column("within", Integer, primary_key=True, comment="seconds that it took; -1 if unknown"),
    Column("number", LARGE, nullable=False),
    Column("seconds", LARGE, nullable=False, comment="the sum of what it took"),
)

feeds = table(
    "feeds",
    Column("number", Integer, primary_key=True),
    account(primary_key=False),
    Column("keys", Text, nullable=False, comment="JSON, in the sequence of the feed's messages"),
    moment("begun", nullable=False),
    Column("feed_id", Text, comment="absent while it is unknown whether the feed was created"),
    moment("closed"),
    rowid=True,
)

is_open_feed = feeds.c.closed.is_(None)
partial_index("open_feeds", feeds.c.account, where=is_open_feed)
Index("feeds_by_account", feeds.c.account, feeds.c.begun)

unmatched = table(
    "unmatched",
    account(),
    key("name"),
    key("key"),
    Column("reason", Text, nullable=False),
)
Index("unmatched_by_key", unmatched.c.account, unmatched.c.key)

scans = table(
    "scans",
    key("account"),
    key("job"),
    moment("complete_until"),
    moment("looked_back"),
    moment("since"),
    moment("began"),
    number("looks_back"),
    number("after"),
    flag("looks_back"),
)

scanned = table(
    "scanned",
    key("account"),
    key("job"),
    Column("record", Integer, primary_key=True, autoincrement=False, comment="database id in Odoo"),
    moment("written", nullable=False),
)

lanes = table(
    "lanes",
    account(),
    key("lane"),
    Column("begins", Moment, comment="of the back-log; of the live interval beside it"),
    Column("position", Moment, comment="everything before it was read"),
    Column("since", Moment, comment="when reading the back-log began"),
)

readings = table(
    "readings",
    account(),
    key("lane"),
    moment("window_after", nullable=False),
    moment("window_before", nullable=False),
    Column("marketplaces", Text, nullable=False),
    moment("begun", nullable=False),
    moment("known_until", nullable=False),
    Column("token", Text, nullable=False, comment="Amazon's, of the next page"),
)

in_flight = table(
    "in_flight",
    account(),
    Column("key", SORTED_BY_CODE_POINT, primary_key=True, comment="the order's id"),
    Column("sku", SORTED_BY_CODE_POINT, primary_key=True, comment="empty if Amazon names none"),
    Column("units", LARGE, nullable=False, comment="as Amazon counts them"),
    moment("since", nullable=False),
    moment("checked", nullable=False),
    moment("version"),
)

surveys = table(
    "surveys",
    account(),
    Column("filters", Text, nullable=False, comment="of the search that found what is in flight"),
    moment("finished", nullable=False),
)

odoo_database = table(
    "odoo_database",
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("url", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("uuid", Text, comment="absent where the login may not read it"),
    CheckConstraint("number = 1"),
    rowid=True,
)

stock_skus = table(
    "stock_skus",
    account(),
    key("sku"),
    Column("state", Text),
    Column("note", Text, nullable=False, server_default=text("''")),
    moment("increase_since"),
    number("in_flight"),
    moment("since"),
)

stock_listings = table(
    "stock_listings",
    account(),
    key("sku"),
    key("marketplace"),
    Column("channels", Text, nullable=False, comment="separated by commas"),
    Column("quantity", LARGE),
    Column("product_type", Text),
    Column("status", Text, nullable=False, server_default=text("''")),
    moment("read_at", nullable=False),
    moment("seen", nullable=False),
    Column("sent", LARGE, comment="absent while it is unclear what was sent"),
    moment("sent_at"),
    moment("gone"),
)
is_sent = stock_listings.c.sent_at.is_not(None)
partial_index("sent_listings", stock_listings.c.account, stock_listings.c.sent_at, where=is_sent)

stock_parts = table(
    "stock_parts",
    account(),
    Column("product", Integer, primary_key=True, autoincrement=False, comment="id in Odoo"),
    key("sku"),
)
Index("stock_parts_by_sku", stock_parts.c.account, stock_parts.c.sku)

stock_marketplaces = table(
    "stock_marketplaces",
    account(),
    key("marketplace"),
    Column("report_id", Text),
    moment("requested"),
    moment("read"),
    number("is_separate"),
    flag("is_separate"),
)

stock_progress = table(
    "stock_progress",
    account(),
    moment("compared"),
    Column("settings", Text, nullable=False, server_default=text("''"), comment="a digest"),
    number("drifts"),
    moment("full_began"),
    Column("full_after", Text, nullable=False, server_default=text("''"), comment="a SKU"),
)

stock_feeds = table(
    "stock_feeds",
    Column("number", Integer, primary_key=True),
    account(primary_key=False),
    Column("marketplace", Text, nullable=False),
    Column("skus", Text, nullable=False, comment="JSON, in the sequence of the feed's messages"),
    moment("begun", nullable=False),
    Column("feed_id", Text, comment="absent while it is unknown whether the feed was created"),
    moment("given_up"),
    moment("closed"),
    Column("covers", Text, nullable=False, server_default=text("'[]'"), comment="JSON"),
    rowid=True,
)
is_open_stock_feed = stock_feeds.c.closed.is_(None)
partial_index("open_stock_feeds", stock_feeds.c.account, where=is_open_stock_feed)

alerts = table(
    "alerts",
    account(),
    key("kind"),
    key("job"),
    key("key"),
    moment("since", nullable=False),
)

daemons = table(
    "daemons",
    key("daemon"),
    Column("name", Text, nullable=False, comment="its process, for people"),
    Column("configuration", Text, nullable=False, comment="a digest"),
    Column("sellers", Text, nullable=False, comment="the accounts of each that it has: JSON"),
    moment("began", nullable=False),
    moment("seen", nullable=False),
)

leases = table(
    "leases",
    key("seller"),
    Column("daemon", Text, comment="its holder; absent while there is none"),
    number("number"),
    moment("since"),
    moment("expires"),
    Column("rates", Text, comment="the levels of the seller's token buckets: JSON"),
    moment("rates_at"),
)

sync_requests = table(
    "sync_requests",
    key("request"),
    Column("account", Text, nullable=False),
    Column("job", Text, nullable=False),
    moment("begun", nullable=False),
    Column("daemon", Text, comment="that runs it; absent before"),
    Column("counts", Text, comment="the result, by engine.codec"),
)

chores = table("chores", key("name"), moment("begun", nullable=False))


def earlier(column: Column[datetime], at: datetime) -> ColumnElement[datetime]:
    """The earlier of a column's moment and another one; that one if the column has none."""
    return case((column <= at, column), else_=literal(at, Moment))
