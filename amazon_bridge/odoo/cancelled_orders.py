"""Sale orders that people cancelled."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from amazon_bridge.odoo import sales
from amazon_bridge.odoo.moments import timestamp
from amazon_bridge.odoo.naming import read_names
from amazon_bridge.odoo.sales import SaleOrder
from amazon_bridge.odoo.session import OdooSession


@dataclass(frozen=True, slots=True)
class CancelledOrder:
    """A sale order of the bridge that is cancelled, or was when an earlier run read it."""

    sale_order: SaleOrder
    tags: tuple[str, ...]
    """The names of its tags, in the login's language and in English; one may be the reason for
    Amazon."""


def cancelled_orders(
    session: OdooSession, *, company_id: int, since: datetime, order_ids: Collection[str]
) -> list[CancelledOrder]:
    """The sale orders cancelled, and changed since then; and those of these Amazon order ids."""
    changed = ("write_date", ">=", timestamp(since))
    domain = [
        ("company_id", "=", company_id),
        *("|", *sales.order_domain(order_ids)),
        *("&", ("state", "=", "cancel"), changed),
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
