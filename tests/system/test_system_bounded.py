"""What a run reads of Odoo is what changed, however much is done and whose it is."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from memory_odoo.fields import MOMENT
from memory_shop import MemoryShop, place
from settlement_shop import Books
from stock_shop import StockShop

from amazon_bridge.engine.records import State
from amazon_bridge.flows import scanning
from amazon_bridge.odoo import paging, session
from amazon_bridge.simulator import Order

pytestmark = pytest.mark.slow
ACCOUNTS = ("acme", "beta", "gamma")
DELIVERIES = 8
"""Of each account; Amazon takes ten confirmations at once."""
PAGE = 5
SETUP = {
    *("crm.team", "product.pricelist", "product.product"),
    *("stock.location", "stock.rule", "stock.warehouse"),
}
"""Models of which each run reads the few records that its account works with."""


@pytest.fixture
def three(here: MemoryShop, monkeypatch: pytest.MonkeyPatch) -> MemoryShop:
    """Three accounts of one company that read Odoo in small pages, in their third run."""
    for module in (paging, session, scanning):
        monkeypatch.setattr(module, "PAGE", PAGE)
    for number, name in enumerate(ACCOUNTS[1:], start=2):
        seller = here.world.add_seller(f"A{number}MEMORYSHOP", ["FR", "DE"])
        here.program.add_account(seller, name)
    for job in ("orders", "pickings", "cancellations"):
        run(here, job)
    return here


def run(shop: MemoryShop, job: str, *accounts: str, minutes: float = 10) -> Counter[str]:
    """A run of a job for all accounts, or for these; returns the rows that it read of Odoo."""
    shop.clock.advance(minutes=minutes)
    before = Counter(shop.odoo.rows)
    for account in accounts or ACCOUNTS:
        counts = shop.bridge.sync(job, account=account)
        assert "error" not in counts, counts
    rows = Counter(shop.odoo.rows) - before
    return Counter({model: number for model, number in rows.items() if model not in SETUP})


def imported(shop: MemoryShop, number: int = DELIVERIES) -> dict[str, list[Order]]:
    """Orders of each account that are in Odoo."""
    sellers = [seller for seller in shop.world.sellers.values() if seller.countries]
    orders = {
        account: [shop.world.place_order("FR", seller=seller) for _ in range(number)]
        for account, seller in zip(ACCOUNTS, sellers, strict=True)
    }
    run(shop, "orders")
    return orders


def shipped(shop: MemoryShop) -> dict[str, list[Order]]:
    orders = imported(shop)
    for order in every(orders):
        shop.warehouse.ship(order)
    return orders


def every(orders: dict[str, list[Order]]) -> list[Order]:
    return [order for of_account in orders.values() for order in of_account]


def confirmed(shop: MemoryShop, orders: Iterable[Order]) -> list[int]:
    return [len(shop.bridge.confirmations(order.order_id)) for order in orders]


def transfer(shop: MemoryShop, order: Order) -> int:
    (row,) = shop.warehouse.transfers(order)
    return int(row["id"])


def rewrite(shop: MemoryShop, order: Order, written: datetime) -> None:
    """Let the delivery order be written by a transaction that began then."""
    values = {"write_date": written.astimezone(UTC).strftime(MOMENT)}
    table = shop.odoo.env.store.table("stock.picking")
    table[transfer(shop, order)] |= values


def test_a_delivery_is_read_once_by_each_account(three: MemoryShop) -> None:
    orders = every(shipped(three))
    assert run(three, "pickings")["stock.picking"] > len(orders)
    run(three, "pickings")  # reads the packages back
    assert confirmed(three, orders) == [1] * len(orders)
    run(three, "pickings", minutes=30)  # changes of the last minutes were read twice
    quiet = run(three, "pickings")
    assert quiet == {}
    states = {
        three.bridge.state("pickings", f"{order.order_id}#{transfer(three, order)}", account=name)
        for order in orders
        for name in ACCOUNTS
    }
    assert states == {State.DONE, State.LEFT_OUT}


def test_a_quiet_run_takes_one_call(three: MemoryShop) -> None:
    shipped(three)
    for minutes in (10, 10, 35):
        run(three, "pickings", minutes=minutes)
        run(three, "cancellations", minutes=0)
    calls = three.bridge.app.odoo.calls
    for job, model in (("pickings", "stock.picking"), ("cancellations", "sale.order")):
        before = Counter(calls)
        run(three, job, "acme", minutes=5)
        assert calls - before == {(model, "search_read"): 1}


def test_a_quiet_run_with_invoices_takes_two_calls(books: Books, here: MemoryShop) -> None:
    books.ship()
    for minutes in (61, 10):  # the first one checks the records of the setup
        here.clock.advance(minutes=minutes)
        here.run("orders")
    calls = here.bridge.app.odoo.calls
    before = Counter(calls)
    here.clock.advance(minutes=5)
    here.run("orders")
    assert calls - before == {(model, "search_read"): 1 for model in ("account.move", "sale.order")}


def test_records_are_checked_again_when_the_clock_was_set_back(here: MemoryShop) -> None:
    here.run("pickings")
    calls = here.bridge.app.odoo.calls
    for minutes, checks in ((59, 0), (-60, 1), (30, 0)):
        before = calls["crm.team", "search_read"]
        here.clock.advance(minutes=minutes)
        here.bridge.sync("pickings")
        assert calls["crm.team", "search_read"] - before == checks


@pytest.mark.parametrize("invoices", [True, False])
def test_a_missing_record_costs_few_calls_however_many_orders_need_it(
    here: MemoryShop, *, invoices: bool
) -> None:
    settings = {"mode": "on_delivery", "payment_journal": "Amazon Payments"}
    orders = 80
    with here.bridge.configured(invoicing=settings):
        here.run("orders")
    if invoices:
        place(here, orders, fulfilled_by="AMAZON")
        here.run("orders")
    with here.bridge.configured(invoicing=settings):
        (account,) = here.bridge.app.accounts()
        journal = here.bridge.app.setups.get(account).payment_journal_id
        here.shop.rpc("account.journal", "write", [journal], {"active": False})
        if not invoices:
            place(here, orders)
        calls = here.bridge.app.odoo.calls
        before = calls.total()
        here.clock.advance(minutes=5)
        error = here.bridge.sync("orders")["error"]
        assert "Amazon Payments (archived). Run `amazon-bridge setup`" in error
        assert calls.total() - before < orders
    assert not here.bridge.quarantine("orders")


def test_a_quiet_run_of_stock_looks_for_changes_only(settled: StockShop) -> None:
    settled.pass_time(minutes=61)
    settled.sync()
    calls = settled.here.bridge.app.odoo.calls
    before = Counter(calls)
    settled.pass_time(minutes=5)
    settled.sync()
    models = ("product.product", "stock.move", "stock.quant", "sale.order")
    assert calls - before == {(model, "search_read"): 1 for model in models}


def test_a_quiet_run_of_orders_does_not_call_odoo(here: MemoryShop) -> None:
    here.world.place_order("FR")
    here.run("orders")
    here.clock.advance(minutes=35)
    here.run("orders")
    here.clock.advance(minutes=5)
    assert here.bridge.calls("orders") == 0


def test_once_an_hour_only_ids_of_the_last_day_are_read(three: MemoryShop) -> None:
    orders = every(shipped(three))
    for minutes in (10, 10, 35):
        run(three, "pickings", minutes=minutes)
    hourly = run(three, "pickings", minutes=60)
    assert hourly == {"stock.picking": len(orders) * len(ACCOUNTS)}
    next_day = run(three, "pickings", minutes=26 * 60)
    assert next_day["stock.picking"] == len(orders) * len(ACCOUNTS)
    assert run(three, "pickings", minutes=60) == {}


def test_a_first_look_that_is_interrupted_goes_on_where_it_stopped(three: MemoryShop) -> None:
    orders = every(shipped(three))
    run(three, "pickings")
    run(three, "pickings")
    three.bridge.forget()
    ids = sorted(transfer(three, order) for order in orders)
    third_page = ids[2 * PAGE - 1]
    three.odoo.silent_on = f"['id', '>', {third_page}]"
    three.clock.advance(minutes=10)
    for _ in range(2):
        counts = three.bridge.sync("pickings")
        assert "error" in counts
    three.odoo.silent_on = ""
    rows = run(three, "pickings", "acme")
    left = len(ids) - 2 * PAGE
    assert rows["stock.picking"] == 2 * left, "ids, then what is new"
    assert confirmed(three, orders) == [1] * len(orders)
    assert three.bridge.app.ledger.scans.progress("acme", "pickings").unfinished is None


def test_a_first_look_reads_page_by_page(three: MemoryShop) -> None:
    orders = every(shipped(three))
    run(three, "pickings")
    three.bridge.forget()
    longest: list[int] = []
    weigh = three.odoo._weigh

    def watched(model: str, response: object) -> None:
        longest.append(
            len(response) if model == "stock.picking" and isinstance(response, list) else 0
        )
        weigh(model, response)

    three.odoo._weigh = watched  # type: ignore[method-assign]
    run(three, "pickings", "acme")
    assert sum(longest) >= 2 * len(orders)
    assert max(longest) == PAGE


def test_orders_cancelled_in_many_pages_pass_one_brake_and_go_out_in_one_feed(
    three: MemoryShop,
) -> None:
    orders = imported(three)
    mine = orders["acme"][: PAGE + 2]
    many = {"orders": len(mine), "percent": 100}
    with three.bridge.configured(cancellation_brake=many):
        three.warehouse.cancel(*mine, *orders["beta"], *orders["gamma"])
        run(three, "cancellations", "acme")
        assert [sorted(feed) for feed in three.bridge.feeds()] == [
            sorted(order.order_id for order in mine)
        ]


# Invoices


def deliver(shop: MemoryShop, orders: Iterable[Order]) -> None:
    for order in orders:
        shop.warehouse.ship(order)


def forget(shop: MemoryShop, account: str) -> None:
    """Let the state store forget what is done of an account."""
    for job in ("orders", "pickings"):
        shop.bridge.app.ledger.items.forget_finished(account, job, shop.clock() + timedelta(1))


def lookups(shop: MemoryShop, *accounts: str) -> int:
    """Orders that a run of these accounts' orders fetches by their ids."""
    before = len(shop.bridge.received("getOrder"))
    run(shop, "orders", *accounts)
    return len(shop.bridge.received("getOrder")) - before


