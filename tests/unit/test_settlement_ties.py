"""How the difference between Amazon's balance and Odoo's is explained."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.flows.settlements.ties import PARTS, Findings, Side, parts_of

TODAY, LONG_AGO = date(2026, 11, 20), date(2026, 11, 1)
RECENT = date(2026, 11, 18)
ORDER, REFUND = ("171-1234567-1234567", False), ("171-1234567-1234567", True)

amounts = st.decimals(-1000, 1000, places=2)


def parts(difference: str, found: Findings) -> dict[str, Decimal]:
    made = parts_of(found, Decimal(difference), RECENT)
    assert sum(made.values()) == Decimal(difference)
    return {name: amount for name, amount in made.items() if amount}


def of_side(key: tuple[str, bool], difference: str, side: Side) -> dict[str, Decimal]:
    found = Findings()
    found.sides[key] = side
    return parts(difference, found)


def d(amount: str) -> Decimal:
    return Decimal(amount)


def test_an_order_that_is_paid_in_odoo_is_open_by_its_fees():
    side = Side(unsettled=d("85"), payments=d("100"), paid=TODAY)
    assert of_side(ORDER, "-15", side) == {"open_statement": -15}
    assert of_side(ORDER, "-15", Side(d("85"), True, payments=d("100"))) == {"deferred": -15}  # noqa: FBT003


def test_an_order_without_an_invoice():
    assert of_side(ORDER, "85", Side(unsettled=d("85"))) == {"not_invoiced": 85}
    assert of_side(ORDER, "100", Side(lines=d("-100"))) == {"not_invoiced": 100}


def test_a_refund_without_a_credit_note():
    assert of_side(REFUND, "-80", Side(unsettled=d("-80"))) == {"refunds_open": -80}
    assert of_side(REFUND, "-80", Side(lines=d("80"))) == {"refunds_open": -80}


def test_a_refund_with_a_credit_note():
    side = Side(unsettled=d("-80"), payments=d("-100"), paid=TODAY)
    assert of_side(REFUND, "20", side) == {"open_statement": 20}


def test_a_payment_that_amazon_does_not_know_is_unknown_after_two_days():
    recent = Side(payments=d("100"), paid=RECENT)
    assert of_side(ORDER, "-100", recent) == {"open_statement": -100}
    old = Side(payments=d("100"), paid=LONG_AGO)
    assert of_side(ORDER, "-100", old) == {"unknown": -100}


def test_a_payment_that_differs_from_the_settlement_is_unknown():
    side = Side(lines=d("-100"), payments=d("99"), paid=TODAY)
    assert of_side(ORDER, "1", side) == {"unknown": 1}


def test_a_part_of_an_order_is_settled_and_the_other_is_not():
    side = Side(unsettled=d("40"), lines=d("-50"), payments=d("100"), paid=TODAY)
    assert of_side(ORDER, "-10", side) == {"open_statement": -10}


def test_what_is_of_no_order():
    found = Findings(others=d("-39"), others_deferred=d("5"), interim=d("7"), paid_later=d("3"))
    assert parts("-24", found) == {"open_statement": -29, "deferred": 5}


def test_payouts_that_are_not_deposited_explain_exactly_their_sum():
    found = Findings(undeposited=d("500"))
    assert parts("500", found) == {"in_transit": 500}
    assert parts("501", found) == {"unknown": 501}
    assert parts("0", found) == {}


def test_without_invoices_nothing_is_called_not_invoiced():
    found = Findings(is_invoiced=False)
    found.sides[ORDER] = Side(unsettled=d("85"))
    assert parts("85", found) == {"open_statement": 85}


@given(
    amounts,
    st.lists(
        st.tuples(st.text("12", min_size=1, max_size=3), st.booleans(), amounts, amounts, amounts)
    ),
    amounts,
    amounts,
)
def test_the_parts_always_add_up(difference, sides, others, undeposited):
    found = Findings(others=others, undeposited=undeposited)
    for order_id, is_refund, unsettled, lines, payments in sides:
        found.sides[order_id, is_refund] = Side(unsettled, lines=lines, payments=payments)
    made = parts_of(found, difference, RECENT)
    assert sum(made.values()) == difference
    assert set(made) - {"in_transit"} == set(PARTS)


@pytest.mark.parametrize("is_refund", [False, True])
def test_what_is_explained_leaves_nothing_unknown(is_refund):
    found = Findings()
    for number in range(5):
        found.sides[str(number), is_refund] = Side(unsettled=d("10"), payments=d("9"))
    assert parts("5", found) == {"open_statement": 5}
