"""Carriers, and confirmations of shipments."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_amazon_client import shipment

from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.amazon.shipments import OTHER, Carrier, carrier_for
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.model import Order
from amazon_bridge.simulator import Line, Simulator, World
from amazon_bridge.simulator.shipments import carrier_codes


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("DHL", "DHL"),
        ("dhl", "DHL"),
        ("  fedex ", "FedEx"),
        ("self delivery", "Self Delivery"),
        ("AT Post", "AT Post"),
        ("AT POST", "AT POST"),
        ("at post", "AT POST"),
        ("FedEx®", "FedEx"),
        ("Fedex™", "FedEx"),
        ("fed ex", "FedEx"),
        ("d_H l)", "DHL"),
        ("D.H.L.", "DHL"),
        ("\uff24\uff28\uff2c", "DHL"),
        ("dhl  paket", "DHL-Paket"),
        ("Transaragones", "Transaragonés"),
        ("DHL Express", "DHL Express"),
        ("Go", "GO!"),
        ("Target", "Target"),
    ],
)
def test_a_carrier_on_amazon_s_list(name: str, code: str) -> None:
    assert carrier_for(name, mapping={}) == Carrier(code)


@pytest.mark.parametrize(
    "name",
    ["Aunt Polly's Mule", "Other", "UPStairs Movers", "Go Fast", "Target Parcels", "®", "猫便"],
)
def test_a_carrier_that_amazon_does_not_know(name: str) -> None:
    assert carrier_for(name, mapping={}) == Carrier(OTHER, name=name)


@pytest.mark.parametrize(
    ("name", "code", "method"),
    [
        ("UPS Ground", "UPS", "Ground"),
        ("UPS® - Ground", "UPS", "Ground"),
        ("FedEx®2Day A.M.", "FedEx", "2Day A.M."),
        ("fed ex  Home\tDelivery", "FedEx", "Home Delivery"),
        ("UPS (Ground)", "UPS", "Ground"),
        ("UPS_Express_Saver", "UPS", "Express_Saver"),
        ("DHL Express Worldwide", "DHL Express", "Worldwide"),
        ("Royal Mail Tracked 24", "Royal Mail", "Tracked 24"),
        ("Hermes UK Next Day", "Hermes UK", "Next Day"),
        ("USPS Priority Mail (2-Day)", "USPS", "Priority Mail (2-Day)"),
    ],
)
def test_a_service_level_behind_a_known_carrier(name: str, code: str, method: str) -> None:
    assert carrier_for(name, mapping={}) == Carrier(code, method=method)


@pytest.mark.parametrize(
    ("meant", "found"),
    [
        ("UPS", Carrier("UPS")),
        ("ups", Carrier("UPS")),
        ("UPS Ground", Carrier("UPS", method="Ground")),
        ("Other", Carrier("Other", name="Our Express")),
        ("Aunt Polly's Mule", Carrier("Other", name="Aunt Polly's Mule")),
    ],
)
@pytest.mark.parametrize("named", ["our EXPRESS ", "Our-Express®"])
def test_the_configuration_comes_first(named: str, meant: str, found: Carrier) -> None:
    assert carrier_for("Our Express", mapping={named: meant}) == found


def test_the_configuration_may_use_the_name_in_odoos_source_language() -> None:
    assert carrier_for("Notre coursier", "Our Courier", mapping={"our courier": "DHL"}) == Carrier(
        "DHL"
    )
    assert carrier_for("Notre coursier", "Our Courier", mapping={}).name == "Notre coursier"


def test_the_configuration_wins_over_amazons_list() -> None:
    assert carrier_for("UPS Ground", mapping={"UPS Ground": "DHL", "UPS": "TNT"}) == Carrier("DHL")


@given(name=st.text(), mapping=st.dictionaries(st.text(), st.text(), max_size=3))
def test_the_code_is_always_one_that_amazon_accepts(name: str, mapping: dict[str, str]) -> None:
    carrier = carrier_for(name, mapping=mapping)
    assert carrier.code in carrier_codes()
    assert (carrier.name is not None) == (carrier.code == OTHER)
    assert carrier.method != ""


def test_a_shipment_reaches_amazon(partner: SellingPartner, world: World) -> None:
    order = world.place_order(lines=[Line(quantity=3), Line()])
    first = order.items[0].order_item_id
    partner.confirm_shipment(shipment(order, quantities=((first, 2),), shipping_method="Express"))
    [package] = world.order(order.order_id).packages
    assert (package.reference, package.carrier_code) == ("17", "DHL")
    assert (package.tracking_number, package.shipping_method) == ("JD0123456789", "Express")
    assert package.quantities == ((first, 2),)
    assert package.shipped == order.created


def test_what_was_sent_can_be_read_back(partner: SellingPartner, world: World) -> None:
    order = world.place_order()
    partner.confirm_shipment(
        shipment(order, carrier_code="Other", carrier_name="Aunt Polly's Mule")
    )
    found = partner.order(order.order_id)
    assert isinstance(found, Order)
    [package] = found.packages
    assert package.package_reference_id == "17"
    assert package.tracking_number == "JD0123456789"
    assert package.quantities == ((order.items[0].order_item_id, 1),)


def test_the_same_reference_again_edits_the_package(
    partner: SellingPartner, world: World, simulator: Simulator
) -> None:
    order = world.place_order()
    partner.confirm_shipment(shipment(order))
    partner.confirm_shipment(shipment(order, tracking_number="JD9"))
    assert [p.tracking_number for p in world.order(order.order_id).packages] == ["JD9"]


def test_a_refused_shipment_says_why(partner: SellingPartner, world: World) -> None:
    order = world.place_order()
    good = shipment(order)
    for bad in (
        replace(good, carrier_code="Aunt Polly's Mule"),
        replace(good, package_reference_id="WH/OUT/00017"),
        replace(good, ship_date=world.clock() + timedelta(hours=1)),
        replace(good, quantities=((order.items[0].order_item_id, 5),)),
    ):
        with pytest.raises(ItemError, match="InvalidInput: ") as caught:
            partner.confirm_shipment(bad)
        assert caught.value.kind == "shipment_refused"
        assert good.tracking_number not in str(caught.value)
    assert world.order(order.order_id).packages == ()
