"""What the settings of settlements change."""

from decimal import Decimal
from typing import Any

import pytest
from memory_shop import MemoryShop
from settlement_shop import JOB, ON, Books, booking

from amazon_bridge.engine.records import State

POST = {"mode": "post"}


def lock(books: Books, day: str) -> None:
    """Lock Odoo's books until this day; empty: open them."""
    [company] = books.shop.search("res.company", [], ["id"])
    books.shop.rpc("res.company", "write", [company["id"]], {"fiscalyear_lock_date": day or False})


def test_a_closed_period_holds_a_settlement_until_it_is_open(here: MemoryShop):
    with booking(here) as books:
        books.ship()
        key = books.close().settlement_id
        books.bridge.clock.advance(days=15)
        lock(books, "2026-11-30")
        assert books.sync()["quarantined"] == 1
        assert books.bridge.quarantine(JOB)[key].kind == "settlement_period_closed"
        assert books.lines(key) == []
        lock(books, "")
        books.bridge.app.ledger.items.retry(key)
        assert books.sync()["created"] == 1


def test_a_closed_period_can_be_booked_on_the_first_open_day(here: MemoryShop):
    with booking(here, settlements={**POST, "closed_period": "next_open"}) as books:
        books.ship()
        key = books.close().settlement_id
        books.bridge.clock.advance(days=15)
        lock(books, "2026-11-30")
        assert books.sync()["created"] == 1
        domain = [("ref", "=", f"settlement_{key}_202611_1")]
        [entry] = books.shop.search("account.move", domain, ["date", "state"])
        assert (entry["date"], entry["state"]) == ("2026-12-01", "posted")


def test_fees_can_wait_for_amazons_invoice(here: MemoryShop):
    with booking(here, settlements={**POST, "fees": "to_invoice"}) as books:
        books.ship()
        books.money.fee("advertising", Decimal("-1.00"))
        key = books.close().settlement_id
        books.sync()
        expected = books.money.expected(key).categories
        fees = [expected.get(each, 0) for each in ("selling fee", "FBA fee", "advertising")]
        assert books.sums(key)[books.setup.fees_to_invoice.account] == -sum(fees)


def test_sales_can_go_to_income_accounts(here: MemoryShop):
    revenue: dict[str, Any] = {
        "invoicing": {"mode": "manual"},
        "settlements": {**POST, "orders": "revenue"},
    }
    with booking(here, **revenue) as books:
        books.ship(2)
        settlement = books.close()
        assert books.tie().parts["unknown"] == 0
        assert books.sync()["created"] == 1
        key = settlement.settlement_id
        sums, setup = books.sums(key), books.setup
        orders = books.money.expected(key).categories["order"]
        assert sums[setup.target("order", "FR").account] == -orders
        assert sums[setup.in_transit.account] == settlement.total
        assert {line["name"] for line in books.lines(key)} & {"Amazon order FR"}
        assert books.tie().parts["unknown"] == 0


def test_settlements_before_a_day_are_left_out(here: MemoryShop):
    with booking(here, settlements={**POST, "since": "2026-11-21"}) as books:
        books.ship()
        first = books.close().settlement_id
        books.bridge.clock.advance(days=2)
        books.ship()
        second = books.close().settlement_id
        assert books.sync()["created"] == 1
        assert books.bridge.state(JOB, first) is State.LEFT_OUT
        assert books.bridge.state(JOB, second) is State.DONE
        assert books.lines(first) == []
    with booking(here, settlements=POST) as books:
        assert books.sync()["created"] == 1
        assert books.bridge.state(JOB, first) is State.DONE
        assert books.lines(first)


@pytest.mark.parametrize("mode", ["post", "draft"])
def test_reconciling_can_be_left_to_people(here: MemoryShop, mode: str):
    with booking(here, settlements={"mode": mode, "reconcile": False}) as books:
        books.ship()
        key = books.close().settlement_id
        books.sync()
        assert not any(line["reconciled"] for line in books.lines(key))
    with booking(here) as books:
        books.sync()
        is_reconciled = any(line["reconciled"] for line in books.lines(key))
        assert is_reconciled == (mode == "post")


def test_a_row_that_cannot_be_read_costs_its_settlement_only(here: MemoryShop):
    with booking(here) as books:
        books.ship()
        first = books.close(publish=False).settlement_id
        books.ship()
        second = books.close(publish=False).settlement_id

        def spoil(rows: list[dict[str, str]]) -> None:
            rows[1]["amount"] = "?"

        books.money.publish(first, second, edit=spoil)
        counts = books.sync()
        assert (counts["created"], counts["quarantined"]) == (1, 1)
        assert books.bridge.quarantine(JOB)[first].kind == "settlement_unreadable"
        assert books.bridge.state(JOB, second) is State.DONE


def test_a_settlement_without_an_id_is_known_by_its_report(here: MemoryShop):
    def spoil(rows: list[dict[str, str]]) -> None:
        for row in rows:
            row["settlement-id"] = ""

    with booking(here) as books:
        books.ship()
        settlement = books.close(publish=False)
        report = books.money.publish(settlement.settlement_id, edit=spoil)
        assert books.sync()["quarantined"] == 1
        assert books.bridge.quarantine(JOB)[report].kind == "settlement_unreadable"
        books.bridge.app.ledger.items.retry(report)
        assert books.sync()["quarantined"] == 1


def test_off_by_default(here: MemoryShop):
    assert ON["settlements"]["mode"] == "post"
    assert here.bridge.sync(JOB) == {}
    assert here.bridge.received("getReports") == []
