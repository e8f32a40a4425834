"""SKUs of the job ``stock``: their listings on Amazon, what was sent, and what is due."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Table,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    null,
    or_,
    select,
    update,
)

from amazon_bridge.engine.ledger.columns import Moment, insert
from amazon_bridge.engine.ledger.database import AnyRow, Subject, Transaction
from amazon_bridge.engine.ledger.tables import is_sent, stock_listings, stock_parts, stock_skus
from amazon_bridge.engine.stock_records import (
    Comparison,
    KnownListing,
    KnownSku,
    SkuState,
)

_S, _L = stock_skus.c, stock_listings.c

_NEW = insert(stock_skus)
_COMPARE = _NEW.on_conflict_do_update(
    index_elements=stock_skus.primary_key.columns,
    set_={
        "since": case(
            (_S.state.is_not_distinct_from(_NEW.excluded.state), _S.since),
            else_=_NEW.excluded.since,
        ),
        **{name: _NEW.excluded[name] for name in ("state", "note", "increase_since", "in_flight")},
    },
)
_ADD_PART = insert(stock_parts).on_conflict_do_nothing()
_ONE = (
    _L.account == bindparam("of_account"),
    _L.sku == bindparam("of_sku"),
    _L.marketplace == bindparam("of_marketplace"),
)
_SEND = update(stock_listings).where(*_ONE)
_SEND = _SEND.values(sent=bindparam("new_sent"), sent_at=bindparam("at", type_=Moment))
_READ = (
    update(stock_listings)
    .where(*_ONE)
    .values(
        channels=bindparam("now_channels"),
        quantity=bindparam("now_quantity"),
        product_type=func.coalesce(bindparam("now_type"), _L.product_type),
        read_at=bindparam("at", type_=Moment),
    )
)


_PAGE = 500  # SKUs in a statement


class Stock(Subject):
    """The SKUs of all accounts."""

    # What is known

    def page(self, account: str, after: str, size: int) -> list[str]:
        """The next SKUs behind one, in order."""
        query = select(_L.sku).where(_L.account == account, _L.sku > after).distinct()
        return [row.sku for row in self._rows(query.order_by(_L.sku).limit(size))]

    def known(self, account: str, skus: Collection[str]) -> dict[str, KnownSku]:
        """What is known of SKUs that have listings, by SKU; at most some hundreds at once."""
        of = list(skus)
        listings: defaultdict[str, list[KnownListing]] = defaultdict(list)
        query = select(stock_listings).where(_L.account == account, _L.sku.in_(of))
        for row in self._rows(query.order_by(_L.sku, _L.marketplace)):
            listings[row.sku].append(_listing(row))
        rows = self._rows(select(stock_skus).where(_S.account == account, _S.sku.in_(of)))
        compared = {row.sku: row for row in rows}
        return {sku: _sku(sku, each, compared.get(sku)) for sku, each in listings.items()}

    def of_products(self, account: str, products: Collection[int]) -> set[str]:
        """The SKUs whose quantities depend on the stock of these products."""
        part = stock_parts.c
        query = select(part.sku).where(part.account == account, part.product.in_(list(products)))
        return {row.sku for row in self._rows(query)}

    def known_all(self, account: str, skus: Sequence[str]) -> list[KnownSku]:
        """What is known of any number of SKUs that have listings."""
        pages = (skus[start : start + _PAGE] for start in range(0, len(skus), _PAGE))
        return [each for page in pages for each in self.known(account, page).values()]

    def parts(self, account: str, skus: Collection[str]) -> set[int]:
        """The products whose stock the quantities of these SKUs depend on."""
        part = stock_parts.c
        query = select(part.product).where(part.account == account, part.sku.in_(list(skus)))
        return {row.product for row in self._rows(query)}

    def in_flight(self, account: str) -> dict[str, int]:
        """The units in flight that quantities were computed with, by SKU."""
        query = select(_S.sku, _S.in_flight).where(_S.account == account, _S.in_flight != 0)
        return {row.sku: row.in_flight for row in self._rows(query)}

    def increased_before(self, account: str, at: datetime) -> set[str]:
        """The SKUs whose quantities have been higher than Amazon's since before a moment."""
        query = select(_S.sku).where(_S.account == account, _S.increase_since <= at)
        return {row.sku for row in self._rows(query)}

    def first_increase(self, account: str) -> datetime | None:
        """Since when the first of the quantities has been higher than Amazon's; None if none is."""
        query = select(func.min(_S.increase_since, type_=Moment).label("first"))
        first: datetime | None = self._rows(query.where(_S.account == account))[0].first
        return first

    def sent_before(self, account: str, at: datetime, most: int) -> list[str]:
        """At most ``most`` SKUs sent before a moment and not read back since, oldest first."""
        query = select(_L.sku).where(_L.account == account, is_sent).group_by(_L.sku)
        first = func.max(_L.sent_at, type_=Moment)
        query = query.having(first <= at).order_by(first, _L.sku).limit(most)
        return [row.sku for row in self._rows(query)]

    def unclear(self, account: str) -> set[str]:
        """The SKUs of which it is unclear what was sent."""
        query = select(_L.sku).where(_L.account == account, is_sent, _L.sent.is_(None))
        return {row.sku for row in self._rows(query)}

    def in_states(
        self, account: str, states: Sequence[SkuState], most: int | None = None
    ) -> list[KnownSku]:
        """At most ``most`` SKUs in these states, in the order of the states; without listings."""
        rank = case({state: rank for rank, state in enumerate(states)}, value=_S.state)
        query = select(stock_skus).where(_S.account == account, _S.state.in_(list(states)))
        rows = self._rows(query.order_by(rank, _S.sku).limit(most))
        return [_sku(row.sku, (), row) for row in rows]

    def counts(self, account: str) -> Counter[SkuState]:
        """The number of SKUs in each state."""
        query = select(_S.state, func.count().label("number")).where(_S.account == account)
        rows = self._rows(query.where(_S.state.is_not(None)).group_by(_S.state))
        return Counter({SkuState(row.state): row.number for row in rows})

    # What Amazon shows, and what was sent

    def note_comparisons(self, account: str, comparisons: Iterable[Comparison]) -> None:
        """Record what a run found of SKUs."""
        found = list(comparisons)
        if not found:
            return
        now = self._now()
        rows = [
            {
                "account": account,
                "sku": each.sku,
                "state": str(each.state),
                "note": each.note,
                "increase_since": each.increase_since,
                "in_flight": each.in_flight,
                "since": now,
            }
            for each in found
        ]
        with self._transaction(account) as db:
            db.execute(_COMPARE, rows)
            _replace_parts(db, account, found)

    def note_state(self, account: str, sku: str, state: SkuState, note: str = "") -> None:
        """Record the state of a SKU that changed after it was compared."""
        self.note_states(account, [sku], state, note)

    def wait_again(self, account: str, sku: str) -> None:
        """Record that a quantity is higher than Amazon's since now."""
        of = (_S.account == account, _S.sku == sku)
        with self._transaction() as db:
            db.execute(update(stock_skus).where(*of).values(increase_since=self._now()))

    def note_states(
        self, account: str, skus: Sequence[str], state: SkuState, note: str = ""
    ) -> None:
        """Record the state of SKUs that changed after they were compared."""
        values = {"state": str(state), "note": note, "since": self._now()}
        self._write_all(update(stock_skus).values(**values), stock_skus, account, skus)

    def note_sent(
        self, account: str, sku: str, marketplaces: Iterable[str], quantity: int | None
    ) -> None:
        """Record that a quantity was sent; None before: it is unclear whether it arrives."""
        self.note_all_sent(account, {sku: quantity}, marketplaces)

    def note_all_sent(
        self, account: str, quantities: dict[str, int | None], marketplaces: Iterable[str]
    ) -> None:
        """Record what was sent of several SKUs, each for all these marketplaces."""
        now = self._now()
        rows = [
            {
                "of_account": account,
                "of_sku": sku,
                "of_marketplace": place,
                "new_sent": quantity,
                "at": now,
            }
            for place in marketplaces
            for sku, quantity in quantities.items()
        ]
        with self._transaction() as db:
            db.execute(_SEND, rows)

    def note_read(
        self,
        account: str,
        sku: str,
        marketplace: str,
        *,
        channels: Sequence[str],
        quantity: int | None,
        product_type: str | None,
        is_read_back: bool,
    ) -> None:
        """Record a listing as Amazon shows it now.

        Args:
            account: the account's name.
            sku: the SKU.
            marketplace: the marketplace's id.
            channels: Amazon's codes.
            quantity: of the merchant's channel.
            product_type: Amazon's.
            is_read_back: Amazon has had time to apply what was sent.
        """
        one = {"of_account": account, "of_sku": sku, "of_marketplace": marketplace}
        values = {
            "now_channels": ",".join(channels),
            "now_quantity": quantity,
            "now_type": product_type,
            "at": self._now(),
        }
        with self._transaction() as db:
            db.execute(_READ, {**one, **values})
            if is_read_back:
                db.execute(_SEND, {**one, "new_sent": None, "at": None})

    def note_gone(self, account: str, sku: str, marketplace: str) -> None:
        """Record that Amazon has no such listing."""
        of = (_L.account == account, _L.sku == sku, _L.marketplace == marketplace)
        with self._transaction() as db:
            gone = {"gone": self._now(), "sent": null(), "sent_at": null()}
            db.execute(update(stock_listings).where(*of).values(**gone))

    def read_back_soon(
        self,
        account: str,
        skus: Sequence[str],
        marketplaces: Collection[str],
        since: datetime | None = None,
    ) -> None:
        """Let listings be read back as if their quantities had been sent now, or at a moment.

        Those without a quantity, to which none was sent, are left as they are.
        """
        at = since or self._now()
        soon = {"sent": case((is_sent, _L.sent), else_=_L.quantity), "sent_at": at}
        statement = update(stock_listings).where(or_(is_sent, _L.quantity.is_not(None)))
        self._write_listings(statement.values(**soon), account, skus, marketplaces)

    def make_unclear(
        self, account: str, skus: Sequence[str], marketplaces: Collection[str]
    ) -> None:
        """Record that it is unclear which of the quantities sent has reached Amazon."""
        unclear = update(stock_listings).where(is_sent).values(sent=null())
        self._write_listings(unclear, account, skus, marketplaces)

    def note_not_sent(
        self, account: str, skus: Sequence[str], marketplaces: Collection[str]
    ) -> None:
        """Record that the quantities have not reached Amazon."""
        kept = update(stock_listings).values(sent=null(), sent_at=null())
        self._write_listings(kept, account, skus, marketplaces)

    def restore(
        self, account: str, skus: Iterable[KnownSku], marketplaces: Collection[str]
    ) -> None:
        """Record that quantities have not reached Amazon: what was sent before them counts."""
        rows = [
            {
                "of_account": account,
                "of_sku": known.sku,
                "of_marketplace": each.marketplace_id,
                "new_sent": each.sent,
                "at": each.sent_at,
            }
            for known in skus
            for each in known.listings
            if each.marketplace_id in marketplaces
        ]
        with self._transaction() as db:
            db.execute(_SEND, rows)

    def _write_listings(
        self, statement: Update, account: str, skus: Sequence[str], marketplaces: Collection[str]
    ) -> None:
        of = _L.marketplace.in_(list(marketplaces))
        self._write_all(statement.where(of), stock_listings, account, skus)

    def _write_all(
        self, statement: Update, table: Table, account: str, skus: Sequence[str]
    ) -> None:
        with self._transaction() as db:
            for start in range(0, len(skus), _PAGE):
                page = list(skus[start : start + _PAGE])
                db.execute(statement.where(table.c.account == account, table.c.sku.in_(page)))

    def forget(self, accounts: Collection[str], before: datetime) -> None:
        """Forget listings that were gone before a moment, and what was known of them."""
        with self._transaction() as db:
            gone = and_(_L.account.in_(accounts), _L.gone < before)
            db.execute(delete(stock_listings).where(gone))
            for table in (stock_skus, stock_parts):
                same = and_(_L.account == table.c.account, _L.sku == table.c.sku)
                of = (table.c.account.in_(accounts), ~exists().where(same))
                db.execute(delete(table).where(*of))


