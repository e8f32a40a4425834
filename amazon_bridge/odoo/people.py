"""Checksums of what people may change on a confirmed sale order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any

from amazon_bridge.odoo.sales import Delivery, SaleOrder
from amazon_bridge.odoo.session import OdooSession

_ADDRESS = ["name", "street", "street2", "zip", "city", "active"]


def checksums(session: OdooSession, sale_orders: Collection[SaleOrder]) -> dict[str, str]:
    """Checksums of sale orders, their lines, deliveries and addresses, by Amazon order id.

    Two bytes are enough to notice a change, and too few to confirm a guess at an address.
    """
    line_ids = {id_ for s in sale_orders for id_ in s.line_ids}
    fields = ["product_id", "product_uom_qty", "qty_delivered"]
    lines = _rows(session, "sale.order.line", line_ids, fields)
    contacts = {s.delivery_contact_id for s in sale_orders}
    addresses = _rows(session, "res.partner", contacts, _ADDRESS)
    return {
        s.order_id: _checksum(
            s.state,
            {"id": s.id, "partner_shipping_id": s.delivery_contact_id},
            addresses.get(s.delivery_contact_id),
            [lines.get(id_) for id_ in sorted(s.line_ids)],
            [(d.id, d.state, _contact_of(d)) for d in sorted(s.deliveries, key=_id)],
        )
        for s in sale_orders
    }


def _contact_of(delivery: Delivery) -> dict[str, Any] | None:
    if not delivery.is_open:
        return None
    return {"id": delivery.id, "partner_id": delivery.contact_id or False}


def _id(record: Any) -> int:
    return int(record.id)


def _rows(
    session: OdooSession, model: str, ids: Collection[int], fields: list[str]
) -> dict[int, dict[str, Any]]:
    return {row["id"]: dict(row) for row in session.read(model, sorted(ids), fields)}


def _checksum(*facts: Any) -> str:
    text = json.dumps([_without_names(fact) for fact in facts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:4]


def _without_names(fact: Any) -> Any:
    """Values with ids instead of display names, which depend on the language."""
    if isinstance(fact, dict):
        return {key: _id_of(value) for key, value in fact.items()}
    if isinstance(fact, list | tuple):
        return [_without_names(each) for each in fact]
    return fact


def _id_of(value: Any) -> Any:
    return value[0] if isinstance(value, list | tuple) and value else value