@pytest.fixture
def siblings(three: MemoryShop) -> MemoryShop:
    """Account acme invoices; sibling, an account of the same seller, leaves that to people."""
    three.bridge.close()
    (acme,) = (each for each in three.program.accounts if each["name"] == "acme")
    acme |= {"marketplaces": ["FR"], "invoicing": {"mode": "on_delivery"}}
    three.program.accounts.append(
        acme | {"name": "sibling", "marketplaces": ["DE"], "invoicing": {"mode": "manual"}}
    )
    run(three, "orders", "sibling")
    return three


def test_a_forgotten_order_of_a_sibling_is_fetched_once_a_week(siblings: MemoryShop) -> None:
    orders = [siblings.world.place_order("DE", seller=siblings.seller) for _ in range(25)]
    run(siblings, "orders", "sibling")
    deliver(siblings, orders)
    assert lookups(siblings, "acme") == 0, "the state store knows them"
    forget(siblings, "sibling")
    fetched = [lookups(siblings, "acme") for _ in range(4)]
    assert (sum(fetched), max(fetched), fetched[2:]) == (25, 20, [0, 0])
    siblings.clock.advance(days=2)
    assert lookups(siblings, "acme") == 0
    siblings.clock.advance(days=6)
    again = [lookups(siblings, "acme") for _ in range(10)]
    assert (sum(again), max(again), again[8:]) == (25, 5, [0, 0])


