"""Listings: read, and updated one by one and in feeds."""

import json

import pytest
from amazon_models import validate_request
from seller_desk import SELLER_ID, Desk, is_merchants

from amazon_bridge.amazon import operations
from amazon_bridge.amazon.doctor import examine_listings
from amazon_bridge.amazon.documents import ProcessingStatus
from amazon_bridge.amazon.feeds import MessageResult, MessageStatus
from amazon_bridge.amazon.listings import (
    UPDATES_A_FEED,
    quantities_document,
    read_quantities_report,
)
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.engine.errors import AccountError, ItemError, RateLimited, Transient
from amazon_bridge.model import Listing, QuantityUpdate
from amazon_bridge.simulator import Listing as SimulatedListing
from amazon_bridge.simulator import ManualClock, Simulator, World
from amazon_bridge.simulator.listings_feed import LARGEST
from amazon_bridge.simulator.updates import issue

FRANCE, GERMANY = "A13V1IB3VIYZZH", "A1PA6795UKMFR9"
ACCEPTED, UNKNOWN = MessageResult(MessageStatus.ACCEPTED), MessageResult(MessageStatus.UNKNOWN)


@pytest.fixture
def mug(world: World) -> SimulatedListing:
    return world.listings.add(SELLER_ID, "MUG-BLUE", "FR", {"DEFAULT": 5}, lead_time=2)


@pytest.fixture
def fba(world: World) -> SimulatedListing:
    return world.listings.add(SELLER_ID, "MUG-RED", "FR", {"AMAZON_EU": 9})


# One by one


def test_a_listing(partner: SellingPartner, mug: SimulatedListing) -> None:
    mug.issues = [issue("18027", "The main image has text.", "main_image"), issue("1", "?")]
    mug.issues[1]["severity"] = "WARNING"
    assert partner.listings.get("MUG-BLUE", FRANCE) == Listing(
        sku="MUG-BLUE",
        marketplace_id=FRANCE,
        channels=("DEFAULT",),
        quantity=5,
        product_type="KITCHEN",
        status=("BUYABLE", "DISCOVERABLE"),
        issues=("18027: The main image has text.",),
    )


def test_only_a_positive_statement_proves_who_ships(
    partner: SellingPartner, mug: SimulatedListing, fba: SimulatedListing
) -> None:
    assert is_merchants(partner.listings.get("MUG-BLUE", FRANCE))
    red = partner.listings.get("MUG-RED", FRANCE)
    assert (red.quantity, red.sold_by_amazon, is_merchants(red)) == (None, True, False)
    fba.channels["DEFAULT"] = 1
    both = partner.listings.get("MUG-RED", FRANCE)
    assert (both.quantity, both.sold_by_merchant, is_merchants(both)) == (1, True, False)
    fba.channels.clear()
    assert not is_merchants(partner.listings.get("MUG-RED", FRANCE))


def test_what_amazon_leaves_out_is_unknown(
    partner: SellingPartner, simulator: Simulator, mug: SimulatedListing
) -> None:
    fields = ("fulfillmentAvailability", "summaries", "productTypes", "issues")
    simulator.faults.add("missing_fields", "getListingsItem", fields=fields)
    listing = partner.listings.get("MUG-BLUE", FRANCE)
    assert listing == Listing("MUG-BLUE", FRANCE)
    assert not is_merchants(listing)


def test_a_channel_without_a_code_is_not_overlooked(
    partner: SellingPartner, simulator: Simulator, mug: SimulatedListing
) -> None:
    simulator.faults.add("missing_fields", "getListingsItem", fields=("fulfillmentChannelCode",))
    with pytest.raises(Transient, match=r"model: \S+\.fulfillmentChannelCode is missing\.$"):
        partner.listings.get("MUG-BLUE", FRANCE)


def test_a_listing_that_is_not_there(partner: SellingPartner, mug: SimulatedListing) -> None:
    for sku, place in (("NO-SUCH", FRANCE), ("MUG-BLUE", GERMANY)):
        with pytest.raises(ItemError) as caught:
            partner.listings.get(sku, place)
        assert caught.value.kind == "not_found"
        assert "Seller Central" in caught.value.remedy


def test_another_listing_than_the_requested_one(
    partner: SellingPartner, simulator: Simulator
) -> None:
    simulator.faults.add("response", "getListingsItem", body='{"sku": "OTHER"}')
    with pytest.raises(Transient, match="another listing"):
        partner.listings.get("MUG-BLUE", FRANCE)


