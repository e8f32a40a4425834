"""Random settlements with all types of rows, in all forms: read to the cent, or refused."""

import random
from collections.abc import Callable
from decimal import Decimal

import pytest
from figures import FIGURES, SEED, scaled
from ledgers import (
    FORMS,
    Ledger,
    categories_of,
    expected_categories,
    orders_of,
    without_zeros,
)

Rows = list[dict[str, str]]
LEDGERS = scaled(8, 100)
"""Of two settlements each, on average."""


def dropped(rows: Rows, index: int) -> None:
    del rows[index]


def doubled(rows: Rows, index: int) -> None:
    rows.insert(index, dict(rows[index]))


def turned(rows: Rows, index: int) -> None:
    amount = rows[index]["amount"]
    rows[index]["amount"] = amount.removeprefix("-") if amount.startswith("-") else f"-{amount}"


@pytest.mark.parametrize("seed", range(SEED, SEED + LEDGERS))
def test_random_settlements_are_read_to_the_cent(seed: int) -> None:
    with Ledger(seed) as ledger:
        for statement, expected in ledger.read():
            assert statement.problem() is None, statement.problem()
            assert statement.header.total == expected.payout
            assert statement.header.deposit == expected.deposit
            assert statement.header.currency == expected.currency
            assert orders_of(statement, "orders") == without_zeros(expected.owed_orders)
            assert orders_of(statement, "refunds") == without_zeros(expected.owed_refunds)
            assert categories_of(statement) == expected_categories(expected)
            FIGURES["settlements read to the cent"] += 1


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(4, 25)))
def test_random_settlements_are_the_same_however_they_are_written(seed: int) -> None:
    with Ledger(seed, settlements=1) as ledger:
        ((statement, _),) = ledger.read(form=FORMS[0])
        for form in FORMS:
            ((other, _),) = ledger.read(form=form)
            assert (other.rows, other.total) == (statement.rows, statement.total)
            if not form.blank_marketplaces:
                assert other.months == statement.months


@pytest.mark.parametrize("spoil", [dropped, doubled, turned], ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(4, 25)))
def test_a_spoiled_row_is_refused(seed: int, spoil: Callable[[Rows, int], None]) -> None:
    with Ledger(seed, settlements=1) as ledger:
        number = sum(len(event.rows) for event in ledger.settlements[0].events)
        some = range(1, number + 1)
        for index in random.Random(seed).sample(some, min(number, scaled(10, 50))):
            ((statement, _),) = ledger.read(edit=lambda rows, index=index: spoil(rows, index))
            problem = statement.problem()
            assert problem is not None
            assert problem.kind == "settlement_total_differs"
            FIGURES[f"rows {spoil.__name__}, and refused"] += 1


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(4, 25)))
def test_unknown_types_are_named_with_their_sums(seed: int) -> None:
    with Ledger(seed, unknown=3, held=True) as ledger:
        for statement, expected in ledger.read():
            problem = statement.problem()
            assert problem is not None
            assert problem.kind == "settlement_type_unknown"
            named = {each.texts[2]: each.amount for each in statement.unknown}
            assert named["Novelty 0"]
            others = (expected.categories.get(name, Decimal(0)) for name in ("unknown", "other"))
            assert sum(named.values()) - named.get("Commingling VAT", Decimal(0)) == sum(others)
