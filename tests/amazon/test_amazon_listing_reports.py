"""All listings of a marketplace, from a report."""

import io
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta

import pytest
from seller_desk import SELLER_ID, is_merchants

from amazon_bridge.amazon.documents import ProcessingStatus
from amazon_bridge.amazon.listing_reports import REPORT_TYPE, read_rows
from amazon_bridge.amazon.reports import _rows
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.engine.errors import Transient
from amazon_bridge.model import Listing, UnreadableListing
from amazon_bridge.simulator import Listing as SimulatedListing
from amazon_bridge.simulator import ManualClock, Simulator, World

FRANCE, GERMANY = "A13V1IB3VIYZZH", "A1PA6795UKMFR9"


@pytest.fixture
def mug(world: World) -> SimulatedListing:
    return world.listings.add(SELLER_ID, "MUG-BLUE", "FR", {"DEFAULT": 5}, lead_time=2)


@pytest.fixture
def fba(world: World) -> SimulatedListing:
    return world.listings.add(SELLER_ID, "MUG-RED", "FR", {"AMAZON_EU": 9})


def test_the_report_of_a_marketplace(
    partner: SellingPartner, clock: ManualClock, mug: SimulatedListing, fba: SimulatedListing
) -> None:
    assert partner.listing_reports.newest(FRANCE, clock() - timedelta(hours=6)) is None
    report_id = partner.listing_reports.request(FRANCE)
    partner.listing_reports.request(GERMANY)
    waiting = partner.listing_reports.newest(FRANCE, clock() - timedelta(hours=6))
    assert waiting is not None
    assert (waiting.report_id, waiting.status.final) == (report_id, False)
    clock.advance(minutes=2)
    done = partner.listing_reports.newest(FRANCE, clock() - timedelta(hours=6))
    assert done is not None
    assert list(partner.listing_reports.read(done)) == [
        Listing("MUG-BLUE", FRANCE, ("DEFAULT",), 5, status=("Active",)),
        Listing("MUG-RED", FRANCE, ("AMAZON_EU",), None, status=("Active",)),
    ]
    empty = partner.listing_reports.newest(GERMANY, clock() - timedelta(hours=6))
    assert empty is not None
    assert empty.status is ProcessingStatus.CANCELLED
    assert list(partner.listing_reports.read(empty)) == []
    assert partner.listing_reports.newest(FRANCE, clock()) is None


@pytest.mark.parametrize("newest_first", [True, False])
def test_the_newest_report_is_used(
    partner: SellingPartner, simulator: Simulator, clock: ManualClock, *, newest_first: bool
) -> None:
    simulator.reports.newest_first = newest_first
    partner.listing_reports.request(FRANCE)
    clock.advance(minutes=10)
    later = partner.listing_reports.request(FRANCE)
    newest = partner.listing_reports.newest(FRANCE, clock() - timedelta(hours=6))
    assert newest
    assert newest.report_id == later


def test_a_failed_report_does_not_count(
    partner: SellingPartner, simulator: Simulator, clock: ManualClock, mug: SimulatedListing
) -> None:
    partner.listing_reports.request(FRANCE)
    simulator.reports.fates.append("FATAL")
    failed = partner.listing_reports.request(FRANCE)
    clock.advance(minutes=2)
    newest = partner.listing_reports.newest(FRANCE, clock() - timedelta(hours=6))
    assert newest is not None
    assert newest.report_id != failed


@pytest.mark.parametrize("charset", ["UTF-8", "cp1252", "utf-8-sig"])
def test_a_report_in_any_charset(
    partner: SellingPartner, simulator: Simulator, clock: ManualClock, world: World, charset: str
) -> None:
    world.listings.add(SELLER_ID, "TASSE-É", "FR", {"DEFAULT": 1}, title="Émaillée")
    simulator.reports.charset = charset
    partner.listing_reports.request(FRANCE)
    clock.advance(minutes=2)
    report = partner.listing_reports.newest(FRANCE, clock() - timedelta(hours=1))
    assert report is not None
    [listing] = partner.listing_reports.read(report)
    assert listing.sku == "TASSE-É"


def rows(text: str) -> Iterator[dict[str, str]]:
    return _rows(io.StringIO(text))


