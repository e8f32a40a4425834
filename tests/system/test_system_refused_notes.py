"""Records that Odoo takes no note or activity on: they cost no other record anything."""

from decimal import Decimal
from typing import Any

import pytest
from memory_shop import MemoryShop

from amazon_bridge.engine.errors import BridgeError, ItemError
from amazon_bridge.engine.records import State
from amazon_bridge.flows.orders.tell import quarantine_all
from amazon_bridge.simulator import Item, Order

REFUSED = '{"errors": [{"code": "InvalidInput", "message": "Invalid tracking number"}]}'


def place(here: MemoryShop, number: int) -> list[Order]:
    orders = [here.world.place_order("FR") for _ in range(number)]
    here.run()
    return orders


def sync(here: MemoryShop, job: str) -> dict[str, Any]:
    """One run that finishes."""
    here.clock.advance(minutes=25)
    counts = here.bridge.sync(job)
    assert "error" not in counts, counts
    return counts


def amazon_refuses_the_tracking(here: MemoryShop, order: Order) -> None:
    here.simulator.faults.add(
        kind="response",
        status=400,
        body=REFUSED,
        operation="confirmShipment",
        path_contains=order.order_id,
        times=None,
    )


def have_notes(here: MemoryShop, *ids: int) -> list[bool]:
    return ["Amazon: shipment confirmed" in here.shop.notes("stock.picking", id_) for id_ in ids]


# Shipments


def test_a_delivery_that_takes_no_activity_keeps_no_other(here: MemoryShop) -> None:
    orders = place(here, 4)
    ids = [here.warehouse.ship(o, "DHL", f"JD{n}")["id"] for n, o in enumerate(orders)]
    amazon_refuses_the_tracking(here, orders[1])
    here.odoo.protect(("stock.picking", ids[1]))
    assert sync(here, "pickings") == {"seen": 4, "notified": 3, "quarantined": 1}
    (failed,) = here.bridge.logged("reminder_failed")
    assert (failed["model"], failed["record"]) == ("stock.picking", ids[1])
    assert have_notes(here, *ids) == [True, False, True, True]
    (entry,) = here.bridge.quarantine("pickings").values()
    assert entry.key.endswith(f"#{ids[1]}")
    assert "Invalid tracking number" in entry.reason
    name = here.warehouse.transfers(orders[1])[0]["name"]
    assert f"No activity could be scheduled on {name}: Odoo refused" in entry.reason
    attempts = len(here.bridge.received("confirmShipment"))
    assert sync(here, "pickings")["seen"] == 3
    assert len(here.bridge.received("confirmShipment")) == attempts
    assert here.bridge.app.ledger.items.pending("acme", "pickings") == []


def test_a_delivery_whose_note_a_proxy_refuses_is_settled(here: MemoryShop) -> None:
    orders = place(here, 3)
    ids = [
        here.warehouse.ship(order, "DHL", reference)["id"]
        for order, reference in zip(orders, ["JD1", "JDSELECT", "JD3"], strict=True)
    ]
    here.odoo.suspicious = "JDSELECT"
    sync(here, "pickings")
    sync(here, "pickings")
    assert have_notes(here, *ids) == [True, False, True]
    assert here.bridge.app.ledger.items.pending("acme", "pickings") == []
    assert len(here.bridge.received("confirmShipment")) == 3


def test_a_missing_reference_is_requested_on_the_other_deliveries(here: MemoryShop) -> None:
    ids = [here.warehouse.ship(order, "DHL", None)["id"] for order in place(here, 3)]
    here.odoo.protect(("stock.picking", ids[1]))
    here.clock.advance(days=2)
    sync(here, "pickings")
    activities = [len(here.warehouse.activities("stock.picking", id_)) for id_ in ids]
    assert activities == [1, 0, 1]
    here.odoo.protect()
    sync(here, "pickings")
    assert len(here.warehouse.activities("stock.picking", ids[1])) == 1


