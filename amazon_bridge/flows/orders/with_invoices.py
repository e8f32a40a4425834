"""Invoices follow orders: what is delivered since the last run is invoiced in the same run."""

from __future__ import annotations

from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, RateLimited, Transient
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import invoices, run


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """Run the orders job, then the invoices.

    Invoices do not need Amazon: after an error of the orders, they are skipped only if Odoo is
    down.
    """
    counts = run.sync(context, dry_run=dry_run)
    try:
        if counts.error:
            context.odoo.ping()
    except (AccountError, Transient):
        return counts
    try:
        return counts + invoices.sync(context, dry_run=dry_run)
    except RateLimited as limit:
        counts.note_rate_limit(limit)
        return counts
