"""Reports: requested or listed, polled, and read row by row."""

import gzip
import itertools
import json
import tracemalloc
from datetime import timedelta

import pytest
from seller_desk import SELLER_ID

from amazon_bridge.amazon.documents import ProcessingStatus
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.engine.errors import AccountError, ConfigError, ItemError, Transient
from amazon_bridge.simulator import ManualClock, Simulator, World

LISTINGS = "GET_MERCHANT_LISTINGS_ALL_DATA"
SETTLEMENTS = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
FRANCE = "A13V1IB3VIYZZH"
TABLE = 'seller-sku\titem-name\tquantity\nMUG\tBlue "mug"\t3\nPEN\t\t\n'


@pytest.fixture(params=["plain", "compressed"])
def storage(request: pytest.FixtureRequest, simulator: Simulator) -> None:
    """How Amazon keeps the documents."""
    simulator.settings.compress_reports = request.param == "compressed"


def published(partner: SellingPartner, simulator: Simulator, content: str) -> str:
    """The document of a report that Amazon created itself."""
    seller = simulator.world.sellers[SELLER_ID]
    report_id = simulator.reports.publish(seller, SETTLEMENTS, content)
    return partner.reports.report(report_id).document_id or ""


@pytest.mark.usefixtures("storage")
def test_from_request_to_rows(
    partner: SellingPartner, simulator: Simulator, clock: ManualClock
) -> None:
    simulator.reports.contents[LISTINGS] = TABLE
    report_id = partner.reports.create(LISTINGS, FRANCE)
    assert partner.reports.report(report_id).status is ProcessingStatus.IN_QUEUE
    clock.advance(seconds=45)
    assert not partner.reports.report(report_id).status.final
    clock.advance(minutes=2)
    report = partner.reports.report(report_id)
    assert (report.status, report.report_type) == (ProcessingStatus.DONE, LISTINGS)
    assert report.marketplace_ids == (FRANCE,)
    assert report.document_id
    assert list(partner.reports.rows(report.document_id)) == [
        {"seller-sku": "MUG", "item-name": 'Blue "mug"', "quantity": "3"},
        {"seller-sku": "PEN", "item-name": "", "quantity": ""},
    ]


def test_a_report_without_data_is_cancelled(partner: SellingPartner, clock: ManualClock) -> None:
    report_id = partner.reports.create(LISTINGS, FRANCE)
    clock.advance(minutes=2)
    report = partner.reports.report(report_id)
    assert (report.status, report.document_id) == (ProcessingStatus.CANCELLED, None)
    assert report.status.final


def test_a_report_that_breaks_off(
    partner: SellingPartner, simulator: Simulator, clock: ManualClock
) -> None:
    simulator.reports.contents[LISTINGS] = TABLE
    simulator.reports.fates.append("FATAL")
    report_id = partner.reports.create(LISTINGS, FRANCE)
    clock.advance(minutes=2)
    report = partner.reports.report(report_id)
    assert (report.status, report.document_id) == (ProcessingStatus.FATAL, None)


def test_a_request_holds_what_amazon_documents_and_no_more(
    partner: SellingPartner, simulator: Simulator
) -> None:
    partner.reports.create(LISTINGS, FRANCE)
    [request] = simulator.received("createReport")
    assert json.loads(request.body) == {"reportType": LISTINGS, "marketplaceIds": [FRANCE]}


def test_a_request_whose_response_was_lost_is_sent_once_and_can_be_found(
    partner: SellingPartner, simulator: Simulator, clock: ManualClock
) -> None:
    simulator.faults.add("reset", "createReport", after_work=True)
    with pytest.raises(Transient) as caught:
        partner.reports.create(LISTINGS, FRANCE)
    assert caught.value.maybe_done
    found = partner.reports.created_since(clock() - timedelta(minutes=1), [LISTINGS])
    assert [report.report_type for report in found] == [LISTINGS]


def test_reports_are_listed_over_pages(
    partner: SellingPartner, simulator: Simulator, world: World, clock: ManualClock
) -> None:
    seller = world.sellers[SELLER_ID]
    simulator.reports.publish(seller, SETTLEMENTS, "")
    clock.advance(days=15)
    ids = [simulator.reports.publish(seller, SETTLEMENTS, "") for _ in range(120)]
    found = list(partner.reports.created_since(clock() - timedelta(days=14), [SETTLEMENTS]))
    assert [report.report_id for report in found] == ids[::-1]
    assert {report.created for report in found} == {clock()}
    assert len(simulator.received("getReports")) == 2


def test_the_newest_report_is_the_first_in_whatever_sequence_amazon_lists_them(
    partner: SellingPartner, simulator: Simulator, world: World, clock: ManualClock
) -> None:
    seller = world.sellers[SELLER_ID]
    simulator.reports.newest_first = False
    ids = []
    for _ in range(110):
        ids.append(simulator.reports.publish(seller, SETTLEMENTS, ""))
        clock.advance(minutes=1)
    found = partner.reports.created_since(clock() - timedelta(days=14), [SETTLEMENTS])
    assert [report.report_id for report in found] == ids[::-1]


def test_a_page_token_that_repeats_ends_the_list(
    partner: SellingPartner, simulator: Simulator, clock: ManualClock
) -> None:
    body = json.dumps({"reports": [], "nextToken": "again"})
    simulator.faults.add("response", "getReports", status=200, body=body, times=3)
    with pytest.raises(Transient, match="page token"):
        list(partner.reports.created_since(clock(), [SETTLEMENTS]))


