from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from amazon_bridge.simulator import Line
from amazon_bridge.simulator.shipments import carrier_codes


@pytest.fixture
def order(world, clock):
    """An order of three units of one item and one of another, two hours old."""
    created = clock() - timedelta(hours=2)
    lines = [Line(quantity=3), Line(sku="TEAPOT-08")]
    return world.place_order("FR", lines, created=created, last_updated=created)


def some(order, *quantities):
    items = zip(order.items, quantities, strict=False)
    return [{"orderItemId": i.order_item_id, "quantity": q} for i, q in items if q]


def test_a_confirmed_shipment_is_seen_in_the_order(seller, order, world):
    response = seller.confirm(order, shippingMethod="Domicile")
    assert (response.status_code, response.content) == (204, b"")
    seen = seller.order(order.order_id)
    assert seen["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    assert seen["lastUpdatedTime"] == "2026-11-20T12:00:00Z"
    assert seen["packages"] == [
        {
            "packageReferenceId": "17",
            "createdTime": "2026-11-20T12:00:00Z",
            "packageStatus": {"status": "SHIPPED"},
            "carrier": "Colissimo",
            "shipTime": "2026-11-20T12:00:00Z",
            "shippingService": "Domicile",
            "trackingNumber": "6A12345678901",
            "packageItems": some(order, 3, 1),
        }
    ]
    fulfillment = [item["fulfillment"] for item in seen["orderItems"]]
    assert fulfillment == [
        {"quantityFulfilled": 3, "quantityUnfulfilled": 0},
        {"quantityFulfilled": 1, "quantityUnfulfilled": 0},
    ]
    assert [mail.kind for mail in world.mails] == ["shipped"]


def test_parcels_come_one_by_one(seller, order, world):
    assert seller.confirm(order, orderItems=some(order, 2)).status_code == 204
    seen = seller.order(order.order_id)
    assert seen["fulfillment"]["fulfillmentStatus"] == "PARTIALLY_SHIPPED"
    rest = {"packageReferenceId": "18", "orderItems": some(order, 1, 1)}
    assert seller.confirm(order, **rest).status_code == 204
    assert seller.order(order.order_id)["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    assert [mail.package_reference for mail in world.mails] == ["17", "18"]


def test_the_same_reference_edits_the_package(seller, order, world, clock):
    seller.confirm(order, orderItems=some(order, 3))
    clock.advance(minutes=10)
    edit = {"orderItems": some(order, 2, 1), "trackingNumber": "6A999"}
    assert seller.confirm(order, **edit).status_code == 204
    seen = seller.order(order.order_id)
    assert len(seen["packages"]) == 1
    assert seen["packages"][0]["trackingNumber"] == "6A999"
    assert seen["packages"][0]["createdTime"] == "2026-11-20T12:00:00Z"
    assert seen["fulfillment"]["fulfillmentStatus"] == "PARTIALLY_SHIPPED"
    assert len(world.mails) == 1


def test_a_package_may_become_visible_late(seller, order, simulator, clock):
    simulator.settings.package_delay = 120
    assert seller.confirm(order).status_code == 204
    assert "packages" not in seller.order(order.order_id)
    clock.advance(minutes=2)
    assert len(seller.order(order.order_id)["packages"]) == 1


def test_a_later_change_does_not_show_it_earlier(seller, order, world, simulator, clock):
    simulator.settings.package_delay = 600
    seller.confirm(order)
    world.request_cancellation(order.order_id)
    clock.advance(minutes=5)
    assert "packages" not in seller.order(order.order_id)
    found = seller.search(lastUpdatedAfter="2026-11-20T00:00:00Z").json()["orders"]
    assert "packages" not in found[0]
    clock.advance(minutes=5)
    assert seller.search(lastUpdatedAfter="2026-11-20T12:00:00Z").json()["orders"][0]["packages"]


def test_while_it_is_invisible_it_counts_already(seller, order, simulator):
    simulator.settings.package_delay = 120
    seller.confirm(order)
    assert seller.confirm(order, packageReferenceId="18").status_code == 400


@pytest.mark.parametrize(
    "detail",
    [
        {"packageReferenceId": None},
        {"packageReferenceId": 17},
        {"packageReferenceId": "0"},
        {"packageReferenceId": "-1"},
        {"packageReferenceId": "WH/OUT/17"},
        {"carrierCode": None},
        {"carrierCode": "colissimo"},
        {"carrierCode": "My van"},
        {"carrierCode": "Other"},
        {"trackingNumber": None},
        {"trackingNumber": " "},
        {"trackingNumber": False},
        {"shipDate": None},
        {"shipDate": "20/11/2026"},
        {"shipDate": "2026-11-20T12:00:01Z"},
        {"shipDate": "2026-11-20T09:59:59Z"},
        {"orderItems": None},
        {"orderItems": []},
        {"orderItems": ["12345678901234"]},
        {"orderItems": [{"orderItemId": "12345678901234", "quantity": 1}]},
        {"orderItems": [{"orderItemId": "12345678901234", "quantity": "1"}]},
        {"marketplaceId": "A1PA6795UKMFR9"},
        {"marketplaceId": None},
    ],
)
def test_a_bad_confirmation_is_refused_and_changes_nothing(seller, order, world, detail):
    response = seller.confirm(order, **detail)
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "InvalidInput"
    assert world.order(order.order_id) == order
    assert not world.mails


@pytest.mark.parametrize("quantities", [(4,), (0, 2)])
def test_no_more_than_was_ordered(seller, order, quantities):
    assert seller.confirm(order, orderItems=some(order, *quantities)).status_code == 400


@pytest.mark.parametrize("quantity", [0, -1])
def test_quantities_are_positive(seller, order, quantity):
    items = [{"orderItemId": order.items[0].order_item_id, "quantity": quantity}]
    assert seller.confirm(order, orderItems=items).status_code == 400


def test_the_same_item_twice_counts_twice(seller, order):
    assert seller.confirm(order, orderItems=some(order, 2) * 2).status_code == 400


def test_no_more_than_is_left(seller, order):
    seller.confirm(order, orderItems=some(order, 2))
    more = {"packageReferenceId": "18", "orderItems": some(order, 2)}
    assert seller.confirm(order, **more).status_code == 400
    assert seller.confirm(order, orderItems=some(order, 3)).status_code == 204


def why_not(response):
    assert response.status_code == 400
    return response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"fulfilled_by": "AMAZON", "status": "UNSHIPPED"}, "Failed validation because order"),
        ({"status": "CANCELLED"}, "ErrorCode: NonexistentOrderItem"),
        ({"status": "PENDING"}, "Failed validation because order"),
        ({"status": "PENDING_AVAILABILITY"}, "Failed validation because order"),
        ({"programs": ("AMAZON_EASY_SHIP",)}, "is an Easy Ship order"),
        ({"programs": ("FBM_SHIP_PLUS",)}, "is a Ship+ order"),
        ({"status": "SHIPPED"}, "PackageToUpdateNotFound"),
    ],
)
def test_only_what_the_merchant_may_ship_is_shipped(seller, world, fields, reason):
    order = world.place_order("FR", **fields)
    assert reason in why_not(seller.confirm(order, orderItems=some(order, 1)))


