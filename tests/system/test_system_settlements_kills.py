"""A run of the settlements job is killed right after a call, and started again: booked as ever.

After each other call the state store is lost as well.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path

import memory_shop
import pytest
from killer import Killed, Killer
from memory_shop import MemoryShop
from settlement_shop import JOB, Books, booking

from amazon_bridge.engine.records import State

pytestmark = pytest.mark.slow


@contextmanager
def opened(folder: Path) -> Iterator[tuple[MemoryShop, Books, str]]:
    """Two shipped and invoiced orders, a refund and a fee, in two months' settlement."""
    with memory_shop.opened(folder) as here, booking(here) as books:
        orders = books.ship(2)
        books.bridge.clock.advance(days=12)
        books.money.refund(orders[0].order_id)
        books.money.fee("advertising", Decimal("-1.00"))
        books.ship()
        yield here, books, books.close(reserve=Decimal("2.00")).settlement_id


def run(books: Books, killer: Killer) -> None:
    """Run the job, until it is killed."""
    books.bridge.close()
    books.bridge.watch = killer
    with suppress(Killed):
        books.bridge.sync(JOB)
    books.bridge.close()
    books.bridge.watch = None


def booked(books: Books, key: str) -> list[tuple[str, str, float, bool, str]]:
    return sorted(
        (
            line["account_id"][1],
            line["name"],
            line["amount_currency"],
            line["reconciled"],
            line["parent_state"],
        )
        for line in books.lines(key)
    )


@pytest.mark.parametrize("forgets", [False, True])
def test_killed_after_any_call(tmp_path: Path, *, forgets: bool) -> None:
    with opened(tmp_path) as (here, books, key):
        books.bridge.close()
        odoo, state = here.odoo.backup(), here.program.state.read_bytes()
        counter = Killer(calls_left=-1)
        run(books, counter)
        undisturbed = booked(books, key)
        calls = -1 - counter.calls_left
        assert calls > 0
        assert {line[4] for line in undisturbed} == {"posted"}
        for number in range(1 + forgets, calls + 1, 2):
            books.bridge.forget()
            here.odoo.restore(odoo)
            assert booked(books, key) == []
            here.program.state.write_bytes(state)
            killer = Killer(calls_left=number)
            run(books, killer)
            assert killer.calls_left == 0
            if forgets:
                books.bridge.forget()
            books.sync()
            assert booked(books, key) == undisturbed, f"killed after call {number} of {calls}"
            assert books.bridge.state(JOB, key) is State.DONE
            assert books.bridge.quarantine(JOB) == {}
