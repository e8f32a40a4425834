"""How many calls, and how much time, the import of a page of 100 orders takes.

Against a real Odoo with a fresh database and the simulated Amazon: ``make benchmark``, or
``python benchmarks/import_page.py --pages 5`` with ``scripts`` in ``PYTHONPATH``.
"""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import click
from odoo_server import machine
from odoo_server.databases import OdooDatabase
from rich.console import Console
from rich.progress import track
from rich.table import Table

from amazon_bridge import log
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.app import App, opened
from amazon_bridge.config import AccountConfig, Config
from amazon_bridge.simulator import CATALOGUE, Simulator, World, populate

PAGE = 100
ASKED_FOR = {"UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED"}
COUNTRIES = ["FR", "DE", "GB"]


class Figures(NamedTuple):
    """Of one part of the work."""

    orders: int
    sale_orders: int
    odoo_calls: int
    amazon_calls: int
    seconds: float


@click.command(help=__doc__)
@click.option("--pages", default=3, show_default=True)
def main(pages: int) -> None:
    """Import the pages and print the figures of each."""
    log.configure("warning")
    with machine.in_use() as server:
        name = f"{machine.TEST_DATABASE_PREFIX}benchmark_{time.time_ns()}"
        database = server.create(name)
        try:
            make_products(database)
            figures = measure(database, pages)
        finally:
            server.drop(name)
    show(figures)


def make_products(database: OdooDatabase) -> None:
    products = [
        {"name": p.title, "default_code": p.sku, "is_storable": True, "taxes_id": [(5,)]}
        for p in CATALOGUE
    ]
    database.rpc("product.product", "create", products)


def measure(database: OdooDatabase, pages: int) -> dict[str, Figures]:
    """The figures of the session's start, and of each page: of one account each."""
    world = World()
    world.settings.rate_multiplier = 1000
    for number in range(pages):
        place_page(world, number)
    with Simulator(world) as simulator, tempfile.TemporaryDirectory() as folder:
        with opened(configuration(database, simulator, Path(folder))) as app:
            app.setup(app.accounts()[0])  # made once for ever, so it counts for no page
        with opened(configuration(database, simulator, Path(folder))) as app:
            figures = {"session": session(app, app.accounts()[0])}
            for account in track(app.accounts(), "Importing", transient=True):
                app.context(account)
                figures[account.name] = page(app, account)
    return figures


def place_page(world: World, number: int) -> None:
    """Let a seller have so many orders that exactly one page of them is shown."""
    seller = world.add_seller(f"A1BENCHMARK{number}", COUNTRIES)
    seed, before = 1000 * number, shown(world)
    while (lacking := PAGE - shown(world) + before) > 0:
        populate(world, seed, lacking, seller=seller, countries=COUNTRIES, days=0.5)
        seed += 1


def shown(world: World) -> int:
    return sum(order.status in ASKED_FOR for order in world.orders)


def configuration(database: OdooDatabase, simulator: Simulator, folder: Path) -> Config:
    odoo = {"url": database.url, "database": database.database}
    login = {"login": database.login, "password": database.password}
    accounts = [
        {
            "name": f"page-{number}",
            "seller_id": seller.seller_id,
            "marketplaces": COUNTRIES,
            "credentials": {
                "client_id": seller.client_id,
                "client_secret": seller.client_secret,
                "refresh_token": seller.refresh_token,
            },
            "endpoint": simulator.url,
            "token_url": simulator.token_url,
            "start": datetime.now(UTC) - timedelta(hours=20),
        }
        for number, seller in enumerate(simulator.world.sellers.values(), 1)
    ]
    values = {"state": folder / "bridge.db", "odoo": odoo | login, "accounts": accounts}
    return Config.model_validate(values)


def session(app: App, account: AccountConfig) -> Figures:
    """What it takes to log in and to look whether all is there."""
    begun = time.perf_counter()
    context = app.context(account)
    return Figures(0, 0, context.odoo.calls.total(), 0, time.perf_counter() - begun)


def page(app: App, account: AccountConfig) -> Figures:
    """What it takes to import what Amazon shows."""
    amazon, odoo = app.amazon(account), app.odoo
    known = app.ledger.tally(account.name).total()
    odoo_before, amazon_before = odoo.calls.total(), order_calls(amazon)
    begun = time.perf_counter()
    counts = app.sync(account, "orders")
    seconds = time.perf_counter() - begun
    if counts.error:
        raise click.ClickException(counts.error)
    new = app.ledger.tally(account.name).total() - known
    odoo_calls = odoo.calls.total() - odoo_before
    return Figures(new, counts.created, odoo_calls, order_calls(amazon) - amazon_before, seconds)


def order_calls(amazon: SellingPartner) -> int:
    return sum(amazon.calls[name] for name in ("searchOrders", "getOrder"))


def show(figures: dict[str, Figures]) -> None:
    table = Table(
        *("", "orders shown", "imported", "Odoo calls", "an order", "SP-API order calls"),
        *("an order", "seconds", "an order"),
        title="The import of a page of 100 mixed orders",
    )
    for name, each in figures.items():
        row = [str(each.orders or ""), str(each.sale_orders or ""), str(each.odoo_calls)]
        row += [ratio(each.odoo_calls, each), str(each.amazon_calls or "")]
        row += [ratio(each.amazon_calls, each), f"{each.seconds:.2f}", ratio(each.seconds, each)]
        table.add_row(name, *row)
    Console().print(table)


def ratio(number: float, figures: Figures) -> str:
    return f"{number / figures.orders:.3f}" if figures.orders else ""


if __name__ == "__main__":
    main()
