"""The bridge, a plain script and the floor (see ``contenders.py``) on the same mixed orders.

Against a real Odoo and the simulated Amazon: ``make benchmark``, or
``python benchmarks/side_by_side.py --orders 10000`` with ``scripts`` in ``PYTHONPATH``. Compare
figures of one run only; on a machine that has other things to do, those of Odoo's CPU time.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import click
import contenders
from odoo_server import machine
from odoo_server.databases import OdooDatabase, OdooServer
from rich.console import Console
from rich.table import Table
from stage import Run, Stage, copied, filled, make_products, odoo_cpu

from amazon_bridge import log

BATCH = 50
SHIPMENTS, CANCELLATIONS = 300, 100


class Figures(NamedTuple):
    """Of one contender, for the same orders."""

    calls: int
    seconds: float
    odoo_cpu: float


@click.command(help=__doc__)
@click.option("--orders", default=300, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--without-plain", is_flag=True, help="Leave the slow plain script out.")
@click.option("--calls", is_flag=True, help="Name each call of the import, with its time.")
def main(orders: int, seed: int, *, without_plain: bool, calls: bool) -> None:
    """Play, and print the figures."""
    log.configure("warning")
    with (
        machine.in_use() as server,
        tempfile.TemporaryDirectory() as folder,
        filled(Path(folder), orders, seed) as stage,
        databases(server, stage) as (mine, others),
    ):
        last = contenders.last_partner(mine)
        imported, quiet = stage.bridge(mine, "orders", "orders")
        known = contenders.read(mine, last)
        figures = others_made(others, known, without_plain=without_plain)
        back = way_back(stage, mine)
    console = Console(width=120)
    show_contenders(console, imported, figures, len(known.orders))
    show_runs(console, {f"import of {orders} orders": imported, "quiet run": quiet, **back})
    show_calls(console, imported.calls if calls else [])


@contextmanager
def databases(
    server: OdooServer, stage: Stage
) -> Iterator[tuple[OdooDatabase, list[OdooDatabase]]]:
    """A database that is set up for the bridge, and two copies of it."""
    prefix = f"{machine.TEST_DATABASE_PREFIX}benchmark_{time.time_ns()}"
    names = [f"{prefix}_{number}" for number in range(3)]
    try:
        first = server.create(names[0])
        make_products(first)
        stage.set_up(first)
        yield first, [copied(server, first, name) for name in names[1:]]
    finally:
        for name in names:
            server.drop(name)


def others_made(
    databases: list[OdooDatabase], known: contenders.Everything, *, without_plain: bool
) -> dict[str, Figures]:
    """The figures of the other contenders by name."""
    figures = {"floor": made(contenders.floor, databases[0], known)}
    if not without_plain:
        figures["plain script"] = made(contenders.plain, databases[1], known)
    return figures


def made(
    contender: Callable[[OdooDatabase, contenders.Everything], int],
    database: OdooDatabase,
    known: contenders.Everything,
) -> Figures:
    database.rpc("res.users", "read", [2], ["login"])  # loads the registry
    begun, cpu = time.perf_counter(), odoo_cpu()
    calls = contender(database, known)
    return Figures(calls, time.perf_counter() - begun, odoo_cpu() - cpu)


def way_back(stage: Stage, database: OdooDatabase) -> dict[str, Run]:
    """Ship some open deliveries in Odoo, cancel other orders, and let the bridge tell Amazon."""
    transfers = open_transfers(stage, database)
    shipped = min(SHIPMENTS, len(transfers) * SHIPMENTS // (SHIPMENTS + CANCELLATIONS))
    cancelled = [row["sale_id"][0] for row in transfers[shipped : shipped + CANCELLATIONS]]
    work_in_odoo(database, [row["id"] for row in transfers[:shipped]], cancelled)
    shipments, quiet, fed = stage.bridge(database, "pickings", "pickings", "cancellations")
    stage.clock.shift += timedelta(minutes=25)  # Amazon has processed the feed
    (confirmed,) = stage.bridge(database, "cancellations")
    return {
        f"{shipped} shipments": shipments,
        "pickings: quiet run": quiet,
        f"{len(cancelled)} cancellations: feed sent": fed,
        "cancellations: report read": confirmed,
    }


def open_transfers(stage: Stage, database: OdooDatabase) -> list[dict[str, Any]]:
    """The open deliveries of orders that Amazon still shows as not shipped."""
    unshipped = [order.order_id for order in stage.world.orders if order.status == "UNSHIPPED"]
    open_ = [
        ("state", "not in", ["done", "cancel"]),
        ("sale_id.client_order_ref", "in", unshipped),
    ]
    found: list[dict[str, Any]] = database.rpc(
        "stock.picking", "search_read", open_, ["sale_id"], order="id"
    )
    return found


def work_in_odoo(database: OdooDatabase, transfers: list[int], cancelled: list[int]) -> None:
    """What people do there."""
    rpc = database.rpc
    product = rpc("product.product", "create", {"name": "Post", "type": "service"})
    carrier = {"name": "DHL", "product_id": product, "delivery_type": "fixed"}
    sent = {"carrier_id": rpc("delivery.carrier", "create", carrier), "carrier_tracking_ref": "JD1"}
    context = {"skip_backorder": True, "skip_sms": True, "disable_cancel_warning": True}
    for start in range(0, len(transfers), BATCH):
        part = transfers[start : start + BATCH]
        rpc("stock.picking", "write", part, sent)
        moves = rpc("stock.move", "search_read", [("picking_id", "in", part)], ["product_uom_qty"])
        for quantity in {move["product_uom_qty"] for move in moves}:
            ids = [move["id"] for move in moves if move["product_uom_qty"] == quantity]
            rpc("stock.move", "write", ids, {"quantity": quantity, "picked": True})
        rpc("stock.picking", "button_validate", part, context=context)
    for start in range(0, len(cancelled), BATCH):
        rpc("sale.order", "action_cancel", cancelled[start : start + BATCH], context=context)


def show_contenders(
    console: Console, imported: Run, others: dict[str, Figures], sale_orders: int
) -> None:
    bridge = Figures(len(imported.calls), imported.seconds, imported.odoo_cpu)
    table = Table("", "calls", "a sale order", "seconds", "Odoo CPU s", "seconds : bridge's")
    table.add_column("Odoo CPU : bridge's")
    table.title = f"The same {sale_orders} sale orders"
    for name, each in {"bridge": bridge, **others}.items():
        cpu = f"{each.odoo_cpu / bridge.odoo_cpu:.2f}" if bridge.odoo_cpu else ""
        row = [str(each.calls), f"{each.calls / sale_orders:.2f}", f"{each.seconds:.1f}"]
        row += [f"{each.odoo_cpu:.1f}", f"{each.seconds / bridge.seconds:.2f}", cpu]
        table.add_row(name, *row)
    console.print(table)


def show_calls(console: Console, calls: Sequence[tuple[str, float, int]]) -> None:
    for name, seconds, rows in calls:
        console.print(f"{seconds * 1000:8.0f} ms {rows:6} rows  {name}", highlight=False)


def show_runs(console: Console, runs: dict[str, Run]) -> None:
    table = Table(
        *("", "Odoo calls", "an order", "rows read", "Amazon calls"),
        *("seconds", "our CPU ms", "peak RSS MB"),
        title="The bridge",
    )
    for name, run in runs.items():
        seen = int(run.counts["seen"])
        each = f"{len(run.calls) / seen:.2f}" if seen else ""
        row = [str(len(run.calls)), each, str(run.rows), str(run.amazon_calls)]
        row += [f"{run.seconds:.2f}", f"{run.cpu * 1000:.0f}", f"{run.peak_mb:.0f}"]
        table.add_row(name, *row)
    console.print(table)


if __name__ == "__main__":
    main()
