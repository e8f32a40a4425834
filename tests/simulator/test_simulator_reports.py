"""Reports, by the clock and by Amazon's models (``SimulatedSeller.call`` checks each response)."""

import gzip

import pytest
from amazon_models import validate_request

LISTINGS = "GET_MERCHANT_LISTINGS_ALL_DATA"
SETTLEMENTS = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
REPORTS = "/reports/2021-06-30/reports"
FRANCE = "A13V1IB3VIYZZH"


def create(seller, **differences):
    body = {"reportType": LISTINGS, "marketplaceIds": [FRANCE]} | differences
    return seller.call("createReport", "POST", REPORTS, json=body)


def created(seller):
    return create(seller).json()["reportId"]


def report(seller, report_id):
    return seller.call("getReport", "GET", f"{REPORTS}/{report_id}").json()


def listed(seller, **query):
    response = seller.call("getReports", "GET", REPORTS, params=query)
    assert response.status_code == 200, response.text
    return response.json()


def document(seller, document_id):
    path = f"/reports/2021-06-30/documents/{document_id}"
    return seller.call("getReportDocument", "GET", path)


def test_a_report_goes_its_way_by_the_clock(seller, simulator, clock):
    simulator.reports.contents[LISTINGS] = "seller-sku\nMUG\n"
    report_id = created(seller)
    assert report(seller, report_id) == {
        "reportId": report_id,
        "reportType": LISTINGS,
        "marketplaceIds": [FRANCE],
        "createdTime": "2026-11-20T12:00:00Z",
        "processingStatus": "IN_QUEUE",
    }
    clock.advance(seconds=30)
    assert report(seller, report_id)["processingStatus"] == "IN_PROGRESS"
    clock.advance(seconds=60)
    done = report(seller, report_id)
    assert done["processingStatus"] == "DONE"
    assert done["processingEndTime"] == "2026-11-20T12:01:30Z"
    assert report(seller, report_id) == done, "one report, one document"


@pytest.mark.parametrize("compressed", [True, False])
def test_a_document_comes_plain_or_compressed(seller, simulator, clock, compressed):
    simulator.settings.compress_reports = compressed
    simulator.reports.charset = "cp1252"
    simulator.reports.contents[LISTINGS] = "seller-sku\nTASSE-É\n"
    report_id = created(seller)
    clock.advance(minutes=2)
    body = document(seller, report(seller, report_id)["reportDocumentId"]).json()
    assert body.get("compressionAlgorithm") == ("GZIP" if compressed else None)
    response = seller.http.get(body["url"])
    assert response.headers["Content-Type"] == "text/plain; charset=cp1252"
    content = gzip.decompress(response.content) if compressed else response.content
    assert content == "seller-sku\nTASSE-É\n".encode("cp1252")


def test_no_data_ends_cancelled_without_a_document(seller, clock):
    report_id = created(seller)
    clock.advance(minutes=2)
    found = report(seller, report_id)
    assert found["processingStatus"] == "CANCELLED"
    assert "reportDocumentId" not in found


def test_a_report_may_break_off(seller, simulator, clock):
    simulator.reports.contents[LISTINGS] = "seller-sku\n"
    simulator.reports.fates.append("FATAL")
    report_id = created(seller)
    clock.advance(minutes=2)
    assert report(seller, report_id)["processingStatus"] == "FATAL"


def test_only_what_waits_can_be_cancelled(seller, simulator, clock):
    simulator.reports.contents[LISTINGS] = "seller-sku\n"
    waiting, working = created(seller), created(seller)
    path = f"{REPORTS}/{waiting}"
    assert seller.call("cancelReport", "DELETE", path).status_code == 200
    clock.advance(seconds=45)
    assert report(seller, waiting)["processingStatus"] == "CANCELLED"
    assert seller.call("cancelReport", "DELETE", f"{REPORTS}/{working}").status_code == 400


def test_settlements_are_listed_and_never_requested(seller, simulator):
    assert create(seller, reportType=SETTLEMENTS).status_code == 400
    report_id = simulator.reports.publish(seller.seller, SETTLEMENTS, "settlement-id\n1\n")
    [found] = listed(seller, reportTypes=SETTLEMENTS)["reports"]
    assert (found["reportId"], found["processingStatus"]) == (report_id, "DONE")


