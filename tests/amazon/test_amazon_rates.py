"""Amazon's rate limits, and requests as Amazon gets them."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import httpx
import pytest
from seller_desk import Desk

from amazon_bridge.amazon import operations
from amazon_bridge.amazon.faults import Refusal, error_of, read_response
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.engine.errors import (
    AccountError,
    InvalidRequest,
    ItemError,
    RateLimited,
    Transient,
)
from amazon_bridge.model import Order
from amazon_bridge.simulator import Line, ManualClock, Simulator, World

# -- rates ---------------------------------------------------------------------------------


def test_a_refused_call_waits_for_the_next_token(
    desk: Desk, partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    order = world.place_order()
    simulator.faults.add("429", "getOrder")
    partner.order(order.order_id)
    assert desk.throttle_sleeper.slept == [pytest.approx(2)]


def test_the_rate_that_amazon_shows_is_kept(
    desk: Desk, partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    order = world.place_order()
    simulator.settings.rate_multiplier = 0.1
    partner.order(order.order_id)
    desk.throttle.drain("A1EUROPE", "getOrder")
    with pytest.raises(RateLimited) as caught:
        partner.order(order.order_id)
    assert caught.value.seconds == pytest.approx(20)


def test_nothing_waits_for_a_slow_rate_and_no_call_is_made(
    desk: Desk, simulator: Simulator
) -> None:
    made: list[str] = []
    partner = desk.partner(watch=lambda operation, *_: made.append(operation))
    simulator.faults.add("429", "searchOrders")
    for _ in range(2):
        with pytest.raises(RateLimited) as caught:
            desk.changed(partner)
        assert caught.value.seconds == pytest.approx(1 / 0.0056)
    assert desk.throttle_sleeper.slept == []
    assert made == ["searchOrders"]
    assert partner.calls == {"searchOrders": 1}


def test_a_rate_that_is_refused_for_over_an_hour_is_an_error(
    desk: Desk, partner: SellingPartner, simulator: Simulator
) -> None:
    simulator.faults.add("429", "searchOrders", times=22)
    pause = partial(desk.throttle_sleeper.sleep, 180)
    for _ in range(21):
        with pytest.raises(RateLimited):
            desk.changed(partner)
        pause()
    with pytest.raises(AccountError, match="refused every searchOrders"):
        desk.changed(partner)
    pause()
    desk.changed(partner)
    simulator.faults.add("429", "searchOrders")
    with pytest.raises(RateLimited):
        desk.changed(partner)


def test_a_rate_that_allows_calls_which_fail_otherwise_is_no_error(
    desk: Desk, partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    order = world.place_order()
    for kind in ("429", "400", "429"):
        simulator.faults.clear()
        simulator.faults.add(kind, "getOrder", times=None)
        with pytest.raises(ItemError if kind == "400" else RateLimited):
            partner.order(order.order_id)
        desk.throttle_sleeper.sleep(2000)


def test_accounts_of_one_seller_share_its_rate(desk: Desk, clock: ManualClock) -> None:
    partners = [desk.partner(countries="FR"), desk.partner(countries="DE")]
    for partner in partners * 10:
        desk.changed(partner)
    assert desk.throttle_sleeper.slept == []
    clock.advance(minutes=3)
    with pytest.raises(RateLimited):
        desk.changed(partners[0])


def test_repeated_failures_back_off(
    partner: SellingPartner, simulator: Simulator, world: World, desk: Desk
) -> None:
    order = world.place_order()
    simulator.faults.add("503", "getOrder", times=2)
    partner.order(order.order_id)
    assert len(desk.retry_sleeper.slept) == 2
    assert desk.retry_sleeper.slept[0] < desk.retry_sleeper.slept[1] <= 31


@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"),
    [(429, "120", 120), (503, "1.5", 1.5), (429, None, None), (503, "Fri, 20 Nov 2026", None)],
)
def test_how_long_amazon_asks_to_wait(
    status: int, retry_after: str | None, seconds: float | None
) -> None:
    headers = {"retry-after": retry_after} if retry_after else {}
    request = httpx.Request("GET", "https://example.com")
    response = httpx.Response(status, headers=headers, request=request)
    with pytest.raises(Refusal) as caught:
        read_response(response)
    error = error_of(caught.value, operations.GET_ORDER)
    assert isinstance(error, Transient)
    assert error.retry_after == seconds


def test_an_endpoint_that_knows_no_orders_is_the_account_s_trouble(
    partner: SellingPartner, simulator: Simulator, desk: Desk
) -> None:
    simulator.faults.add("response", "searchOrders", status=404, body="{}")
    with pytest.raises(AccountError, match="endpoint"):
        desk.changed(partner)


# -- requests ------------------------------------------------------------------------------


def test_each_parameter_is_sent_once_and_rightly_spelt(
    partner: SellingPartner, simulator: Simulator, desk: Desk, world: World
) -> None:
    desk.changed(partner)
    [request] = simulator.received("searchOrders")
    assert request.query == {
        "marketplaceIds": "A13V1IB3VIYZZH,A1PA6795UKMFR9",
        "lastUpdatedAfter": "2026-10-21T12:00:00.000Z",
        "lastUpdatedBefore": "2026-11-20T11:58:00.000Z",
        "fulfillmentStatuses": "UNSHIPPED,PARTIALLY_SHIPPED,SHIPPED,CANCELLED",
        "includedData": "BUYER,RECIPIENT,PROCEEDS,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX",
        "maxResultsPerPage": "100",
    }


def test_pages_cost_one_call_each_and_hold_all_orders(
    partner: SellingPartner,
    simulator: Simulator,
    desk: Desk,
    world: World,
    aged: Callable[[], None],
) -> None:
    placed = {world.place_order().order_id for _ in range(230)}
    aged()
    pages = list(desk.pages(partner))
    assert [len(page.orders) for page in pages] == [100, 100, 30]
    assert {order.order_id for page in pages for order in page.orders} == placed
    assert {page.complete_until for page in pages} == {desk.window()[1]}
    assert partner.calls == {"searchOrders": 3}
    queries = [request.query for request in simulator.received("searchOrders")]
    filters = [{k: v for k, v in q.items() if k != "paginationToken"} for q in queries]
    assert filters[0] == filters[1] == filters[2]


def test_a_token_that_amazon_does_not_accept_is_the_account_s_trouble(
    desk: Desk, partner: SellingPartner, clock: ManualClock, world: World, aged: Callable[[], None]
) -> None:
    for _ in range(101):
        world.place_order()
    aged()
    window = desk.window()
    token = partner.changed_orders(*window).next_token
    assert token
    assert len(partner.changed_orders(*window, token).orders) == 1
    with pytest.raises(InvalidRequest, match="parameters differ"):
        partner.changed_orders(window[0] - timedelta(seconds=1), window[1], token)
    clock.advance(hours=24)
    with pytest.raises(InvalidRequest, match="expired"):
        partner.changed_orders(*window, token)


def test_a_page_says_up_to_when_it_speaks(
    partner: SellingPartner, simulator: Simulator, desk: Desk
) -> None:
    _, before = desk.window()
    simulator.settings.search_lag = 600
    page = partner.changed_orders(*desk.window())
    assert page.complete_until == before - timedelta(minutes=10)


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("2026-11-20T11:00:00Z", "2026-11-20T11:00:00+00:00"),
        ("2026-11-20T12:00:00Z", "2026-11-20T11:58:00+00:00"),
        (None, "2026-11-20T11:58:00+00:00"),
    ],
)
def test_no_page_covers_more_than_was_requested(
    said: str | None, until: str, partner: SellingPartner, simulator: Simulator, desk: Desk
) -> None:
    body = json.dumps({"orders": [], "lastUpdatedBefore": said})
    simulator.faults.add("response", "searchOrders", body=body)
    page = partner.changed_orders(*desk.window())
    assert page.complete_until.isoformat() == until


def test_up_to_when_a_page_speaks_must_be_readable(
    partner: SellingPartner, simulator: Simulator, desk: Desk
) -> None:
    body = json.dumps({"orders": [], "lastUpdatedBefore": "just now"})
    simulator.faults.add("response", "searchOrders", times=None, body=body)
    with pytest.raises(Transient):
        desk.changed(partner)


def test_only_the_requested_statuses_come(
    partner: SellingPartner, desk: Desk, world: World, aged: Callable[[], None]
) -> None:
    for status in ("PENDING", "PENDING_AVAILABILITY", "UNSHIPPED", "PARTIALLY_SHIPPED"):
        world.place_order(status=status, lines=[Line(), Line()])
    for status in ("SHIPPED", "CANCELLED", "UNFULFILLABLE"):
        world.place_order(status=status, fulfilled_by="AMAZON")
    aged()
    statuses = {order.status for order in desk.changed(partner) if isinstance(order, Order)}
    assert statuses == {"UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED"}
    unpaid = partner.changed_orders(*desk.window(), unpaid=True).orders
    assert {o.status for o in unpaid if isinstance(o, Order)} - statuses == {
        "PENDING",
        "PENDING_AVAILABILITY",
    }
    still_open = partner.open_orders(*desk.window()).orders
    assert {o.fulfilled_by for o in still_open} == {"MERCHANT"}
    assert sorted(o.status for o in still_open) == [
        "PARTIALLY_SHIPPED",
        "PENDING",
        "PENDING_AVAILABILITY",
        "UNSHIPPED",
    ]


def test_marketplaces(partner: SellingPartner) -> None:
    found = {p.marketplace_id: p for p in partner.marketplace_participations()}
    assert set(found) == {"A13V1IB3VIYZZH", "A1PA6795UKMFR9", "A1F83G8C2ARO7P"}
    assert all(p.participating and not p.suspended for p in found.values())
