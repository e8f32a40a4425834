"""A seller with random settlements, whose books the proofs spoil, interrupt and repeat."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ledgers import form_of
from memory_shop import MemoryBridge
from odoo_server.databases import OdooDatabase
from program import Program
from settlement_shop import Books
from shop import Shop

from amazon_bridge.app import App
from amazon_bridge.simulator import (
    ManualClock,
    Seller,
    Settlement,
    Simulator,
    World,
    random_ledger,
)

SETTINGS: Mapping[str, Any] = {
    "invoicing": {"payment_journal": "Amazon Payments"},
    "settlements": {"mode": "post"},
}
CURRENCY = "USD"
"""That of the tests' company."""


class RandomBooks(Books):
    """Books of a seller with a world, a clock and a bridge of its own."""

    def __init__(self, bridge: MemoryBridge, world: World, seller: Seller) -> None:
        here: Any = SimpleNamespace(bridge=bridge, shop=Shop(bridge.program.odoo), world=world)
        super().__init__(here)
        self.seller = seller

    def random(self, seed: int, currency: str = CURRENCY, **plan: Any) -> list[Settlement]:
        """Random settlements, each in a report of its own."""
        given = {"all_types": True, "free_text": True, "publish": False} | plan
        settlements = random_ledger(self.money, seed, currency, seller=self.seller, **given)
        for number, settlement in enumerate(settlements, start=seed):
            self.money.publish(settlement.settlement_id, form=form_of(number))
        return settlements


@contextmanager
def opened(
    folder: Path,
    database: OdooDatabase,
    seed: int,
    *,
    countries: Sequence[str] = ("US",),
    make_app: Callable[..., App] = App,
    **settings: Any,
) -> Iterator[RandomBooks]:
    """A seller in a world of its own; settlements of other seeds have other ids."""
    clock = ManualClock(datetime.now(UTC).replace(microsecond=0))
    world = World(clock, seed=seed)
    world.settings.rate_multiplier = 1_000_000
    folder.mkdir(parents=True, exist_ok=True)
    with Simulator(world) as simulator:
        seller = world.add_seller(f"A1BOOKS{seed}", countries)
        program = Program(folder, database, simulator)
        program.start = clock()
        program.add_account(seller, **{**SETTINGS, **settings})
        bridge = MemoryBridge(program, clock, make_app)
        yield RandomBooks(bridge, world, seller)
        bridge.close()
