"""From the rows of a settlement to its journal entries."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from settlement_makers import (
    CODES,
    DAY,
    IN_TRANSIT,
    INTERIM,
    ORDER,
    OWED,
    TO_INVOICE,
    make_header,
    make_setup,
    row,
    target,
)

from amazon_bridge.amazon.settlements import Row
from amazon_bridge.config.account_map import Category
from amazon_bridge.flows.settlements.classify import Classifier
from amazon_bridge.flows.settlements.entries import entries
from amazon_bridge.flows.settlements.statement import Statement, read_statement
from amazon_bridge.odoo.journal_entries import Entry

TYPES = [
    ("Order", "ItemPrice", "Principal"),
    ("Order", "ItemPrice", "Tax"),
    ("Order", "ItemWithheldTax", "MarketplaceFacilitatorTax-Principal"),
    ("Order", "ItemFees", "Commission"),
    ("Refund", "ItemPrice", "Principal"),
    ("Refund", "ItemPrice", "Tax"),
    ("Refund", "ItemWithheldTax", "MarketplaceFacilitatorTax-Principal"),
    ("ServiceFee", "Cost of Advertising", "TransactionTotalAmount"),
    ("other-transaction", "other-transaction", "Current Reserve Amount"),
    ("other-transaction", "other-transaction", "Previous Reserve Amount Balance"),
    ("SAFE-T Reimbursement", "Other transactions", "SAFE-T Reimbursement"),
]

any_row = st.builds(
    lambda texts, cents, order, day, place: row(
        str(Decimal(cents) / 100),
        texts[2],
        texts[1],
        texts[0],
        order_id=f"171-0000000-{order:07}" if order else "",
        posted=date(2026, 6, 1) + timedelta(days=day),
        marketplace=place,
    ),
    st.sampled_from(TYPES),
    st.integers(-10_000, 10_000),
    st.integers(0, 6),
    st.integers(0, 50),
    st.sampled_from(["Amazon.de", "amazon.fr", "", "Non-Amazon"]),
)
any_rows = st.lists(any_row, max_size=40)


def statement_of(rows: Sequence[Row], total: Decimal | None = None, **options: bool) -> Statement:
    total = sum((each.amount for each in rows), Decimal()) if total is None else total
    return read_statement(make_header(str(total)), rows, Classifier(), **options)


@pytest.mark.parametrize("order_id", ["000-0000000-0000001", "S01-0034567-0000089"])
def test_each_order_has_a_line_with_its_id(order_id: str) -> None:
    statement = statement_of([row("5.00", order_id=order_id)])
    [entry] = entries(statement, make_setup())
    assert entry.lines[0].reference == f"_o_{order_id}"
    assert entry.lines[0].label == order_id


def booked(made: Sequence[Entry]) -> dict[str, Decimal]:
    """Balances by account."""
    balances: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in made:
        for line in entry.lines:
            balances[line.target.account] += line.amount
    return {account: balance for account, balance in balances.items() if balance}


def test_an_order_and_its_fee():
    rows = [row("100.00"), row("19.00", "Tax"), row("-15.00", "Commission", "ItemFees")]
    [entry] = entries(statement_of(rows), make_setup())
    assert entry.reference == "settlement_111_202606_1"
    assert (entry.date, entry.currency) == (DAY, "EUR")
    assert [
        (line.reference, line.target.account, line.label, line.amount) for line in entry.lines
    ] == [
        (f"_o_{ORDER}", OWED, ORDER, Decimal("-119.00")),
        (
            "_f_selling_fee_de",
            CODES[Category.SELLING_FEE],
            "Amazon selling fee DE",
            Decimal("15.00"),
        ),
        ("_payout", IN_TRANSIT, "Amazon settlement 111, 2026-07-02", Decimal("104.00")),
    ]


def test_two_months_balance_on_the_interim_account():
    rows = [row("100.00"), row("50.00", posted=date(2026, 7, 1))]
    first, second = entries(statement_of(rows), make_setup())
    assert [first.reference, second.reference] == [
        "settlement_111_202606_1",
        "settlement_111_202607_1",
    ]
    assert [line.amount for line in first.lines] == [-100, 100]
    assert [line.amount for line in second.lines] == [-50, -100, 150]
    assert booked([first, second]) == {OWED: -150, IN_TRANSIT: 150}


def test_an_entry_is_dated_on_the_last_posted_day_of_its_month():
    rows = [row("1"), row("1", posted=date(2026, 6, 28)), row("1", posted=date(2026, 6, 3))]
    [entry] = entries(statement_of(rows), make_setup())
    assert entry.date == date(2026, 6, 28)


def test_a_refund_has_a_line_of_its_own():
    rows = [
        row("100"),
        row("-100", transaction_type="Refund"),
        row("-10", transaction_type="A-to-z Guarantee Refund", order_id="171-1234567-1234568"),
    ]
    [entry] = entries(statement_of(rows), make_setup())
    assert [(line.reference, line.label, line.amount) for line in entry.lines] == [
        (f"_o_{ORDER}", ORDER, -100),
        (f"_r_{ORDER}", f"{ORDER} refund", 100),
        ("_r_171-1234567-1234568", "171-1234567-1234568 A-to-z", 10),
        ("_payout", "Amazon settlement 111, 2026-07-02", -10),
    ]


def test_tax_that_amazon_collects_is_not_owed():
    rows = [
        row("100"),
        row("8", "Tax"),
        row("-8", "MarketplaceFacilitatorTax-Principal", "ItemWithheldTax"),
    ]
    made = entries(statement_of(rows), make_setup())
    assert booked(made) == {OWED: -100, IN_TRANSIT: 100}


def test_tax_withheld_without_a_tax_charged_stays_on_its_account():
    rows = [row("100"), row("-8", "MarketplaceFacilitatorVAT-Principal", "ItemWithheldTax")]
    made = entries(statement_of(rows), make_setup())
    facilitator = CODES[Category.FACILITATOR_TAX]
    assert booked(made) == {OWED: -100, facilitator: 8, IN_TRANSIT: 92}


def test_a_tax_charged_that_amazon_does_not_withhold_is_owed():
    made = entries(statement_of([row("100"), row("8", "Tax")]), make_setup())
    assert booked(made) == {OWED: -108, IN_TRANSIT: 108}


def test_reserves_are_kept_apart():
    current = ("Current Reserve Amount", "other-transaction", "other-transaction")
    previous = ("Previous Reserve Amount Balance", "other-transaction", "other-transaction")
    rows = [row("-30", *current, order_id=""), row("10", *previous, order_id="")]
    made = entries(statement_of(rows), make_setup())
    assert booked(made) == {CODES[Category.RESERVE]: 20, IN_TRANSIT: -20}


def test_fees_to_be_invoiced_have_amazon_as_partner():
    setup = make_setup(
        targets={(category, ""): target(TO_INVOICE) for category in Category}
        | {(Category.REIMBURSEMENT, ""): target("700")}
    )
    rows = [
        row("-15", "Commission", "ItemFees"),
        row("3", "WAREHOUSE_LOST", "FBA Inventory Reimbursement", "other-transaction"),
    ]
    [entry] = entries(statement_of(rows), setup)
    assert {line.reference: line.partner_id for line in entry.lines} == {
        "_f_selling_fee_de": 3,
        "_f_reimbursement_de": None,
        "_payout": None,
    }


def test_a_category_can_have_an_account_for_each_marketplace():
    targets = make_setup().targets | {(Category.SELLING_FEE, "FR"): target("777")}
    rows = [
        row("-1", "Commission", "ItemFees"),
        row("-2", "Commission", "ItemFees", marketplace="Amazon.fr"),
        row("-4", "Commission", "ItemFees", marketplace=""),
    ]
    [entry] = entries(statement_of(rows), make_setup(targets=targets))
    assert [(line.reference, line.target.account, line.amount) for line in entry.lines[:3]] == [
        ("_f_selling_fee", CODES[Category.SELLING_FEE], 4),
        ("_f_selling_fee_de", CODES[Category.SELLING_FEE], 1),
        ("_f_selling_fee_fr", "777", 2),
    ]


def test_sales_go_to_income_by_marketplace_if_no_order_is_invoiced():
    rows = [
        row("100"),
        row("8", "Tax"),
        row("-8", "MarketplaceFacilitatorTax-Principal", "ItemWithheldTax"),
        row("50", order_id="171-1234567-1234568", marketplace="Amazon.fr"),
        row("-20", transaction_type="Refund"),
    ]
    [entry] = entries(statement_of(rows, by_order=False), make_setup())
    assert [(line.reference, line.amount) for line in entry.lines] == [
        ("_f_order_de", -100),
        ("_f_order_fr", -50),
        ("_f_refund_de", 20),
        ("_payout", 130),
    ]


def test_no_entry_has_more_than_a_thousand_lines():
    rows = [row("1", order_id=f"171-0000000-{number:07}") for number in range(2500)]
    made = entries(statement_of(rows), make_setup())
    assert [len(entry.lines) for entry in made] == [999, 999, 506]
    assert max(len(entry.lines) for entry in made) <= 1000
    assert booked(made) == {OWED: -2500, IN_TRANSIT: 2500}
    assert (
        len({line.reference for entry in made for line in entry.lines if "_o_" in line.reference})
        == 2500
    )


def test_a_settlement_that_pays_nothing_has_no_payout():
    rows = [row("10"), row("-10", transaction_type="Refund")]
    [entry] = entries(statement_of(rows), make_setup())
    assert [line.reference for line in entry.lines] == [f"_o_{ORDER}", f"_r_{ORDER}"]
    assert entries(statement_of([]), make_setup()) == ()


def test_closed_periods_move_the_date_and_not_the_reference():
    [entry] = entries(statement_of([row("1")]), make_setup(), lambda *_: date(2026, 8, 1))
    assert (entry.date, entry.reference) == (date(2026, 8, 1), "settlement_111_202606_1")


def test_rows_without_a_decimal():
    yen = read_statement(make_header("1200", "JPY"), [row("1200")], Classifier())
    [entry] = entries(yen, make_setup())
    assert [line.amount for line in entry.lines] == [-1200, 1200]


@given(any_rows)
def test_each_entry_balances_and_all_of_them_pay_the_total(rows):
    statement = statement_of(rows)
    assert statement.problem() is None
    made = entries(statement, make_setup())
    assert all(sum(line.amount for line in entry.lines) == 0 for entry in made)
    balances = booked(made)
    assert INTERIM not in balances
    assert balances.get(IN_TRANSIT, 0) == statement.header.total
    references = [entry.reference + line.reference for entry in made for line in entry.lines]
    assert len(set(references)) == len(references)


@given(any_rows)
def test_each_category_has_what_its_rows_add_up_to(rows):
    balances = booked(entries(statement_of(rows), make_setup()))
    sums: defaultdict[Category, Decimal] = defaultdict(Decimal)
    for each in rows:
        kind = Classifier().kind(each)
        assert kind
        sums[kind.category] -= each.amount
    apart = {Category.ORDER, Category.REFUND, Category.FACILITATOR_TAX}
    for category in {*Category} - apart:
        assert balances.get(CODES[category], 0) == sums[category]
    together = balances.get(OWED, 0) + balances.get(CODES[Category.FACILITATOR_TAX], 0)
    assert together == sum(sums[category] for category in apart)


@given(any_rows, st.randoms())
def test_the_sequence_of_rows_does_not_matter(rows, generator: random.Random):
    shuffled = list(rows)
    generator.shuffle(shuffled)
    assert entries(statement_of(rows), make_setup()) == entries(
        statement_of(shuffled), make_setup()
    )


@given(st.lists(any_row, min_size=1, max_size=20), st.data())
def test_a_row_that_is_dropped_doubled_or_turned_is_noticed(rows, data):
    total = sum((each.amount for each in rows), Decimal())
    index = data.draw(st.integers(0, len(rows) - 1))
    chosen = rows[index]
    others = [*rows[:index], *rows[index + 1 :]]
    turned = replace(chosen, amount=-chosen.amount)
    for spoiled in (others, [*rows, chosen], [*others, turned]):
        problem = statement_of(spoiled, total).problem()
        assert (problem is None) == (chosen.amount == 0)


def test_unknown_types_are_named_with_their_sums():
    rows = [row("1"), row("2", "NewFee", "ItemFees"), row("3.5", "NewFee", "ItemFees")]
    problem = statement_of(rows).problem()
    assert problem is not None
    assert problem.kind == "settlement_type_unknown"
    assert "Order / ItemFees / NewFee: 5.50 in 2 rows" in problem.reason


def test_unknown_types_can_be_booked_as_other():
    rows = [row("1"), row("2", "NewFee", "ItemFees")]
    statement = statement_of(rows, unknown_is_other=True)
    assert statement.problem() is None
    balances = booked(entries(statement, make_setup()))
    assert balances == {OWED: -1, CODES[Category.OTHER]: -2, IN_TRANSIT: 3}


def test_a_total_that_differs_is_told_first():
    problem = statement_of([row("2", "NewFee", "ItemFees")], Decimal(3)).problem()
    assert problem is not None
    assert problem.kind == "settlement_total_differs"
    assert "-1.00" in problem.reason


@pytest.mark.parametrize("order_id", ["001-0000000-0000001", "999-9999999-9999999"])
def test_order_ids_come_out_as_they_went_in(order_id):
    [entry] = entries(statement_of([row("1", order_id=order_id)]), make_setup())
    assert entry.lines[0].label == order_id
