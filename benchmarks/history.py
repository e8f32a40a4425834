"""What history costs: the queries of quiet and busy runs, on an empty database and on a full one.

``python benchmarks/history.py --orders 1000000`` with ``scripts`` in ``PYTHONPATH``. The history is
written straight into PostgreSQL: copies of a delivered sale order of the bridge, with its line, its
delivery order, its move, its customer, their external id and references, spread over three years.
Only for an Odoo that ``scripts/odoo-server`` runs from Debian's package.
"""

import subprocess
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median
from typing import NamedTuple

import click
from odoo_server import unprivileged
from odoo_server.common import cache_folder
from odoo_server.databases import OdooDatabase
from rich.console import Console
from rich.table import Table
from stage import Run, Stage, fill, make_products, with_database

from amazon_bridge import log

BUSY = 20
"""Orders of a busy run."""
MUCH = 50
"""Milliseconds. A query that takes so much longer on a full database is marked."""
JOBS = ("orders", "cancellations", "pickings")
QUIET_RUNS = 3


class Copied(NamedTuple):
    """A table, and the columns that differ between the copies; ``n`` is the number of a copy."""

    table: str
    template: str
    """Which row is copied."""
    columns: Mapping[str, str]


AGO = (
    "now() at time zone 'utc' - interval '3 years' * (1 - n / {orders}::float) - interval '2 days'"
)
WHEN = {"create_date": AGO, "write_date": AGO}
PARTNER = "{res_partner} + n"
"""The id of a copy: ``{table}`` stands for the last id before the copies."""
SALE, LINE = "{sale_order} + n", "{sale_order_line} + n"
TRANSFER, MOVE = "{stock_picking} + n", "{stock_move} + n"
REFERENCE = "{stock_reference} + n"


def tables(order_id: int) -> list[Copied]:
    """What is copied of a sale order, in this order."""
    first_line = f"(select min(id) from sale_order_line where order_id = {order_id})"
    return [
        copied_partner(order_id),
        copied_order(order_id),
        copied_line(first_line),
        *copied_transfer(order_id, first_line),
        *copied_references(),
        Copied(
            "ir_model_data",
            f"model = 'sale.order' and res_id = {order_id}",
            {"name": "'sale_order_900-' || n", "res_id": SALE, **WHEN},
        ),
    ]


def copied_partner(order_id: int) -> Copied:
    email = "'h' || n || '@marketplace.amazon.fr'"
    return Copied(
        "res_partner",
        f"id = (select partner_id from sale_order where id = {order_id})",
        {"email": email, "email_normalized": email, "commercial_partner_id": PARTNER, **WHEN},
    )


def copied_order(order_id: int) -> Copied:
    contacts = dict.fromkeys(("partner_id", "partner_invoice_id", "partner_shipping_id"), PARTNER)
    columns = {
        "name": "'H' || n",
        "client_order_ref": "'900-' || n",
        "origin": "'Amazon Order 900-' || n",
        "access_token": "null",
        "date_order": AGO,
    }
    return Copied("sale_order", f"id = {order_id}", columns | contacts | WHEN)


def copied_line(first_line: str) -> Copied:
    columns = {"order_id": SALE, "order_partner_id": PARTNER, **WHEN}
    return Copied("sale_order_line", f"id = {first_line}", columns)


def copied_transfer(order_id: int, first_line: str) -> list[Copied]:
    """The transfer, with the move of the first line."""
    of_order = f"sale_id = {order_id}"
    columns = {"name": "'H/OUT/' || n", "origin": "'H' || n", "sale_id": SALE}
    columns |= {"partner_id": PARTNER, "date_done": AGO}
    of_line = (
        f"picking_id = (select id from stock_picking where {of_order})"
        f" and sale_line_id = {first_line}"
    )
    move = {"picking_id": TRANSFER, "sale_line_id": LINE, "date": AGO}
    return [
        Copied("stock_picking", of_order, columns | WHEN),
        Copied("stock_move", of_line, move | WHEN),
    ]


def copied_references() -> list[Copied]:
    return [
        Copied("stock_reference", "true", {"name": "'H' || n", **WHEN}),
        Copied("stock_reference_sale_rel", "true", {"sale_id": SALE, "reference_id": REFERENCE}),
        Copied("stock_reference_move_rel", "true", {"move_id": MOVE, "reference_id": REFERENCE}),
    ]


