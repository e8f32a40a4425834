"""Settlements' lines meet the payments of their orders, and balances are those of Odoo."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from billing import Billing
from exchange_rates import add_rates
from odoo_server.databases import OdooDatabase

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import ItemErrors
from amazon_bridge.odoo import journal_entries, reconciling
from amazon_bridge.odoo.account_balances import by_currency
from amazon_bridge.odoo.journal_entries import Entry, Line
from amazon_bridge.odoo.reconciling import OpenLine
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import SettlementSetup, prepare

pytestmark = [pytest.mark.odoo("both"), pytest.mark.since_odoo(16, "entries of settlements")]

DAY = date(2026, 10, 31)


@pytest.fixture(scope="module")
def journal_and_setup(
    admin: OdooSession, make_account: Callable[..., AccountConfig]
) -> tuple[int, SettlementSetup]:
    account = make_account(
        invoicing={"payment_journal": "Amazon Payments"}, settlements={"mode": "post"}
    )
    found = prepare(admin, account)
    assert found.settlement
    assert found.payment_journal_id
    return found.payment_journal_id, found.settlement


@pytest.fixture(scope="module")
def setup(journal_and_setup: tuple[int, SettlementSetup]) -> SettlementSetup:
    return journal_and_setup[1]


@pytest.fixture(scope="module")
def billing(odoo_database: OdooDatabase, journal_and_setup: tuple[int, SettlementSetup]) -> Billing:
    return Billing(odoo_database, journal_and_setup[0])


def settle(
    session: OdooSession,
    setup: SettlementSetup,
    number: str,
    lines: dict[str, str],
    day: date = DAY,
) -> str:
    """Post a settlement of these lines: suffix and amount."""
    made = [Line(s, setup.owed, s.removeprefix("_o_"), Decimal(a)) for s, a in lines.items()]
    payout = -sum((line.amount for line in made), Decimal())
    made.append(Line("_payout", setup.in_transit, "Payout", payout))
    entry = Entry(f"settlement_{number}_{day:%Y%m}_1", day, "USD", tuple(made))
    [booked] = journal_entries.create(session, setup, [entry]).values()
    journal_entries.post(session, [booked.id])
    return entry.reference


def open_orders(
    session: OdooSession, setup: SettlementSetup, until: date | None = None
) -> dict[tuple[str, bool], OpenLine]:
    pages = reconciling.open_lines(session, setup, until=until)
    return {(line.order_id, line.is_refund): line for page in pages for line in page}


def test_orders_meet_their_own_payments(
    biller: OdooSession, setup: SettlementSetup, billing: Billing, odoo_database: OdooDatabase
):
    amounts = {
        "10.00": "2026-10-22",
        "20.00": "2026-10-20",
        "15.00": "2026-10-20",
        "7.00": "2026-10-21",
    }
    orders = {billing.paid_order(float(amount), day): amount for amount, day in amounts.items()}
    settle(biller, setup, "1", {f"_o_{order}": f"-{amount}" for order, amount in orders.items()})
    lines = open_orders(biller, setup)
    paid = reconciling.payments(biller, setup, [*orders, "403-0000000-0000000"])
    assert paid.keys() == orders.keys()
    groups = [[lines[order, False], *paid[order]] for order in orders]
    assert [sum(line.residual for line in group) for group in groups] == [0] * len(groups)
    calls = biller.calls["account.move.line", "reconcile"]
    reconciling.reconcile(biller, groups)
    reconciling.reconcile(biller, groups)
    assert biller.calls["account.move.line", "reconcile"] - calls <= 6
    assert open_orders(biller, setup) == {}
    assert all(not each for each in reconciling.payments(biller, setup, list(orders)).values())
    domain = [("debit_move_id", "in", [group[1].id for group in groups])]
    fields = ["debit_move_id", "credit_move_id"]
    rows = odoo_database.rpc("account.partial.reconcile", "search_read", domain, fields)
    pairs = {row["debit_move_id"][0]: row["credit_move_id"][0] for row in rows}
    assert pairs == {group[1].id: group[0].id for group in groups}, "each with its own"
    invoices = odoo_database.rpc(
        "account.move", "search_read", [("move_type", "=", "out_invoice")], ["payment_state"]
    )
    assert {row["payment_state"] for row in invoices} == {"paid"}


def test_what_differs_keeps_the_rest(biller: OdooSession, setup: SettlementSetup, billing: Billing):
    order = billing.paid_order(30)
    entry = settle(biller, setup, "2", {f"_o_{order}": "-29.00"})
    line = open_orders(biller, setup)[order, False]
    assert (line.entry, line.residual, line.currency) == (entry, Decimal("-29.00"), "USD")
    reconciling.reconcile(biller, [[line, *reconciling.payments(biller, setup, [order])[order]]])
    assert (order, False) not in open_orders(biller, setup)
    [rest] = reconciling.payments(biller, setup, [order])[order]
    assert (rest.residual, rest.is_refund) == (Decimal("1.00"), False)


def test_a_refund_stays_open_until_its_credit_note_is_paid(
    biller: OdooSession, setup: SettlementSetup, billing: Billing
):
    order, id_ = billing.order(40)
    invoice = billing.invoice(id_)
    billing.pay(invoice)
    settle(biller, setup, "3", {f"_o_{order}": "-40.00", f"_r_{order}": "40.00"})
    assert reconciling.invoiced(biller, setup, [order]) == {(order, False)}
    lines = open_orders(biller, setup)
    [payment] = reconciling.payments(biller, setup, [order])[order]
    reconciling.reconcile(biller, [[lines[order, False], payment]])
    assert open_orders(biller, setup).keys() == {(order, True)}
    credit = billing.credit(invoice)
    assert reconciling.invoiced(biller, setup, [order]) == {(order, False), (order, True)}
    billing.pay(credit, day="2026-10-25")
    [refund] = reconciling.payments(biller, setup, [order])[order]
    assert (refund.residual, refund.is_refund) == (Decimal("-40.00"), True)
    reconciling.reconcile(biller, [[open_orders(biller, setup)[order, True], refund]])
    assert open_orders(biller, setup) == {}


def test_orders_without_an_invoice_or_outside_of_odoo(
    biller: OdooSession, setup: SettlementSetup, billing: Billing
):
    order, id_ = billing.order(50)
    unpaid = billing.order(60)
    billing.invoice(unpaid[1])
    assert reconciling.invoiced(biller, setup, [order, "403-9999999-9999999"]) == set()
    assert reconciling.payments(biller, setup, [order, unpaid[0], "403-9999999-9999999"]) == {
        order: [],
        unpaid[0]: [],
    }
    other, other_id = billing.order(55)
    billing.pay(billing.invoice(id_), billing.invoice(other_id), group=True)
    found = reconciling.payments(biller, setup, [order, other])
    assert [line.residual for each in (order, other) for line in found[each]] == [105, 105]


def test_an_order_whose_reference_a_person_changed(
    biller: OdooSession, setup: SettlementSetup, billing: Billing
):
    key = "403-5555555-5555555"
    fields = ["id", "client_order_ref", "origin", "partner_id/.id"]
    row = [f"amazon_bridge.sale_order_{key}", key, f"Amazon Order {key}", str(billing.partner)]
    [id_] = biller.load("sale.order", fields, [row])
    billing.rpc("sale.order", "write", [id_], {"client_order_ref": "PO 4711"})
    copy = {"partner_id": billing.partner, "origin": f"Amazon Order {key}"}
    billing.rpc("sale.order", "create", copy)
    assert reconciling.payments(biller, setup, [key]) == {key: []}


def test_a_refusal_names_its_order(biller: OdooSession, setup: SettlementSetup, billing: Billing):
    orders = [billing.paid_order(amount) for amount in (11, 12)]
    settle(biller, setup, "4", {f"_o_{orders[0]}": "-11.00", f"_o_{orders[1]}": "-12.00"})
    lines, paid = open_orders(biller, setup), reconciling.payments(biller, setup, orders)
    [receivable] = biller.search_read(
        "account.move.line",
        [("account_id.account_type", "=", "asset_receivable"), ("reconciled", "=", False)],
        ["balance"],
        limit=1,
    )
    good = [lines[orders[0], False], *paid[orders[0]]]
    bad = lines[orders[1], False]
    wrong = OpenLine(receivable["id"], orders[1], False, -bad.residual, "USD", DAY)  # noqa: FBT003
    with pytest.raises(ItemErrors) as caught:
        reconciling.reconcile(biller, [good, [bad, wrong]])
    assert caught.value.errors.keys() == {orders[1]}
    assert open_orders(biller, setup).keys() == {(orders[1], False)}
    reconciling.reconcile(biller, [[bad, *paid[orders[1]]]])


def test_balances_and_open_lines_as_of_a_day(
    biller: OdooSession, setup: SettlementSetup, billing: Billing
):
    before = by_currency(biller, [setup.owed.account_id])["USD"][setup.owed.account_id]
    order = billing.paid_order(70, day="2026-11-03")
    settle(biller, setup, "5", {f"_o_{order}": "-70.00"}, date(2026, 11, 2))
    line = open_orders(biller, setup)[order, False]
    reconciling.reconcile(biller, [[line, *reconciling.payments(biller, setup, [order])[order]]])
    assert open_orders(biller, setup) == {}
    day = date(2026, 11, 2)
    assert open_orders(biller, setup, day).keys() == {(order, False)}
    assert open_orders(biller, setup, day)[order, False].residual == -70
    assert reconciling.payments(biller, setup, [order], until=day) == {order: []}
    after = date(2026, 11, 3)
    assert order not in open_payments(biller, setup, day)
    assert order not in open_payments(biller, setup, after)
    assert open_orders(biller, setup, date(2026, 11, 1)) == {}
    assert open_orders(biller, setup, date(2026, 11, 3)) == {}
    owed = setup.owed.account_id
    assert by_currency(biller, [owed])["USD"][owed] == before
    assert by_currency(biller, [owed], day)["USD"][owed] == before - 70
    assert by_currency(biller, [setup.reserve.account_id]) == {}


def open_payments(
    session: OdooSession, setup: SettlementSetup, until: date | None = None
) -> dict[str, OpenLine]:
    pages = reconciling.open_payments(session, setup, until=until)
    return {line.order_id: line for page in pages for line in page}


def test_payments_that_wait_for_their_settlement(
    biller: OdooSession, setup: SettlementSetup, billing: Billing
):
    order = billing.paid_order(80, day="2026-11-10")
    found = open_payments(biller, setup)[order]
    assert [found] == reconciling.payments(biller, setup, [order])[order]
    assert (found.residual, found.date) == (80, date(2026, 11, 10))
    assert order not in open_payments(biller, setup, date(2026, 11, 9))
    settle(biller, setup, "6", {f"_o_{order}": "-80.00"}, date(2026, 11, 20))
    reconciling.reconcile(biller, [[open_orders(biller, setup)[order, False], found]])
    assert order not in open_payments(biller, setup)
    before = date(2026, 11, 19)
    assert open_payments(biller, setup, before)[order].residual == 80
    assert reconciling.payments(biller, setup, [order], until=before)[order][0].residual == 80


def test_foreign_orders_meet_their_payments_in_spite_of_rates(
    biller: OdooSession, setup: SettlementSetup, odoo_database: OdooDatabase
):
    rpc = odoo_database.rpc
    add_rates(rpc, {"2026-10-01": 0.9, "2026-10-25": 0.95})
    amounts = [Decimal("10.01"), Decimal("33.33"), Decimal("20.55")]

    def book(number: str, day: date, sign: int) -> list[OpenLine]:
        lines = [
            Line(f"_o_403-777777{n}-7777777", setup.owed, "order", sign * amount)
            for n, amount in enumerate(amounts)
        ]
        lines.append(Line("_x", setup.reserve, "rest", -sign * sum(amounts, Decimal())))
        entry = Entry(f"settlement_{number}_202610_1", day, "EUR", tuple(lines))
        [booked] = journal_entries.create(biller, setup, [entry]).values()
        journal_entries.post(biller, [booked.id])
        found = [line for page in reconciling.open_lines(biller, setup) for line in page]
        own = [line for line in found if line.entry == entry.reference]
        return sorted(own, key=lambda line: line.order_id)

    payments = book("7", date(2026, 10, 10), 1)
    groups = list(zip(book("8", date(2026, 10, 31), -1), payments, strict=True))
    assert all(
        a.residual + b.residual == 0 != a.company_residual + b.company_residual for a, b in groups
    )
    reconciling.reconcile(biller, groups)
    assert open_orders(biller, setup) == {}
    domain = [("debit_move_id", "in", [debit.id for _, debit in groups])]
    fields = ["debit_move_id", "credit_move_id"]
    rows = rpc("account.partial.reconcile", "search_read", domain, fields)
    pairs = {(row["debit_move_id"][0], row["credit_move_id"][0]) for row in rows}
    assert pairs >= {(debit.id, credit.id) for credit, debit in groups}
    assert by_currency(biller, [setup.owed.account_id])["EUR"] == {setup.owed.account_id: 0}
    domain = [("account_id", "=", setup.owed.account_id), ("currency_id.name", "=", "EUR")]
    rows = rpc("account.move.line", "search_read", domain, ["balance"])
    assert round(sum(row["balance"] for row in rows), 2) == 0, "exchange differences are booked"
