"""Seller SKUs that no product in Odoo matches."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, exists, func, select

from amazon_bridge.engine.ledger.columns import insert
from amazon_bridge.engine.ledger.database import Subject
from amazon_bridge.engine.ledger.prepared import Prepared
from amazon_bridge.engine.ledger.tables import items
from amazon_bridge.engine.ledger.tables import unmatched as table
from amazon_bridge.engine.records import Unmatched

_NOTE = insert(table)
_NOTE = _NOTE.on_conflict_do_update(
    index_elements=table.primary_key.columns, set_={"reason": _NOTE.excluded.reason}
)


FORGET = Prepared(
    delete(table).where(
        table.c.account == bindparam("of_account"),
        table.c.key == bindparam("of_key"),
        ~exists().where(items.c.account == table.c.account, items.c.key == table.c.key),
    )
)
"""Forgets the SKUs of a key that no item has any more."""


class Skus(Subject):
    """The unmatched SKUs of all accounts, with the orders that contain them."""

    def note_matches(
        self,
        account: str,
        *,
        unmatched: Iterable[tuple[str, str, str]],
        matched: Iterable[str],
    ) -> None:
        """Remember SKUs that use a fallback product, until a product matches them.

        Args:
            account: the account's name.
            unmatched: SKU, item key and reason, for each such SKU of each item.
            matched: SKUs that have a product now: they are forgotten.
        """
        rows = [
            {"account": account, "name": name, "key": key, "reason": reason}
            for name, key, reason in unmatched
        ]
        with self._transaction(account) as db:
            if rows:
                db.execute(_NOTE, rows)
            for name in matched:
                db.execute(delete(table).where(table.c.account == account, table.c.name == name))

    def unmatched(self, account: str) -> list[Unmatched]:
        """The unmatched SKUs, those of most items first."""
        number = func.count().label("items")
        query = (
            select(
                table.c.name,
                func.max(table.c.reason).label("reason"),
                number,
                func.max(table.c.key).label("last_key"),
            )
            .where(table.c.account == account)
            .group_by(table.c.name)
            .order_by(number.desc(), table.c.name)
        )
        return [Unmatched(*row) for row in self._rows(query)]