@pytest.mark.parametrize("kind", ["not_found", "report_refused"])
def test_a_report_that_amazon_does_not_return_has_a_remedy_of_its_own(
    partner: SellingPartner, simulator: Simulator, kind: str
) -> None:
    if kind == "report_refused":
        simulator.faults.add("400", "getReport")
        simulator.faults.add("400", "getReportDocument")
    for ask in (
        lambda: partner.reports.report("1"),
        lambda: list(partner.reports.rows("amzn1.tortuga.gone")),
    ):
        with pytest.raises(ItemError, match="the report") as caught:
            ask()
        assert caught.value.kind == kind
        assert "order" not in caught.value.remedy


def test_a_report_that_is_denied_names_the_role_that_is_missing(
    partner: SellingPartner, simulator: Simulator
) -> None:
    simulator.faults.add("403", "createReport")
    with pytest.raises(AccountError, match="needs the role Product Listing"):
        partner.reports.create(LISTINGS, FRANCE)


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize(
    ("charset", "sku"),
    [("UTF-8", "Tasse-é-日"), ("utf-8", "Tasse"), ("cp1252", "Tasse-é-€"), ("Shift-JIS", "マグ")],
)
def test_charsets(partner: SellingPartner, simulator: Simulator, charset: str, sku: str) -> None:
    simulator.reports.charset = charset
    document_id = published(partner, simulator, f"seller-sku\tquantity\r\n{sku}\t1\r\n")
    rows = list(partner.reports.rows(document_id, charset))
    assert rows == [{"seller-sku": sku, "quantity": "1"}]


def test_a_byte_order_mark_is_no_part_of_the_heading(
    partner: SellingPartner, simulator: Simulator
) -> None:
    document_id = published(partner, simulator, "\ufeffsettlement-id\n17\n")
    assert list(partner.reports.rows(document_id)) == [{"settlement-id": "17"}]


def test_another_charset_is_said_and_nothing_is_guessed(
    partner: SellingPartner, simulator: Simulator
) -> None:
    simulator.reports.charset = "cp1252"
    document_id = published(partner, simulator, "seller-sku\nTASSE-É\n")
    with pytest.raises(Transient, match=r"not in UTF-8\. If"):
        list(partner.reports.rows(document_id))


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("", []),
        ("a\tb", []),
        ("a\tb\n\n1\n", [{"a": "1", "b": ""}]),
        ("a\tb\n1\t2\t\t\n", [{"a": "1", "b": "2"}]),
        (" a\tb \n'1\t\"2\n", [{"a": "'1", "b": '"2'}]),
        ("a\tb\n1\r2\t3\n", [{"a": "1\r2", "b": "3"}]),
    ],
)
def test_odd_tables(
    partner: SellingPartner, simulator: Simulator, content: str, rows: list[dict[str, str]]
) -> None:
    assert list(partner.reports.rows(published(partner, simulator, content))) == rows


def test_a_cell_without_a_column_is_not_dropped(
    partner: SellingPartner, simulator: Simulator
) -> None:
    rows = partner.reports.rows(published(partner, simulator, "a\tb\n1\t2\n1\t2\t3\n"))
    with pytest.raises(Transient, match=r"Line 3 .* report it"):
        list(rows)


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("kind", ["502", "reset", "truncated"])
def test_no_row_is_read_of_a_document_that_does_not_arrive_whole(
    partner: SellingPartner, simulator: Simulator, kind: str
) -> None:
    document_id = published(partner, simulator, TABLE * 1000)
    simulator.faults.add(kind, "download")
    rows = partner.reports.rows(document_id)
    with pytest.raises(Transient) as caught:
        next(rows)
    assert simulator.url not in str(caught.value)
    assert "check that the network" in caught.value.remedy
    assert len(list(partner.reports.rows(document_id))) == 3 * 1000 - 1


@pytest.mark.parametrize("spoil", [lambda c: c[:-9], lambda c: c + c, lambda c: b"<html>" + c])
def test_what_cannot_be_unpacked_whole_is_no_report(
    partner: SellingPartner, simulator: Simulator, spoil: object
) -> None:
    document_id = published(partner, simulator, TABLE)
    document = simulator.documents[document_id]
    assert document.content
    assert callable(spoil)
    document.content = spoil(document.content)
    with pytest.raises(Transient, match="unpacked"):
        list(partner.reports.rows(document_id))


def test_a_document_never_travels_in_the_clear(
    partner: SellingPartner, simulator: Simulator
) -> None:
    body = '{"reportDocumentId": "d", "url": "http://storage.example.com/d?secret=1"}'
    simulator.faults.add("response", "getReportDocument", status=200, body=body)
    with pytest.raises(ConfigError) as caught:
        list(partner.reports.rows("d"))
    assert "secret=1" not in str(caught.value)


def test_a_large_report_takes_little_memory(partner: SellingPartner, simulator: Simulator) -> None:
    """40 MB in 400,000 rows."""
    document_id = published(partner, simulator, "")
    line = b"\t".join([b"0123456789"] * 9) + b"\n"
    document = simulator.documents[document_id]
    document.content = gzip.compress(
        b"\t".join(map(str.encode, "abcdefghi")) + b"\n" + line * 400_000
    )
    rows = partner.reports.rows(document_id)
    tracemalloc.start()
    count = sum(1 for _ in itertools.islice(rows, 50_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    rows.close()  # type: ignore[attr-defined]
    assert count == 50_000
    assert peak < 16 * 2**20
