"""What Amazon changes after the import, or counts as shipped, is said before a parcel leaves."""

import copy
import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, Json, MakeDesk, item, order

from amazon_bridge.amazon.orders import read_order
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows.orders import cancelling, changes, reminders, tell
from amazon_bridge.flows.orders.apply import _read
from amazon_bridge.flows.orders.find import memos_of
from amazon_bridge.flows.orders.memo import Memo
from amazon_bridge.odoo import people, sales

SKUS = ("BOARD", "SPOON", "MUG")
FIELDS = ["name", "state", "partner_id", "note"]
SHIPPED = "Amazon: shipped already, don't ship it again"
EXCESS = "Amazon: don't ship all units"
CHANGED = "Amazon: units were changed"
ASKS = "Amazon: the buyer asks to cancel"
NO_ADDRESS = "Amazon: no delivery address yet"
ADDRESS = "Amazon: another delivery address"
TAXES = "Amazon: check the taxes"
ATTENTION = "Amazon: this order needs attention"
MakeSets = Callable[[int], Desk]


@pytest.fixture
def desk(make_memory_desk: MakeDesk) -> Desk:
    desk = make_memory_desk()
    for sku in SKUS:
        values = {"name": sku, "default_code": sku, "is_storable": True, "taxes_id": [(6, 0, [])]}
        desk.odoo.rpc("product.product", "create", values)
    return desk


def changed(payload: Json, *, status: str = "", **fields: Any) -> Json:
    """The same order as Amazon shows it later; ``items`` has what is new of each item."""
    later = copy.deepcopy(payload)
    for mine, new in zip(later["orderItems"], fields.pop("items", ()), strict=False):
        mine.update(new)
    if status:
        later["fulfillment"]["fulfillmentStatus"] = status
    return later | fields


def units(ordered: int, *, shipped: int = 0, total: str | None = None) -> Json:
    proceeds = {"proceedsTotal": money(total), "breakdowns": []} if total is not None else None
    fulfillment = {"quantityFulfilled": shipped, "quantityUnfulfilled": ordered - shipped}
    item_ = {"quantityOrdered": ordered, "fulfillment": fulfillment}
    return item_ | ({"proceeds": proceeds} if proceeds else {})


def money(amount: str) -> Json:
    return {"amount": amount, "currencyCode": "EUR"}


def reminders_after(desk: Desk, payload: Json) -> dict[str, str]:
    """The open activities, by summary; the same on the sale order and on its open delivery."""
    sale_order = desk.order(payload)
    on_order = activities(desk, "sale.order", sale_order["id"])
    for delivery in open_deliveries(desk, payload):
        assert activities(desk, "stock.picking", delivery["id"]) == on_order
    return on_order


def activities(desk: Desk, model: str, id_: int) -> dict[str, str]:
    domain = [("res_model", "=", model), ("res_id", "=", id_)]
    rows = desk.find("mail.activity", domain, ["summary", "note"])
    assert len({row["summary"] for row in rows}) == len(rows)
    return {row["summary"]: html.unescape(row["note"]) for row in rows}


def open_deliveries(desk: Desk, payload: Json) -> list[Json]:
    domain = [("sale_id", "=", desk.order(payload)["id"]), ("state", "not in", ["done", "cancel"])]
    return desk.find("stock.picking", domain, FIELDS)


def ship(desk: Desk, payload: Json, **quantities: int) -> None:
    """Do the open delivery with these quantities by SKU; the rest is a backorder."""
    [delivery] = open_deliveries(desk, payload)
    moves = desk.find("stock.move", [("picking_id", "=", delivery["id"])], ["product_id"])
    for move in moves:
        name = move["product_id"][1].rpartition(" ")[2]
        quantity = quantities.get(name, 0)
        values = {"quantity": quantity, "picked": quantity > 0}
        desk.odoo.rpc("stock.move", "write", [move["id"]], values)
    context = {"skip_backorder": True, "skip_sms": True}
    desk.odoo.rpc("stock.picking", "button_validate", [delivery["id"]], context=context)


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


# Items of which one unit is several pieces in Odoo


