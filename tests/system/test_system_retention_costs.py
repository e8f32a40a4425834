"""What retention reads of Odoo, and what it keeps waiting."""

from collections import Counter
from datetime import timedelta

import pytest
from memory_shop import MemoryShop
from structlog.testing import capture_logs

from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import AccountError, Transient
from amazon_bridge.odoo import anonymisation
from amazon_bridge.simulator import Line, Order

pytestmark = pytest.mark.slow
ANONYMOUS = "Anonymous Amazon customer"
AFTER = timedelta(days=30)
PAGE = 3


@pytest.fixture
def shop(here: MemoryShop, monkeypatch: pytest.MonkeyPatch) -> MemoryShop:
    monkeypatch.setattr(anonymisation, "_PAGE", PAGE)
    here.bridge.close()
    here.program.settings["retention"] = {"buyers": "30d", "finished": "90d"}
    return here


def delivered(shop: MemoryShop, number: int) -> list[Order]:
    orders = [shop.world.place_order("FR") for _ in range(number)]
    shop.run("orders")
    for order in orders:
        shop.warehouse.ship(order)
    shop.run("pickings")
    return orders


def invoice(shop: MemoryShop, order: Order) -> None:
    """Let people invoice an order, so that its customer's data is needed for ever."""
    partner = shop.shop.sale_order(order)["partner_id"][0]
    shop.shop.rpc("account.move", "create", {"partner_id": partner, "state": "posted"})


def names(shop: MemoryShop, orders: list[Order]) -> list[bool]:
    """Whether the customers are anonymous."""
    sale_orders = [shop.shop.sale_order(order) for order in orders]
    rows = {
        row["id"]: row["name"]
        for row in shop.shop.search("res.partner", [("id", "!=", 0)], ["name"])
    }
    return [rows[each["partner_id"][0]] == ANONYMOUS for each in sale_orders]


def next_day(shop: MemoryShop) -> Counter[str]:
    """What the daily part reads of Odoo."""
    shop.clock.advance(days=1)
    before = Counter(shop.odoo.rows)
    shop.bridge.app.housekeeping.anonymise_due(AFTER)
    return Counter(shop.odoo.rows) - before


def test_customers_become_anonymous_on_the_day_after_which_nothing_needs_them(
    shop: MemoryShop,
) -> None:
    orders = delivered(shop, 7)
    shop.clock.advance(days=28)
    for anonymous in (False, True):
        next_day(shop)
        assert names(shop, orders) == [anonymous] * 7
        shop.clock.advance(minutes=15)


def test_a_customer_who_keeps_an_invoice_is_read_once_a_week(shop: MemoryShop) -> None:
    orders = delivered(shop, 14)
    for order in orders:
        invoice(shop, order)
    shop.clock.advance(days=40)
    assert next_day(shop)["stock.picking"] == 14
    assert [next_day(shop)["stock.picking"] for _ in range(6)] == [3, 3, 3, 3, 2, 3]


def test_what_needed_the_data_goes_away(shop: MemoryShop) -> None:
    orders = delivered(shop, 4)
    for order in orders:
        invoice(shop, order)
    shop.clock.advance(days=40)
    next_day(shop)
    moves = [row["id"] for row in shop.shop.search("account.move", [("id", "!=", 0)], [])]
    shop.shop.rpc("account.move", "write", moves, {"state": "cancel"})
    for _ in range(8):
        next_day(shop)
    assert names(shop, orders) == [True] * 4


def test_a_dry_run_counts_a_customer_on_several_pages_once(shop: MemoryShop) -> None:
    first = delivered(shop, PAGE)[0]
    again = shop.world.place_order("FR", buyer=first.buyer, address=first.address)
    shop.run("orders")
    shop.warehouse.ship(again)
    assert len({shop.shop.sale_order(order)["partner_id"][0] for order in (first, again)}) == 1
    shop.clock.advance(days=40)
    result = shop.bridge.app.housekeeping.anonymise(AFTER, dry_run=True)
    assert (result.anonymised, result.kept) == (PAGE, {})


