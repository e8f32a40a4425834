"""Every request that the client makes is one that Amazon's models allow."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from amazon_models import validate_request
from seller_desk import SELLER_ID, Desk

from amazon_bridge.amazon import operations
from amazon_bridge.amazon.finances import TransactionStatus
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.model import Cancellation, QuantityUpdate, Shipment
from amazon_bridge.simulator import ManualClock, Simulator, World

LISTINGS = "GET_MERCHANT_LISTINGS_ALL_DATA"
SETTLEMENTS = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"


@pytest.fixture(scope="module")
def amazon() -> Iterator[Simulator]:
    """An Amazon of which the client has called all operations, with page tokens among them."""
    clock = ManualClock(datetime(2026, 11, 20, 12, tzinfo=UTC))
    world = World(clock)
    world.add_seller(SELLER_ID, ["FR", "DE", "GB"])
    with Simulator(world) as simulator:
        desk = Desk(simulator)
        with closing(desk.partner()) as partner:
            call_everything(partner, simulator, desk, clock)
            yield simulator


def call_everything(
    partner: SellingPartner, simulator: Simulator, desk: Desk, clock: ManualClock
) -> None:
    world = simulator.world
    orders = [world.place_order() for _ in range(101)]
    clock.advance(minutes=10)
    desk.changed(partner)
    shipped, cancelled, *_ = orders
    partner.order(shipped.order_id)
    quantities = tuple((item.order_item_id, item.quantity) for item in shipped.items)
    place, at = shipped.market.marketplace_id, shipped.created
    for code, name, method in (("DHL", None, None), ("Other", "Velo Nantes", "Express")):
        partner.confirm_shipment(
            Shipment(shipped.order_id, place, "17", code, name, method, "JD1", at, quantities)
        )
    items = tuple(item.order_item_id for item in cancelled.items)
    partner.is_cancelling(clock() - timedelta(days=1))
    feed_id = partner.submit_cancellations(
        [Cancellation(cancelled.order_id, "S00001", items, "NoInventory")]
    )
    clock.advance(minutes=5)
    result_id = partner.feed_state(feed_id).result_document_id
    assert result_id is not None
    partner.feed_result(result_id, [cancelled.order_id])
    ask_for_reports(partner, simulator, clock)
    ask_for_listings(partner, world, place)
    ask_for_money(partner, simulator, clock)
    partner.marketplace_participations()


def ask_for_reports(partner: SellingPartner, simulator: Simulator, clock: ManualClock) -> None:
    """Request a report, read it, and list more reports than a page holds."""
    simulator.reports.contents[LISTINGS] = "seller-sku"
    report_id = partner.reports.create(LISTINGS, "A13V1IB3VIYZZH")
    clock.advance(minutes=5)
    document_id = partner.reports.report(report_id).document_id
    assert document_id is not None
    assert list(partner.reports.rows(document_id)) == []
    for _ in range(101):
        simulator.reports.publish(simulator.world.sellers[SELLER_ID], SETTLEMENTS, "")
    list(partner.reports.created_since(clock() - timedelta(days=14), [LISTINGS, SETTLEMENTS]))


def ask_for_listings(partner: SellingPartner, world: World, place: str) -> None:
    """Read a listing whose SKU needs escaping, and update its quantity."""
    world.listings.add(SELLER_ID, "A/B c%2F?", "FR", {"DEFAULT": 3}, product_type="LUGGAGE")
    listing = partner.listings.get("A/B c%2F?", place)
    assert listing.quantity == 3
    partner.listings.set_quantity(QuantityUpdate(listing.sku, 5, "LUGGAGE", 2), place)
    assert partner.listings.get(listing.sku, place).quantity == 5


def ask_for_money(partner: SellingPartner, simulator: Simulator, clock: ManualClock) -> None:
    """Read balances, the summary of a settlement, and more transactions than a page holds."""
    for _ in range(501):
        simulator.money.fee("storage", Decimal("-0.01"))
    clock.advance(minutes=5)
    partner.finances.balances()
    partner.finances.balances(clock().date() - timedelta(days=1), partner.marketplace_ids)
    partner.finances.summary(simulator.money.close().settlement_id)
    since, before = clock() - timedelta(days=3), clock() - timedelta(minutes=3)
    status = TransactionStatus.RELEASED
    assert len(list(partner.finances.transactions(since, before, status))) >= 501


@pytest.mark.parametrize("operation", [operation.name for operation in operations.ALL])
def test_amazons_models_allow_each_request(operation: str, amazon: Simulator) -> None:
    requests = amazon.received(operation)
    assert requests
    for request in requests:
        assert request.status in (200, 201, 202, 204), request.query_string
        pairs = parse_qsl(request.query_string, keep_blank_values=True)
        names = [name for name, _ in pairs]
        assert len(set(names)) == len(names), "a parameter occurs twice"
        body = json.loads(request.body) if request.body else None
        validate_request(operation, body=body, query=dict(pairs))
        assert not body or request.content_type == "application/json"


def test_lists_are_separated_by_commas(amazon: Simulator) -> None:
    [request] = amazon.received("getFeeds")
    assert request.query["processingStatuses"] == "IN_QUEUE,IN_PROGRESS"
    assert request.query["feedTypes"] == "POST_ORDER_ACKNOWLEDGEMENT_DATA"
    reports, more_reports = amazon.received("getReports")
    assert reports.query["reportTypes"] == f"{LISTINGS},{SETTLEMENTS}"
    assert list(more_reports.query) == ["nextToken"]
    first, second = amazon.received("searchOrders")
    assert first.query["marketplaceIds"] == "A13V1IB3VIYZZH,A1PA6795UKMFR9"
    assert second.query["paginationToken"]
    # Amazon requires the same filters with a page token
    assert {**second.query, "paginationToken": ""} == {**first.query, "paginationToken": ""}
