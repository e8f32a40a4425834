"""Delivery orders that are done: what left the warehouse for an Amazon order, and how."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from amazon_bridge.odoo.sales import external_order_id
from amazon_bridge.odoo.session import OdooSession

_ITEM_LINE = re.compile(r"sale_line_([^_]+)")
"""The external id of an order item's own line; those of its charges go on behind it."""


@dataclass(frozen=True, slots=True)
class DeliveryOrder:
    """A done transfer out to the customer, of a sale order that the bridge made."""

    id: int
    name: str
    sale_order_id: int
    order_id: str
    done: datetime
    ordered: datetime
    carrier: str | None
    tracking_reference: str | None

    @property
    def key(self) -> str:
        """Unique for ever: another order's delivery may get the same name, or even the same id."""
        return f"{self.order_id}#{self.id}"

    @property
    def tracking_references(self) -> list[str]:
        """The references in Odoo's one field, without the blanks that carriers print in them."""
        parts = re.split(r"[,+;\n\r\v\f\x85\u2028\u2029]", self.tracking_reference or "")
        return [reference for part in parts if (reference := _without_blanks(part))]

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it hasn't got of what Amazon wants to know, in Odoo's words."""
        has = {"carrier": self.carrier, "tracking reference": self.tracking_references}
        return tuple(name for name, value in has.items() if not value)


def id_of(key: str) -> int:
    """The database id of the delivery order with this key."""
    return int(key.rpartition("#")[2])


def _without_blanks(text: str) -> str:
    """Also without what can't be seen, such as the zero-width spaces of copied text."""
    return "".join(char for char in text if char.isprintable() and not char.isspace())


@dataclass(frozen=True, slots=True)
class Shipped:
    """What a delivery order took out of one order item."""

    order_item_id: str
    quantity: int | None
    """Whole units of the item; None where they can't be told from the moves."""


