"""What Amazon changes after the import, or counts as shipped, is said before a parcel leaves."""

import pytest
from changed_orders import (
    ASKS,
    ATTENTION,
    CHANGED,
    EXCESS,
    SHIPPED,
    activities,
    changed,
    moved,
    open_deliveries,
    refused_quotation,
    reminders_after,
    ship,
    units,
    with_products,
)
from desk import Desk, Json, MakeDesk, item, order

from amazon_bridge.amazon.orders import read_order
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows.orders import cancelling, changes, reminders, tell
from amazon_bridge.flows.orders.apply import _read
from amazon_bridge.flows.orders.find import memos_of
from amazon_bridge.flows.orders.memo import Memo
from amazon_bridge.odoo import checksums, sales


@pytest.fixture
def desk(make_memory_desk: MakeDesk) -> Desk:
    return with_products(make_memory_desk())


# Units that have left outside of Odoo


def test_partially_shipped_when_it_is_seen_first(desk: Desk) -> None:
    new = order(item("BOARD", quantity=3, ITEM="30.00"), item("SPOON", ITEM="5.00"))
    payload = changed(
        new, status="PARTIALLY_SHIPPED", items=[units(3, shipped=2), units(1, shipped=1)]
    )
    assert desk.work(payload).created == 1
    assert desk.order(payload)["amount_total"] == 35
    [(summary, text)] = reminders_after(desk, payload).items()
    assert summary == EXCESS
    assert "2 units of BOARD were shipped already, outside of Odoo: ship 1 unit in all" in text
    assert "(Amazon: 3 ordered, 1 still to be shipped" in text
    assert "1 unit of SPOON was shipped already, outside of Odoo: don't ship any of it" in text
    # The same facts are reported once; another unit is a new fact.
    assert desk.work(changed(payload, sellerOrderId="MINE")).unchanged == 1
    assert reminders_after(desk, payload) == {summary: text}
    later = changed(payload, items=[units(3, shipped=3), units(1, shipped=1)], status="SHIPPED")
    assert desk.work(later).unchanged == 1
    assert reminders_after(desk, payload).keys() == {SHIPPED}
    assert "3 units of BOARD" in reminders_after(desk, payload)[SHIPPED]


def test_shipped_in_seller_central_while_the_delivery_is_open(desk: Desk) -> None:
    payload = order(item("BOARD", quantity=2, ITEM="20.00"))
    desk.work(payload)
    package = {
        "packageReferenceId": "1",
        "packageItems": [
            {"orderItemId": payload["orderItems"][0]["orderItemId"], "quantity": 1},
        ],
    }
    desk.work(changed(payload, status="PARTIALLY_SHIPPED", packages=[package]))
    assert reminders_after(desk, payload).keys() == {EXCESS}
    desk.work(changed(payload, status="SHIPPED"))
    assert reminders_after(desk, payload).keys() == {SHIPPED}
    # The delivery order is settled: nobody is bothered any more.
    ship(desk, payload, BOARD=2)
    desk.work(changed(payload, status="SHIPPED", sellerOrderId="MINE"))
    assert reminders_after(desk, payload) == {}


def test_shipped_before_it_could_be_imported(make_memory_desk: MakeDesk) -> None:
    desk = make_memory_desk(unknown_sku="quarantine")
    payload = order(item("LATE", quantity=2, ITEM="20.00"))
    assert desk.work(payload).quarantined == 1
    desk.odoo.rpc("product.product", "create", {"name": "LATE", "default_code": "LATE"})
    shipped = changed(payload, status="SHIPPED", items=[units(2, shipped=2)])
    assert desk.work(shipped).created == 1
    assert reminders_after(desk, payload).keys() == {SHIPPED}


def test_what_the_warehouse_shipped_is_no_surprise(desk: Desk) -> None:
    payload = order(item("BOARD", quantity=3, ITEM="30.00"))
    desk.work(payload)
    ship(desk, payload, BOARD=2)
    desk.work(changed(payload, status="PARTIALLY_SHIPPED", items=[units(3, shipped=2)]))
    assert reminders_after(desk, payload) == {}
    # The third is cancelled on Amazon: its backorder must not leave.
    desk.work(changed(payload, status="SHIPPED", items=[units(2, shipped=2, total="20.00")]))
    assert reminders_after(desk, payload).keys() == {ATTENTION, EXCESS}
    text = reminders_after(desk, payload)[EXCESS]
    assert "1 unit of BOARD was cancelled on Amazon: don't ship any more of it" in text
    assert "line in the sale order to 2;" in text


