"""Amounts of entries: exact in both currencies, taxes included."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from settlement_makers import make_setup

from amazon_bridge.odoo.entry_amounts import Amounts, Line, Rate, computed
from amazon_bridge.odoo.setup import EntryTax, SettlementSetup, Target, TaxShare

VAT = (TaxShare(Decimal(1), Target(50, "VAT")),)
REVERSE = (TaxShare(Decimal(1), Target(50, "VAT")), TaxShare(Decimal(-1), Target(51, "VAT owed")))
TAXES = (
    EntryTax(1, "VAT 19", Decimal(19), VAT, VAT),
    EntryTax(2, "VAT 5.5", Decimal("5.5"), VAT, VAT),
    EntryTax(3, "Reverse charge", Decimal(20), REVERSE, REVERSE),
    EntryTax(4, "Not deductible", Decimal(7), (TaxShare(Decimal(1)),), VAT),
)
DOLLARS = Rate(1)
EUROS = Rate(2, rate=Decimal("0.9173"))
YEN = Rate(3, digits=0, rate=Decimal("151.37"))
OWED, INTERIM, TRANSIT = (Target(id_, str(id_)) for id_ in (10, 11, 12))


def setup(*, rounds_per_line: bool) -> SettlementSetup:
    accounts = {"owed": OWED, "interim": INTERIM, "in_transit": TRANSIT}
    return make_setup(**accounts, currency="USD", rounds_per_line=rounds_per_line)


amounts = st.integers(-99_999, 99_999).filter(bool)
targets = st.sampled_from([Target(20 + n % 2, "fees", tax) for n, tax in enumerate(TAXES)])
taxed = st.lists(st.tuples(targets, amounts), max_size=8)
plain = st.lists(amounts, min_size=1, max_size=40)


def made(rate: Rate, taxed: list[tuple[Target, int]], plain: list[int], *extra: Line) -> list[Line]:
    unit = Decimal(1).scaleb(-rate.digits)
    lines = [Line(f"_f_{n}", t, "fee", a * unit) for n, (t, a) in enumerate(taxed)]
    lines += [Line(f"_o_{n}", OWED, "order", a * unit) for n, a in enumerate(plain)]
    lines += extra
    payout = -sum((line.amount for line in lines), Decimal())
    return [*lines, Line("_payout", TRANSIT, "payout", payout)] if payout else lines


def total(lines: list[Amounts], field: str) -> Decimal:
    return sum((getattr(line, field) for line in lines), Decimal())


rates = st.sampled_from([DOLLARS, EUROS, YEN])


@given(taxed=taxed, plain=plain, rate=rates, per_line=st.booleans())
def test_both_currencies_add_up_to_zero(
    taxed: list[tuple[Target, int]], plain: list[int], rate: Rate, *, per_line: bool
):
    lines = made(rate, taxed, plain)
    found = computed(lines, setup(rounds_per_line=per_line), rate)
    assert total(found, "amount") == total(found, "balance") == 0
    assert all(each.amount * each.balance >= 0 for each in found), "or Odoo refuses it"
    known = {line.reference: line for line in lines}
    for each in found:
        if each.reference in known and not known[each.reference].target.tax:
            assert each.amount == known[each.reference].amount
    if rate is DOLLARS:
        assert all(each.amount == each.balance for each in found)


@given(taxed=taxed, per_line=st.booleans())
def test_a_fee_and_its_tax_are_what_amazon_kept(taxed: list[tuple[Target, int]], *, per_line: bool):
    lines = made(DOLLARS, taxed, [1])
    found = computed(lines, setup(rounds_per_line=per_line), DOLLARS)
    kept = [each for each in found if each.target.account_id in {20, 21, 50, 51}]
    assert total(kept, "amount") == sum(line.amount for line in lines if line.target.tax)


@given(plain.filter(sum), plain)
def test_the_interim_account_is_cleared_in_both_currencies(plain: list[int], others: list[int]):
    booked = setup(rounds_per_line=True)
    orders = made(EUROS, [], plain)[:-1]
    moved = -sum((line.amount for line in orders), Decimal())
    first = computed([*orders, Line("_interim", INTERIM, "interim", moved)], booked, EUROS)
    carried = next(each.balance for each in first if each.reference == "_interim")
    back = Line("_interim", INTERIM, "interim", -moved)
    last = computed(made(EUROS, [], others, back), booked, EUROS, carried)
    assert next(each.balance for each in last if each.reference == "_interim") == -carried
    for entry in (first, last):
        assert total(entry, "amount") == total(entry, "balance") == 0


def test_a_cent_that_no_tax_leaves_is_on_a_line_of_its_own():
    vat = Target(20, "fees", EntryTax(1, "VAT 20", Decimal(20), VAT, VAT))
    found = computed(made(DOLLARS, [(vat, 9)], []), setup(rounds_per_line=True), DOLLARS)
    assert {each.reference: each.amount for each in found} == {
        "_f_0": Decimal("0.08"),
        "_f_0_rounding": Decimal("-0.01"),
        "_payout": Decimal("-0.09"),
        "": Decimal("0.02"),
    }
