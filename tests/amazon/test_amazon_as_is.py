"""Orders whose figures contradict each other, read with the total that Amazon states."""

from decimal import Decimal

from payload_makers import breakdown, item, money, order

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


def test_no_total_is_stated() -> None:
    payload = order(item("20.00", breakdown("ITEM", "19.00")))
    read = read_order_as_is(payload)
    assert isinstance(read, Order)
    assert (read.worth, read.currency) == (Decimal(0), None)


def test_more_than_the_figures_is_wrong() -> None:
    payload = order(item(quantityOrdered="two"))
    assert isinstance(read_order_as_is(payload), UnreadableOrder)
