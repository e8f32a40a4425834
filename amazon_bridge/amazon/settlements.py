"""Settlement reports: listed, downloaded, and read row by row.

A document holds one settlement or several, and may repeat earlier ones: each begins with a header
row, which has the total, and rows that have one amount each.

Source: Amazon's page "Settlement reports". Sellers have seen columns missing, three shapes of
dates, decimal commas, and cells that are filled in the header row only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import groupby

from amazon_bridge.amazon.documents import ProcessingStatus
from amazon_bridge.amazon.reports import Report, Reports, charset_of
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.marketplaces import smallest_unit
from amazon_bridge.model import is_order_id

REPORT_TYPE = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"

_ID = re.compile("[0-9A-Za-z-]{1,40}")
_CURRENCY = re.compile("[A-Z]{3}")
_NUMBER = re.compile(r"-?[0-9]{1,15}([.,][0-9]{1,9})?")
_GROUPED = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+|-?[0-9]{1,3}(\.[0-9]{3})+,[0-9]+")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}")
"""A separator that may be one of thousands: 1,000 is 1 with a decimal comma."""
_SHAPES = (
    re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"),
    re.compile(r"(?P<d>[0-9]{1,2})\.(?P<m>[0-9]{1,2})\.(?P<y>[0-9]{4}|[0-9]{2})"),
    re.compile(r"(?P<d>[0-9]{1,2})/(?P<m>[0-9]{1,2})/(?P<y>[0-9]{4}|[0-9]{2})"),
)
"""Of days; with slashes the day comes first."""
_TIME = re.compile(r"(?P<h>[0-9]{1,2}):(?P<min>[0-9]{2})(:(?P<s>[0-9]{2})(\.[0-9]+)?)?")
_SPACES = re.compile(r"(?<=[0-9])T(?=[0-9])| +")
_ZONES = frozenset({"", "UTC", "GMT", "Z", "+00:00"})
_CENTURY = 2000
_THOUSANDTH = Decimal("0.001")
_LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Header:
    """The header row of a settlement."""

    settlement_id: str
    start: datetime
    end: datetime
    deposit: date
    total: Decimal
    """What is paid out; negative if the seller owes it."""
    currency: str


@dataclass(frozen=True, slots=True)
class Row:
    """An amount of a settlement. The three types are as Amazon writes them."""

    transaction_type: str
    amount_type: str
    amount_description: str
    amount: Decimal
    posted: date
    order_id: str
    """Empty unless the cell has the shape of an order's id."""
    marketplace: str
    """Such as ``Amazon.de``; may be empty."""


@dataclass(frozen=True, slots=True)
class Section:
    """A settlement of a document. Its rows can be read once, before the next section."""

    settlement_id: str
    header: Header | ItemError
    rows: Iterator[Row]
    """Raises ``ItemError`` (``settlement_unreadable``) where a row can't be read."""


class SettlementReports:
    """The settlement reports of one seller. Safe to share between threads.

    They can't be requested, only listed. Amazon keeps them for 90 days.
    """

    def __init__(self, reports: Reports) -> None:
        self._reports = reports

    def created_since(self, since: datetime) -> Iterator[Report]:
        """The reports that are done, newest first."""
        for report in self._reports.created_since(since, [REPORT_TYPE]):
            if report.status is ProcessingStatus.DONE and report.document_id:
                yield report

    def read(self, document_id: str, marketplace_ids: Iterable[str] = ()) -> Iterator[Section]:
        """Read a document. Takes memory for one row at a time.

        Args:
            document_id: Of a report that is done.
            marketplace_ids: What the report is about; they decide the charset.

        Raises:
            ItemError: ``not_found``, or ``report_refused``.
            Transient: It didn't arrive, or isn't such a report.
        """
        fallback = charset_of(next(iter(marketplace_ids), ""))
        return sections(self._reports.rows(document_id, fallback=fallback))


def sections(rows: Iterable[Mapping[str, str]]) -> Iterator[Section]:
    """Split a document's rows into its settlements."""
    for (_, settlement_id), group in groupby(rows, key=_Splitter()):
        first = next(group)
        header = _header(first, settlement_id)
        body = _body(first, group, header)  # noqa: B031 - all but the first row, once
        yield Section(settlement_id, header, body)


class _Splitter:
    """The number and id of the settlement that each row belongs to."""

    def __init__(self) -> None:
        self._number = 0
        self._id = ""

    def __call__(self, row: Mapping[str, str]) -> tuple[int, str]:
        settlement_id = _cell(row, "settlement-id") or self._id
        if _cell(row, "total-amount") or settlement_id != self._id:
            self._number += 1
            self._id = settlement_id
        return self._number, settlement_id


