"""Units in flight: sold on Amazon, and not yet in a confirmed sale order in Odoo.

Amazon takes units off its stock count when an order is placed. A quantity of Odoo lacks them
only once Odoo holds the order; until then they are kept here. No buyer's data.

A survey finds all open orders once; what changes later is noted as it is read. Without a survey, or
after a gap, it is not known what is in flight.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, update

from amazon_bridge.engine.ledger.columns import insert
from amazon_bridge.engine.ledger.database import AnyRow, Subject, Transaction
from amazon_bridge.engine.ledger.lanes import forget_survey, note_page
from amazon_bridge.engine.ledger.tables import in_flight as table
from amazon_bridge.engine.ledger.tables import items, surveys
from amazon_bridge.engine.records import InFlight, UnitsOfOrder
from amazon_bridge.engine.window import Reading

_ANY_NUMBER = 0
"""The units of a row whose number can't be read; orders that hold none have no rows."""

_OF_ACCOUNT = table.c.account == bindparam("of_account")
_OF_KEYS = (_OF_ACCOUNT, table.c.key.in_(bindparam("keys", expanding=True)))
_NOTED = select(table.c.key, table.c.version, table.c.since).where(*_OF_KEYS)
_FILED = select(items.c.key, items.c.version, items.c.memo.is_not(None).label("processed")).where(
    items.c.account == bindparam("of_account"),
    items.c.job == bindparam("of_job"),
    items.c.key.in_(bindparam("keys", expanding=True)),
)
_RELEASE = delete(table).where(*_OF_KEYS)
_ADD = insert(table)
_ADD = _ADD.on_conflict_do_update(
    index_elements=table.primary_key.columns,
    set_={name: _ADD.excluded[name] for name in ("units", "checked", "version")},
)
_LOOKED_UP = update(table).where(*_OF_KEYS).values(checked=bindparam("now"))
_FINISH = insert(surveys)
_FINISH = _FINISH.on_conflict_do_update(
    index_elements=surveys.primary_key.columns,
    set_={name: _FINISH.excluded[name] for name in ("filters", "finished")},
)


