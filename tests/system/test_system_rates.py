"""A rate of Amazon that is used up ends a run: what it did counts, the rest is done later."""

from collections import Counter
from datetime import timedelta
from http import HTTPStatus

import pytest
from memory_shop import MemoryShop
from stock_shop import NOW, StockShop

from amazon_bridge.engine.records import Seen, State


def test_orders_fetched_before_the_rate_is_used_up_are_processed(here: MemoryShop) -> None:
    order_ids = sorted(here.world.place_order("FR", seller=here.seller).order_id for _ in range(5))
    here.run("orders")
    here.clock.advance(hours=2)
    here.run("orders")  # the next one does not see them again
    items = here.bridge.app.ledger.items
    items.file("acme", "orders", [Seen(order_id, "to be fetched again") for order_id in order_ids])
    pending = items.pending("acme", "orders")
    assert sorted(pending) == order_ids
    here.simulator.faults.add("429", "getOrder", times=None, path_contains=pending[3])
    for _ in range(6):  # each fetches some of them, until it comes to that one
        here.run("orders")
    assert items.pending("acme", "orders") == pending[3:4]
    here.simulator.faults.clear()
    here.run("orders")
    assert items.pending("acme", "orders") == []


@pytest.mark.parametrize("job", ["orders", "cancellations"])
def test_a_run_that_gets_nothing_done_is_no_success(here: MemoryShop, job: str) -> None:
    order = here.world.place_order("FR", seller=here.seller)
    here.run("orders", "cancellations")
    here.warehouse.cancel(order)
    last_success = here.bridge.app.ledger.runs.last_success
    before = last_success("acme", job)
    here.simulator.faults.add("429", "*", times=None)
    here.run(job)
    assert last_success("acme", job) == before
    here.simulator.faults.clear()
    here.run(job)
    assert last_success("acme", job) == here.clock()


def test_a_feed_that_the_rate_does_not_allow_is_created_in_the_next_run(here: MemoryShop) -> None:
    order = here.world.place_order("FR", seller=here.seller)
    here.run("orders")
    here.warehouse.cancel(order)
    here.simulator.faults.add("429", "createFeed", times=None)
    here.run("cancellations")
    assert here.bridge.feeds() == []
    assert here.bridge.state("cancellations", order.order_id) == State.PENDING
    here.simulator.faults.clear()
    here.run("cancellations")
    assert [list(feed) for feed in here.bridge.feeds()] == [[order.order_id]]


def test_cancellations_checked_before_the_rate_is_used_up_are_sent(here: MemoryShop) -> None:
    orders = [here.world.place_order("FR", seller=here.seller) for _ in range(3)]
    here.run("orders")
    here.warehouse.cancel(*orders)
    here.simulator.faults.add("429", "getOrder", times=None, path_contains=orders[2].order_id)
    with here.bridge.configured(cancellation_brake={"orders": 3, "percent": 100}):
        for _ in range(9):  # each checks some of them, until it comes to that one
            here.run("cancellations")
    sent = [order_id for feed in here.bridge.feeds() for order_id in feed]
    assert sorted(sent) == sorted(order.order_id for order in orders[:2])
    assert here.bridge.state("cancellations", orders[2].order_id) == State.PENDING


def forget_orders(here: MemoryShop) -> None:
    """Make the other jobs fetch the orders to know them, as with a new state store."""
    items = here.bridge.app.ledger.items
    items.forget_finished("acme", "orders", here.clock() + timedelta(days=1))


def test_shipments_are_sent_although_other_orders_cannot_be_looked_up(here: MemoryShop) -> None:
    unknown = [here.world.place_order("FR", seller=here.seller) for _ in range(3)]
    here.run("orders")
    here.clock.advance(hours=2)
    here.run("orders", "pickings")
    forget_orders(here)
    known = here.world.place_order("FR", seller=here.seller)
    here.run("orders")
    keys = [f"{o.order_id}#{here.warehouse.ship(o)['id']}" for o in unknown]
    here.warehouse.ship(known)
    here.simulator.faults.add("429", "getOrder", times=None)
    here.run("pickings")
    assert here.bridge.confirmations(known.order_id)
    assert not any(here.bridge.confirmations(order.order_id) for order in unknown)
    pending = here.bridge.app.ledger.items.pending_entries("acme", "pickings")
    assert {entry.key for entry in pending} >= set(keys)
    assert not any(entry.unanswered_since for entry in pending), "Amazon did not refuse to response"
    here.simulator.faults.clear()
    here.run("pickings")
    assert all(here.bridge.confirmations(order.order_id) for order in unknown)


def test_cancellations_are_sent_although_other_orders_cannot_be_looked_up(here: MemoryShop) -> None:
    unknown, other = (here.world.place_order("FR", seller=here.seller) for _ in range(2))
    here.run("orders")
    forget_orders(here)
    here.warehouse.cancel(unknown, other)
    here.simulator.faults.add("429", "getOrder", times=None, path_contains=unknown.order_id)
    for _ in range(5):  # by chance the other one comes first in one of them
        here.run("cancellations")
        assert here.bridge.state("cancellations", unknown.order_id) == State.PENDING
    assert [list(feed) for feed in here.bridge.feeds()] == [[other.order_id]]


