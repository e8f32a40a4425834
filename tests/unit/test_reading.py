"""Changed orders are read page by page: nothing is lost, whatever fails, and whenever."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from clocks import Clock
from played_seller import EVERY, PlayedAccount, play, played_order, spread, throttled

from amazon_bridge.amazon.selling_partner import Page
from amazon_bridge.engine.errors import AccountError, InvalidRequest, RateLimited, Transient
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.retrying import BATCH
from amazon_bridge.engine.window import Lane
from amazon_bridge.flows.orders.reading import ChangedOrders

pytestmark = pytest.mark.sqlite  # many runs

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def account(ledger: Ledger, clock: Clock) -> PlayedAccount:
    account = PlayedAccount(ledger, clock, throttled(clock))
    clock.now += EVERY
    return account


class Killed(BaseException):
    """Ends a run as a kill does."""


def test_a_failed_page_costs_that_page(account: PlayedAccount, clock: Clock):
    orders = spread(account.amazon, clock() - 5 * MINUTE, MINUTE, 450)
    account.amazon.fails = lambda call: Killed() if call == 3 else None
    with pytest.raises(Killed):
        account.run()
    assert len(account.processed) == 200
    account.run()
    assert account.processed.keys() == set(orders)
    assert set(account.times.values()) == {1}
    assert account.amazon.calls == 6, "five pages, one of them twice"


def interrupted(account: PlayedAccount, clock: Clock) -> list[str]:
    """Let a run end after the first of two pages; the next call is the third."""
    orders = spread(account.amazon, clock() - 5 * MINUTE, MINUTE, 150)
    account.amazon.fails = lambda call: Killed() if call == 2 else None
    with pytest.raises(Killed):
        account.run()
    assert len(account.processed) == 100
    return orders


def token_of(account: PlayedAccount) -> str | None:
    reading = account.ledger.lanes.readings("acme").get(Lane.LIVE)
    return reading and reading.token


@pytest.mark.parametrize("error", [Transient("Amazon failed."), AccountError("Denied.")])
def test_a_page_token_outlives_an_outage(account: PlayedAccount, clock: Clock, error: Exception):
    orders = interrupted(account, clock)
    token = token_of(account)
    account.amazon.fails = lambda _: error
    for _ in range(3):
        with suppress(AccountError):
            account.run()
        clock.now += EVERY
    assert token
    assert token_of(account) == token
    account.amazon.fails, before = (lambda _: None), account.amazon.calls
    account.run()
    assert account.processed.keys() == set(orders)
    assert account.amazon.tokens[before:].count(token) == 1
    assert account.amazon.tokens[before] == token, "no page is read again"


def test_a_token_that_fails_while_amazon_shows_the_window_is_replaced(
    account: PlayedAccount, clock: Clock
):
    orders = interrupted(account, clock)
    failing = range(3, 3 + BATCH.attempts)
    account.amazon.fails = lambda call: Transient("Amazon failed.") if call in failing else None
    account.run()
    assert account.processed.keys() == set(orders)


@pytest.mark.parametrize("limited", [False, True])
def test_a_token_that_amazon_refuses_is_dropped_and_the_window_is_read_anew(
    account: PlayedAccount, clock: Clock, *, limited: bool
):
    orders = interrupted(account, clock)
    errors: dict[int, Exception] = {3: InvalidRequest("No such token.")}
    errors |= {4: RateLimited("searchOrders", 180)} if limited else {}
    account.amazon.fails = errors.get
    account.run()
    assert (token_of(account) is None, bool(account.resumed_at)) == (True, limited)
    account.run()
    assert account.processed.keys() == set(orders)
    assert set(account.times.values()) == {1}


def test_page_tokens_that_repeat_end_the_run_after_their_orders(
    account: PlayedAccount, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    tokens = iter("abcab")
    orders = spread(account.amazon, clock() - 5 * MINUTE, MINUTE, 4)
    pages = iter(orders)

    def page(_after: datetime, before: datetime, *_: object, **__: object) -> Page:
        return Page((played_order(next(pages), before),), before, next(tokens))

    monkeypatch.setattr(account.amazon, "changed_orders", page)
    account.run()
    assert list(tokens) == ["b"], "four calls"
    assert account.processed.keys() == set(orders)
    assert account.ledger.lanes.readings("acme").get(Lane.LIVE) is None
    assert account.ledger.cursors.get("acme") == clock() - EVERY, "the rest was not shown"


def test_an_account_that_amazon_refuses_is_not_asked_for_long(account: PlayedAccount):
    account.amazon.fails = lambda _: AccountError("Denied.")
    with pytest.raises(AccountError, match="Denied"):
        account.run()
    assert account.amazon.calls == 1


@pytest.mark.parametrize("how", ["expired", "marketplaces"])
def test_a_token_that_is_not_valid_any_more_is_not_used(
    account: PlayedAccount, clock: Clock, how: str
):
    orders = spread(account.amazon, clock() - 5 * MINUTE, MINUTE, 150)
    account.amazon.fails = lambda call: Killed() if call == 2 else None
    with pytest.raises(Killed):
        account.run()
    if how == "expired":
        clock.now += DAY
    else:
        places: Any = account.context.account.marketplaces
        places.append(type("Place", (), {"marketplace_id": "DE"}))
    account.run()
    assert account.processed.keys() == set(orders)


def test_the_live_orders_come_before_the_back_log(account: PlayedAccount, clock: Clock):
    account.ledger.cursors.set("acme", clock() - 20 * DAY)
    spread(account.amazon, clock() - 20 * DAY, 19 * DAY, 4000, "old")
    new = spread(account.amazon, clock() - 20 * MINUTE, 10 * MINUTE, 10, "new")
    account.run()
    assert list(account.processed)[:10] == new
    assert 1000 < len(account.processed) < 2010
    assert account.resumed_at
    assert account.ledger.lanes.backlog("acme")


@pytest.mark.slow
def test_a_night_is_read_in_one_go_unless_it_is_too_much(account: PlayedAccount, clock: Clock):
    account.ledger.cursors.set("acme", clock() - 12 * HOUR)
    orders = spread(account.amazon, clock() - 12 * HOUR, 11 * HOUR, 150)
    account.run()
    assert account.processed.keys() == set(orders)
    assert account.amazon.calls == 2
    account.ledger.cursors.set("acme", clock() - 12 * HOUR)
    orders += spread(account.amazon, clock() - 12 * HOUR, 11 * HOUR, 4000, "many")
    account.run()
    assert account.ledger.lanes.readings("acme").get(Lane.LIVE)
    clock.now += EVERY
    account.run()
    assert account.ledger.lanes.backlog("acme"), "now new orders come first"
    play([account], clock, 4 * HOUR)
    assert account.processed.keys() == set(orders)
    assert set(account.times.values()) == {1}


def test_a_back_log_that_began_by_a_wrong_clock_ends_at_the_present(
    account: PlayedAccount, clock: Clock
):
    """Amazon refuses windows that end in the future, as the played one does."""
    begin = clock() - HOUR
    account.ledger.cursors.set("acme", begin)
    account.ledger.lanes.begin_backlog("acme", begin, clock() + 5 * DAY)
    orders = spread(account.amazon, begin, 50 * MINUTE, 20)
    play([account], clock, HOUR)
    assert account.processed.keys() == set(orders)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("late", "found"),
    [
        (10 * MINUTE, 20 * MINUTE),
        (5 * HOUR, 13 * HOUR + EVERY),
        (50 * HOUR, 78 * HOUR + EVERY),
    ],
)
def test_orders_that_are_shown_late_are_found(
    account: PlayedAccount, clock: Clock, late: timedelta, found: timedelta
):
    changed = clock()
    account.amazon.change("late", changed, late)
    every = EVERY if found < HOUR else HOUR
    while "late" not in account.processed:
        play([account], clock, every, every=every)
    assert late <= account.processed["late"] - changed <= found + every


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_no_order_is_lost_whatever_happens(ledger: Ledger, clock: Clock, seed: int):
    """Kills, faults, refused tokens, pauses and cursors set back, at random."""
    chance = random.Random(seed)
    account = PlayedAccount(ledger, clock, throttled(clock))
    orders: list[str] = []

    def fault(_: int) -> BaseException | None:
        kinds = (Killed, Transient, AccountError, InvalidRequest)
        return chance.choice(kinds)("Amazon failed.") if chance.random() < 0.15 else None

    account.amazon.fails = fault  # type: ignore[assignment]
    for number in range(30):
        begin = clock()
        clock.now += chance.choice([MINUTE, EVERY, EVERY, 10 * EVERY, 6 * HOUR, DAY])
        count = chance.choice([0, 5, 120, 350])
        orders += spread(account.amazon, begin, clock() - begin, count, f"{number}-")
        cursor = ledger.cursors.get("acme")
        if chance.random() < 0.05 and cursor and cursor > clock() - 2 * DAY:
            ledger.cursors.set("acme", clock() - 2 * DAY)
        with suppress(Killed, AccountError):
            account.run()
        _check_that_all_is_known(account, orders)
    account.amazon.fails = lambda _: None
    play([account], clock, 6 * HOUR)
    assert account.processed.keys() == set(orders)
    assert ledger.lanes.backlog("acme") is None
    assert set(account.times.values()) <= {1}


def _check_that_all_is_known(account: PlayedAccount, orders: list[str]) -> None:
    """Everything before the cursor was processed; what changed at its very moment is read again."""
    cursor = account.ledger.cursors.get("acme")
    assert cursor
    changed = {order_id: at for at, order_id, _ in account.amazon.changes}
    known = {order_id for order_id in orders if changed[order_id] < cursor}
    assert known <= account.processed.keys()


def test_a_survey_begins_anew_after_a_rewind_in_the_midst_of_a_run(
    account: PlayedAccount, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    def open_orders(_after: datetime, before: datetime, token: str | None, *_: object) -> Page:
        asked.append(token)
        if token and is_limited:
            raise RateLimited("searchOrders", 60)
        return Page((), before, None if token else "second")

    asked: list[str | None] = []
    is_limited = True
    monkeypatch.setattr(account.context.account, "sends_stock", True)
    monkeypatch.setattr(account.amazon, "open_orders", open_orders, raising=False)
    with pytest.raises(RateLimited):
        _changed(account, clock).read_in_flight()
    is_limited = False
    run = _changed(account, clock)
    run.read_live()
    account.ledger.continuity.rewind("acme", clock() - DAY, job="orders")
    asked.clear()
    run.read_in_flight()
    assert asked == [None, "second"]


def _changed(account: PlayedAccount, clock: Clock) -> ChangedOrders:
    return ChangedOrders(account.context, clock(), lambda *_: None)
