"""Finished delivery orders, with the sale orders of the bridge that they deliver."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from amazon_bridge.odoo.moments import moment
from amazon_bridge.odoo.paging import ChangedPage, changed
from amazon_bridge.odoo.references import link_fields, sale_orders_of, transfers_of
from amazon_bridge.odoo.sales import CLOSED, external_order_id
from amazon_bridge.odoo.session import SOURCE_LANGUAGE, OdooSession

TO_THE_CUSTOMER = (
    ("location_dest_id.usage", "=", "customer"),
    ("location_id.usage", "!=", "customer"),
)
"""The last step of a delivery, or drop-shipping by a vendor; not a return."""

_STATEMENT = re.compile(r"amazon\s+shipped\s*:\s*(.+)", re.IGNORECASE)
"""A person writes this into a delivery order's note if the bridge can't derive what left."""

_BETWEEN_REFERENCES = re.compile("[,+;\n\r\v\f\x85\u2028\u2029\uff0c\uff0b\uff1b\u3001]")
"""Comma, plus and semicolon, also of full width, and the ends of lines."""

_TAG = re.compile(r"<[^>]*>")
_LINE_BREAK = re.compile(r"<(?:br|/p|/div|/li)\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DeliveryOrder:
    """A transfer out to the customer that is over, as far as it is for one sale order of ours."""

    id: int
    name: str
    sale_order_id: int
    order_id: str
    done: datetime
    """When it was done, or cancelled."""
    ordered: datetime
    carrier: str | None
    """Its name in the login's language."""
    tracking_reference: str | None
    carrier_source_name: str | None = None
    """The carrier's name in Odoo's source language, where the login has another."""
    statement: str | None = None
    """The text after "Amazon shipped:" in its note."""
    is_shared: bool = False
    """It also delivers goods of other sale orders."""
    is_cancelled: bool = False
    """It was cancelled, and its sale order wasn't."""

    @property
    def key(self) -> str:
        """Unique for ever: another delivery order may have the same name, or even the same id."""
        return f"{self.order_id}#{self.id}"

    @property
    def carrier_names(self) -> tuple[str, ...]:
        """The names that the configuration may use, the one that people see in front."""
        return tuple(name for name in (self.carrier, self.carrier_source_name) if name)

    @property
    def tracking_references(self) -> list[str]:
        """The references in Odoo's one field, without the blanks that carriers print in them."""
        parts = _BETWEEN_REFERENCES.split(self.tracking_reference or "")
        return [reference for part in parts if (reference := _without_blanks(part))]

    @property
    def lacks(self) -> tuple[str, ...]:
        """The fields that Amazon requires and that are empty, in Odoo's terms."""
        has = {"carrier": self.carrier, "tracking reference": self.tracking_references}
        return tuple(name for name, value in has.items() if not value)


def id_of(key: str) -> int:
    """The database id of the delivery order with this key."""
    return int(key.rpartition("#")[2])


def _without_blanks(text: str) -> str:
    """Also without what can't be seen, such as the zero-width spaces of copied text."""
    return "".join(char for char in text if char.isprintable() and not char.isspace())


def changed_delivery_orders(
    session: OdooSession,
    *,
    company_id: int,
    except_location_id: int,
    since: datetime,
    after: int = 0,
) -> Iterator[ChangedPage]:
    """Read the changes of transfers to customers that are done or cancelled.

    Their sale orders are read separately: a transfer with replaced or merged goods
    may have lost its sale order, and a condition on its moves would search all that ever were.
    """
    over = _over(company_id, except_location_id)
    return changed(session, "stock.picking", over, since=since, after=after)


def finished_delivery_orders(
    session: OdooSession, ids: Collection[int], *, company_id: int, except_location_id: int
) -> list[DeliveryOrder]:
    """Read the delivery orders with these ids that are over; oldest first.

    A transfer for several sale orders of the bridge is one delivery order for each.
    """
    domain = [("id", "in", sorted(ids)), *_over(company_id, except_location_id)]
    rows = _read(session, domain) if ids else []
    sold = _sale_orders_of(session, rows)
    orders = _orders_of(session, {id_ for of in sold.values() for id_ in of})
    return [
        _delivery_order(row, order, sold[row["id"]])
        for row in rows
        for sale_order_id in sorted(sold[row["id"]])
        if (order := orders.get(sale_order_id)) and (row["state"] == "done" or order.goes_on)
    ]


def _over(company_id: int, except_location_id: int) -> list[Any]:
    """The domain of transfers to customers that are done or cancelled."""
    return [("state", "in", sorted(CLOSED)), *_outgoing(company_id, except_location_id)]


def _outgoing(company_id: int, except_location_id: int) -> list[Any]:
    """The domain of transfers to customers.

    Transfers of the operation type that takes from ``except_location_id``, Amazon's own stock, are
    left out: the bridge makes them for orders that Amazon has shipped itself.
    """
    return [
        *(("company_id", "=", company_id), *TO_THE_CUSTOMER),
        ("picking_type_id.default_location_src_id", "!=", except_location_id),
    ]


