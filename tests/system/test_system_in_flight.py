"""Units that Amazon has sold and Odoo does not hold yet: none is missing, none is held forever."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import pytest
from memory_shop import MemoryShop
from stock_shop import StockShop

from amazon_bridge.engine.records import State
from amazon_bridge.engine.stock_records import SkuState
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import flight
from amazon_bridge.flows.stock.tell import not_sent
from amazon_bridge.simulator import ABSENT, Line, Order

pytestmark = pytest.mark.slow

MUG = Line(sku="MUG-BLUE", quantity=2)
UNKNOWN = Line(sku="UNION-SELECT", price=Decimal(9))


@pytest.fixture
def pushing(here: MemoryShop) -> Iterator[MemoryShop]:
    """A seller whose quantities are pushed."""
    with here.bridge.configured(stock={"push": True}):
        yield here


def context(here: MemoryShop) -> Context:
    app = here.bridge.app
    return app.context(app.accounts("acme")[0])


def units(here: MemoryShop) -> dict[str, int]:
    return here.bridge.app.ledger.in_flight.units("acme")


def known(here: MemoryShop) -> datetime | None:
    return flight.known_until(context(here))


def surveys(here: MemoryShop) -> int:
    """Pages of open orders that were requested."""
    searches = here.bridge.received("searchOrders")
    return sum(each.query.get("fulfilledBy") == "MERCHANT" for each in searches)


def two_hours(here: MemoryShop) -> None:
    """The search may show an order once more; then it is not heard of for an hour."""
    for _ in range(2):
        here.clock.advance(hours=1)
        here.run("orders")


def pending(here: MemoryShop, *lines: Line, status: str = "PENDING", **fields: object) -> Order:
    order = here.world.place_order("FR", lines or (MUG,), status=status, **fields)  # type: ignore[arg-type]
    here.run("orders")
    return order


def refused(here: MemoryShop) -> Order:
    """An order that Odoo refuses while it accepts another."""
    here.odoo.suspicious = "UNION-SELECT"
    order = here.world.place_order("FR", [UNKNOWN])
    here.world.place_order("FR")
    here.run("orders")
    assert here.bridge.state("orders", order.order_id) is State.QUARANTINED
    return order


@pytest.mark.parametrize("status", ["PENDING", "PENDING_AVAILABILITY"])
def test_a_pending_order_holds_units_until_it_is_in_odoo(pushing: MemoryShop, status: str):
    order = pending(pushing, MUG, Line(sku="TEAPOT-08"), Line(sku="TEAPOT-08"), status=status)
    assert units(pushing) == {"MUG-BLUE": 2, "TEAPOT-08": 2}
    assert pushing.bridge.state("orders", order.order_id) is None, "nothing to process yet"
    pushing.world.pay(order.order_id)
    pushing.run("orders")
    assert order.order_id in pushing.shop.sale_orders()
    assert units(pushing) == {}
    pushing.world.request_cancellation(order.order_id)
    pushing.run("orders")
    assert units(pushing) == {}, "a change of an imported order takes off nothing again"


def test_a_pending_order_that_lapses_gives_its_units_back(pushing: MemoryShop):
    order = pending(pushing)
    pushing.world.lapse(order.order_id)
    pushing.run("orders")
    assert units(pushing) == {}


def test_a_pending_order_that_lapses_silently_does_not_hold_its_units_for_long(
    pushing: MemoryShop,
):
    order = pending(pushing)
    pushing.world.lapse(order.order_id, silently=True)
    pushing.run("orders")
    assert units(pushing) == {"MUG-BLUE": 2}
    two_hours(pushing)
    assert units(pushing) == {}


def test_units_of_amazons_own_stock_and_of_other_channels_are_not_in_flight(pushing: MemoryShop):
    for status in ("PENDING", "UNSHIPPED", "SHIPPED"):
        pending(pushing, fulfilled_by="AMAZON", status=status)
    pending(pushing, channel="NON_AMAZON")
    assert units(pushing) == {}


@pytest.mark.parametrize("ordered", [True, -1, "2", ABSENT])
def test_an_unreadable_number_of_units_is_unclear_until_it_can_be_read(
    pushing: MemoryShop, ordered: object
):
    order = pushing.world.place_order("FR", [MUG])
    item_id = order.items[0].order_item_id
    pushing.world.change_item(order.order_id, item_id, patch={"quantityOrdered": ordered})
    pushing.run("orders")
    in_flight = pushing.bridge.app.ledger.in_flight
    assert in_flight.unclear("acme") == {"MUG-BLUE"}
    pushing.world.change_item(order.order_id, item_id, patch={})
    pushing.run("orders")
    assert in_flight.unclear("acme") == set()
    assert units(pushing) == {}


@pytest.mark.parametrize(("sku", "waits"), [("POT", {"POT"}), (None, {"POT", "LID"})])
def test_no_quantity_of_a_sku_is_increased_while_its_units_in_flight_are_unclear(
    pushing: MemoryShop, sku: str | None, waits: set[str]
):
    stock = StockShop(pushing)
    products = {each: stock.product(each, 5) for each in ("POT", "LID")}
    for each in products:
        stock.offer(each, 5)
    pushing.run("orders")
    stock.settle()
    order = pushing.world.place_order("FR", [Line(sku="POT", price=Decimal(9))])
    patch = {"quantityOrdered": "one", "product": {"sellerSku": sku}}
    item_id = order.items[0].order_item_id
    pushing.world.change_item(order.order_id, item_id, patch=patch)
    for number in (9, 3):
        for each in products.values():
            stock.have(each, number)
        for _ in range(4):
            pushing.run("orders")
            stock.sync()
            stock.pass_time(minutes=5)
        shown = {each: stock.amazons(each)["FR"] for each in products}
        left = {"POT": 4, "LID": 5}  # Amazon has taken off what was ordered
        low = {each: min(number, left[each]) for each in waits}
        assert shown == {**dict.fromkeys(products, number), **low}
        if number > 5:
            assert {stock.state(each) for each in waits} == {SkuState.WAITING}
    pushing.world.cancel(order.order_id)
    for each in products.values():
        stock.have(each, 7)
    for _ in range(6):
        pushing.run("orders")
        stock.sync()
        stock.pass_time(minutes=5)
    assert {stock.amazons(each)["FR"] for each in products} == {7}


def test_a_quarantined_order_holds_its_units(pushing: MemoryShop):
    order = refused(pushing)
    assert units(pushing) == {"UNION-SELECT": 1}
    pushing.odoo.suspicious = ""
    pushing.bridge.app.ledger.items.retry(order.order_id)
    pushing.run("orders")
    assert units(pushing) == {}


def test_an_order_that_cannot_be_parsed_holds_its_units(pushing: MemoryShop):
    proceeds = {"grandTotal": {"amount": "much", "currencyCode": "EUR"}}
    order = pending(pushing, status="UNSHIPPED", patch={"proceeds": proceeds})
    assert pushing.bridge.quarantine("orders")[order.order_id].kind == "unreadable"
    assert units(pushing) == {"MUG-BLUE": 2}
    pushing.world.ship(order.order_id)
    pushing.run("orders")
    assert units(pushing) == {}, "somebody has shipped it from Seller Central"


@pytest.mark.parametrize("items", [{}, {"orderItems": ABSENT}])
def test_an_order_without_an_id_holds_its_units_for_a_day(
    pushing: MemoryShop, items: dict[str, object]
):
    pending(pushing, status="UNSHIPPED", patch={"orderId": "", **items})
    [(order_id, quarantined)] = pushing.bridge.quarantine("orders").items()
    assert quarantined.kind == "unreadable"
    assert "can't be fetched again" in (quarantined.remedy or "")
    held = {"": 0} if items else {"MUG-BLUE": 2}
    assert units(pushing) == held
    listed = not_sent(pushing.bridge.app.ledger, "acme", None).items
    assert [each.key for each in listed] == ([order_id] if items else [])
    for hours in (2, 12, 9):
        pushing.clock.advance(hours=hours)
        pushing.run("orders")
        assert units(pushing) == held
    assert pushing.bridge.received("getOrder") == []
    pushing.clock.advance(hours=2)
    pushing.run("orders")
    assert units(pushing) == {}


def test_an_order_that_a_person_imported_holds_nothing_for_long(pushing: MemoryShop):
    order = refused(pushing)
    pushing.odoo.suspicious = ""
    rpc = pushing.shop.rpc
    partner = rpc("res.partner", "create", {"name": "By hand"})
    values = {"partner_id": partner, "client_order_ref": order.order_id}
    rpc("sale.order", "action_confirm", [rpc("sale.order", "create", values)])
    two_hours(pushing)
    assert units(pushing) == {}


def test_an_older_response_takes_off_nothing_again(pushing: MemoryShop):
    order = pending(pushing)
    pushing.world.settings.repeating_search = True
    pushing.world.pay(order.order_id)
    pushing.run("orders")
    assert units(pushing) == {}
    pushing.world.settings.lagging_search = True
    pushing.world.request_cancellation(order.order_id)
    pushing.run("orders")
    assert units(pushing) == {}


def test_a_lost_state_store_finds_what_is_in_flight_before_anything_else_counts(
    pushing: MemoryShop,
):
    order, in_odoo = pending(pushing), pending(pushing, status="UNSHIPPED")
    quarantined = refused(pushing)
    pushing.clock.advance(days=2)
    pushing.bridge.forget()
    pushing.program.accounts[0]["start"] = pushing.clock().isoformat()
    assert (units(pushing), known(pushing)) == ({}, None)
    assert flight.read_units_in_flight(context(pushing)) == {"MUG-BLUE": 2, "UNION-SELECT": 1}
    flight.ensure_read(context(pushing))
    assert units(pushing) == {"MUG-BLUE": 2, "UNION-SELECT": 1}
    pushing.run("orders")
    assert known(pushing)
    states = [pushing.bridge.state("orders", e.order_id) for e in (order, in_odoo, quarantined)]
    assert states == [None] * 3, "what did not change since the start is not imported"


def test_a_survey_costs_one_call_and_happens_once(pushing: MemoryShop):
    for _ in range(3):
        pending(pushing)
    assert surveys(pushing) == 1


def test_orders_that_were_pending_before_the_push_began_are_found(here: MemoryShop):
    order = pending(here)
    assert units(here) == {}
    here.clock.advance(days=1)
    with here.bridge.configured(stock={"push": True}):
        here.run("orders")
        assert units(here) == {"MUG-BLUE": 2}
    here.run("orders")
    assert units(here) == {}, "the push is off"
    here.world.lapse(order.order_id)
    with here.bridge.configured(stock={"push": True}):
        assert known(here) is None
        here.run("orders")
        assert (units(here), known(here) is None) == ({}, False)


def test_after_a_rewind_what_odoo_lost_is_in_flight_again(pushing: MemoryShop):
    backup, at = pushing.odoo.backup(), pushing.clock()
    order = pending(pushing, status="UNSHIPPED")
    assert (units(pushing), known(pushing) is None) == ({}, False)
    pushing.clock.advance(hours=1)
    pushing.odoo.restore(backup)
    (account,) = pushing.bridge.app.accounts()
    pushing.bridge.app.move_cursor(account, at)
    assert known(pushing) is None
    flight.ensure_read(context(pushing))
    assert units(pushing) == {"MUG-BLUE": 2}
    pushing.run("orders")
    assert order.order_id in pushing.shop.sale_orders()
    assert (units(pushing), known(pushing) is None) == ({}, False)


def test_a_long_pause_makes_another_survey_necessary(pushing: MemoryShop):
    """The back-log is long; orders that are open are known at once."""
    pending(pushing)
    pushing.clock.advance(days=3)
    pushing.world.place_order("FR", status="PENDING")
    pushing.run("orders")
    assert surveys(pushing) == 2
    assert known(pushing)


def test_a_pending_order_that_the_search_never_shows_again_is_imported_all_the_same(
    pushing: MemoryShop,
):
    order = pending(pushing)
    pushing.world.settings.search_delay = 10 * 86400
    pushing.world.pay(order.order_id)
    pushing.run("orders")
    assert units(pushing) == {"MUG-BLUE": 2}
    pushing.clock.advance(hours=1)
    pushing.run("orders")
    pushing.clock.advance(hours=1)
    assert pushing.bridge.sync("orders") == {"seen": 1, "created": 1}
    assert order.order_id in pushing.shop.sale_orders()
    assert units(pushing) == {}


def test_an_order_that_only_the_lookup_shows_is_counted(pushing: MemoryShop):
    order = pending(pushing)
    pushing.world.settings.search_delay = 10 * 86400
    pushing.world.pay(order.order_id)
    pushing.clock.advance(hours=1)
    pushing.run("orders")
    pushing.clock.advance(hours=1)
    counts = pushing.bridge.sync("orders")
    assert (counts["seen"], counts["created"]) == (1, 1)


def test_an_order_whose_lookup_is_refused_holds_its_units(pushing: MemoryShop):
    pending(pushing)
    pushing.simulator.faults.add("400", "getOrder", times=None)
    two_hours(pushing)
    assert len(pushing.bridge.received("getOrder")) > 0
    assert units(pushing) == {"MUG-BLUE": 2}


@pytest.mark.parametrize("fault", ["400", "403", "500", "reset"])
def test_orders_whose_lookup_fails_keep_no_other_from_its_turn(pushing: MemoryShop, fault: str):
    failing = [pushing.world.place_order("FR", [MUG], status="PENDING") for _ in range(12)]
    pushing.run("orders")
    pushing.clock.advance(hours=1)
    pushing.run("orders")
    lapsed = pending(pushing, Line(sku="TEAPOT-08"))
    pushing.world.lapse(lapsed.order_id, silently=True)
    pushing.run("orders")
    pushing.clock.advance(hours=1)
    for order in failing:
        pushing.simulator.faults.add(fault, "getOrder", times=None, path_contains=order.order_id)
    for _ in range(8):
        pushing.clock.advance(minutes=5)
        pushing.bridge.sync("orders")
    assert "TEAPOT-08" not in units(pushing)
    assert units(pushing)["MUG-BLUE"] == 2 * len(failing)


def test_a_bounded_number_of_orders_is_looked_up_in_a_run(pushing: MemoryShop):
    orders = [pushing.world.place_order("FR", status="PENDING") for _ in range(25)]
    pushing.run("orders")
    pushing.clock.advance(hours=1)
    pushing.run("orders")
    pushing.clock.advance(hours=1)
    looked_up = []
    for _ in range(4):
        before = len(pushing.bridge.received("getOrder"))
        pushing.run("orders")
        looked_up.append(len(pushing.bridge.received("getOrder")) - before)
    assert looked_up == [10, 10, 5, 0]
    assert units(pushing) == {"MUG-BLUE": len(orders)}
