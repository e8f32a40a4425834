"""Balances, transactions, summaries and settlement reports of a simulated seller."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from seller_desk import SELLER_ID

from amazon_bridge.amazon.finances import Balances, TransactionStatus
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.amazon.settlements import Header
from amazon_bridge.simulator import ManualClock, Simulator, World
from amazon_bridge.simulator.money import FileForm

FRANCE, GERMANY = "A13V1IB3VIYZZH", "A1PA6795UKMFR9"


@pytest.fixture
def orders(simulator: Simulator, world: World, clock: ManualClock) -> list[str]:
    """Two shipped orders and their fees."""
    placed = [world.place_order(country=country).order_id for country in ("FR", "DE")]
    for order_id in placed:
        clock.advance(hours=1)
        world.ship(order_id)
    simulator.money.fee("subscription", Decimal("-1.00"), country="FR")
    clock.advance(minutes=10)
    return placed


def test_balances_are_those_of_amazons_own_books(
    partner: SellingPartner, simulator: Simulator, orders: list[str], clock: ManualClock
) -> None:
    simulator.money.settings.defer_days = 7
    simulator.money.shipment(orders[0])
    simulator.money.close(reserve=Decimal("12.34"))
    clock.advance(hours=1)
    expected = simulator.money.balances()
    assert partner.finances.balances() == {
        "EUR": Balances(
            expected.total,
            expected.available,
            expected.reserved,
            expected.deferred,
            expected.account_level_reserve,
        )
    }
    assert expected.deferred > 0
    assert expected.account_level_reserve == Decimal("12.34")


@pytest.mark.usefixtures("orders")
def test_balances_of_a_day_and_of_a_marketplace(
    partner: SellingPartner, simulator: Simulator, clock: ManualClock
) -> None:
    day = clock().date()
    clock.advance(days=2)
    simulator.money.fee("advertising", Decimal("-5.00"), country="DE")
    then, now = partner.finances.balances(day), partner.finances.balances()
    assert then["EUR"].total - now["EUR"].total == Decimal("5.00")
    assert partner.finances.balances(date(2026, 11, 1)).get("EUR", Balances()).total == 0
    parts = [partner.finances.balances(marketplace_ids=[each]) for each in (FRANCE, GERMANY)]
    assert sum(part["EUR"].total for part in parts) == now["EUR"].total


def test_transactions_of_a_period(
    partner: SellingPartner, simulator: Simulator, orders: list[str], clock: ManualClock
) -> None:
    settlement = simulator.money.close()
    clock.advance(minutes=10)
    found = list(
        partner.finances.transactions(clock() - timedelta(days=200), clock() - timedelta(minutes=3))
    )
    assert len(simulator.received("listTransactions")) == 2
    paid = [each for each in found if each.transaction_type != "Transfer"]
    assert [each.order_id for each in paid] == [*orders, ""]
    assert {each.settlement_id for each in paid} == {settlement.settlement_id}
    assert sum(each.amount for each in paid) == settlement.total
    assert {each.currency for each in paid} == {"EUR"}
    assert paid[1].marketplace_id == GERMANY


def test_transactions_of_a_status(
    partner: SellingPartner, simulator: Simulator, orders: list[str], clock: ManualClock
) -> None:
    simulator.money.settings.defer_days = 7
    simulator.money.shipment(orders[0])
    clock.advance(minutes=10)
    since, before = clock() - timedelta(days=2), clock() - timedelta(minutes=3)
    deferred = list(partner.finances.transactions(since, before, TransactionStatus.DEFERRED))
    assert [each.order_id for each in deferred] == [orders[0]]


def test_more_transactions_than_a_page_holds(
    partner: SellingPartner, simulator: Simulator, clock: ManualClock
) -> None:
    for _ in range(501):
        simulator.money.fee("advertising", Decimal("-0.01"))
    clock.advance(minutes=10)
    since, before = clock() - timedelta(days=1), clock() - timedelta(minutes=3)
    assert len(list(partner.finances.transactions(since, before))) == 501


@pytest.mark.usefixtures("orders")
def test_a_summary_of_a_settlement(partner: SellingPartner, simulator: Simulator) -> None:
    settlement = simulator.money.close()
    assert partner.finances.summary(settlement.settlement_id) == {"EUR": settlement.total}
    assert partner.finances.summary("12345") == {}


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize(
    "form",
    [
        FileForm(),
        FileForm(dates="dots", decimal_comma=True, charset="cp1252"),
        FileForm(bom=True),
        FileForm(dates="slashes", currency_in_all_rows=True, blank_marketplaces=True),
        FileForm(absent_columns=("posted-date-time", "promotion-id"), line_end="\r\n"),
    ],
)
def test_a_settlement_in_any_form(
    partner: SellingPartner, simulator: Simulator, form: FileForm, clock: ManualClock
) -> None:
    settlement = simulator.money.close(form=form)
    [report] = partner.settlement_reports.created_since(clock() - timedelta(days=1))
    document_id = report.document_id or ""
    section = next(partner.settlement_reports.read(document_id, report.marketplace_ids))
    header = section.header
    assert isinstance(header, Header)
    assert (header.total, header.currency) == (settlement.total, "EUR")
    assert (header.settlement_id, header.deposit) == (settlement.settlement_id, settlement.deposit)
    rows = list(section.rows)
    assert sum(row.amount for row in rows) == settlement.total
    assert {row.posted for row in rows} == {row_day(simulator)}


def row_day(simulator: Simulator) -> date:
    [settlement] = simulator.money.settlements(simulator.world.sellers[SELLER_ID])
    [day] = {event.posted.date() for event in settlement.events}
    return day
