"""The memos that each item had, so that a rewind can restore them."""

from __future__ import annotations

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    delete,
    func,
    select,
)

from amazon_bridge.engine.ledger.columns import Moment, insert
from amazon_bridge.engine.ledger.database import Transaction
from amazon_bridge.engine.ledger.prepared import Prepared
from amazon_bridge.engine.ledger.tables import items, memos

_KEPT = [memos.c.account, memos.c.job, memos.c.key, memos.c.since, memos.c.memo, memos.c.watched]
_LATEST = (
    select(memos.c.memo)
    .where(
        memos.c.account == bindparam("account"),
        memos.c.job == bindparam("job"),
        memos.c.key == bindparam("key"),
    )
    .order_by(memos.c.since.desc())
    .limit(1)
    .scalar_subquery()
)
_INSERT = insert(memos).from_select(
    [column.name for column in _KEPT],
    select(*(bindparam(column.name, type_=column.type) for column in _KEPT)).where(
        bindparam("memo", type_=memos.c.memo.type).is_distinct_from(_LATEST)
    ),
)
_INSERT = _INSERT.on_conflict_do_update(
    index_elements=memos.primary_key.columns,
    set_={"memo": _INSERT.excluded.memo, "watched": _INSERT.excluded.watched},
)
_KEEP = Prepared(_INSERT)


def keep(db: Transaction, values: dict[str, object]) -> None:
    """Keep an item's memo beside its earlier ones, unless it is the latest.

    Args:
        db: the connection.
        values: account, job, key, since, memo, watched.
    """
    db.run(_KEEP, values)


FORGET = Prepared(
    delete(memos).where(
        memos.c.account == bindparam("of_account"),
        memos.c.job == bindparam("of_job"),
        memos.c.key == bindparam("of_key"),
    )
)
"""Forgets the memos of one item."""


def at(name: str) -> ColumnElement[object]:
    """A column of the memo that an item had at the moment ``:since``, or else its first memo.

    Args:
        name: ``memo`` or ``watched``.
    """
    column = memos.c[name]
    memo = select(column).where(_is_of_item()).limit(1).correlate(items)
    then = memo.where(memos.c.since <= bindparam("since", type_=Moment))
    return func.coalesce(
        _scalar(then.order_by(memos.c.since.desc())),
        _scalar(memo.order_by(memos.c.since)),
        items.c[name],
    )


def _scalar(query: Select[object]) -> ColumnElement[object]:
    return query.scalar_subquery()


def _is_of_item() -> ColumnElement[bool]:
    return (
        (memos.c.account == items.c.account)
        & (memos.c.job == items.c.job)
        & (memos.c.key == items.c.key)
    )
