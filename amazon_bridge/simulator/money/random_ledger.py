"""Seeded random money: the same seed, seller and time make the same settlements."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from amazon_bridge.simulator.catalogue import CATALOGUE
from amazon_bridge.simulator.lines import Line, make_item
from amazon_bridge.simulator.markets import Market
from amazon_bridge.simulator.money.events import ZERO
from amazon_bridge.simulator.money.money import Money
from amazon_bridge.simulator.money.settlements import Settlement
from amazon_bridge.simulator.money.triples import Triple, known
from amazon_bridge.simulator.orders import Order
from amazon_bridge.simulator.world import Seller

_PERIOD = timedelta(days=14)
_DEFERRAL = timedelta(days=7)
_OF_REFUNDS = ("Refund", "Chargeback Refund", "A-to-z Guarantee Refund")
_BY_CLOSING = ("Current Reserve Amount", "Previous Reserve Amount Balance")
_IN_PAIRS = ("Payable to Amazon", "Successful charge")
_GIVEN = ("order", "refund", "reimbursement", "other income", "in transit")
_CLAWBACK = "CLAWBACK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What random money consists of.

    Attributes:
        orders: That ship in each settlement; every third one is refunded, wholly or in part.
        settlements: How many are closed, of two weeks each, up to now.
        others: Rows of other types in each settlement.
        all_types: Each type occurs at least once in all settlements together.
        held: Also types that a person should look at.
        free_text: Also types whose description is free text.
        unknown: Rows of types that nobody knows, in each settlement.
        placed: The orders are placed in the world; Amazon fulfils them.
        deferred: The share of shipments that are deferred for a week.
        publish: Whether there are reports.
    """

    orders: int = 20
    settlements: int = 2
    others: int = 20
    all_types: bool = False
    held: bool = False
    free_text: bool = False
    unknown: int = 0
    placed: bool = False
    deferred: float = 0.1
    publish: bool = True


def random_ledger(
    money: Money, seed: int, currency: str = "EUR", *, seller: Seller | None = None, **plan: Any
) -> list[Settlement]:
    """Enter random events, and close settlements.

    Args:
        money: Has the events.
        seed: The same seed, seller and time make the same.
        currency: Of the account; the events are of all its marketplaces.
        seller: None: the first one with the currency.
        plan: As of ``Plan``.

    Returns:
        The settlements, oldest first.
    """
    seller = seller or money.seller_with(currency)
    author = _Author(money, seed, currency, seller, Plan(**plan))
    with money.world.lock:
        periods = _periods(money, author, money.world.clock())
        types = author.types()
        for number, (start, end) in enumerate(periods):
            author.write(start, end, types[number :: len(periods)])
        return [author.close(end) for _, end in periods]


def _periods(money: Money, author: _Author, now: datetime) -> list[tuple[datetime, datetime]]:
    now, count = now.replace(microsecond=0), author.plan.settlements
    start = money.opened(author.seller, author.currency) or now - _PERIOD * count
    length = (now - start) / count
    return [(start + length * n, start + length * (n + 1)) for n in range(count)]


