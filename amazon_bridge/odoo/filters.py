"""Shared filters (*Favorites*) in Odoo's lists: found by external id, created once.

A filter is kept as it is once it exists: people may change, archive or delete it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amazon_bridge.odoo.notes import DELIVERY_ORDER, SALE_ORDER
from amazon_bridge.odoo.sales import ORIGIN
from amazon_bridge.odoo.session import OdooSession, external

_FILTER = "ir.filters"
_ACTIVITY = "mail.activity"

TITLES = {
    SALE_ORDER: "Sales > Orders",
    DELIVERY_ORDER: "Inventory > Transfers",
    _ACTIVITY: "Activities",
}
"""Where people find the filters of a model, under *Favorites*."""

_RELATIVE_DAYS_SINCE = (19, 0)
"""Since this version the server knows ``today`` in domains, in the time zone of the user."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that all users of Odoo see in the lists of a model."""

    reference: str
    """Its external id, without the module."""
    name: str
    model: str
    domain: str
    """As the web client evaluates it: with ``context_today`` and ``uid``."""


@dataclass(frozen=True, slots=True)
class AccountInOdoo:
    """By what the orders of an account are recognised in Odoo."""

    name: str
    company_id: int
    warehouse_id: int
    sales_team_id: int


def _domain(*terms: str) -> str:
    return f"[{', '.join(terms)}]"


def _of_amazon(path: str) -> str:
    """The sale order was created by the bridge: people can't change its source document."""
    return f"('{path}', '=like', '{ORIGIN}%')"


_OPEN = (
    _of_amazon("sale_id.origin"),
    "('state', 'not in', ['done', 'cancel'])",
    "('picking_type_id.code', '!=', 'incoming')",
    "'!', ('picking_type_id.sequence_code', '=like', 'FBA%')",
)
"""Open transfers out of the warehouse; not those out of the location of goods at Amazon."""

_END_OF_TODAY = (
    "(datetime.datetime.combine(context_today() + relativedelta(days=1), datetime.time(0, 0, 0))"
    ".to_utc()).strftime('%Y-%m-%d %H:%M:%S')"
)


def orders() -> Filter:
    """All sale orders of the bridge."""
    domain = _domain(_of_amazon("origin"))
    return Filter("filter_orders", "Amazon", SALE_ORDER, domain)


def orders_of(account: AccountInOdoo) -> Filter:
    """The sale orders of one account."""
    domain = _domain(
        _of_amazon("origin"),
        f"('company_id', '=', {account.company_id})",
        f"('warehouse_id', '=', {account.warehouse_id})",
        f"('team_id', '=', {account.sales_team_id})",
    )
    name = f"Amazon: {account.name}"
    return Filter(f"filter_orders_{account.name}", name, SALE_ORDER, domain)


def to_ship() -> Filter:
    """Open delivery orders."""
    return Filter("filter_to_ship", "Amazon: to ship", DELIVERY_ORDER, _domain(*_OPEN))


def ship_by_today(session: OdooSession) -> Filter:
    """Open delivery orders whose deadline, Amazon's ship-by date, is today or has passed."""
    is_known = session.version >= _RELATIVE_DAYS_SINCE
    end = "'today +1d'" if is_known else _END_OF_TODAY
    domain = _domain(*_OPEN, f"('date_deadline', '<', {end})")
    return Filter("filter_ship_by_today", "Amazon: ship by today", DELIVERY_ORDER, domain)


def without_tracking(session: OdooSession) -> Filter | None:
    """Done delivery orders without a carrier or tracking reference; None without these fields."""
    if not session.capabilities.has_tracking:
        return None
    domain = _domain(
        _of_amazon("sale_id.origin"),
        "('state', '=', 'done')",
        "('picking_type_id.code', '=', 'outgoing')",
        "'!', ('picking_type_id.sequence_code', '=like', 'FBA%')",
        "'|', ('carrier_id', '=', False), ('carrier_tracking_ref', '=', False)",
    )
    name = "Amazon: waiting for carrier or tracking"
    return Filter("filter_without_tracking", name, DELIVERY_ORDER, domain)


def activities() -> list[Filter]:
    """What the bridge asks people to do: the activities, and the records that have some."""
    ours = "'=like', 'Amazon%'"
    of_orders = f"('activity_ids.summary', {ours})"
    named = "Amazon: something to do"
    return [
        Filter("filter_activities", "Amazon", _ACTIVITY, _domain(f"('summary', {ours})")),
        Filter("filter_orders_to_do", named, SALE_ORDER, _domain(of_orders)),
        Filter("filter_deliveries_to_do", named, DELIVERY_ORDER, _domain(of_orders)),
    ]


def existing(session: OdooSession, filters: Sequence[Filter]) -> list[Filter]:
    """Those that exist, archived ones too."""
    return [each for each in filters if session.reference(each.reference, archived=True)]


def create(session: OdooSession, new: Filter) -> None:
    """Create a filter for all users.

    Raises:
        ItemError: Odoo refuses it, such as for a shared filter of the same name.
    """
    row = [external(new.reference), new.name, new.model, new.domain]
    session.load(_FILTER, ["id", "name", "model_id", "domain"], [row])
