"""Searches for listings: filters, sequence, pages."""

import pytest
from simulated_seller import LISTINGS

FRANCE, GERMANY = "A13V1IB3VIYZZH", "A1PA6795UKMFR9"


@pytest.fixture
def listing(world):
    return world.listings.add("A1EUROPE", "MUG-BLUE", "FR", {"DEFAULT": 5}, lead_time=2)


@pytest.fixture
def fba(world):
    return world.listings.add("A1EUROPE", "MUG-RED", "FR", {"AMAZON_EU": 9})


def test_a_search_stops_at_a_thousand(seller, simulator, world):
    simulator.limits.plans.clear()
    for number in range(1005):
        world.listings.add("A1EUROPE", f"SKU-{number}", "FR", {"DEFAULT": number})
    path = f"{LISTINGS}/A1EUROPE"
    query = {"marketplaceIds": FRANCE, "pageSize": 20, "includedData": "fulfillmentAvailability"}
    found, token = [], None
    while True:
        more = {"pageToken": token} if token else {}
        page = seller.call("searchListingsItems", "GET", path, params=query | more).json()
        assert page["numberOfResults"] == 1005
        found += [item["sku"] for item in page["items"]]
        token = page.get("pagination", {}).get("nextToken")
        if token is None:
            break
    assert len(set(found)) == len(found) == 1000


@pytest.mark.parametrize(
    "query",
    [
        {"marketplaceIds": f"{FRANCE},{GERMANY}"},
        {"identifiersType": "SKU"},
        {"identifiers": "A", "identifiersType": "SKU", "variationParentSku": "B"},
        {"variationParentSku": "B", "packageHierarchySku": "C"},
        {"pageSize": "0"},
        {"pageSize": "-1"},
        {"pageToken": "guessed"},
    ],
)
def test_a_search_that_amazon_excludes_is_refused(seller, listing, query):
    path = f"{LISTINGS}/A1EUROPE"
    response = seller.call(
        "searchListingsItems", "GET", path, params={"marketplaceIds": FRANCE} | query
    )
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "InvalidInput"


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ({}, ["MUG-RED", "MUG-BLUE"]),
        ({"sortBy": "sku", "sortOrder": "ASC"}, ["MUG-BLUE", "MUG-RED"]),
        ({"withStatus": "BUYABLE"}, ["MUG-RED"]),
        ({"withoutStatus": "BUYABLE"}, ["MUG-BLUE"]),
        ({"withIssueSeverity": "ERROR"}, ["MUG-BLUE"]),
        ({"createdAfter": "2026-11-20T12:00:01Z"}, ["MUG-RED"]),
        ({"lastUpdatedBefore": "2026-11-20T12:00:01Z"}, ["MUG-BLUE"]),
        ({"variationParentSku": "MUG"}, []),
    ],
)
def test_a_search_by_filters(seller, world, clock, listing, query, skus):  # noqa: PLR0917
    listing.channels["DEFAULT"] = 0
    listing.issues.append({"code": "1", "message": "m", "severity": "ERROR", "categories": []})
    clock.advance(minutes=1)
    world.listings.add("A1EUROPE", "MUG-RED", "FR", {"AMAZON_EU": 9})
    query["marketplaceIds"] = FRANCE
    found = seller.call("searchListingsItems", "GET", f"{LISTINGS}/A1EUROPE", params=query)
    assert [item["sku"] for item in found.json()["items"]] == skus


def test_a_page_token_is_the_seller_s_and_keeps_its_parameters(seller, other_seller, world):
    for owner in ("A1EUROPE", "A2OTHERS"):
        for number in range(11):
            world.listings.add(owner, f"SKU-{number}", "FR")
    pages = {}
    for each in (seller, other_seller):
        path = f"{LISTINGS}/{each.seller.seller_id}"
        query = {"marketplaceIds": FRANCE}
        first = each.call("searchListingsItems", "GET", path, params=query).json()
        pages[each] = path, query | {"pageToken": first["pagination"]["nextToken"]}
    path, query = pages[seller]
    for bad in (query | {"pageSize": "5"}, pages[other_seller][1]):
        assert seller.call("searchListingsItems", "GET", path, params=bad).status_code == 400
    assert len(seller.call("searchListingsItems", "GET", path, params=query).json()["items"]) == 1


def test_a_search_by_sku(seller, listing, fba):
    path, query = f"{LISTINGS}/A1EUROPE", {"marketplaceIds": FRANCE, "identifiers": "MUG-RED"}
    assert seller.call("searchListingsItems", "GET", path, params=query).status_code == 400
    query["identifiersType"] = "SKU"
    response = seller.call("searchListingsItems", "GET", path, params=query).json()
    assert [item["sku"] for item in response["items"]] == ["MUG-RED"]
    bad = query | {"pageToken": "guessed"}
    assert seller.call("searchListingsItems", "GET", path, params=bad).status_code == 400
