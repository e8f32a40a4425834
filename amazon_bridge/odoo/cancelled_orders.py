"""Sale orders that people cancelled."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from amazon_bridge.odoo import sales
from amazon_bridge.odoo.naming import read_names
from amazon_bridge.odoo.paging import ChangedPage, changed
from amazon_bridge.odoo.sales import SaleOrder
from amazon_bridge.odoo.session import OdooSession


@dataclass(frozen=True, slots=True)
class CancelledOrder:
    """A sale order of the bridge that is cancelled, or was when an earlier run read it."""

    sale_order: SaleOrder
    tags: tuple[str, ...]
    """The names of its tags, in the login's language and in English; one may be the reason for
    Amazon."""


def changed_cancellations(
    session: OdooSession, *, company_id: int, since: datetime, after: int = 0
) -> Iterator[ChangedPage]:
    """The sale orders that are cancelled and changed since a moment."""
    domain = [("company_id", "=", company_id), ("state", "=", "cancel")]
    return changed(session, "sale.order", domain, since=since, after=after)


def cancelled_orders(
    session: OdooSession, *, company_id: int, ids: Collection[int], order_ids: Collection[str]
) -> list[CancelledOrder]:
    """Those with these database ids that are cancelled, and those of these Amazon orders."""
    domain = [
        ("company_id", "=", company_id),
        *("|", *sales.order_domain(order_ids)),
        *("&", ("state", "=", "cancel"), ("id", "in", sorted(ids))),
    ]
    rows = session.search_read("sale.order", domain, ["tag_ids"], order="id")
    tags = read_names(session, "crm.tag", {tag for row in rows for tag in row["tag_ids"]})
    names = {
        row["id"]: tuple(name for tag in row["tag_ids"] if tag in tags for name in tags[tag].both)
        for row in rows
    }
    found = sales.read_any(session, sorted(names))
    return [CancelledOrder(each, names[each.id]) for each in found if each.made_by_bridge]


def count_open_orders(session: OdooSession, *, company_id: int, sales_team_id: int) -> int:
    """The team's Amazon orders that are confirmed and not wholly delivered."""
    domain = [
        ("company_id", "=", company_id),
        ("team_id", "=", sales_team_id),
        ("client_order_ref", "!=", False),
        ("state", "in", ["sale", "done"]),
        ("picking_ids.state", "in", ["waiting", "confirmed", "assigned"]),
    ]
    return int(session.call("sale.order", "search_count", domain))
