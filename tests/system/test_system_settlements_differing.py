"""Orders whose payments and settlements differ: a person corrects them, and a run clears them."""

from decimal import Decimal

from billing import Billing
from settlement_shop import JOB, Books


def billing_of(books: Books) -> Billing:
    app = books.bridge.app
    journal_id = app.context(app.config.accounts[0]).setup.payment_journal_id
    assert journal_id
    return Billing(books.shop.database, journal_id)


def take_back(books: Books, order_id: str, amount: Decimal) -> None:
    """Amazon takes an amount off the sale, which is no refund."""
    row = ("Order", "ItemPrice", "Principal", -amount)
    books.money.post([row], order_id=order_id, country="FR")


def test_a_person_corrects_the_invoice_of_an_order_that_differs(books: Books):
    [order] = books.ship()
    take_back(books, order.order_id, Decimal("2.00"))
    key = books.close().settlement_id
    books.sync()
    assert books.reasons(key) == [(order.order_id, "differs by -2.00 EUR")]
    assert books.sync() == {}
    billing_of(books).credit_and_pay(order.order_id, amount=2.0)
    books.sync()
    assert books.reasons(key) == []
    assert books.tie().parts["unknown"] == 0


def test_a_sale_that_amazon_took_back_later_meets_its_credit_note(books: Books):
    [order] = books.ship()
    settlement = books.close()
    books.sync()
    [worth] = books.money.expected(settlement.settlement_id).owed_orders.values()
    take_back(books, order.order_id, worth)
    key = books.close().settlement_id
    books.sync()
    assert books.reasons(key)[0][0] == order.order_id
    billing_of(books).credit_and_pay(order.order_id)
    books.sync()
    assert books.reasons(key) == []
    assert books.bridge.quarantine(JOB) == {}
    assert books.tie().parts["unknown"] == 0
