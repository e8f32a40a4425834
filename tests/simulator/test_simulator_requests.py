"""What Amazon's models don't allow is refused, before anything is done."""

import pytest

SEARCH = "/orders/2026-01-01/orders"
FEEDS = "/feeds/2021-06-30/feeds"
LONG_AGO = "lastUpdatedAfter=2026-11-01T00:00:00Z"


@pytest.fixture
def order(world):
    return world.place_order("FR")


def refusal(response):
    assert response.status_code == 400, response.text
    [error] = response.json()["errors"]
    assert error["code"] == "InvalidInput"
    return f"{error['message']} {error['details']}"


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("", "exactly one"),
        (f"{LONG_AGO}&OrderStatuses=UNSHIPPED", "OrderStatuses"),
        (
            f"{LONG_AGO}&MarketplaceId=A13V1IB3VIYZZH",
            "MarketplaceId",
        ),
        (f"{LONG_AGO}&{LONG_AGO}", "more than once"),
        (f"{LONG_AGO}&fulfillmentStatuses=SHIPPED&fulfillmentStatuses=CANCELLED", "more than once"),
        (f"{LONG_AGO}&fulfillmentStatuses=Shipped", "fulfillmentStatuses[0]"),
        (f"{LONG_AGO}&fulfillmentStatuses=SHIPPED,CANCELED", "fulfillmentStatuses[1]"),
        (f"{LONG_AGO}&fulfillmentStatuses=SHIPPED, CANCELLED", "fulfillmentStatuses[1]"),
        (f"{LONG_AGO}&fulfillmentStatuses=", "fulfillmentStatuses"),
        (f"{LONG_AGO}&includedData=BUYER,,TAX", "includedData[1]"),
        (f"{LONG_AGO}&marketplaceIds={','.join('A' * 51)}", "maxItems 50"),
        (f"{LONG_AGO}&maxResultsPerPage=ten", "type integer"),
        (f"{LONG_AGO}&maxResultsPerPage=0", "between 1 and 100"),
        (f"{LONG_AGO}&maxResultsPerPage=101", "between 1 and 100"),
        ("lastUpdatedAfter=2026-11-01", "format date-time"),
        ("lastUpdatedAfter=2026-11-01T00:00:00", "format date-time"),
        ("lastUpdatedAfter=2026-11-01T00:00:00+01:00", "format date-time"),  # + is a blank
        ("lastUpdatedAfter=2026-13-01T00:00:00Z", "format date-time"),
    ],
)
def test_a_search_that_the_model_does_not_allow_is_refused(seller, query, what):
    assert what in refusal(seller.call("searchOrders", "GET", f"{SEARCH}?{query}"))


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("", "feedTypes"),
        ("feedTypes=A&nextToken=B", "feedTypes"),
        ("nextToken=B", "nextToken"),
        ("feedTypes=A&processingStatuses=IN_QUEUE&processingStatuses=DONE", "more than once"),
        ("feedTypes=A&processingStatuses=QUEUED", "processingStatuses[0]"),
        (f"feedTypes={','.join('A' * 11)}", "maxItems 10"),
        ("feedTypes=A&pageSize=0", "minimum 1"),
        ("feedTypes=A&pageSize=101", "maximum 100"),
        ("feedTypes=A&createdSince=yesterday", "format date-time"),
    ],
)
def test_a_search_for_feeds_that_the_model_does_not_allow_is_refused(seller, query, what):
    assert what in refusal(seller.call("getFeeds", "GET", f"{FEEDS}?{query}"))


def test_other_reads_know_few_parameters_or_none(seller, order):
    for operation, path, query in (
        ("getOrder", f"{SEARCH}/{order.order_id}", "marketplaceIds=A13V1IB3VIYZZH"),
        ("getOrder", f"{SEARCH}/{order.order_id}", "includedData=ADDRESS"),
        ("getFeed", f"{FEEDS}/1", "MarketplaceIds=A13V1IB3VIYZZH"),
        ("getFeedDocument", "/feeds/2021-06-30/documents/1", "enableContentEncodingUrlHeader=1"),
        ("getMarketplaceParticipations", "/sellers/v1/marketplaceParticipations", "region=eu"),
    ):
        refusal(seller.call(operation, "GET", f"{path}?{query}"))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"feedType": None}, "feedType"),
        ({"marketplaceIds": "A13V1IB3VIYZZH"}, "type array"),
        ({"marketplaceIds": []}, "minItems 1"),
        ({"marketplaceIds": ["A"] * 26}, "maxItems 25"),
        ({"marketplaceIds": [5]}, "marketplaceIds[0]"),
        ({"MarketplaceIds": ["A13V1IB3VIYZZH"]}, "MarketplaceIds"),
        ({"feedOptions": {"a": 1}}, "feedOptions"),
        ({"path": FEEDS}, "path"),
    ],
)
def test_a_feed_that_the_model_does_not_allow_is_not_created(seller, simulator, change, what):
    assert what in refusal(seller.create_feed("d", **change))
    assert not simulator.feeds.feeds


@pytest.mark.parametrize(
    ("detail", "what"),
    [
        ({"packageReferenceId": 17}, "packageDetail.packageReferenceId"),
        ({"orderItems": [{"orderItemId": "1", "quantity": 1.5}]}, "orderItems[0].quantity"),
        ({"orderItems": [{"orderItemId": "1", "quantity": 1, "sku": "MUG"}]}, "'sku'"),
        ({"shippingMethod": 5}, "packageDetail.shippingMethod"),
        ({"shipDate": "2026-11-20T12:00:00"}, "packageDetail.shipDate"),
        ({"weight": "1 kg"}, "'weight'"),
    ],
)
def test_a_shipment_that_the_model_does_not_allow_is_refused(seller, order, detail, what):
    assert what in refusal(seller.confirm(order, **detail))


def test_a_refusal_repeats_no_value(seller, order):
    assert "6A1234" not in refusal(seller.confirm(order, trackingNumber=["6A1234"]))


def test_a_body_needs_its_content_type(seller, order):
    path = f"/orders/v0/orders/{order.order_id}/shipmentConfirmation"
    headers = {"x-amz-access-token": seller.token, "Content-Type": "text/plain"}
    assert "content type" in refusal(seller.http.post(path, content=b"{}", headers=headers))


def test_what_has_no_body_is_sent_without_one(seller):
    path = f"{SEARCH}?{LONG_AGO}"
    assert "no request body" in refusal(seller.call("searchOrders", "GET", path, content=b"{}"))


def test_without_a_token_nothing_is_said_of_the_request(seller):
    response = seller.http.get(f"{SEARCH}?nonsense=1")
    assert response.status_code == 403
    assert response.json()["errors"][0]["code"] == "Unauthorized"