def test_an_order_of_a_marketplace_that_moves_here_is_due(
    siblings: MemoryShop,
) -> None:
    order = siblings.world.place_order("DE", seller=siblings.seller)
    run(siblings, "orders", "sibling")
    deliver(siblings, [order])
    forget(siblings, "sibling")
    assert [lookups(siblings, "acme") for _ in range(2)] == [1, 0]
    siblings.bridge.close()
    (acme,) = (each for each in siblings.program.accounts if each["name"] == "acme")
    siblings.program.accounts[:] = [acme | {"marketplaces": ["FR", "DE"]}]
    siblings.bridge.sync("orders")
    invoices = siblings.shop.search("account.move", [("move_type", "=", "out_invoice")], ["ref"])
    assert [invoice["ref"] for invoice in invoices] == [order.order_id]


def test_an_order_that_amazon_does_not_show_is_fetched_once_a_day(siblings: MemoryShop) -> None:
    orders = imported(siblings, 2)["beta"]  # another seller's
    deliver(siblings, orders)
    forget(siblings, "beta")
    assert [lookups(siblings, "acme") for _ in range(3)] == [2, 0, 0]
    siblings.clock.advance(days=1)
    assert [lookups(siblings, "acme") for _ in range(2)] == [2, 0]


def test_an_order_that_the_bridge_did_not_create_is_looked_up_once(siblings: MemoryShop) -> None:
    orders = imported(siblings, 2)["beta"]
    deliver(siblings, orders)
    forget(siblings, "beta")
    external_ids = [("model", "=", "sale.order"), ("module", "=", "amazon_bridge")]
    rows = siblings.shop.search("ir.model.data", external_ids, [])
    siblings.shop.rpc("ir.model.data", "unlink", [row["id"] for row in rows])
    assert lookups(siblings, "acme") == 0
    first = run(siblings, "orders", "acme")
    siblings.clock.advance(days=2)
    assert run(siblings, "orders", "acme") == first