class UnitsInFlight(Subject):
    """The units in flight of all accounts."""

    def units(self, account: str) -> dict[str, int]:
        """The units in flight by SKU; the empty SKU has those of which Amazon names none.

        Of the ``unclear`` SKUs these are the least.
        """
        query = select(table.c.sku, func.sum(table.c.units)).where(_OF_ACCOUNT)
        rows = self._rows(query.group_by(table.c.sku), {"of_account": account})
        return {sku: int(number) for sku, number in rows}

    def unclear(self, account: str) -> set[str]:
        """The SKUs of which an order holds an unknown number of units."""
        query = select(table.c.sku).where(_OF_ACCOUNT, table.c.units == _ANY_NUMBER).distinct()
        return {row.sku for row in self._rows(query, {"of_account": account})}

    def orders(self, account: str, sku: str) -> list[UnitsOfOrder]:
        """The orders that hold units of a SKU, the oldest first."""
        query = select(table.c.key, table.c.units, table.c.since)
        query = query.where(_OF_ACCOUNT, table.c.sku == sku).order_by(table.c.since, table.c.key)
        rows = self._rows(query, {"of_account": account})
        return [UnitsOfOrder(row.key, row.units or None, row.since) for row in rows]

    def unchecked(self, account: str, before: datetime, most: int) -> list[str]:
        """Keys of at most ``most`` orders last checked before a moment; the longest ago first."""
        last = func.min(table.c.checked)
        query = select(table.c.key).where(_OF_ACCOUNT).group_by(table.c.key).having(last < before)
        query = query.order_by(last, table.c.key).limit(most)
        return [row.key for row in self._rows(query, {"of_account": account})]

    def note(
        self,
        account: str,
        job: str,
        orders: Sequence[InFlight],
        *,
        reading: Reading | None = None,
    ) -> None:
        """Note the units of orders that are known not to be in Odoo, or none.

        Args:
            account: the account's name.
            job: the job whose items the orders are.
            orders: as Amazon shows them now.
            reading: how far the survey has come. Its last page ends it: orders that neither it nor
                anything since its beginning has shown are forgotten.
        """
        if not orders and reading is None:
            return
        with self._transaction(account) as db:
            note(db, account, job, orders, self._now(), in_odoo_if_processed=False)
            if reading:
                note_page(db, account, reading)
                _finish(db, account, reading, self._now())

    def note_lookup(self, account: str, *keys: str) -> None:
        """Note that orders were looked up, successfully or not: others are next."""
        with self._transaction(account) as db:
            db.execute(_LOOKED_UP, {"of_account": account, "keys": keys, "now": self._now()})

    def release(self, account: str, keys: Collection[str]) -> None:
        """Forget the units of these orders: Odoo holds them, or they don't exist."""
        if keys:
            with self._transaction(account) as db:
                db.execute(_RELEASE, {"of_account": account, "keys": list(keys)})

    def expire(self, account: str, keys: Collection[str], before: datetime) -> None:
        """Forget those of these orders that have held their units since before a moment."""
        with self._transaction(account) as db:
            old = _RELEASE.where(table.c.since < before)
            db.execute(old, {"of_account": account, "keys": list(keys)})

    def is_surveyed(self, account: str, filters: str) -> bool:
        """Whether all units in flight are known, for a search with these filters."""
        query = select(surveys.c.filters).where(surveys.c.account == account)
        return [row.filters for row in self._rows(query)] == [filters]

    def surveyed(self, account: str) -> datetime | None:
        """When the last survey ended; None if none did."""
        query = select(surveys.c.finished).where(surveys.c.account == account)
        rows = self._rows(query)
        return rows[0].finished if rows else None

    def stop(self, account: str) -> None:
        """Forget everything: nobody needs the units in flight."""
        is_surveyed = self._rows(select(surveys.c.account).where(surveys.c.account == account))
        if is_surveyed or self.units(account):
            with self._transaction(account) as db:
                forget_survey(db, account)
                db.execute(delete(table).where(table.c.account == account))

    def forget(self, before: datetime) -> None:
        """Forget orders last checked before a moment: their accounts are not used any more."""
        with self._transaction() as db:
            db.execute(delete(table).where(table.c.checked < before))


def note(
    db: Transaction,
    account: str,
    job: str,
    orders: Sequence[InFlight],
    now: datetime,
    *,
    in_odoo_if_processed: bool = True,
) -> None:
    """Note the units of orders; older versions than the known ones change nothing.

    Args:
        db: the transaction.
        account: the account's name.
        job: the job whose items the orders are.
        orders: as Amazon shows them.
        now: the moment.
        in_odoo_if_processed: an order that was processed, and whose units were released, is in
            Odoo.
    """
    if not orders:
        return
    values = {"of_account": account, "of_job": job, "keys": [each.key for each in orders]}
    noted = {row.key: row for row in db.execute(_NOTED, values)}
    filed = {row.key: row for row in db.execute(_FILED, values)}
    latest = [e for e in orders if not any(_is_older(e, k.get(e.key)) for k in (noted, filed))]
    db.execute(_RELEASE, {**values, "keys": [each.key for each in latest]})
    in_odoo = {key for key, row in filed.items() if row.processed and key not in noted}
    added = [e for e in latest if not (in_odoo_if_processed and e.key in in_odoo)]
    rows = [
        {
            "account": account,
            "key": each.key,
            "sku": sku,
            "units": _ANY_NUMBER if units is None else units,
            "since": noted[each.key].since if each.key in noted else now,
            "checked": now,
            "version": each.version,
        }
        for each in added
        for sku, units in each.units.items()
    ]
    if rows:
        db.execute(_ADD, rows)


def _is_older(order: InFlight, known: AnyRow | None) -> bool:
    """False if a version is unknown."""
    if known is None or known.version is None or order.version is None:
        return False
    older: bool = order.version < known.version
    return older


def _finish(db: Transaction, account: str, reading: Reading, now: datetime) -> None:
    """End the survey with its last page."""
    if reading.token is None:
        filters = {"account": account, "filters": reading.marketplaces, "finished": now}
        db.execute(_FINISH, filters)
        old = (table.c.account == account, table.c.checked < reading.begun)
        db.execute(delete(table).where(*old))
