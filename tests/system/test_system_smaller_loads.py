"""What jobs besides the import write in smaller calls where Odoo or a proxy takes no more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from xmlrpc.client import ProtocolError

import pytest
from memory_shop import MemoryShop, imported, place
from settlement_shop import Books

from amazon_bridge.engine.errors import AccountError
from amazon_bridge.flows import notices
from amazon_bridge.odoo import notes, session
from amazon_bridge.odoo.notes import Note
from amazon_bridge.simulator import Line, Order

pytestmark = pytest.mark.slow

LIMIT = 3
"""Records in a load that are not too many."""

Refuse = Callable[[int], None]
"""Raises if so many records in a load are too many."""


def too_large(number: int) -> None:
    if number > LIMIT:
        raise ProtocolError("127.0.0.1/xmlrpc/2/object", 413, "Request Entity Too Large", {})


def none_at_all(number: int) -> None:
    too_large(LIMIT + number)


def too_slow(number: int) -> None:
    if number > LIMIT:
        raise TimeoutError


def silent(number: int) -> None:
    raise TimeoutError


def welcome(number: int) -> None:
    """Any number is taken."""


@contextmanager
def loads(here: MemoryShop, model: str, refuse: Refuse = welcome) -> Iterator[list[int]]:
    """The number of records in each load of a model, also of those that are refused."""
    sizes: list[int] = []
    execute = here.odoo.execute_kw

    def execute_kw(*call: Any) -> Any:
        if call[3:5] == (model, "load"):
            rows = call[5][1] if call[5] else call[6]["data"]  # JSON-2 names all arguments
            sizes.append(sum(bool(row[0]) for row in rows))  # further lines have no id
            refuse(sizes[-1])
        return execute(*call)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(here.odoo, "execute_kw", execute_kw)
        yield sizes


def tried(sizes: list[int]) -> list[tuple[int, bool]]:
    """Successive sizes, and whether a load of that size was repeated."""
    return [(size, len(list(same)) > 1) for size, same in groupby(sizes)]


# Invoices


@pytest.mark.parametrize("refuse", [too_large, too_slow])
def test_invoices_are_created_in_batches_of_the_size_that_odoo_takes(
    here: MemoryShop, refuse: Refuse
) -> None:
    with here.bridge.configured(invoicing={"mode": "on_delivery"}):
        orders = place(here, 12, fulfilled_by="AMAZON")
        size = here.bridge.app._batch_size
        while size.next() > 2 * LIMIT:
            size.halve()
        with loads(here, "account.move", refuse) as sizes:
            here.run("orders")
        assert tried(sizes) == [(2 * LIMIT, refuse is too_slow), (LIMIT, True)]
        assert len(sizes) - sizes.index(LIMIT) == len(orders) / LIMIT
        invoices = here.shop.search("account.move", [("move_type", "=", "out_invoice")], ["ref"])
        assert sorted(row["ref"] for row in invoices) == sorted(o.order_id for o in orders)
        assert here.bridge.quarantine("invoices") == {}


# Settlements


def test_an_entry_that_is_too_large_waits_for_the_proxy(books: Books, here: MemoryShop) -> None:
    books.ship(LIMIT)
    settlement_id = books.close().settlement_id
    with loads(here, "account.move", none_at_all) as sizes:
        assert books.sync() == {"seen": 1, "quarantined": 1}
    assert sizes == [1], "it is not divided"
    entry = here.bridge.quarantine("settlements")[settlement_id]
    assert entry.kind == "odoo_refused"
    assert "client_max_body_size" in (entry.remedy or "")
    here.bridge.app.ledger.items.retry(settlement_id)
    assert books.sync()["created"] == 1
    assert here.bridge.quarantine("settlements") == {}


# Retention


@pytest.fixture
def old(here: MemoryShop) -> list[Order]:
    orders = place(here, 5, fulfilled_by="AMAZON")
    here.run("orders")
    here.clock.advance(days=40)
    return orders


def anonymise(here: MemoryShop) -> tuple[int, list[str]]:
    result = here.bridge.app.housekeeping.anonymise(timedelta(days=30))
    return result.anonymised, list(result.kept.values())


@pytest.mark.parametrize("refuse", [too_large, too_slow])
def test_customers_are_anonymised_singly_if_all_together_are_too_many(
    here: MemoryShop, old: list[Order], refuse: Refuse
) -> None:
    with loads(here, "res.partner", refuse) as sizes:
        assert anonymise(here) == (len(old), [])
    assert max(sizes) > LIMIT >= sizes[-1]
    assert anonymise(here) == (0, []), "they are anonymous"


def test_customers_stay_as_they_are_while_odoo_does_not_respond(
    here: MemoryShop, old: list[Order]
) -> None:
    with (
        loads(here, "res.partner", silent) as sizes,
        pytest.raises(AccountError, match="no response in time"),
    ):
        anonymise(here)
    assert len(sizes) == 4, "all of them, and three alone"
    assert anonymise(here) == (len(old), [])


# Notes and activities


NOTE = Note("counted", "Amazon: many", "There are many of these.")


def test_notes_and_activities_are_written_page_by_page(
    here: MemoryShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = place(here, 7)
    here.run("orders")
    ids = [here.shop.sale_order(order)["id"] for order in orders]
    about = [((notes.SALE_ORDER, id_), NOTE) for id_ in ids]
    (account,) = here.bridge.app.config.accounts
    context = here.bridge.app.context(account)
    here.odoo.protect((notes.SALE_ORDER, ids[1]), (notes.SALE_ORDER, ids[6]))
    monkeypatch.setattr(session, "PAGE", 3)
    with loads(here, "mail.activity") as sizes:
        refused = notices.remind(context, about)
    assert {id_ for _, id_ in refused} == {ids[1], ids[6]}
    assert max(sizes) == 3
    noted = [id_ for id_ in ids if NOTE.subject in here.shop.notes(notes.SALE_ORDER, id_)]
    assert noted == [id_ for id_ in ids if id_ not in {ids[1], ids[6]}]


# Refusals


def test_refused_orders_keep_no_other_where_batches_are_small(here: MemoryShop) -> None:
    refused, good = [], []
    for _ in range(3):  # whichever order Amazon shows first
        refused += place(here, lines=[Line(sku="UNION-SELECT", price=Decimal(9))])
        here.clock.advance(minutes=1)
        good += place(here)
        here.clock.advance(minutes=1)
    refused += place(here, lines=[Line(sku="UNION-SELECT", price=Decimal(9))])
    size = here.bridge.app._batch_size
    while size.next() > 1:
        size.halve()
    here.odoo.suspicious = "UNION-SELECT"
    here.clock.advance(minutes=5)
    counts = here.bridge.sync("orders")
    assert (counts["created"], counts["quarantined"]) == (3, 4)
    assert "error" not in counts
    assert imported(here, *good) == [True] * 3
    assert here.bridge.quarantine("orders").keys() == {order.order_id for order in refused}


def test_no_order_is_to_blame_for_a_call_that_never_responds_where_batches_are_small(
    here: MemoryShop,
) -> None:
    orders = place(here, 7)
    size = here.bridge.app._batch_size
    while size.next() > 1:
        size.halve()
    here.odoo.silent_on = "action_confirm"
    here.clock.advance(minutes=5)
    assert "no response in time" in here.bridge.sync("orders")["error"]
    assert here.bridge.quarantine("orders") == {}
    here.odoo.silent_on = ""
    here.run("orders")
    assert {order["state"] for order in here.shop.sale_orders().values()} == {"sale"}
    assert imported(here, *orders) == [True] * 7
