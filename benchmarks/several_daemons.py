"""How much faster orders are imported by several daemons that share a state store.

``python benchmarks/several_daemons.py --sellers 24 --orders 200 --delay 1`` with ``scripts``,
``tests`` and ``tests/service`` in ``PYTHONPATH``. Each call to Odoo takes the delay and costs next
to nothing, so that neither a machine with few cores nor Odoo's workers set the pace, but what
daemons do at once.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import postgresql_server
from memory_odoo import MemoryOdoo
from memory_odoo.served import served
from odoo_server.databases import OdooDatabase
from rich.console import Console
from rich.table import Table
from running import ACCOUNT, RunningDaemon, an_hour_ago, wait_for

from amazon_bridge.engine.window import SETTLED
from amazon_bridge.simulator import Seller, Simulator, World

EVERY = "15s"
PATIENCE = 3600.0
PLACED_WITHIN = 0.04
"""Seconds an order, for the simulated Amazon."""


@dataclass
class SlowOdoo:
    """The in-memory Odoo, each of whose calls takes a time; any number at once."""

    odoo: MemoryOdoo
    delay: float
    """Seconds."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.odoo, name)

    def execute_kw(self, *arguments: Any) -> Any:
        time.sleep(self.delay)
        return self.odoo.execute_kw(*arguments)


@dataclass(frozen=True)
class Figures:
    orders: int
    seconds: float


@click.command(help=__doc__)
@click.option("--sellers", default=24, show_default=True, help="Each with an account of its own.")
@click.option("--orders", default=200, show_default=True, help="Of each seller.")
@click.option("--delay", default=1.0, show_default=True, help="Seconds of each call to Odoo.")
@click.option("--most", default=3, show_default=True, help="Daemons.")
def main(sellers: int, orders: int, delay: float, most: int) -> None:
    """Play, and print the figures."""
    found = [played(daemons, sellers, orders, delay) for daemons in range(1, most + 1)]
    show(found, delay)


def played(number: int, sellers: int, orders: int, delay: float) -> Figures:
    """Import the same orders with so many daemons."""
    with ExitStack() as stack:
        simulator = stack.enter_context(Simulator(World(seed=1)))
        simulator.settings.rate_multiplier = 1000
        odoo = SlowOdoo(MemoryOdoo(), 0)
        database = stack.enter_context(served(odoo))
        shops = [simulator.world.add_seller(f"A{n}SELLER", ("FR",)) for n in range(sellers)]
        daemons = stack.enter_context(running(number, database, accounts(simulator, shops)))
        wait_for(lambda: are_ready(daemons, sellers), PATIENCE)
        begun = sell(simulator, shops, orders)
        odoo.delay, sold = delay, sellers * orders
        wait_for(lambda: count(odoo.odoo) >= sold, PATIENCE)
        return Figures(sold, time.monotonic() - begun)


def accounts(simulator: Simulator, shops: Sequence[Seller]) -> str:
    return "".join(
        ACCOUNT.format(
            name=shop.seller_id.lower(),
            seller=shop,
            countries="FR",
            amazon=simulator.url,
            every=EVERY,
            start=an_hour_ago(),
        )
        for shop in shops
    )


@contextmanager
def running(number: int, odoo: OdooDatabase, accounts: str) -> Iterator[list[RunningDaemon]]:
    """Daemons with one configuration and one state store."""
    with (
        postgresql_server.running() as server,
        tempfile.TemporaryDirectory() as folder,
        ExitStack() as stack,
    ):
        store, daemons = server.new_store(), []
        for each in range(number):
            place = Path(folder) / f"machine-{each}"
            place.mkdir()
            daemon = RunningDaemon(place, dict(odoo.access()), accounts)
            daemon.write()
            text = daemon.config.read_text().replace("state: bridge.db", f"state: {store}")
            daemon.config.write_text(text)
            daemon.start()
            stack.callback(daemon.stop)
            daemons.append(daemon)
        yield daemons


def are_ready(daemons: Sequence[RunningDaemon], sellers: int) -> bool:
    """Whether each daemon works for as many sellers as the others, and has set them up in Odoo."""
    held = [daemon.get("/readyz").json()["jobs"] for daemon in daemons]
    shares = [len({job["account"] for job in jobs}) for jobs in held]
    is_set_up = all(job["last_success"] for jobs in held for job in jobs)
    return is_set_up and shares == [sellers // len(daemons)] * len(daemons)


def sell(simulator: Simulator, shops: Sequence[Seller], orders: int) -> float:
    """Sell so many orders in each shop; return when they can be found, all at once."""
    begun, patience = time.monotonic(), PLACED_WITHIN * len(shops) * orders
    at = datetime.now(UTC) - SETTLED + timedelta(seconds=patience)
    for shop in list(shops) * orders:
        simulator.world.place_order("FR", seller=shop, created=at, last_updated=at)
    left = begun + patience - time.monotonic()
    assert left > 0, "Placing the orders took too long: some were found before the others."
    time.sleep(left)
    return begun + patience


def count(odoo: MemoryOdoo) -> int:
    """Confirmed sale orders."""
    rows = odoo.env.store.table("sale.order").values()
    return sum(row["state"] == "sale" for row in list(rows))


def show(found: Sequence[Figures], delay: float) -> None:
    table = Table("daemons", "orders", "seconds", "orders/s", "ratio")
    for number, each in enumerate(found, start=1):
        speed = each.orders / each.seconds
        ratio = f"{found[0].seconds / each.seconds:.2f}"
        table.add_row(str(number), f"{each.orders:,}", f"{each.seconds:.0f}", f"{speed:.1f}", ratio)
    console = Console(width=100)
    console.print(f"Each call to Odoo takes {delay} s.")
    console.print(table)


if __name__ == "__main__":
    main()
