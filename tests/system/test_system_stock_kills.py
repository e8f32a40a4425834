"""A run of the stock job is killed right after a call, and started again: the counts are right.

Updates take effect minutes after Amazon accepts them, also those whose run was killed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import memory_shop
import pytest
from killer import Killed, Killer
from memory_shop import MemoryBridge
from program import Program
from stock_shop import DE, FR, StockShop

from amazon_bridge.engine.stock_records import SkuState
from amazon_bridge.flows.stock import run

pytestmark = [pytest.mark.odoo("in memory"), pytest.mark.slow]

ON_HAND = {"LESS": 3, "MORE": 40, "SOLD-OUT": 0, "SAME": 9}
LISTED = {"LESS": 12, "MORE": 12, "SOLD-OUT": 12, "SAME": 9}
FBA = "FBA"


WAYS = ("singly", "feed")


def choose_way(monkeypatch: pytest.MonkeyPatch, way: str) -> str:
    """Let quantities be sent one by one, or more than one in a feed."""
    if way == "feed":
        monkeypatch.setattr(run, "_SINGLY", 1)
    return way


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return choose_way(monkeypatch, request.param)


@contextmanager
def opened(folder: Path) -> Iterator[StockShop]:
    folder.mkdir(exist_ok=True)
    with memory_shop.opened(folder) as here:
        here.program.accounts[0]["stock"] = {"push": True, "raise_after": "1s"}
        here.world.settings.listing_delay_shortest = 60
        here.world.settings.listing_delay_longest = 900
        here.world.settings.shared_quantities = True
        stock = StockShop(here)
        for sku, quantity in LISTED.items():
            stock.offer(sku, quantity)
            stock.product(sku, ON_HAND[sku])
        stock.offer(FBA, channels={"AMAZON_EU": 5})
        stock.product(FBA, 7)
        yield stock


def killed_run(stock: StockShop, killer: Killer) -> bool:
    """One run, killed where the killer says; the next one is another process's."""
    bridge = stock.here.bridge
    bridge.close()
    bridge.watch = killer
    try:
        stock.sync()
    except Killed:
        return True
    finally:
        bridge.watch = None
        bridge.close()
    return False


def check(stock: StockShop, on_hand: Mapping[str, int] = ON_HAND) -> None:
    """Later runs bring everything in order, and nothing was ever wrong."""
    for _ in range(6):
        stock.pass_time(minutes=16)
        stock.sync()
    for sku, quantity in on_hand.items():
        assert stock.amazons(sku) == {FR: quantity, DE: quantity}, sku
        assert stock.state(sku) is SkuState.EQUAL, sku
    assert stock.listing(FBA).channels == {"AMAZON_EU": 5}
    assert stock.here.world.listings.violations == []
    assert not stock.here.bridge.app.ledger.items.quarantined()
    before = stock.calls()
    assert stock.sync() == {}
    assert stock.calls() == before


OPERATIONS = {
    "singly": ("createReport", "getReportDocument", "getListingsItem", "patchListingsItem"),
    "feed": ("createFeedDocument", "createFeed", "getFeed", "getFeedDocument"),
}


@pytest.mark.parametrize("number", [1, 2])
def test_killed_after_a_call(tmp_path: Path, way: str, number: int) -> None:
    for index, operation in enumerate(OPERATIONS[way]):
        with opened(tmp_path / str(index)) as stock:
            killer, killed = Killer(operation, number), False
            for _ in range(4):
                killed = killed_run(stock, killer) or killed
                stock.pass_time(minutes=5)
            assert killed or number > 1, operation
            check(stock)


def other_daemon(stock: StockShop, folder: Path) -> StockShop:
    """Another program of the same account, with a state store of its own."""
    here = stock.here
    folder.mkdir()
    program = Program(folder, here.shop.database, here.simulator)
    program.start, program.accounts = here.program.start, here.program.accounts
    bridge = MemoryBridge(program, here.clock, here.bridge.make_app)
    return StockShop(replace(here, program=program, bridge=bridge))


def test_two_daemons_with_a_state_store_each(tmp_path: Path, way: str) -> None:
    """Both send the same quantities: nothing swings, and both come to rest."""
    with opened(tmp_path / "first") as stock:
        other = other_daemon(stock, tmp_path / "second")
        for _ in range(8):
            for each in (stock, other):
                each.sync()
            stock.pass_time(minutes=16)
        check(stock)
        check(other)
        other.here.bridge.close()


def test_a_state_store_lost_after_an_update(tmp_path: Path, way: str) -> None:
    with opened(tmp_path / "first") as stock:
        operation = "createFeed" if way == "feed" else "patchListingsItem"
        for number in (1, 1):
            killed_run(stock, Killer(operation, number))
            stock.here.bridge.forget()
        check(stock)


def test_an_old_state_store(tmp_path: Path, way: str) -> None:
    """A copy from before the updates is restored: what it knows is old, and nothing is guessed."""
    with opened(tmp_path / "first") as stock:
        bridge = stock.here.bridge
        stock.sync()
        bridge.app.ledger.back_up(copy := tmp_path / "copy.db")
        check(stock)
        bridge.forget()
        copy.rename(stock.here.program.state)
        stock.product("MORE", 2)
        check(stock, {**ON_HAND, "MORE": 2})
