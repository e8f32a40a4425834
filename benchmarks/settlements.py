"""What the settlements job costs: one settlement of many orders, all of them invoiced and paid.

``python benchmarks/settlements.py --orders 14300`` with ``scripts`` in ``PYTHONPATH``: 100,100
rows. Orders, invoices and payments are copies of one order of the bridge's, written straight into
PostgreSQL. Only for an Odoo that ``scripts/odoo-server`` runs from Debian's package.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import click
from history import Copied, copy_statement, sql
from odoo_server.databases import OdooDatabase
from rich.console import Console
from rich.table import Table
from stage import Run, Stage, make_products, with_database

from amazon_bridge import log
from amazon_bridge.simulator import Settlement

DAYS = 14
"""That a settlement has."""
ROWS = (
    ("ItemPrice", "Tax", "3.00"),
    ("ItemPrice", "Shipping", "2.00"),
    ("ItemFees", "Commission", "-3.00"),
    ("ItemFees", "FBAPerUnitFulfillmentFee", "-2.51"),
    ("ItemFees", "DigitalServicesFee", "-0.11"),
    ("ItemFees", "VariableClosingFee", "-0.38"),
)
"""Of each order, besides that of the goods."""
ORDER_ID = "'900-' || lpad(n::text, 7, '0') || '-1234567'"
ORDER, LINE, PAYMENT = "{sale_order} + n", "{sale_order_line} + n", "{account_payment} + n"
INVOICE, PAYMENTS_ENTRY = "{account_move} + 2 * n", "{account_move} + 2 * n + 1"
FULL = "{account_full_reconcile} + n"
NO_TOKEN = {"access_token": "null"}


@dataclass(frozen=True)
class Template:
    """The order that is copied: database ids."""

    order: int
    line: int
    invoice: int
    payment: int
    payments_entry: int
    lines: dict[int, int]
    """The entry of each journal item of the invoice and of the payment."""
    reconciled: frozenset[int]
    """Those that clear each other."""
    of_line: int
    """The invoice's item of the sale order's line."""
    worth: Decimal


@click.command(help=__doc__)
@click.option("--orders", default=14_300, show_default=True, help="Each has seven rows.")
def main(orders: int) -> None:
    """Play, and print the figures."""
    log.configure("warning")
    with with_database("settlements", orders=0) as (stage, database):
        runs = played(stage, database, orders)
    show(runs, orders)


def played(stage: Stage, database: OdooDatabase, orders: int) -> dict[str, Run]:
    """The measured runs by name."""
    prepare(stage, database)
    template = sold(stage, database)
    write_orders(database, template, orders)
    stage.bridge(database, "settlements")  # with a comparison, so that it counts for no run
    settlement = settle(stage, template, orders)
    stage.account["settlements"]["reconcile"] = False
    (booked,) = stage.bridge(database, "settlements")
    assert booked.counts["created"] == 1, booked.counts
    stage.account["settlements"]["reconcile"] = True
    (reconciled,) = stage.bridge(database, "settlements")
    assert open_lines(database, settlement) == 0
    stage.clock.shift += timedelta(days=1)
    (compared,) = stage.bridge(database, "settlements")
    return {
        f"read and book {len(ROWS) + 1} rows of each order": booked,
        "find the payments and reconcile them": reconciled,
        "nothing new, and the daily comparison": compared,
    }


def prepare(stage: Stage, database: OdooDatabase) -> None:
    """A seller in the United States, because the company's currency is the dollar."""
    stage.seller = stage.world.add_seller("A1BENCHMARKUS", ["US"])
    stage.account = {
        "marketplaces": ["US"],
        "invoicing": {"mode": "on_delivery", "payment_journal": "Amazon Payments"},
        "settlements": {"mode": "post"},
    }
    make_products(database)
    stage.set_up(database)


def sold(stage: Stage, database: OdooDatabase) -> Template:
    """An order of the bridge's, invoiced and paid."""
    order = stage.world.place_order("US", fulfilled_by="AMAZON", status="SHIPPED")
    stage.clock.shift += timedelta(minutes=10)
    stage.bridge(database, "orders")
    rpc = database.rpc
    domain = [("client_order_ref", "=", order.order_id)]
    fields = ["order_line", "invoice_ids", "amount_total"]
    [row] = rpc("sale.order", "search_read", domain, fields)
    [invoice], line = row["invoice_ids"], min(row["order_line"])
    paid = [("memo", "!=", False), ("payment_type", "=", "inbound")]
    [payment] = rpc("account.payment", "search_read", paid, ["move_id"])
    entry = payment["move_id"][0]
    items = rpc(
        "account.move.line",
        "search_read",
        [("move_id", "in", [invoice, entry])],
        ["move_id", "full_reconcile_id", "sale_line_ids"],
    )
    return Template(
        order=row["id"],
        line=line,
        invoice=invoice,
        payment=payment["id"],
        payments_entry=entry,
        lines={item["id"]: item["move_id"][0] for item in items},
        reconciled=frozenset(item["id"] for item in items if item["full_reconcile_id"]),
        of_line=next(item["id"] for item in items if item["sale_line_ids"]),
        worth=Decimal(str(round(row["amount_total"], 2))),
    )


