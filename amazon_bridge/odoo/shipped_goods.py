"""Goods shipped by delivery orders, in units of Amazon's order items."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from amazon_bridge.odoo.delivery_orders import (
    TO_THE_CUSTOMER,
    DeliveryOrder,
    open_delivery_orders,
)
from amazon_bridge.odoo.drop_shipping import bought_lines
from amazon_bridge.odoo.item_lines import order_item_ids
from amazon_bridge.odoo.session import OdooSession

_Pieces = Mapping[int, Decimal]
"""Quantities by product."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """The units of one order item that a delivery order ships."""

    order_item_id: str
    quantity: int | None
    """Whole units of the item; None if they can't be derived from the moves."""


@dataclass(frozen=True, slots=True)
class Loose:
    """Shipped goods without an order item's line, such as a product that replaced another."""

    product: str
    """Its name in Odoo."""
    quantity: Decimal
    is_ordered: bool = False
    """A person added them to the sale order; Amazon didn't sell them."""


@dataclass(frozen=True, slots=True)
class Goods:
    """The goods of a delivery order, and the state of the rest of its sale order."""

    shipped: tuple[Shipped, ...] = ()
    loose: tuple[Loose, ...] = ()
    gone: Mapping[str, int] = field(default_factory=dict)
    """Units by order item that all delivery orders shipped, less those returned even in part."""
    to_deliver: Mapping[str, int] = field(default_factory=dict)
    """Units by order item that are still to be delivered."""
    is_last: bool = True
    """No other delivery of the sale order is open."""
    is_only_loose: bool = True
    """No other delivery order of the sale order has loose goods."""
    pieces: Mapping[str, int] = field(default_factory=dict)
    """Pieces in Odoo of one unit, by order item, where they are several; filled in by the flow."""


@dataclass(frozen=True, slots=True)
class _Move:
    """A move to the customer, done or planned, or the open move of a step before it."""

    line_id: int | None
    product_id: int
    product: str
    picking_id: int
    demand: Decimal
    done: Decimal | None
    """None while it isn't done."""
    cancelled: bool
    is_again: bool = False
    """Of goods that were returned, and are delivered again."""

    @property
    def is_open(self) -> bool:
        return self.done is None and not self.cancelled


@dataclass(frozen=True, slots=True)
class _Line:
    order_item_id: str
    sale_order_id: int
    product_id: int
    quantity: Decimal
    """In pieces."""
    pieces: int = 1
    """Of one unit."""
    is_bought: bool = False
    """A vendor is to ship it, and the purchase isn't confirmed: there is no move yet."""


def goods_of(
    session: OdooSession,
    deliveries: Sequence[DeliveryOrder],
    pieces: Mapping[str, int] | None = None,
) -> dict[str, Goods]:
    """The goods of each delivery order, by its key.

    Of a kit, and of an item whose unit is several pieces, as many units left as complete
    sets did, counted over all delivery orders of its line in the sequence in which they were done.

    Args:
        session: the login.
        deliveries: the delivery orders.
        pieces: of one unit, by order item id; 1 where absent.
    """
    if not deliveries:
        return {}
    sale_order_ids = {each.sale_order_id for each in deliveries}
    moves = _moves(session, sale_order_ids, {each.id for each in deliveries})
    moved = {move.line_id for move in moves if move.line_id}
    bought = bought_lines(session, sale_order_ids).keys() - moved
    lines = _lines(session, moved, bought, pieces or {})
    known = _Known(moves, lines, _returned(session, sale_order_ids))
    open_orders = open_delivery_orders(session, sale_order_ids)
    return {each.key: known.goods(each, open_orders) for each in deliveries}