# Cancellations


def test_a_cancellation_without_its_note_is_settled(here: MemoryShop) -> None:
    orders = place(here, 3)
    here.warehouse.cancel(*orders)
    here.odoo.protect(("sale.order", here.shop.sale_order(orders[1])["id"]))
    for _ in range(3):
        sync(here, "cancellations")
    assert [here.world.order(order.order_id).status for order in orders] == ["CANCELLED"] * 3
    states = [here.bridge.state("cancellations", order.order_id) for order in orders]
    assert states == [State.DONE] * 3
    assert len(here.bridge.feeds()) == 1


def test_a_cancellation_that_takes_no_activity_is_quarantined(here: MemoryShop) -> None:
    orders = place(here, 3)
    here.warehouse.cancel(*orders)
    for order in orders:
        here.world.ship(order.order_id)
    sale_orders = [here.shop.sale_order(order) for order in orders]
    here.odoo.protect(("sale.order", sale_orders[1]["id"]))
    sync(here, "cancellations")
    entries = here.bridge.quarantine("cancellations")
    assert entries.keys() == {order.order_id for order in orders}
    says = ["No activity could be scheduled" in entries[order.order_id].reason for order in orders]
    assert says == [False, True, False]
    activities = [len(here.warehouse.activities("sale.order", s["id"])) for s in sale_orders]
    assert activities == [1, 0, 1]


# Orders


REQUESTED = "Amazon: the buyer asks to cancel"


def have_requests(here: MemoryShop, *orders: Order) -> list[bool]:
    """Whether the sale orders have an open activity."""
    sale_orders = [here.shop.sale_order(order) for order in orders]
    return [bool(here.warehouse.activities("sale.order", s["id"])) for s in sale_orders]


def delivery_of(here: MemoryShop, order: Order) -> dict[str, Any]:
    (transfer,) = here.warehouse.transfers(order)
    return transfer


def test_each_of_many_orders_says_that_no_activity_could_be_scheduled(here: MemoryShop) -> None:
    account = here.bridge.app.accounts()[0]
    context = here.bridge.app.context(account)
    here.odoo.suspicious = "client_order_ref"
    ids = [f"402-1234567-{number:07}" for number in range(101)]
    quarantine_all(context, {each: ItemError("odoo_refused", "No.", "Ask.") for each in ids})
    reasons = [entry.reason for entry in here.bridge.quarantine("orders").values()]
    said = "No. No activity could be scheduled on its sale order: "
    assert len(reasons) == len(ids)
    assert [reason for reason in reasons if not reason.startswith(said)] == []


def test_a_sale_order_gets_the_activity_that_its_delivery_refuses(here: MemoryShop) -> None:
    """The delivery that may not be written on can't be cancelled either."""
    orders = place(here, 3)
    delivery = delivery_of(here, orders[1])
    here.odoo.protect(("stock.picking", delivery["id"]))
    for order in orders:
        here.world.cancel(order.order_id)
    assert sync(here, "orders")["cancelled"] == 2
    (entry,) = here.bridge.quarantine("orders").values()
    assert entry.key == orders[1].order_id
    assert f"No activity could be scheduled on {delivery['name']}: " in (entry.reason or "")
    assert have_requests(here, orders[1]) == [True]


def test_a_request_reaches_the_sale_order_though_the_delivery_refuses(here: MemoryShop) -> None:
    orders = place(here, 3)
    deliveries = [delivery_of(here, order)["id"] for order in orders]
    here.odoo.protect(("stock.picking", deliveries[1]))
    for order in orders:
        here.world.request_cancellation(order.order_id)
    sync(here, "orders")
    assert have_requests(here, *orders) == [True] * 3
    on_deliveries = [bool(here.warehouse.activities("stock.picking", id_)) for id_ in deliveries]
    assert on_deliveries == [True, False, True]
    assert here.bridge.quarantine("orders") == {}
    (failed,) = here.bridge.logged("reminder_failed")
    assert failed["record"] == deliveries[1]