def _replace_parts(db: Transaction, account: str, found: Sequence[Comparison]) -> None:
    """Record whose stock the SKUs depend on, where that changed."""
    part = stock_parts.c
    skus = [each.sku for each in found]
    of = (part.account == account, part.sku.in_(skus))
    rows = db.execute(select(part.product, part.sku).where(*of)).all()
    before = {(row.product, row.sku) for row in rows}
    after = {(product, each.sku) for each in found for product in each.parts}
    for product, sku in before - after:
        one: tuple[ColumnElement[bool], ...] = (part.product == product, part.sku == sku)
        db.execute(delete(stock_parts).where(part.account == account, *one))
    added = [{"account": account, "product": p, "sku": sku} for p, sku in after - before]
    if added:
        db.execute(_ADD_PART, added)


def _listing(row: AnyRow) -> KnownListing:
    return KnownListing(
        sku=row.sku,
        marketplace_id=row.marketplace,
        channels=tuple(dict.fromkeys(filter(None, row.channels.split(",")))),
        quantity=row.quantity,
        product_type=row.product_type,
        status=tuple(filter(None, row.status.split(","))),
        sent=row.sent,
        sent_at=row.sent_at,
        gone=row.gone is not None,
    )


def _sku(sku: str, listings: Iterable[KnownListing], row: AnyRow | None) -> KnownSku:
    if row is None:
        return KnownSku(sku, tuple(listings))
    return KnownSku(
        sku=sku,
        listings=tuple(listings),
        state=SkuState(row.state) if row.state else None,
        note=row.note,
        increase_since=row.increase_since,
        since=row.since,
    )
