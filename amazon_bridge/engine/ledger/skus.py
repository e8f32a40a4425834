"""Seller SKUs that no product in Odoo matches."""

from __future__ import annotations

from collections.abc import Iterable

from amazon_bridge.engine.ledger.database import Subject
from amazon_bridge.engine.records import Unmatched


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
        with self._database.transaction(account) as db:
            db.executemany(
                "INSERT OR REPLACE INTO unmatched (account, name, key, reason) VALUES (?, ?, ?, ?)",
                [(account, *each) for each in unmatched],
            )
            db.executemany(
                "DELETE FROM unmatched WHERE account = ? AND name = ?",
                [(account, name) for name in matched],
            )

    def unmatched(self, account: str) -> list[Unmatched]:
        """The unmatched SKUs, those of most items first."""
        rows = self._rows(
            "SELECT name, max(reason) AS reason, count(*) AS items, max(key) AS last_key"
            " FROM unmatched WHERE account = ? GROUP BY name ORDER BY items DESC, name",
            account,
        )
        return [Unmatched(**row) for row in rows]
