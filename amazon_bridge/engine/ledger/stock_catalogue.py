"""The listings of each marketplace, from Amazon's reports; and feeds of quantities."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Insert, and_, case, delete, func, literal, null, or_, select, update

from amazon_bridge.engine.ledger.columns import Moment, insert
from amazon_bridge.engine.ledger.database import AnyRow, Subject
from amazon_bridge.engine.ledger.tables import (
    is_open_stock_feed,
    is_sent,
    stock_feeds,
    stock_listings,
    stock_marketplaces,
)
from amazon_bridge.engine.stock_records import ReportProgress, StockFeed
from amazon_bridge.model import Listing

_L, _M, _F = stock_listings.c, stock_marketplaces.c, stock_feeds.c

_NEW = insert(stock_listings)
_IS_AGAIN = _L.seen == _NEW.excluded.seen
"""The report has a second row of the SKU, of another channel."""
_IS_OLDER = _L.read_at > _NEW.excluded.seen
"""The listing was read by itself since the report was requested."""
_MAY_BE_OLDER = _L.read_at > _NEW.excluded.read_at
"""The listing was read by itself since Amazon may have made the report's contents."""
_PAGE = 500  # SKUs in a statement
_OLDEST = timedelta(hours=6)
"""Amazon renews the contents of a report within this time."""


def _merged(name: str) -> object:
    both = case((_NEW.excluded[name].is_(None), _L[name]), else_=_NEW.excluded[name])
    return case((_IS_AGAIN, both), (_MAY_BE_OLDER, _L[name]), else_=_NEW.excluded[name])


def _filing(doubted: str) -> Insert:
    """The statement that records rows of a report; see ``file``."""
    is_doubted = and_(_MAY_BE_OLDER, _NEW.excluded.channels == doubted)
    return _NEW.on_conflict_do_update(
        index_elements=stock_listings.primary_key.columns,
        set_={
            "channels": case(
                (_IS_AGAIN, _L.channels + "," + _NEW.excluded.channels),
                (or_(_IS_OLDER, is_doubted), _L.channels),
                else_=_NEW.excluded.channels,
            ),
            "quantity": _merged("quantity"),
            "status": case((_IS_AGAIN, _L.status), else_=_NEW.excluded.status),
            "read_at": case((_MAY_BE_OLDER, _L.read_at), else_=_NEW.excluded.read_at),
            "seen": _NEW.excluded.seen,
            "gone": null(),
        },
    )