def test_a_customer_without_an_order_is_found_within_a_week(shop: MemoryShop) -> None:
    """People deleted the sale order; contacts of others are left alone."""
    order = shop.world.place_order("FR")
    shop.run("orders")
    sale_order = shop.shop.sale_order(order)
    partner, theirs = sale_order["partner_id"][0], {"name": "A supplier"}
    theirs["id"] = shop.shop.rpc("res.partner", "create", dict(theirs))
    shop.warehouse.cancel(order)
    shop.shop.rpc("sale.order", "unlink", [sale_order["id"]])
    shop.shop.rpc("res.partner", "write", [partner], {"active": False})
    for days, is_anonymous in ((20, False), (20, True)):
        shop.clock.advance(days=days)
        for _ in range(8):
            next_day(shop)
        assert (name(shop, partner) == ANONYMOUS) == is_anonymous
    assert name(shop, theirs["id"]) == theirs["name"]


def name(shop: MemoryShop, partner_id: int) -> str:
    (row,) = shop.shop.rpc("res.partner", "read", [partner_id], ["name"])
    return str(row["name"])


def test_an_open_transfer_that_lost_its_order_keeps_the_data(shop: MemoryShop) -> None:
    """All of its goods were replaced by others, and its address was removed."""
    order = shop.world.place_order("FR", [Line(quantity=3)])
    shop.run("orders")
    shop.warehouse.ship(order, quantities={"MUG-BLUE": 1})
    rest = shop.warehouse.open(order)["id"]
    shop.warehouse.replace(rest, "", "APRON-LIN")
    shop.shop.rpc("stock.picking", "write", [rest], {"partner_id": False})
    assert (
        shop.shop.search("stock.picking", [("id", "=", rest)], ["sale_id"])[0]["sale_id"] is False
    )
    shop.clock.advance(days=40)
    result = shop.bridge.app.housekeeping.anonymise(AFTER)
    assert list(result.kept.values()) == [f"the transfer {transfer_name(shop, rest)} is open"]


def transfer_name(shop: MemoryShop, transfer_id: int) -> str:
    (row,) = shop.shop.search("stock.picking", [("id", "=", transfer_id)], ["name"])
    return str(row["name"])


def test_that_the_data_is_still_needed_is_logged(shop: MemoryShop) -> None:
    (order,) = delivered(shop, 1)
    invoice(shop, order)
    shop.clock.advance(days=40)
    with capture_logs() as logs:
        next_day(shop)
    (entry,) = (each for each in logs if each["event"] == "buyers_anonymised")
    assert (entry["customers"], entry["kept"]) == (0, 1)


def test_an_interrupted_reading_goes_on_where_it_stopped(shop: MemoryShop) -> None:
    orders = delivered(shop, 9)
    for order in orders:
        invoice(shop, order)
    shop.clock.advance(days=40)
    last = sorted(shop.shop.sale_order(order)["id"] for order in orders)[5]
    shop.odoo.silent_on = f"['id', '>', {last}]"
    for _ in range(2):
        with pytest.raises(Transient, match="Odoo"):
            next_day(shop)
    shop.odoo.silent_on = ""
    assert next_day(shop)["stock.picking"] == 3
    assert next_day(shop)["stock.picking"] <= 2


def test_imports_wait_only_for_pages_with_something_to_anonymise(shop: MemoryShop) -> None:
    needed, unneeded = delivered(shop, 2), delivered(shop, 1)
    for order in needed:
        invoice(shop, order)
    shop.clock.advance(days=40)
    app = shop.bridge.app
    with lock.held(app.config.state, "acme", "orders"):
        with pytest.raises(AccountError):
            next_day(shop)
        invoice(shop, unneeded[0])
        next_day(shop)
    assert names(shop, [*needed, *unneeded]) == [False] * 3


def test_an_order_that_is_imported_meanwhile_keeps_its_customer(shop: MemoryShop) -> None:
    (order,) = delivered(shop, 1)
    shop.clock.advance(days=40)
    housekeeping = shop.bridge.app.housekeeping
    anonymisation = housekeeping._anonymisation(AFTER)
    partner = shop.shop.sale_order(order)["partner_id"][0]
    shop.shop.rpc("sale.order", "create", {"partner_id": partner})
    assert anonymisation._anonymised([partner]) == {partner: "something new was imported for it"}
    assert names(shop, [order]) == [False]
