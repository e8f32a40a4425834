"""The section of the status page with SKUs that no product in Odoo matches."""

from __future__ import annotations

from markupsafe import Markup

from amazon_bridge.service.markup import prose, row, section, table
from amazon_bridge.service.view import View

_COLUMNS = ("SKU", "Account", "Orders", "Such as", "Why")
_MOST = 50


def unmatched(view: View) -> Markup:
    """The SKUs whose orders were imported with a fallback product; nothing if there are none."""
    skus = view.ledger.skus
    found = [(name, each) for name in view.names for each in skus.unmatched(name)]
    if not found:
        return Markup("")
    cells = (
        (e.name, name, f"{e.items:,}", e.last_key, prose(e.reason)) for name, e in found[:_MOST]
    )
    more = f", the first {_MOST} are shown" if len(found) > _MOST else ""
    content = table(_COLUMNS, (row(_COLUMNS, each) for each in cells))
    return section("SKUs without a product", f"{len(found):,}{more}", content)