def test_each_refusal_has_a_text_of_its_own(seller, order, world):
    unknown = [{"orderItemId": "12345678901234", "quantity": 1}]
    assert "OrderItemId is invalid" in why_not(seller.confirm(order, orderItems=unknown))
    assert "InvalidCarrier" in why_not(seller.confirm(order, carrierCode="dhl"))
    assert "PackageReferenceId" in why_not(seller.confirm(order, packageReferenceId="WH/OUT/1"))
    assert "overfulfillment" in why_not(seller.confirm(order, orderItems=some(order, 4)))
    world.settings.unique_tracking_numbers = True
    world.ship(world.place_order("FR").order_id)
    used = world.orders[-1].packages[0].tracking_number
    assert "DuplicateTrackingId" in why_not(seller.confirm(order, trackingNumber=used))


def test_a_text_of_amazons_can_be_made_up(seller, order, simulator):
    simulator.faults.add("400", "confirmShipment", body="ErrorCode: BlockedTrackingId Description")
    assert why_not(seller.confirm(order)) == "ErrorCode: BlockedTrackingId Description"


@pytest.mark.parametrize("lowers", [True, False])
def test_cancelled_units_are_not_shipped(seller, order, world, lowers):
    item = order.items[0]
    world.cancel_units(order.order_id, item.order_item_id, 1, lowers_quantity=lowers)
    assert "overfulfillment" in why_not(seller.confirm(order, orderItems=some(order, 3)))
    assert seller.confirm(order, orderItems=some(order, 2, 1)).status_code == 204
    assert world.order(order.order_id).status == "SHIPPED"


def test_units_shipped_in_seller_central_are_not_shipped_again(seller, order, world):
    world.ship(order.order_id, world.make_package(order, {order.items[0].order_item_id: 2}))
    assert "overfulfillment" in why_not(seller.confirm(order, orderItems=some(order, 2)))
    assert seller.confirm(order, orderItems=some(order, 1, 1)).status_code == 204


def test_unknown_and_foreign_orders_are_not_found(seller, world):
    foreign = world.place_order("FR", seller=world.sellers["A2OTHERS"])
    assert seller.confirm(foreign).status_code == 404


@pytest.mark.parametrize(("references", "accepted"), [(["1"] * 8, 8), (list("12345678"), 1)])
def test_many_at_once_change_the_order_one_after_another(
    seller, order, world, references, accepted
):
    with ThreadPoolExecutor(8) as pool:
        responses = list(
            pool.map(lambda r: seller.confirm(order, packageReferenceId=r), references)
        )
    assert sum(response.status_code == 204 for response in responses) == accepted
    assert len(world.mails) == 1
    assert len(world.order(order.order_id).packages) == 1


def test_other_carriers_go_by_their_name(seller, order):
    assert seller.confirm(order, carrierCode="Other", carrierName="Velo Nantes").status_code == 204
    assert seller.order(order.order_id)["packages"][0]["carrier"] == "Velo Nantes"


def test_cash_is_collected_in_one_way_only(seller, order):
    path = f"/orders/v0/orders/{order.order_id}/shipmentConfirmation"
    body = {"marketplaceId": order.market.marketplace_id, "packageDetail": {}}
    response = seller.call(
        "confirmShipment", "POST", path, json=body | {"codCollectionMethod": "X"}
    )
    assert "codCollectionMethod" in response.json()["errors"][0]["message"]


def test_a_body_must_be_json(seller, order):
    path = f"/orders/v0/orders/{order.order_id}/shipmentConfirmation"
    json = {"Content-Type": "application/json", "x-amz-access-token": seller.token}
    for content, headers in [
        (b"{", json),
        (b"[]", json),
        (b"{}", {"x-amz-access-token": seller.token}),
    ]:
        assert seller.http.post(path, content=content, headers=headers).status_code == 400


def test_the_list_of_carriers_is_amazons():
    assert {"DHL", "UPS", "Self Delivery", "Other", "YAMATO", "Transaragonés"} <= carrier_codes()
    assert len(carrier_codes()) == 377
