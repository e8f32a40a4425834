"""What people were alerted about, and what of it lasts.

Kept in the store, so that an alert is not repeated by the next daemon that works for an account,
and its end is reported by that one.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from amazon_bridge.engine.ledger.columns import insert
from amazon_bridge.engine.ledger.database import Subject
from amazon_bridge.engine.ledger.tables import alerts as table
from amazon_bridge.engine.records import Alert

_KNOWN = select(table).where(table.c.account.in_(bindparam("accounts", expanding=True)))
_BEGIN = insert(table).on_conflict_do_nothing()
_END = delete(table).where(*(table.c[name] == bindparam(f"of_{name}") for name in Alert._fields))


class Alerts(Subject):
    """The alerts of all accounts."""

    def known(self, accounts: Collection[str]) -> dict[Alert, datetime]:
        """What there was an alert about, and since when it is known; of these accounts."""
        rows = self._rows(_KNOWN, {"accounts": list(accounts)}) if accounts else []
        return {Alert(*row[:-1]): row.since for row in rows}

    def note(self, *, begun: Collection[Alert], ended: Collection[Alert]) -> None:
        """Note what there is an alert about now, and what has ended."""
        if not begun and not ended:
            return
        now = self._now()
        with self._transaction() as db:
            for account in {each.account for each in begun}:
                db.add_account(account)
            if begun:
                db.execute(_BEGIN, [{**each._asdict(), "since": now} for each in begun])
            if ended:
                db.execute(_END, [_parameters(each) for each in ended])


def _parameters(alert: Alert) -> dict[str, str]:
    return {f"of_{name}": value for name, value in alert._asdict().items()}
