"""Listings, by the clock and by Amazon's models (``SimulatedSeller.call`` checks each response)."""

import pytest
from simulated_seller import LISTINGS

from amazon_bridge.simulator import CATALOGUE, Line, buy, list_catalogue

FRANCE, GERMANY = "A13V1IB3VIYZZH", "A1PA6795UKMFR9"
EVERYTHING = "summaries,attributes,issues,offers,fulfillmentAvailability,productTypes"
PATH = "/attributes/fulfillment_availability"


@pytest.fixture
def listing(world):
    return world.listings.add("A1EUROPE", "MUG-BLUE", "FR", {"DEFAULT": 5}, lead_time=2)


@pytest.fixture
def fba(world):
    return world.listings.add("A1EUROPE", "MUG-RED", "FR", {"AMAZON_EU": 9})


def units(quantity, **more):
    return {"fulfillment_channel_code": "DEFAULT", "quantity": quantity} | more


def patch(*value, op="merge", path=PATH):
    return {"op": op, "path": path, "value": list(value)}


def test_a_listing_shows_its_channel_and_units(seller, listing):
    found = seller.listing("MUG-BLUE", FRANCE, EVERYTHING).json()
    assert found["fulfillmentAvailability"] == [
        {"fulfillmentChannelCode": "DEFAULT", "quantity": 5}
    ]
    assert found["summaries"][0]["status"] == ["BUYABLE", "DISCOVERABLE"]
    assert found["productTypes"] == [{"marketplaceId": FRANCE, "productType": "KITCHEN"}]
    [attribute] = found["attributes"]["fulfillment_availability"]
    assert attribute["lead_time_to_ship_max_days"] == 2


def test_only_summaries_come_unless_asked(seller, listing):
    assert set(seller.listing("MUG-BLUE", FRANCE).json()) == {"sku", "summaries"}


def test_amazon_does_not_state_its_own_units(seller, fba):
    found = seller.listing("MUG-RED", FRANCE, "fulfillmentAvailability").json()
    assert found["fulfillmentAvailability"] == [{"fulfillmentChannelCode": "AMAZON_EU"}]


def test_what_is_not_listed_is_not_found(seller, listing):
    assert seller.listing("TEAPOT-08", FRANCE).status_code == 404
    assert seller.listing("MUG-BLUE", GERMANY).status_code == 404


def test_others_listings_and_marketplaces_are_denied(seller, other_seller, listing):
    path = f"{LISTINGS}/A1EUROPE/MUG-BLUE"
    response = other_seller.call("getListingsItem", "GET", path, params={"marketplaceIds": FRANCE})
    assert response.status_code == 403
    assert seller.listing("MUG-BLUE", "ATVPDKIKX0DER").status_code == 403


def test_a_missing_role_is_denied(seller, simulator, listing):
    simulator.missing_roles = {"Product Listing"}
    assert seller.listing("MUG-BLUE", FRANCE).status_code == 403
    assert seller.patch("MUG-BLUE", FRANCE, patch(units(1))).status_code == 403
    assert simulator.world.listings.get("A1EUROPE", "MUG-BLUE", "FR").quantity == 5


@pytest.mark.parametrize("sku", ["A/B", "50% off", "a b", "//x", "ÄÖ?&=+#"])
def test_skus_may_have_any_characters(seller, world, sku):
    world.listings.add("A1EUROPE", sku, "FR", {"DEFAULT": 1})
    assert seller.listing(sku, FRANCE).json()["sku"] == sku
    assert seller.patch(sku, FRANCE, patch(units(4))).json()["status"] == "ACCEPTED"
    assert world.listings.get("A1EUROPE", sku, "FR").quantity == 4


def test_a_merge_keeps_what_it_does_not_name(seller, listing):
    assert seller.patch("MUG-BLUE", FRANCE, patch(units(7))).json()["status"] == "ACCEPTED"
    assert (listing.quantity, listing.lead_time) == (7, 2)
    seller.patch("MUG-BLUE", FRANCE, patch(units(8, lead_time_to_ship_max_days=4)))
    assert (listing.quantity, listing.lead_time) == (8, 4)


def test_a_replacement_drops_the_handling_time(seller, listing):
    seller.patch("MUG-BLUE", FRANCE, patch(units(7), op="replace"))
    assert (listing.quantity, listing.lead_time) == (7, None)


def test_a_deletion_takes_the_channel_away(seller, listing):
    seller.patch("MUG-BLUE", FRANCE, patch({"fulfillment_channel_code": "DEFAULT"}, op="delete"))
    assert listing.channels == {}


def test_the_units_of_amazon_stay(seller, fba):
    fba.both = True
    seller.patch("MUG-RED", FRANCE, patch(units(3), op="replace"))
    assert fba.channels == {"AMAZON_EU": 9, "DEFAULT": 3}


