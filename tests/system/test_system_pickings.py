"""Delivery orders done in Odoo reach Amazon: each once, with its own goods, carrier and number."""

from decimal import Decimal

import pytest
from bridge import Bridge, ShiftedClock
from parcels import (
    CONFIRMED,
    INCOMPLETE,
    details,
    item_ids,
    key,
    place,
)
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.engine.records import State
from amazon_bridge.flows.shipments import records
from amazon_bridge.simulator import Line

pytestmark = [
    pytest.mark.odoo("in memory if 19"),
    pytest.mark.slow,
    pytest.mark.usefixtures("valid_confirmations"),
]


# What is sent


def test_a_whole_delivery(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    (order,) = place(bridge, lines=[Line(quantity=2), Line(sku="MUG-RED")])
    assert bridge.sync("pickings") == {}
    transfer = warehouse.ship(order, "DHL", "JD0001")
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (body,) = bridge.confirmations(order.order_id)
    blue, red = item_ids(order)
    shipped = body["packageDetail"].pop("shipDate")
    assert body == {
        "marketplaceId": order.market.marketplace_id,
        "packageDetail": {
            "packageReferenceId": str(transfer["id"]),
            "carrierCode": "DHL",
            "trackingNumber": "JD0001",
            "orderItems": [
                {"orderItemId": blue, "quantity": 2},
                {"orderItemId": red, "quantity": 1},
            ],
        },
    }
    done = warehouse.shop.search("stock.picking", [("id", "=", transfer["id"])], ["date_done"])
    assert shipped == done[0]["date_done"].replace(" ", "T") + ".000Z"
    assert world.order(order.order_id).status == "SHIPPED"
    notes = warehouse.notes("stock.picking", transfer["id"])
    assert notes.keys() == {CONFIRMED}
    assert "units 3, carrier DHL, tracking reference JD0001." in notes[CONFIRMED]


def test_it_is_confirmed_once_and_read_back(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    bridge.sync("pickings")
    fetched = len(bridge.received("getOrder"))
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert bridge.state("pickings", key(order, transfer)) == State.PENDING
    clock.advance(minutes=11)
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    assert len(bridge.received("getOrder")) == fetched + 1
    assert bridge.sync("pickings") == {}
    assert len(details(bridge, order)) == len(world.mails) == 1


def test_parts_follow_one_by_one(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge, lines=[Line(quantity=5), Line(sku="MUG-RED", quantity=2)])
    blue, red = item_ids(order)
    transfers = []
    for number, part in enumerate(({"MUG-BLUE": 2}, {"MUG-BLUE": 1, "MUG-RED": 2}, None)):
        transfers.append(warehouse.ship(order, "UPS", f"1Z{number}", part))
        bridge.sync("orders")
        assert bridge.sync("pickings")["notified"] == 1
        clock.advance(minutes=1)
    assert [t["backorder_id"] and t["backorder_id"][0] for t in transfers] == [
        False,
        transfers[0]["id"],
        transfers[1]["id"],
    ]
    packages = details(bridge, order)
    assert [each["packageReferenceId"] for each in packages] == [str(t["id"]) for t in transfers]
    assert [each["trackingNumber"] for each in packages] == ["1Z0", "1Z1", "1Z2"]
    assert [
        [(i["orderItemId"], i["quantity"]) for i in each["orderItems"]] for each in packages
    ] == [
        [(blue, 2)],
        [(blue, 1), (red, 2)],
        [(blue, 2)],
    ]
    assert world.order(order.order_id).status == "SHIPPED"
    assert len(world.mails) == 3


def test_parts_done_before_a_run_are_confirmed_in_one(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(bridge, lines=[Line(quantity=3)])
    for number in range(3):
        warehouse.ship(order, "UPS", f"1Z{number}", {"MUG-BLUE": 1})
    assert bridge.sync("pickings") == {"seen": 3, "notified": 3}
    assert world.order(order.order_id).status == "SHIPPED"


def test_carriers(bridge: Bridge, warehouse: Warehouse) -> None:
    expected = {
        "DHL": ("DHL", None),
        "royal mail": ("Royal Mail", None),
        "My Van": ("Self Delivery", None),
        "The Express": ("UPS", None),
        "Uncle Bob": ("Other", "Uncle Bob"),
    }
    orders = dict(zip(expected, place(bridge, 5), strict=True))
    transfers = {carrier: warehouse.ship(orders[carrier], carrier, "X1") for carrier in expected}
    with bridge.configured(carriers={"my van": "Self Delivery", "The Express": "ups"}):
        assert bridge.sync("pickings") == {"seen": 5, "notified": 5}
    for carrier, (code, name) in expected.items():
        (detail,) = details(bridge, orders[carrier])
        assert (detail["carrierCode"], detail.get("carrierName")) == (code, name)
        note = warehouse.notes("stock.picking", transfers[carrier]["id"])[CONFIRMED]
        assert f"carrier {name or code}," in note


def test_of_several_tracking_references_amazon_takes_one(
    bridge: Bridge, warehouse: Warehouse
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order, "DHL", " JD1+JD2, JD3")
    bridge.sync("pickings")
    (detail,) = details(bridge, order)
    assert detail["trackingNumber"] == "JD1"
    assert (
        "only the first of 3 tracking references"
        in warehouse.notes("stock.picking", transfer["id"])[CONFIRMED]
    )


def test_what_amazon_has_not_sold_is_not_its_business(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,), at_amazon = place(bridge), world.place_order("FR", fulfilled_by="AMAZON")
    bridge.sync("orders")
    present = warehouse.shop.search("product.product", [("default_code", "=", "APRON-LIN")], [])
    line = {"order_id": warehouse.shop.sale_order(order)["id"], "product_id": present[0]["id"]}
    warehouse.rpc("sale.order.line", "create", line)
    warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (detail,) = details(bridge, order)
    assert [item["orderItemId"] for item in detail["orderItems"]] == item_ids(order)
    assert details(bridge, at_amazon) == []


@pytest.mark.odoo("real")
def test_a_return_is_no_shipment(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    bridge.sync("pickings")
    warehouse.give_back(transfer["id"])
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert len(details(bridge, order)) == 1


@pytest.mark.odoo("real")
def test_only_the_last_step_counts(
    bridge: Bridge, warehouse: Warehouse, request: pytest.FixtureRequest
) -> None:
    (place_,) = warehouse.shop.search("stock.warehouse", [("code", "=", "WH")], [])
    steps = "delivery_steps"
    warehouse.rpc("stock.warehouse", "write", [place_["id"]], {steps: "pick_pack_ship"})
    try:
        (order,) = place(bridge)
        for expected in (None, None, {"seen": 1, "notified": 1}):
            warehouse.ship(order)
            assert bridge.sync("pickings") == (expected or {})
    finally:
        warehouse.rpc("stock.warehouse", "write", [place_["id"]], {steps: "ship_only"})
    (last,) = (t for t in warehouse.transfers(order) if t["picking_type_code"] == "outgoing")
    (detail,) = details(bridge, order)
    assert detail["packageReferenceId"] == str(last["id"])


def test_each_account_confirms_its_own(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    other = world.add_seller("A1OTHER", ["US"])
    bridge.program.add_account(other, "us")
    bridge.close()
    (mine,), theirs = place(bridge), world.place_order("US")
    bridge.sync("orders", account="us")
    for order in (mine, theirs):
        warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    assert bridge.sync("pickings", account="us") == {"seen": 1, "notified": 1}
    assert {r.seller_id for r in bridge.received("confirmShipment")} == {
        "A1SIMULATEDEU",
        "A1OTHER",
    }
    bridge.forget()  # only Amazon shows now whose order it is
    for account in ("acme", "us"):
        assert bridge.sync("pickings", account=account) == {}


# Waiting


def test_it_waits_for_its_tracking_reference(
    bridge: Bridge, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order, "DHL", None)
    with bridge.configured(tracking_reminder="1h"):
        assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
        (event,) = bridge.logged("shipment_waiting")
        assert event["delivery_order"] == transfer["name"]
        (waiting,) = records.pending_deliveries(bridge.app.ledger, "acme")
        assert (waiting.delivery_order, waiting.order_id) == (transfer["name"], order.order_id)
        assert waiting.lacks == ("tracking reference",)
        assert warehouse.activities("stock.picking", transfer["id"]) == {}
        clock.advance(hours=2)
        for _ in range(2):
            assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
            assert bridge.logged("shipment_waiting") == []
            assert warehouse.activities("stock.picking", transfer["id"]).keys() == {INCOMPLETE}
        assert details(bridge, order) == []
        listed = bridge.program.run("status", "--json").json["accounts"]["acme"]["waiting"]
        assert [(each["delivery_order"], each["lacks"]) for each in listed] == [
            (transfer["name"], ["tracking reference"])
        ]
        assert (
            f"{transfer['name']}@{order.order_id}#{transfer['id']}"
            in bridge.program.run("status").out
        )
        warehouse.label(transfer["id"], None, "JD0002")
        assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
        assert records.pending_deliveries(bridge.app.ledger, "acme")[0].lacks == ("carrier",)
        warehouse.label(transfer["id"], "DHL", "JD0002")
        assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
        assert records.pending_deliveries(bridge.app.ledger, "acme") == []
    (detail,) = details(bridge, order)
    assert detail["trackingNumber"] == "JD0002"
    assert warehouse.activities("stock.picking", transfer["id"]) == {}


def test_the_reference_that_is_taken_away_after_the_sending_changes_nothing(
    bridge: Bridge, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.ship(order)
    bridge.sync("pickings")
    warehouse.label(transfer["id"], None, None)
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    clock.advance(minutes=11)
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert bridge.state("pickings", key(order, transfer)) == State.DONE
    assert bridge.sync("pickings") == {}
    assert len(details(bridge, order)) == 1


# What left isn't what was ordered


def test_the_packer_replaces_a_product_that_the_bridge_did_not_know(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(
        bridge, lines=[Line(sku="NEW-SKU", quantity=2, price=Decimal(18)), Line(sku="MUG-RED")]
    )
    transfer = warehouse.open(order)
    warehouse.replace(transfer["id"], "Amazon Sale", "APRON-LIN")
    warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    (detail,) = details(bridge, order)
    units = {item["orderItemId"]: item["quantity"] for item in detail["orderItems"]}
    assert units == dict(zip(item_ids(order), (2, 1), strict=True))
    assert world.order(order.order_id).status == "SHIPPED"


def test_the_only_product_is_replaced(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    """A part leaves first; then Odoo knows the sale order of the rest by its group only."""
    (order,) = place(bridge, lines=[Line(sku="NEW-SKU", quantity=3, price=Decimal(27))])
    for part, number in ((1, 1), (None, 2)):
        transfer = warehouse.open(order)
        warehouse.replace(transfer["id"], "Amazon Sale", "APRON-LIN")
        quantities = {"APRON-LIN": part} if part else None
        warehouse.ship(order, quantities=quantities)
        assert bridge.sync("pickings")["notified"] == 1
        assert details(bridge, order)[-1]["orderItems"][0]["quantity"] == number
    assert world.order(order.order_id).status == "SHIPPED"


def test_what_stays_open_on_amazon_without_a_backorder(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, clock: ShiftedClock
) -> None:
    (order,) = place(bridge, lines=[Line(quantity=3)])
    transfer = warehouse.open(order)
    warehouse.pick(transfer["id"], {"MUG-BLUE": 2})
    warehouse.label(transfer["id"], "DHL", "JD0001")
    context = {
        "skip_sms": True,
        "skip_backorder": True,
        "picking_ids_not_to_backorder": [transfer["id"]],
    }
    warehouse.rpc("stock.picking", "button_validate", [transfer["id"]], context=context)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    clock.advance(minutes=11)
    bridge.sync("pickings")
    assert world.order(order.order_id).status == "PARTIALLY_SHIPPED"
    sale_order = warehouse.shop.sale_order(order)["id"]
    text = warehouse.activities("sale.order", sale_order)["Amazon: units are still open"]
    assert "1 unit of MUG-BLUE is still open on Amazon" in text


@pytest.mark.odoo("real")
def test_one_transfer_for_two_orders(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    first, second = place(bridge, 2)
    kept, given = warehouse.open(first), warehouse.open(second)
    moves = [move["id"] for move in warehouse.moves(given["id"])]
    warehouse.rpc("stock.move", "write", moves, {"picking_id": kept["id"]})
    warehouse.ship(first)
    assert bridge.sync("pickings") == {"seen": 2, "notified": 2}
    for order in (first, second):
        (package,) = world.order(order.order_id).packages
        assert package.reference == str(kept["id"])


@pytest.mark.odoo("real")
def test_goods_out_of_amazons_stock_for_an_order_of_the_merchants(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    (order,) = place(bridge)
    transfer = warehouse.open(order)
    (amazon,) = warehouse.shop.search("stock.location", [("complete_name", "=", "WH/Amazon")], [])
    source = {"location_id": amazon["id"]}
    moves = [move["id"] for move in warehouse.moves(transfer["id"])]
    warehouse.rpc("stock.picking", "do_unreserve", [transfer["id"]])
    warehouse.rpc("stock.picking", "write", [transfer["id"]], source)
    warehouse.rpc("stock.move", "write", moves, {**source, "quantity": 1, "picked": True})
    warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