HEADING = "seller-sku\tquantity\tfulfillment-channel\tstatus\n"


@pytest.mark.parametrize(
    "text",
    [
        HEADING + "A\t3\tDEFAULT\tActive\n",
        "status\tseller-sku\tfulfilment-channel\tquantity\nActive\tA\tDEFAULT\t3\n",
        "Deprecated\tseller-sku\tDeprecated\tquantity\tfulfillment-channel\n\tA\t\t3\tDEFAULT\n",
        "出品者SKU\t数量\tフルフィルメント・チャンネル\tステータス\nA\t3\tDEFAULT\tActive\n",
    ],
    ids=["documented", "other order and spelling", "deprecated columns", "Japanese"],
)
def test_columns_go_by_their_names(text: str) -> None:
    [listing] = read_rows(rows(text), FRANCE)
    assert isinstance(listing, Listing)
    assert (listing.sku, listing.channels, listing.quantity) == ("A", ("DEFAULT",), 3)


def test_columns_that_may_be_missing() -> None:
    [listing] = read_rows(rows("seller-sku\tfulfillment-channel\nA\tDEFAULT\n"), FRANCE)
    assert listing == Listing("A", FRANCE, ("DEFAULT",), None)


def test_without_a_channel_nothing_is_proven() -> None:
    [listing] = read_rows(rows(HEADING + "A\t3\t\tActive\n"), FRANCE)
    assert isinstance(listing, Listing)
    assert (listing.channels, is_merchants(listing), listing.quantity) == ((), False, None)


@pytest.mark.parametrize("heading", ["sku\tfulfillment-channel\n", "seller-sku\tquantity\n"])
def test_a_report_of_another_form_is_refused(heading: str) -> None:
    with pytest.raises(Transient, match="has no column"):
        list(read_rows(rows(heading + "A\t3\n"), FRANCE))


def test_bad_rows_are_reported_and_the_others_read() -> None:
    text = (
        HEADING
        + "\t3\tDEFAULT\t\nB\tmany\tDEFAULT\t\nC\t-1\tDEFAULT\t\nÜ\ufffd\t1\t\t\nD\t4\tDEFAULT\t\n"
    )
    found = list(read_rows(rows(text), FRANCE))
    bad = [each for each in found if isinstance(each, UnreadableListing)]
    assert [(each.row, each.sku) for each in bad] == [(1, ""), (2, "B"), (3, "C"), (4, "")]
    assert "many" not in bad[1].reason
    assert ("no SKU" in bad[0].reason, "decoded" in bad[3].reason) == (True, True)
    assert found[-1] == Listing("D", FRANCE, ("DEFAULT",), 4)


@pytest.mark.parametrize("channels", ["DEFAULT AMAZON_EU", "AMAZON_EU DEFAULT"])
def test_a_sku_with_a_row_for_each_channel_has_all_of_them(channels: str) -> None:
    first, second = (f"A\t{'3' if c == 'DEFAULT' else ''}\t{c}\t\n" for c in channels.split())
    *_, listing = read_rows(rows(HEADING + first + "B\t1\tDEFAULT\t\n" + second), FRANCE)
    assert isinstance(listing, Listing)
    assert (set(listing.channels), listing.quantity) == ({"DEFAULT", "AMAZON_EU"}, 3)
    assert not is_merchants(listing)


def test_a_large_report_takes_memory_for_a_row(
    partner: SellingPartner, simulator: Simulator, clock: ManualClock
) -> None:
    rows, description = 10_000, "x" * 1000
    lines = (f"SKU-{n}\t{n}\tDEFAULT\tActive\t{description}" for n in range(rows))
    simulator.reports.contents[REPORT_TYPE] = "\n".join(
        [HEADING.strip() + "\titem-description", *lines]
    )
    partner.listing_reports.request(FRANCE)
    clock.advance(minutes=2)
    report = partner.listing_reports.newest(FRANCE, clock() - timedelta(hours=1))
    assert report is not None
    simulator.reports.contents.clear()
    tracemalloc.start()
    try:
        total = sum(1 for _ in partner.listing_reports.read(report))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == rows
    assert peak < 1.3 * rows * len(description)  # the simulator's response is in this process, too
