"""The section of the status page with the ages of the oldest open items."""

from __future__ import annotations

from markupsafe import Markup

from amazon_bridge.engine.records import OldestOpen
from amazon_bridge.service.markup import row, section, table
from amazon_bridge.service.moments import ago
from amazon_bridge.service.view import View

PENDING = "pending"
"""The kind of items that are not quarantined."""

_COLUMNS = ("Job", "Kind", "Items", "Oldest")


def oldest(view: View) -> Markup:
    """How many items of each kind are open, the one that is open for longest first."""
    found = [each for each in view.ledger.items.oldest_open() if view.shows(each.account)]
    if not found:
        return Markup("")
    rows = [_row(view, each) for each in sorted(found, key=lambda each: each.since)]
    return section("Oldest open items", "", table(_COLUMNS, rows))


def _row(view: View, of: OldestOpen) -> Markup:
    job = Markup("{}<small>{}</small>").format(of.job, of.account)
    return row(_COLUMNS, (job, of.kind or PENDING, f"{of.number:,}", ago(of.since, view.now)))
