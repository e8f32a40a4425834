from datetime import timedelta

import pytest

LONG_AGO = "2026-11-01T00:00:00Z"
FRANCE, GERMANY = "A13V1IB3VIYZZH", "A1PA6795UKMFR9"


def place(world, country="FR", minutes_ago=10.0, **fields):
    moment = world.clock() - timedelta(minutes=minutes_ago)
    return world.place_order(country, created=moment, last_updated=moment, **fields).order_id


def iso(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"createdAfter": LONG_AGO, "lastUpdatedAfter": LONG_AGO},
        {"createdBefore": "2026-11-02T00:00:00Z"},
        {"lastUpdatedBefore": "2026-11-02T00:00:00Z"},
        {"createdAfter": LONG_AGO, "lastUpdatedBefore": "2026-11-02T00:00:00Z"},
        {"lastUpdatedAfter": LONG_AGO, "createdBefore": "2026-11-02T00:00:00Z"},
        {"lastUpdatedAfter": "yesterday"},
        {"lastUpdatedAfter": LONG_AGO, "lastUpdatedBefore": "2026-10-31T00:00:00Z"},
        {"createdAfter": LONG_AGO, "createdBefore": "2026-10-31T00:00:00Z"},
        {"lastUpdatedAfter": LONG_AGO, "lastUpdatedBefore": "2026-11-20T11:58:01Z"},
        {"createdAfter": LONG_AGO, "createdBefore": "2026-11-20T11:58:01Z"},
        {"lastUpdatedAfter": LONG_AGO, "maxResultsPerPage": 0},
        {"lastUpdatedAfter": LONG_AGO, "maxResultsPerPage": 101},
        {"lastUpdatedAfter": LONG_AGO, "maxResultsPerPage": "many"},
        {"lastUpdatedAfter": LONG_AGO, "fulfillmentStatuses": "UNSHIPPED,CANCELED"},
        {"lastUpdatedAfter": LONG_AGO, "fulfilledBy": "POST"},
        {"lastUpdatedAfter": LONG_AGO, "includedData": "BUYER,ADDRESS"},
        {"lastUpdatedAfter": LONG_AGO, "marketplaceIds": ",".join(["A"] * 51)},
        {"lastUpdatedAfter": LONG_AGO, "paginationToken": "made-up"},
    ],
)
def test_bad_parameters_are_refused(seller, query):
    response = seller.search(**query)
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "InvalidInput"


def test_the_instant_two_minutes_ago_is_allowed(seller):
    before = {"lastUpdatedBefore": "2026-11-20T11:58:00Z"}
    assert seller.search(lastUpdatedAfter=LONG_AGO, **before).status_code == 200


def test_responses_have_the_end_of_their_window(seller):
    by_update = seller.search(lastUpdatedAfter=LONG_AGO).json()
    assert by_update == {"orders": [], "lastUpdatedBefore": "2026-11-20T11:58:00Z"}
    by_creation = seller.search(createdAfter=LONG_AGO, createdBefore="2026-11-02T00:00:00Z").json()
    assert by_creation == {"orders": [], "createdBefore": "2026-11-02T00:00:00Z"}


def test_the_window_holds_both_of_its_ends_and_nothing_else(seller, world, clock):
    ids = {minutes: place(world, minutes_ago=minutes) for minutes in (1, 2, 3, 4, 5)}
    window = {
        "lastUpdatedAfter": iso(clock() - timedelta(minutes=4)),
        "lastUpdatedBefore": iso(clock() - timedelta(minutes=3)),
    }
    assert seller.found(**window) == [ids[4], ids[3]]
    assert seller.found() == [ids[5], ids[4], ids[3], ids[2]]


def test_created_and_updated_are_two_windows(seller, world, clock):
    order_id = place(world, minutes_ago=60)
    world.request_cancellation(order_id)
    clock.advance(minutes=5)
    recent = iso(clock() - timedelta(minutes=30))
    assert seller.found(lastUpdatedAfter=recent) == [order_id]
    assert seller.search(createdAfter=recent).json()["orders"] == []


def test_filters_take_lists(seller, world):
    french = place(world, "FR", 9, fulfilled_by="AMAZON")
    german = place(world, "DE", 8)
    cancelled = place(world, "DE", 7, status="CANCELLED")
    assert seller.found(marketplaceIds=f"{FRANCE},{GERMANY}") == [french, german, cancelled]
    assert seller.found(marketplaceIds=GERMANY) == [german, cancelled]
    assert seller.found(fulfillmentStatuses="CANCELLED,SHIPPED") == [french, cancelled]
    assert seller.found(fulfilledBy="AMAZON") == [french]
    assert seller.found(fulfilledBy="MERCHANT,AMAZON") == [french, german, cancelled]


def test_a_seller_sees_only_own_orders_of_own_marketplaces(seller, other_seller, world):
    foreign = place(world, "FR", seller=world.sellers["A2OTHERS"])
    elsewhere = place(world, "JP", seller=world.sellers["A1EUROPE"])
    assert seller.found() == []
    assert other_seller.found() == [foreign]
    for order_id in (foreign, elsewhere):
        assert seller.get_order(order_id).status_code == 404


def test_pages_follow_each_other(seller, world):
    ids = [place(world, minutes_ago=20 - n) for n in range(5)]
    first = seller.search(lastUpdatedAfter=LONG_AGO, maxResultsPerPage=2).json()
    token = first["pagination"]["nextToken"]
    rest = seller.search(lastUpdatedAfter=LONG_AGO, paginationToken=token).json()
    assert "pagination" not in rest
    found = [order["orderId"] for page in (first, rest) for order in page["orders"]]
    assert found == ids


