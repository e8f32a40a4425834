"""What tests and the demo do with a seller's money."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from amazon_bridge.simulator.markets import MARKETS, Market
from amazon_bridge.simulator.money import files, selling
from amazon_bridge.simulator.money.book import Book
from amazon_bridge.simulator.money.events import STANDARD, ZERO, Account, Event, Row
from amazon_bridge.simulator.money.expectations import Expected, expect
from amazon_bridge.simulator.money.forms import FileForm
from amazon_bridge.simulator.money.ledger import Balances
from amazon_bridge.simulator.money.settlements import Settlement
from amazon_bridge.simulator.money.triples import find
from amazon_bridge.simulator.orders import Order
from amazon_bridge.simulator.reports import SCHEDULED_BY_AMAZON, Reports
from amazon_bridge.simulator.world import Seller, World

Texts = tuple[str, str, str]
Edit = Callable[[list[dict[str, str]]], None]
_DESCRIPTIONS = {"Shipment": "Order Payment", "Refund": "Refund Order"}
_UNSUCCESSFUL = "Transfer of funds unsuccessful: Your bank account information is incorrect."
_DEPOSITED_AFTER = timedelta(days=2)


class Money:
    """The money of all sellers, in double entry. Orders of the world that ship are entered alone.

    Amounts have the sign of the rows in settlements: positive if the seller gets them. ``posted``
    is now by default; it is never before the end of the last settlement.
    """

    def __init__(self, world: World, reports: Reports) -> None:
        self.settings = world.settings
        self.book = Book(self._home, seed=world.seed)
        self.world, self._reports = world, reports
        world.follow(self._follow)

    # -- events ----------------------------------------------------------------------------

    def shipment(self, order_id: str, *, posted: datetime | None = None) -> Event:
        """Enter a shipment of all units of an order, once more if it has been entered before."""
        order = self.world.order(order_id)
        return self.ship(order, {i.order_item_id: (0, i.quantity) for i in order.items}, posted)

    def ship(
        self,
        order: Order,
        units: dict[str, tuple[int, int]],
        posted: datetime | None = None,
        *,
        deferred_until: datetime | None = None,
    ) -> Event:
        """Enter a shipment, of an order of the world or another one.

        Args:
            order: Has the amounts.
            units: By order item id, how many units were shipped before, and how many are now.
            posted: When.
            deferred_until: When the money becomes available.
        """
        posted = posted or self.world.clock()
        days = self.settings.defer_days
        matures = deferred_until or (posted + timedelta(days=days) if days else None)
        rows = selling.shipment_rows(order, units)
        return self._add_for(order, "Shipment", rows, posted, matures=matures)

    def refund(
        self,
        order_id: str | Order,
        share: Decimal = Decimal(1),
        *,
        kind: str = "Refund",
        goodwill: Decimal = ZERO,
        restocking_fee: Decimal = ZERO,
        posted: datetime | None = None,
    ) -> Event:
        """Refund a share of what was shipped of an order.

        Args:
            order_id: Its id, or the order if it isn't the world's.
            share: 1 at most.
            kind: ``Refund``, ``Chargeback Refund`` or ``A-to-z Guarantee Refund``.
            goodwill: Given beyond the price.
            restocking_fee: Kept from the buyer.
            posted: When.
        """
        order = self.world.order(order_id) if isinstance(order_id, str) else order_id
        refund = selling.Refund(kind, share, goodwill, restocking_fee)
        rows = selling.refund_rows(order, refund)
        event = find((kind, "ItemPrice", "Principal")).event
        return self._add_for(order, event, rows, posted or self.world.clock())

    def fee(self, name: str | Texts, amount: Decimal, **details: Any) -> Event:
        """Enter one amount: a fee, a reimbursement or anything else.

        Args:
            name: A short name (``triples.NAMES``), or the three texts of the row.
            amount: With the sign of the row.
            details: As of ``post``.
        """
        triple = find(name)
        return self.post([(*triple.texts, amount)], **details)

    def post(
        self,
        rows: Iterable[tuple[str, str, str, Decimal]],
        *,
        country: str = "FR",
        seller: Seller | None = None,
        order_id: str = "",
        reference: str = "",
        posted: datetime | None = None,
        blank_marketplace: bool = False,
        account_type: str = STANDARD,
        deferred_until: datetime | None = None,
    ) -> Event:
        """Enter an event with any rows: transaction type, amount type, description, amount.

        Args:
            rows: One or more.
            country: Of the marketplace; also decides about the currency.
            seller: None: the first one that sells there.
            order_id: Of an order.
            reference: What is in the column of the order id instead, such as an FBA shipment's id.
            posted: When.
            blank_marketplace: It is of no marketplace.
            account_type: Of a seller with several accounts.
            deferred_until: When the money becomes available.
        """
        with self.world.lock:
            market = MARKETS[country]
            entered = tuple(
                Row(triple=find((kind, amount_type, description)), amount=market.round(amount))
                for kind, amount_type, description, amount in rows
            )
            return self.book.add(
                Event(
                    key=self.book.key(),
                    account=Account(self._seller(market, seller), market.currency, account_type),
                    kind=entered[0].triple.event,
                    description=entered[0].triple.amount_description,
                    posted=posted or self.world.clock(),
                    rows=entered,
                    market=None if blank_marketplace else market,
                    order_id=order_id,
                    reference=reference,
                    matures=deferred_until,
                )
            )

    def defer(self, event: Event, until: datetime) -> None:
        """Defer an event of an open settlement."""
        with self.world.lock:
            self.book.defer(event, until)

    def fail_payout(self, settlement_id: str, *, posted: datetime | None = None) -> Event:
        """Let a payout come back from the bank."""
        with self.world.lock:
            settlement = self.book.settlements[settlement_id]
            account = settlement.account
            triple = find(("other-transaction", "other-transaction", _UNSUCCESSFUL))
            return self.book.add(
                Event(
                    key=self.book.key(),
                    account=account,
                    kind=triple.event,
                    description="FailedDisbursement",
                    posted=posted or self.world.clock(),
                    rows=(Row(triple=triple, amount=settlement.total),),
                )
            )

    # -- settlements -----------------------------------------------------------------------

    def close(
        self,
        seller: Seller | None = None,
        currency: str = "EUR",
        *,
        account_type: str = STANDARD,
        end: datetime | None = None,
        deposit: date | None = None,
        reserve: Decimal = ZERO,
        deficit: str = "charge",
        publish: bool = True,
        form: FileForm | None = None,
    ) -> Settlement:
        """Close the open settlement of an account, and publish its report.

        Args:
            seller: None: the first one with the currency.
            currency: Of the account.
            account_type: Of a seller with several accounts.
            end: Of the settlement; what is posted then belongs to the next one. None: now, with
                all that has been posted.
            deposit: When the money arrives at the bank; None: two days later.
            reserve: What Amazon keeps back until the next settlement.
            deficit: ``charge`` or ``carry``: what happens to a negative balance.
            publish: Whether there is a report of it.
            form: Of the report.
        """
        with self.world.lock:
            self.settle()
            closed = end or self.world.clock()
            settlement = self.book.close(
                self._account(seller, currency, account_type),
                end=closed,
                inclusive=end is None,
                deposited=_deposited(closed, deposit),
                reserve=reserve,
                carries=deficit == "carry",
                holds_payout=self.settings.holds_payouts,
            )
            if publish:
                self.publish(settlement.settlement_id, form=form)
            return settlement

    def publish(
        self,
        *settlement_ids: str,
        form: FileForm | None = None,
        countries: tuple[str, ...] | None = (),
        edit: Edit | None = None,
    ) -> str:
        """Publish a document with settlements, also with those that were published before.

        Args:
            settlement_ids: Of closed settlements of one seller.
            form: How it is written.
            countries: The marketplaces that Amazon lists it for; by default the seller's. None: it
                names none.
            edit: Changes the rendered rows: the first one is the first settlement's header row.

        Returns:
            The id of its report.
        """
        with self.world.lock:
            settlements = [self.book.settlements[key] for key in settlement_ids]
            seller = self.world.sellers[settlements[0].account.seller_id]
            report_id = self._reports.publish(
                seller,
                SCHEDULED_BY_AMAZON[0],
                self.text(*settlement_ids, form=form, edit=edit),
                countries=countries,
                charset=form.charset if form else None,
            )
            for settlement in settlements:
                settlement.report_ids.append(report_id)
            return report_id

    def text(
        self, *settlement_ids: str, form: FileForm | None = None, edit: Edit | None = None
    ) -> str:
        """The text of a document; see ``publish``."""
        form = form or FileForm()
        rows = files.render((self.book.settlements[key] for key in settlement_ids), form)
        if edit:
            edit(rows)
        return files.text(rows, form)

    def expected(self, settlement_id: str) -> Expected:
        """What the books have to show for a closed settlement."""
        return expect(self.book.settlements[settlement_id])

    def settlements(self, seller: Seller | None = None) -> Sequence[Settlement]:
        """The closed settlements, oldest first."""
        return [
            settlement
            for settlement in self.book.settlements.values()
            if settlement.end is not None
            and (seller is None or settlement.account.seller_id == seller.seller_id)
        ]

    def balances(
        self, seller: Seller | None = None, currency: str = "EUR", as_of: date | None = None
    ) -> Balances:
        """What Amazon owes a seller now, or did at the end of a day (UTC), in all accounts."""
        with self.world.lock:
            self.settle()
            seller_id = self._account(seller, currency, STANDARD).seller_id
            found = [
                self.book.ledger.balances(account, before=self.until(as_of))
                for account in self.book.ledger.accounts(seller_id)
                if account.currency == currency
            ]
            return sum(found, Balances(ZERO, ZERO, ZERO))

    def until(self, as_of: date | None) -> datetime:
        """The end of a day, or now: entries before it count."""
        now = self.world.clock() + timedelta(microseconds=1)
        if as_of is None:
            return now
        return min(now, datetime.combine(as_of + timedelta(days=1), time(), UTC))

    def settle(self) -> None:
        """Make available what is due by the clock."""
        self.book.release(self.world.clock())

    # -- following the orders --------------------------------------------------------------

    def _follow(self, before: Order | None, order: Order) -> None:
        """Enter the units that were shipped since the order's revision before."""
        if order.channel != "AMAZON" or order.seller_id not in self.world.sellers:
            return
        units = {
            item.order_item_id: (_fulfilled(before, item.order_item_id), item.fulfilled)
            for item in order.items
        }
        if selling.shipment_rows(order, units):
            self.ship(order, units, min(order.last_updated, self.world.clock()))

    def _add_for(
        self,
        order: Order,
        kind: str,
        rows: tuple[Row, ...],
        posted: datetime,
        *,
        matures: datetime | None = None,
    ) -> Event:
        with self.world.lock:
            key = self.book.key()
            number = str(int.from_bytes(key.encode()[:6], "big"))
            return self.book.add(
                Event(
                    key=key,
                    account=Account(order.seller_id, order.market.currency),
                    kind=kind,
                    description=_DESCRIPTIONS.get(kind, kind),
                    posted=posted,
                    rows=rows,
                    market=order.market,
                    order_id=order.order_id,
                    merchant_order_id=order.seller_order_id or "",
                    shipment_id=number if kind == "Shipment" else "",
                    adjustment_id="" if kind == "Shipment" else number,
                    network="AFN" if order.fulfilled_by == "AMAZON" else "MFN",
                    matures=matures,
                )
            )

    # -- accounts --------------------------------------------------------------------------

    def seller_with(self, currency: str) -> Seller:
        """The first seller with an account in the currency.

        Raises:
            KeyError: There is none.
        """
        for seller in self.world.sellers.values():
            if any(market.currency == currency for market in seller.markets):
                return seller
        raise KeyError(currency)

    def opened(self, seller: Seller, currency: str) -> datetime | None:
        """The end of the last settlement; None: there is none."""
        return self.book.open(Account(seller.seller_id, currency)).start

    def _account(self, seller: Seller | None, currency: str, account_type: str) -> Account:
        seller = seller or self.seller_with(currency)
        return Account(seller.seller_id, currency, account_type)

    def _seller(self, market: Market, seller: Seller | None) -> str:
        sellers = [seller] if seller else self.world.sellers.values()
        return next(s.seller_id for s in sellers if s.sells_in(market.marketplace_id))

    def _home(self, account: Account) -> Market:
        return home_of(self.world.sellers[account.seller_id], account.currency)


def home_of(seller: Seller, currency: str) -> Market:
    """The marketplace of what is of none: the seller's first one with the currency."""
    return next(market for market in seller.markets if market.currency == currency)


def _deposited(end: datetime, deposit: date | None) -> datetime:
    if deposit is None:
        return end + _DEPOSITED_AFTER
    return datetime.combine(deposit, end.timetz())


def _fulfilled(order: Order | None, order_item_id: str) -> int:
    item = order.item(order_item_id) if order else None
    return item.fulfilled if item else 0