@pytest.fixture
def sets(make_memory_desk: MakeDesk, desk: Desk, tmp_path: Path) -> MakeSets:
    """The desk, with a product map by which one SET is so many pieces of SPOON."""

    def make(pieces: int) -> Desk:
        path = tmp_path / f"map-{pieces}.csv"
        path.write_text(f"code,internal_reference,units\nSET,SPOON,{pieces}\n")
        return make_memory_desk(product_map=path)

    assert desk
    return make


def quantity(desk: Desk, payload: Json) -> float:
    domain = [("order_id", "=", desk.order(payload)["id"])]
    [line] = desk.find("sale.order.line", domain, ["product_uom_qty"])
    return float(line["product_uom_qty"])


@pytest.mark.parametrize("pieces_later", [1, 6, 12])
def test_a_set_is_cancelled_on_amazon(sets: MakeSets, pieces_later: int) -> None:
    payload = order(item("SET", quantity=3, ITEM="30.01"))
    sets(6).work(payload)
    assert quantity(sets(6), payload) == 18
    desk = sets(pieces_later)
    assert desk.work(changed(payload, sellerOrderId="MINE")).unchanged == 1
    assert reminders_after(desk, payload) == {}
    left = {"fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": 2}}
    desk.work(changed(payload, items=[left]))
    text = reminders_after(desk, payload)[EXCESS]
    assert (
        "6 pieces of SET (6 pieces are one unit) were cancelled on Amazon: ship 12 pieces" in text
    )
    assert "(Amazon: 18 ordered, 12 still to be shipped; sale order: 18 ordered, 0 del" in text


def test_some_pieces_of_a_set_have_left(sets: MakeSets) -> None:
    desk, payload = sets(6), order(item("SET", quantity=2, ITEM="30.01"))
    desk.work(payload)
    ship(desk, payload, SPOON=7)
    desk.work(changed(payload, status="PARTIALLY_SHIPPED", items=[units(2, shipped=1)]))
    assert reminders_after(desk, payload) == {}


@pytest.mark.parametrize("imported_with", [1, 6])
def test_the_state_store_is_lost(
    sets: MakeSets, make_memory_desk: MakeDesk, tmp_path: Path, imported_with: int
) -> None:
    payload = order(item("SET", quantity=2, ITEM="30.01"))
    sets(imported_with).work(payload)
    path = tmp_path / "map-6.csv"
    path.write_text("code,internal_reference,units\nSET,SPOON,6\n")
    desk = make_memory_desk(product_map=path, state=tmp_path / "new.db")
    desk.work(payload)
    assert reminders_after(desk, payload) == {}
    memo = Memo.read(desk.app.ledger.items.get("acme", "orders", payload["orderId"]))
    assert memo
    assert set(memo.pieces.values()) == {imported_with}


def test_an_order_that_is_cancelled_keeps_its_pieces(sets: MakeSets) -> None:
    payload = order(item("SET", quantity=2, ITEM="30.01"))
    sets(6).work(payload)
    desk = sets(1)
    desk.work(changed(payload, status="CANCELLED"))
    memo = Memo.read(desk.app.ledger.items.get("acme", "orders", payload["orderId"]))
    assert memo
    assert set(memo.pieces.values()) == {6}


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


# Addresses


def without_address(*items: Json) -> Json:
    return order(*items) | {"recipient": None}


def contact(desk: Desk, id_: int) -> Json:
    [row] = desk.find("res.partner", [("id", "=", id_)], ["street", "city", "country_id"])
    return row


def recipient(country: str) -> Json:
    address = copy.deepcopy(order()["recipient"])
    address["deliveryAddress"]["countryCode"] = country
    return {"recipient": address}


def test_the_address_is_available_after_the_import(make_desk: MakeDesk) -> None:
    desk = make_desk()
    payload = without_address(item("BOARD", ITEM="30.00"))
    desk.work(payload)
    assert reminders_after(desk, payload).keys() == {NO_ADDRESS}
    later = payload | recipient("US")
    assert desk.work(later).unchanged == 1
    assert reminders_after(desk, payload) == {}
    shipping = desk.order(payload, "partner_shipping_id")["partner_shipping_id"][0]
    assert contact(desk, shipping)["street"] == "1 rue de la Paix"
    [delivery] = open_deliveries(desk, payload)
    assert delivery["partner_id"][0] == shipping
    assert desk.work(later | {"sellerOrderId": "MINE"}).unchanged == 1
    assert reminders_after(desk, payload) == {}