def test_units_cancelled_without_lowering_them_are_not_shipped_elsewhere(desk: Desk) -> None:
    payload = order(item("BOARD", quantity=3, ITEM="30.00"))
    desk.work(payload)
    ship(desk, payload, BOARD=2)
    desk.work(changed(payload, status="PARTIALLY_SHIPPED", items=[units(3, shipped=2)]))
    left = {"fulfillment": {"quantityFulfilled": 2, "quantityUnfulfilled": 0}}
    desk.work(changed(payload, status="SHIPPED", items=[left]))
    assert reminders_after(desk, payload).keys() == {EXCESS}
    assert "1 unit of BOARD was cancelled on Amazon" in reminders_after(desk, payload)[EXCESS]


def test_what_amazon_leaves_out_later_stays_known(desk: Desk) -> None:
    payload = order(item("BOARD", ITEM="20.00"))
    desk.work(payload)
    later = changed(payload, salesChannel={"channelName": "AMAZON"})
    later["fulfillment"]["fulfilledBy"] = None
    assert desk.work(later).unchanged == 1
    memo = Memo.read(desk.app.ledger.items.get("acme", "orders", payload["orderId"]))
    assert memo
    assert (memo.fulfilled_by, memo.marketplace_id) == ("MERCHANT", "A13V1IB3VIYZZH")


# Units that were changed


def test_an_item_is_cancelled_on_amazon(desk: Desk) -> None:
    payload = order(item("BOARD", quantity=3, ITEM="30.00"), item("SPOON", ITEM="20.00"))
    desk.work(payload)
    later = changed(payload, items=[{}, units(0, total="0.00")])
    assert desk.work(later).quarantined == 1
    assert reminders_after(desk, payload).keys() == {ATTENTION, EXCESS}
    text = reminders_after(desk, payload)[EXCESS]
    assert "1 unit of SPOON was cancelled on Amazon: don't ship any of it" in text
    assert "(Amazon: 0 ordered, 1 before" in text
    # A person follows: the activities are done.
    of_order = [("order_id", "=", desk.order(payload)["id"]), ("product_id.name", "=", "SPOON")]
    [line] = desk.find("sale.order.line", of_order, [])
    desk.odoo.rpc("sale.order.line", "write", [line["id"]], {"product_uom_qty": 0})
    desk.app.ledger.items.retry(payload["orderId"])
    assert desk.work(later).unchanged == 1
    assert reminders_after(desk, payload) == {}


def test_a_free_item_is_cancelled_on_amazon(desk: Desk) -> None:
    payload = order(item("BOARD", ITEM="30.00"), item("SPOON", quantity=2, ITEM="0.00"))
    desk.work(payload)
    assert desk.work(changed(payload, items=[{}, units(1, total="0.00")])).unchanged == 1
    assert (
        "1 unit of SPOON was cancelled on Amazon: ship 1 unit in all"
        in reminders_after(desk, payload)[EXCESS]
    )


def test_units_cancelled_without_lowering_the_ordered_quantity(desk: Desk) -> None:
    payload = order(item("BOARD", quantity=2, ITEM="30.00"))
    desk.work(payload)
    left = {"fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": 1}}
    desk.work(changed(payload, items=[left]))
    assert "1 unit of BOARD" in reminders_after(desk, payload)[EXCESS]


def test_units_are_added_on_amazon(desk: Desk) -> None:
    payload = order(item("MUG", ITEM="9.00"))
    desk.work(payload)
    later = changed(payload, items=[units(17, total="153.00")])
    assert desk.work(later).quarantined == 1
    assert reminders_after(desk, payload).keys() == {ATTENTION, CHANGED}
    text = reminders_after(desk, payload)[CHANGED]
    assert "16 units of MUG were added on Amazon: ship 17 units in all (Amazon: 17 ordered" in text
    assert desk.work(later).quarantined == 1
    assert reminders_after(desk, payload).keys() == {ATTENTION, CHANGED}


def test_a_change_is_taken_back_after_a_person_has_followed_it(desk: Desk) -> None:
    payload = order(item("BOARD", ITEM="30.00"), item("SPOON", quantity=2, ITEM="0.00"))
    desk.work(payload)
    lowered = changed(payload, items=[{}, units(1, total="0.00")])
    desk.work(lowered)
    of_order = [("order_id", "=", desk.order(payload)["id"]), ("product_id.name", "=", "SPOON")]
    [line] = desk.find("sale.order.line", of_order, [])
    desk.odoo.rpc("sale.order.line", "write", [line["id"]], {"product_uom_qty": 1})
    desk.work(payload)
    assert reminders_after(desk, payload).keys() == {CHANGED}
    assert (
        "1 unit of SPOON was added on Amazon: ship 2 units in all"
        in reminders_after(desk, payload)[CHANGED]
    )
    desk.work(lowered)
    assert reminders_after(desk, payload) == {}


