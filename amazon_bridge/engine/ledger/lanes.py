"""Which windows of changed orders are being read, and how far each lane has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, bindparam, delete, select, update

from amazon_bridge.engine.ledger.columns import insert
from amazon_bridge.engine.ledger.database import Subject, Transaction
from amazon_bridge.engine.ledger.tables import accounts, lanes, readings, surveys
from amazon_bridge.engine.window import OVERLAP, Backlog, Lane, Progress, Reading, Window

_NEW_LANE = insert(lanes)
_BEGIN = _NEW_LANE.on_conflict_do_update(
    index_elements=lanes.primary_key.columns,
    set_={name: _NEW_LANE.excluded[name] for name in ("begins", "position", "since")},
)
_NEW_READING = insert(readings)
_CONTINUE = _NEW_READING.on_conflict_do_update(
    index_elements=readings.primary_key.columns,
    set_={
        column.name: _NEW_READING.excluded[column.name]
        for column in readings.c
        if not column.primary_key
    },
)
_PROGRESS = (
    select(*(accounts.c[n] for n in ("cursor", "began")))
    .add_columns(*(lanes.c[name] for name in ("lane", "begins", "position", "since")))
    .select_from(accounts.outerjoin(lanes, lanes.c.account == accounts.c.name))
    .where(accounts.c.name == bindparam("of_account"))
)
_BACKLOG = (Lane.LIVE, Lane.BACKLOG)


class Lanes(Subject):
    """The lanes of all accounts."""

    # Windows that are being read

    def readings(self, account: str) -> dict[Lane, Reading]:
        """The windows that have begun to be read, by lane."""
        rows = self._rows(select(readings).where(readings.c.account == account))
        return {Lane(lane): _reading(lane, *columns) for _, lane, *columns in rows}

    def drop(self, account: str, lane: Lane) -> None:
        """Forget the page token of a lane: its window is read anew."""
        with self._transaction(account) as db:
            db.execute(delete(readings).where(*_is_reading(account, lane)))

    # Second looks, and other positions

    def position(self, account: str, lane: Lane, first: datetime) -> datetime:
        """How far a second look has come; it begins at ``first``."""
        query = select(lanes.c.position).where(*_is_lane(account, lane))
        if rows := self._rows(query):
            position: datetime = rows[0].position
            return position
        with self._transaction(account) as db:
            db.execute(_BEGIN, _lane(account, lane, position=first))
        return first

    def progress(self, account: str) -> Progress:
        """How far the cursor, the back-log and the second looks of an account have come."""
        rows = self._rows(_PROGRESS, {"of_account": account})
        if not rows:
            return Progress()
        (cursor, began), of_lanes = rows[0][:2], {Lane(row.lane): row for row in rows if row.lane}
        positions = {lane: row.position for lane, row in of_lanes.items() if row.position}
        backlog = None
        if live := of_lanes.get(Lane.LIVE):
            old = of_lanes[Lane.BACKLOG]
            backlog = Backlog(old.begins, cursor, live.begins, live.position, old.since)
        return Progress(cursor, began, positions, backlog)

    # The back-log

    def backlog(self, account: str) -> Backlog | None:
        """What was not read when the cursor fell far behind; None if there is no such thing."""
        return self.progress(account).backlog

    def begin_backlog(self, account: str, cursor: datetime, live_from: datetime) -> None:
        """Read what changed since ``live_from`` first, and then what changed since the cursor."""
        now = self._now()
        with self._transaction(account) as db:
            db.execute(delete(readings).where(*_is_reading(account, Lane.BACKLOG)))
            begun = update(readings).where(*_is_reading(account, Lane.LIVE))
            db.execute(begun.values(lane=Lane.BACKLOG))
            db.execute(_BEGIN, _lane(account, Lane.BACKLOG, begins=cursor, since=now))
            _begin_live(db, account, live_from)
            forget_survey(db, account)

    def begin_live_again(self, account: str, live_from: datetime) -> None:
        """Begin another live interval; what the previous one held belongs to the back-log."""
        with self._transaction(account) as db:
            db.execute(delete(readings).where(*_is_reading(account, Lane.LIVE)))
            _begin_live(db, account, live_from)
            forget_survey(db, account)


def note_page(db: Transaction, account: str, reading: Reading) -> None:
    """Note that a page is filed; after the last one move the lane, and the cursor with it."""
    lane = reading.lane
    if reading.token:
        db.execute(_CONTINUE, {"account": account, **_columns(reading)})
        return
    db.execute(delete(readings).where(*_is_reading(account, lane)))
    known = Window(reading.window.after, reading.known_until)
    if lane not in _BACKLOG:
        _move(db, account, lane, known, joins=False)
    elif lane is Lane.BACKLOG or not _move(db, account, lane, known):
        advance(db, account, known)


def advance(db: Transaction, account: str, window: Window) -> None:
    """Move a cursor to the end of a window, unless it is outside of it.

    The first look moves with it, if the window began at its position. A cursor that reaches the
    live interval jumps to its end.
    """
    is_inside = _is_within(accounts.c.cursor, window)
    mine = update(accounts).where(accounts.c.name == account)
    move = mine.where(accounts.c.cursor.is_(None) | is_inside).values(cursor=window.before)
    if not db.execute(move).rowcount:
        return
    looked = Window(window.after, max(window.after, window.before - OVERLAP))
    _move(db, account, Lane.LATE_30M, looked)
    live = db.execute(select(lanes.c.begins, lanes.c.position).where(*_is_lane(account, Lane.LIVE)))
    for begins, position in live.all():
        if window.before >= begins:
            db.execute(mine.values(cursor=max(window.before, position)))
            forget_backlog(db, account)


def forget_backlog(db: Transaction, account: str) -> None:
    """Forget the live interval: there is no back-log, or another one begins."""
    db.execute(delete(lanes).where(lanes.c.account == account, lanes.c.lane.in_(_BACKLOG)))


def forget_readings(db: Transaction, account: str) -> None:
    """Forget the live interval and all page tokens: the cursor was set."""
    forget_backlog(db, account)
    forget_survey(db, account)
    db.execute(delete(readings).where(readings.c.account == account))


def forget_survey(db: Transaction, account: str) -> None:
    """Make a survey due: there may be a gap in what was read of the units in flight."""
    db.execute(delete(surveys).where(surveys.c.account == account))
    db.execute(delete(readings).where(*_is_reading(account, Lane.IN_FLIGHT)))


def _move(db: Transaction, account: str, lane: Lane, known: Window, *, joins: bool = True) -> bool:
    """Move a lane to the end of a window that was read.

    Args:
        db: the transaction.
        account: the account's name.
        lane: which lane.
        known: the window.
        joins: only if the window joins what was known before.
    """
    is_inside = (_is_within(lanes.c.position, known),) if joins else ()
    move = update(lanes).where(*_is_lane(account, lane), *is_inside)
    return db.execute(move.values(position=known.before)).rowcount > 0


def _is_within(moment: Column[datetime], window: Window) -> ColumnElement[bool]:
    """BETWEEN, without the syntax that PostgreSQL does not have with a collation."""
    return and_(moment >= window.after, moment <= window.before)


def _reading(lane: str, after: datetime, before: datetime, *columns: Any) -> Reading:
    return Reading(Lane(lane), Window(after, before), *columns)


def _columns(reading: Reading) -> dict[str, object]:
    after, before = reading.window
    window = {"window_after": after, "window_before": before}
    others = ("lane", "marketplaces", "begun", "known_until", "token")
    return window | {name: getattr(reading, name) for name in others}


def _begin_live(db: Transaction, account: str, live_from: datetime) -> None:
    live = _lane(account, Lane.LIVE, begins=live_from, position=live_from)
    db.execute(_BEGIN, live)


def _lane(account: str, lane: Lane, **moments: datetime) -> dict[str, Any]:
    nothing = dict.fromkeys(("begins", "position", "since"))
    return {"account": account, "lane": lane, **nothing, **moments}


def _is_lane(account: str, lane: Lane) -> tuple[ColumnElement[bool], ...]:
    return lanes.c.account == account, lanes.c.lane == lane


def _is_reading(account: str, lane: Lane) -> tuple[ColumnElement[bool], ...]:
    return readings.c.account == account, readings.c.lane == lane
