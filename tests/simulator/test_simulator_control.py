import re
import subprocess
import sys

import httpx
import pytest


def test_faults_over_http(seller, simulator):
    response = seller.http.post("/simulator/faults", json={"kind": "500", "operation": "getOrder"})
    assert response.status_code == 200
    assert response.json()[0]["kind"] == "500"
    assert seller.get_order("403-1234567-1234567").status_code == 500
    seller.http.post("/simulator/faults", json={"kind": "502", "times": None})
    assert seller.http.delete("/simulator/faults").json() == []
    assert seller.get_order("403-1234567-1234567").status_code == 404


@pytest.mark.parametrize("body", [{}, {"kind": "earthquake"}, {"kind": "500", "colour": "red"}])
def test_bad_faults_are_refused(seller, body):
    assert seller.http.post("/simulator/faults", json=body).status_code == 400


def test_settings_over_http(seller, simulator):
    response = seller.http.patch(
        "/simulator/settings", json={"rate_multiplier": 50, "drifting_pages": True}
    )
    assert response.json()["rate_multiplier"] == 50.0
    assert simulator.settings.drifting_pages is True
    assert seller.http.get("/simulator/settings").json() == response.json()
    for body in ({"colour": 1}, {"search_delay": "long"}):
        assert seller.http.patch("/simulator/settings", json=body).status_code == 400


def test_orders_over_http(seller, world):
    ids = seller.http.post("/simulator/orders", json={"count": 3, "seed": 5}).json()
    listed = seller.http.get("/simulator/orders").json()
    assert [order["orderId"] for order in listed] == ids
    assert seller.http.post("/simulator/orders", json={"count": "3"}).status_code == 400


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("cancel", "CANCELLED"),
        ("ship", "SHIPPED"),
        ("request_cancellation", "UNSHIPPED"),
        ("lapse", "CANCELLED"),
    ],
)
def test_things_happen_to_orders_over_http(seller, world, action, status):
    order = world.place_order("FR")
    response = seller.http.post(f"/simulator/orders/{order.order_id}/{action}")
    assert response.json() == {"orderId": order.order_id, "status": status}
    assert seller.http.post(f"/simulator/orders/{order.order_id}/burn").status_code == 404
    assert seller.http.post(f"/simulator/orders/403-0000000-0000000/{action}").status_code == 404


def test_fates_and_mails_over_http(seller, world, simulator):
    body = {"status": "FATAL", "messages_done": 1}
    assert seller.http.post("/simulator/feed_fates", json=body).json() == [["FATAL", 1]]
    assert seller.http.post("/simulator/feed_fates", json={"status": "LOST"}).status_code == 400
    order = world.ship(world.place_order("FR").order_id)
    mails = seller.http.get("/simulator/mails").json()
    assert [(mail["orderId"], mail["kind"]) for mail in mails] == [(order.order_id, "shipped")]


def test_what_happened_over_http(seller, world):
    world.place_order("FR")
    seller.found()
    requests = seller.http.get("/simulator/requests").json()
    assert [request["operation"] for request in requests] == ["token", "searchOrders"]
    status = seller.http.get("/simulator/status").json()
    assert status["orders"] == {"UNSHIPPED": 1}
    assert status["requests"] == {"token": 1, "searchOrders": 1}


@pytest.mark.parametrize("path", ["/simulator/nonsense", "/orders/v0/orders", "/nonsense"])
def test_other_addresses_are_not_found(seller, path):
    response = seller.http.get(path)
    assert response.status_code == 404
    assert response.json()["errors"]


def test_it_runs_in_a_terminal():
    command = [sys.executable, "-m", "amazon_bridge.simulator", "--port", "0", "--orders", "10"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = re.search(r"http://\S+(?=;)", process.stdout.readline())[0]
            status = httpx.get(f"{url}/simulator/status").json()
        finally:
            process.terminate()
        configuration = process.stdout.read()
    assert sum(status["orders"].values()) == 10
    assert "seller_id: A1SIMULATEDEU\n    marketplaces: [FR, DE, GB]" in configuration
    assert f"endpoint: {url}" in configuration


def test_money_over_http(seller, world, simulator):
    order = world.place_order("FR", fulfilled_by="AMAZON")
    post, get = seller.http.post, seller.http.get
    fee = {"name": "advertising", "amount": "-1.50"}
    assert post("/simulator/money", json=fee).json()["total"] == "-1.50"
    novelty = {"texts": ["Novelty", "Novelty", "Novelty"], "amount": "2", "country": "DE"}
    assert post("/simulator/money", json=novelty).json()["total"] == "2.00"
    refund = {"order": order.order_id, "share": "0.5"}
    assert post("/simulator/refunds", json=refund).status_code == 200
    [euros, _] = get("/simulator/balances").json()[:2]
    closing = {"reserve": "1.00", "form": {"dates": "dots", "absent_columns": ["promotion-id"]}}
    closed = post("/simulator/settlements", json=closing | {"deposit": "2026-12-01"}).json()
    assert (euros["currency"], closed["deposit"]) == ("EUR", "2026-12-01")
    assert get("/simulator/settlements").json() == [closed]
    assert get("/simulator/balances").json()[0]["account_level_reserve"] == "1.00"
    again = post("/simulator/settlement_documents", json={"settlements": [closed["settlement"]]})
    assert again.json()["report"] in simulator.reports.tasks
    body = {"seed": 3, "currency": "GBP", "orders": 2, "settlements": 1}
    assert len(post("/simulator/random_money", json=body).json()) == 1


@pytest.mark.parametrize(
    ("subject", "body", "status"),
    [
        ("money", {"name": "nonsense", "amount": "1"}, 400),
        ("money", {"name": "advertising"}, 400),
        ("money", {"name": "advertising", "amount": "1", "country": "XX"}, 400),
        ("refunds", {"order": "1"}, 404),
        ("settlements", {"currency": "CHF"}, 400),
        ("settlements", {"deposit": "soon"}, 400),
        ("settlements", {"form": {"colour": "red"}}, 400),
        ("settlement_documents", {"settlements": ["1"]}, 400),
        ("random_money", {"colour": "red"}, 400),
    ],
)
def test_bad_money_is_refused(seller, subject, body, status):
    assert seller.http.post(f"/simulator/{subject}", json=body).status_code == status