def test_an_update_keeps_the_handling_time(
    partner: SellingPartner, simulator: Simulator, mug: SimulatedListing
) -> None:
    assert partner.listings.set_quantity(QuantityUpdate("MUG-BLUE", 7), FRANCE) == ()
    assert (mug.quantity, mug.lead_time) == (7, 2)
    partner.listings.set_quantity(QuantityUpdate("MUG-BLUE", 8, "KITCHEN", 4), FRANCE)
    assert (mug.quantity, mug.lead_time) == (8, 4)
    for request in simulator.received("patchListingsItem"):
        validate_request("patchListingsItem", body=json.loads(request.body), query=request.query)


def test_a_refused_update_has_amazon_s_reason(
    partner: SellingPartner, mug: SimulatedListing
) -> None:
    mug.refusal = "You need approval to list this product."
    with pytest.raises(ItemError, match="need approval to list") as caught:
        partner.listings.set_quantity(QuantityUpdate("MUG-BLUE", 7), FRANCE)
    assert caught.value.kind == "stock_refused"
    assert mug.quantity == 5


@pytest.mark.parametrize("status", ["ACCEPTED", "INVALID"])
def test_an_error_is_a_refusal_whatever_the_status(
    partner: SellingPartner, simulator: Simulator, status: str
) -> None:
    issues = [issue("8572", "No."), issue("1", "By the way.", severity="WARNING")]
    response = {"sku": "MUG-BLUE", "status": status, "submissionId": "1", "issues": issues}
    simulator.faults.add("response", "patchListingsItem", body=json.dumps(response))
    with pytest.raises(ItemError, match="refused the quantity: 8572: No"):
        partner.listings.set_quantity(QuantityUpdate("MUG-BLUE", 7), FRANCE)


def test_warnings_are_returned(partner: SellingPartner, simulator: Simulator) -> None:
    issues = [issue("1", "By the way.", severity="WARNING")]
    response = {"sku": "MUG-BLUE", "status": "ACCEPTED", "submissionId": "1", "issues": issues}
    simulator.faults.add("response", "patchListingsItem", body=json.dumps(response))
    assert partner.listings.set_quantity(QuantityUpdate("MUG-BLUE", 7), FRANCE) == (
        "1: By the way.",
    )


def test_an_unknown_status_is_no_success(partner: SellingPartner, simulator: Simulator) -> None:
    response = '{"sku": "MUG-BLUE", "status": "VALID", "submissionId": "1"}'
    simulator.faults.add("response", "patchListingsItem", body=response)
    with pytest.raises(Transient, match=r"VALID \(expected ACCEPTED\)") as caught:
        partner.listings.set_quantity(QuantityUpdate("MUG-BLUE", 7), FRANCE)
    assert caught.value.maybe_done


def test_a_bad_request_concerns_the_one_sku(partner: SellingPartner, simulator: Simulator) -> None:
    simulator.faults.add("400", "patchListingsItem", body="Bad SKU")
    with pytest.raises(ItemError) as caught:
        partner.listings.set_quantity(QuantityUpdate("MUG-BLUE", 7), FRANCE)
    assert caught.value.kind == "stock_refused"


def test_an_update_without_a_response_may_be_done(
    partner: SellingPartner, simulator: Simulator, mug: SimulatedListing
) -> None:
    simulator.faults.add("reset", "patchListingsItem", after_work=True)
    with pytest.raises(Transient) as caught:
        partner.listings.set_quantity(QuantityUpdate("MUG-BLUE", 7), FRANCE)
    assert caught.value.maybe_done
    assert len(simulator.received("patchListingsItem")) == 1, "a write is not repeated"
    assert mug.quantity == 7


def test_updates_keep_amazon_s_pace(
    partner: SellingPartner, simulator: Simulator, desk: Desk, mug: SimulatedListing
) -> None:
    simulator.limits.plans.clear()
    for quantity in range(25):
        partner.listings.set_quantity(QuantityUpdate("MUG-BLUE", quantity), FRANCE)
    assert sum(desk.throttle_sleeper.slept) == pytest.approx(4)  # five at once, then five a second


def test_a_missing_role_is_named(
    partner: SellingPartner, simulator: Simulator, clock: ManualClock
) -> None:
    assert all(finding.ok for finding in examine_listings(partner, clock()))
    simulator.missing_roles = {"Product Listing"}
    with pytest.raises(AccountError):
        partner.listings.set_quantity(QuantityUpdate("MUG-BLUE", 7), FRANCE)
    listings, feeds = examine_listings(partner, clock())
    assert (listings.ok, feeds.ok) == (False, True)
    assert "Product Listing" in listings.remedy