@pytest.mark.parametrize(
    "bad",
    [
        patch({"quantity": 3}),
        patch(units(-1)),
        patch(units("3")),
        patch(units(None)),
        patch(units(1.5)),
        patch(units(3, lead_time_to_ship_max_days=None)),
        patch(units(3, restock_date="soon")),
        patch(units(3, marketplace_id=GERMANY)),
        patch(units(3), units(4)),
        patch({"fulfillment_channel_code": "AMAZON_NA"}),
        patch({"fulfillment_channel_code": "AMAZON_EU", "quantity": 3}),
        patch(units(True)),  # noqa: FBT003 - JSON
        patch(units(3, colour="red")),
        patch(units(3), path="/attributes/fulfillmentAvailability"),
        patch(),
        patch({"fulfillment_channel_code": "DEFAULT"}, op="replace"),
    ],
)
def test_what_amazon_does_not_accept_changes_nothing(seller, listing, bad):
    response = seller.patch("MUG-BLUE", FRANCE, bad)
    assert response.status_code == 200
    assert response.json()["status"] == "INVALID"
    assert all(issue["severity"] == "ERROR" for issue in response.json()["issues"])
    assert (listing.quantity, listing.lead_time) == (5, 2)


def test_what_the_model_does_not_allow_is_a_bad_request(seller, listing):
    assert seller.patch("MUG-BLUE", FRANCE).status_code == 400
    assert seller.patch("MUG-BLUE", FRANCE, patch(units(1), op="move")).status_code == 400


def test_an_unknown_sku_or_a_refused_one_is_invalid(seller, listing):
    assert seller.patch("NO-SUCH", FRANCE, patch(units(1))).json()["status"] == "INVALID"
    listing.refusal = "You can not sell this."
    [issue] = seller.patch("MUG-BLUE", FRANCE, patch(units(1))).json()["issues"]
    assert issue["message"] == "You can not sell this."


def test_the_product_type_must_be_the_listing_s(seller, simulator, listing):
    def status(kind):
        return seller.patch("MUG-BLUE", FRANCE, patch(units(1)), productType=kind).json()["status"]

    assert [status(kind) for kind in ("KITCHEN", "PRODUCT", "LUGGAGE")] == [
        "ACCEPTED",
        "ACCEPTED",
        "INVALID",
    ]
    simulator.settings.generic_product_type = False
    assert status("PRODUCT") == "INVALID"


def test_a_preview_changes_nothing(seller, listing):
    response = seller.patch("MUG-BLUE", FRANCE, patch(units(1)), mode="VALIDATION_PREVIEW")
    assert response.json()["status"] == "VALID"
    assert listing.quantity == 5


def test_updates_take_effect_later_and_in_their_sequence(seller, simulator, clock, listing):
    simulator.settings.listing_delay_shortest = 60
    simulator.settings.listing_delay_longest = 900
    for quantity in range(10, 20):
        assert seller.patch("MUG-BLUE", FRANCE, patch(units(quantity))).json()["issues"] == []
        clock.advance(seconds=1)
    assert listing.quantity == 5
    seen = []
    for _ in range(16):
        clock.advance(minutes=1)
        simulator.settle()
        seen.append(listing.quantity)
    assert seen == sorted(seen)
    assert seen[-1] == 19


def test_marketplaces_may_share_a_quantity(seller, simulator, world, listing):
    german = world.listings.add("A1EUROPE", "MUG-BLUE", "DE", {"DEFAULT": 1})
    seller.patch("MUG-BLUE", FRANCE, patch(units(7)))
    assert (listing.quantity, german.quantity) == (7, 1)
    simulator.settings.shared_quantities = True
    seller.patch("MUG-BLUE", FRANCE, patch(units(8)))
    assert (listing.quantity, german.quantity) == (8, 8)


def test_orders_take_units_and_cancelled_ones_give_them_back(world, listing):
    order = world.place_order("FR", [Line(quantity=3)], status="PENDING")
    assert listing.quantity == 2
    world.pay(order.order_id)
    assert listing.quantity == 2
    world.cancel_units(order.order_id, order.items[0].order_item_id, 1)
    assert listing.quantity == 3
    world.cancel(order.order_id, by="AMAZON", reason="Payment failed")
    assert listing.quantity == 5


def test_what_the_merchant_does_not_have_is_not_given_back(world, listing):
    order = world.place_order("FR", [Line(quantity=3)])
    world.cancel(order.order_id, by="MERCHANT", reason="NoInventory")
    assert listing.quantity == 2
    other = world.place_order("FR", [Line(quantity=1)])
    world.cancel(other.order_id, by="MERCHANT", reason="BuyerCanceled")
    assert listing.quantity == 2


def test_shipped_units_are_gone(world, listing):
    order = world.place_order("FR", [Line(quantity=2)])
    world.ship(order.order_id)
    assert listing.quantity == 3


