import pytest
from amazon_models import _FILES

from amazon_bridge.simulator.limits import USAGE_PLANS

LONG_AGO = "2026-11-01T00:00:00Z"


def exhaust(seller, calls):
    return [seller.search(lastUpdatedAfter=LONG_AGO).status_code for _ in range(calls)]


def test_a_burst_then_amazons_rate(seller, clock):
    assert exhaust(seller, 21) == [200] * 20 + [429]
    clock.advance(seconds=178)
    assert exhaust(seller, 1) == [429]
    clock.advance(seconds=1)
    assert exhaust(seller, 2) == [200, 429]


def test_patience_earns_no_more_than_a_burst(seller, clock):
    exhaust(seller, 1)
    clock.advance(minutes=59)
    assert exhaust(seller, 21) == [200] * 20 + [429]


def test_the_response_to_a_call_too_many(seller):
    exhaust(seller, 20)
    response = seller.search(lastUpdatedAfter=LONG_AGO)
    assert response.status_code == 429
    assert response.json()["errors"][0]["code"] == "QuotaExceeded"


def test_each_seller_and_operation_has_its_own(seller, other_seller, world):
    order = world.place_order("FR")
    exhaust(seller, 21)
    assert exhaust(other_seller, 1) == [200]
    assert seller.get_order(order.order_id).status_code == 200


def test_responses_show_the_rate(seller, world):
    assert seller.search(lastUpdatedAfter=LONG_AGO).headers["x-amzn-RateLimit-Limit"] == "0.0056"
    order = world.place_order("FR")
    assert seller.get_order(order.order_id).headers["x-amzn-RateLimit-Limit"] == "0.5"
    assert seller.confirm(order).headers["x-amzn-RateLimit-Limit"] == "2"


def test_rates_can_be_multiplied(seller, simulator, clock):
    simulator.settings.rate_multiplier = 1000
    response = seller.search(lastUpdatedAfter=LONG_AGO)
    assert response.headers["x-amzn-RateLimit-Limit"] == "5.6"
    exhaust(seller, 19)
    clock.advance(seconds=1)
    assert exhaust(seller, 6) == [200] * 5 + [429]


def test_a_seller_may_have_a_plan_of_its_own(seller, simulator):
    simulator.limits.plans["searchOrders"] = (1, 2)
    assert exhaust(seller, 3) == [200, 200, 429]


def test_without_a_plan_there_is_no_limit(seller, simulator):
    del simulator.limits.plans["searchOrders"]
    assert exhaust(seller, 25) == [200] * 25
    headers = seller.search(lastUpdatedAfter=LONG_AGO).headers
    assert "x-amzn-RateLimit-Limit" not in headers


@pytest.mark.parametrize("operation", USAGE_PLANS)
def test_all_operations_with_a_plan_are_amazons(operation):
    assert any(operation in file["operations"] for file in _FILES)
