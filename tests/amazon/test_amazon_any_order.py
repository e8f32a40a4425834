"""Any order, whatever is in it: random ones, and all of the simulator."""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payload_makers import PERSONAL, full_order, money, order
from seller_desk import Desk

from amazon_bridge.amazon.orders import read_order
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.model import (
    Order,
    UnreadableOrder,
)
from amazon_bridge.simulator import Line, World, populate

# -- fuzz ----------------------------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([PERSONAL, "12.34", "-0.001", "EUR", "TAX", "CANCELLED"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(value, dict | list):
        return [path]
    children = value.items() if isinstance(value, dict) else enumerate(value)
    return [path] + [p for key, child in children for p in places(child, (*path, key))]


PLACES = [path for path in places(full_order()) if path]
PARTS: list[Any] = [full_order(), full_order()["buyer"], full_order()["recipient"], money("1.00")]


def put(payload: Any, path: tuple[Any, ...], value: Any) -> None:
    *way, last = path
    for step in way:
        try:
            payload = payload[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(payload, dict) and isinstance(last, str):
        payload[last] = value
    if isinstance(payload, list) and isinstance(last, int) and last < len(payload):
        payload[last] = value


@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON | st.sampled_from(PARTS)), min_size=1))
def test_no_mutation_breaks_the_reading_or_leaks(changes: list[tuple[Any, Any]]) -> None:
    payload = copy.deepcopy(full_order())
    for path, value in changes:
        put(payload, path, copy.deepcopy(value))
    found = read_order(payload)
    assert isinstance(found, Order | UnreadableOrder)
    if isinstance(found, UnreadableOrder):
        assert "Zaphod" not in found.reason + found.order_id
    assert "Zaphod" not in json.dumps(found.fingerprint)


@given(JSON)
def test_no_response_at_all_breaks_the_reading(payload: Any) -> None:
    found = read_order(payload)
    assert isinstance(found, UnreadableOrder)
    assert "Zaphod" not in found.reason + found.order_id


# -- against the simulator -----------------------------------------------------------------


@pytest.mark.parametrize("sign", ["positive", "negative"])
def test_what_the_simulator_sells_is_what_we_read(
    sign: str, world: World, desk: Desk, aged: Callable[[], None]
) -> None:
    world.settings.negative_discounts = sign == "negative"
    world.add_seller("A1WORLD", ["US", "JP", "FR", "DE", "GB"])
    truth = {
        placed.order_id: placed
        for placed in populate(
            world, 7, 150, seller=world.sellers["A1WORLD"], countries=["US", "JP", "FR"], days=20
        )
    }
    aged()
    partner = desk.partner("A1WORLD", "US JP FR")
    found = [order for order in desk.changed(partner) if isinstance(order, Order)]
    wanted = [o for o in truth.values() if o.status in {o.status for o in found}]
    assert {order.order_id for order in found} == {order.order_id for order in wanted}
    for order_ in found:
        placed = truth[order_.order_id]
        assert order_.last_updated <= placed.last_updated
        assert [item.quantity for item in order_.items] == [i.quantity for i in placed.items]
        if placed.channel == "AMAZON" and order_.status != "CANCELLED":
            kept = sum(i.tax for i in placed.items if i.tax_collected_by_amazon)
            kept = 0 if placed.market.tax_included else kept
            assert order_.worth == sum(i.total for i in placed.items) - kept
            assert order_.currency == placed.market.currency


def test_one_order_reads_the_same_alone_and_in_a_page(
    partner: SellingPartner, world: World, desk: Desk, aged: Callable[[], None]
) -> None:
    world.place_order(lines=[Line(discount=Decimal("1.00")), Line(gift_message="Hi")])
    aged()
    [listed] = desk.changed(partner)
    assert partner.order(listed.order_id) == listed


def test_one_bad_order_spoils_no_page(
    partner: SellingPartner, world: World, desk: Desk, aged: Callable[[], None]
) -> None:
    world.place_order()
    world.place_order()
    aged()
    page = [full_order(), order(orderId=None), "nonsense"]
    body = json.dumps({"orders": page})
    desk.simulator.faults.add("response", "searchOrders", body=body)
    kinds = [type(found) for found in desk.changed(partner)]
    assert kinds == [Order, UnreadableOrder, UnreadableOrder]
