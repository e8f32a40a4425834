"""Listings feeds and the report of all listings, by the clock and by Amazon's schemas."""

import gzip
import json
from importlib import resources

import pytest
from jsonschema import Draft7Validator

from amazon_bridge.simulator.listings_feed import LARGEST
from amazon_bridge.simulator.listings_report import COLUMNS, REPORT_TYPE

FRANCE, GERMANY = "A13V1IB3VIYZZH", "A1PA6795UKMFR9"
JSON = "application/json; charset=UTF-8"
PATH = "/attributes/fulfillment_availability"
UNITS = {"fulfillment_channel_code": "DEFAULT", "quantity": 7}
REPORTS = "/reports/2021-06-30"
_SCHEMAS = resources.files("amazon_bridge.simulator").joinpath("schemas")
REPORT_SCHEMA = json.loads(
    _SCHEMAS.joinpath("listings-feed-processing-report-schema-v2.json").read_text("utf-8")
)


@pytest.fixture
def mug(world):
    return world.listings.add("A1EUROPE", "MUG-BLUE", "FR", {"DEFAULT": 5}, lead_time=2)


@pytest.fixture
def fba(world):
    return world.listings.add("A1EUROPE", "MUG-RED", "FR", {"AMAZON_EU": 9})


def message(number, sku, quantity, **changed):
    value = [{"fulfillment_channel_code": "DEFAULT", "quantity": quantity}]
    patch = {"op": "merge", "path": "/attributes/fulfillment_availability", "value": value}
    return {
        "messageId": number,
        "sku": sku,
        "operationType": "PATCH",
        "productType": "PRODUCT",
        "patches": [patch],
    } | changed


def feed(*messages, **header):
    header = {"sellerId": "A1EUROPE", "version": "2.0", "issueLocale": "en_US"} | header
    return json.dumps({"header": header, "messages": messages})


def submit(seller, content, places=(FRANCE,)):
    document = seller.upload(content, JSON)
    return seller.create_feed(document, feedType="JSON_LISTINGS_FEED", marketplaceIds=list(places))


def submitted(seller, *messages, **header):
    return submit(seller, feed(*messages, **header)).json()["feedId"]


def result(seller, feed_id):
    found = seller.feed(feed_id)
    assert found["processingStatus"] == "DONE"
    document = seller.document(found["resultFeedDocumentId"])
    content = seller.http.get(document["url"]).content
    packed = document.get("compressionAlgorithm") == "GZIP"
    report = json.loads(gzip.decompress(content) if packed else content)
    Draft7Validator(REPORT_SCHEMA).validate(report)
    assert report["header"]["feedId"] == feed_id
    return report


@pytest.mark.parametrize("compressed", [True, False])
def test_a_feed_updates_message_by_message(seller, simulator, clock, mug, compressed):
    simulator.settings.compress_feed_results = compressed
    feed_id = submitted(
        seller,
        message(1, "MUG-BLUE", 7),
        message(2, "NO-SUCH", 1),
        message(3, "MUG-BLUE", -1),
        message(4, "MUG-BLUE", 1, operationType="PATCH", patches=[]),
        message(5, "MUG-BLUE", 1, colour="red"),
    )
    assert mug.quantity == 5
    clock.advance(minutes=2)
    report = result(seller, feed_id)
    assert {issue["messageId"] for issue in report["issues"]} == {2, 3, 4, 5}
    assert report["summary"] == {
        "errors": 4,
        "warnings": 0,
        "messagesProcessed": 5,
        "messagesAccepted": 1,
        "messagesInvalid": 4,
    }
    assert (mug.quantity, mug.lead_time) == (7, 2)


