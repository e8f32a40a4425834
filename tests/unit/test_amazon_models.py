"""The checks against Amazon's models find what is wrong."""

import pytest
from amazon_models import validate, validate_request, validate_response
from condense_models import condense

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
    validate_response("searchOrders", 200, {"orders": [ORDER]})
    validate_response("confirmShipment", 204, None)
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


def test_responses_that_no_model_knows_fail():
    for status, payload in ((418, None), (200, None), (400, {"message": "no"})):
        with pytest.raises(AssertionError):
            validate_response("searchOrders", status, payload)
    with pytest.raises(AssertionError):
        validate_response("confirmShipment", 204, {})


def test_unknown_names_are_said():
    with pytest.raises(KeyError):
        validate("Parcel", {})


MODEL = {
    "info": {"title": "Things"},
    "paths": {
        "/things/{id}": {
            "parameters": [],
            "get": {
                "operationId": "getThing",
                "description": "Gets a thing.",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "type": "string"},
                    {
                        "name": "kinds",
                        "in": "query",
                        "required": True,
                        "type": "array",
                        "maxItems": 2,
                        "x-example": "a",
                        "items": {"type": "string", "enum": ["a"], "description": "A kind."},
                    },
                ],
                "responses": {
                    "200": {"schema": {"$ref": "#/definitions/Thing"}},
                    "204": {"description": "None."},
                },
            },
            "post": {
                "operationId": "setThing",
                "parameters": [{"in": "body", "schema": {"$ref": "#/definitions/Other"}}],
                "responses": {},
            },
        }
    },
    "definitions": {
        "Thing": {
            "type": "object",
            "description": "A thing.",
            "required": ["description"],
            "properties": {
                "description": {"type": "string", "description": "Its description."},
                "parts": {"type": "array", "items": {"$ref": "#/definitions/Part"}},
            },
        },
        "Part": {"type": "string", "example": "x"},
        "Other": {"type": "object"},
    },
}


def test_models_are_condensed_to_their_facts():
    assert condense(MODEL, ["getThing"], "things.json, commit 1") == {
        "source": "amzn/selling-partner-api-models, things.json, commit 1; Apache-2.0; facts only,"
        " no descriptions or examples",
        "operations": {
            "getThing": {
                "method": "GET",
                "path": "/things/{id}",
                "body": None,
                "query": {
                    "kinds": {
                        "required": True,
                        "type": "array",
                        "items": {"type": "string", "enum": ["a"]},
                        "maxItems": 2,
                    }
                },
                "responses": {"200": "Thing", "204": None},
            }
        },
        "definitions": {
            "Thing": {
                "type": "object",
                "properties": {
                    "description": {"type": "string"},
                    "parts": {"type": "array", "items": {"$ref": "#/definitions/Part"}},
                },
                "required": ["description"],
            },
            "Part": {"type": "string"},
        },
    }


def test_what_a_model_lacks_can_not_be_condensed():
    with pytest.raises(KeyError):
        condense(MODEL, ["getThings"], "things.json")
