"""Access tokens and secrets of the connection to Amazon, and what surrounds it."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from urllib.parse import parse_qs

import httpx
import pytest
from seller_desk import Desk, Sleeper, login_of, shipment

from amazon_bridge.amazon.sdk import OrdersClient, Tokens
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.engine.errors import (
    AccountError,
    ConfigError,
    Transient,
)
from amazon_bridge.model import Cancellation, Order
from amazon_bridge.simulator import Line, ManualClock, Simulator, World

# -- access tokens -------------------------------------------------------------------------


def test_one_token_serves_all_calls_and_threads(
    partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    orders = [world.place_order() for _ in range(8)]
    seen: dict[str, Order] = {}

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
    simulator.faults.add(
        "response", "*", times=None, status=403, body=body, path_contains="sellers"
    )
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
