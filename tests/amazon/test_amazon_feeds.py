"""Cancellations: the document out, the feed's life, the report back."""

import gzip
import json
import time
import tracemalloc
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest

from amazon_bridge.amazon.cancellations import cancellation_document, read_report
from amazon_bridge.amazon.documents import ProcessingStatus
from amazon_bridge.amazon.feeds import MessageResult, MessageStatus
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.engine.errors import ConfigError, ItemError, Transient
from amazon_bridge.model import Cancellation
from amazon_bridge.simulator import ManualClock, Simulator, World
from amazon_bridge.simulator import Order as Placed

ACCEPTED, UNKNOWN = (
    MessageResult(MessageStatus.ACCEPTED),
    MessageResult(MessageStatus.UNKNOWN),
)


def cancellation(order: Placed, reason: str = "NoInventory") -> Cancellation:
    items = tuple(item.order_item_id for item in order.items)
    return Cancellation(order.order_id, "S00042", items, reason)


def result(number: str, code: str = "Error", description: str = "Too late.") -> str:
    return (
        f"<Result><MessageID>{number}</MessageID><ResultCode>{code}</ResultCode>"
        f"<ResultMessageCode>18028</ResultMessageCode>"
        f"<ResultDescription>{description}</ResultDescription></Result>"
    )


def report(*results: str, processed: int = 3, failed: int | None = None) -> bytes:
    errors = sum("<ResultCode>Error" in r for r in results) if failed is None else failed
    return (
        "<?xml version='1.0' encoding='UTF-8'?><AmazonEnvelope><Header/><Message>"
        "<MessageID>1</MessageID><ProcessingReport><StatusCode>Complete</StatusCode>"
        f"<ProcessingSummary><MessagesProcessed>{processed}</MessagesProcessed>"
        f"<MessagesWithError>{errors}</MessagesWithError></ProcessingSummary>"
        f"{''.join(results)}</ProcessingReport></Message></AmazonEnvelope>"
    ).encode()


def outcomes(document: bytes, orders: Sequence[str] = ("A", "B", "C")) -> list[MessageStatus]:
    read = read_report(document, orders)
    assert list(read) == list(orders)
    return [each.status for each in read.values()]


@pytest.fixture(params=["plain", "compressed"])
def storage(request: pytest.FixtureRequest, simulator: Simulator) -> None:
    """How Amazon keeps the results."""
    simulator.settings.compress_feed_results = request.param == "compressed"


def test_the_document_has_its_elements_in_amazon_s_order() -> None:
    document = cancellation_document(
        "A1EUROPE", [Cancellation("403-1", "S<1> & \x02co", ("51", "52"), "BuyerCanceled")]
    )
    assert document.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
    root = ET.fromstring(document)
    assert [(e.tag, (e.text or "").strip()) for e in root.iter()] == [
        ("AmazonEnvelope", ""),
        ("Header", ""),
        ("DocumentVersion", "1.01"),
        ("MerchantIdentifier", "A1EUROPE"),
        ("MessageType", "OrderAcknowledgement"),
        ("Message", ""),
        ("MessageID", "1"),
        ("OrderAcknowledgement", ""),
        ("AmazonOrderID", "403-1"),
        ("MerchantOrderID", "S<1> & co"),
        ("StatusCode", "Failure"),
        ("Item", ""),
        ("AmazonOrderItemCode", "51"),
        ("CancelReason", "BuyerCanceled"),
        ("Item", ""),
        ("AmazonOrderItemCode", "52"),
        ("CancelReason", "BuyerCanceled"),
    ]


@pytest.mark.usefixtures("storage")
def test_from_submission_to_result(
    partner: SellingPartner, world: World, clock: ManualClock
) -> None:
    good, shipped = world.place_order(), world.place_order()
    world.ship(shipped.order_id)
    feed_id = partner.submit_cancellations([cancellation(good), cancellation(shipped)])
    assert partner.feed_state(feed_id).status is ProcessingStatus.IN_QUEUE
    clock.advance(seconds=45)
    assert partner.feed_state(feed_id).status is ProcessingStatus.IN_PROGRESS
    clock.advance(minutes=2)
    state = partner.feed_state(feed_id)
    assert state.status is ProcessingStatus.DONE
    assert state.result_document_id
    found = partner.feed_result(state.result_document_id, [good.order_id, shipped.order_id])
    assert found[good.order_id] == ACCEPTED
    assert found[shipped.order_id].status is MessageStatus.REFUSED
    assert found[shipped.order_id].reason.startswith("18028: ")
    assert world.order(good.order_id).status == "CANCELLED"
    assert world.order(shipped.order_id).status == "SHIPPED"