class StockCatalogue(Subject):
    """The reports and feeds of all accounts."""

    def of(self, account: str, marketplace: str) -> ReportProgress:
        """How far the listings of a marketplace are known."""
        of = (_M.account == account, _M.marketplace == marketplace)
        rows = self._rows(select(stock_marketplaces).where(*of))
        return _catalogue(rows[0]) if rows else ReportProgress()

    def requested(self, account: str, marketplace: str, report_id: str | None) -> None:
        """Record which report was requested; None: it isn't waited for any more."""
        at = self._now() if report_id else None
        self._note(account, marketplace, report_id=report_id, requested=at)

    def has_listings(self, account: str, marketplace: str) -> bool:
        """True if any listing of a marketplace is known."""
        of = (_L.account == account, _L.marketplace == marketplace, _L.gone.is_(None))
        return bool(self._rows(select(_L.sku).where(*of).limit(1)))

    def keep_only(self, account: str, marketplaces: Sequence[str]) -> None:
        """Forget the listings of marketplaces that an account has no more."""
        is_other = (_M.account == account, _M.marketplace.not_in(marketplaces))
        others = [row.marketplace for row in self._rows(select(_M.marketplace).where(*is_other))]
        if others:
            with self._transaction(account) as db:
                for table in (stock_listings, stock_marketplaces):
                    of = (table.c.account == account, table.c.marketplace.in_(others))
                    db.execute(delete(table).where(*of))

    def note_separate(self, account: str, marketplace: str) -> None:
        """Record that quantities sent to other marketplaces do not reach this one."""
        self._note(account, marketplace, is_separate=1)

    def file(
        self,
        account: str,
        marketplace: str,
        listings: Iterable[Listing],
        at: datetime,
        *,
        doubted: Sequence[str] = (),
    ) -> None:
        """Record rows of a report.

        Args:
            account: the account's name.
            marketplace: the marketplace's id.
            listings: the listings.
            at: when the report was requested.
            doubted: channels that a row is not believed to have if the listing was read by itself
                since Amazon may have made the report's contents.
        """
        rows = [
            {
                "account": account,
                "sku": each.sku,
                "marketplace": marketplace,
                "channels": ",".join(each.channels),
                "quantity": each.quantity,
                "status": ",".join(each.status),
                "read_at": at - _OLDEST,
                "seen": at,
            }
            for each in listings
        ]
        if rows:
            with self._transaction(account) as db:
                db.execute(_filing(",".join(doubted)), rows)

    def keep(self, account: str, marketplace: str, skus: Sequence[str], at: datetime) -> None:
        """Record that a report has rows of these SKUs, although they can't be read."""
        of = (_L.account == account, _L.marketplace == marketplace)
        seen = update(stock_listings).where(*of).values(seen=at)
        with self._transaction() as db:
            for start in range(0, len(skus), _PAGE):
                db.execute(seen.where(_L.sku.in_(list(skus[start : start + _PAGE]))))

    def finish(self, account: str, marketplace: str, at: datetime) -> None:
        """Record that a report is read.

        Listings that it doesn't have are read one by one, to see whether they are gone: Amazon has
        made reports that lacked some.
        """
        of = (_L.account == account, _L.marketplace == marketplace)
        missing = (_L.seen < at, _L.read_at <= at, _L.gone.is_(None))
        open_again = {
            "sent": case((is_sent, _L.sent), else_=_L.quantity),
            "sent_at": func.coalesce(_L.sent_at, literal(at, Moment)),
        }
        with self._transaction(account) as db:
            db.execute(update(stock_listings).where(*of, *missing).values(**open_again))
        self._note(account, marketplace, report_id=None, requested=None, read=self._now())

    def _note(self, account: str, marketplace: str, **values: object) -> None:
        statement = insert(stock_marketplaces).on_conflict_do_update(
            index_elements=stock_marketplaces.primary_key.columns, set_=values
        )
        row = {"account": account, "marketplace": marketplace, **values}
        with self._transaction(account) as db:
            db.execute(statement, row)

    # Feeds

    def begin_feed(
        self, account: str, marketplace: str, skus: Sequence[str], covers: Sequence[str]
    ) -> int:
        """Note that the quantities of these SKUs are about to be sent in a feed.

        Args:
            account: the account's name.
            marketplace: the marketplace's id.
            skus: in the sequence of the feed's messages.
            covers: the marketplaces that the quantities are expected to reach.
        """
        row = {
            "account": account,
            "marketplace": marketplace,
            "skus": json.dumps(list(skus)),
            "covers": json.dumps(list(covers)),
            "begun": self._now(),
        }
        statement = insert(stock_feeds).returning(_F.number)
        with self._transaction(account) as db:
            number: int = db.execute(statement, row).scalar_one()
        return number

    def set_feed_id(self, number: int, feed_id: str) -> None:
        """Note the id that Amazon gave to a feed."""
        self._update_feed(number, feed_id=feed_id)

    def give_up_feed(self, number: int) -> None:
        """Note that a feed isn't waited for any more; Amazon may still process it."""
        self._update_feed(number, given_up=self._now())

    def close_feed(self, number: int) -> None:
        """Note that a feed's result is processed, or that it was never created."""
        self._update_feed(number, closed=self._now())

    def open_feeds(self, account: str) -> list[StockFeed]:
        """The feeds that Amazon hasn't processed yet, oldest first."""
        query = select(stock_feeds).where(_F.account == account, is_open_stock_feed)
        return [_feed(row) for row in self._rows(query.order_by(_F.number))]

    def forget_feeds(self, accounts: Collection[str], before: datetime) -> None:
        """Forget the closed feeds of these accounts that began before a moment."""
        old = (_F.account.in_(accounts), _F.begun < before, _F.closed.is_not(None))
        with self._transaction() as db:
            db.execute(delete(stock_feeds).where(*old))

    def _update_feed(self, number: int, **values: object) -> None:
        with self._transaction() as db:
            db.execute(update(stock_feeds).where(_F.number == number).values(**values))


def _catalogue(row: AnyRow) -> ReportProgress:
    return ReportProgress(row.report_id, row.requested, row.read, bool(row.is_separate))


def _feed(row: AnyRow) -> StockFeed:
    return StockFeed(
        number=row.number,
        marketplace_id=row.marketplace,
        skus=tuple(json.loads(row.skus)),
        begun=row.begun,
        feed_id=row.feed_id,
        covers=tuple(json.loads(row.covers)),
        given_up=row.given_up is not None,
    )
