"""Unit prices against manual calculations. Odoo's own: tests/odoo/test_totals.py."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.prices import largest_rounding, unit_price
from amazon_bridge.odoo.taxes import DIVISION, FIXED, GROUP, PERCENT, Tax, flattened, line_total

CENT = Decimal("0.01")
RATES = st.sampled_from(["2.1", "5.5", "7.7", "8.875", "19", "20"])


def tax(amount: str, kind: str = PERCENT, **more: object) -> Tax:
    return replace(Tax(1, "VAT", kind, Decimal(amount)), **more)


INCLUDED, ON_TOP = tax("20", included=True), tax("20")
ECO = tax("0.10", FIXED, id=2, sequence=2)


@pytest.mark.parametrize(
    ("total", "quantity", "taxes", "price"),
    [
        ("10.00", 3, [], "3.3333333333"),
        ("10.00", 3, [INCLUDED], "3.3333333333"),
        ("12.00", 2, [ON_TOP], "5"),
        ("-12.00", 1, [ON_TOP], "-10"),
        ("12.30", 3, [ON_TOP, ECO], "3.3333333333"),
        ("-12.10", 1, [ON_TOP, ECO], "-10"),
        ("100.00", 1, [tax("10", DIVISION)], "90"),
        ("100.00", 1, [tax("10", DIVISION, included=True)], "100"),
        ("121.00", 1, [tax("10", affects_next=True), tax("10", id=2)], "100"),
        ("120.00", 1, [tax("10", affects_next=True), tax("10", id=2, affected=False)], "100"),
        ("110.00", 1, [tax("10"), tax("10", id=2, reversed=True)], "100"),
        ("130.00", 1, [tax("0", GROUP, children=(tax("10"), tax("20", id=2)))], "100"),
        ("100.00", 1, [tax("-10", included=True), tax("30", id=2, included=True)], "100"),
    ],
)
def test_the_price_results_in_the_total(total, quantity, taxes, price):
    assert unit_price(Decimal(total), quantity, taxes) == Decimal(price)


@pytest.mark.parametrize("quantity", [1, 3])
@given(
    cents=st.integers(1, 10**7),
    rates=st.lists(RATES, max_size=3),
)
def test_rounding_per_line_costs_a_cent_or_two_at_most(quantity, cents, rates):
    taxes = [tax(rate, id=number) for number, rate in enumerate(rates)]
    total = cents * CENT
    base = unit_price(total, quantity, taxes, unit=CENT) * quantity
    missed = abs(line_total(base, quantity, taxes, CENT) - total)
    assert missed <= (CENT if len(rates) < 3 else 2 * CENT)


@given(cents=st.integers(-(10**7), 10**7), rate=RATES)
def test_a_tax_in_the_price_costs_nothing(cents, rate):
    total, taxes = cents * CENT, [tax(rate, included=True)]
    base = unit_price(total, 1, taxes, unit=CENT)
    assert line_total(base, 1, taxes, CENT) == total


def test_a_neighbour_results_in_the_total_where_the_nearest_price_does_not():
    taxes = [tax("5"), tax("7.5", id=2)]
    nearest = round(Decimal("0.50") / Decimal("1.125"), 2)
    assert line_total(nearest, 1, taxes, CENT) != Decimal("0.50")
    price = unit_price(Decimal("0.50"), 1, taxes, unit=CENT)
    assert line_total(price, 1, taxes, CENT) == Decimal("0.50")


def test_a_tax_that_only_odoo_can_compute_is_named():
    with pytest.raises(ItemError, match="'Sugar tax' has the computation type") as caught:
        unit_price(Decimal(10), 1, [tax("0", "code", name="Sugar tax")])
    assert caught.value.kind == "unsupported_tax"


@pytest.mark.parametrize("taxes", [[tax("5", FIXED)], [tax("-100")]])
def test_a_total_that_no_price_results_in_is_refused(taxes):
    with pytest.raises(ItemError, match=r"no price gives the total 2\.00") as caught:
        unit_price(Decimal("2.00"), 1, taxes)
    assert caught.value.kind == "unreachable_total"


def test_taxes_are_reckoned_in_the_sequence_of_their_group():
    late, early = tax("1", id=3, sequence=9), tax("1", id=4, sequence=1)
    group = tax("0", GROUP, id=5, sequence=2, children=(late, early))
    assert [each.id for each in flattened([tax("1", id=6, sequence=3), group])] == [4, 3, 6]


TAX_LISTS = st.lists(
    st.builds(
        lambda rate, id_, included: tax(rate, id=id_, included=included),
        RATES,
        st.integers(1, 10**6),
        st.booleans(),
    ),
    max_size=3,
    unique_by=lambda each: each.id,
)


@given(
    cents=st.integers(1, 10**6), quantity=st.integers(1, 200), taxes=TAX_LISTS, digits=st.just(2)
)
def test_rounding_never_takes_a_total_further_than_said(cents, quantity, taxes, digits):
    """With the two digits that Odoo keeps of a unit price before its version 19."""
    total = cents * CENT
    price = round(unit_price(total, quantity, taxes, unit=CENT), digits)
    missed = abs(line_total(price * quantity, quantity, taxes, CENT) - total)
    assert missed <= largest_rounding(Decimal(quantity), taxes, unit=CENT, digits=digits)


@pytest.mark.parametrize(
    ("quantity", "taxes", "digits", "most"),
    [
        (1, [], None, "0.005"),
        (1, [ON_TOP], None, "0.012"),  # half a cent twice, taxed
        (1, [INCLUDED], 2, "0.015"),
        (10, [ON_TOP], 2, "0.072"),
        (100, [ON_TOP], 4, "0.018"),
    ],
)
def test_how_far_rounding_takes_a_total(quantity, taxes, digits, most):
    found = largest_rounding(Decimal(quantity), taxes, unit=CENT, digits=digits)
    assert found == Decimal(most)
