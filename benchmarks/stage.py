"""What the benchmarks play on: a seller with mixed orders, databases, and runs of the bridge.

Each run of the bridge is a process of its own (``measured_run.py``), so that its memory and its CPU
time are those of the bridge alone.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from odoo_server import machine
from odoo_server.databases import OdooDatabase, OdooServer
from odoo_server.local import LocalOdoo

from amazon_bridge.app import opened
from amazon_bridge.config import load
from amazon_bridge.simulator import CATALOGUE, Seller, Simulator, World, populate

SHOWN = {"UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED"}
COUNTRIES = ["FR", "DE", "GB"]


class Clock:
    """The machine's time, put forward."""

    shift = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift


@dataclass(frozen=True)
class Run:
    """The figures of one run of a job."""

    counts: dict[str, Any]
    calls: list[tuple[str, float, int]]
    """Of each call to Odoo: name, seconds, rows."""
    amazon_calls: int
    seconds: float
    cpu: float
    peak_mb: float
    odoo_cpu: float = 0.0

    @property
    def rows(self) -> int:
        return sum(rows for _, _, rows in self.calls)


@dataclass
class Stage:
    """A world, and the bridge between it and a database."""

    folder: Path
    world: World
    clock: Clock
    seller: Seller
    simulator: Simulator
    start: datetime
    account: dict[str, Any] = field(default_factory=dict)
    """Further settings of the account."""

    def bridge(self, database: OdooDatabase, *jobs: str) -> list[Run]:
        """Do these runs one after the other, in one process."""
        script = Path(__file__).with_name("measured_run.py")
        shift = str(self.clock.shift.total_seconds())
        command = [sys.executable, str(script), str(self.configure(database)), shift, *jobs]
        runs, before = [], odoo_cpu()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                after = odoo_cpu()
                runs.append(Run(**json.loads(line), odoo_cpu=after - before))
                before = after
        assert process.returncode == 0, "the run failed, see above"
        return runs

    def set_up(self, database: OdooDatabase) -> None:
        """Make what is made once for ever, so that it counts for no run."""
        with opened(load(self.configure(database), {})) as app:
            app.setups.get(app.accounts()[0])

    def configure(self, database: OdooDatabase) -> Path:
        state = self.folder / f"{database.database}.db"
        values = {
            "state": str(state),
            "log": {"level": "warning"},
            "odoo": database.access(),
            "accounts": [self._account() | self.account],
        }
        path = state.with_suffix(".yaml")
        path.write_text(json.dumps(values), "utf-8")  # JSON is YAML
        return path

    def _account(self) -> dict[str, Any]:
        credentials = ("client_id", "client_secret", "refresh_token")
        return {
            "name": "acme",
            "seller_id": self.seller.seller_id,
            "marketplaces": COUNTRIES,
            "credentials": {name: getattr(self.seller, name) for name in credentials},
            "endpoint": self.simulator.url,
            "token_url": self.simulator.token_url,
            "start": self.start.isoformat(),
            "cancellation_brake": {"orders": 100_000, "percent": 100},
        }


@contextmanager
def filled(folder: Path, orders: int, seed: int) -> Iterator[Stage]:
    """A stage with exactly so many orders for the first run to read."""
    clock = Clock()
    world = World(clock)
    world.settings.rate_multiplier = 1_000_000
    seller = world.add_seller("A1BENCHMARK", COUNTRIES)
    fill(world, seller, orders, seed)
    start = clock() - timedelta(minutes=45)
    clock.shift = timedelta(minutes=3)  # Amazon shows nothing younger than two
    with Simulator(world) as simulator:
        yield Stage(folder, world, clock, seller, simulator, start)


@contextmanager
def with_database(name: str, orders: int) -> Iterator[tuple[Stage, OdooDatabase]]:
    """A stage, and a database of its own in the tests' Odoo, dropped at the end."""
    with machine.in_use() as server, tempfile.TemporaryDirectory() as folder:
        database = server.create(f"{machine.TEST_DATABASE_PREFIX}{name}_{time.time_ns()}")
        try:
            with filled(Path(folder), orders, seed=1) as stage:
                yield stage, database
        finally:
            server.drop(database.database)


_FORTY_MINUTES = 40 / (24 * 60)  # in days: from an hour on, a run reads a back-log besides


def fill(
    world: World, seller: Seller, orders: int, seed: int, days: float = _FORTY_MINUTES
) -> None:
    """Place orders of the last days until exactly so many more are shown."""
    before = shown(world)
    while lacking := orders - shown(world) + before:
        populate(world, seed, lacking, seller=seller, countries=COUNTRIES, days=days)
        seed += 1


def shown(world: World) -> int:
    return sum(order.status in SHOWN for order in world.orders)


def make_products(database: OdooDatabase) -> None:
    products = [
        {"name": p.title, "default_code": p.sku, "is_storable": True, "taxes_id": [(5,)]}
        for p in CATALOGUE
    ]
    database.rpc("product.product", "create", products)


def copied(server: OdooServer, database: OdooDatabase, name: str) -> OdooDatabase:
    """A copy of a database, in which every record has the same id."""
    server._manage("duplicate_database", database.database, name)  # noqa: SLF001
    return OdooDatabase(server.url, name)


def odoo_cpu() -> float:
    """Seconds of CPU time that our Odoo's processes have used so far; 0 where it isn't ours.

    Unlike the time on the wall it doesn't depend on what else the machine has to do.
    """
    pids = [] if os.environ.get("ODOO_TEST_URL") else LocalOdoo().process_ids()
    return sum(map(_cpu, [*pids, *chain.from_iterable(map(_children, pids))]))


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> Iterable[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]
