"""Amazon's own SDK talks to the simulator: a client that we didn't write."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
import spapi
from amazon_models import validate_request
from simulated_seller import EVERYTHING, XML
from spapi.api.feeds_v2021_06_30.feeds_api import FeedsApi
from spapi.api.listings_items_v2021_08_01.listings_api import ListingsApi
from spapi.api.orders_v0.orders_v0_api import OrdersV0Api
from spapi.api.orders_v2026_01_01.get_order_api import GetOrderApi
from spapi.api.orders_v2026_01_01.search_orders_api import SearchOrdersApi
from spapi.api.sellers_v1.sellers_api import SellersApi
from spapi.models.feeds_v2021_06_30 import CreateFeedDocumentSpecification, CreateFeedSpecification
from spapi.models.listings_items_v2021_08_01 import ListingsItemPatchRequest, PatchOperation
from spapi.models.orders_v0 import (
    ConfirmShipmentOrderItem,
    ConfirmShipmentRequest,
    PackageDetail,
)

from amazon_bridge.simulator import ManualClock, Simulator, generate

INCLUDED = EVERYTHING.split(",")


@pytest.fixture(scope="module")
def clock():
    return ManualClock(datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.fixture(scope="module")
def simulator(clock):
    with Simulator(generate(3, 60, clock=clock)) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def seller(simulator):
    return simulator.world.sellers["A1SIMULATEDEU"]


@pytest.fixture(scope="module")
def client(simulator, seller):
    """Amazon's client, sent to the simulator by its own two settings."""
    config = spapi.SPAPIConfig(seller.client_id, seller.client_secret, seller.refresh_token)
    sdk = spapi.SPAPIClient(config, oauth_endpoint=simulator.token_url, endpoint=simulator.url)
    return sdk.api_client


@pytest.fixture
def unshipped(simulator, seller):
    return next(
        order
        for order in simulator.world.orders
        if (order.seller_id, order.status, order.fulfilled_by)
        == (seller.seller_id, "UNSHIPPED", "MERCHANT")
        and not order.data_withheld
    )