def test_the_requests_hold_what_amazon_documents_and_no_more(
    partner: SellingPartner, world: World, simulator: Simulator
) -> None:
    partner.submit_cancellations([cancellation(world.place_order())])
    [document] = simulator.received("createFeedDocument")
    [upload] = simulator.received("upload")
    [feed] = simulator.received("createFeed")
    assert json.loads(document.body) == {"contentType": "text/xml; charset=UTF-8"}
    assert upload.content_type == "text/xml; charset=UTF-8"
    body = json.loads(feed.body)
    assert body.pop("inputFeedDocumentId") in upload.path
    assert body == {
        "feedType": "POST_ORDER_ACKNOWLEDGEMENT_DATA",
        "marketplaceIds": ["A13V1IB3VIYZZH", "A1PA6795UKMFR9"],
    }


@pytest.mark.parametrize("fate", ["FATAL", "CANCELLED"])
def test_feeds_that_come_to_nothing(
    fate: str,
    partner: SellingPartner,
    world: World,
    clock: ManualClock,
    simulator: Simulator,
) -> None:
    simulator.feeds.fates.append((fate, 0))
    feed_id = partner.submit_cancellations([cancellation(world.place_order())])
    clock.advance(minutes=5)
    state = partner.feed_state(feed_id)
    assert state.status == fate
    assert state.status.final
    assert state.result_document_id is None


def test_feeds_and_results_that_are_gone(partner: SellingPartner) -> None:
    for ask in (
        lambda: partner.feed_state("1"),
        lambda: partner.feed_result("amzn1.tortuga.gone", ["403-1"]),
    ):
        with pytest.raises(ItemError) as caught:
            ask()
        assert caught.value.kind == "not_found"


@pytest.mark.parametrize("kind", ["403", "502", "reset", "400"])
def test_a_document_that_does_not_arrive_makes_no_feed(
    kind: str, partner: SellingPartner, world: World, simulator: Simulator
) -> None:
    simulator.faults.add(kind, "upload")
    with pytest.raises(Transient, match="feed document") as caught:
        partner.submit_cancellations([cancellation(world.place_order())])
    assert simulator.received("createFeed") == []
    assert not caught.value.maybe_done
    assert simulator.url not in str(caught.value)


def test_a_feed_whose_response_was_lost_may_be_there(
    partner: SellingPartner, world: World, simulator: Simulator
) -> None:
    simulator.faults.add("reset", "createFeed", after_work=True)
    with pytest.raises(Transient) as caught:
        partner.submit_cancellations([cancellation(world.place_order())])
    assert caught.value.maybe_done
    assert len(simulator.feeds.feeds) == 1


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("kind", ["502", "reset", "truncated", "not_json"])
def test_a_result_that_does_not_arrive_whole_is_no_result(
    kind: str, partner: SellingPartner, world: World, clock: ManualClock, simulator: Simulator
) -> None:
    order = world.place_order()
    feed_id = partner.submit_cancellations([cancellation(order)])
    clock.advance(minutes=5)
    document_id = partner.feed_state(feed_id).result_document_id or ""
    simulator.faults.add(kind, "download")
    with pytest.raises(Transient):
        partner.feed_result(document_id, [order.order_id])
    assert partner.feed_result(document_id, [order.order_id])[order.order_id] == ACCEPTED


def test_an_expired_url_is_requested_again(
    partner: SellingPartner, world: World, simulator: Simulator, clock: ManualClock
) -> None:
    feed_id = partner.submit_cancellations([cancellation(world.place_order())])
    clock.advance(minutes=5)
    document_id = partner.feed_state(feed_id).result_document_id or ""
    for _ in range(2):
        partner.feed_result(document_id, ["403-1"])
        clock.advance(minutes=30)
    assert len(simulator.received("getFeedDocument")) == 2


def test_a_document_never_travels_in_the_clear(
    partner: SellingPartner, world: World, simulator: Simulator
) -> None:
    body = '{"feedDocumentId": "d", "url": "http://storage.example.com/d?secret=1"}'
    simulator.faults.add("response", "createFeedDocument", status=201, body=body)
    with pytest.raises(ConfigError) as caught:
        partner.submit_cancellations([cancellation(world.place_order())])
    assert "secret=1" not in str(caught.value)


