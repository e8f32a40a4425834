"""Settlements in a real Odoo: what the in-memory one plays."""

from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from bridge import Bridge
from program import SettledWorld
from settlement_shop import JOB, Books, booking
from shop import Shop
from test_system_settlements_differing import (
    test_a_person_corrects_the_invoice_of_an_order_that_differs,
)

from amazon_bridge.flows.settlements.preview import preview
from amazon_bridge.simulator.money import random_ledger

__all__ = ["test_a_person_corrects_the_invoice_of_an_order_that_differs"]
pytestmark = pytest.mark.since_odoo(16, "entries of settlements")


@pytest.fixture
def books(bridge: Bridge, shop: Shop, world: SettledWorld) -> Iterator[Books]:
    here: Any = SimpleNamespace(bridge=bridge, shop=shop, world=world)
    with booking(here) as found:
        yield found


def test_a_settlement_from_preview_to_tie_out(books: Books):
    orders = books.ship(3)
    books.money.refund(orders[0].order_id, Decimal("0.5"))
    books.money.fee("advertising", Decimal("-5.00"))
    assert books.tie().parts["unknown"] == 0
    settlement = books.close(reserve=Decimal("3.00"))
    assert books.tie().parts["unknown"] == 0
    app = books.bridge.app
    found = preview(app.context(app.config.accounts[0], dry_run=True), settlement.settlement_id)
    assert found
    assert found.problem is None
    assert books.sync()["created"] == 1
    lines = books.lines(settlement.settlement_id)
    booked = sorted(
        (line["account_id"][1], line["name"], round(line["amount_currency"], 2)) for line in lines
    )
    assert booked == sorted(
        (line.account, line.label, float(line.amount_currency)) for line in found.lines
    )
    setup = books.setup
    of_orders = [line for line in lines if line["account_id"][0] == setup.owed.account_id]
    assert {line["name"] for line in of_orders if line["reconciled"]} == {
        order.order_id for order in orders
    }
    tie = books.tie()
    assert tie.parts["refunds_open"] == tie.difference != 0
    assert tie.parts["unknown"] == 0
    yesterday = books.tie(books.bridge.clock().date())
    assert yesterday.parts["unknown"] == 0


def test_a_cancelled_entry_has_an_activity_until_it_is_booked(books: Books):
    books.ship()
    key = books.close().settlement_id
    books.sync()
    [entry] = books.entries(key)
    domain = [("res_model", "=", "account.move"), ("res_id", "=", entry["id"])]
    books.shop.rpc("account.move", "button_draft", [entry["id"]])
    books.shop.rpc("account.move", "button_cancel", [entry["id"]])
    assert books.sync()["quarantined"] == 1
    [activity] = books.shop.search("mail.activity", domain, ["note"])
    assert "was cancelled in Odoo" in activity["note"]
    books.shop.rpc("account.move", "button_draft", [entry["id"]])
    books.bridge.app.ledger.items.retry(key)
    assert books.sync()["created"] == 1
    assert books.shop.search("mail.activity", domain, ["note"]) == []


def test_random_settlements(books: Books):
    settlements = random_ledger(books.money, 1, orders=15, settlements=2)
    books.bridge.clock.advance(minutes=10)
    assert books.sync()["created"] == len(settlements)
    assert books.bridge.quarantine(JOB) == {}
    books.check(*settlements)