def test_what_cannot_be_looked_up_yet_counts_as_seen(here: MemoryShop) -> None:
    orders = [here.world.place_order("FR", seller=here.seller) for _ in range(4)]
    here.run("orders")
    forget_orders(here)
    here.warehouse.cancel(*orders[:2])
    for order in orders[2:]:
        here.warehouse.ship(order)
    here.simulator.faults.add("429", "getOrder", times=None)
    for job in ("cancellations", "pickings"):
        counts = here.bridge.sync(job)
        assert counts.pop("resume_in")
        assert counts.pop("stalled"), "Amazon showed nothing"
        assert counts.pop("rate_limited")
        assert counts == {"seen": 2, "unchanged": 2}
        assert here.bridge.app.ledger.items.tally("acme", job) == {State.PENDING: 2}


def test_tasks_are_sent_although_results_cannot_be_read_back(here: MemoryShop) -> None:
    first, second = (here.world.place_order("FR", seller=here.seller) for _ in range(2))
    here.run("orders")
    here.warehouse.cancel(first)
    here.run("cancellations")
    here.clock.advance(minutes=30)
    here.warehouse.cancel(second)
    here.simulator.faults.add("429", "getFeed", times=None)
    here.run("cancellations")
    assert [list(feed) for feed in here.bridge.feeds()] == [[first.order_id], [second.order_id]]


def test_a_feed_that_ended_is_processed_as_far_as_the_rate_allows(here: MemoryShop) -> None:
    """Each order is checked once, though one of them can't be for a while."""
    orders = [here.world.place_order("FR", seller=here.seller) for _ in range(4)]
    here.run("orders")
    here.warehouse.cancel(*orders)
    here.simulator.feeds.fates.append(("FATAL", 2))
    with here.bridge.configured(cancellation_brake={"orders": 4, "percent": 100}):
        here.run("cancellations")
    before, last = len(here.bridge.received("getOrder")), max(o.order_id for o in orders)
    here.simulator.faults.add("429", "getOrder", times=None, path_contains=last)
    for _ in range(3):
        here.run("cancellations")
    requests = here.bridge.received("getOrder")[before:]
    checked = Counter(each.path for each in requests if each.status == HTTPStatus.OK)
    assert sorted(checked.values()) == [1, 1, 1]
    ledger = here.bridge.app.ledger
    assert ledger.items.tally("acme", "cancellations")[State.DONE] >= 1
    assert len(ledger.feeds.open("acme")) == 1
    here.simulator.faults.clear()
    for _ in range(6):
        here.run("cancellations")
    assert ledger.items.tally("acme", "cancellations") == {State.DONE: 4}
    assert ledger.feeds.open("acme") == []


def test_a_feed_stays_open_until_the_rate_allows_to_check_all_its_orders(here: MemoryShop) -> None:
    orders = [here.world.place_order("FR", seller=here.seller) for _ in range(3)]
    here.run("orders")
    here.warehouse.cancel(*orders)
    here.simulator.feeds.fates.append(("FATAL", 3))  # all are cancelled, without a report
    last = max(order.order_id for order in orders)
    with here.bridge.configured(cancellation_brake={"orders": 3, "percent": 100}):
        here.run("cancellations")
        here.clock.advance(minutes=6)
        here.simulator.faults.add("429", "getOrder", times=None, path_contains=last)
        for _ in range(5):
            here.run("cancellations")
        states = {o.order_id: here.bridge.state("cancellations", o.order_id) for o in orders}
        assert states.pop(last) == State.PENDING
        assert set(states.values()) == {State.DONE}
        assert here.bridge.app.ledger.feeds.open("acme")
        here.simulator.faults.clear()
        calls = len(here.bridge.received("getOrder"))
        here.run("cancellations")
    assert len(here.bridge.received("getOrder")) == calls + 1
    assert not here.bridge.app.ledger.feeds.open("acme")
    assert here.bridge.state("cancellations", last) == State.DONE
    for order in orders:
        notes = here.warehouse.notes("sale.order", here.shop.sale_order(order)["id"])
        assert len(notes) == 1


def test_a_run_that_read_some_quantities_back_is_not_stalled(here: MemoryShop) -> None:
    stock = StockShop(here)
    here.world.settings.shared_quantities = True
    with here.bridge.configured(stock=NOW):
        for number in range(4):
            stock.offer(f"HAT-{number}", 9)
            stock.product(f"HAT-{number}", 4)
        stock.sync()
        stock.pass_time(minutes=16)
        here.simulator.faults.add("429", "getListingsItem", times=None, path_contains="HAT-3")
        before = len(here.bridge.received("getListingsItem"))
        counts = here.bridge.sync("stock")
    assert len(here.bridge.received("getListingsItem")) > before + 1
    assert counts["rate_limited"]
    assert "stalled" not in counts
