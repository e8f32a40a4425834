"""The life of single orders: what happens on Amazon, what people do in Odoo, and both."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from bridge import ShiftedClock
from program import MakeProgram, Program, SettledWorld
from proxy import Proxy
from shop import ATTENTION, READING, Shop

from amazon_bridge.simulator import Address, Buyer, Line, Order, Seller

pytestmark = pytest.mark.odoo("in memory")


BUYER = Buyer("Ada Testwell", "ada0testwell0@marketplace.amazon.fr")
HOME = Address("Ada Testwell", lines=("1 rue Haute", "Porte B"), city="Lyon", country="FR")


# What Amazon shows


def test_orders_come_in_when_their_time_has_come(
    program: Program, world: SettledWorld, shop: Shop
) -> None:
    unpaid = world.place_order("FR", status="PENDING")
    at_amazon = world.place_order("FR", fulfilled_by="AMAZON", status="UNSHIPPED")
    gone = world.place_order("FR", status="SHIPPED")
    cancelled = world.place_order("FR", status="CANCELLED")
    elsewhere = world.place_order("FR", channel="NON_AMAZON")
    orders = (unpaid, at_amazon, gone, cancelled, elsewhere)
    assert program.sync().counts() == {"seen": 4, "unchanged": 4}
    assert not shop.sale_orders().keys() & {order.order_id for order in orders}
    world.pay(unpaid.order_id)
    world.ship(at_amazon.order_id)
    assert program.sync().counts() == {"seen": 5, "created": 2, "unchanged": 3}
    assert [each["state"] for each in shop.deliveries_of(unpaid)] == ["assigned"]
    assert [each["state"] for each in shop.deliveries_of(at_amazon)] == ["done"]
    assert not shop.sale_orders().keys() & {o.order_id for o in (gone, cancelled, elsewhere)}


def test_cancelled_on_amazon(program: Program, world: SettledWorld, shop: Shop) -> None:
    order = world.place_order("FR")
    program.sync()
    world.cancel(order.order_id)
    assert program.sync().counts() == {"seen": 1, "cancelled": 1}
    sale_order = shop.sale_order(order)
    assert sale_order["state"] == "cancel"
    assert [each["state"] for each in shop.deliveries_of(order)] == ["cancel"]
    assert shop.notes("sale.order", sale_order["id"]) == ["Amazon: cancelled"]
    assert program.sync().counts() == {"seen": 1, "unchanged": 1}


def test_an_older_version_that_is_shown_after_the_newer_one(
    program: Program, world: SettledWorld, clock: ShiftedClock, shop: Shop
) -> None:
    order = world.place_order("FR")
    clock.advance(seconds=2)
    world.cancel(order.order_id)
    world.settings.repeating_search = True
    assert program.sync().counts() == {"seen": 1, "unchanged": 1}
    assert order.order_id not in shop.sale_orders()


def test_cancelled_on_amazon_after_goods_left(
    program: Program, world: SettledWorld, shop: Shop
) -> None:
    order = world.place_order("FR", [Line(quantity=2)])
    program.sync()
    (delivery,) = shop.deliveries_of(order)
    shop.validate(delivery["id"])
    world.cancel(order.order_id)
    assert program.sync(code=1).counts() == {"seen": 1, "quarantined": 1}
    entry = program.quarantine()[order.order_id]
    sale_order = shop.sale_order(order)
    assert entry["kind"] == "needs_attention"
    assert sale_order["name"] in entry["reason"]
    assert sale_order["state"] == "sale"
    notes = [ATTENTION, "Amazon: cancelled after goods left"]
    assert sorted(shop.notes("sale.order", sale_order["id"])) == sorted(notes)
    assert shop.activities("sale.order", sale_order["id"]) == [ATTENTION]
    # Tried again: still so, and not noted twice. Settled by a person: that is the end of it.
    assert program.run("quarantine", "retry", order.order_id).code == 0
    assert program.sync(code=1).counts() == {"seen": 1, "quarantined": 1}
    assert sorted(shop.notes("sale.order", sale_order["id"])) == sorted(notes)
    shop.cancel(sale_order["id"])
    assert program.run("quarantine", "retry", "--all").code == 0
    assert program.sync().counts() == {"seen": 1, "unchanged": 1}
    assert program.quarantine() == {}
    assert shop.activities("sale.order", sale_order["id"]) == []


def test_shipped_while_it_was_quarantined(
    make_program: MakeProgram, world: SettledWorld, seller: Seller, shop: Shop
) -> None:
    program = make_program()
    program.add_account(seller, unknown_sku="quarantine")
    order = world.place_order("DE", [Line(sku="COMES-LATE", price=Decimal(9))])
    program.sync(code=1)
    world.ship(order.order_id)
    program.sync(code=1)
    assert program.quarantine()[order.order_id]["kind"] == "unknown_sku"
    assert order.order_id not in shop.sale_orders()
    shop.make_products({"COMES-LATE": {}})
    assert program.run("quarantine", "retry", order.order_id).code == 0
    program.sync()
    assert shop.sale_order(order)["state"] == "sale"
    assert program.quarantine() == {}


@pytest.mark.odoo("real")
def test_buyer_asks_to_cancel(program: Program, world: SettledWorld, shop: Shop) -> None:
    order = world.place_order("FR")
    program.sync()
    world.request_cancellation(order.order_id)
    subject = ["Amazon: the buyer asks to cancel"]
    program.sync()
    (delivery,), sale_order = shop.deliveries_of(order), shop.sale_order(order)
    for model, id_ in (("sale.order", sale_order["id"]), ("stock.picking", delivery["id"])):
        assert shop.notes(model, id_) == subject
        assert shop.activities(model, id_) == subject
    # A person is done with it, and the order changes again: nobody is bothered twice.
    domain = [("res_model", "=", "sale.order"), ("res_id", "=", sale_order["id"])]
    (activity,) = shop.search("mail.activity", domain, [])
    shop.rpc("mail.activity", "action_feedback", [activity["id"]])
    world.change(order.order_id, seller_order_id="MINE-1")
    assert program.sync().counts() == {"seen": 1, "unchanged": 1}
    assert shop.activities("sale.order", sale_order["id"]) == []
    assert shop.activities("stock.picking", delivery["id"]) == subject
    assert sale_order["state"] == "sale"


def test_worth_changed_after_the_import(program: Program, world: SettledWorld, shop: Shop) -> None:
    order = world.place_order("FR", [Line(sku="BOARD-OAK", quantity=2, price=Decimal(76))])
    program.sync()
    item = order.items[0]
    world.change_item(order.order_id, item.order_item_id, quantity=1, price=Decimal(38), taxes=())
    assert program.sync(code=1).counts() == {"seen": 1, "quarantined": 1}
    entry = program.quarantine()[order.order_id]
    assert entry["kind"] == "needs_attention"
    assert re.search(r"38\.00 EUR.* 76\.0", entry["reason"])
    (line,) = shop.sale_order(order)["order_line"]
    assert shop.lines()[f"sale_line_{item.order_item_id}"].quantity == 2
    (delivery,) = shop.deliveries_of(order)
    records = [("sale.order", shop.sale_order(order)["id"]), ("stock.picking", delivery["id"])]
    assert [ATTENTION in shop.activities(*record) for record in records] == [True, True]
    # The same reason is reported once; another one replaces it.
    program.run("quarantine", "retry", "--all")
    program.sync(code=1)
    assert [shop.notes(*record).count(ATTENTION) for record in records] == [1, 1]
    world.change_item(order.order_id, item.order_item_id, quantity=1, price=Decimal(37), taxes=())
    program.sync(code=1)
    assert [shop.notes(*record).count(ATTENTION) for record in records] == [2, 2]
    assert [shop.activities(*record).count(ATTENTION) for record in records] == [1, 1]
    # Processed again: the activities are done.
    values = {"product_uom_qty": 1, "price_unit": 37}
    shop.rpc("sale.order.line", "write", [line], values)
    program.run("quarantine", "retry", "--all")
    program.sync()
    assert program.quarantine() == {}
    assert [ATTENTION in shop.activities(*record) for record in records] == [False, False]


# What people do in Odoo


def test_customers_are_recognised_and_never_overwritten(
    program: Program, world: SettledWorld, shop: Shop
) -> None:
    first = world.place_order("FR", buyer=BUYER, address=HOME)
    program.sync()
    customer = shop.sale_order(first)["partner_id"][0]
    shop.rpc("res.partner", "write", [customer], {"name": "Ada T.", "street": "2 rue Basse"})
    again = world.place_order("FR", buyer=BUYER, address=HOME)
    office = replace(HOME, name="Reception", lines=("9 quai Neuf",), city="Nice")
    elsewhere = [world.place_order("FR", buyer=BUYER, address=office) for _ in range(2)]
    withheld = world.place_order("FR", buyer=replace(BUYER, name=None), address=Address())
    program.sync()
    orders = [shop.sale_order(order) for order in (first, again, *elsewhere, withheld)]
    assert {order["partner_id"][0] for order in orders} == {customer}
    assert {order["partner_invoice_id"][0] for order in orders} == {customer}
    _, its_again, one, two, its_withheld = (order["partner_shipping_id"][0] for order in orders)
    assert one == two
    fields = ["name", "street", "street2", "city", "type", "parent_id", "country_id", "email"]
    domain = [("id", "in", [customer, its_again, one, its_withheld])]
    contacts = {row["id"]: row for row in shop.search("res.partner", domain, fields)}
    assert contacts[customer]["name"] == "Ada T."
    assert contacts[customer]["street"] == "2 rue Basse"
    assert contacts[customer]["email"] == BUYER.email
    assert contacts[one]["name"] == "Reception"
    assert contacts[one]["parent_id"][0] == customer
    assert contacts[its_again]["street"] == "1 rue Haute"
    assert contacts[its_again]["street2"] == "Porte B"
    assert contacts[its_again]["country_id"][1] == "France"
    assert (contacts[its_withheld]["name"], contacts[its_withheld]["street"]) == ("Ada T.", False)
    assert {contacts[id_]["type"] for id_ in (its_again, one, its_withheld)} == {"delivery"}


@pytest.mark.odoo("real")
def test_sale_orders_that_people_changed_stay_as_they_are(
    program: Program, world: SettledWorld, shop: Shop
) -> None:
    orders = [world.place_order("FR", [Line(sku="BOARD-OAK")]) for _ in range(5)]
    program.sync()
    priced, renamed, reset, cancelled, commented = (shop.sale_order(order) for order in orders)
    shop.rpc("sale.order.line", "write", priced["order_line"], {"price_unit": 1, "name": "Mine"})
    shop.rpc("sale.order", "write", [renamed["id"]], {"client_order_ref": "PO 4711"})
    shop.cancel(reset["id"])
    shop.rpc("sale.order", "action_draft", [reset["id"]])
    shop.cancel(cancelled["id"])
    shop.rpc("sale.order", "write", [commented["id"]], {"origin": "Mine", "user_id": 2})
    shop.rpc("sale.order", "copy", [renamed["id"]])
    before = shop.snapshot()
    for order in orders:
        world.change(order.order_id, seller_order_id="MINE")
    assert program.sync().counts() == {"seen": 5, "unchanged": 5}
    program.forget()
    assert program.sync().counts() == {"seen": 5, "unchanged": 5}
    assert shop.snapshot() == before
    world.cancel(orders[1].order_id)
    assert program.sync().counts() == {"seen": 5, "cancelled": 1, "unchanged": 4}


@pytest.mark.odoo("real")
def test_dry_run_changes_nothing_anywhere(
    program: Program, world: SettledWorld, shop: Shop
) -> None:
    program.run("setup")
    known = world.place_order("FR")
    program.sync()
    world.cancel(known.order_id)
    world.place_order("FR", fulfilled_by="AMAZON")
    world.place_order("FR", status="CANCELLED")
    before, state = shop.snapshot(), program.run("status", "--json").json
    with Proxy(program.odoo_url) as proxy:
        program.odoo_url, direct = proxy.url, program.odoo_url
        run = program.sync("--dry-run")
        program.odoo_url = direct
    assert run.counts() == {"seen": 3, "created": 1, "cancelled": 1, "unchanged": 1}
    assert {method for _, method in proxy.odoo_calls} <= READING
    assert shop.snapshot() == before
    assert program.run("status", "--json").json == state
    assert program.sync().counts() == run.counts()


# Accounts


def test_two_accounts_of_one_seller(
    make_program: MakeProgram, world: SettledWorld, seller: Seller, shop: Shop
) -> None:
    program = make_program()
    program.add_account(seller, "france", marketplaces=["FR"], sales_team="Amazon France")
    program.add_account(
        seller, "others", marketplaces=["DE", "GB"], fba_location="WH/Amazon abroad"
    )
    orders = {
        country: world.place_order(country, [Line(sku="SPOON-SET")], fulfilled_by="AMAZON")
        for country in ("FR", "DE", "GB")
    }
    run = program.sync()
    assert run.counts("france") == {"seen": 1, "created": 1}
    assert run.counts("others") == {"seen": 2, "created": 2}
    left = {
        country: (shop.sale_order(order)["team_id"][1], _source(shop, order))
        for country, order in orders.items()
    }
    assert left == {
        "FR": ("Amazon France", "WH/Amazon"),
        "DE": ("Amazon", "WH/Amazon abroad"),
        "GB": ("Amazon", "WH/Amazon abroad"),
    }


def _source(shop: Shop, order: Order) -> str:
    (delivery,) = shop.deliveries_of(order)
    assert delivery["state"] == "done"
    return str(delivery["location_id"][1])


def test_an_account_that_is_refused_stops_no_other(
    make_program: MakeProgram, world: SettledWorld, seller: Seller, shop: Shop
) -> None:
    program = make_program()
    stranger = replace(seller, refresh_token="Atzr|revoked")
    program.add_account(stranger, "revoked", marketplaces=["GB"])
    program.add_account(seller, "good", marketplaces=["FR"])
    order = world.place_order("FR")
    run = program.sync(code=3)
    assert run.counts("good") == {"seen": 1, "created": 1}
    assert run.counts("revoked").keys() == {"error"}
    assert shop.sale_order(order)["state"] == "sale"
    accounts = program.run("status", "--json").json["accounts"]
    assert accounts["revoked"]["jobs"]["orders"]["last_error"] == run.counts("revoked")["error"]
    assert accounts["good"]["jobs"]["orders"]["last_error"] is None


def test_odoo_is_down(program: Program, world: SettledWorld, shop: Shop) -> None:
    order = world.place_order("FR")
    direct, program.odoo_url = program.odoo_url, "http://127.0.0.1:9"
    assert "error" in program.sync(code=3).counts()
    program.odoo_url = direct
    assert program.sync().counts() == {"seen": 1, "created": 1}
    assert shop.sale_order(order)["state"] == "sale"