def done_delivery_orders(
    session: OdooSession,
    *,
    company_id: int,
    since: datetime,
    ids: Collection[int],
    except_location_id: int,
) -> list[DeliveryOrder]:
    """The delivery orders done, and changed since then or with these ids; oldest first.

    Only the last step of a delivery reaches the customer, or a vendor's direct delivery
    (drop-shipping); a return comes from there. What leaves from ``except_location_id``,
    Amazon's own stock, is none of the merchant's shipments.
    """
    changed = ("write_date", ">=", since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"))
    domain = [
        ("state", "=", "done"),
        ("company_id", "=", company_id),
        ("sale_id", "!=", False),
        ("location_id", "!=", except_location_id),
        *_to_the_customer(""),
        *("|", changed, ("id", "in", sorted(ids))),
    ]
    fields = ["name", "sale_id", "date_done"]
    if session.names.has_tracking:
        fields += ["carrier_id", "carrier_tracking_ref"]
    rows = session.search_read("stock.picking", domain, fields, order="date_done, id")
    orders = _orders_of(session, {row["sale_id"][0] for row in rows})
    return [
        _delivery_order(row, *orders[row["sale_id"][0]])
        for row in rows
        if row["sale_id"][0] in orders
    ]


def _to_the_customer(record: str) -> list[tuple[str, str, str]]:
    return [
        (f"{record}location_dest_id.usage", "=", "customer"),
        (f"{record}location_id.usage", "!=", "customer"),
    ]


def _orders_of(session: OdooSession, ids: Collection[int]) -> dict[int, tuple[str, datetime]]:
    """Amazon order id and date of the sale orders that the bridge made."""
    names = session.external_ids("sale.order", sorted(ids))
    ours = {id_: order_id for id_, name in names.items() if (order_id := external_order_id(name))}
    rows = session.read("sale.order", sorted(ours), ["date_order"])
    return {row["id"]: (ours[row["id"]], _moment(row["date_order"])) for row in rows}


def _delivery_order(row: Mapping[str, Any], order_id: str, ordered: datetime) -> DeliveryOrder:
    carrier = row.get("carrier_id")
    return DeliveryOrder(
        id=row["id"],
        name=row["name"],
        sale_order_id=row["sale_id"][0],
        order_id=order_id,
        done=_moment(row["date_done"]),
        ordered=ordered,
        carrier=carrier[1] if carrier else None,
        tracking_reference=row.get("carrier_tracking_ref") or None,
    )


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def shipped_by(
    session: OdooSession, delivery_orders: Sequence[DeliveryOrder]
) -> dict[int, list[Shipped]]:
    """What each delivery order took out of which order items, by its database id.

    Goods that were added by hand belong to no order item and are left out. Of a kit, as many
    units left as complete sets did, counted over all delivery orders of its line in the
    sequence in which they were done.
    """
    moves: dict[int, list[_Move]] = {}
    for move in _moves(session, {each.sale_order_id for each in delivery_orders}):
        moves.setdefault(move.line_id, []).append(move)
    found: dict[int, list[Shipped]] = {each.id: [] for each in delivery_orders}
    for line_id, line in _lines(session, moves.keys()).items():
        for picking_id, quantity in _units(line, moves[line_id]).items():
            if picking_id in found and quantity != 0:
                found[picking_id].append(Shipped(line.order_item_id, quantity))
    return found


@dataclass(frozen=True, slots=True)
class _Move:
    """A move to the customer, or to be so."""

    line_id: int
    product_id: int
    picking_id: int
    demand: Decimal
    done: Decimal | None
    """None while it isn't done."""
    cancelled: bool


@dataclass(frozen=True, slots=True)
class _Line:
    order_item_id: str
    product_id: int
    quantity: Decimal


def _moves(session: OdooSession, sale_order_ids: Collection[int]) -> list[_Move]:
    done_quantity = session.names.move_done_quantity
    domain = [
        ("sale_line_id.order_id", "in", sorted(sale_order_ids)),
        *_to_the_customer("picking_id."),
    ]
    fields = [
        *("sale_line_id", "product_id", "picking_id", "state", "date"),
        *("product_uom_qty", done_quantity),
    ]
    rows = session.search_read("stock.move", domain, fields, order="date, id")
    return [
        _Move(
            line_id=row["sale_line_id"][0],
            product_id=row["product_id"][0],
            picking_id=row["picking_id"][0],
            demand=Decimal(str(row["product_uom_qty"])),
            done=Decimal(str(row[done_quantity])) if row["state"] == "done" else None,
            cancelled=row["state"] == "cancel",
        )
        for row in rows
    ]


def _lines(session: OdooSession, ids: Collection[int]) -> dict[int, _Line]:
    """The order items' own lines among these; their quantities are in Amazon's units."""
    names = session.external_ids("sale.order.line", sorted(ids))
    items = {id_: m[1] for id_, name in names.items() if (m := _ITEM_LINE.fullmatch(name))}
    rows = session.read("sale.order.line", sorted(items), ["product_id", "product_uom_qty"])
    return {
        row["id"]: _Line(
            items[row["id"]], row["product_id"][0], Decimal(str(row["product_uom_qty"]))
        )
        for row in rows
    }


def _units(line: _Line, moves: Sequence[_Move]) -> dict[int, int | None]:
    """The units of the item that left with each transfer."""
    if all(move.product_id == line.product_id for move in moves):
        return _plain_units(moves)
    return _kit_units(line, moves)


def _plain_units(moves: Iterable[_Move]) -> dict[int, int | None]:
    sums: dict[int, Decimal] = {}
    for move in moves:
        if move.done is not None:
            sums[move.picking_id] = sums.get(move.picking_id, Decimal(0)) + move.done
    return {id_: int(total) if total == int(total) else None for id_, total in sums.items()}


def _kit_units(line: _Line, moves: Sequence[_Move]) -> dict[int, int | None]:
    """Complete sets: what each transfer added to the sets that are complete by then.

    What one set needs is the demand of all moves by the quantity of the line. Where moves were
    cancelled the demand is no longer whole, so the sets can't be told.
    """
    need: dict[int, Decimal] = {}
    for move in moves:
        need[move.product_id] = need.get(move.product_id, Decimal(0)) + move.demand
    known = line.quantity > 0 and not any(move.cancelled for move in moves)
    gone = dict.fromkeys(need, Decimal(0))
    units: dict[int, int | None] = {}
    sets = 0
    for picking_id in dict.fromkeys(move.picking_id for move in moves if move.done is not None):
        for move in moves:
            if move.picking_id == picking_id and move.done is not None:
                gone[move.product_id] += move.done
        complete = int(min(gone[id_] * line.quantity / need[id_] for id_ in need)) if known else 0
        units[picking_id] = complete - sets if known else None
        sets = complete
    return units
