"""Why an order of a settlement is open, in the words that scripts rely on."""

from datetime import date
from decimal import Decimal

import pytest

from amazon_bridge.flows.settlements.reconcile import OpenOrder
from amazon_bridge.odoo.reconciling import OpenLine

ORDER = "403-1234567-1234567"


def line(amount: str, currency: str = "EUR") -> OpenLine:
    return OpenLine(
        id=1,
        order_id=ORDER,
        is_refund=False,
        residual=Decimal(amount),
        currency=currency,
        date=date(2026, 10, 8),
    )


@pytest.mark.parametrize(
    ("payments", "known", "reason"),
    [
        ((), {"is_imported": False}, "not imported"),
        ((), {}, "not invoiced"),
        ((), {"is_refund": True}, "not invoiced (no credit note)"),
        ((), {"is_invoiced": True}, "differs by 12.50 EUR: its invoice has no open payment"),
        (("12.50",), {}, "not reconciled yet"),
        (("12.0",), {}, "differs by 0.50 EUR"),
        (("7", "6"), {}, "differs by -0.50 EUR"),
    ],
)
def test_the_reason(payments: tuple[str, ...], known: dict[str, bool], reason: str):
    facts = {"is_refund": False, "is_imported": True} | known
    paid = [line(amount) for amount in payments]
    order = OpenOrder(order_id=ORDER, lines=[line("-12.5")], payments=paid, **facts)
    assert order.reason == reason


def test_a_difference_has_the_digits_of_its_currency():
    lines, payments = [line("-1200.0", "JPY")], [line("1000.0", "JPY")]
    order = OpenOrder(ORDER, lines=lines, payments=payments, is_refund=False, is_imported=True)
    assert order.reason == "differs by 200 JPY"
