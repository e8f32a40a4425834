"""The section of the status page on how long orders and shipments take."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from markupsafe import Markup

from amazon_bridge.engine.durations import BEYOND, BOUNDS, Durations
from amazon_bridge.flows.events import OrderEvent
from amazon_bridge.model import FulfilledBy
from amazon_bridge.service.markup import row, section, soft, table
from amazon_bridge.service.view import View

PERIOD = timedelta(days=7)
_PERCENTILES = (50, 90, 99)
_COLUMNS = ("Account", "From, to", *(f"{percent} % within" for percent in _PERCENTILES), "Number")
_STEPS = {
    (OrderEvent.IMPORTED, FulfilledBy.MERCHANT): "purchase to Odoo, FBM",
    (OrderEvent.IMPORTED, FulfilledBy.AMAZON): "purchase to Odoo, FBA",
    (OrderEvent.CONFIRMED, FulfilledBy.MERCHANT): "delivery to Amazon",
}


def order_times(view: View) -> Markup:
    """Percentiles of the times from Amazon to Odoo and back, of each account."""
    rows = list(_rows(view))
    content = table(_COLUMNS, rows) if rows else soft("Nothing was imported or confirmed.")
    note = soft(
        "Amazon shows orders once they are paid, and the bridge imports FBA orders once they are"
        " shipped: the time from the purchase includes both."
    )
    title = "From purchase to Odoo, from delivery to Amazon"
    return section(title, f"the last {PERIOD.days} days", content, note if rows else "")


def _rows(view: View) -> Iterator[Markup]:
    found = view.ledger.statistics.durations(view.now - PERIOD, view.account)
    for account in view.names:
        for (event, fulfilled_by), step in _STEPS.items():
            if durations := found.get((account, event, fulfilled_by)):
                yield row(_COLUMNS, (account, step, *_cells(durations)))


def _cells(durations: Durations) -> list[str]:
    bounds = [durations.percentile(percent) for percent in _PERCENTILES]
    return [*map(_readable, bounds), f"{durations.count:,}"]


def _readable(bound: int) -> str:
    if bound == BEYOND:
        return f"more than {_readable(BOUNDS[-1])}"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if bound >= length:
            return f"{bound / length:g} {unit}"
    return f"{bound} s"