def test_a_run_reads_a_bounded_part_of_what_is_left_to_invoice(siblings: MemoryShop) -> None:
    number = PAGE * 6
    orders = [siblings.world.place_order("DE", seller=siblings.seller) for _ in range(number)]
    run(siblings, "orders", "sibling")
    deliver(siblings, orders)
    scans = siblings.bridge.app.ledger.scans
    rows, positions = [], []
    for _ in range(3):
        rows.append(run(siblings, "orders", "acme"))
        positions.append(scans.position("acme", "orders to invoice"))
    assert [each["sale.order"] for each in rows] == [5 * PAGE, 3 * PAGE, 5 * PAGE]
    assert positions[0] == positions[2] > positions[1] == 0


# What moves without the bridge seeing it


def test_a_delivery_of_a_long_transaction_is_found(three: MemoryShop) -> None:
    early, late = imported(three, 2)["acme"]
    run(three, "pickings")
    for order, hours in ((early, 0.3), (late, 3)):
        three.warehouse.ship(order)
        rewrite(three, order, three.clock() - timedelta(hours=hours))
    run(three, "pickings", "acme", minutes=5)
    assert confirmed(three, [early, late]) == [1, 0]
    run(three, "pickings", "acme", minutes=60)
    assert confirmed(three, [early, late]) == [1, 1]


@pytest.mark.parametrize("ahead", [-4, 4])
def test_clocks_that_differ(three: MemoryShop, ahead: float) -> None:
    (order,) = imported(three, 1)["acme"]
    for number in range(4):
        run(three, "pickings", "acme", minutes=5)
        if number == 1:
            three.warehouse.ship(order)
            rewrite(three, order, three.clock() + timedelta(minutes=ahead))
    assert confirmed(three, [order]) == [1]


def test_a_correction_in_the_second_in_which_the_delivery_was_read(three: MemoryShop) -> None:
    (order,) = imported(three, 1)["acme"]
    three.warehouse.ship(order, tracking="JD0001")
    run(three, "pickings", "acme", minutes=0)
    three.warehouse.label(transfer(three, order), "DHL", "JD0002")
    run(three, "pickings", "acme", minutes=5)
    assert confirmed(three, [order]) == [2]


def test_a_correction_much_later(three: MemoryShop) -> None:
    (order,) = imported(three, 1)["acme"]
    three.warehouse.ship(order, tracking="JD0001")
    for minutes in (10, 10, 60, 24 * 60):
        run(three, "pickings", minutes=minutes)
    three.warehouse.label(transfer(three, order), "DHL", "JD0002")
    run(three, "pickings", "acme", minutes=5)
    assert confirmed(three, [order]) == [2]


def test_a_dry_run_remembers_nothing(three: MemoryShop) -> None:
    (order,) = imported(three, 1)["acme"]
    three.warehouse.ship(order)
    scans = three.bridge.app.ledger.scans
    before = scans.progress("acme", "pickings")
    three.clock.advance(minutes=10)
    for _ in range(2):
        assert three.bridge.sync("pickings", dry_run=True)["notified"] == 1
    assert scans.progress("acme", "pickings") == before
    run(three, "pickings", "acme")
    assert confirmed(three, [order]) == [1]