@pytest.mark.parametrize("price", ["0.00", "7.00"])
def test_an_item_is_added_on_amazon(desk: Desk, price: str) -> None:
    payload = order(item("BOARD", ITEM="30.00"))
    desk.work(payload)
    later = changed(payload)
    later["orderItems"].append(item("SPOON", quantity=2, ITEM=price))
    is_paid = price != "0.00"
    assert desk.work(later).quarantined == is_paid
    expected = {CHANGED, ATTENTION} if is_paid else {CHANGED}
    assert reminders_after(desk, payload).keys() == expected
    text = reminders_after(desk, payload)[CHANGED]
    assert "2 units of SPOON were added on Amazon: ship 2 units in all" in text
    assert "Add a line" in text
    desk.work(changed(later, sellerOrderId="MINE"))
    assert reminders_after(desk, payload)[CHANGED] == text
    # A person enters it: the activity is done.
    [product] = desk.find("product.product", [("default_code", "=", "SPOON")], [])
    line = {"product_id": product["id"], "product_uom_qty": 2, "price_unit": float(price) / 2}
    values = line | {"order_id": desk.order(payload)["id"]}
    desk.odoo.rpc("sale.order.line", "create", values)
    desk.app.ledger.items.retry(payload["orderId"])
    desk.work(changed(later, sellerOrderId="AGAIN"))
    assert reminders_after(desk, payload) == {}


def test_two_items_of_one_sku_are_distinguished(desk: Desk) -> None:
    items = [item("MUG", quantity=2, ITEM="0.00") for _ in range(2)]
    items[0]["product"]["title"] = "Large"
    payload = order(item("BOARD", ITEM="30.00"), *items)
    desk.work(payload)
    desk.work(changed(payload, items=[{}, units(1, total="0.00")]))
    assert "1 unit of MUG (Large) was cancelled" in reminders_after(desk, payload)[EXCESS]


def test_two_items_of_one_sku_and_title_are_distinguished(desk: Desk) -> None:
    items = [item("MUG", quantity=2, ITEM="0.00") for _ in range(2)]
    payload = order(item("BOARD", ITEM="30.00"), *items)
    desk.work(payload)
    desk.work(changed(payload, items=[{}, units(1, total="0.00")]))
    name = f"MUG (order item {items[0]['orderItemId']})"
    assert f"1 unit of {name} was cancelled" in reminders_after(desk, payload)[EXCESS]


# Requests


def asks(number: int) -> list[Json]:
    request = {"cancellation": {"cancellationRequest": {"requester": "BUYER"}}}
    return [request if i == number else {} for i in range(2)]


def test_the_buyer_asks_to_cancel_one_item(desk: Desk) -> None:
    payload = order(item("BOARD", quantity=2, ITEM="30.00"), item("SPOON", ITEM="20.00"))
    desk.work(payload)
    first = changed(payload, items=asks(0))
    desk.work(first)
    [(summary, text)] = reminders_after(desk, payload).items()
    assert summary == ASKS
    assert "2 units of BOARD" in text
    assert "SPOON" not in text
    # The same request is reported once, another one again.
    desk.work(changed(first, sellerOrderId="MINE"))
    assert reminders_after(desk, payload) == {ASKS: text}
    both = changed(first, items=[{}, asks(0)[0]])
    desk.work(both)
    assert "this order" in reminders_after(desk, payload)[ASKS]
    desk.work(payload)  # withdrawn
    assert reminders_after(desk, payload) == {}
    desk.work(first | {"sellerOrderId": "AGAIN"})
    assert "2 units of BOARD" in reminders_after(desk, payload)[ASKS]


# The quarantine


def test_cancelled_when_a_part_has_left(desk: Desk) -> None:
    payload = order(item("BOARD", quantity=3, ITEM="30.00"))
    desk.work(payload)
    ship(desk, payload, BOARD=1)
    assert desk.work(changed(payload, status="CANCELLED")).quarantined == 1
    on_order = activities(desk, "sale.order", desk.order(payload)["id"])
    assert on_order.keys() == {ATTENTION}
    assert "goods of S" in on_order[ATTENTION]
    [delivery] = open_deliveries(desk, payload)
    [(summary, text)] = activities(desk, "stock.picking", delivery["id"]).items()
    assert summary == "Amazon: cancelled, don't ship"
    assert "don't ship what is still here" in text


