"""Random settlements with all types of rows, booked in Odoo: to the cent, and once.

Spoiled documents book nothing; a run that is killed at any call, and two bridges that book the same
at once, leave what an undisturbed run leaves.
"""

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from figures import FIGURES, SEED, scaled
from killer import Killed, Killer
from memory_odoo.server import DATABASE as IN_MEMORY
from memory_shop import MemoryBridge
from odoo_server.databases import OdooDatabase
from program import Program
from settlement_books import RandomBooks, opened
from test_proof_settlement_reading import doubled, dropped, turned

from amazon_bridge.app import App

pytestmark = [pytest.mark.odoo("in memory"), pytest.mark.slow]
_SEEDS = count(1000 * SEED)
"""Each ledger has settlements of its own."""
PER_LEDGER = 5
Spoil = Callable[[list[dict[str, str]], int], None]
FEW: Mapping[str, Any] = {"orders": 6, "others": 6, "all_types": False, "settlements": 1}


@pytest.mark.parametrize("number", range(scaled(1, 40)))
def test_random_settlements_are_booked_to_the_cent(
    tmp_path: Path, odoo_database: OdooDatabase, number: int
) -> None:
    of_a_ledger = PER_LEDGER if odoo_database.database == IN_MEMORY else 1
    with opened(tmp_path, odoo_database, next(_SEEDS)) as books:
        settlements = books.random(number, settlements=scaled(of_a_ledger, PER_LEDGER))
        books.sync()
        assert not books.bridge.quarantine("settlements")
        books.check(*settlements)
        FIGURES["settlements booked to the cent"] += len(settlements)


def test_a_document_that_comes_four_times_is_booked_once(
    tmp_path: Path, odoo_database: OdooDatabase
) -> None:
    with opened(tmp_path, odoo_database, next(_SEEDS)) as books:
        settlements = books.random(1, **FEW)
        books.sync()
        before = [books.entries(each.settlement_id) for each in settlements]
        ids = [each.settlement_id for each in settlements]
        for form in range(3):
            books.money.publish(*ids)
            if form == 1:
                books.bridge.forget()
            books.sync()
        assert [books.entries(each.settlement_id) for each in settlements] == before
        books.check(*settlements)


@pytest.mark.parametrize("spoil", [dropped, doubled, turned], ids=lambda spoil: spoil.__name__)
def test_a_spoiled_document_books_nothing(
    tmp_path: Path, odoo_database: OdooDatabase, spoil: Spoil
) -> None:
    check_spoiled(tmp_path, odoo_database, spoil)


def check_spoiled(folder: Path, database: OdooDatabase, spoil: Spoil) -> None:
    """A spoiled document is held, whatever it has; a correct one is booked after a retry."""
    with opened(folder, database, next(_SEEDS)) as books:
        settlements = books.random(1, **FEW)
        _delist(books)
        key = settlements[0].settlement_id
        books.money.publish(key, edit=lambda rows: spoil(rows, 7))
        books.sync()
        assert books.bridge.quarantine("settlements")[key].kind == "settlement_total_differs"
        assert books.entries(settlements[0].settlement_id) == []
        books.money.publish(key)
        books.bridge.app.ledger.items.retry(key)
        books.sync()
        assert not books.bridge.quarantine("settlements")
        books.check(*settlements)
        books.money.publish(key, edit=lambda rows: spoil(rows, 7))
        books.sync()
        books.check(*settlements)


def _delist(books: RandomBooks) -> None:
    """Forget the reports that were published."""
    books.bridge.simulator.reports.tasks.clear()


def test_killed_after_any_call(tmp_path: Path, odoo_database: OdooDatabase) -> None:
    _run(tmp_path / "setup", odoo_database, Killer(calls_left=-1))
    calls = _run(tmp_path / "undisturbed", odoo_database, Killer(calls_left=-1))
    for number in random.Random(SEED).sample(range(1, calls + 1), scaled(3, calls)):
        _run(tmp_path / str(number), odoo_database, Killer(calls_left=number))
        FIGURES["kills of the settlements job"] += 1


def _run(folder: Path, database: OdooDatabase, killer: Killer) -> int:
    """A run that is killed, and another one. Returns the number of calls."""
    with opened(folder, database, next(_SEEDS)) as books:
        settlements = books.random(3, **FEW)
        books.bridge.watch = killer
        try:
            books.bridge.sync("settlements")
        except Killed:
            books.bridge.close()
        assert killer.calls_left <= 0
        books.bridge.watch = None
        books.bridge.close()
        books.sync()
        books.sync()
        assert not books.bridge.quarantine("settlements")
        books.check(*settlements)
        return -1 - killer.calls_left


@contextmanager
def _another(books: RandomBooks, folder: Path) -> Iterator[MemoryBridge]:
    """A second bridge of the same seller, with a state store of its own."""
    folder.mkdir()
    program = Program(folder, books.bridge.program.odoo, books.bridge.simulator)
    program.accounts = books.bridge.program.accounts
    bridge = MemoryBridge(program, books.bridge.clock, App)
    yield bridge
    bridge.close()


@pytest.mark.parametrize("number", range(scaled(1, 10)))
def test_two_bridges_at_once_book_once(
    tmp_path: Path, odoo_database: OdooDatabase, number: int
) -> None:
    with opened(tmp_path / "one", odoo_database, next(_SEEDS)) as books:
        settlements = books.random(number, **FEW)
        with _another(books, tmp_path / "two") as other:
            books.sync(dry_run=True)  # both are logged in
            other.sync("settlements", dry_run=True)
            threads = [
                threading.Thread(target=bridge.sync, args=("settlements",))
                for bridge in (books.bridge, other)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for _ in range(2):
                books.sync()
                other.sync("settlements")
            assert not books.bridge.quarantine("settlements")
            assert not other.quarantine("settlements")
        books.check(*settlements)
        FIGURES["settlements booked by two bridges at once"] += len(settlements)
