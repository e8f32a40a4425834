"""Delivery addresses of sale orders, and whether another one would change their taxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from amazon_bridge.odoo.sales import SaleOrder
from amazon_bridge.odoo.session import OdooSession

_ADDRESS = ["street", "street2", "zip", "city"]


@dataclass(frozen=True, slots=True)
class DeliveryAddress:
    """The delivery address of a sale order."""

    customer_id: int
    partner_id: int
    is_empty: bool
    fiscal_position_id: int | None
    """The sale order's."""
    ready_for: frozenset[int] = frozenset()
    """The contacts that its open delivery orders go to."""


def delivery_addresses(
    session: OdooSession, sale_orders: Iterable[SaleOrder]
) -> dict[str, DeliveryAddress]:
    """Read the delivery addresses of sale orders, by Amazon order id."""
    sale_orders = list(sale_orders)
    order_ids = {sale_order.id: sale_order.order_id for sale_order in sale_orders}
    fields = ["partner_id", "partner_shipping_id", "fiscal_position_id"]
    rows = session.read("sale.order", sorted(order_ids), fields)
    partners = sorted({row["partner_shipping_id"][0] for row in rows})
    empty = {
        row["id"]: not any(row[field] for field in _ADDRESS)
        for row in session.read("res.partner", partners, _ADDRESS)
    }
    ready = _ready_for(session, sale_orders)
    return {order_ids[row["id"]]: _delivery_address(row, empty, ready[row["id"]]) for row in rows}


def _ready_for(session: OdooSession, sale_orders: Iterable[SaleOrder]) -> dict[int, frozenset[int]]:
    """The contacts that open delivery orders go to, by the sale order's database id."""
    open_ = {
        sale_order.id: [d.id for d in sale_order.deliveries if d.is_open and d.outgoing]
        for sale_order in sale_orders
    }
    ids = sorted(id_ for each in open_.values() for id_ in each)
    rows = session.read("stock.picking", ids, ["partner_id"])
    contacts = {row["id"]: row["partner_id"][0] for row in rows if row["partner_id"]}
    return {
        id_: frozenset(contacts[each] for each in deliveries if each in contacts)
        for id_, deliveries in open_.items()
    }


def _delivery_address(
    row: Mapping[str, Any], empty: Mapping[int, bool], ready_for: frozenset[int]
) -> DeliveryAddress:
    partner_id, position = row["partner_shipping_id"][0], row["fiscal_position_id"]
    return DeliveryAddress(
        customer_id=row["partner_id"][0],
        partner_id=partner_id,
        is_empty=empty[partner_id],
        fiscal_position_id=position[0] if position else None,
        ready_for=ready_for,
    )


def deliver_to(session: OdooSession, sale_order: SaleOrder, before: int, partner_id: int) -> None:
    """Set the delivery address of a sale order and of its open deliveries.

    Deliveries that people gave another address than the sale order's keep it.
    """
    open_ = [delivery.id for delivery in sale_order.deliveries if delivery.is_open]
    mine = [("id", "in", open_), ("partner_id", "=", before)]
    rows = session.search_read("stock.picking", mine, ["id"])
    # With this, Odoo writes all transfers since 18, also done and cancelled ones; else, and always
    # before 18, it schedules an activity on the open ones that quotes the contacts' names.
    writes_all = len(rows) == len(sale_order.deliveries)
    quiet = {"update_delivery_shipping_partner": True} if writes_all else {}
    cells = [[str(sale_order.id), str(partner_id)]]
    fields = [".id", "partner_shipping_id/.id"]
    session.load("sale.order", fields, cells, overwrite=True, context=quiet)
    cells = [[str(row["id"]), str(partner_id)] for row in rows]
    session.load("stock.picking", [".id", "partner_id/.id"], cells, overwrite=True)


def may_change_taxes(
    session: OdooSession, *, company_id: int, country_id: int | None, position_id: int | None
) -> bool:
    """True if Odoo might choose another fiscal position for a country than the current one.

    Odoo's own choice isn't available over the external API. Positions that also depend on
    states or postal codes count as possible.
    """
    domain = [("auto_apply", "=", True), ("company_id", "in", [False, company_id])]
    domestic = session.fields_of("account.fiscal.position", ["is_domestic"])
    fields = ["country_id", "country_group_id", "tax_ids", *domestic]
    positions = session.search_read("account.fiscal.position", domain, fields)
    neutral = {row["id"] for row in positions if _is_neutral(row, has_domestic=bool(domestic))}
    possible = _possible(session, positions, country_id)
    effects = {None if id_ in neutral else id_ for id_ in possible} or {None}
    return (None if position_id in neutral else position_id) not in effects


def _is_neutral(position: Mapping[str, Any], *, has_domestic: bool) -> bool:
    """Whether the taxes are those without any position.

    Since Odoo 19 a position without taxes removes all of them, except the company's domestic one.
    """
    return bool(position["is_domestic"] if has_domestic else not position["tax_ids"])


def _possible(
    session: OdooSession, positions: Iterable[Mapping[str, Any]], country_id: int | None
) -> set[int]:
    """The positions that apply to a country: its own, else its group's, else those of any."""
    positions = list(positions)
    groups = sorted({row["country_group_id"][0] for row in positions if row["country_group_id"]})
    members = {
        row["id"]: row["country_ids"]
        for row in session.read("res.country.group", groups, ["country_ids"])
    }
    own = {r["id"] for r in positions if r["country_id"] and r["country_id"][0] == country_id}
    of_group = {
        row["id"]
        for row in positions
        if row["country_group_id"] and country_id in members[row["country_group_id"][0]]
    }
    anywhere = {r["id"] for r in positions if not r["country_id"] and not r["country_group_id"]}
    return own or of_group or anywhere