@pytest.mark.parametrize(
    "changed",
    [
        {"sku": ""},
        {"operationType": "MERGE"},
        {"productType": ""},
        {"patches": []},
        {"attributes": {"a": 1}},
        {"requirements": "LISTING"},
        {"patches": [{"op": "move", "path": PATH, "value": [UNITS]}]},
        {"patches": [{"op": "merge", "value": [UNITS]}]},
        {"patches": [{"op": "merge", "path": "/attributes/price", "value": [UNITS]}]},
        {"patches": [{"op": "merge", "path": PATH, "value": UNITS}]},
        {"patches": [{"op": "merge", "path": PATH, "value": ["DEFAULT"]}]},
        {"patches": [{"op": "merge", "path": PATH, "value": [UNITS], "from": PATH}]},
    ],
)
def test_a_message_of_another_form_is_refused(seller, clock, mug, changed):
    feed_id = submitted(seller, message(1, "MUG-BLUE", 7) | changed)
    clock.advance(minutes=2)
    report = result(seller, feed_id)
    assert {issue["messageId"] for issue in report["issues"]} == {1}
    assert report["summary"]["messagesInvalid"] == 1
    assert mug.quantity == 5


def test_a_feed_takes_effect_after_its_processing(seller, simulator, clock, mug):
    simulator.settings.listing_delay_shortest = simulator.settings.listing_delay_longest = 300
    feed_id = submitted(seller, message(1, "MUG-BLUE", 7))
    clock.advance(minutes=2)
    assert result(seller, feed_id)["summary"]["messagesAccepted"] == 1
    assert mug.quantity == 5
    clock.advance(minutes=5)
    simulator.settle()
    assert mug.quantity == 7


def test_a_feed_counts_violations(seller, simulator, clock, fba):
    submitted(seller, message(1, "MUG-RED", 7))
    clock.advance(minutes=2)
    simulator.settle()
    assert [v.sku for v in simulator.world.listings.violations] == ["MUG-RED"]


@pytest.mark.parametrize(
    "content",
    [
        "<xml/>",
        feed(),
        feed(message(1, "MUG-BLUE", 7), sellerId="A2OTHERS"),
        feed(message(1, "MUG-BLUE", 7), version="1.0"),
        feed(message(1, "MUG-BLUE", 7), MarketplaceId=FRANCE),
        feed(message(1, "MUG-BLUE", 7)).replace('"messageId": 1', '"messageId": "1"'),
        feed("MUG-BLUE"),
        feed(message(1, "MUG-BLUE", 7), message(1, "MUG-BLUE", 8)),
        json.dumps({"messages": [message(1, "MUG-BLUE", 7)]}),
        feed(message(1, "MUG-BLUE", 7)) + " " * LARGEST,
        feed(*(message(number, "MUG-BLUE", 7) for number in range(1, 25_002))),
    ],
    ids=[
        "xml",
        "empty",
        "other",
        "version",
        "unknown",
        "text",
        "no object",
        "twice",
        "header",
        "large",
        "many",
    ],
)
def test_a_feed_that_can_not_be_read_is_fatal(seller, clock, mug, content):
    feed_id = submit(seller, content).json()["feedId"]
    clock.advance(minutes=2)
    assert seller.feed(feed_id)["processingStatus"] == "FATAL"
    assert mug.quantity == 5


def test_a_feed_of_another_content_type_is_fatal(seller, clock, mug):
    document = seller.upload(feed(message(1, "MUG-BLUE", 7)), "text/plain")
    created = seller.create_feed(document, feedType="JSON_LISTINGS_FEED").json()
    clock.advance(minutes=2)
    assert seller.feed(created["feedId"])["processingStatus"] == "FATAL"
    assert mug.quantity == 5


@pytest.mark.parametrize(("fate", "quantity"), [("FATAL", 7), ("CANCELLED", 5)])
def test_a_feed_may_break_off(seller, simulator, clock, mug, fate, quantity):  # noqa: PLR0917
    other = simulator.world.listings.add("A1EUROPE", "TEAPOT-08", "FR", {"DEFAULT": 1})
    simulator.feeds.fates.append((fate, 1))
    feed_id = submitted(seller, message(1, "MUG-BLUE", 7), message(2, "TEAPOT-08", 7))
    clock.advance(minutes=2)
    found = seller.feed(feed_id)
    assert found["processingStatus"] == fate
    assert "resultFeedDocumentId" not in found
    assert (mug.quantity, other.quantity) == (quantity, 1)


