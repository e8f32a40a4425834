"""Orders that another job asks for: looked up on Amazon, fairly, as far as its rate allows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from clocks import Clock
from examples import ORDER

from amazon_bridge.engine.errors import ItemError, RateLimited
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.find import memos_of
from amazon_bridge.model import Order, UnreadableOrder

MINE, ANOTHERS = "A13V1IB3VIYZZH", "A1PA6795UKMFR9"
IDS = [f"404-0000000-000000{n}" for n in range(9)]
UNREADABLE, FOREIGN, UNKNOWN = IDS[:3]


@dataclass
class PlayedAmazon:
    """getOrder, which allows some calls."""

    allowed: int = 99
    fetched: list[str] = field(default_factory=list)

    def order(self, order_id: str) -> Order | UnreadableOrder:
        if len(self.fetched) >= self.allowed:
            raise RateLimited("getOrder", 2)
        self.fetched.append(order_id)
        if order_id == UNREADABLE:
            return UnreadableOrder(order_id, "f", "unreadable", "It has no items.")
        if order_id == UNKNOWN:
            raise ItemError("not_found", "Amazon did not find it.", "Check the id.")
        place = ANOTHERS if order_id == FOREIGN else MINE
        return replace(ORDER, order_id=order_id, marketplace_id=place)

    def marketplace_participations(self) -> None: ...


@pytest.fixture
def amazon() -> PlayedAmazon:
    return PlayedAmazon()


@pytest.fixture
def context(ledger: Ledger, clock: Clock, amazon: PlayedAmazon) -> Context:
    fields = {"ledger": ledger, "clock": clock, "amazon": amazon, "name": "acme", "dry_run": False}
    fields |= {"accounts_by_marketplace": {MINE: "acme", ANOTHERS: "other"}}
    fields |= {"configured_accounts": {"acme", "other"}}
    fields |= {"account": SimpleNamespace(product_map=SimpleNamespace(pieces={}))}
    return cast("Context", SimpleNamespace(**fields))


def test_each_order_is_in_one_of_three(context: Context, amazon: PlayedAmazon) -> None:
    amazon.allowed = 5
    memos = memos_of(context, IDS)
    assert len(memos.known) + len(memos.not_shown) == 5
    assert {*memos.known, *memos.not_shown, *memos.not_fetched} == set(IDS)
    assert memos.limit
    assert memos.limit.seconds == 2


def test_what_is_known_of_an_order(context: Context) -> None:
    memos = memos_of(context, IDS)
    assert (memos.not_shown, memos.not_fetched, memos.limit) == ({UNKNOWN}, set(), None)
    assert memos.known[FOREIGN] is None
    assert isinstance(memos.known[UNREADABLE], ItemError)


def test_orders_that_are_known_need_no_call(context: Context, amazon: PlayedAmazon) -> None:
    memos_of(context, IDS[3:])
    amazon.allowed, amazon.fetched = 0, []
    memos = memos_of(context, IDS)
    assert memos.known.keys() == set(IDS[3:])
    assert memos.not_fetched == set(IDS[:3])


def test_each_gets_its_turn(context: Context, amazon: PlayedAmazon, clock: Clock) -> None:
    """Though each run may fetch one only, and some of them can never be remembered."""
    for _ in range(60):
        amazon.allowed = len(amazon.fetched) + 1
        memos_of(context, IDS)
        clock.now += timedelta(minutes=5)
    assert set(amazon.fetched) == set(IDS)
