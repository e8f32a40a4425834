"""Invoices follow orders: what is delivered since the last run is invoiced in the same run."""

from __future__ import annotations

from amazon_bridge.engine.counts import Counts
from amazon_bridge.flows.attempts import attempt
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import invoices, run
from amazon_bridge.flows.orders.memo import JOB
from amazon_bridge.flows.outbound import Run


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """Run the orders job, then the invoices.

    Invoices do not need Amazon: after an error of the orders, they are skipped only if Odoo is
    down.
    """
    both = Run(context, JOB, run.sync(context, dry_run=dry_run))

    def invoice() -> None:
        both.counts += invoices.sync(context, dry_run=dry_run)

    attempt(both, invoice)
    return both.counts
