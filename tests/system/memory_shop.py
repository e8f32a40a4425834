"""The bridge between an Odoo in memory and a simulated Amazon of the same process: fast."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xmlrpc.client import Fault, ProtocolError

from bridge import Bridge
from memory_amazon import InProcessApp
from memory_odoo import MemoryDatabase, MemoryOdoo
from memory_odoo.server import Backup
from program import Program, SettledWorld
from shop import Shop
from warehouse import Warehouse

from amazon_bridge import config
from amazon_bridge.amazon.operations import LIMITS
from amazon_bridge.app import App
from amazon_bridge.engine.throttle import Throttle
from amazon_bridge.simulator import ManualClock, Order, Seller, Simulator, World

MORNING = datetime(2026, 11, 20, 8, tzinfo=UTC)


class MemoryBridge(Bridge):
    """Runs of a program's configuration, with an Odoo in memory."""

    def __init__(self, program: Program, clock: Any, make_app: Callable[..., App]) -> None:
        super().__init__(program, clock)
        self.make_app = make_app
        self.watch: Any = None

    @property
    def app(self) -> App:
        if self._app is None:
            loaded = config.load(self.program.configure(), {})
            throttle = Throttle({name: replace(limit, rate=1000) for name, limit in LIMITS.items()})
            more = {"watch": self.watch} if self.watch else {}
            self._app = self.make_app(
                loaded, clock=self.clock, sleep=_no_sleep, throttle=throttle, **more
            )
        return self._app


def _no_sleep(_: float) -> None:
    pass


class MistrustfulOdoo(MemoryOdoo):
    """An Odoo behind a proxy that refuses requests with a certain word (403)."""

    suspicious = ""
    faulty_on = ""
    """It fails on requests with this word, as if a module had a bug."""
    silent_on = ""
    """It doesn't respond to requests with this word."""

    posts: int | None = None
    """It posts this many journal entries, and asks a question instead of posting more."""

    def execute_kw(self, *call: Any) -> Any:  # type: ignore[override]
        if self.posts is not None and call[3:5] == ("account.move", "action_post"):
            self.posts -= 1
            if self.posts < 0:
                return {"type": "ir.actions.act_window"}
        if self.silent_on and self.silent_on in str(call):
            raise TimeoutError
        if self.faulty_on and self.faulty_on in str(call):
            raise Fault(1, "Traceback (most recent call last):\nZeroDivisionError: float division")
        if self.suspicious and self.suspicious in str(call):
            raise ProtocolError("127.0.0.1/xmlrpc/2/object", 403, "Forbidden", {})
        return super().execute_kw(*call)


@dataclass
class MemoryShop:
    """A seller with an Odoo, an Amazon, a warehouse, a clock, and the bridge between them."""

    odoo: MistrustfulOdoo
    world: World
    simulator: Simulator
    clock: ManualClock
    shop: Shop
    warehouse: Warehouse
    program: Program
    seller: Seller
    bridge: MemoryBridge

    def run(self, *jobs: str) -> None:
        """One run of these jobs, or of all, each without an error."""
        self.clock.advance(minutes=5)
        for job in jobs or ("orders", "cancellations", "pickings"):
            counts = self.bridge.sync(job)
            assert "error" not in counts, counts


@contextmanager
def opened(
    folder: Path,
    seed: int = 1,
    *,
    make_world: type[World] = SettledWorld,
    records: Callable[[], Backup] | None = None,
) -> Iterator[MemoryShop]:
    """Open a shop.

    Args:
        folder: Has the program's files.
        seed: Of the orders' ids.
        make_world: Makes Amazon.
        records: Returns those that are in Odoo; by default also those that an account with the
            default settings uses.
    """
    clock = ManualClock(MORNING)
    world = make_world(clock, seed=seed)
    world.settings.rate_multiplier = 1_000_000
    odoo = MistrustfulOdoo(clock)
    odoo.restore((records or _prepared)())
    database = MemoryDatabase(server=odoo)
    shop = Shop(database)
    simulator = Simulator(world)
    program = Program(folder, database, simulator)
    program.start = clock()
    seller = world.add_seller("A1MEMORYSHOP", ["FR", "DE"])
    program.add_account(seller)
    bridge = MemoryBridge(program, clock, partial(InProcessApp, odoo, simulator))
    warehouse = Warehouse(shop)
    yield MemoryShop(odoo, world, simulator, clock, shop, warehouse, program, seller, bridge)
    bridge.close()
    simulator._server.server_close()


@cache
def furnished() -> Backup:
    """An Odoo with the products that the simulated sellers sell, and nothing of the bridge."""
    odoo = MemoryOdoo(ManualClock(MORNING))
    Shop(MemoryDatabase(server=odoo)).make_catalogue()
    return odoo.backup()


@cache
def _prepared() -> Backup:
    """The same after the bridge has created what an account uses, which takes half of a test."""
    with TemporaryDirectory() as folder, opened(Path(folder), records=furnished) as shop:
        [account] = shop.bridge.app.config.accounts
        shop.bridge.app.setups.get(account)
        return shop.odoo.backup()


def place(here: MemoryShop, number: int = 1, **fields: object) -> list[Order]:
    return [here.world.place_order("FR", **fields) for _ in range(number)]  # type: ignore[arg-type]


def imported(here: MemoryShop, *orders: Order) -> list[bool]:
    sale_orders = here.shop.sale_orders()
    return [order.order_id in sale_orders for order in orders]
