import gzip
import re
from xml.etree import ElementTree as ET

import pytest
from simulated_seller import XML

from amazon_bridge.simulator import Line

ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<AmazonEnvelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:noNamespaceSchemaLocation="amzn-envelope.xsd">
<Header><DocumentVersion>1.01</DocumentVersion>
<MerchantIdentifier>{seller}</MerchantIdentifier></Header>
<MessageType>OrderAcknowledgement</MessageType>{messages}</AmazonEnvelope>"""


def message(number, order, *, status="Failure", reason="NoInventory", items=None):
    ids = [item.order_item_id for item in order.items] if items is None else items
    lines = "".join(
        f"<Item><AmazonOrderItemCode>{item}</AmazonOrderItemCode>"
        f"<CancelReason>{reason}</CancelReason></Item>"
        for item in ids
    )
    return (
        f"<Message><MessageID>{number}</MessageID><OrderAcknowledgement>"
        f"<AmazonOrderID>{order.order_id}</AmazonOrderID><MerchantOrderID>S00017</MerchantOrderID>"
        f"<StatusCode>{status}</StatusCode>{lines}</OrderAcknowledgement></Message>"
    )


def envelope(*messages, seller="A1EUROPE"):
    return ENVELOPE.format(seller=seller, messages="".join(messages))


def process(seller, clock, content):
    """Submit a feed and wait for its end; the finished feed."""
    feed_id = seller.submit(content)
    clock.advance(minutes=2)
    return seller.feed(feed_id)


def report(seller, feed):
    document = seller.document(feed["resultFeedDocumentId"])
    content = seller.http.get(document["url"]).content
    if document.get("compressionAlgorithm") == "GZIP":
        content = gzip.decompress(content)
    return ET.fromstring(content)


def failures(root):
    return {
        result.findtext("MessageID"): result.findtext("ResultDescription")
        for result in root.iter("Result")
        if result.findtext("ResultCode") == "Error"
    }


def test_a_feed_goes_its_way_by_the_clock(seller, world, clock):
    feed_id = seller.submit(envelope(message(1, world.place_order("FR"))))
    assert seller.feed(feed_id) == {
        "feedId": feed_id,
        "feedType": "POST_ORDER_ACKNOWLEDGEMENT_DATA",
        "marketplaceIds": ["A13V1IB3VIYZZH"],
        "createdTime": "2026-11-20T12:00:00Z",
        "processingStatus": "IN_QUEUE",
    }
    clock.advance(seconds=30)
    assert seller.feed(feed_id)["processingStatus"] == "IN_PROGRESS"
    clock.advance(seconds=60)
    done = seller.feed(feed_id)
    assert done["processingStatus"] == "DONE"
    assert done["processingStartTime"] == "2026-11-20T12:00:30Z"
    assert done["processingEndTime"] == "2026-11-20T12:01:30Z"


def test_a_failure_message_cancels_the_order(seller, world, clock):
    order = world.place_order("FR", [Line(quantity=2), Line(sku="MUG-RED")])
    feed = process(seller, clock, envelope(message(1, order, reason="PricingError")))
    seen = seller.order(order.order_id)
    assert seen["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
    assert seen["lastUpdatedTime"] == "2026-11-20T12:02:00Z"
    assert seen["orderItems"][1]["cancellation"]["cancellationExecution"] == {
        "cancelledBy": "MERCHANT",
        "cancelReason": "PricingError",
    }
    root = report(seller, feed)
    assert root.findtext("MessageType") == "ProcessingReport"
    assert root.findtext("Header/MerchantIdentifier") == "A1EUROPE"
    assert failures(root) == {}
    summary = root.find("Message/ProcessingReport/ProcessingSummary")
    assert [count.text for count in summary] == ["1", "1", "0", "0"]


def test_each_message_is_processed_independently(seller, world, clock):
    good, cancelled, shipped, partly = (world.place_order("FR") for _ in range(4))
    by_amazon = world.place_order("FR", fulfilled_by="AMAZON", status="UNSHIPPED")
    foreign = world.place_order("FR", seller=world.sellers["A2OTHERS"])
    world.cancel(cancelled.order_id)
    world.ship(shipped.order_id)
    orders = [good, cancelled, shipped, by_amazon, foreign]
    messages = [message(number, order) for number, order in enumerate(orders, 1)]
    messages.append(message(6, partly, items=[]))
    messages.append(message(7, partly, reason="Bored"))
    feed = process(seller, clock, envelope(*messages))
    assert feed["processingStatus"] == "DONE"
    root = report(seller, feed)
    assert set(failures(root)) == {"2", "3", "4", "5", "6", "7"}
    assert all(failures(root).values())
    codes = [result.findtext("ResultMessageCode") for result in root.iter("Result")]
    assert all(code.isdecimal() for code in codes)
    summary = root.find("Message/ProcessingReport/ProcessingSummary")
    assert [count.text for count in summary] == ["7", "1", "6", "0"]
    statuses = [world.order(order.order_id).status for order in (good, shipped, partly, foreign)]
    assert statuses == ["CANCELLED", "SHIPPED", "UNSHIPPED", "UNSHIPPED"]


def test_an_order_that_shipped_in_part_is_not_cancelled(seller, world, clock):
    order = world.place_order("FR", [Line(quantity=2)])
    world.ship(order.order_id, world.make_package(order, {order.items[0].order_item_id: 1}))
    root = report(seller, process(seller, clock, envelope(message(1, order))))
    assert "shipped" in failures(root)["1"]
    assert world.order(order.order_id).status == "PARTIALLY_SHIPPED"


def test_a_success_message_changes_nothing(seller, world, clock):
    order = world.place_order("FR")
    feed = process(seller, clock, envelope(message(1, order, status="Success", items=[])))
    assert failures(report(seller, feed)) == {}
    assert world.order(order.order_id) == order


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<CancelReason>NoInventory</CancelReason>", ""),
        ("<StatusCode>Failure</StatusCode>", "<StatusCode>Maybe</StatusCode>"),
        ("<StatusCode>Failure</StatusCode>", ""),
        ("OrderAcknowledgement>", "Acknowledgement>"),
        ("AmazonOrderItemCode>", "ItemCode>"),
    ],
)
def test_a_malformed_message_fails_alone(seller, world, clock, old, new):
    bad, good = world.place_order("FR"), world.place_order("FR")
    assert old in message(1, bad)
    content = envelope(message(1, bad).replace(old, new), message(2, good))
    assert list(failures(report(seller, process(seller, clock, content)))) == ["1"]
    statuses = [world.order(order.order_id).status for order in (bad, good)]
    assert statuses == ["UNSHIPPED", "CANCELLED"]


def test_within_a_message_the_order_of_elements_counts(seller, world, clock):
    order = world.place_order("FR")
    good = message(1, order)
    merchant_order, status = "<MerchantOrderID>S00017</MerchantOrderID>", "<StatusCode>Failure"
    swapped = good.replace(merchant_order, "").replace(
        "</StatusCode>", f"</StatusCode>{merchant_order}"
    )
    assert status in swapped
    root = report(seller, process(seller, clock, envelope(swapped)))
    assert "MerchantOrderID" in failures(root)["1"]
    assert world.order(order.order_id).status == "UNSHIPPED"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("</AmazonEnvelope>", ""),
        ("AmazonEnvelope", "Envelope"),
        ("<MessageType>OrderAcknowledgement</MessageType>", ""),
        (">OrderAcknowledgement</MessageType>", ">OrderFulfillment</MessageType>"),
        ("<DocumentVersion>1.01</DocumentVersion>", ""),
        ("A1EUROPE", "A2OTHERS"),
        ("<Header>", "<Heading>"),
        ("</Header>", "</Heading>"),
        ("Message>", "Letter>"),
        ("<MessageID>2<", "<MessageID>1<"),
        ('encoding="UTF-8"?>', 'encoding="UTF-8"?><!DOCTYPE x [<!ENTITY a "aaaa">]>'),
    ],
)
def test_a_malformed_document_is_fatal(seller, world, clock, old, new):
    orders = [world.place_order("FR") for _ in range(2)]
    content = envelope(*(message(number, order) for number, order in enumerate(orders, 1)))
    assert old in content
    feed = process(seller, clock, content.replace(old, new))
    assert feed["processingStatus"] == "FATAL"
    assert {world.order(order.order_id).status for order in orders} == {"UNSHIPPED"}


def test_a_fatal_feed_may_have_done_some(seller, world, simulator, clock):
    simulator.feeds.fates.append(("FATAL", 1))
    orders = [world.place_order("FR") for _ in range(2)]
    feed = process(seller, clock, envelope(message(1, orders[0]), message(2, orders[1])))
    assert feed["processingStatus"] == "FATAL"
    assert "resultFeedDocumentId" not in feed
    statuses = [world.order(order.order_id).status for order in orders]
    assert statuses == ["CANCELLED", "UNSHIPPED"]


def test_a_cancelled_feed_does_nothing(seller, world, simulator, clock):
    simulator.feeds.fates.append(("CANCELLED", None))
    order = world.place_order("FR")
    assert process(seller, clock, envelope(message(1, order)))["processingStatus"] == "CANCELLED"
    assert world.order(order.order_id).status == "UNSHIPPED"


def test_only_a_feed_in_the_queue_can_be_cancelled(seller, world, clock):
    order = world.place_order("FR")
    waiting, running = (seller.submit(envelope(message(1, order))) for _ in range(2))
    path = "/feeds/2021-06-30/feeds/"
    response = seller.http.delete(path + waiting, headers={"x-amz-access-token": seller.token})
    assert response.status_code == 200
    assert seller.feed(waiting)["processingStatus"] == "CANCELLED"
    clock.advance(seconds=30)
    assert seller.call("cancelFeed", "DELETE", path + running).status_code == 400


def test_the_work_is_done_though_nobody_asks(seller, world, simulator, clock):
    order = world.place_order("FR")
    seller.submit(envelope(message(1, order)))
    clock.advance(minutes=2)
    assert world.order(order.order_id).status == "UNSHIPPED"
    simulator.settle()
    assert world.order(order.order_id).status == "CANCELLED"


def test_results_may_be_compressed(seller, world, simulator, clock):
    simulator.settings.compress_feed_results = True
    feed = process(seller, clock, envelope(message(1, world.place_order("FR"))))
    assert seller.document(feed["resultFeedDocumentId"])["compressionAlgorithm"] == "GZIP"
    assert failures(report(seller, feed)) == {}


def test_urls_live_five_minutes(seller, world, clock):
    document = seller.create_document()
    clock.advance(minutes=5)
    late = seller.http.put(document["url"], content=b"x", headers={"Content-Type": XML})
    assert late.status_code == 403
    assert "expired" in late.text
    feed = process(seller, clock, envelope(message(1, world.place_order("FR"))))
    url = seller.document(feed["resultFeedDocumentId"])["url"]
    clock.advance(minutes=4, seconds=59)
    assert seller.http.get(url).status_code == 200
    clock.advance(seconds=1)
    assert seller.http.get(url).status_code == 403


@pytest.mark.parametrize("content_type", ["text/xml", "text/xml; charset=utf-8"])
def test_the_upload_has_the_content_type_that_was_announced(seller, content_type):
    url = seller.create_document()["url"]
    response = seller.http.put(url, content=b"x", headers={"Content-Type": content_type})
    assert response.status_code == 403
    assert "SignatureDoesNotMatch" in response.text


def test_urls_are_signed(seller, simulator):
    url = seller.create_document()["url"]
    signature = re.search(r"X-Amz-Signature=(\w+)", url)[1]
    assert signature in simulator.world.secrets()
    assert seller.http.get(url.replace(signature, "0")).status_code == 403
    assert seller.http.get(url).status_code == 404


@pytest.mark.parametrize(
    "differences",
    [
        {"feedType": "POST_FLAT_FILE_INVLOADER_DATA"},
        {"feedType": 1},
        {"marketplaceIds": []},
        {"marketplaceIds": ["A13V1IB3VIYZZH"] * 26},
        {"marketplaceIds": ["A1VC38T7YXB528"]},
        {"inputFeedDocumentId": "amzn1.tortuga.unknown"},
    ],
)
def test_a_bad_feed_is_refused(seller, differences):
    document_id = seller.upload(envelope())
    assert seller.create_feed(document_id, **differences).status_code == 400


def test_a_feed_wants_an_uploaded_document_of_ones_own(seller, other_seller):
    empty = seller.create_document()["feedDocumentId"]
    assert seller.create_feed(empty).status_code == 400
    foreign = other_seller.upload(envelope())
    assert seller.create_feed(foreign).status_code == 400


def test_feeds_and_documents_are_their_sellers_own(seller, other_seller, world):
    feed_id = seller.submit(envelope(message(1, world.place_order("FR"))))
    for path, operation in [
        (f"/feeds/2021-06-30/feeds/{feed_id}", "getFeed"),
        (f"/feeds/2021-06-30/documents/{seller.upload('x')}", "getFeedDocument"),
    ]:
        assert other_seller.call(operation, "GET", path).status_code == 404


def test_feeds_are_kept_for_ninety_days(seller, clock):
    feed_id = seller.submit(envelope())
    for days, status in ((90, 200), (1, 404)):
        clock.advance(days=days)
        seller.log_in()
        path = f"/feeds/2021-06-30/feeds/{feed_id}"
        assert seller.call("getFeed", "GET", path).status_code == status


def test_feeds_can_be_listed(seller, other_seller, world):
    ids = [seller.submit(envelope(message(1, world.place_order("FR")))) for _ in range(3)]
    path, kind = "/feeds/2021-06-30/feeds", "POST_ORDER_ACKNOWLEDGEMENT_DATA"

    def listed(who, **query):
        response = who.call("getFeeds", "GET", path, params={"feedTypes": kind} | query)
        return [feed["feedId"] for feed in response.json()["feeds"]]

    assert listed(seller) == ids[::-1]
    assert listed(seller, pageSize=1) == ids[-1:]
    assert listed(seller, processingStatuses="DONE,FATAL") == []
    assert listed(seller, createdSince=world.clock().isoformat()) == ids[::-1]
    assert listed(seller, createdSince="2100-01-01T00:00:00Z") == []
    assert listed(other_seller) == []
    for wrong in ({"pageSize": 101}, {"pageSize": "x"}, {"createdSince": "yesterday"}):
        response = seller.call("getFeeds", "GET", path, params={"feedTypes": kind} | wrong)
        assert response.status_code == 400
    for query in ({}, {"feedTypes": ""}):
        assert seller.call("getFeeds", "GET", path, params=query).status_code == 400


def test_the_advised_pause_is_noted_not_enforced(seller, world, simulator, clock):
    first = seller.submit(envelope(message(1, world.place_order("FR"))))
    clock.advance(minutes=19)
    second = seller.submit(envelope(message(1, world.place_order("FR"))))
    clock.advance(minutes=20)
    third = seller.submit(envelope(message(1, world.place_order("FR"))))
    too_soon = [simulator.feeds.feeds[feed].too_soon for feed in (first, second, third)]
    assert too_soon == [False, True, False]
