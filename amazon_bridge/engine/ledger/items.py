"""The items of all jobs: what was seen, done and quarantined.

An item is always in exactly one state::

    file ──> pending ──settle──> done, left_out ──file, changed──> pending
                └──quarantine──> quarantined ──file, changed / retry──> pending
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    update,
)

from amazon_bridge.engine.codec import BaseMemo, encode
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import in_flight, memos, skus, statements
from amazon_bridge.engine.ledger.columns import Moment
from amazon_bridge.engine.ledger.item_numbers import ItemNumbers
from amazon_bridge.engine.ledger.lanes import note_page
from amazon_bridge.engine.ledger.tables import (
    accounts,
    is_finished,
    is_pending,
    is_quarantined,
    items,
)
from amazon_bridge.engine.records import (
    HELD,
    MAX_ATTEMPTS,
    Entry,
    InFlight,
    Seen,
    State,
)
from amazon_bridge.engine.window import Reading

_KEYS_AT_ONCE = 500


class Items(ItemNumbers):
    """The items of all accounts and jobs."""

    def file(
        self,
        account: str,
        job: str,
        seen: Iterable[Seen],
        *,
        reading: Reading | None = None,
        units: Sequence[InFlight] = (),
    ) -> list[str]:
        """File what was seen, and note that the reading has come so far: all or nothing.

        New and changed items become pending, quarantined ones too. An item is changed when
        its fingerprint is not the filed one. A version older than the filed one changes nothing.
        File an order again when it is fetched again.

        At its end the cursor moves to the end of the window; only forward, and only from within
        the window or from its start: a cursor that was set back since then stays there.

        ``units`` are noted as in flight, except those of orders that are in Odoo.

        Returns:
            The keys of those that are pending as they were seen, in the order in which they were
            seen.
        """
        now, rows = self._now(), list(seen)
        if not rows and not units and reading is None:
            return []
        new: dict[str, object] = {"account": account, "job": job, "state": State.PENDING}
        new |= {"first_seen": now, "last_seen": now}
        with self._transaction(account) as db:
            db.run(statements.FILE, *({**new, **_columns(row)} for row in rows))
            in_flight.note(db, account, job, units, now)
            if reading:
                note_page(db, account, reading)
        pending = self._pending(account, job) if rows else {}
        latest = {row.key: row.fingerprint for row in rows}
        return [key for key, fingerprint in latest.items() if pending.get(key) == fingerprint]

    def pending(self, account: str, job: str) -> list[str]:
        """The keys of all items that are still to be processed, first seen first."""
        return list(self._pending(account, job))

    def _pending(self, account: str, job: str) -> dict[str, str]:
        rows = self._rows(statements.PENDING, {"of_account": account, "of_job": job})
        return {row.key: row.fingerprint for row in rows}

    def pending_entries(self, account: str, job: str) -> list[Entry]:
        """The items that are still to be processed."""
        return self._entries(statements.indexed(is_pending, *_is_of(account, job)))

    def first_pending(self, account: str, job: str, most: int | None) -> list[Entry]:
        """At most ``most`` pending items: those with a known reason first, then the oldest."""
        is_unexplained = func.coalesce(items.c.reason, items.c.unanswered_since).is_(None)
        query = (
            select(*statements.ENTRY)
            .where(statements.indexed(is_pending, *_is_of(account, job)))
            .order_by(is_unexplained, items.c.first_seen, items.c.key)
            .limit(most)
        )
        return [_entry(row) for row in self._rows(query)]

    def explain(self, account: str, job: str, key: str, reason: str) -> None:
        """Record why an item is pending, until it is settled, quarantined or changed."""
        one = update(items).where(*_is_of(account, job), items.c.key == key)
        with self._transaction(account) as db:
            db.execute(one.where(is_pending).values(reason=reason))

    def remember(self, account: str, job: str, key: str, memo: BaseMemo | None) -> None:
        """Keep the job's memo of an item; None forgets it."""
        watched = memo is not None and memo.is_watched
        columns = {"new_memo": memo and encode(memo), "is_watched": int(watched)}
        with self._transaction(account) as db:
            db.run(statements.REMEMBER, {**_one(account, job, key), **columns})

    def note_silence(self, account: str, job: str, key: str) -> datetime | None:
        """Note that a remote does not respond for a filed item, and return since when.

        Settling, quarantining or changing an item clears it.
        """
        return self._note_since(items.c.unanswered_since, _one(account, job, key))

    def note_response(self, account: str, job: str, key: str) -> None:
        """Note that a remote responds for an item."""
        where = (*_is_of(account, job), items.c.key == key, items.c.unanswered_since.is_not(None))
        with self._transaction(account) as db:
            db.execute(update(items).where(*where).values(unanswered_since=None))

    def note_refusal(self, account: str, job: str, key: str) -> datetime | None:
        """Note that Odoo refuses a filed item, and return since when.

        Settling or quarantining an item clears it.
        """
        return self._note_since(items.c.refused_since, _one(account, job, key))

    def note_records(self, account: str, job: str, ids: Mapping[str, int]) -> None:
        """Note the database ids in Odoo of the records of filed items, by the items' keys."""
        rows = [{**_one(account, job, key), "new_record": id_} for key, id_ in ids.items()]
        if rows:
            with self._transaction(account) as db:
                db.run(statements.NOTE_RECORD, *rows)

    def settle(
        self,
        account: str,
        job: str,
        key: str,
        fingerprint: str,
        state: State = State.DONE,
        *,
        memo: BaseMemo | None = None,
    ) -> bool:
        """Note that an item was processed: done, or left out on purpose.

        Args:
            account: the account's name.
            job: the job's name.
            key: the item's key.
            fingerprint: of the item as it was processed.
            state: DONE or LEFT_OUT.
            memo: what the job remembers of it; None keeps the old one.

        Returns:
            False if the filed item has changed since: it stays as it is.
        """
        now = self._now()
        columns = {"memo": encode(memo), "watched": int(memo.is_watched)} if memo else {}
        values = {
            **_one(account, job, key),
            "processed": fingerprint,
            "into": state,
            "new_memo": columns.get("memo"),
            "is_watched": columns.get("watched"),
            "now": now,
        }
        with self._transaction(account) as db:
            settled = db.run(statements.SETTLE, values) > 0
            if settled and columns:
                memos.keep(
                    db, {"account": account, "job": job, "key": key, "since": now, **columns}
                )
        return settled

    def quarantine(self, account: str, job: str, key: str, error: ItemError) -> None:
        """Quarantine an item, whether it was filed before or not."""
        now = self._now()
        row = {
            "account": account,
            "job": job,
            "key": key,
            **dict.fromkeys(("first_seen", "last_seen", "last_tried"), now),
            "kind": error.kind,
            "reason": error.reason,
            "remedy": error.remedy,
        }
        with self._transaction(account) as db:
            db.run(statements.QUARANTINE, row)

    def get(self, account: str, job: str, key: str) -> Entry | None:
        """One item; None if it was never filed."""
        rows = self._fetch(statements.GET, _one(account, job, key))
        return _entry(rows[0]) if rows else None

    def without_marketplace(self, account: str, job: str, keys: Sequence[str]) -> list[Entry]:
        """Those of these items whose marketplace is not known."""
        found: list[Entry] = []
        for first in range(0, len(keys), _KEYS_AT_ONCE):
            is_one = items.c.key.in_(keys[first : first + _KEYS_AT_ONCE])
            found += self._entries(*_is_of(account, job), is_one, items.c.marketplace.is_(None))
        return found

    def with_key(self, key: str) -> list[Entry]:
        """The items with this key, in any account and job."""
        return self._entries(items.c.key == key)

    def of_order(self, order_id: str) -> list[Entry]:
        """An order and what belongs to it, such as its delivery orders."""
        named = {"order_id": order_id, "first": f"{order_id}#", "last": f"{order_id}$"}
        return [_entry(row) for row in self._fetch(statements.OF_ORDER, named)]

    def quarantined(self, account: str | None = None) -> list[Entry]:
        """The quarantined items, of one account or of all."""
        of_account = (items.c.account == account,) if account else ()
        keys = select(items.c.key).where(is_quarantined, *of_account)
        # Not ``indexed``: with the account alone SQLite would search all of its items.
        found = self._entries(is_quarantined, items.c.key.in_(keys))
        return [entry for entry in found if account in {None, entry.account}]

    def first_quarantined(self, account: str | None, most: int) -> list[Entry]:
        """At most ``most`` quarantined items, of one account or of all, in the same sequence."""
        of_account = (items.c.account == account,) if account else ()
        query = statements.QUARANTINED_KEYS.where(*of_account).limit(most)
        found = (self.get(*row) for row in self._rows(query))
        return [entry for entry in found if entry]

    def watched(self, account: str, job: str) -> list[Entry]:
        """The items that are done and that runs still check."""
        rows = self._rows(statements.WATCHED, {"of_account": account, "of_job": job})
        return [_entry(row) for row in rows]

    def due(self, account: str, job: str) -> list[Entry]:
        """The items with a date by which they are due, the most urgent first.

        Those that are left out are nobody's business.
        """
        rows = self._rows(statements.DUE, {"of_account": account, "of_job": job})
        return [_entry(row) for row in rows]

    def of_job(self, account: str, job: str) -> list[Entry]:
        """All items of a job, whatever their state."""
        return self._entries(*_is_of(account, job))

    def latest_done(self, job: str, number: int) -> list[str]:
        """The keys of the items of a job that were done last, in any account."""
        query = (
            select(items.c.key)
            .where(items.c.job == job, items.c.state == State.DONE)
            .order_by(items.c.last_tried.desc())
            .limit(number)
        )
        return [row.key for row in self._rows(query)]

    def retry(
        self,
        key: str | None = None,
        *,
        account: str | None = None,
        kinds: Collection[str] | None = None,
    ) -> int:
        """Make quarantined items pending again: those that all arguments allow.

        Args:
            key: an item's key, its label or both as ``display_key`` has them, or the id of the
                order that the key begins with; None for all.
            account: name of the account; None for all.
            kinds: why they were quarantined; None for all kinds, ``HELD`` too.

        Returns:
            How many there were.
        """
        named = [_is_named(key)] if key else []
        named += [items.c.account == account] if account else []
        named += [items.c.kind.in_(kinds)] if kinds is not None else []
        with self._transaction() as db:
            return db.execute(statements.REOPEN.where(*named)).rowcount

    def reopen(self, account: str, job: str, key: str) -> None:
        """Make an item pending again, whatever its state."""
        named = (*_is_of(account, job), items.c.key == key)
        with self._transaction(account) as db:
            opened = case((is_finished, literal(self._now(), Moment)), else_=items.c.opened)
            values = {"state": State.PENDING, "opened": opened, **statements.REASONLESS}
            db.execute(update(items).where(*named).values(values))

    def configuration_changed(self, account: str, digest: str) -> bool:
        """Compare with the configuration of last time; if it changed, retry quarantined items.

        Items that were quarantined ``MAX_ATTEMPTS`` times stay there, and those that are ``HELD``.
        The first digest of an account is no change.
        """
        of_account = accounts.c.name == account
        known = select(accounts.c.configuration).where(of_account)
        if [row.configuration for row in self._rows(known)] == [digest]:
            return False
        with self._transaction(account) as db:
            before = db.execute(known).scalar()
            if before == digest:  # another job was first
                return False
            db.execute(update(accounts).where(of_account).values(configuration=digest))
            if before is not None:
                db.execute(statements.REOPEN.where(items.c.account == account, _may_be_retried()))
            return before is not None

    def forget_finished(self, account: str, job: str, before: datetime) -> int:
        """Forget items that are done or left out and were last seen before a moment.

        Those that runs still check are kept. What else is kept of the others goes with them. Other
        processes get their turn between batches.

        Returns:
            How many there were.
        """
        total, one = 0, _one(account, job, "")
        while self._rows(statements.FORGETTABLE, {**one, "before": before}):
            total += self._forget_batch(one, before)
        return total

    def _forget_batch(self, one: dict[str, str], before: datetime) -> int:
        with self._transaction() as db:
            found = db.execute(statements.FORGETTABLE, {**one, "before": before}).scalars()
            forgotten = [{**one, "of_key": key} for key in found]
            for forget in (statements.FORGET, memos.FORGET, skus.FORGET) if forgotten else ():
                db.run(forget, *forgotten)
        return len(forgotten)

    def _note_since(self, column: Column[datetime], one: dict[str, str]) -> datetime | None:
        """Set a moment unless it is set, and return it; None if the item was never filed."""
        note = (
            update(items)
            .where(*statements.ONE)
            .values({column: func.coalesce(column, literal(self._now(), Moment))})
        )
        with self._transaction(one["of_account"]) as db:
            return db.execute(note.returning(column), one).scalar()

    def _entries(self, *where: ColumnElement[bool]) -> list[Entry]:
        query: Select[*tuple[Any, ...]] = select(*statements.ENTRY).where(*where)
        query = query.order_by(items.c.account, items.c.job, items.c.key)
        return [_entry(row) for row in self._rows(query)]


def _one(account: str, job: str, key: str) -> dict[str, str]:
    return {"of_account": account, "of_job": job, "of_key": key}


def _is_of(account: str, job: str) -> tuple[ColumnElement[bool], ...]:
    return items.c.account == account, items.c.job == job


def _is_named(name: str) -> ColumnElement[bool]:
    """Whether people mean an item by this name: key, label, both, or the order's id."""
    key, label = items.c.key, items.c.label
    is_of_order = func.substr(key, 1, len(name) + 1) == f"{name}#"
    return or_(key == name, label == name, label + "@" + key == name, is_of_order)


def _may_be_retried() -> ColumnElement[bool]:
    return and_(items.c.attempts < MAX_ATTEMPTS, items.c.kind != HELD)


def _columns(seen: Seen) -> dict[str, object]:
    return {**seen._asdict(), "importable": int(seen.importable)}


def _entry(row: Sequence[Any]) -> Entry:
    """Convert a row of ``statements.ENTRY``, which has the sequence of ``Entry``'s fields."""
    fields = list(row)
    fields[4:6] = bool(row[4]), State(row[5])
    return Entry(*fields)