def test_each_order_gets_its_own_outcome() -> None:
    assert outcomes(report(result("2"))) == [
        MessageStatus.ACCEPTED,
        MessageStatus.REFUSED,
        MessageStatus.ACCEPTED,
    ]
    assert read_report(report(result("2")), "ABC")["B"] == MessageResult(
        MessageStatus.REFUSED, "18028: Too late."
    )


def test_warnings_refuse_nothing() -> None:
    assert outcomes(report(result("2", "Warning"))) == [MessageStatus.ACCEPTED] * 3


@pytest.mark.parametrize("code", ["Rejected", "", "error"])
def test_a_result_of_an_unknown_code_accepts_nothing(code: str) -> None:
    assert outcomes(report(result("2", code)))[1] is MessageStatus.UNKNOWN
    both = report(result("2", "Error"), result("2", code))
    assert outcomes(both)[1] is MessageStatus.REFUSED


@pytest.mark.parametrize(
    "document",
    [
        report(processed=2),
        report(processed=0),
        report(result("0"), failed=1),
        report(result("7"), failed=1),
        report(failed=1),
        report().replace(b"MessagesProcessed", b"Something"),
    ],
)
def test_what_the_report_leaves_open_is_not_taken_for_done(document: bytes) -> None:
    assert outcomes(document) == [MessageStatus.UNKNOWN] * 3


def test_an_error_is_known_even_in_a_report_that_is_not_complete() -> None:
    document = report(result("1"), processed=2)
    assert outcomes(document) == [
        MessageStatus.REFUSED,
        MessageStatus.UNKNOWN,
        MessageStatus.UNKNOWN,
    ]


LAUGHS = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12))
"""Each entity holds the one before ten times: the last, a hundred billion times the first."""


def with_dtd(dtd: str, entity: str = "") -> bytes:
    """A report with a DTD, and with an entity of it where Amazon has a reason."""
    head, rest = report(result("1", description=entity)).decode().split("?>", 1)
    return f"{head}?><!DOCTYPE AmazonEnvelope {dtd}>{rest}".encode()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"<html/>",
        b"\xff\xfe\x00",
        b"<?xml version='1.0' encoding='klingon'?><AmazonEnvelope/>",
        with_dtd(f"[<!ENTITY l0 'ha'>{LAUGHS}]", "&l11;"),
        with_dtd(f"[<!ENTITY a '{'a' * 50_000}'>]", "&a;" * 50_000),
        with_dtd("[<!ENTITY e SYSTEM 'file:///etc/passwd'>]", "&e;"),
        with_dtd("[<!ENTITY e SYSTEM 'http://127.0.0.1:1/'>]", "&e;"),
        with_dtd("[<!ENTITY % p SYSTEM 'http://127.0.0.1:1/'> %p;]"),
        with_dtd("SYSTEM 'http://127.0.0.1:1/amazon.dtd'"),
        with_dtd("[]"),
        b"<a>" * 500_000,
    ],
)
def test_what_is_no_report_is_none(document: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(Transient, match="not a processing report"):
        read_report(document, ["A"])
    assert time.process_time() - begun < 30


def test_numbers_that_nothing_can_hold() -> None:
    assert outcomes(report(result("9" * 10_000), failed=1)) == [MessageStatus.UNKNOWN] * 3
    assert (
        outcomes(report().replace(b">3<", b">" + b"3" * 10_000 + b"<"))
        == [MessageStatus.UNKNOWN] * 3
    )


@pytest.mark.parametrize("travels", ["packed", "plain"])
def test_what_would_fill_the_memory_is_refused(
    travels: str, partner: SellingPartner, world: World, clock: ManualClock, simulator: Simulator
) -> None:
    """64 MB, which may come as 64 kB."""
    feed_id = partner.submit_cancellations([cancellation(world.place_order())])
    clock.advance(minutes=5)
    document_id = partner.feed_state(feed_id).result_document_id or ""
    document = simulator.documents[document_id]
    flood = bytes(64 * 2**20)
    document.content = gzip.compress(flood, 1) if travels == "packed" else flood
    document.compressed = travels == "packed"
    tracemalloc.start()
    with pytest.raises(Transient, match="larger than 8 MB"):
        partner.feed_result(document_id, ["403-1"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 48 * 2**20
