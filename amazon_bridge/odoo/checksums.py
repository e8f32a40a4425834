"""Checksums of what people may change on a confirmed sale order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from amazon_bridge.odoo import sales, trees
from amazon_bridge.odoo.sales import CLOSED, Delivery, SaleOrder
from amazon_bridge.odoo.session import OdooSession

_ADDRESS = ["name", "street", "street2", "zip", "city", "active"]
_LINE = ["product_id", "product_uom_qty", "qty_delivered"]
_TRANSFER = ["state", "partner_id", "sale_id"]


def of_sale_orders(session: OdooSession, sale_orders: Collection[SaleOrder]) -> dict[str, str]:
    """Checksums of sale orders, their lines, deliveries and addresses, by Amazon order id.

    Two bytes are enough to notice a change, and too few to confirm a guess at an address.
    """
    lines, addresses = _lines_and_addresses(session, sale_orders)
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


def current(session: OdooSession, order_ids: Iterable[str]) -> dict[str, str]:
    """The checksums of the sale orders of Amazon orders as they are now, by Amazon order id.

    Since Odoo 17 two calls read all of them.
    """
    keys = list(order_ids)
    if not session.capabilities.reads_trees:
        return of_sale_orders(session, list(sales.find(session, keys).values()))
    domain = sales.order_domain(keys)
    rows = trees.search(session, "sale.order", domain, _tree(session), order="id desc")
    names = session.external_ids("sale.order", [row["id"] for row in rows])
    ours = {id_: sales.external_order_id(name) for id_, name in names.items()}
    found = {
        ours.get(row["id"]) or row["client_order_ref"]: _checksum_of(row)
        for row in sorted(rows, key=lambda row: bool(ours.get(row["id"])))
    }
    return {key: found[key] for key in keys if key in found}


_Rows = Mapping[int, Mapping[str, Any]]


def _lines_and_addresses(
    session: OdooSession, sale_orders: Collection[SaleOrder]
) -> tuple[_Rows, _Rows]:
    """The lines and the delivery contacts of sale orders, each by id."""
    if not session.capabilities.reads_trees:
        line_ids = {id_ for s in sale_orders for id_ in s.line_ids}
        contacts = {s.delivery_contact_id for s in sale_orders}
        lines = _rows(session, "sale.order.line", line_ids, _LINE)
        return lines, _rows(session, "res.partner", contacts, _ADDRESS)
    tree = {"order_line": dict.fromkeys(_LINE), "partner_shipping_id": dict.fromkeys(_ADDRESS)}
    domain = [("id", "in", sorted(s.id for s in sale_orders))]
    rows = trees.search(session, "sale.order", domain, tree)
    lines = {line["id"]: line for row in rows for line in row["order_line"]}
    return lines, {row["partner_shipping_id"]["id"]: row["partner_shipping_id"] for row in rows}


def _tree(session: OdooSession) -> trees.Tree:
    transfers = {"picking_ids": dict.fromkeys(_TRANSFER)}
    more = {"stock_reference_ids": transfers} if session.capabilities.has_references else {}
    return {
        **dict.fromkeys(("client_order_ref", "state")),
        "partner_shipping_id": dict.fromkeys(_ADDRESS),
        "order_line": dict.fromkeys(_LINE),
        **transfers,
        **more,
    }


def _checksum_of(row: Mapping[str, Any]) -> str:
    """Of a sale order that was read with what it refers to; the same as of the parts."""
    contact, references = row["partner_shipping_id"], row.get("stock_reference_ids", ())
    referred = [t for each in references for t in each["picking_ids"] if not t["sale_id"]]
    transfers = {t["id"]: t for t in (*row["picking_ids"], *referred)}
    return _checksum(
        row["state"],
        {"id": row["id"], "partner_shipping_id": contact["id"]},
        contact,
        sorted(row["order_line"], key=_id_of_row),
        [
            (id_, each["state"], {"id": id_, "partner_id": each["partner_id"]})
            if each["state"] not in CLOSED
            else (id_, each["state"], None)
            for id_, each in sorted(transfers.items())
        ],
    )


def _id_of_row(row: Mapping[str, Any]) -> int:
    return int(row["id"])


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