def test_other_jobs_know_that_amazon_cancels_a_quotation(desk: Desk) -> None:
    """Before the run ends: the cancellations job may see the sale order in between."""
    payload = refused_quotation(desk)
    context = desk.context
    cancelled = read_order(changed(payload, status="CANCELLED"))
    batch = _read(context, [cancelled])
    assert cancelling.cancel(context, batch).errors == {}
    memo = memos_of(context, [cancelled.order_id]).known[
        cancelled.order_id
    ]  # without asking Amazon
    assert isinstance(memo, Memo)
    assert memo.cancelling


def test_amounts_have_the_same_digits(desk: Desk) -> None:
    payload = order(item("BOARD", ITEM="30.00"))
    desk.work(payload)
    desk.work(changed(payload, items=[units(1, total="31.50")]))
    assert "says 31.50 EUR" in reminders_after(desk, payload)[ATTENTION]
    assert "a total of 30.00 EUR. Correct" in reminders_after(desk, payload)[ATTENTION]


def test_reason_and_remedy_are_two_sentences(desk: Desk) -> None:
    payload = order(item("BOARD", ITEM="30.00"))
    desk.work(payload)
    error = ItemError("odoo_refused", "Invalid field", "Look it up.")
    tell.quarantine_all(desk.context, {payload["orderId"]: error})
    assert "Invalid field. Look it up." in reminders_after(desk, payload)[ATTENTION]


# What people do about it in Odoo


def test_an_order_is_looked_at_again_when_people_followed_a_change(desk: Desk) -> None:
    payload = order(item("BOARD", ITEM="30.00"), item("SPOON", quantity=2, ITEM="0.00"))
    desk.work(payload)
    assert changes.changed_by_people(desk.context) == []
    lowered = changed(payload, items=[{}, units(1, total="0.00")])
    desk.work(lowered)
    assert reminders_after(desk, payload).keys() == {EXCESS}
    assert changes.changed_by_people(desk.context) == []
    of_order = [("order_id", "=", desk.order(payload)["id"]), ("product_id.name", "=", "SPOON")]
    [line] = desk.find("sale.order.line", of_order, [])
    desk.odoo.rpc("sale.order.line", "write", [line["id"]], {"product_uom_qty": 1})
    assert changes.changed_by_people(desk.context) == [payload["orderId"]]
    desk.work_orders(read_order(lowered))
    assert reminders_after(desk, payload) == {}
    assert changes.changed_by_people(desk.context) == []


def test_an_order_is_looked_at_again_when_people_entered_an_address(desk: Desk) -> None:
    payload = order(item("BOARD", ITEM="30.00"))
    desk.work(payload)
    desk.work(moved(payload, "99 rue Neuve"))
    [moved_to] = desk.find("res.partner", [("street", "=", "99 rue Neuve")], [])
    assert changes.changed_by_people(desk.context) == []
    [delivery] = open_deliveries(desk, payload)
    desk.odoo.rpc("stock.picking", "write", [delivery["id"]], {"partner_id": moved_to["id"]})
    assert changes.changed_by_people(desk.context) == [payload["orderId"]]


def test_checksums_are_the_same_whether_read_with_the_orders_or_alone(desk: Desk) -> None:
    payloads = [order(item("BOARD", ITEM="30.00"), item("SPOON", ITEM="5.00")) for _ in range(3)]
    for payload in payloads:
        desk.work(payload)
    replaced, cancelled, _ = payloads
    [delivery] = open_deliveries(desk, replaced)
    [other] = desk.find("product.product", [("name", "=", "MUG")], [])
    for move in desk.find("stock.move", [("picking_id", "=", delivery["id"])], []):
        desk.odoo.rpc("stock.move", "write", [move["id"]], {"product_id": other["id"]})
    desk.odoo.rpc("sale.order", "action_cancel", [desk.order(cancelled)["id"]])
    order_ids = [payload["orderId"] for payload in payloads]
    found = sales.find(desk.context.odoo, order_ids)
    assert not found[replaced["orderId"]].deliveries[0].is_linked
    sums = checksums.of_sale_orders(desk.context.odoo, list(found.values()))
    assert checksums.current(desk.context.odoo, order_ids) == sums


def test_an_order_that_was_imported_as_it_is_is_not_fetched_again(desk: Desk) -> None:
    payload = order(item("BOARD", quantity=2, ITEM="0.00"))
    desk.work(payload)
    desk.work(changed(payload, items=[units(1, total="0.00")]))
    [sale_order] = sales.find(desk.context.odoo, [payload["orderId"]]).values()
    note = reminders.note(reminders.AS_IS, "Amazon: check the amounts", "Check them.")
    reminders.remind(desk.context, [(sale_order, note)])
    [line] = desk.find("sale.order.line", [("product_id.name", "=", "BOARD")], [])
    desk.odoo.rpc("sale.order.line", "write", [line["id"]], {"product_uom_qty": 1})
    assert changes.changed_by_people(desk.context) == []
