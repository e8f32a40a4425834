"""Statements about items, compiled once where they run for each item."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    delete,
    false,
    func,
    not_,
    null,
    or_,
    select,
    update,
)

from amazon_bridge.engine.ledger.columns import Moment, insert
from amazon_bridge.engine.ledger.prepared import Prepared
from amazon_bridge.engine.ledger.tables import (
    is_due,
    is_finished,
    is_pending,
    is_quarantined,
    is_watched,
    items,
)
from amazon_bridge.engine.records import State

ONE = (
    items.c.account == bindparam("of_account"),
    items.c.job == bindparam("of_job"),
    items.c.key == bindparam("of_key"),
)
REASONLESS = dict.fromkeys(("kind", "reason", "remedy"), null())
_NEW = insert(items)
_IS_OLDER = func.coalesce(_NEW.excluded.version < items.c.version, false())
"""False if a version is unknown."""
_KNOWN_VERSION = func.coalesce(_NEW.excluded.version, items.c.version)
_DUE_BEFORE = case((_NEW.excluded.version.is_(None), items.c.due), else_=null())
_KNOWN_DUE = func.coalesce(_NEW.excluded.due, _DUE_BEFORE)
"""What can't be parsed has no version: it keeps the date that is known."""
_REOPENED_AT = {
    name: case((is_finished, _NEW.excluded[name]), else_=items.c.opened)
    for name in ("first_seen", "last_tried")
}
"""By the column of the present moment."""
_CHANGED = and_(items.c.fingerprint != _NEW.excluded.fingerprint, not_(_IS_OLDER))


def indexed(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return conditions so that SQLite searches a partial index for them.

    It would rather search the primary key, through all items of the job, unless the index has all
    columns that it needs.
    """
    found = select(items.c.key).where(*conditions).correlate(None)
    return and_(*conditions, items.c.key.in_(found))


def _parameters(*names: str) -> dict[str, ColumnElement[Any]]:
    return {name: bindparam(name) for name in names}


def _reset(name: str, value: object) -> ColumnElement[Any]:
    return case((_CHANGED, value), else_=items.c[name])


FILE = Prepared(
    _NEW.values(
        _parameters(
            "account",
            "job",
            "key",
            "label",
            "fingerprint",
            "importable",
            "state",
            "first_seen",
            "last_seen",
            "version",
            "due",
            "marketplace",
        )
    ).on_conflict_do_update(
        index_elements=items.primary_key.columns,
        set_={
            "label": func.coalesce(_NEW.excluded.label, items.c.label),
            "importable": case((items.c.importable == 1, 1), else_=_NEW.excluded.importable),
            "last_seen": _NEW.excluded.last_seen,
            "fingerprint": _reset("fingerprint", _NEW.excluded.fingerprint),
            "version": case((_IS_OLDER, items.c.version), else_=_KNOWN_VERSION),
            "due": case((_IS_OLDER, items.c.due), else_=_KNOWN_DUE),
            "marketplace": func.coalesce(_NEW.excluded.marketplace, items.c.marketplace),
            "state": _reset("state", _NEW.excluded.state),
            "attempts": _reset("attempts", 0),
            "opened": _reset("opened", _REOPENED_AT["first_seen"]),
            **{name: _reset(name, null()) for name in (*REASONLESS, "unanswered_since")},
        },
    )
)
REOPEN = update(items).where(is_quarantined)
REOPEN = REOPEN.values(state=State.PENDING, **REASONLESS)
SETTLE = Prepared(
    update(items)
    .where(*ONE, items.c.fingerprint == bindparam("processed"))
    .values(
        state=bindparam("into"),
        memo=func.coalesce(bindparam("new_memo", type_=Text), items.c.memo),
        watched=func.coalesce(bindparam("is_watched", type_=Integer), items.c.watched),
        last_tried=bindparam("now", type_=Moment),
        unanswered_since=null(),
        refused_since=null(),
        **REASONLESS,
    )
)
QUARANTINE = Prepared(
    _NEW.values(
        fingerprint="",
        importable=0,
        state=State.QUARANTINED,
        attempts=1,
        **_parameters("account", "job", "key", "first_seen", "last_seen", "last_tried"),
        **_parameters(*REASONLESS),
    ).on_conflict_do_update(
        index_elements=items.primary_key.columns,
        set_={
            **{name: _NEW.excluded[name] for name in ("state", *REASONLESS, "last_tried")},
            "attempts": items.c.attempts + 1,
            "opened": _REOPENED_AT["last_tried"],
            "unanswered_since": null(),
            "refused_since": null(),
        },
    )
)
REMEMBER = Prepared(
    update(items).where(*ONE).values(memo=bindparam("new_memo"), watched=bindparam("is_watched"))
)
NOTE_RECORD = Prepared(
    update(items)
    .where(*ONE, items.c.record.is_distinct_from(bindparam("new_record", type_=Integer)))
    .values(record=bindparam("new_record"))
)
FORGETTABLE = (
    select(items.c.key)
    .where(
        *ONE[:2],
        is_finished,
        not_(is_watched),
        items.c.last_seen < bindparam("before", type_=Moment),
    )
    .limit(1000)
)
FORGET = Prepared(delete(items).where(*ONE))
ENTRY = [column for column in items.c if column.name not in ("watched", "version")]
GET = Prepared(select(*ENTRY).where(*ONE))
OF_ORDER = Prepared(
    select(*ENTRY)
    .where(
        or_(
            items.c.key == bindparam("order_id"),
            and_(items.c.key >= bindparam("first"), items.c.key < bindparam("last")),
        )
    )
    .order_by(items.c.account, items.c.job, items.c.key)
)
PENDING = (
    select(items.c.key, items.c.fingerprint)
    .where(indexed(is_pending, *ONE[:2]))
    .order_by(items.c.first_seen, items.c.key)
)
QUARANTINED_KEYS = (
    select(items.c.account, items.c.job, items.c.key)
    .where(is_quarantined)
    .order_by(items.c.account, items.c.job, items.c.key)
)
DUE = (
    select(*ENTRY)
    .where(items.c.state != State.LEFT_OUT, indexed(is_due, *ONE[:2]))
    .order_by(items.c.due, items.c.key)
)
WATCHED = (
    select(*ENTRY)
    .where(items.c.state == State.DONE, indexed(is_watched, *ONE[:2]))
    .order_by(items.c.key)
)