def test_buyer_and_address_are_available_after_the_import(make_desk: MakeDesk) -> None:
    desk = make_desk()
    later = order(item("BOARD", ITEM="30.00"))
    desk.work(later | {"recipient": None, "buyer": None})
    customer = desk.order(later)["partner_id"]
    assert customer[1] == f"Amazon customer {later['orderId']}"
    desk.work(later)
    sale_order = desk.order(later, "partner_shipping_id")
    assert sale_order["partner_id"] == [customer[0], later["buyer"]["buyerName"]]
    assert sale_order["partner_shipping_id"] == sale_order["partner_id"]
    assert contact(desk, customer[0])["street"] == "1 rue de la Paix"


@pytest.mark.parametrize("in_memory", [True, False])
def test_an_address_that_is_available_later_would_change_the_taxes(
    make_desk: MakeDesk, make_memory_desk: MakeDesk, *, in_memory: bool
) -> None:
    desk = make_memory_desk() if in_memory else make_desk()
    if in_memory:  # a real one has the position Foreign Trade
        position = {"name": "Foreign Trade", "auto_apply": True}
        desk.odoo.rpc("account.fiscal.position", "create", position)
    payload = without_address(item("BOARD", ITEM="30.00"))
    desk.work(payload)
    later = payload | recipient("FR")
    desk.work(later)
    assert reminders_after(desk, payload).keys() == {TAXES}
    desk.work(later | {"sellerOrderId": "MINE"})
    assert reminders_after(desk, payload).keys() == {TAXES}


def test_a_person_had_entered_the_missing_address(desk: Desk) -> None:
    payload = without_address(item("BOARD", ITEM="30.00"))
    desk.work(payload)
    shipping = desk.order(payload, "partner_shipping_id")["partner_shipping_id"][0]
    desk.odoo.rpc("res.partner", "write", [shipping], {"street": "2 rue Basse", "city": "Lyon"})
    desk.work(payload | {"recipient": order()["recipient"]})
    assert reminders_after(desk, payload).keys() == {ADDRESS}
    assert desk.order(payload, "partner_shipping_id")["partner_shipping_id"][0] == shipping
    assert contact(desk, shipping)["street"] == "2 rue Basse"


def test_delivery_instructions_are_reported_with_the_address(desk: Desk) -> None:
    payload = without_address(item("BOARD", ITEM="30.00"))
    payload["fulfillment"]["shipByWindow"] = {"latestDateTime": "2026-11-20T22:59:00Z"}
    desk.work(payload)
    [delivery] = open_deliveries(desk, payload)
    assert delivery["note"] == "Ship by: 2026-11-20 22:59 UTC"
    preference = {"deliveryPreference": {"dropOffLocation": "Porch"}}
    later = payload | {"recipient": order()["recipient"] | preference}
    desk.odoo.rpc("stock.picking", "write", [delivery["id"]], {"note": "Ship by: noon"})
    desk.work(later)
    noted = "Ship by: noon<br/>Delivery instructions: Porch"
    assert open_deliveries(desk, payload)[0]["note"] == noted
    desk.work(later | {"sellerOrderId": "MINE"})
    assert open_deliveries(desk, payload)[0]["note"] == noted


def test_another_address_on_amazon(desk: Desk) -> None:
    payload = order(item("BOARD", ITEM="30.00"))
    desk.work(payload)
    before = desk.order(payload, "partner_shipping_id")["partner_shipping_id"][0]
    moved = copy.deepcopy(payload)
    moved["recipient"]["deliveryAddress"]["addressLine1"] = "99 rue Neuve"
    desk.work(moved)
    [(summary, text)] = reminders_after(desk, payload).items()
    assert summary == ADDRESS
    assert "Neuve" not in text
    sale_order = desk.order(payload, "partner_shipping_id")
    assert sale_order["partner_shipping_id"][0] == before
    children = desk.find(
        "res.partner", [("parent_id", "=", sale_order["partner_id"][0])], ["street"]
    )
    assert "99 rue Neuve" in {each["street"] for each in children}
    [moved_to] = [
        row["id"] for row in desk.find("res.partner", [("street", "=", "99 rue Neuve")], [])
    ]
    assert f'data-oe-id="{moved_to}">contact #{moved_to}</a>' in text
    # The address is withheld, then the same: reported once.
    desk.work(moved | {"recipient": None})
    desk.work(moved | {"sellerOrderId": "MINE"})
    assert reminders_after(desk, payload) == {ADDRESS: text}


