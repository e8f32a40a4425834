"""Another database, another time, an account that is gone: nothing is lost or repeated."""

from datetime import datetime, timedelta

import pytest
from memory_shop import MemoryShop, imported, place

from amazon_bridge.engine.errors import ConfigError, ItemError
from amazon_bridge.engine.records import DatabaseId, Seen
from amazon_bridge.flows.shipments import records
from amazon_bridge.simulator import Line, Order

# Another database

pytestmark = pytest.mark.slow
UNCLEAR = ItemError("unclear", "It is unclear.", "Look.")


def test_a_store_of_a_test_copy_refuses_production_until_it_is_adopted(here: MemoryShop) -> None:
    orders = place(here, 2)
    here.run()
    here.warehouse.ship(orders[0], "DHL", None)
    here.run("pickings")
    (waits,) = records.pending_deliveries(here.bridge.app.ledger, "acme")
    here.bridge.close()
    production = here.odoo.copy(here.clock)
    parameters = production.env.store.table("ir.config_parameter")
    parameters[1] = {**parameters[1], "value": "another-uuid"}
    for model in ("sale.order", "sale.order.line", "stock.picking", "stock.move"):
        production.env.store.table(model).clear()
    names = production.env.store.table("ir.model.data")
    for id_ in [id_ for id_, row in names.items() if row["name"].startswith("sale_")]:
        del names[id_]
    test_copy, here.odoo.env = here.odoo.env, production.env
    with pytest.raises(ConfigError, match="another database") as refused:
        here.bridge.sync("orders")
    assert "amazon-bridge state adopt" in refused.value.remedy
    moments = here.bridge.app.adopt(None)
    assert moments == {"acme": here.program.start}
    here.run("orders")
    assert imported(here, *orders) == [True, True]
    here.run("pickings")
    (gone,) = [each for each in here.bridge.events if each["event"] == "delivery_order_gone"]
    assert (gone["order"], gone["delivery_order"]) == (waits.order_id, waits.delivery_order)
    assert records.pending_deliveries(here.bridge.app.ledger, "acme") == []
    here.bridge.close()
    here.odoo.env = test_copy
    with pytest.raises(ConfigError, match="another database"):
        here.bridge.sync("orders")


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize(("deleted", "accepted"), [(1, True), (3, False)])
def test_a_database_that_moved_is_taken_up_and_a_copy_is_not(
    here: MemoryShop, deleted: int, *, accepted: bool, readable: bool
) -> None:
    """Both have the uuid, and the name; a copy lacks what was imported after it was made."""
    orders = place(here, 4)
    here.run()
    here.bridge.close()
    uuid = here.bridge.app.odoo.database_uuid() if readable else None
    before = DatabaseId("https://old.example.com", "memory", uuid)
    here.bridge.app.ledger.continuity.note_odoo_database(before)
    for order in orders[:deleted]:
        here.odoo.env["sale.order"].store.delete("sale.order", here.shop.sale_order(order)["id"])
    here.bridge.close()
    if accepted:
        here.run("orders")
        known = here.bridge.app.ledger.continuity.odoo_database()
        assert known
        assert known.url == "http://127.0.0.1"
    else:
        with pytest.raises(ConfigError, match="may be a copy"):
            here.bridge.sync("orders")


# Time


@pytest.mark.parametrize(
    ("late", "found"),
    [
        (0.2, 0.4),
        (1, 14),
        (10, 14),
        (50, 79),
    ],
)
def test_orders_that_amazon_shows_late_are_found(
    here: MemoryShop, late: float, found: float
) -> None:
    """Within half an hour, or in the looks 12 hours and 3 days after they changed."""
    here.run("orders")
    here.world.settings.search_delay = timedelta(hours=late).total_seconds()
    (order,) = place(here)
    here.world.settings.search_delay = 0
    hours = 0.0
    while imported(here, order) == [False]:
        here.run("orders")
        hours += 1 / 12
        if late > 1:
            here.clock.advance(minutes=55)
            hours += 11 / 12
    assert late <= hours <= found


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(hours=-1)])
def test_a_clock_that_is_behind_is_said_and_loses_nothing(
    here: MemoryShop, jump: timedelta
) -> None:
    here.clock.advance(days=2)
    here.run()
    before = here.bridge.app.ledger.cursors.get("acme")
    here.clock.now += jump
    counts = here.bridge.sync("orders")
    assert "Set the clock right" in counts["error"]
    assert here.bridge.app.ledger.cursors.get("acme") == before
    here.clock.now -= jump
    (order,) = place(here)
    here.run("orders")
    assert imported(here, order) == [True]


