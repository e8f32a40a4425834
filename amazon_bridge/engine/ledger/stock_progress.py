"""How far the SKUs of an account are compared, and how often Amazon showed other quantities."""

from __future__ import annotations

from sqlalchemy import null, select, update

from amazon_bridge.engine.ledger.columns import insert
from amazon_bridge.engine.ledger.database import AnyRow, Subject
from amazon_bridge.engine.ledger.tables import stock_progress
from amazon_bridge.engine.stock_records import FullComparison, StockProgress

_P = stock_progress.c
_NOTE = insert(stock_progress)


class StockComparisons(Subject):
    """The comparisons of all SKUs, of each account."""

    def progress(self, account: str) -> StockProgress:
        """When all SKUs were compared last."""
        rows = self._rows(select(stock_progress).where(_P.account == account))
        return _progress(rows[0]) if rows else StockProgress()

    def begin(self, account: str, settings: str) -> FullComparison:
        """Record that a comparison of all SKUs begins, with these settings."""
        full = FullComparison(self._now())
        values = {"settings": settings, "full_began": full.began, "full_after": full.after}
        self._note(account, values, **values)
        return full

    def note(self, account: str, after: str) -> None:
        """Record the last SKU that the comparison of all SKUs has compared."""
        self._update(account, full_after=after)

    def finish(self, account: str) -> None:
        """Record that all SKUs are compared."""
        self._update(account, compared=_P.full_began, full_began=null())

    def note_drift(self, account: str) -> None:
        """Count a listing that showed another quantity than was sent."""
        self._note(account, {"drifts": 1}, drifts=_P.drifts + 1)

    def _update(self, account: str, **values: object) -> None:
        with self._transaction() as db:
            db.execute(update(stock_progress).where(_P.account == account).values(**values))

    def _note(self, account: str, first: dict[str, object], **changed: object) -> None:
        statement = _NOTE.on_conflict_do_update(
            index_elements=stock_progress.primary_key.columns, set_=changed
        )
        with self._transaction(account) as db:
            db.execute(statement, {"account": account, **first})


def _progress(row: AnyRow) -> StockProgress:
    full = FullComparison(row.full_began, row.full_after) if row.full_began else None
    return StockProgress(row.compared, row.settings, row.drifts, full)
