"""How many calls the way back to Amazon takes: hundreds of deliveries and cancellations.

Against a real Odoo with a fresh database and the simulated Amazon:
``python benchmarks/way_back.py --orders 300`` with ``scripts`` in ``PYTHONPATH``.
"""

import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import click
from import_page import configuration, make_products
from odoo_server import machine
from odoo_server.databases import OdooDatabase
from rich.console import Console
from rich.table import Table

from amazon_bridge import log
from amazon_bridge.app import App
from amazon_bridge.simulator import Line, Simulator, World

BATCH = 50


class Clock:
    """The machine's time, put forward."""

    shift = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift


class Figures(NamedTuple):
    """Of one round."""

    what: str
    odoo: Counter[tuple[str, str]]
    amazon: Counter[str]
    seconds: float


@click.command(help=__doc__)
@click.option("--orders", default=300, show_default=True, help="Half of them are cancelled.")
@click.option("--calls", is_flag=True, help="Name the calls.")
def main(orders: int, *, calls: bool) -> None:
    """Do the rounds and print the figures of each."""
    log.configure("warning")
    with machine.in_use() as server:
        database = server.create(f"{machine.TEST_DATABASE_PREFIX}benchmark_{time.time_ns()}")
        try:
            make_products(database)
            figures = measure(database, orders)
        finally:
            server.drop(database.database)
    show(figures, orders, calls=calls)


def measure(database: OdooDatabase, orders: int) -> list[Figures]:
    clock = Clock()
    world = World(clock)
    world.settings.rate_multiplier = 1000
    seller = world.add_seller("A1BENCHMARK", ["FR", "DE", "GB"])
    past = clock() - timedelta(hours=1)
    for _ in range(orders):
        world.place_order("FR", [Line(), Line()], seller=seller, created=past, last_updated=past)
    with Simulator(world) as simulator, tempfile.TemporaryDirectory() as folder:
        config = configuration(database, simulator, Path(folder))
        brake = config.accounts[0].cancellation_brake.model_copy(
            update={"orders": orders, "percent": 100}
        )
        account = config.accounts[0].model_copy(update={"cancellation_brake": brake})
        app = App(config.model_copy(update={"accounts": (account,)}), clock=clock)
        try:
            return list(rounds(app, database, clock, orders))
        finally:
            app.close()


def rounds(app: App, database: OdooDatabase, clock: Clock, orders: int) -> list[Figures]:
    """Half of the orders are delivered, the others are cancelled."""
    app.sync(app.accounts()[0], "orders")
    work_in_odoo(database, orders // 2)
    figures = [
        one(app, "pickings", "told"),
        one(app, "pickings", "nothing new"),
        one(app, "cancellations", "sent in a feed"),
    ]
    clock.shift += timedelta(minutes=25)
    figures.append(one(app, "cancellations", "the feed's report read"))
    figures.append(one(app, "pickings", "20 read back"))
    figures.append(one(app, "cancellations", "nothing new"))
    return figures


def work_in_odoo(database: OdooDatabase, number: int) -> None:
    """What people do there: deliver the first orders, and cancel the others."""
    rpc = database.rpc
    product = rpc("product.product", "create", {"name": "Post", "type": "service"})
    carrier = {"name": "DHL", "product_id": product, "delivery_type": "fixed"}
    sent = {"carrier_id": rpc("delivery.carrier", "create", carrier), "carrier_tracking_ref": "JD1"}
    ids = rpc("sale.order", "search", [], order="id")
    delivered = rpc("stock.picking", "search", [("sale_id", "in", ids[:number])])
    rpc("stock.picking", "write", delivered, sent)
    moves = rpc("stock.move", "search", [("picking_id", "in", delivered)])
    rpc("stock.move", "write", moves, {"quantity": 1, "picked": True})
    context = {"skip_backorder": True, "skip_sms": True, "disable_cancel_warning": True}
    for start in range(0, number, BATCH):
        part = delivered[start : start + BATCH]
        rpc("stock.picking", "button_validate", part, context=context)
        rpc("sale.order", "action_cancel", ids[number:][start : start + BATCH], context=context)


def one(app: App, job: str, what: str) -> Figures:
    account = app.accounts()[0]
    amazon, odoo = app.amazon(account), app.context(account).odoo
    before = odoo.calls.copy(), amazon.calls.copy()
    begun = time.perf_counter()
    counts = app.sync(account, job)
    seconds = time.perf_counter() - begun
    if counts.error or counts.quarantined:
        raise click.ClickException(str(counts))
    return Figures(f"{job}: {what}", odoo.calls - before[0], amazon.calls - before[1], seconds)


def show(figures: list[Figures], orders: int, *, calls: bool) -> None:
    title = f"{orders // 2} deliveries and {orders - orders // 2} cancellations"
    table = Table("", "Odoo calls", "SP-API calls", "seconds", title=title)
    for each in figures:
        amazon = ", ".join(f"{n} {name}" for name, n in sorted(each.amazon.items()))
        table.add_row(each.what, str(each.odoo.total()), amazon, f"{each.seconds:.1f}")
    console = Console()
    console.print(table)
    for each in figures if calls else ():
        names = ", ".join(f"{n} {'.'.join(name)}" for name, n in sorted(each.odoo.items()))
        console.print(f"{each.what}: {names}", highlight=False)


if __name__ == "__main__":
    main()
