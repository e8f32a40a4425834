"""A rate of Amazon that is used up ends a run: what it did counts, the rest is done later."""

from memory_shop import MemoryShop

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
    here.run("orders")
    assert items.pending("acme", "orders") == pending[3:]
    here.simulator.faults.clear()
    here.run("orders")
    assert items.pending("acme", "orders") == []


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
        here.run("cancellations")
    (feed,) = here.bridge.feeds()
    assert orders[2].order_id not in feed
    assert here.bridge.state("cancellations", orders[2].order_id) == State.PENDING


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
        here.run("cancellations")
        states = {o.order_id: here.bridge.state("cancellations", o.order_id) for o in orders}
        assert states.pop(last) == State.PENDING
        assert State.DONE in states.values()
        assert here.bridge.app.ledger.feeds.open("acme")
        here.simulator.faults.clear()
        calls = len(here.bridge.received("getOrder"))
        done = list(states.values()).count(State.DONE)
        here.run("cancellations")
    assert len(here.bridge.received("getOrder")) == calls + 3 - done
    assert not here.bridge.app.ledger.feeds.open("acme")
    assert here.bridge.state("cancellations", last) == State.DONE
    for order in orders:
        notes = here.warehouse.notes("sale.order", here.shop.sale_order(order)["id"])
        assert len(notes) == 1