def test_a_page_token_may_be_used_again(seller, world):
    for minutes in (7, 8, 9):
        place(world, minutes_ago=minutes)
    page = seller.search(lastUpdatedAfter=LONG_AGO, maxResultsPerPage=1).json()
    token = page["pagination"]["nextToken"]
    again = [seller.found(lastUpdatedAfter=LONG_AGO, paginationToken=token) for _ in range(2)]
    assert again[0] == again[1]


@pytest.mark.parametrize(
    ("differences", "status"),
    [
        ({"maxResultsPerPage": 3}, 200),
        ({"includedData": "BUYER"}, 200),
        ({"lastUpdatedAfter": "2026-11-02T00:00:00Z"}, 400),
        ({"lastUpdatedBefore": "2026-11-20T11:00:00Z"}, 400),
        ({"fulfilledBy": "MERCHANT"}, 400),
        ({"fulfillmentStatuses": "UNSHIPPED"}, 400),
        ({"marketplaceIds": FRANCE}, 400),
    ],
)
def test_a_page_token_wants_the_same_filters(seller, world, differences, status):
    for minutes in (7, 8, 9):
        place(world, minutes_ago=minutes)
    page = seller.search(lastUpdatedAfter=LONG_AGO, maxResultsPerPage=1).json()
    query = {"lastUpdatedAfter": LONG_AGO, "paginationToken": page["pagination"]["nextToken"]}
    assert seller.search(**query | differences).status_code == status


def test_a_page_token_lives_a_day(seller, world, clock):
    for minutes in (8, 9):
        place(world, minutes_ago=minutes)
    page = seller.search(lastUpdatedAfter=LONG_AGO, maxResultsPerPage=1).json()
    query = {"lastUpdatedAfter": LONG_AGO, "paginationToken": page["pagination"]["nextToken"]}
    clock.advance(hours=23, minutes=59)
    seller.log_in()
    assert seller.search(**query).status_code == 200
    clock.advance(minutes=1)
    assert seller.search(**query).status_code == 400


def test_a_page_token_is_worth_nothing_to_another_seller(seller, other_seller, world):
    for minutes in (8, 9):
        place(world, minutes_ago=minutes)
    page = seller.search(lastUpdatedAfter=LONG_AGO, maxResultsPerPage=1).json()
    query = {"lastUpdatedAfter": LONG_AGO, "paginationToken": page["pagination"]["nextToken"]}
    assert other_seller.search(**query).status_code == 400


@pytest.mark.parametrize(("drifting", "orders_seen"), [(False, 4), (True, 3)])
def test_pages_drift_only_when_requested(seller, world, simulator, drifting, orders_seen):
    simulator.settings.drifting_pages = drifting
    ids = [place(world, minutes_ago=20 - n) for n in range(4)]
    first = seller.search(lastUpdatedAfter=LONG_AGO, maxResultsPerPage=2).json()
    world.request_cancellation(ids[0])
    token = first["pagination"]["nextToken"]
    second = seller.found(lastUpdatedAfter=LONG_AGO, paginationToken=token)
    assert len({order["orderId"] for order in first["orders"]} | set(second)) == orders_seen


def test_drifting_pages_may_show_an_order_twice(seller, world, simulator):
    simulator.settings.drifting_pages = True
    for minutes in (20, 19, 18):
        place(world, minutes_ago=minutes)
    first = seller.search(lastUpdatedAfter=LONG_AGO, maxResultsPerPage=2).json()
    place(world, minutes_ago=30)
    token = first["pagination"]["nextToken"]
    second = seller.found(lastUpdatedAfter=LONG_AGO, paginationToken=token)
    assert second[0] == first["orders"][1]["orderId"]


def test_a_change_may_show_up_late_in_searches(seller, world, simulator, clock):
    simulator.settings.search_delay = 600
    order_id = place(world)
    assert seller.found() == []
    assert seller.order(order_id)["orderId"] == order_id
    clock.advance(minutes=10)
    assert seller.found() == [order_id]
    world.cancel(order_id)
    clock.advance(minutes=5)
    assert seller.found(fulfillmentStatuses="CANCELLED") == []
    assert seller.found(fulfillmentStatuses="UNSHIPPED") == [order_id]
    clock.advance(minutes=5)
    assert seller.found(fulfillmentStatuses="CANCELLED") == [order_id]


def test_orders_may_show_up_twice_and_out_of_order(seller, world, simulator, clock):
    changed, other = place(world, minutes_ago=20), place(world, minutes_ago=10)
    world.cancel(changed)
    clock.advance(minutes=5)
    simulator.settings.repeating_search = True
    shown = seller.search(lastUpdatedAfter=LONG_AGO).json()["orders"]
    statuses = [(o["orderId"], o["fulfillment"]["fulfillmentStatus"]) for o in shown]
    assert statuses == [
        *((other, "UNSHIPPED"), (changed, "CANCELLED")),
        *((changed, "UNSHIPPED"), (other, "UNSHIPPED")),
    ]


def test_a_search_may_fall_back_behind_what_it_has_shown(seller, world, simulator, clock):
    order_id = place(world, minutes_ago=20)
    world.cancel(order_id)
    clock.advance(minutes=5)
    assert seller.found(fulfillmentStatuses="CANCELLED") == [order_id]
    simulator.settings.lagging_search = True
    assert seller.found(fulfillmentStatuses="UNSHIPPED") == [order_id]
    assert seller.found(fulfillmentStatuses="CANCELLED") == []


def test_the_requested_order_must_exist(seller):
    assert seller.get_order("403-1234567-1234567").status_code == 404
    assert seller.get_order("4711").status_code == 400


def test_get_order_knows_its_datasets(seller, world):
    order_id = place(world)
    assert seller.get_order(order_id, "FULFILMENT").status_code == 400
