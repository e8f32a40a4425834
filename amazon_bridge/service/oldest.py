"""The section of the status page with the ages of the oldest open items."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from markupsafe import Markup

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.service.moments import ago

_COLUMNS = ("Job", "Kind", "Items", "Oldest")
_ROW = Markup(
    '<tr><td>{}<small>{}</small></td><td data-label="Kind">{}</td>'
    '<td data-label="Items">{:,}</td><td data-label="Oldest">{}</td></tr>'
)


def section(ledger: Ledger, accounts: Collection[str], now: datetime) -> Markup:
    """How many items of each kind are open, the one that is open for longest first."""
    found = [each for each in ledger.items.oldest_open() if each.account in accounts]
    if not found:
        return Markup("")
    rows = Markup("").join(
        _ROW.format(of.job, of.account, of.kind or "pending", of.number, ago(of.since, now))
        for of in sorted(found, key=lambda each: each.since)
    )
    heads = Markup("").join(Markup("<th>{}</th>").format(title) for title in _COLUMNS)
    return Markup(
        "<section><h2>Oldest open items</h2><table><thead><tr>{}</tr></thead>"
        "<tbody>{}</tbody></table></section>"
    ).format(heads, rows)