class _Author:
    def __init__(self, money: Money, seed: int, currency: str, seller: Seller, plan: Plan) -> None:
        self.money, self.seller, self.plan = money, seller, plan
        self.currency = currency
        self.markets = [market for market in seller.markets if market.currency == currency]
        self.chance = random.Random(f"money {seed}")  # noqa: S311 - made-up data
        self.shipped: list[Order] = []

    def types(self) -> list[Triple]:
        """The types of rows that are entered one by one; mixed."""
        marks = {"": True, "held": self.plan.held, "free": self.plan.free_text}
        found = [
            triple
            for triple in known().values()
            if marks[triple.mark] and triple.amount_description not in (*_BY_CLOSING, *_IN_PAIRS)
        ]
        return self.chance.sample(found, len(found)) if self.plan.all_types else []

    def write(self, start: datetime, end: datetime, types: Sequence[Triple]) -> None:
        """Enter the events of a period."""
        for _ in range(self.plan.orders):
            self._sell(start, end)
        for triple in (*types, *self._others()):
            self._enter(triple, start, end)
        for number in range(self.plan.unknown):
            texts = "other-transaction", "other-transaction", f"Novelty {number}"
            self._enter(Triple(*texts), start, end)

    def close(self, end: datetime) -> Settlement:
        """Close a settlement; now and then Amazon keeps a reserve, or its payout comes back."""
        settlement = self.money.close(
            self.seller,
            self.currency,
            end=end,
            reserve=self._amount(200) if self.chance.random() < 0.5 else ZERO,  # noqa: PLR2004
            deficit=self.chance.choice(("charge", "carry")),
            publish=self.plan.publish,
        )
        if self.plan.free_text and settlement.total > 0 and self.chance.random() < 0.2:  # noqa: PLR2004
            self.money.fail_payout(settlement.settlement_id, posted=end + timedelta(days=1))
        return settlement

    # -- events ----------------------------------------------------------------------------

    def _sell(self, start: datetime, end: datetime) -> None:
        posted, market = self._moment(start, end), self.chance.choice(self.markets)
        order = self._order(market, posted)
        self.shipped.append(order)
        if not self.plan.placed:
            self._ship(order, posted, end)
        if self.chance.random() < 1 / 3:
            refunded = self.chance.choice(self.shipped)
            share = Decimal(self.chance.choice(("0.25", "0.5", "1")))
            kind = self.chance.choice(_OF_REFUNDS)
            self.money.refund(
                refunded,
                share,
                kind=kind,
                goodwill=self.chance.choice((ZERO, ZERO, self._amount(5))),
                posted=self._moment(posted, end),
            )

    def _ship(self, order: Order, posted: datetime, end: datetime) -> None:
        deferred = posted + _DEFERRAL if self.chance.random() < self.plan.deferred else None
        whole = {item.order_item_id: item.quantity for item in order.items}
        first = {key: self.chance.randint(0, units) for key, units in whole.items()}
        before = {key: (0, units) for key, units in first.items()}
        after = {key: (first[key], units) for key, units in whole.items()}
        if any(first.values()):
            self.money.ship(order, before, posted, deferred_until=deferred)
        if first != whole:
            self.money.ship(order, after, self._moment(posted, end), deferred_until=deferred)

    def _order(self, market: Market, posted: datetime) -> Order:
        lines = [self._line(market) for _ in range(self.chance.choice((1, 1, 2, 3)))]
        by = "AMAZON" if self.plan.placed else self.chance.choice(("AMAZON", "MERCHANT"))
        created = posted - timedelta(hours=self.chance.randint(1, 40))
        if self.plan.placed:
            return self.money.world.place_order(
                market.country,
                lines,
                seller=self.seller,
                fulfilled_by=by,
                created=created,
                last_updated=posted,
            )
        items = tuple(make_item(market, line, self._digits(14)) for line in lines)
        prefix = f"{market.order_prefix}{self._digits(1)}"
        return Order(
            order_id=f"{prefix}-{self._digits(7)}-{self._digits(7)}",
            seller_id=self.seller.seller_id,
            market=market,
            created=created,
            last_updated=posted,
            status="SHIPPED",
            fulfilled_by=by,
            items=tuple(replace(item, fulfilled=item.quantity) for item in items),
        )

    def _line(self, market: Market) -> Line:
        line = Line(
            sku=self.chance.choice(CATALOGUE).sku,
            quantity=self.chance.choice((1, 1, 1, 2, 3)),
            price=market.round(self._amount(300) * _scale(market)),
            shipping=market.round(self.chance.choice((ZERO, self._amount(9))) * _scale(market)),
        )
        if self.chance.random() < 0.2:  # noqa: PLR2004
            discount = market.round((line.price or ZERO) / 10)
            return replace(line, discount=discount, promotion_ids=("SIM-AUTUMN-10",))
        return line

    def _others(self) -> Iterator[Triple]:
        marks = {"": True, "held": self.plan.held, "free": self.plan.free_text}
        single = [
            triple
            for triple in known().values()
            if marks[triple.mark]
            and triple.transaction_type not in ("Order", *_OF_REFUNDS)
            and triple.amount_description not in (*_BY_CLOSING, *_IN_PAIRS)
        ]
        yield from self.chance.choices(single, k=self.plan.others)

    def _enter(self, triple: Triple, start: datetime, end: datetime) -> None:
        """Enter one row, now and then twice the same."""
        market, posted = self.chance.choice(self.markets), self._moment(start, end)
        amount = market.round(self._amount(60) * _scale(market)) * _sign(triple)
        of_order = triple.transaction_type in ("Order", *_OF_REFUNDS) or "charge" in (
            triple.transaction_type
        )
        order = self.chance.choice(self.shipped) if of_order and self.shipped else None
        for _ in range(self.chance.choice((1, 1, 1, 2))):
            self.money.fee(
                triple.texts,
                amount,
                country=(order.market if order else market).country,
                seller=self.seller,
                order_id=order.order_id if order else "",
                reference=self._reference(triple),
                posted=posted,
                blank_marketplace=order is None and self.chance.random() < 0.3,  # noqa: PLR2004
            )

    def _reference(self, triple: Triple) -> str:
        return f"FBA15{self._digits(7)}" if triple.transaction_type == "FBAFees" else ""

    # -- chance ----------------------------------------------------------------------------

    def _moment(self, start: datetime, end: datetime) -> datetime:
        seconds = max(1, int((end - start).total_seconds()) - 2)
        return start + timedelta(seconds=self.chance.randrange(seconds))

    def _amount(self, most: int) -> Decimal:
        return Decimal(self.chance.randint(1, most * 100)) / 100

    def _digits(self, count: int) -> str:
        return "".join(self.chance.choices("0123456789", k=count))


def _scale(market: Market) -> int:
    return 100 if market.currency == "JPY" else 1


def _sign(triple: Triple) -> int:
    """The sign that rows of a type mostly have."""
    if triple.transaction_type in _OF_REFUNDS:
        given = triple.category in {"selling fee", "FBA fee", "facilitator tax"}
        return 1 if given and triple.amount_description != "RefundCommission" else -1
    negative = _CLAWBACK in triple.amount_description or triple.amount_type == "Promotion"
    return 1 if triple.category in _GIVEN and not negative else -1
