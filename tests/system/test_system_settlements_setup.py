"""What settlements lack in Odoo stops no other job."""

import pytest
from exchange_rates import add_rates
from memory_shop import MemoryShop
from settlement_shop import ON, Books

from amazon_bridge.odoo.paging import plain_rows


@pytest.fixture
def books(here: MemoryShop) -> Books:
    add_rates(here.shop.rpc)
    return Books(here)


def test_a_chart_of_accounts_that_changed_stops_settlements_alone(books: Books):
    with books.bridge.configured(**ON):
        books.ship()
        journal = books.setup.journal_id
        books.shop.rpc("account.journal", "write", [journal], {"active": False})
        settlement = books.close()
        assert len(books.ship()) == 1, "orders go on"
        assert "error" not in books.bridge.sync("pickings")
        error = books.bridge.sync("settlements")["error"]
        assert "the journal Amazon Settlements (archived)" in error
        assert "Run `amazon-bridge setup`" in error
        books.shop.rpc("account.journal", "write", [journal], {"active": True})
        assert books.sync()["created"] == 1
        assert books.lines(settlement.settlement_id)


def test_an_odoo_before_16_books_no_settlements(books: Books, here: MemoryShop):
    here.odoo.release = "15.0"
    manual = {"invoicing": {"mode": "manual", "payment_journal": "Amazon Payments"}}
    with books.bridge.configured(**{**ON, **manual}):
        books.world.place_order("FR", fulfilled_by="AMAZON", status="SHIPPED")
        books.bridge.clock.advance(minutes=10)
        assert books.bridge.sync("orders") == {"seen": 1, "created": 1}
        error = books.bridge.sync("settlements")["error"]
    assert "Odoo 16 or newer, for `settlements` (leave `settlements` off with this one)" in error
    assert "for `invoicing`" not in error


def test_journal_items_are_read_without_names_as_their_version_allows(
    books: Books, here: MemoryShop
):
    found = {}
    with books.bridge.configured(**ON):
        books.ship()
        for release in ("16.0", "17.0"):
            books.bridge.close()
            here.odoo.release = release
            session = books.bridge.app.odoo
            found[release] = list(plain_rows(session, "account.move.line", [], ["move_id"]))
    assert found["16.0"] == found["17.0"]
    assert found["16.0"]
    assert all(isinstance(row["move_id"], int) for row in found["16.0"])