class WrongClock:
    """The bridge's, which goes wrong; Odoo and Amazon have the right time."""

    def __init__(self, here: MemoryShop) -> None:
        self.right, self.ahead = here.clock, timedelta(0)
        here.bridge.close()
        here.bridge.clock = self  # type: ignore[assignment]

    def __call__(self) -> datetime:
        return self.right() + self.ahead

    def advance(self, **duration: float) -> None:
        self.right.advance(**duration)


def test_what_people_shipped_after_a_clock_was_ahead_is_confirmed(here: MemoryShop) -> None:
    (order,) = place(here)
    here.run()
    clock = WrongClock(here)
    clock.ahead = timedelta(days=300)
    here.run("pickings")
    clock.ahead = timedelta(0)
    here.warehouse.ship(order)
    here.run("pickings")
    assert len(here.bridge.confirmations(order.order_id)) == 1


def test_a_feed_begun_while_the_clock_was_ahead_keeps_no_cancellation(here: MemoryShop) -> None:
    first, second = place(here, 2)
    here.run()
    here.warehouse.cancel(first)
    clock = WrongClock(here)
    clock.ahead = timedelta(days=20)
    here.run("cancellations")
    clock.ahead = timedelta(0)
    here.warehouse.cancel(second)
    for _ in range(4):
        here.run("cancellations")
        here.clock.advance(minutes=30)
    assert here.bridge.feeds() == [[first.order_id], [second.order_id]]


# What nobody works on


def test_status_shows_what_is_open_of_a_removed_account_and_of_a_job_that_is_off(
    here: MemoryShop,
) -> None:
    app = here.bridge.app
    app.ledger.items.quarantine("gone", "orders", "X", UNCLEAR)
    app.ledger.items.file("acme", "pickings", [Seen("A#1", "1", label="WH/OUT/1")])
    here.bridge.close()
    here.program.accounts[0]["notify_amazon"] = {"shipments": False}
    run = here.program.run("status", "--json")
    gone, acme = run.json["accounts"]["gone"], run.json["accounts"]["acme"]
    assert (gone["configured"], gone["quarantined"]) == (False, 1)
    assert gone["jobs"]["orders"]["quarantined"] == 1
    assert acme["jobs"]["pickings"]["pending"] == 1
    assert acme["jobs"]["pickings"]["switched_off"] is True
    out = here.program.run("status").out
    assert "gone, orders: 1 open item, but the account is not configured." in out
    assert "acme, pickings: 1 open item, but the job is switched off." in out


def test_a_bug_in_a_callback_costs_no_call(here: MemoryShop) -> None:
    def fail(*_: object) -> None:
        raise KeyError

    here.bridge.watch = fail
    (order,) = place(here)
    here.run("orders")
    assert imported(here, order) == [True]


def test_a_change_that_people_followed_up_after_the_backup_is_reported_again(
    here: MemoryShop,
) -> None:
    order = here.world.place_order("FR", lines=[Line(sku="MUG-RED", quantity=3)])
    here.run()
    backup, at = here.odoo.backup(), here.clock()
    here.clock.advance(hours=1)
    here.world.cancel_units(order.order_id, order.items[0].order_item_id, 1)
    here.run()
    assert here.bridge.quarantine("orders").keys() == {order.order_id}
    correct(here, order, quantity=2)
    here.bridge.app.ledger.items.retry(order.order_id)
    here.run()
    assert here.bridge.quarantine("orders") == {}
    here.odoo.restore(backup)
    (account,) = here.bridge.app.accounts()
    here.bridge.app.move_cursor(account, at)
    here.run()
    assert here.bridge.quarantine("orders").keys() == {order.order_id}


def correct(here: MemoryShop, order: Order, quantity: int) -> None:
    """Enter another quantity, as people do."""
    sale_order = here.shop.sale_order(order)["id"]
    (line,) = here.shop.search("sale.order.line", [("order_id", "=", sale_order)], ["id"])
    here.shop.rpc("sale.order.line", "write", [line["id"]], {"product_uom_qty": quantity})