def test_a_refused_listing_is_a_finding(
    partner: SellingPartner, simulator: Simulator, clock: ManualClock
) -> None:
    simulator.faults.add("400", "getListingsItem", body="Bad marketplace")
    listings, feeds = examine_listings(partner, clock())
    assert (listings.ok, feeds.ok) == (False, True)
    assert "Bad marketplace" in listings.what


# In a feed


@pytest.mark.parametrize("compressed", [True, False])
def test_from_a_feed_to_its_result(
    partner: SellingPartner,
    simulator: Simulator,
    clock: ManualClock,
    mug: SimulatedListing,
    *,
    compressed: bool,
) -> None:
    simulator.settings.compress_feed_results = compressed
    skus = ["NO-SUCH", "MUG-BLUE"]
    begun = clock()
    feed_id = partner.listings.submit_quantities([QuantityUpdate(s, 7) for s in skus], FRANCE)
    assert partner.listings.is_any_feed_pending(begun)
    assert not partner.is_cancelling(begun)
    clock.advance(minutes=2)
    state = partner.feed_state(feed_id)
    assert state.status is ProcessingStatus.DONE
    assert not partner.listings.is_any_feed_pending(begun)
    results = partner.listings.result(state.result_document_id or "", skus)
    assert results["NO-SUCH"].status is MessageStatus.REFUSED
    assert results["NO-SUCH"].reason.startswith("13013: The SKU does not match")
    assert results["MUG-BLUE"] == ACCEPTED
    assert (mug.quantity, mug.lead_time) == (7, 2)
    [created] = simulator.received("createFeed")
    assert json.loads(created.body)["marketplaceIds"] == [FRANCE]


def test_five_feeds_in_five_minutes(
    partner: SellingPartner, simulator: Simulator, mug: SimulatedListing
) -> None:
    for _ in range(5):
        partner.listings.submit_quantities([QuantityUpdate("MUG-BLUE", 7)], FRANCE)
    with pytest.raises(RateLimited, match="JSON_LISTINGS_FEED"):
        partner.listings.submit_quantities([QuantityUpdate("MUG-BLUE", 7)], FRANCE)
    assert len(simulator.received("createFeedDocument")) == 5, "nothing was uploaded in vain"
    assert {request.status for request in simulator.received("createFeed")} == {202}


def test_the_longest_feed_is_below_amazon_s_limits() -> None:
    updates = [
        QuantityUpdate(f"{number:05d}{'漢' * 35}", 2**31 - 1, "X" * 60, 30)
        for number in range(UPDATES_A_FEED)
    ]
    document = quantities_document(SELLER_ID, updates)
    assert len(document) < LARGEST
    assert UPDATES_A_FEED <= 25_000


def report(*issues: dict[str, object], processed: int = 3, invalid: int | None = None) -> bytes:
    count = len(issues) if invalid is None else invalid
    summary = {"messagesProcessed": processed, "messagesInvalid": count}
    return json.dumps({"issues": issues, "summary": summary}).encode()


def error(number: int | None = None, **more: object) -> dict[str, object]:
    numbered = {} if number is None else {"messageId": number}
    return {"severity": "ERROR", "code": "90220", "message": "No."} | numbered | more


REFUSED = MessageResult(MessageStatus.REFUSED, "90220: No.")


@pytest.mark.parametrize(
    ("document", "results"),
    [
        (report(), [ACCEPTED] * 3),
        (report(error(2)), [ACCEPTED, REFUSED, ACCEPTED]),
        (report(error(2), error(2, message="Nor so."), invalid=1), [ACCEPTED, REFUSED, ACCEPTED]),
        (report(error(sku="C")), [ACCEPTED, ACCEPTED, REFUSED]),
        (report(error(1, severity="WARNING"), invalid=0), [ACCEPTED] * 3),
        (report(error()), [UNKNOWN] * 3),
        (report(error(9)), [UNKNOWN] * 3),
        (report(processed=2), [UNKNOWN] * 3),
        (report(error(1), invalid=2), [REFUSED, UNKNOWN, UNKNOWN]),
        (b"{}", [UNKNOWN] * 3),
    ],
)
def test_what_a_processing_report_says(document: bytes, results: list[MessageResult]) -> None:
    assert list(read_quantities_report(document, "ABC").values()) == results


@pytest.mark.parametrize("document", [b"", b"<xml/>", b"[]", b'{"issues": {}}'])
def test_what_is_no_processing_report(document: bytes) -> None:
    with pytest.raises(Transient, match="not a processing report"):
        read_quantities_report(document, "ABC")


def test_the_limit_of_listings_feeds_is_amazon_s() -> None:
    limit = operations.LIMITS[operations.LISTINGS_FEED]
    assert (limit.rate * 300, limit.burst) == (5, 5)
