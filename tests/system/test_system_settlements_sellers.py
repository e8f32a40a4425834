"""Two sellers of one company that share the payment journal and the reserve: each is tied out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from memory_shop import MemoryShop
from settlement_shop import JOB, ON, Books, booking

from amazon_bridge.flows.settlements.tie_out import tie_out
from amazon_bridge.flows.settlements.ties import Tie
from amazon_bridge.simulator import Seller

NAMES = ("acme", "other")


@dataclass
class Sellers:
    """The seller ``acme``, and ``other``, whose settlements end some days later."""

    books: Books
    by_name: dict[str, Seller]

    def sell(self, name: str, *, refunded: bool = False, days_deferred: int = 0) -> None:
        books, seller = self.books, self.by_name[name]
        order = books.world.place_order(
            "FR", seller=seller, fulfilled_by="AMAZON", status="SHIPPED"
        )
        if refunded:
            books.money.refund(order.order_id)
        if days_deferred:
            until = books.bridge.clock() + timedelta(days=days_deferred)
            books.money.defer(books.money.shipment(order.order_id), until)

    def sync(self, *jobs: str) -> None:
        for job in jobs:
            for name in NAMES:
                counts = self.books.bridge.sync(job, account=name)
                assert "error" not in counts, counts

    def has_reconciled(self, settlement_ids: Mapping[str, str]) -> dict[str, bool]:
        """Whether lines of settlements are reconciled, by the account's name."""
        return {
            name: any(line["reconciled"] for line in self.books.lines(id_))
            for name, id_ in settlement_ids.items()
        }

    def ties(self, as_of: date | None = None) -> Iterator[tuple[str, Tie]]:
        self.books.bridge.clock.advance(minutes=3)
        app = self.books.bridge.app
        for account in app.config.accounts:
            [tie] = tie_out(app.context(account, dry_run=True), as_of)
            assert sum(tie.parts.values()) == tie.difference
            yield account.name, tie


@contextmanager
def two_sellers(here: MemoryShop, **more: Any) -> Iterator[Sellers]:
    """``other`` has some more settings."""
    with booking(here) as books:
        other = here.world.add_seller("A2OTHERSELLER", ["FR"])
        here.program.add_account(other, "other", **{**ON, **more})
        books.bridge.close()
        yield Sellers(books, {"acme": here.seller, "other": other})
        del here.program.accounts[1]


@pytest.fixture
def sellers(here: MemoryShop) -> Iterator[Sellers]:
    with two_sellers(here) as sellers:
        yield sellers


def test_an_account_reconciles_only_its_own_settlements(here: MemoryShop):
    with two_sellers(here, settlements={"mode": "post", "reconcile": False}) as sellers:
        books = sellers.books
        for name in NAMES:
            sellers.sell(name)
        books.bridge.clock.advance(minutes=10)
        sellers.sync("orders")
        ids = {
            name: books.close(seller=seller).settlement_id
            for name, seller in sellers.by_name.items()
        }
        sellers.sync(JOB, JOB)
        assert sellers.has_reconciled(ids) == {"acme": True, "other": False}
        books.bridge.forget()
        sellers.sync("orders", JOB, JOB)
        assert sellers.has_reconciled(ids) == {"acme": True, "other": False}


def test_what_is_open_of_a_renamed_account_stays_the_other_sellers(sellers: Sellers):
    books = sellers.books
    began = books.bridge.clock().isoformat()
    for name in NAMES:
        sellers.sell(name)
    books.bridge.clock.advance(minutes=10)
    sellers.sync("orders")
    before = dict(sellers.ties())["acme"]
    with books.bridge.configured("other", name="other-eu", start=began):
        books.bridge.clock.advance(minutes=10)
        books.bridge.sync("orders", account="other-eu")
        assert dict(sellers.ties())["acme"].odoo == before.odoo


@pytest.mark.slow
def test_each_day_of_two_sellers_ties_out(sellers: Sellers):
    """Also days that are long past; payments older than two days, refunds, deferrals, reserves."""
    books = sellers.books
    first = books.bridge.clock().date()
    for day in range(12):
        sellers.sell("acme", refunded=day % 5 == 1, days_deferred=4 * (day % 6 == 2))
        if day % 3 == 0:
            sellers.sell("other", refunded=day % 6 == 3)
        books.bridge.clock.advance(minutes=10)
        sellers.sync("orders")
        for name, closes in {"acme": {4, 10}, "other": {7}}.items():
            if day in closes:
                books.close(seller=sellers.by_name[name], reserve=Decimal(day + len(name)))
        sellers.sync(JOB)
        found = dict(sellers.ties())
        assert {name: tie.parts["unknown"] for name, tie in found.items()} == dict.fromkeys(
            NAMES, 0
        ), f"day {day}"
        books.bridge.clock.advance(hours=23)
    past: dict[Any, Decimal] = {
        (number, name): tie.parts["unknown"]
        for number in range(0, 11, 2)
        for name, tie in sellers.ties(first + timedelta(days=number))
    }
    assert {each: amount for each, amount in past.items() if amount} == {}
    assert {name: tie.odoo.reserve for name, tie in sellers.ties()} == {"acme": 14, "other": 12}
