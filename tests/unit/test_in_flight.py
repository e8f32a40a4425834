"""Units in flight in the state store, and which units of an order are."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from clocks import Clock
from examples import MEMO, ORDER, ORDERED

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import InFlight, Seen, UnitsOfOrder
from amazon_bridge.engine.window import Lane, Reading, Window
from amazon_bridge.flows.orders.decide import units_in_flight
from amazon_bridge.model import FulfilledBy, FulfillmentStatus, Item, UnreadableOrder

HOUR = timedelta(hours=1)
LATER = ORDERED + HOUR


def held(units: int, version: datetime = ORDERED, key: str = "1") -> InFlight:
    return InFlight(key, {"MUG": units} if units else {}, version)


def file(ledger: Ledger, *orders: InFlight) -> None:
    """As the orders job files a page."""
    seen = [Seen(each.key, str(each), version=each.version) for each in orders]
    ledger.items.file("acme", "orders", seen, units=orders)


def survey(ledger: Ledger, clock: Clock, *orders: InFlight, token: str | None = None) -> None:
    window = Window(clock() - HOUR, clock())
    reading = Reading(Lane.IN_FLIGHT, window, "FR", clock(), clock(), token)
    ledger.in_flight.note("acme", "orders", orders, reading=reading)


def test_units_add_up_by_sku(ledger: Ledger, clock: Clock):
    file(ledger, held(2), held(1, key="2"), InFlight("3", {"MUG": 1, "": 4}))
    assert ledger.in_flight.units("acme") == {"MUG": 4, "": 4}
    assert ledger.in_flight.units("other") == {}
    assert ledger.in_flight.orders("acme", "MUG") == [
        UnitsOfOrder("1", 2, clock()),
        UnitsOfOrder("2", 1, clock()),
        UnitsOfOrder("3", 1, clock()),
    ]


def test_an_unknown_number_of_units_is_held_until_the_order_shows_it(ledger: Ledger, clock: Clock):
    file(ledger, held(2), InFlight("2", {"MUG": None, "POT": None}))
    assert ledger.in_flight.unclear("acme") == {"MUG", "POT"}
    assert ledger.in_flight.unclear("other") == set()
    assert ledger.in_flight.units("acme") == {"MUG": 2, "POT": 0}
    assert ledger.in_flight.orders("acme", "POT") == [UnitsOfOrder("2", None, clock())]
    file(ledger, InFlight("2", {"POT": 1}))
    assert ledger.in_flight.unclear("acme") == set()
    assert ledger.in_flight.units("acme") == {"MUG": 2, "POT": 1}


def test_a_newer_version_replaces_an_older_one_and_never_the_other_way_round(ledger: Ledger):
    file(ledger, held(2))
    file(ledger, held(1, LATER))
    assert ledger.in_flight.units("acme") == {"MUG": 1}
    file(ledger, held(2))
    assert ledger.in_flight.units("acme") == {"MUG": 1}
    file(ledger, held(0, LATER + HOUR))
    file(ledger, held(1, LATER))
    assert ledger.in_flight.units("acme") == {}


def test_an_unknown_version_replaces_any(ledger: Ledger):
    file(ledger, held(2))
    file(ledger, InFlight("1", {"MUG": 5}))
    assert ledger.in_flight.units("acme") == {"MUG": 5}


def test_units_that_were_released_do_not_come_back_with_a_change(ledger: Ledger):
    file(ledger, held(2))
    ledger.items.settle("acme", "orders", "1", str(held(2)), memo=MEMO)
    file(ledger, held(2, LATER))
    assert ledger.in_flight.units("acme") == {"MUG": 2}, "nobody said that Odoo holds it"
    ledger.in_flight.release("acme", ["1"])
    file(ledger, held(2, LATER + HOUR))
    assert ledger.in_flight.units("acme") == {}
    ledger.in_flight.note("acme", "orders", [held(2, LATER + HOUR)])
    assert ledger.in_flight.units("acme") == {"MUG": 2}, "Odoo was asked"


def test_a_survey_ends_with_its_last_page_and_forgets_what_nothing_has_shown(
    ledger: Ledger, clock: Clock
):
    file(ledger, held(2, key="lapsed"))
    clock.now += HOUR
    survey(ledger, clock, held(1), token="next")
    file(ledger, held(3, key="new"))
    assert not ledger.in_flight.is_surveyed("acme", "FR")
    survey(ledger, clock, held(1, key="2"))
    assert ledger.in_flight.is_surveyed("acme", "FR")
    assert not ledger.in_flight.is_surveyed("acme", "FR DE")
    assert ledger.in_flight.units("acme") == {"MUG": 5}


@pytest.mark.parametrize("gap", ["set", "skip", "rewind", "begin_backlog", "begin_live_again"])
def test_a_gap_makes_a_survey_due(ledger: Ledger, clock: Clock, gap: str):
    ledger.cursors.set("acme", clock())
    survey(ledger, clock, held(1))
    survey(ledger, clock, held(1), token="next")
    {
        "set": lambda: ledger.cursors.set("acme", clock() - HOUR),
        "skip": lambda: ledger.cursors.skip("acme", clock()),
        "rewind": lambda: ledger.continuity.rewind("acme", clock(), job="orders"),
        "begin_backlog": lambda: ledger.lanes.begin_backlog("acme", clock() - HOUR, clock()),
        "begin_live_again": lambda: ledger.lanes.begin_live_again("acme", clock()),
    }[gap]()
    assert not ledger.in_flight.is_surveyed("acme", "FR")
    assert ledger.lanes.readings("acme").get(Lane.IN_FLIGHT) is None
    assert ledger.in_flight.units("acme") == {"MUG": 1}, "kept until the survey ends"


def test_nothing_is_kept_once_nobody_needs_it(ledger: Ledger, clock: Clock):
    survey(ledger, clock, held(1))
    ledger.in_flight.stop("acme")
    assert ledger.in_flight.units("acme") == {}
    assert not ledger.in_flight.is_surveyed("acme", "FR")


def test_orders_that_were_not_checked_for_long_come_first(ledger: Ledger, clock: Clock):
    for key in "ABC":
        file(ledger, held(1, key=key))
        clock.now += HOUR
    assert ledger.in_flight.unchecked("acme", clock() - HOUR, 10) == ["A", "B"]
    file(ledger, held(1, key="A"))
    assert ledger.in_flight.unchecked("acme", clock() + HOUR, 2) == ["B", "C"]
    ledger.in_flight.forget(clock())
    assert ledger.in_flight.units("acme") == {"MUG": 1}


def test_an_order_that_was_looked_up_comes_last(ledger: Ledger, clock: Clock):
    for key in "ABC":
        file(ledger, held(1, key=key))
        clock.now += HOUR
    ledger.in_flight.note_lookup("acme", "A")
    assert ledger.in_flight.unchecked("acme", clock() + HOUR, 3) == ["B", "C", "A"]


def test_orders_that_held_their_units_for_long_may_expire(ledger: Ledger, clock: Clock):
    file(ledger, held(1, key="A"), held(1, key="B"))
    clock.now += HOUR
    file(ledger, held(2, key="A"), held(4, key="C"))
    ledger.in_flight.expire("acme", ["A", "C"], clock())
    assert ledger.in_flight.units("acme") == {"MUG": 5}, "A is forgotten, seen again or not"


def item(**fields: object) -> Item:
    given = {"order_item_id": "1", "quantity": 3, "sku": "MUG", "asin": None, "title": None}
    return Item(**{**given, "charges": (), **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "units"),
    [
        ("PENDING", 3),
        ("PENDING_AVAILABILITY", 3),
        ("UNSHIPPED", 2),
        ("PARTIALLY_SHIPPED", 2),
        ("OTHER", 2),
        ("SHIPPED", 0),
        ("CANCELLED", 0),
        ("UNFULFILLABLE", 0),
    ],
)
def test_units_are_in_flight_until_amazon_says_that_they_are_not(status: str, units: int):
    one = item(quantity_fulfilled=1)
    order = replace(ORDER, status=FulfillmentStatus(status), items=(one,))
    assert units_in_flight(order) == ({"MUG": units} if units else {})
    unclear = replace(order, fulfilled_by=None)
    assert units_in_flight(unclear) == units_in_flight(order)
    assert units_in_flight(replace(order, fulfilled_by=FulfilledBy.AMAZON)) == {}
    assert units_in_flight(replace(order, sold_on_amazon=False)) == {}


def test_units_of_a_pending_order_count_whether_amazon_calls_them_unfulfilled_or_not():
    for unfulfilled in (None, 0, 3):
        one = item(quantity_unfulfilled=unfulfilled)
        order = replace(ORDER, status=FulfillmentStatus.PENDING, items=(one, item(sku=None)))
        assert units_in_flight(order) == {"MUG": 3, "": 3}


def test_units_of_an_order_that_cannot_be_parsed_count_as_far_as_they_can():
    order = UnreadableOrder("1", "f", "No.", units=(("MUG", 1), ("MUG", 2), ("POT", 0)))
    assert units_in_flight(order) == {"MUG": 3}
    unclear = replace(order, units=(("MUG", 1), ("MUG", None), ("POT", 2)))
    assert units_in_flight(unclear) == {"MUG": None, "POT": 2}
    assert units_in_flight(replace(unclear, status=FulfillmentStatus.SHIPPED)) == {}
