"""The checks against Amazon's models find what is wrong."""

import pytest
from amazon_models import validate, validate_answer, validate_request

ORDER = {
    "orderId": "403-1234567-1234567",
    "createdTime": "2026-11-20T12:00:00Z",
    "lastUpdatedTime": "2026-11-20T12:00:00Z",
    "salesChannel": {"channelName": "AMAZON"},
    "orderItems": [{"orderItemId": "1", "quantityOrdered": 1, "product": {}}],
}
SHIPMENT = {
    "marketplaceId": "A13V1IB3VIYZZH",
    "packageDetail": {
        "packageReferenceId": "17",
        "carrierCode": "DHL",
        "trackingNumber": "JD1",
        "shipDate": "2026-11-20T12:00:00Z",
        "orderItems": [{"orderItemId": "1", "quantity": 1}],
    },
}


def test_what_is_right_passes():
    validate("Order", ORDER)
    validate("getOrder", {"order": ORDER})
    validate_answer("searchOrders", 200, {"orders": [ORDER]})
    validate_answer("confirmShipment", 204, None)
    validate_request("confirmShipment", body=SHIPMENT)
    validate_request(
        "searchOrders",
        query={"lastUpdatedAfter": "2026-11-20T12:00:00Z", "includedData": "BUYER,TAX"},
    )


@pytest.mark.parametrize(
    "difference",
    [
        {"orderId": None},
        {"orderId": 4031234567},
        {"createdTime": "20/11/2026"},
        {"createdTime": "2026-11-20T12:00:00"},
        {"lastUpdateTime": "2026-11-20T12:00:00Z"},
        {"fulfillment": {"fulfillmentStatus": "CANCELED"}},
        {"orderItems": [{"orderItemId": "1", "product": {}}]},
        {"orderItems": [{"orderItemId": "1", "quantityOrdered": 1.5, "product": {}}]},
    ],
)
def test_a_wrong_order_fails(difference):
    with pytest.raises(AssertionError):
        validate("Order", ORDER | difference)


def test_wrong_requests_fail():
    for body in (None, {}, SHIPMENT | {"carrier": "DHL"}, SHIPMENT | {"codCollectionMethod": "X"}):
        with pytest.raises(AssertionError):
            validate_request("confirmShipment", body=body)
    for query in (
        {"OrderStatuses": "Unshipped"},
        {"includedData": "BUYER,ADDRESS"},
        {"lastUpdatedAfter": "yesterday"},
    ):
        with pytest.raises(AssertionError):
            validate_request("searchOrders", query=query)


def test_answers_that_no_model_knows_fail():
    for status, payload in ((418, None), (200, None), (400, {"message": "no"})):
        with pytest.raises(AssertionError):
            validate_answer("searchOrders", status, payload)
    with pytest.raises(AssertionError):
        validate_answer("confirmShipment", 204, {})


def test_unknown_names_are_said():
    with pytest.raises(KeyError):
        validate("Parcel", {})
