"""What the stock job costs: all SKUs compared, an unchanged run, and many changes.

``python benchmarks/stock.py --skus 50000`` with ``scripts`` in ``PYTHONPATH``. Products and their
stock are written straight into PostgreSQL, as copies. Only for an Odoo that ``scripts/odoo-server``
runs from Debian's package.
"""

from collections import defaultdict
from datetime import timedelta

import click
from history import Copied, copy_statement, sql
from odoo_server.databases import OdooDatabase
from rich.console import Console
from rich.table import Table
from stage import Run, Stage, make_products, with_database

from amazon_bridge import log

CHANGES = 2000
LONG_AGO = "now() at time zone 'utc' - interval '3 days'"
"""Else all of it would be new to each scan of the first minutes."""
ON_HAND = 5


@click.command(help=__doc__)
@click.option("--skus", default=50_000, show_default=True, help="Listings, each with a product.")
def main(skus: int) -> None:
    """Play, and print the figures."""
    log.configure("warning")
    with with_database("stock", orders=20) as (stage, database):
        runs = played(stage, database, skus)
    show(runs, skus)


def played(stage: Stage, database: OdooDatabase, skus: int) -> dict[str, Run]:
    """The measured runs by name."""
    prepare(stage, database, skus)
    stage.bridge(database, "orders", "stock")
    stage.account["stock"]["cap"] = 1000  # another configuration
    compared = later(stage, database)
    unchanged = later(stage, database)
    change(database)
    changed = later(stage, database)
    return {
        f"all {skus} SKUs compared": compared,
        "unchanged run": unchanged,
        f"{CHANGES} lower quantities": changed,
    }


def prepare(stage: Stage, database: OdooDatabase, skus: int) -> None:
    """Make so many products, and a listing of each."""
    stage.account = {"stock": {"push": True}}
    stage.world.settings.report_queue_time = stage.world.settings.report_work_time = 0
    make_products(database)
    stage.set_up(database)
    write_products(database, skus)
    for number in range(1, skus + 1):
        sku = f"SKU-{number}"
        stage.world.listings.add(stage.seller.seller_id, sku, "FR", {"DEFAULT": ON_HAND})


def later(stage: Stage, database: OdooDatabase) -> Run:
    """A run some minutes later: changes of the last minutes are read again."""
    stage.clock.shift += timedelta(minutes=10)
    (run,) = stage.bridge(database, "stock")
    return run


def write_products(database: OdooDatabase, skus: int) -> None:
    """Write so many products, each with some pieces in the warehouse."""
    (product,) = database.rpc("product.product", "search", [], limit=1)
    copies = copied_product(product, put_on_shelf(database, product))
    base = {each.table: int(sql(database, f"select max(id) from {each.table}")) for each in copies}
    for each in copies:
        sql(database, copy_statement(database, each, base, skus))
        sequence = f"pg_get_serial_sequence('{each.table}', 'id')"
        sql(database, f"select setval({sequence}, {base[each.table] + skus})")
    sql(database, "vacuum analyze")


def put_on_shelf(database: OdooDatabase, product: int) -> int:
    """Enter some pieces of a product in the warehouse. Returns their quant."""
    shelf = database.reference("stock.stock_location_stock")
    values = {"product_id": product, "location_id": shelf, "inventory_quantity": ON_HAND}
    quant = database.rpc("stock.quant", "create", values)
    database.rpc("stock.quant", "action_apply_inventory", [quant])
    return int(quant)


def copied_product(product: int, quant: int) -> list[Copied]:
    """What is copied of a product, in this order."""
    code = "'SKU-' || n"
    of_template = f"id = (select product_tmpl_id from product_product where id = {product})"
    template, own = "{product_template} + n", "{product_product} + n"
    return [
        Copied("product_template", of_template, {"default_code": code}),
        Copied(
            "product_product",
            f"id = {product}",
            {
                "product_tmpl_id": template,
                "default_code": code,
                "barcode": "null",
                "write_date": LONG_AGO,
            },
        ),
        Copied("stock_quant", f"id = {quant}", {"product_id": own, "write_date": LONG_AGO}),
    ]


def change(database: OdooDatabase) -> None:
    """Let some pieces of many products be gone."""
    of = f"select id from stock_quant where quantity = {ON_HAND} order by id desc limit {CHANGES}"
    sql(
        database,
        f"update stock_quant set quantity = {ON_HAND - 1},"
        f" write_date = now() at time zone 'utc' where id in ({of})",
    )


def at_best(run: Run) -> float:
    """Seconds of Odoo if each call took as long as the fastest of its kind did.

    The machine has other work to do; all pages but the last have the same size.
    """
    calls: defaultdict[str, list[float]] = defaultdict(list)
    for name, seconds, _ in run.calls:
        calls[name].append(seconds)
    return sum(min(each) * len(each) for each in calls.values())


def show(runs: dict[str, Run], skus: int) -> None:
    """Print what each run took."""
    columns = ("s", "s of Odoo", "at best", "calls to Odoo", "to Amazon", "CPU s", "peak MB")
    table = Table("", *columns, title=f"{skus} SKUs")
    for name, run in runs.items():
        odoo = sum(seconds for _, seconds, _ in run.calls)
        numbers = (run.seconds, odoo, at_best(run), len(run.calls), run.amazon_calls)
        table.add_row(name, *(f"{each:.1f}" for each in (*numbers, run.cpu, run.peak_mb)))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
