"""Random settlements with all types of rows, booked by the whole bridge, and tied out."""

import pytest
from settlement_shop import JOB, Books

from amazon_bridge.simulator.money import random_ledger

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", range(3))
def test_odoo_has_what_amazons_books_have(books: Books, seed: int):
    settlements = random_ledger(books.money, seed, orders=15, settlements=3)
    books.bridge.clock.advance(minutes=10)
    assert books.sync()["created"] == len(settlements)
    books.check(*settlements)
    assert books.bridge.quarantine(JOB) == {}


@pytest.mark.parametrize("seed", range(2))
def test_unknown_types_hold_their_settlement_only(books: Books, seed: int):
    settlements = random_ledger(books.money, seed, orders=10, settlements=3, unknown=1)
    books.bridge.clock.advance(minutes=10)
    counts = books.sync()
    held = books.bridge.quarantine(JOB)
    assert held
    assert {entry.kind for entry in held.values()} == {"settlement_type_unknown"}
    assert counts.get("created", 0) + len(held) == len(settlements)
    for key in held:
        assert books.lines(key) == []


@pytest.mark.parametrize("seed", range(2))
def test_each_day_of_a_random_month_the_parts_add_up(books: Books, seed: int):
    for _ in range(3):
        random_ledger(books.money, seed, orders=8, settlements=1)
        books.bridge.clock.advance(hours=6)
        books.sync()
        assert books.tie().parts["unknown"] == 0
        books.ship(2)
        books.bridge.clock.advance(days=3)
        books.sync()
        assert books.tie().parts["unknown"] == 0
