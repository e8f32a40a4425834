import time

import httpx
import pytest

SEARCH = "/orders/2026-01-01/orders"


@pytest.fixture
def order(world):
    return world.place_order("FR")


def fetch(seller, order):
    return seller.http.get(
        f"{SEARCH}/{order.order_id}",
        params={"includedData": "FULFILLMENT"},
        headers={"x-amz-access-token": seller.token},
    )


@pytest.mark.parametrize(
    ("kind", "status", "content_type", "text"),
    [
        ("400", 400, "application/json", "InvalidInput"),
        ("403", 403, "application/json", '{"message": "Forbidden"}'),
        ("429", 429, "application/json", "QuotaExceeded"),
        ("500", 500, "application/json", "InternalFailure"),
        ("502", 502, "text/html", "Bad Gateway"),
        ("503", 503, "text/html", "Service Unavailable"),
        ("not_json", 200, "application/json", "{orders:"),
        ("wrong_json", 200, "application/json", '["unexpected"]'),
        ("lost", 204, "", ""),
    ],
)
def test_responses_can_be_replaced(*, seller, simulator, order, kind, status, content_type, text):
    simulator.faults.add(kind, "getOrder")
    response = fetch(seller, order)
    assert response.status_code == status
    assert response.headers.get("Content-Type", "").startswith(content_type)
    assert text in response.text
    assert fetch(seller, order).json()["order"]["orderId"] == order.order_id


def test_any_response_can_be_injected(seller, simulator, order):
    body = '{"errors": [{"code": "PackageToUpdateNotFound", "message": "no"}]}'
    simulator.faults.add("response", "confirmShipment", status=400, body=body)
    response = seller.confirm(order)
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "PackageToUpdateNotFound"


@pytest.mark.parametrize(("after_work", "status"), [(False, "UNSHIPPED"), (True, "SHIPPED")])
def test_the_connection_breaks_before_or_after_the_work(
    *, seller, simulator, world, order, after_work, status
):
    simulator.faults.add("reset", "confirmShipment", after_work=after_work)
    with pytest.raises(httpx.RemoteProtocolError):
        seller.confirm(order)
    assert world.order(order.order_id).status == status
    assert simulator.received("confirmShipment")[0].status is None


@pytest.mark.parametrize(("after_work", "status"), [(False, "UNSHIPPED"), (True, "SHIPPED")])
def test_an_error_before_or_after_the_work(*, seller, simulator, world, order, after_work, status):
    simulator.faults.add("503", "confirmShipment", after_work=after_work)
    response = seller.http.post(
        f"/orders/v0/orders/{order.order_id}/shipmentConfirmation",
        headers={"x-amz-access-token": seller.token},
        json={
            "marketplaceId": order.market.marketplace_id,
            "packageDetail": {
                "packageReferenceId": "1",
                "carrierCode": "DHL",
                "trackingNumber": "JD1",
                "shipDate": "2026-11-20T12:00:00Z",
                "orderItems": [{"orderItemId": order.items[0].order_item_id, "quantity": 1}],
            },
        },
    )
    assert response.status_code == 503
    assert world.order(order.order_id).status == status


def test_a_shipment_can_be_lost_silently(seller, simulator, world, order):
    simulator.faults.add("lost", "confirmShipment")
    assert seller.confirm(order).status_code == 204
    assert world.order(order.order_id).status == "UNSHIPPED"


def test_a_response_can_be_slow(seller, simulator, order):
    simulator.faults.add("slow", "getOrder", seconds=0.2)
    before = time.monotonic()
    assert fetch(seller, order).status_code == 200
    assert time.monotonic() - before >= 0.2


def test_a_slow_response_delays_no_other_call(seller, simulator, order):
    simulator.faults.add("slow", "getOrder", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        seller.http.get(f"{SEARCH}/{order.order_id}", timeout=0.1)
    assert seller.found() == []


def test_a_response_can_be_cut_off(seller, simulator, order):
    simulator.faults.add("truncated", "getOrder")
    with pytest.raises(httpx.RemoteProtocolError):
        fetch(seller, order)


def test_fields_can_be_missing(seller, simulator, order):
    simulator.faults.add("missing_fields", "getOrder", fields=["orderItems", "fulfillmentStatus"])
    seen = fetch(seller, order).json()["order"]
    assert "orderItems" not in seen
    assert "fulfillmentStatus" not in seen["fulfillment"]
    assert seen["orderId"] == order.order_id
    simulator.faults.add("missing_fields", "confirmShipment", fields=["errors"])
    assert seller.confirm(order).status_code == 204


def test_a_fault_lasts_the_requested_number_of_calls(seller, simulator, order):
    simulator.faults.add("500", times=2)
    assert [fetch(seller, order).status_code for _ in range(3)] == [500, 500, 200]
    simulator.faults.add("502", times=None)
    assert [fetch(seller, order).status_code for _ in range(3)] == [502, 502, 502]
    simulator.faults.clear()
    assert fetch(seller, order).status_code == 200


def test_a_fault_can_be_aimed(seller, simulator, world, order):
    other = world.place_order("FR")
    simulator.faults.add("500", "getOrder", path_contains=other.order_id)
    assert fetch(seller, order).status_code == 200
    assert seller.found() == []
    assert fetch(seller, other).status_code == 500


def test_chance_is_repeatable(seller, simulator, order):
    def statuses():
        simulator.faults.clear()
        simulator.faults.add("500", "getOrder", times=None, probability=0.5, seed=3)
        return [fetch(seller, order).status_code for _ in range(12)]

    first = statuses()
    assert set(first) == {200, 500}
    assert statuses() == first


def test_logging_in_can_fail_too(seller, simulator):
    simulator.faults.add("503", "token")
    assert seller.http.post(simulator.token_url, data=seller.credentials).status_code == 503


def test_storage_can_fail_too(seller, simulator):
    simulator.faults.add("503", "upload")
    url = seller.create_document()["url"]
    assert seller.http.put(url, content=b"x").status_code == 503


def test_there_are_no_other_faults(simulator):
    with pytest.raises(ValueError, match="No such fault"):
        simulator.faults.add("earthquake")


def test_every_request_is_kept(seller, simulator, order, clock):
    seller.confirm(order)
    kept = simulator.requests[-1]
    assert kept.operation == "confirmShipment"
    assert (kept.method, kept.status, kept.time) == ("POST", 204, clock())
    assert kept.seller_id == "A1EUROPE"
    assert kept.path.endswith("/shipmentConfirmation")
    assert b'"packageReferenceId"' in kept.body
    seller.search(lastUpdatedAfter="2026-11-01T00:00:00Z", maxResultsPerPage=5)
    assert simulator.requests[-1].query["maxResultsPerPage"] == "5"
    simulator.tokens.revoke_all()
    fetch(seller, order)
    assert (simulator.requests[-1].seller_id, simulator.requests[-1].status) == (None, 403)