def test_orders_that_amazon_fulfils_take_amazon_s_units(world, fba):
    world.place_order("FR", [Line(sku="MUG-RED")], fulfilled_by="AMAZON")
    assert fba.channels == {"AMAZON_EU": 8}


def test_an_update_overwrites_the_count(seller, simulator, world, clock, listing):
    """Units ordered between acceptance and effect are sold again: Amazon counts no better."""
    simulator.settings.listing_delay_shortest = simulator.settings.listing_delay_longest = 60
    seller.patch("MUG-BLUE", FRANCE, patch(units(5)))
    world.place_order("FR", [Line(quantity=4)])
    assert listing.quantity == 1
    clock.advance(minutes=1)
    simulator.settle()
    assert listing.quantity == 5


def test_a_merchant_s_quantity_for_an_fba_listing_is_a_violation(seller, world, fba):
    assert seller.patch("MUG-RED", FRANCE, patch(units(4))).json()["status"] == "ACCEPTED"
    [violation] = world.listings.violations
    assert (violation.sku, violation.country, violation.quantity) == ("MUG-RED", "FR", 4)
    assert fba.channels == {"AMAZON_EU": 9, "DEFAULT": 4}
    listed = seller.http.get("/simulator/violations").json()
    assert listed[0]["sku"] == "MUG-RED"


def test_no_violation_where_both_are_wanted_or_it_is_only_a_preview(seller, world, fba):
    seller.patch("MUG-RED", FRANCE, patch(units(4)), mode="VALIDATION_PREVIEW")
    fba.both = True
    seller.patch("MUG-RED", FRANCE, patch(units(4)))
    assert world.listings.violations == []


def test_buyers_buy_what_amazon_offers(world, listing, fba):
    orders = buy(world, 100, seed=3)
    assert not any(each.buyable for each in world.listings)
    sold = {"MERCHANT": 0, "AMAZON": 0}
    for order in orders:
        sold[order.fulfilled_by] += order.items[0].quantity
    assert sold == {"MERCHANT": 5, "AMAZON": 9}
    assert {o.status for o in orders if o.fulfilled_by == "MERCHANT"} == {"PENDING"}


def test_buyers_over_http(seller, world, listing):
    ids = seller.http.post("/simulator/buyers", json={"count": 2, "seed": 1}).json()
    assert len(ids) == 2
    assert listing.quantity < 5
    for bad in ({"count": "2"}, {"count": True}, {"status": "SOLD"}, {"sku": "MUG-BLUE"}):
        assert seller.http.post("/simulator/buyers", json=bad).status_code == 400


def test_listings_over_http(seller, world):
    body = {"sku": "NEW", "country": "FR", "channels": {"AMAZON_EU": 2}}
    assert seller.http.post("/simulator/listings", json=body).status_code == 200
    assert world.listings.get("A1EUROPE", "NEW", "FR").is_fba
    body["channels"] = {"DEFAULT": 2}
    [listed] = seller.http.post("/simulator/listings", json=body).json()
    assert listed["channels"] == {"DEFAULT": 2}
    assert seller.http.get("/simulator/listings").json() == [listed]
    for bad in (
        {"sku": "NEW"},
        body | {"sellerId": "A0NOBODY"},
        body | {"sellerId": "A2OTHERS", "country": "GB"},
        body | {"channels": {"DEFAULT": -1}},
        body | {"quantity": 3},
    ):
        assert seller.http.post("/simulator/listings", json=bad).status_code == 400
    assert seller.http.get("/simulator/listings").json() == [listed]
    bad = {"roles": ["Product listing"]}
    assert seller.http.put("/simulator/missing_roles", json=bad).status_code == 400
    roles = seller.http.put("/simulator/missing_roles", json={"roles": ["Product Listing"]})
    assert roles.json() == ["Product Listing"]
    assert seller.listing("NEW", FRANCE).status_code == 403


def test_the_catalogue_is_listed_in_all_marketplaces(world):
    list_catalogue(world)
    listings = list(world.listings)
    assert len(listings) == 6 * len(CATALOGUE)
    amazons = {each.market.region: set(each.channels) for each in listings if each.is_fba}
    assert amazons == {"eu": {"AMAZON_EU"}, "na": {"AMAZON_NA"}, "fe": {"AMAZON_JP"}}


def test_the_slashes_of_a_sku_are_encoded(seller, world):
    world.listings.add("A1EUROPE", "A/B", "FR")
    headers = {"x-amz-access-token": seller.token}
    url = f"{LISTINGS}/A1EUROPE/A/B?marketplaceIds={FRANCE}"
    assert seller.http.get(url, headers=headers).status_code == 404
    assert seller.listing("A/B", FRANCE).status_code == 200


def test_rates(seller, listing):
    statuses = [seller.patch("MUG-BLUE", FRANCE, patch(units(1))).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    statuses = [seller.listing("MUG-BLUE", FRANCE).status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]