def test_a_request_that_its_sale_order_refuses_is_quarantined(here: MemoryShop) -> None:
    orders = place(here, 3)
    sale_order = here.shop.sale_order(orders[1])
    here.odoo.protect(("sale.order", sale_order["id"]))
    for order in orders:
        here.world.request_cancellation(order.order_id)
    assert sync(here, "orders")["quarantined"] == 1
    assert have_requests(here, *orders) == [True, False, True]
    (entry,) = here.bridge.quarantine("orders").values()
    assert entry.key == orders[1].order_id
    reason = entry.reason or ""
    assert reason.startswith("The buyer has asked")
    assert reason.count("No activity could be scheduled") == 1
    here.odoo.protect()
    here.bridge.app.ledger.items.retry(orders[1].order_id)
    sync(here, "orders")
    assert have_requests(here, *orders) == [True] * 3


def test_a_request_is_done_when_its_activities_cannot_be_closed(here: MemoryShop) -> None:
    orders = place(here, 2)
    for order in orders:
        here.world.request_cancellation(order.order_id)
    sync(here, "orders")
    delivery = delivery_of(here, orders[0])["id"]
    for order in orders:
        here.world.ship(order.order_id)
    here.odoo.protect(("stock.picking", delivery))
    sync(here, "orders")
    for order in orders:
        sale_order = here.shop.sale_order(order)["id"]
        assert REQUESTED not in here.warehouse.activities("sale.order", sale_order)
    assert here.bridge.quarantine("orders") == {}
    (failed,) = here.bridge.logged("reminder_not_closed")
    assert failed["record"] == delivery


def test_an_activity_without_its_note_is_closed_in_the_end(here: MemoryShop) -> None:
    orders = place(here, 3)
    first, second, _ = (here.shop.sale_order(order)["id"] for order in orders)
    here.world.request_cancellation(orders[0].order_id)
    sync(here, "orders")
    (note,) = (n for n in here.shop.external_ids("mail.message") if f"sale_order_{first}" in n)
    here.odoo.suspicious = note.replace(f"sale_order_{first}", f"sale_order_{second}")
    for order in orders[1:]:
        here.world.request_cancellation(order.order_id)
    assert sync(here, "orders")["quarantined"] == 1
    assert have_requests(here, *orders) == [True] * 3
    here.odoo.suspicious = ""
    for order in orders:
        here.world.ship(order.order_id)
    sync(here, "orders")
    assert here.bridge.quarantine("orders") == {}
    for order in orders:
        sale_order = here.shop.sale_order(order)["id"]
        assert REQUESTED not in here.warehouse.activities("sale.order", sale_order)


class FaultyItem(Item):
    """Its total is a cent more than what it consists of."""

    @property
    def total(self) -> Decimal:
        return super().total + Decimal("0.01")


def test_the_reminder_of_an_import_as_it_is_comes_with_the_next_attempt(here: MemoryShop) -> None:
    order = here.world.place_order("FR")
    fields = [{n: getattr(item, n) for n in Item.__slots__} for item in order.items]
    here.world.change(order.order_id, items=tuple(FaultyItem(**each) for each in fields))
    assert sync(here, "orders")["quarantined"] == 1
    app = here.bridge.app
    here.odoo.silent_on = "check the amounts"
    with pytest.raises(BridgeError):
        app.import_as_is(app.config.accounts[0], order.order_id)
    here.odoo.silent_on = ""
    assert here.bridge.quarantine("orders").keys() == {order.order_id}
    assert app.import_as_is(app.config.accounts[0], order.order_id).quarantined == 0
    assert here.bridge.quarantine("orders") == {}
    sale_order = here.shop.sale_order(order)["id"]
    reminders = here.warehouse.activities("sale.order", sale_order)
    assert reminders.keys() == {"Amazon: check the amounts"}
