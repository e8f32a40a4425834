"""The connection to Amazon: bad responses, and refusals."""

import json
from datetime import timedelta

import httpx
import pytest
from seller_desk import SELLER_ID, Desk, shipment

from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.engine.errors import (
    AccountError,
    ItemError,
    RateLimited,
    Transient,
)
from amazon_bridge.model import UnreadableOrder
from amazon_bridge.simulator import Simulator, World

# -- bad responses ---------------------------------------------------------------------------


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


def test_errors_in_a_successful_response_are_errors(
    partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    order = world.place_order()
    body = '{"order": {}, "errors": [{"code": "InternalFailure", "message": "Sorry"}]}'
    simulator.faults.add("response", "getOrder", times=None, body=body)
    with pytest.raises(Transient, match="HTTP 200 with the error InternalFailure: Sorry"):
        partner.order(order.order_id)


@pytest.mark.parametrize("kind", ["500", "502", "not_json", "wrong_json", "truncated", "reset"])
def test_a_lost_response_to_a_write_may_have_been_done_and_is_not_repeated(
    kind: str, partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    order = world.place_order()
    document = '{"feedDocumentId": "d", "url": "http://127.0.0.1/"}'
    simulator.faults.add("response", "createFeedDocument", body=document, status=201)
    simulator.faults.add(kind, "confirmShipment", after_work=True)
    if kind == "truncated":  # a 204 has no body to lose
        simulator.faults.clear()
        simulator.faults.add("response", "confirmShipment", body='{"half', after_work=True)
    with pytest.raises(Transient) as caught:
        partner.confirm_shipment(shipment(order))
    assert caught.value.maybe_done
    assert len(simulator.received("confirmShipment")) == 1
    assert len(world.order(order.order_id).packages) == 1


@pytest.mark.parametrize(("status", "body"), [(200, "{}"), (202, '{"ok": true}')])
def test_only_204_confirms_a_shipment(
    status: int, body: str, partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    simulator.faults.add("response", "confirmShipment", status=status, body=body)
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


def test_a_slow_response_runs_into_the_time_out(
    desk: Desk, simulator: Simulator, world: World
) -> None:
    partner = desk.partner()
    partner.marketplace_participations()
    partner._connection._http.timeout = httpx.Timeout(60, read=0.2)
    simulator.faults.add("slow", "confirmShipment", seconds=30)
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
    simulator.faults.add("response", "confirmShipment", status=400, body=body)
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
    simulator.faults.add("response", "getOrder", times=None, body=body)
    with pytest.raises(Transient, match="another order"):
        partner.order(own.order_id)


def test_an_order_fetched_by_its_id_keeps_it_when_it_is_unreadable(
    partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    simulator.faults.add("response", "getOrder", body='{"order": {"orderItems": 5}}')
    found = partner.order(world.place_order().order_id)
    assert isinstance(found, UnreadableOrder)
    assert found.order_id == world.orders[0].order_id


def test_no_tracking_number_in_an_error(
    partner: SellingPartner, simulator: Simulator, world: World
) -> None:
    body = '{"errors": [{"code": "Bad", "message": "Tracking JD0123456789 is invalid"}]}'
    simulator.faults.add("response", "confirmShipment", status=400, body=body)
    with pytest.raises(ItemError, match=r"Tracking \.\.\. is invalid"):
        partner.confirm_shipment(shipment(world.place_order()))


@pytest.mark.parametrize("length", [280, 290, 297])
def test_no_part_of_a_tracking_number_in_an_error_that_is_cut(
    partner: SellingPartner, simulator: Simulator, world: World, length: int
) -> None:
    message = f"{'x' * length} JD0123456789"
    body = json.dumps({"errors": [{"code": "Bad", "message": message}]})
    simulator.faults.add("response", "confirmShipment", status=400, body=body)
    with pytest.raises(ItemError) as caught:
        partner.confirm_shipment(shipment(world.place_order()))
    assert "J" not in caught.value.reason