@click.command(help=__doc__)
@click.option("--orders", default=100_000, show_default=True, help="Sale orders of history.")
def main(orders: int) -> None:
    """Play, and print the figures."""
    log.configure("warning")
    with with_database("history", BUSY) as (stage, database):
        make_products(database)
        stage.set_up(database)
        stage.bridge(database, *JOBS)
        empty = played(stage, database, seed=100)
        seconds = write_history(database, orders)
        full = played(stage, database, seed=200)
    console = Console(width=140)
    console.print(f"{orders} sale orders with their deliveries were written in {seconds:.0f} s.")
    for name in empty:
        show(console, name, empty[name], full[name])


_A_QUARTER = 15 / (24 * 60)  # days; of an hour: a run looks back for longer


def played(stage: Stage, database: OdooDatabase, seed: int) -> dict[str, list[Run]]:
    """A few quiet runs of each job, and a busy one of each."""
    quiet = stage.bridge(database, *JOBS * QUIET_RUNS)
    fill(stage.world, stage.seller, BUSY, seed, days=_A_QUARTER)
    busy = stage.bridge(database, *JOBS)
    return {"quiet run": quiet[len(JOBS) :], f"run of {BUSY} orders": busy}


def write_history(database: OdooDatabase, orders: int) -> float:
    """Write so many delivered sale orders. Returns the seconds that it took."""
    done = [("state", "=", "done"), ("sale_id.state", "=", "sale")]
    found = database.rpc("stock.picking", "search_read", done, ["sale_id"], limit=1)
    begun = time.perf_counter()
    copies = tables(found[0]["sale_id"][0])
    numbered = [each.table for each in copies if not each.table.endswith("_rel")]
    base = {table: int(sql(database, f"select max(id) from {table}")) for table in numbered}
    for each in copies:
        sql(database, copy_statement(database, each, base, orders))
    for table in numbered:
        sequence = f"pg_get_serial_sequence('{table}', 'id')"
        sql(database, f"select setval({sequence}, {base[table] + orders})")
    sql(database, "vacuum analyze")
    return time.perf_counter() - begun


def copy_statement(
    database: OdooDatabase, copied: Copied, base: Mapping[str, int], orders: int
) -> str:
    """An ``insert`` of so many copies of one row, with other values in some columns."""
    named = (
        "select string_agg(quote_ident(column_name), ',') from information_schema.columns"
        f" where table_name = '{copied.table}' and is_generated = 'NEVER'"
    )
    columns = sql(database, named).split(",")
    values = {"id": f"{{{copied.table}}} + n", **copied.columns}
    selected = ",".join(values.get(column.strip('"'), f"template.{column}") for column in columns)
    return (
        f"insert into {copied.table} ({','.join(columns)}) select {selected} from"
        f" (select * from {copied.table} where {copied.template} order by 1 limit 1) as template,"
        f" generate_series(1, {orders}) as n"
    ).format(orders=orders, **base)


def sql(database: OdooDatabase, statement: str) -> str:
    """Run a statement in the database itself. Returns its first value."""
    home = cache_folder()
    command = [*unprivileged.prefix(home), "psql", "-XqtA", "-v", "ON_ERROR_STOP=1"]
    command += ["-h", home / "run", "-U", "odoo", "-d", database.database, "-c", statement]
    return subprocess.run(
        command, cwd="/", capture_output=True, text=True, check=True
    ).stdout.strip()


def show(console: Console, name: str, empty: Iterable[Run], full: Iterable[Run]) -> None:
    """Print each query's time and rows beside those on the empty database."""
    before, after = queries(empty), queries(full)
    table = Table("", "ms, empty", "ms, full", "rows, empty", "rows, full", "", title=name)
    for query in sorted(before.keys() | after.keys(), key=lambda q: -after.get(q, (0, 0))[0]):
        (short, few), (long, many) = before.get(query, (0, 0)), after.get(query, (0, 0))
        mark = f"> {MUCH} ms more" if long - short > MUCH else ""
        table.add_row(query, f"{short:.0f}", f"{long:.0f}", str(few), str(many), mark)
    console.print(table)


def queries(runs: Iterable[Run]) -> dict[str, tuple[float, int]]:
    """Milliseconds and rows of each query that changes nothing, the median of its calls."""
    reads = (".search", ".read", ".web_search_read", ".get_metadata")
    calls = defaultdict(list)
    for run in runs:
        for name, seconds, rows in run.calls:
            if any(method in name for method in reads):
                calls[name].append((seconds * 1000, rows))
    return {
        name: (median(ms for ms, _ in each), int(median(rows for _, rows in each)))
        for name, each in calls.items()
    }


if __name__ == "__main__":
    main()
