"""The client: each trap of the library closed, each failure one of our errors."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from urllib.parse import parse_qs

import httpx
import pytest
from seller_desk import SELLER_ID, Desk, Sleeper, login_of

from amazon_bridge.amazon import operations
from amazon_bridge.amazon.faults import Refusal, error_of, read_answer
from amazon_bridge.amazon.sdk import OrdersClient, Tokens
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.engine.errors import (
    AccountError,
    ConfigError,
    InvalidRequest,
    ItemError,
    RateLimited,
    Transient,
)
from amazon_bridge.model import Cancellation, Order, Shipment, UnreadableOrder
from amazon_bridge.simulator import Line, ManualClock, Simulator, World


def shipment(order: object, **changed: object) -> Shipment:
    fields = {
        "order_id": order.order_id,
        "marketplace_id": order.market.marketplace_id,
        "package_reference_id": "17",
        "carrier_code": "DHL",
        "carrier_name": None,
        "shipping_method": None,
        "tracking_number": "JD0123456789",
        "ship_date": order.created,
        "quantities": tuple((item.order_item_id, item.quantity) for item in order.items),
    }
    return Shipment(**{**fields, **changed})


# -- bad answers ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["500", "502", "503", "not_json", "wrong_json", "reset"])
def test_a_read_that_keeps_failing_is_transient(
    kind: str, partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    order = world.place_order()
    simulator.faults.add(kind, "getOrder", times=None)
    with pytest.raises(Transient) as caught:
        partner.order(order.order_id)
    assert not caught.value.maybe_done
    assert partner.calls["getOrder"] == 4


@pytest.mark.parametrize("kind", ["502", "not_json", "wrong_json", "truncated", "reset", "429"])
def test_a_read_that_fails_once_is_tried_again(
    kind: str, partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    order = world.place_order()
    simulator.faults.add(kind, "getOrder")
    assert partner.order(order.order_id).order_id == order.order_id
    assert partner.calls["getOrder"] == 2


def test_an_empty_success_is_no_page_without_orders(
    partner: SellingPartner, simulator: Simulator, desk: Desk
) -> None:
    simulator.faults.add("lost", "searchOrders")
    with pytest.raises(Transient):
        desk.changed(partner)


def test_a_page_without_its_orders_is_no_page(
    partner: SellingPartner, simulator: Simulator, desk: Desk
) -> None:
    simulator.faults.add("missing_fields", "searchOrders", fields=("orders",))
    with pytest.raises(Transient):
        desk.changed(partner)


def test_errors_in_a_successful_answer_are_errors(
    partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    order = world.place_order()
    body = '{"order": {}, "errors": [{"code": "InternalFailure", "message": "Sorry"}]}'
    simulator.faults.add("answer", "getOrder", times=None, body=body)
    with pytest.raises(Transient):
        partner.order(order.order_id)


@pytest.mark.parametrize("kind", ["500", "502", "not_json", "wrong_json", "truncated", "reset"])
def test_a_lost_answer_to_a_write_may_have_been_done_and_is_not_repeated(
    kind: str, partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    order = world.place_order()
    document = '{"feedDocumentId": "d", "url": "http://127.0.0.1/"}'
    simulator.faults.add("answer", "createFeedDocument", body=document, status=201)
    simulator.faults.add(kind, "confirmShipment", after_work=True)
    if kind == "truncated":  # a 204 has no body to lose
        simulator.faults.clear()
        simulator.faults.add("answer", "confirmShipment", body='{"half', after_work=True)
    with pytest.raises(Transient) as caught:
        partner.confirm_shipment(shipment(order))
    assert caught.value.maybe_done
    assert len(simulator.received("confirmShipment")) == 1
    assert len(world.order(order.order_id).packages) == 1


@pytest.mark.parametrize(("status", "body"), [(200, "{}"), (202, '{"ok": true}')])
def test_only_204_confirms_a_shipment(
    status: int, body: str, partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    simulator.faults.add("answer", "confirmShipment", status=status, body=body)
    with pytest.raises(Transient) as caught:
        partner.confirm_shipment(shipment(world.place_order()))
    assert caught.value.maybe_done


def test_a_write_that_comes_too_often_was_not_done(
    partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    simulator.faults.add("429", "confirmShipment", times=None)
    with pytest.raises(RateLimited) as caught:
        partner.confirm_shipment(shipment(world.place_order()))
    assert caught.value.seconds == pytest.approx(0.5)
    assert len(simulator.received("confirmShipment")) == 4


def test_a_write_that_comes_too_often_once_is_paced(
    partner: SellingPartner, simulator: Simulator, world: World, desk: Desk
) -> None:
    order = world.place_order()
    simulator.faults.add("429", "confirmShipment")
    partner.confirm_shipment(shipment(order))
    assert len(world.order(order.order_id).packages) == 1
    assert desk.throttle_sleeper.slept == [pytest.approx(0.5)]


def test_a_slow_answer_runs_into_the_time_out(
    desk: Desk, simulator: Simulator, world: World
) -> None:
    partner = desk.partner(timeout=0.2)
    partner.marketplace_participations()
    simulator.faults.add("slow", "confirmShipment", seconds=0.6)
    with pytest.raises(Transient, match="ReadTimeout") as caught:
        partner.confirm_shipment(shipment(world.place_order()))
    assert caught.value.maybe_done


def test_a_longer_time_out_than_the_library_has_is_heeded(desk: Desk) -> None:
    partner = desk.partner(timeout=77.0)
    assert partner._connection._http.timeout.read == 77.0
    assert partner._connection.files.timeout.read == 77.0


def test_what_was_never_sent_was_not_done(desk: Desk, world: World) -> None:
    with Simulator(world) as other:
        partner = desk.partner(endpoint=other.url, token_url=other.token_url)
        partner.marketplace_participations()
    with pytest.raises(Transient, match="ConnectError") as caught:
        partner.confirm_shipment(shipment(world.place_order()))
    assert not caught.value.maybe_done


# -- refusals ------------------------------------------------------------------------------


def test_a_denial_names_the_role_that_is_missing(
    partner: SellingPartner, simulator: Simulator, desk: Desk
) -> None:
    simulator.faults.add("403", "searchOrders")
    with pytest.raises(AccountError, match="Inventory and Order Tracking"):
        desk.changed(partner)
    assert partner.calls["searchOrders"] == 1


def test_an_order_that_is_not_there(partner: SellingPartner) -> None:
    with pytest.raises(ItemError) as caught:
        partner.order("111-1111111-1111111")
    assert caught.value.kind == "not_found"


def test_a_refusal_concerns_the_item_or_the_account(
    partner: SellingPartner, simulator: Simulator, desk: Desk, world: World
) -> None:
    order = world.place_order()
    simulator.faults.add("400", "getOrder")
    simulator.faults.add("400", "searchOrders")
    simulator.faults.add("400", "confirmShipment")
    with pytest.raises(ItemError) as of_order:
        partner.order(order.order_id)
    with pytest.raises(AccountError, match="InvalidInput"):
        desk.changed(partner)
    with pytest.raises(ItemError, match="InvalidInput") as of_shipment:
        partner.confirm_shipment(shipment(order))
    assert (of_order.value.kind, of_shipment.value.kind) == ("order_refused", "shipment_refused")
    assert "amazon-bridge quarantine retry" in of_order.value.remedy


def test_a_window_that_ends_now_is_refused_and_says_why(
    partner: SellingPartner, world: World
) -> None:
    now = world.clock()
    with pytest.raises(AccountError, match="lastUpdatedBefore"):
        partner.changed_orders(now - timedelta(days=1), now)


def test_all_of_amazons_errors_are_said(
    partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    errors = [
        {"code": "InvalidInput", "message": "Bad carrier", "details": "carrierCode: dhl"},
        {"code": "InvalidInput", "message": "Bad date", "details": ""},
        {"code": "InvalidInput", "message": "Bad date", "details": "Bad date"},
    ]
    body = json.dumps({"errors": errors})
    simulator.faults.add("answer", "confirmShipment", status=400, body=body)
    with pytest.raises(ItemError) as caught:
        partner.confirm_shipment(shipment(world.place_order()))
    assert caught.value.reason == (
        "Amazon refused confirmShipment: InvalidInput: Bad carrier (carrierCode: dhl);"
        " InvalidInput: Bad date."
    )


def test_another_order_than_the_requested_one_is_refused(
    partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    own, other = world.place_order(), world.place_order()
    mine = world.sellers[SELLER_ID]
    included = {"includedData": "FULFILLMENT,PROCEEDS"}
    body = json.dumps(simulator.search.get_order(mine, other.order_id, included))
    simulator.faults.add("answer", "getOrder", times=None, body=body)
    with pytest.raises(Transient, match="another order"):
        partner.order(own.order_id)


def test_an_order_fetched_by_its_id_keeps_it_when_it_is_unreadable(
    partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    simulator.faults.add("answer", "getOrder", body='{"order": {"orderItems": 5}}')
    found = partner.order(world.place_order().order_id)
    assert isinstance(found, UnreadableOrder)
    assert found.order_id == world.orders[0].order_id


def test_no_tracking_number_in_an_error(
    partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    body = '{"errors": [{"code": "Bad", "message": "Tracking JD0123456789 is invalid"}]}'
    simulator.faults.add("answer", "confirmShipment", status=400, body=body)
    with pytest.raises(ItemError, match=r"Tracking \.\.\. is invalid"):
        partner.confirm_shipment(shipment(world.place_order()))


# -- access tokens -------------------------------------------------------------------------


def test_one_token_serves_all_calls_and_threads(
    partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    orders = [world.place_order() for _ in range(8)]
    seen: dict[str, object] = {}

    def fetch(order_id: str) -> None:
        seen[order_id] = partner.order(order_id)

    threads = [threading.Thread(target=fetch, args=(order.order_id,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key: order.order_id for key, order in seen.items()} == {key: key for key in seen}
    assert len(seen) == 8
    assert len(simulator.received("token")) == 1


def test_threads_share_no_client_of_the_library(partner: SellingPartner) -> None:
    mine = partner._connection._client(OrdersClient)
    others: list[object] = []
    thread = threading.Thread(
        target=lambda: others.append(partner._connection._client(OrdersClient))
    )
    thread.start()
    thread.join()
    assert others[0] is not mine
    assert partner._connection._client(OrdersClient) is mine


def test_more_sellers_than_the_library_remembers(desk: Desk, world: World) -> None:
    names = [f"A1MANY{number}" for number in range(15)]
    for name in names:
        world.add_seller(name, ["FR"])
    partners = [desk.partner(name, "FR") for name in names]
    for partner in partners * 2:
        partner.marketplace_participations()
    assert len(desk.simulator.received("token")) == 15


@pytest.mark.parametrize("how", ["expired", "revoked"])
def test_a_token_that_became_bad_is_replaced_once(
    how: str, partner: SellingPartner, simulator: Simulator, clock: ManualClock
) -> None:
    partner.marketplace_participations()
    if how == "expired":
        clock.advance(hours=2)
    else:
        simulator.tokens.revoke_all()
    assert partner.marketplace_participations()
    assert len(simulator.received("token")) == 2
    assert partner.calls["getMarketplaceParticipations"] == 3


def test_a_token_that_stays_bad_is_the_account_s_trouble(
    partner: SellingPartner, simulator: Simulator
) -> None:
    body = (
        '{"errors": [{"code": "Unauthorized", "message": "Access to requested resource is denied.",'
        ' "details": "The access token you provided has expired."}]}'
    )
    simulator.faults.add("answer", "*", times=None, status=403, body=body, path_contains="sellers")
    with pytest.raises(AccountError, match="Authorise the application again"):
        partner.marketplace_participations()
    assert len(simulator.received("getMarketplaceParticipations")) == 2


@pytest.mark.parametrize(("lifetime", "good_for"), [(3600, 3540), (60, 30)])
def test_a_token_is_renewed_before_its_time(
    lifetime: int, good_for: int, simulator: Simulator, world: World
) -> None:
    simulator.settings.token_lifetime = lifetime
    now = Sleeper()
    with httpx.Client() as http:
        login = login_of(world.sellers["A1EUROPE"])
        url, context = simulator.token_url, httpx.create_ssl_context()
        tokens = Tokens(login, url, http, context, now.clock)
        first = tokens.get_auth()
        now.sleep(good_for - 1)
        assert tokens.get_auth() is first
        now.sleep(1)
        assert tokens.get_auth() is not first


@pytest.mark.parametrize("wrong", ["client_id", "client_secret", "refresh_token"])
def test_wrong_credentials_say_what_to_do(wrong: str, desk: Desk, world: World) -> None:
    credentials = login_of(world.sellers["A1EUROPE"], **{wrong: "s3cret-wrong"})
    partner = desk.partner(credentials=credentials)
    with pytest.raises(AccountError, match=r"invalid_(grant|client)") as caught:
        partner.marketplace_participations()
    assert "Authorise the application again" in caught.value.remedy
    assert "s3cret-wrong" not in str(caught.value)
    assert partner.calls.total() == 0


def test_a_failing_login_uses_up_no_rate(desk: Desk) -> None:
    partner = desk.partner(token_url="http://127.0.0.1:9/auth")  # nothing listens there
    for _ in range(8):
        with pytest.raises(Transient):
            desk.changed(partner)
    assert desk.throttle_sleeper.slept == []


@pytest.mark.parametrize("kind", ["500", "502", "not_json", "wrong_json", "reset", "429", "lost"])
def test_a_failing_token_endpoint_is_transient_and_nothing_was_done(
    kind: str, desk: Desk, simulator: Simulator, world: World
) -> None:
    order = world.place_order()
    simulator.faults.add(kind, "token", times=None)
    with pytest.raises(Transient, match="Login with Amazon") as caught:
        desk.partner().confirm_shipment(shipment(order))
    assert not caught.value.maybe_done


def test_our_credentials_are_used_whatever_the_environment_says(
    desk: Desk, simulator: Simulator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SP_API_REFRESH_TOKEN", "LWA_APP_ID", "LWA_CLIENT_SECRET"):
        monkeypatch.setenv(name, "from-the-environment")
    desk.partner().marketplace_participations()
    form = parse_qs(simulator.received("token")[0].body.decode())
    seller = world.sellers["A1EUROPE"]
    assert form["client_id"] == [seller.client_id]
    assert form["refresh_token"] == [seller.refresh_token]


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
    answer = httpx.Response(status, headers=headers, request=request)
    with pytest.raises(Refusal) as caught:
        read_answer(answer)
    error = error_of(caught.value, operations.GET_ORDER)
    assert isinstance(error, Transient)
    assert error.retry_after == seconds


def test_an_endpoint_that_knows_no_orders_is_the_account_s_trouble(
    partner: SellingPartner, simulator: Simulator, desk: Desk
) -> None:
    simulator.faults.add("answer", "searchOrders", status=404, body="{}")
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
    simulator.faults.add("answer", "searchOrders", body=body)
    page = partner.changed_orders(*desk.window())
    assert page.complete_until.isoformat() == until


def test_up_to_when_a_page_speaks_must_be_readable(
    partner: SellingPartner, simulator: Simulator, desk: Desk
) -> None:
    body = json.dumps({"orders": [], "lastUpdatedBefore": "just now"})
    simulator.faults.add("answer", "searchOrders", times=None, body=body)
    with pytest.raises(Transient):
        desk.changed(partner)


def test_only_the_wanted_statuses_come(
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


# -- secrets and surroundings --------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["http://sellingpartnerapi-eu.amazon.com", "ftp://127.0.0.1", "nonsense", "http://10.0.0.1"],
)
@pytest.mark.parametrize("which", ["endpoint", "token_url"])
def test_secrets_travel_by_https_or_not_at_all(which: str, url: str, desk: Desk) -> None:
    with pytest.raises(ConfigError, match=which):
        desk.partner(**{which: url})


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_a_simulator_on_this_machine_needs_no_https(host: str, desk: Desk) -> None:
    desk.partner(endpoint=f"http://{host}:1234", token_url=f"http://{host}:1234/token")


def test_nothing_secret_or_personal_is_logged(
    partner: SellingPartner,
    world: World,
    desk: Desk,
    aged: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        order = world.place_order(lines=[Line(gift_message="Forty-two kisses")])
        aged()
        desk.changed(partner)
        cancel = Cancellation(order.order_id, "S1", (order.items[0].order_item_id,), "NoInventory")
        partner.submit_cancellations([cancel])
        partner.confirm_shipment(shipment(order))
    logged = caplog.text
    assert [value for value in world.secrets() | world.personal_data() if value in logged] == []
    assert "storage/" not in logged
    assert "JD0123456789" not in logged


def test_the_library_s_environment_variables_are_ignored() -> None:
    script = (
        "from amazon_bridge.amazon.sdk import OrdersClient, Site, build\n"
        "import httpx\n"
        "site = Site('https://sellingpartnerapi-eu.amazon.com', 'A13V1IB3VIYZZH', 'eu')\n"
        "client = build(OrdersClient, site, None, httpx.Client(), httpx.create_ssl_context())\n"
        "print(client.endpoint, client.marketplace_id)\n"
    )
    surroundings = {"AWS_ENV": "prod", "SP_API_DEFAULT_MARKETPLACE": "Narnia"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **surroundings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["https://sellingpartnerapi-eu.amazon.com", "A13V1IB3VIYZZH"]
