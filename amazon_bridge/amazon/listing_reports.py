"""The report of all listings of a marketplace: requested or found, and read row by row.

It is the only list of more than 1,000 listings. Amazon renews its contents every few hours.

Source: Amazon's page "Inventory report type values". Sellers have seen other columns than it
names: ``status`` missing, ``fulfilment-channel`` for ``fulfillment-channel``, columns of deprecated
contents, fewer columns in some marketplaces, Japanese names in Japan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from amazon_bridge.amazon.documents import REPORT_IT, ProcessingStatus
from amazon_bridge.amazon.reports import Report, Reports, charset_of
from amazon_bridge.engine.errors import Transient
from amazon_bridge.model import DEFAULT_CHANNEL, Listing, UnreadableListing

REPORT_TYPE = "GET_MERCHANT_LISTINGS_ALL_DATA"

_SKU = ("seller-sku", "出品者SKU")
_QUANTITY = ("quantity", "数量")
_CHANNEL = ("fulfillment-channel", "fulfilment-channel", "フルフィルメント・チャンネル")
_STATUS = ("status", "ステータス")
_LONGEST_QUANTITY = 9  # digits
_UNDECODED = "\ufffd"


class ListingReports:
    """The reports of one account's listings. Safe to share between threads."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports

    def newest(self, marketplace_id: str, since: datetime) -> Report | None:
        """The newest report of a marketplace that was requested since then and didn't fail.

        Whoever requested it: so it needn't be remembered which report was requested last.
        """
        found = self._reports.created_since(since, [REPORT_TYPE])
        return next(
            (
                report
                for report in found
                if report.marketplace_ids == (marketplace_id,)
                and report.status is not ProcessingStatus.FATAL
            ),
            None,
        )

    def request(self, marketplace_id: str) -> str:
        """Request a report of a marketplace. Returns its id."""
        return self._reports.create(REPORT_TYPE, marketplace_id)

    def read(self, report: Report) -> Iterator[Listing | UnreadableListing]:
        """Read a report that is DONE, or CANCELLED because there are no listings.

        Takes memory for one row at a time, and for the channels of each SKU. If a SKU has a row
        for each of its channels, its last listing has all of them.

        Raises:
            ItemError: ``not_found``: reports are kept for 90 days.
            Transient: It didn't arrive, or isn't such a report.
        """
        if report.document_id is None:
            return iter(())
        [marketplace_id] = report.marketplace_ids
        rows = self._reports.rows(report.document_id, fallback=charset_of(marketplace_id))
        return read_rows(rows, marketplace_id)


def read_rows(
    rows: Iterable[Mapping[str, str]], marketplace_id: str
) -> Iterator[Listing | UnreadableListing]:
    """Parse the rows of a report.

    Raises:
        Transient: It has no column with the SKU, or none with the fulfilment channel.
    """
    earlier: dict[str, tuple[tuple[str, ...], int | None]] = {}
    for number, row in enumerate(rows, start=1):
        if number == 1:
            _require_columns(row)
        listing = _read_row(row, marketplace_id, number)
        if isinstance(listing, Listing):
            channels, quantity = earlier.get(listing.sku, ((), None))
            listing = _with(listing, channels, quantity)
            earlier[listing.sku] = listing.channels, listing.quantity
        yield listing


def _with(listing: Listing, channels: tuple[str, ...], quantity: int | None) -> Listing:
    """The listing with what earlier rows say of it."""
    if not channels:
        return listing
    return replace(
        listing,
        channels=tuple(dict.fromkeys([*channels, *listing.channels])),
        quantity=quantity if listing.quantity is None else listing.quantity,
    )


def _require_columns(row: Mapping[str, str]) -> None:
    for names in (_SKU, _CHANNEL):
        if not any(name in row for name in names):
            raise Transient(f"The report of listings has no column {names[0]}.", REPORT_IT)


def _read_row(
    row: Mapping[str, str], marketplace_id: str, number: int
) -> Listing | UnreadableListing:
    sku, channel, quantity = (_cell(row, names) for names in (_SKU, _CHANNEL, _QUANTITY))
    if not sku:
        return UnreadableListing(number, "", f"Row {number} of the report of listings has no SKU.")
    if _UNDECODED in sku:
        reason = f"The SKU in row {number} of the report of listings can't be decoded."
        return UnreadableListing(number, "", reason)
    if quantity and not (quantity.isdecimal() and len(quantity) <= _LONGEST_QUANTITY):
        reason = f"The quantity in row {number} of the report of listings is not a whole number."
        return UnreadableListing(number, sku, reason)
    status = _cell(row, _STATUS)
    return Listing(
        sku=sku,
        marketplace_id=marketplace_id,
        channels=(channel,) if channel else (),
        quantity=int(quantity) if quantity and channel == DEFAULT_CHANNEL else None,
        status=(status,) if status else (),
    )


def _cell(row: Mapping[str, str], names: Iterable[str]) -> str:
    return next((row[name].strip() for name in names if name in row), "")