def test_a_report_of_amazons_may_name_no_marketplace(seller, simulator):
    text = "settlement-id\n1\n"
    simulator.reports.publish(seller.seller, SETTLEMENTS, text, countries=None)
    [found] = listed(seller, reportTypes=SETTLEMENTS)["reports"]
    assert "marketplaceIds" not in found


def test_reports_are_listed_newest_first_and_page_by_page(seller, clock):
    ids = []
    for _ in range(12):
        ids.append(created(seller))
        clock.advance(minutes=1)
    page = listed(seller, reportTypes=LISTINGS)
    rest = listed(seller, nextToken=page["nextToken"])
    assert [each["reportId"] for each in page["reports"] + rest["reports"]] == ids[::-1]
    assert "nextToken" not in rest
    since = {"createdSince": "2026-11-20T12:10:00Z", "processingStatuses": "CANCELLED,DONE"}
    assert len(listed(seller, reportTypes=f"X,{LISTINGS}", **since)["reports"]) == 1
    assert listed(seller, reportTypes=LISTINGS, marketplaceIds="A1PA6795UKMFR9")["reports"] == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"reportTypes": LISTINGS, "nextToken": "x"},
        {"nextToken": "unknown"},
        {"reportTypes": LISTINGS, "pageSize": 101},
        {"reportTypes": LISTINGS, "processingStatuses": "DONE,FINISHED"},
        {"reportTypes": ",".join("abcdefghijk")},
    ],
)
def test_lists_that_amazon_refuses(seller, query):
    assert seller.call("getReports", "GET", REPORTS, params=query).status_code == 400


@pytest.mark.parametrize(
    "differences",
    [
        {"marketplaceIds": []},
        {"marketplaceIds": ["ATVPDKIKX0DER"]},
        {"reportType": None},
        {"dataStartTime": "yesterday"},
        {"charset": "UTF-8"},
    ],
)
def test_requests_that_amazon_refuses(seller, differences):
    assert create(seller, **differences).status_code == 400
    if differences != {"marketplaceIds": ["ATVPDKIKX0DER"]}:
        with pytest.raises(AssertionError):
            validate_request(
                "createReport",
                body={"reportType": LISTINGS, "marketplaceIds": [FRANCE]} | differences,
            )


def test_reports_are_their_sellers_own_and_kept_for_ninety_days(
    seller, other_seller, simulator, clock
):
    report_id = simulator.reports.publish(seller.seller, SETTLEMENTS, "settlement-id\n1\n")
    document_id = report(seller, report_id)["reportDocumentId"]
    assert other_seller.call("getReport", "GET", f"{REPORTS}/{report_id}").status_code == 404
    assert document(other_seller, document_id).status_code == 404
    assert listed(other_seller, reportTypes=SETTLEMENTS)["reports"] == []
    clock.advance(days=91)
    seller.log_in()
    assert seller.call("getReport", "GET", f"{REPORTS}/{report_id}").status_code == 404
    assert listed(seller, reportTypes=SETTLEMENTS)["reports"] == []


def test_a_text_that_the_charset_does_not_have_is_not_altered(seller, simulator):
    simulator.reports.charset = "cp1252"
    with pytest.raises(UnicodeEncodeError):
        simulator.reports.publish(seller.seller, SETTLEMENTS, "漢")


@pytest.mark.parametrize(
    "period",
    [
        {"dataStartTime": "2026-11-20T12:00:01Z"},
        {"dataEndTime": "2026-11-20T12:00:01Z"},
        {"dataEndTime": "2026-11-19T12:00:00Z"},
        {"dataStartTime": "2026-11-19T12:00:00Z", "dataEndTime": "2026-11-18T12:00:00Z"},
    ],
)
def test_a_period_that_amazon_excludes_is_refused(seller, simulator, period):
    assert create(seller, **period).status_code == 400
    assert not simulator.reports.tasks


def test_a_period_in_the_past_is_accepted(seller):
    period = {"dataStartTime": "2026-11-18T12:00:00Z", "dataEndTime": "2026-11-20T12:00:00Z"}
    assert create(seller, **period).status_code == 202


def test_a_type_that_is_not_simulated_is_refused(seller):
    assert create(seller, reportType="GET_NONSENSE").status_code == 400