def moment(value: str | datetime) -> datetime:
    """A date and time: the SDK parses it where dateutil is installed."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def test_search_orders_page_by_page(client, simulator, seller, clock):
    api, found, token = SearchOrdersApi(client), [], None
    query = {
        "last_updated_after": clock() - timedelta(days=30),
        "last_updated_before": clock() - timedelta(minutes=2),
        "marketplace_ids": [market.marketplace_id for market in seller.markets],
        "fulfilled_by": ["MERCHANT", "AMAZON"],
        "included_data": INCLUDED,
        "max_results_per_page": 10,
    }
    while True:
        page = api.search_orders(**query, **({"pagination_token": token} if token else {}))
        found += page.orders
        if page.pagination is None:
            break
        token = page.pagination.next_token
    assert len(found) == 36
    assert moment(page.last_updated_before) == query["last_updated_before"]
    for order in found:
        true = simulator.world.order(order.order_id)
        assert order.fulfillment.fulfillment_status == true.status
        assert [item.quantity_ordered for item in order.order_items] == [
            item.quantity for item in true.items
        ]
        if order.proceeds:
            grand_total = Decimal(order.proceeds.grand_total.amount)
            assert grand_total == sum(item.total for item in true.items)


def test_get_order(client, unshipped):
    order = GetOrderApi(client).get_order(unshipped.order_id, included_data=INCLUDED).order
    assert order.buyer.buyer_name == unshipped.buyer.name
    assert order.recipient.delivery_address.address_line1 == unshipped.address.lines[0]
    assert moment(order.created_time) == unshipped.created


def test_confirm_shipment(client, simulator, unshipped, clock):
    items = [
        ConfirmShipmentOrderItem(order_item_id=item.order_item_id, quantity=item.quantity)
        for item in unshipped.items
    ]
    request = ConfirmShipmentRequest(
        marketplace_id=unshipped.market.marketplace_id,
        package_detail=PackageDetail(
            package_reference_id="1",
            carrier_code="DHL",
            tracking_number="JD0001",
            ship_date=clock(),
            order_items=items,
        ),
    )
    OrdersV0Api(client).confirm_shipment(unshipped.order_id, request)
    order = GetOrderApi(client).get_order(unshipped.order_id, included_data=INCLUDED).order
    assert order.fulfillment.fulfillment_status == "SHIPPED"
    assert order.packages[0].tracking_number == "JD0001"


def test_a_feed(client, simulator, seller, clock):
    api = FeedsApi(client)
    document = api.create_feed_document(CreateFeedDocumentSpecification(content_type=XML))
    content = (
        "<AmazonEnvelope><Header><DocumentVersion>1.01</DocumentVersion><MerchantIdentifier>"
        f"{seller.seller_id}</MerchantIdentifier></Header>"
        "<MessageType>OrderAcknowledgement</MessageType><Message><MessageID>1</MessageID>"
        "<OrderAcknowledgement><AmazonOrderID>403-0000000-0000000</AmazonOrderID>"
        "<StatusCode>Failure</StatusCode></OrderAcknowledgement></Message></AmazonEnvelope>"
    )
    httpx.put(document.url, content=content, headers={"Content-Type": XML})
    specification = CreateFeedSpecification(
        feed_type="POST_ORDER_ACKNOWLEDGEMENT_DATA",
        marketplace_ids=[seller.markets[0].marketplace_id],
        input_feed_document_id=document.feed_document_id,
    )
    feed_id = api.create_feed(specification).feed_id
    assert api.get_feed(feed_id).processing_status == "IN_QUEUE"
    clock.advance(minutes=2)
    feed = api.get_feed(feed_id)
    assert feed.processing_status == "DONE"
    result = api.get_feed_document(feed.result_feed_document_id)
    assert "<MessagesWithError>1</MessagesWithError>" in httpx.get(result.url).text


def test_a_listing(client, simulator, seller):
    listing = simulator.world.listings.add(seller.seller_id, "A/B c", "FR", {"DEFAULT": 3})
    api, place = ListingsApi(client), seller.markets[0].marketplace_id
    found = api.get_listings_item(
        seller.seller_id, "A/B c", [place], included_data=["fulfillmentAvailability", "summaries"]
    )
    [availability] = found.fulfillment_availability
    assert (availability.fulfillment_channel_code, availability.quantity) == ("DEFAULT", 3)
    value = [{"fulfillment_channel_code": "DEFAULT", "quantity": 4}]
    operation = PatchOperation(op="merge", path="/attributes/fulfillment_availability", value=value)
    request = ListingsItemPatchRequest(product_type="PRODUCT", patches=[operation])
    response = api.patch_listings_item(seller.seller_id, "A/B c", [place], request)
    assert (response.status, listing.quantity) == ("ACCEPTED", 4)
    results = api.search_listings_items(seller.seller_id, [place], page_size=20)
    assert [item.sku for item in results.items] == ["A/B c"]


def test_marketplace_participations(client, seller):
    payload = SellersApi(client).get_marketplace_participations().payload
    assert [entry.marketplace.country_code for entry in payload] == ["FR", "DE", "GB"]
    assert all(entry.participation.is_participating for entry in payload)


def test_what_the_sdk_sends_has_the_form_of_amazons_models(client, simulator, unshipped, clock):
    """So the checks of requests, which other tests use, accept what Amazon's own client says."""
    test_search_orders_page_by_page(
        client, simulator, simulator.world.sellers["A1SIMULATEDEU"], clock
    )
    test_confirm_shipment(client, simulator, unshipped, clock)
    for operation in ("searchOrders", "confirmShipment"):
        sent = simulator.received(operation)[-1]
        body = json.loads(sent.body) if sent.body else None
        validate_request(operation, body=body, query=sent.query)


def test_a_refusal(client):
    with pytest.raises(spapi.ApiException) as caught:
        GetOrderApi(client).get_order("403-0000000-0000000")
    assert caught.value.status == 404
