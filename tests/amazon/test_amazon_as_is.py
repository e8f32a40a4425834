"""Orders whose figures contradict each other, read with the total that Amazon states."""

from decimal import Decimal

import pytest
from payload_makers import Json, breakdown, item, money, order

from amazon_bridge.amazon.orders import read_order, read_order_as_is
from amazon_bridge.model import Order, UnreadableOrder


def test_the_stated_total_is_on_the_first_item_that_has_units() -> None:
    gone = item("3.00", breakdown("ITEM", "2.00"), quantityOrdered=0)
    crooked = item("20.00", breakdown("ITEM", "19.00"), number=2)
    payload = order(gone, crooked, proceeds={"grandTotal": money("25.00")})
    unread = read_order(payload)
    assert isinstance(unread, UnreadableOrder)
    read = read_order_as_is(payload)
    assert isinstance(read, Order)
    assert [each.worth for each in read.items] == [Decimal(0), Decimal("25.00")]
    assert (read.worth, read.currency) == (Decimal("25.00"), "EUR")
    assert read.fingerprint == unread.fingerprint


@pytest.mark.parametrize(
    "payload",
    [
        order(item("abc"), proceeds={"grandTotal": money("25.00")}),
        order(item("9.00", breakdown("ITEM", "x")), proceeds={"grandTotal": money("25.00")}),
        order(
            item() | {"product": {"sellerSku": "A", "price": {"unitPrice": 5}}},
            proceeds={"grandTotal": money("25.00"), "breakdowns": [None]},
        ),
    ],
)
def test_amounts_that_cannot_be_parsed_do_not_matter(payload: Json) -> None:
    unread, read = read_order(payload), read_order_as_is(payload)
    assert isinstance(unread, UnreadableOrder)
    assert unread.importable_as_is
    assert isinstance(read, Order)
    assert (read.worth, read.currency) == (Decimal("25.00"), "EUR")
    assert (read.items[0].quantity, read.fingerprint) == (2, unread.fingerprint)


def test_a_grand_total_that_cannot_be_parsed_is_none() -> None:
    read = read_order_as_is(order(proceeds={"grandTotal": {"amount": 25}}))
    assert isinstance(read, Order)
    assert (read.worth, read.currency) == (Decimal(0), None)


@pytest.mark.parametrize(
    "payload",
    [order() | {"orderItems": []}, order(item(quantityOrdered=0)), order() | {"orderItems": "x"}],
)
def test_an_order_without_readable_units_is_not_importable(payload: Json) -> None:
    unread = read_order(payload)
    assert isinstance(unread, UnreadableOrder)
    assert not unread.importable_as_is


def test_no_total_is_stated() -> None:
    payload = order(item("20.00", breakdown("ITEM", "19.00")))
    read = read_order_as_is(payload)
    assert isinstance(read, Order)
    assert (read.worth, read.currency) == (Decimal(0), None)


def test_more_than_the_figures_is_wrong() -> None:
    payload = order(item(quantityOrdered="two"))
    assert isinstance(read_order_as_is(payload), UnreadableOrder)
    unread = read_order(payload)
    assert isinstance(unread, UnreadableOrder)
    assert not unread.importable_as_is