def _body(
    first: Mapping[str, str], rest: Iterator[Mapping[str, str]], header: Header | ItemError
) -> Iterator[Row]:
    if isinstance(header, ItemError):
        raise header
    if _cell(first, "amount") or _cell(first, "transaction-type"):
        yield _row(first, header)
    for row in rest:
        yield _row(row, header)


def _header(row: Mapping[str, str], settlement_id: str) -> Header | ItemError:
    try:
        return _parsed_header(row, settlement_id)
    except ValueError as error:
        return _unreadable(error)


def _parsed_header(row: Mapping[str, str], settlement_id: str) -> Header:
    if not _ID.fullmatch(settlement_id):
        raise ValueError("it has no id")
    if not _cell(row, "total-amount"):
        raise ValueError("it has no header row with a total")
    currency = _cell(row, "currency").upper()
    if not _CURRENCY.fullmatch(currency):
        raise ValueError("its header row has no currency")
    deposit = _cell(row, "deposit-date") or _cell(row, "settlement-end-date")
    return Header(
        settlement_id=settlement_id,
        start=_moment(_cell(row, "settlement-start-date")),
        end=_moment(_cell(row, "settlement-end-date")),
        deposit=_moment(deposit).date(),
        total=_amount(_cell(row, "total-amount"), currency),
        currency=currency,
    )


def _row(row: Mapping[str, str], header: Header) -> Row:
    try:
        return _parsed_row(row, header)
    except ValueError as error:
        raise _unreadable(error) from None


def _parsed_row(row: Mapping[str, str], header: Header) -> Row:
    posted = _cell(row, "posted-date") or _cell(row, "posted-date-time")
    currency = _cell(row, "currency").upper()
    if currency not in {"", header.currency}:
        raise ValueError(f"a row is in {_shown(currency)}, its header in {header.currency}")
    order_id = _cell(row, "order-id")
    return Row(
        transaction_type=_cell(row, "transaction-type"),
        amount_type=_cell(row, "amount-type"),
        amount_description=_cell(row, "amount-description"),
        amount=_amount(_cell(row, "amount"), header.currency),
        posted=_moment(posted).date() if posted else header.end.date(),
        order_id=order_id if is_order_id(order_id) else "",
        marketplace=_cell(row, "marketplace-name"),
    )


def _cell(row: Mapping[str, str], column: str) -> str:
    return row.get(column, "").strip()


@lru_cache(maxsize=2**14)
def _amount(text: str, currency: str) -> Decimal:
    """An amount with a decimal point or comma.

    Raises:
        ValueError: It is none, or has more digits than its currency: it may be misread.
    """
    plain = text.replace("\u00a0", "").replace(" ", "")
    if _GROUPED.fullmatch(plain):
        plain = plain.replace("," if plain.rfind(",") < plain.rfind(".") else ".", "")
    if not _NUMBER.fullmatch(plain):
        raise ValueError(f"{_shown(text)} is not an amount")
    amount, unit = Decimal(plain.replace(",", ".")), smallest_unit(currency)
    if _THOUSANDS.fullmatch(plain) and unit > _THOUSANDTH:
        raise ValueError(f"{_shown(text)} has a separator that may be one of thousands")
    if amount % unit:
        raise ValueError(f"{_shown(text)} has more digits than {currency}")
    return amount


@lru_cache(maxsize=2**12)
def _moment(text: str) -> datetime:
    """A day with or without a time, in UTC.

    Raises:
        ValueError: It is none of the known shapes.
    """
    day, time, zone = (*_SPACES.split(text, 2), "", "")[:3]
    time = time.removesuffix("Z").removesuffix("+00:00")
    found = next(filter(None, (shape.fullmatch(day) for shape in _SHAPES)), None)
    clock = _TIME.fullmatch(time or "0:00")
    if found is None or clock is None or zone.upper() not in _ZONES:
        raise ValueError(f"{_shown(text)} is not a date")
    year = int(found["y"]) + (_CENTURY if len(found["y"]) == len("00") else 0)
    hours = int(clock["h"]), int(clock["min"]), int(clock["s"] or 0)
    return datetime(year, int(found["m"]), int(found["d"]), *hours, tzinfo=UTC)


def _shown(text: str) -> str:
    return repr(text[:_LONGEST_SHOWN])


def _unreadable(error: ValueError) -> ItemError:
    return ItemError(
        "settlement_unreadable",
        f"Amazon's report of this settlement can't be read: {error}.",
        "Nothing of it is booked. Amazon may deliver it again: run `amazon-bridge quarantine retry`"
        " with its id. If that doesn't help, please report it.",
    )