def test_a_stuck_feed_is_processed_after_hours_and_overwrites(seller, simulator, clock, mug):
    assert seller.http.post("/simulator/feed_fates", json={"status": "STUCK"}).status_code == 200
    feed_id = submitted(seller, message(1, "MUG-BLUE", 7))
    clock.advance(hours=2)
    seller.log_in()
    assert seller.feed(feed_id)["processingStatus"] == "IN_PROGRESS"
    mug.channels["DEFAULT"] = 0
    clock.advance(hours=2)
    seller.log_in()
    assert result(seller, feed_id)["summary"]["messagesAccepted"] == 1
    assert mug.quantity == 7


def test_a_share_of_the_feeds_gets_stuck(seller, simulator, clock, mug):
    simulator.limits.plans.clear()
    simulator.settings.stuck_feeds = 0.5
    ids = [submitted(seller, message(1, "MUG-BLUE", 7)) for _ in range(20)]
    clock.advance(minutes=2)
    done = [seller.feed(each)["processingStatus"] == "DONE" for each in ids]
    assert 4 <= sum(done) <= 16


def test_five_feeds_in_five_minutes(seller, clock, mug):
    statuses = [submit(seller, feed(message(1, "MUG-BLUE", 7))).status_code for _ in range(6)]
    assert statuses == [202] * 5 + [429]
    clock.advance(minutes=1)
    assert submit(seller, feed(message(1, "MUG-BLUE", 7))).status_code == 202


# The report


def text_of_report(seller, clock, charset="cp1252", place=FRANCE):
    body = {"reportType": REPORT_TYPE, "marketplaceIds": [place]}
    created = seller.call("createReport", "POST", f"{REPORTS}/reports", json=body).json()
    clock.advance(minutes=2)
    path = f"{REPORTS}/reports/{created['reportId']}"
    report = seller.call("getReport", "GET", path).json()
    if report["processingStatus"] == "CANCELLED":
        return None
    path = f"{REPORTS}/documents/{report['reportDocumentId']}"
    url = seller.call("getReportDocument", "GET", path).json()["url"]
    return gzip.decompress(seller.http.get(url).content).decode(charset)


def test_the_report_has_all_listings_of_one_marketplace(seller, world, clock, mug, fba):
    world.listings.add("A1EUROPE", "TEAPOT-08", "DE", {"DEFAULT": 1})
    world.listings.add("A2OTHERS", "KETTLE-17", "FR", {"DEFAULT": 1})
    mug.channels["DEFAULT"] = 0
    heading, *rows = text_of_report(seller, clock).splitlines()
    assert heading.split("\t") == list(COLUMNS)
    read = [dict(zip(COLUMNS, row.split("\t"), strict=True)) for row in rows]
    wanted = ("seller-sku", "quantity", "fulfillment-channel", "status")
    assert [[row[name] for name in wanted] for row in read] == [
        ["MUG-BLUE", "0", "DEFAULT", "Inactive"],
        ["MUG-RED", "", "AMAZON_EU", "Active"],
    ]


def test_a_report_may_repeat_the_contents_of_the_one_before(seller, simulator, clock, mug):
    simulator.settings.listings_report_age = 3600
    first = text_of_report(seller, clock)
    mug.channels["DEFAULT"] = 0
    assert text_of_report(seller, clock) == first
    clock.advance(minutes=58)
    seller.log_in()
    assert text_of_report(seller, clock) != first


@pytest.mark.parametrize(
    ("country", "place", "charset", "title"),
    [
        ("FR", FRANCE, "cp1252", "Tasse émaillée ?"),
        ("US", "ATVPDKIKX0DER", "UTF-8", "Tasse émaillée 漢"),
        ("JP", "A1VC38T7YXB528", "shift_jis", "Tasse ?maill?e 漢"),
    ],
)
def test_the_report_has_the_charset_of_its_marketplace(  # noqa: PLR0917
    other_seller, world, clock, country, place, charset, title
):
    world.listings.add("A2OTHERS", "MUG-BLUE", country, title="Tasse émaillée 漢")
    _, row = text_of_report(other_seller, clock, charset, place).splitlines()
    assert row.partition("\t")[0] == title


def test_without_listings_there_is_no_report(seller, clock):
    assert text_of_report(seller, clock) is None