def moved(payload: Json, street: str) -> Json:
    later = copy.deepcopy(payload)
    later["recipient"]["deliveryAddress"]["addressLine1"] = street
    return later


def test_the_address_on_amazon_is_changed_back(desk: Desk) -> None:
    payload = order(item("BOARD", ITEM="30.00"))
    desk.work(payload)
    there = moved(payload, "99 rue Neuve")
    desk.work(there)
    first = reminders_after(desk, payload)
    assert first.keys() == {ADDRESS}
    desk.work(payload)
    assert reminders_after(desk, payload) == {}
    # Once more the same change: people are reminded again.
    desk.work(there)
    assert reminders_after(desk, payload) == first


def test_the_address_on_amazon_is_changed_twice(desk: Desk) -> None:
    payload = order(item("BOARD", ITEM="30.00"))
    desk.work(payload)
    desk.work(moved(payload, "99 rue Neuve"))
    first = reminders_after(desk, payload)[ADDRESS]
    desk.work(moved(payload, "100 rue Neuve"))
    assert reminders_after(desk, payload).keys() == {ADDRESS}  # one activity: the older is closed
    assert reminders_after(desk, payload)[ADDRESS] != first


def test_people_enter_the_address_of_amazon(desk: Desk) -> None:
    payload = order(item("BOARD", ITEM="30.00"))
    desk.work(payload)
    there = moved(payload, "99 rue Neuve")
    desk.work(there)
    [moved_to] = desk.find("res.partner", [("street", "=", "99 rue Neuve")], [])
    sale_order = desk.order(payload)
    values = {"partner_shipping_id": moved_to["id"]}
    desk.odoo.rpc("sale.order", "write", [sale_order["id"]], values)
    desk.work(changed(there, sellerOrderId="MINE"))
    assert reminders_after(desk, payload).keys() == {ADDRESS}  # the delivery order lacks it
    [delivery] = open_deliveries(desk, payload)
    desk.odoo.rpc("stock.picking", "write", [delivery["id"]], {"partner_id": moved_to["id"]})
    desk.work(changed(there, sellerOrderId="AGAIN"))
    assert reminders_after(desk, payload) == {}


def refused_quotation(desk: Desk) -> Json:
    """An order that Odoo does not confirm, because its address lacks the postal code."""
    rule = {"name": "No ZIP", "domain": "[('partner_shipping_id.zip', '=', False)]"}
    desk.odoo.rpc("exception.rule", "create", rule)
    payload = order(item("BOARD", ITEM="30.00"))
    del payload["recipient"]["deliveryAddress"]["postalCode"]
    assert desk.work(payload).quarantined == 1
    return payload


def test_people_correct_the_address_of_a_quotation(desk: Desk) -> None:
    payload = refused_quotation(desk)
    shipping = desk.order(payload, "partner_shipping_id")["partner_shipping_id"][0]
    desk.odoo.rpc("res.partner", "write", [shipping], {"zip": "75002"})
    desk.app.ledger.items.retry(payload["orderId"])
    assert desk.work(payload).updated == 1
    assert desk.order(payload)["state"] == "sale"
    assert reminders_after(desk, payload) == {}
    # Later changes on Amazon are reported.
    desk.work(moved(payload, "99 rue Neuve"))
    assert reminders_after(desk, payload).keys() == {ADDRESS}


def test_amazon_changes_the_address_of_a_quotation(desk: Desk) -> None:
    payload = refused_quotation(desk)
    shipping = desk.order(payload, "partner_shipping_id")["partner_shipping_id"][0]
    desk.odoo.rpc("res.partner", "write", [shipping], {"zip": "75002"})
    assert desk.work(moved(payload, "99 rue Neuve")).updated == 1
    assert reminders_after(desk, payload).keys() == {ADDRESS}


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
    sums = people.checksums(desk.context.odoo, list(found.values()))
    assert people.current_checksums(desk.context.odoo, order_ids) == sums


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