def _read(session: OdooSession, domain: Sequence[Any]) -> list[dict[str, Any]]:
    """Carriers are named in the login's language; ``carrier_source_name`` has the other one."""
    fields = ["name", "state", "date_done", "write_date", "note", *link_fields(session)]
    fields += ["carrier_id", "carrier_tracking_ref"] if session.capabilities.has_tracking else []
    seen = session.in_users_language()
    rows = seen.search_read("stock.picking", domain, fields, order="date_done, id")
    if rows and session.capabilities.has_tracking and session.language != SOURCE_LANGUAGE:
        sources = session.read("stock.picking", [row["id"] for row in rows], ["carrier_id"])
        names = {row["id"]: row["carrier_id"][1] for row in sources if row["carrier_id"]}
        rows = [row | {"carrier_source_name": names.get(row["id"])} for row in rows]
    return rows


def _sale_orders_of(
    session: OdooSession, rows: Sequence[Mapping[str, Any]]
) -> dict[int, frozenset[int]]:
    """The sale orders that each transfer delivers: linked, of its goods, else by reference."""
    found = {row["id"]: {row["sale_id"][0]} if row["sale_id"] else set() for row in rows}
    for picking_id, sale_order_id in _sold_with_moves(session, found):
        found[picking_id].add(sale_order_id)
    found |= sale_orders_of(session, [row for row in rows if not found[row["id"]]])
    return {id_: frozenset(of) for id_, of in found.items()}


def _sold_with_moves(
    session: OdooSession, picking_ids: Collection[int]
) -> Iterable[tuple[int, int]]:
    """Pairs of a transfer and a sale order, by the lines that its moves deliver."""
    if not picking_ids:
        return
    domain = [("picking_id", "in", sorted(picking_ids)), ("sale_line_id", "!=", False)]
    moves = session.search_read("stock.move", domain, ["picking_id", "sale_line_id"])
    lines = {move["sale_line_id"][0] for move in moves}
    rows = session.read("sale.order.line", sorted(lines), ["order_id"])
    orders = {row["id"]: row["order_id"][0] for row in rows}
    for move in moves:
        if (line := move["sale_line_id"][0]) in orders:
            yield move["picking_id"][0], orders[line]


def open_delivery_orders(session: OdooSession, sale_order_ids: Collection[int]) -> set[int]:
    """The sale orders among these that still have an open delivery to the customer."""
    open_ = [("state", "not in", sorted(CLOSED)), *TO_THE_CUSTOMER]
    domain = [*open_, *transfers_of(session, sale_order_ids)]
    rows = session.search_read("stock.picking", domain, link_fields(session))
    found = sale_orders_of(session, rows)
    return {id_ for of in found.values() for id_ in of} & set(sale_order_ids)


class _SaleOrder(NamedTuple):
    """A sale order that the bridge created."""

    id: int
    order_id: str
    ordered: datetime
    goes_on: bool
    """It is confirmed and not cancelled."""


def _orders_of(session: OdooSession, ids: Collection[int]) -> dict[int, _SaleOrder]:
    """Those of the sale orders that the bridge created, by database id."""
    names = session.external_ids("sale.order", sorted(ids))
    ours = {id_: order_id for id_, name in names.items() if (order_id := external_order_id(name))}
    rows = session.read("sale.order", sorted(ours), ["date_order", "state"])
    return {
        id_: _SaleOrder(id_, ours[id_], moment(row["date_order"]), row["state"] in {"sale", "done"})
        for row in rows
        if (id_ := row["id"])
    }


def _delivery_order(
    row: Mapping[str, Any], order: _SaleOrder, sold: frozenset[int]
) -> DeliveryOrder:
    carrier = row.get("carrier_id")
    return DeliveryOrder(
        id=row["id"],
        name=row["name"],
        sale_order_id=order.id,
        order_id=order.order_id,
        done=moment(row["date_done"] or row["write_date"]),
        ordered=order.ordered,
        carrier=carrier[1] if carrier else None,
        tracking_reference=row.get("carrier_tracking_ref") or None,
        carrier_source_name=row.get("carrier_source_name"),
        statement=statement_in(row["note"] or ""),
        is_shared=len(sold) > 1,
        is_cancelled=row["state"] == "cancel",
    )


def statement_in(note: str) -> str | None:
    """Return what follows "Amazon shipped:" in a delivery order's note, HTML or plain.

    Several such lines are joined with semicolons.
    """
    text = html.unescape(_TAG.sub("", _LINE_BREAK.sub("\n", note)))
    found = _STATEMENT.findall(text.replace("\u00a0", " "))
    lines = (" ".join(each.split()) for each in found)
    return "; ".join(filter(None, lines)) or None
