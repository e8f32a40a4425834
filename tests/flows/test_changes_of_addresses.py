"""Addresses that Amazon has later, or changes, are said before a parcel leaves."""

import copy

import pytest
from changed_orders import (
    ADDRESS,
    NO_ADDRESS,
    TAXES,
    changed,
    moved,
    open_deliveries,
    refused_quotation,
    reminders_after,
    ship,
    with_products,
)
from desk import Desk, Json, MakeDesk, item, order


@pytest.fixture
def desk(make_memory_desk: MakeDesk) -> Desk:
    return with_products(make_memory_desk())


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


def test_an_address_that_is_available_later_leaves_done_deliveries_alone(
    make_desk: MakeDesk,
) -> None:
    desk = with_products(make_desk())
    payload = without_address(item("BOARD", quantity=2, ITEM="30.00"))
    desk.work(payload)
    customer = desk.order(payload, "partner_shipping_id")["partner_shipping_id"][0]
    neighbour = desk.odoo.rpc("res.partner", "create", {"name": "Neighbour"})
    [done] = open_deliveries(desk, payload)
    desk.odoo.rpc("stock.picking", "write", [done["id"]], {"partner_id": neighbour})
    ship(desk, payload, BOARD=1)
    [backorder] = open_deliveries(desk, payload)
    desk.odoo.rpc("stock.picking", "write", [backorder["id"]], {"partner_id": customer})
    desk.work(payload | recipient("US"))
    shipping = desk.order(payload, "partner_shipping_id")["partner_shipping_id"][0]
    assert shipping != customer
    domain = [("id", "in", [done["id"], backorder["id"]])]
    rows = desk.find("stock.picking", domain, ["partner_id"])
    contacts = {row["id"]: row["partner_id"][0] for row in rows}
    assert contacts == {done["id"]: neighbour, backorder["id"]: shipping}


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