class _Known:
    """The moves of some sale orders, and the units derived from them."""

    def __init__(
        self, moves: Sequence[_Move], lines: Mapping[int, _Line], returned: Mapping[int, _Pieces]
    ) -> None:
        self._moves = moves
        self._lines = {id_: line for id_, line in lines.items() if line.order_item_id}
        self._order_of_line = {id_: line.sale_order_id for id_, line in lines.items()}
        self._ordered = {id_: line.quantity for id_, line in lines.items()}
        self._returned = returned
        self._units = {id_: _units(line, self._of(id_)) for id_, line in self._lines.items()}

    def _of(self, line_id: int) -> list[_Move]:
        return [move for move in self._moves if move.line_id == line_id]

    def goods(self, delivery: DeliveryOrder, open_orders: Collection[int]) -> Goods:
        sale_order_id = delivery.sale_order_id
        lines = {i: x for i, x in self._lines.items() if x.sale_order_id == sale_order_id}
        units = {line.order_item_id: self._units[id_] for id_, line in lines.items()}
        left = {item: of[delivery.id] for item, of in units.items() if delivery.id in of}
        gone = {x.order_item_id: self._gone(id_) for id_, x in lines.items()}
        to_deliver = {x.order_item_id: _to_deliver(x, self._of(id_)) for id_, x in lines.items()}
        loose = self._loose(sale_order_id, delivery)
        return Goods(
            shipped=tuple(Shipped(item, n) for item, n in left.items() if n != 0),
            loose=tuple(self._described(loose.pop(delivery.id, []))),
            gone=gone,
            to_deliver=to_deliver,
            is_last=sale_order_id not in open_orders and not any(to_deliver.values()),
            is_only_loose=not loose,
        )

    def _described(self, moves: Iterable[_Move]) -> Iterable[Loose]:
        for move in moves:
            ordered = self._ordered.get(move.line_id or 0, _ZERO)
            yield Loose(move.product, move.done or _ZERO, is_ordered=ordered > 0)

    def _gone(self, line_id: int) -> int:
        line, moves = self._lines[line_id], self._of(line_id)
        returned = self._returned.get(line_id, {})
        if not _is_plain(line, moves):
            return _kits_gone(line, moves, returned)
        total, back = sum(_sums(moves).values(), _ZERO), sum(returned.values(), _ZERO)
        if line.pieces > 1:
            return max(0, int((total - back) // line.pieces))
        units = sum(number or 0 for number in self._units[line_id].values())
        return max(0, units - int(back))

    def _loose(self, sale_order_id: int, delivery: DeliveryOrder) -> dict[int, list[_Move]]:
        """Done moves by transfer without an order item's line: on a person's line, or on none."""
        found: defaultdict[int, list[_Move]] = defaultdict(list)
        for move in self._moves:
            if move.done and move.line_id not in self._lines:
                of = self._order_of_line.get(move.line_id or 0)
                if of == sale_order_id or (of is None and move.picking_id == delivery.id):
                    found[move.picking_id].append(move)
        return found


def _moves(
    session: OdooSession, sale_order_ids: Collection[int], picking_ids: Collection[int]
) -> list[_Move]:
    """All moves to the customer of these sale orders, and of these transfers."""
    done_quantity = session.capabilities.move_done_quantity
    domain = [
        *("|", ("sale_line_id.order_id", "in", sorted(sale_order_ids))),
        ("picking_id", "in", sorted(picking_ids)),
        *_to_the_customer(session),
    ]
    fields = [
        *("sale_line_id", "product_id", "picking_id", "state", "date"),
        *("product_uom_qty", done_quantity, "origin_returned_move_id"),
    ]
    seen = session.in_users_language()  # people are told the names of products
    rows = seen.search_read("stock.move", domain, fields, order="date, id")
    return [_move(row, done_quantity) for row in rows]


def _to_the_customer(session: OdooSession) -> list[Any]:
    """The domain of moves to the customer, and of those that such a move is to follow.

    Since Odoo 18 a step of a delivery is created when the one before it is done: until then the
    goods have only the move of that one, which names the end of the chain.
    """
    last = [(f"picking_id.{name}", *condition) for name, *condition in TO_THE_CUSTOMER]
    if not session.capabilities.has_final_location:
        return last
    before = [
        *(("picking_id", "!=", False), ("state", "!=", "done"), ("move_dest_ids", "=", False)),
        *(("location_final_id.usage", "=", "customer"), ("location_id.usage", "!=", "customer")),
        ("location_dest_id.usage", "!=", "customer"),
    ]
    return ["|", *_all(last), *_all(before)]


def _all(conditions: Sequence[Any]) -> list[Any]:
    """The conditions joined by "and", as one operand of an "or"."""
    return [*("&" for _ in conditions[1:]), *conditions]


def _move(row: Mapping[str, Any], done_quantity: str) -> _Move:
    return _Move(
        line_id=row["sale_line_id"][0] if row["sale_line_id"] else None,
        product_id=row["product_id"][0],
        product=row["product_id"][1],
        picking_id=row["picking_id"][0],
        demand=Decimal(str(row["product_uom_qty"])),
        done=Decimal(str(row[done_quantity])) if row["state"] == "done" else None,
        cancelled=row["state"] == "cancel",
        is_again=bool(row["origin_returned_move_id"]),
    )


def _returned(session: OdooSession, sale_order_ids: Collection[int]) -> Mapping[int, _Pieces]:
    """Returned quantity by sale order line and product: those of a kit are its parts."""
    done_quantity = session.capabilities.move_done_quantity
    domain = [
        ("state", "=", "done"),
        ("picking_id.location_id.usage", "=", "customer"),
        ("picking_id.location_dest_id.usage", "!=", "customer"),
        ("sale_line_id.order_id", "in", sorted(sale_order_ids)),
    ]
    fields = ["sale_line_id", "product_id", done_quantity]
    sums: defaultdict[int, defaultdict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in session.search_read("stock.move", domain, fields):
        quantity = Decimal(str(row[done_quantity]))
        sums[row["sale_line_id"][0]][row["product_id"][0]] += quantity
    return sums


def _lines(
    session: OdooSession,
    moved: Collection[int],
    bought: Collection[int],
    pieces: Mapping[str, int],
) -> dict[int, _Line]:
    """Sale order lines by id; those without an order item have an empty ``order_item_id``.

    Args:
        session: the login.
        moved: ids of lines with moves.
        bought: ids of lines without, whose goods a vendor is to ship.
        pieces: of one unit, by order item id; 1 where absent.
    """
    ids = {*moved, *bought}
    items = order_item_ids(session, ids)
    fields = ["order_id", "product_id", "product_uom_qty"]
    return {
        row["id"]: _Line(
            items.get(row["id"], ""),
            row["order_id"][0],
            row["product_id"][0],
            Decimal(str(row["product_uom_qty"])),
            pieces.get(items.get(row["id"], ""), 1),
            is_bought=row["id"] in bought,
        )
        for row in session.read("sale.order.line", sorted(ids), fields)
        if row["product_id"]
    }


def _units(line: _Line, moves: Sequence[_Move]) -> dict[int, int | None]:
    """The units of the item that left with each transfer."""
    if not _is_plain(line, moves):
        return _kit_units(line, moves)
    return _units_of_pieces(line, moves) if line.pieces > 1 else _plain_units(moves)


def _is_plain(line: _Line, moves: Iterable[_Move]) -> bool:
    return all(move.product_id == line.product_id for move in moves)


def _sums(moves: Iterable[_Move]) -> dict[int, Decimal]:
    """The done quantity of each transfer, in the sequence in which they were done."""
    sums: dict[int, Decimal] = {}
    for move in moves:
        if move.done is not None:
            sums[move.picking_id] = sums.get(move.picking_id, _ZERO) + move.done
    return sums


def _plain_units(moves: Iterable[_Move]) -> dict[int, int | None]:
    sums = _sums(moves)
    return {id_: int(total) if total == int(total) else None for id_, total in sums.items()}


def _units_of_pieces(line: _Line, moves: Iterable[_Move]) -> dict[int, int | None]:
    """The units that each transfer completed."""
    units: dict[int, int | None] = {}
    total, complete = _ZERO, 0
    for picking_id, number in _sums(moves).items():
        total += number
        units[picking_id] = int(total // line.pieces) - complete
        complete = int(total // line.pieces)
    return units


def _kit_units(line: _Line, moves: Sequence[_Move]) -> dict[int, int | None]:
    """The kits that each transfer completed."""
    need, left, sets = _need(line, moves), list[_Move](), 0
    units: dict[int, int | None] = {}
    for picking_id in dict.fromkeys(move.picking_id for move in moves if move.done is not None):
        left += [move for move in moves if move.picking_id == picking_id]
        complete = _complete(line, need, _parts(left)) if need else 0
        units[picking_id] = complete - sets if need else None
        sets = complete
    return units


def _kits_gone(line: _Line, moves: Sequence[_Move], returned: _Pieces) -> int:
    """The kits that all transfers shipped, less those of which parts came back."""
    need = _need(line, moves)
    kept = {id_: number - returned.get(id_, _ZERO) for id_, number in _parts(moves).items()}
    return max(0, _complete(line, need, kept)) if need else 0


def _parts(moves: Iterable[_Move]) -> _Pieces:
    """The done quantity of each product."""
    parts: defaultdict[int, Decimal] = defaultdict(Decimal)
    for move in moves:
        parts[move.product_id] += move.done or _ZERO
    return parts


def _need(line: _Line, moves: Iterable[_Move]) -> _Pieces | None:
    """What all sets of a line need, by product: the demand of its moves.

    Goods that are delivered again, after a return, belong to sets that are counted already. None
    where moves were cancelled: the demand is no longer whole, so the kits can't be counted.
    """
    need: defaultdict[int, Decimal] = defaultdict(Decimal)
    for move in (move for move in moves if not move.is_again):
        if move.cancelled:
            return None
        need[move.product_id] += move.demand
    return need if line.quantity > 0 and all(need.values()) else None


def _complete(line: _Line, need: _Pieces, parts: _Pieces) -> int:
    """The units of the item that these parts make."""
    sets = min(parts.get(id_, _ZERO) * line.quantity / need[id_] for id_ in need)
    return int(sets / line.pieces)


def _to_deliver(line: _Line, moves: Sequence[_Move]) -> int:
    """The units of the item that are still to be delivered; of a kit, those it is part of."""
    if line.is_bought:
        return math.ceil(line.quantity / line.pieces)
    demand = sum((m.demand for m in moves if m.is_open and m.product_id == line.product_id), _ZERO)
    if demand:
        return math.ceil(demand / line.pieces)
    parts = any(move.is_open for move in moves)
    whole = math.ceil(line.quantity / line.pieces)
    return max(1, whole - sum(n or 0 for n in _units(line, moves).values())) if parts else 0


_ZERO = Decimal(0)