def write_orders(database: OdooDatabase, template: Template, orders: int) -> None:
    """Write so many sale orders with their invoices and payments."""
    copies = [*copied_orders(template), *copied_items(template)]
    tables = [each.table for each in copies if "_rel" not in each.table and "__" not in each.table]
    base = {table: int(sql(database, f"select max(id) from {table}")) for table in tables}
    for each in copies:
        sql(database, copy_statement(database, each, base, orders))
    sql(
        database,
        f"update account_move set origin_payment_id = (id - {base['account_move']}) / 2"
        f" + {base['account_payment']} where id > {base['account_move']} + 2 and"
        f" (id - {base['account_move']}) % 2 = 1",
    )
    for table in base:
        sequence = f"pg_get_serial_sequence('{table}', 'id')"
        sql(database, f"select setval({sequence}, (select max(id) from {table}))")
    sql(database, "vacuum analyze")


def copied_orders(template: Template) -> list[Copied]:
    """What is copied but the journal items, in this order."""
    own = {"name": "'BENCH' || n", "client_order_ref": ORDER_ID, **NO_TOKEN}
    return [
        Copied("sale_order", f"id = {template.order}", own),
        Copied("sale_order_line", f"id = {template.line}", {"order_id": ORDER}),
        copied_entry(template.invoice, INVOICE, "BENCHI/"),
        copied_entry(template.payments_entry, PAYMENTS_ENTRY, "BENCHP/"),
        Copied(
            "account_payment",
            f"id = {template.payment}",
            {"name": "'BENCHP/' || n", "move_id": PAYMENTS_ENTRY},
        ),
        Copied(
            "account_move__account_payment",
            f"payment_id = {template.payment}",
            {"invoice_id": INVOICE, "payment_id": PAYMENT},
        ),
        Copied("account_full_reconcile", "true", {}),
    ]


def copied_entry(id_: int, copy_id: str, prefix: str) -> Copied:
    numbered = {"sequence_prefix": f"'{prefix}'", "sequence_number": "n"}
    name = {"name": f"'{prefix}' || n", "payment_reference": f"'{prefix}' || n"}
    later = {"origin_payment_id": "null", **NO_TOKEN}
    return Copied("account_move", f"id = {id_}", {"id": copy_id, **numbered, **name, **later})


def copied_items(template: Template) -> Iterable[Copied]:
    """The journal items, and what says that they clear each other."""
    places = {id_: f"{{account_move_line}} + {len(template.lines)} * n + {place}"
              for place, id_ in enumerate(sorted(template.lines))}  # fmt: skip
    for id_, place in places.items():
        of_payment = template.lines[id_] == template.payments_entry
        columns = {"id": place, "move_id": PAYMENTS_ENTRY if of_payment else INVOICE}
        if of_payment:
            columns["payment_id"] = PAYMENT
        if id_ in template.reconciled:
            columns |= {"full_reconcile_id": FULL, "matching_number": f"({FULL})::text"}
        yield Copied("account_move_line", f"id = {id_}", columns)
    debit, credit = sorted(
        template.reconciled, key=lambda id_: template.lines[id_] == template.payments_entry
    )
    ends = {"debit_move_id": places[debit], "credit_move_id": places[credit]}
    condition = f"debit_move_id = {debit}"
    yield Copied("account_partial_reconcile", condition, {**ends, "full_reconcile_id": FULL})
    of_line = {"invoice_line_id": places[template.of_line], "order_line_id": LINE}
    yield Copied("sale_order_line_invoice_rel", f"invoice_line_id = {template.of_line}", of_line)


def settle(stage: Stage, template: Template, orders: int) -> Settlement:
    """Let Amazon settle the copies."""
    goods = ("ItemPrice", "Principal", str(template.worth - 5))
    rows = [("Order", kind, what, Decimal(amount)) for kind, what, amount in (goods, *ROWS)]
    money, now = stage.simulator.money, stage.clock()
    for n in range(1, orders + 1):
        order_id, posted = f"900-{n:07}-1234567", now - timedelta(days=n % DAYS, minutes=30)
        money.post(rows, country="US", seller=stage.seller, order_id=order_id, posted=posted)
    settlement = money.close(seller=stage.seller, currency="USD")
    stage.clock.shift += timedelta(minutes=10)
    return settlement


def open_lines(database: OdooDatabase, settlement: Settlement) -> int:
    """How many lines of orders are not reconciled."""
    of_settlement = ("move_id.ref", "=like", f"settlement_{settlement.settlement_id}_%")
    domain = [of_settlement, ("name", "=like", "900-%"), ("reconciled", "=", False)]
    return int(database.rpc("account.move.line", "search_count", domain))


def show(runs: dict[str, Run], orders: int) -> None:
    """Print what each run took."""
    columns = ("s", "s of Odoo", "calls to Odoo", "CPU s of Odoo", "CPU s", "peak MB")
    rows = orders * (len(ROWS) + 1)
    table = Table("", *columns, title=f"a settlement of {rows} rows for {orders} orders")
    for name, run in runs.items():
        odoo = sum(seconds for _, seconds, _ in run.calls)
        numbers = (run.seconds, odoo, len(run.calls), run.odoo_cpu, run.cpu, run.peak_mb)
        table.add_row(name, *(f"{each:.1f}" for each in numbers))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
