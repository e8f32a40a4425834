"""Reading the rows of settlement reports: shapes of cells, sections, what can't be read."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from amazon_bridge.amazon.settlements import Header, Row, Section, sections
from amazon_bridge.engine.errors import ItemError

HEADER = {
    "settlement-id": "111",
    "settlement-start-date": "2026-06-09 05:23:19 UTC",
    "settlement-end-date": "2026-06-23 05:23:19 UTC",
    "deposit-date": "2026-06-25 05:23:19 UTC",
    "total-amount": "8.50",
    "currency": "EUR",
}
ROW = {
    "settlement-id": "111",
    "transaction-type": "Order",
    "order-id": "171-1234567-1234567",
    "amount-type": "ItemPrice",
    "amount-description": "Principal",
    "amount": "8.50",
    "posted-date": "2026-06-10",
    "marketplace-name": "Amazon.de",
}


def read(*rows: dict[str, str]) -> list[tuple[str, Header | str, list[Row] | str]]:
    """Each settlement with its header and rows, or the errors of these."""
    found = []
    for section in sections(rows):
        header = section.header
        shown = header.reason if isinstance(header, ItemError) else header
        found.append((section.settlement_id, shown, rows_of(section)))
    return found


def rows_of(section: Section) -> list[Row] | str:
    try:
        return list(section.rows)
    except ItemError as error:
        return f"{error.kind}: {error.reason}"


def only_row(**changed: str) -> Row | str:
    [(_, _, rows)] = read(HEADER, ROW | {k.replace("_", "-"): v for k, v in changed.items()})
    return rows if isinstance(rows, str) else rows[0]


def test_a_settlement_and_its_rows():
    [(settlement_id, header, rows)] = read(HEADER, ROW)
    assert settlement_id == "111"
    assert header == Header(
        "111",
        datetime(2026, 6, 9, 5, 23, 19, tzinfo=UTC),
        datetime(2026, 6, 23, 5, 23, 19, tzinfo=UTC),
        date(2026, 6, 25),
        Decimal("8.50"),
        "EUR",
    )
    order = "171-1234567-1234567"
    expected = Row(
        "Order", "ItemPrice", "Principal", Decimal("8.50"), date(2026, 6, 10), order, "Amazon.de"
    )
    assert rows == [expected]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-06-09 05:23:19 UTC", date(2026, 6, 9)),
        ("2026-06-09", date(2026, 6, 9)),
        ("2026-06-09T05:23:19+00:00", date(2026, 6, 9)),
        ("2026-06-09T05:23:19Z", date(2026, 6, 9)),
        ("16.07.2026 12:00:00 UTC", date(2026, 7, 16)),
        ("16.07.2026", date(2026, 7, 16)),
        ("09/06/25", date(2025, 6, 9)),
        ("09/06/2025 05:23", date(2025, 6, 9)),
    ],
)
def test_dates(written, meant):
    row = only_row(posted_date=written)
    assert isinstance(row, Row)
    assert row.posted == meant


@pytest.mark.parametrize("written", ["06/13/25", "yesterday", "2026-13-01", "2026-06-09 05:23 PST"])
def test_a_date_in_another_shape_is_an_error(written):
    assert isinstance(only_row(posted_date=written), str)


def test_the_day_comes_from_the_time_if_there_is_no_day_and_else_from_the_end():
    row = only_row(posted_date="", posted_date_time="11.06.2026 23:59:59 UTC")
    assert isinstance(row, Row)
    assert row.posted == date(2026, 6, 11)
    row = only_row(posted_date="")
    assert isinstance(row, Row)
    assert row.posted == date(2026, 6, 23)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("8.5", "8.50"),
        ("-8,50", "-8.50"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("-1 234,56", "-1234.56"),
        ("0", "0"),
        ("12.3400", "12.34"),
        ("0.500", "0.50"),
        ("1234.500", "1234.50"),
    ],
)
def test_amounts(written, meant):
    row = only_row(amount=written)
    assert isinstance(row, Row)
    assert row.amount == Decimal(meant)


@pytest.mark.parametrize("written", ["", "8.505", "1,234", "NaN", "1e3", "--1", "8.50 EUR", "٣"])
def test_an_amount_that_may_be_misread_is_an_error(written):
    assert isinstance(only_row(amount=written), str)


@pytest.mark.parametrize("written", ["1,000", "1.000", "-12.000", "999,500"])
@pytest.mark.parametrize("currency", ["EUR", "JPY"])
def test_a_separator_that_may_be_one_of_thousands_is_an_error(written, currency):
    [(_, header, rows)] = read(
        HEADER | {"total-amount": "8", "currency": currency}, ROW | {"amount": written}
    )
    assert isinstance(header, Header)
    assert "may be one of thousands" in rows
    [(_, header, _)] = read(HEADER | {"total-amount": written, "currency": currency}, ROW)
    assert "may be one of thousands" in header


def test_a_dinar_has_three_digits():
    [(_, _, rows)] = read(HEADER | {"currency": "KWD"}, ROW | {"amount": "8,505"})
    assert not isinstance(rows, str)
    assert rows[0].amount == Decimal("8.505")


@pytest.mark.parametrize("written", ["FBA15D4XYZ", "s01-1234567-1234567", "", "171-1234567"])
def test_what_is_no_order_id_is_left_out(written):
    row = only_row(order_id=written)
    assert isinstance(row, Row)
    assert row.order_id == ""


@pytest.mark.parametrize("written", ["171-1234567-1234567", "S01-1234567-1234567"])
def test_an_order_id_may_begin_with_letters(written):
    row = only_row(order_id=written)
    assert isinstance(row, Row)
    assert row.order_id == written


def test_a_row_in_another_currency_is_an_error():
    assert isinstance(only_row(currency="USD"), str)
    assert isinstance(only_row(currency="EUR"), Row)


def test_several_settlements_and_a_repeated_one():
    other = {"settlement-id": "222"}
    found = read(HEADER, ROW, HEADER | other, ROW | other, ROW | other, HEADER, ROW)
    assert [(id_, len(rows)) for id_, _, rows in found] == [("111", 1), ("222", 2), ("111", 1)]


def test_an_error_costs_its_settlement_only():
    other = {"settlement-id": "222"}
    found = read(HEADER, ROW | {"amount": "x"}, ROW, HEADER | other, ROW | other)
    assert isinstance(found[0][2], str)
    assert not isinstance(found[1][2], str)
    assert len(found[1][2]) == 1


@pytest.mark.parametrize("wrong", [{"currency": ""}, {"total-amount": "x"}, {"deposit-date": "x"}])
def test_a_header_that_cannot_be_read_costs_its_settlement_only(wrong):
    other = {"settlement-id": "222"}
    found = read(HEADER | wrong, ROW, HEADER | other, ROW | other)
    assert isinstance(found[0][1], str)
    assert isinstance(found[0][2], str)
    assert isinstance(found[1][1], Header)


def test_rows_without_a_header_are_an_error_of_their_settlement():
    found = read(ROW | {"settlement-id": "333"}, HEADER, ROW)
    assert [(id_, isinstance(header, str)) for id_, header, _ in found] == [
        ("333", True),
        ("111", False),
    ]


def test_rows_are_read_one_at_a_time():
    taken = []

    def rows() -> Iterator[dict[str, str]]:
        for number in range(1000):
            taken.append(number)
            yield ROW if number else HEADER

    section = next(sections(rows()))
    next(section.rows)
    assert len(taken) <= 3


def test_rows_that_are_not_read_are_skipped():
    other = {"settlement-id": "222"}
    ids = [each.settlement_id for each in sections([HEADER, ROW, ROW, HEADER | other, ROW | other])]
    assert ids == ["111", "222"]


def test_an_unreadable_cell_is_shown_shortened():
    reason = only_row(amount="x" * 200)
    assert isinstance(reason, str)
    assert reason.startswith("settlement_unreadable: ")
    assert "x" * 41 not in reason
