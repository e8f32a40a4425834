"""A run of the settlements job is killed right after a call, and started again: booked as ever."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import memory_shop
import pytest
from test_system_settlements import JOB, Books, booking

from amazon_bridge.engine.records import State


class Killed(BaseException):
    """Ends a run as a kill does: nothing is cleaned up."""


@dataclass
class Killer:
    """Kills after so many calls to a remote; 0: never."""

    calls_left: int = 0
    calls: int = 0

    def __call__(self, *_: object) -> None:
        self.calls += 1
        if self.calls_left:
            self.calls_left -= 1
            if not self.calls_left:
                raise Killed


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Books, str]]:
    """Two shipped and invoiced orders, a refund and a fee, in two months' settlement."""
    folder.mkdir(exist_ok=True)
    with memory_shop.opened(folder) as here, booking(here) as books:
        orders = books.ship(2)
        books.bridge.clock.advance(days=12)
        books.money.refund(orders[0].order_id)
        books.money.fee("advertising", Decimal("-1.00"))
        books.ship()
        yield books, books.close(reserve=Decimal("2.00")).settlement_id


def killed_after(books: Books, calls: int) -> int:
    """Run the job, killed after this many calls; returns how many it made."""
    killer = Killer(calls)
    books.bridge.close()
    books.bridge.watch = killer
    with suppress(Killed):
        books.bridge.sync(JOB)
    books.bridge.close()
    books.bridge.watch = None
    return killer.calls


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
    with opened(tmp_path / "undisturbed") as (books, key):
        calls = killed_after(books, 0)
        undisturbed = booked(books, key)
    assert len({line[4] for line in undisturbed}) == 1
    for number in range(1, calls + 1):
        with opened(tmp_path / str(number)) as (books, key):
            killed_after(books, number)
            if forgets:
                books.bridge.forget()
            books.sync()
            assert booked(books, key) == undisturbed, f"killed after call {number} of {calls}"
            assert books.bridge.state(JOB, key) is State.DONE
            assert books.bridge.quarantine(JOB) == {}
