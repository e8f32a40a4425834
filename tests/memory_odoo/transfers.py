"""Transfers of goods with their moves: demanded by sale orders, reserved, done, back-ordered.

As ``stock`` and ``sale_stock`` of Odoo 19 have them. A transfer belongs to the sale order of its
moves' lines (``sale_id``); its reference remembers the sale order also when no move is linked to a
line any more, as after another product was entered.
"""

from collections.abc import Iterable
from typing import Any

from memory_odoo.faults import Refusal
from memory_odoo.fields import (
    char,
    computed,
    declared,
    lines,
    many,
    moment,
    one,
    related,
)
from memory_odoo.model import Model, Values, public
from memory_odoo.moves import OVER

NOTHING_TO_MOVE = (
    "Transfer trouble alert! Validating a zero quantity transfer? You're not moving invisible goods"
    " around are you?\nSet some quantities and let's get moving!"
)
ALREADY_DONE = (
    "You cannot cancel a stock move that has been set to 'Done'. Create a return in order to"
    " reverse the moves which took place."
)


class Transfers(Model):
    name = "stock.picking"
    order = "id desc"
    fields = declared(
        name=char(),
        origin=char(),
        sale_id=one("sale.order"),
        reference_ids=many("stock.reference"),
        partner_id=one("res.partner"),
        picking_type_id=one("stock.picking.type"),
        picking_type_code=related("char", "picking_type_id.code"),
        location_id=one("stock.location"),
        location_dest_id=one("stock.location"),
        company_id=one("res.company", default=1),
        backorder_id=one("stock.picking"),
        carrier_id=one("delivery.carrier", "Carrier"),
        carrier_tracking_ref=char("Tracking Reference"),
        note=char("Notes"),
        date_done=moment(),
        move_ids=lines("stock.move", "picking_id"),
        state=computed("char", lambda m, i: m.state(i)),
    )

    def state(self, id_: int) -> str:
        states = {self.env["stock.move"].get(each, "state") for each in self.get(id_, "move_ids")}
        if states <= {"cancel"}:
            return "cancel"
        if states <= OVER:
            return "done"
        return "assigned" if states & {"assigned", "partially_available"} else "confirmed"

    def find_order(self, id_: int) -> None:
        """Let it belong to the sale order of its moves' lines, if there are any."""
        linked = (line for line in self.value(id_, "move_ids.sale_line_id") if line)
        line = next(linked, None)
        order = self.env["sale.order.line"].get(line, "order_id") if line else False
        if order != self.get(id_, "sale_id"):
            self.store.update(self.name, id_, {"sale_id": order})

    # What sale orders demand

    def supply(self, line_ids: Iterable[int]) -> None:
        """Demand what lines of confirmed orders want more than their moves have, or less."""
        line = self.env["sale.order.line"]
        for id_ in line_ids:
            order = self.env["sale.order"]
            order_id = line.get(id_, "order_id")
            is_open = order.get(order_id, "state") == "sale" and not order.get(order_id, "locked")
            if is_open and line.value(id_, "product_id.type") == "consu":
                more = line.get(id_, "product_uom_qty") - self._covered(id_)
                self.env["mrp.bom"].refuse_kit(line.get(id_, "product_id"))
                if more > 0:
                    self._demand_more(id_, more)
                elif more < 0:
                    self._demand_less(id_, -more)

    def _covered(self, line_id: int) -> float:
        moves, line = self.env["stock.move"], self.env["sale.order.line"]
        found = [
            ("quantity" if moves.get(m, "state") == "done" else "product_uom_qty", m)
            for m in line.get(line_id, "move_ids")
            if moves.get(m, "state") != "cancel"
            and moves.get(m, "product_id") == line.get(line_id, "product_id")
        ]
        return float(sum(moves.get(move, field) * moves.way(move) for field, move in found))

    def _demand_more(self, line_id: int, quantity: float) -> None:
        moves = self.env["stock.move"]
        type_id = self._operation_type(line_id)
        id_ = self._open_of(line_id, type_id) or self._make(line_id, type_id)
        for move in self._mergeable(line_id, [("picking_id", "=", id_)]):
            return moves.demand(move, moves.get(move, "product_uom_qty") + quantity)
        return self._add(id_, line_id, quantity)

    def _demand_less(self, line_id: int, quantity: float) -> None:
        """Of the open moves with this deadline; what is too much then is to come back."""
        moves = self.env["stock.move"]
        for move in self._mergeable(line_id, []):
            less = min(quantity, moves.get(move, "product_uom_qty"))
            moves.demand(move, moves.get(move, "product_uom_qty") - less)
            quantity -= less
        if quantity:
            type_id = int(self.env["sale.order.line"].value(line_id, RECEIPTS))
            id_ = self._open_of(line_id, type_id) or self._make(line_id, type_id)
            self._add(id_, line_id, quantity)

    def _mergeable(self, line_id: int, domain: list[Any]) -> list[int]:
        """Odoo merges moves of equal deadlines only."""
        moves, line = self.env["stock.move"], self.env["sale.order.line"]
        wanted = {
            "sale_line_id": line_id,
            "product_id": line.get(line_id, "product_id"),
            "date_deadline": self._deadline(line_id),
        }
        same = [(name, "=", value) for name, value in wanted.items()]
        found: list[int] = moves.found([*domain, *same, ("state", "not in", list(OVER))])
        return [move for move in found if moves.way(move) == 1]

    def _deadline(self, line_id: int) -> str:
        line = self.env["sale.order.line"]
        promised = line.value(line_id, "order_id.commitment_date")
        return str(promised or line.value(line_id, "order_id.date_order"))

    def set_deadline(self, ids: Iterable[int], values: Values) -> None:
        """What was promised to the customer is the deadline of what is still to be moved."""
        moves = self.env["stock.move"]
        for id_ in ids:
            deadline = {"date_deadline": values["commitment_date"]}
            moves.change(self._open_moves(id_), deadline)

    def _operation_type(self, line_id: int) -> int:
        """That of the line's own route, else the warehouse's for deliveries."""
        line = self.env["sale.order.line"]
        rules = self.env["stock.rule"]
        routes = line.get(line_id, "route_ids")
        for rule in rules.found([("route_id", "in", routes), ("action", "=", "pull")]):
            return int(rules.get(rule, "picking_type_id"))
        return int(line.value(line_id, "order_id.warehouse_id.out_type_id"))

    def _open_of(self, line_id: int, type_id: int) -> int | None:
        """The order's transfer of a type that may take up more."""
        order_id = self.env["sale.order.line"].get(line_id, "order_id")
        reference = self.env["stock.reference"].of(order_id)
        domain = [("reference_ids", "=", reference), ("picking_type_id", "=", type_id)]
        return next(iter(self.found([*domain, ("state", "not in", list(OVER))])), None)

    def _make(self, line_id: int, type_id: int) -> int:
        types, orders = self.env["stock.picking.type"], self.env["sale.order"]
        order_id = self.env["sale.order.line"].get(line_id, "order_id")
        return self.create_one(
            {
                "name": types.next_name(type_id),
                "origin": orders.get(order_id, "name"),
                "sale_id": order_id,
                "reference_ids": [(6, 0, [self.env["stock.reference"].of(order_id)])],
                "partner_id": orders.get(order_id, "partner_shipping_id"),
                "picking_type_id": type_id,
                "location_id": types.get(type_id, "default_location_src_id"),
                "location_dest_id": types.get(type_id, "default_location_dest_id"),
            }
        )

    def _add(self, id_: int, line_id: int, quantity: float) -> None:
        moves, place = self.env["stock.move"], ("location_id", "location_dest_id")
        values = {
            **{name: self.get(id_, name) for name in place},
            "product_id": self.env["sale.order.line"].get(line_id, "product_id"),
            "product_uom_qty": quantity,
            "picking_id": id_,
            "date_deadline": self._deadline(line_id),
        }
        move = moves.create_one(values)
        moves.link([move], line=line_id)
        moves.reserve(move)

    # Cancelled

    @public
    def action_cancel(self, ids: list[int]) -> bool:
        moves = self.env["stock.move"]
        if any(moves.get(m, "state") == "done" for id_ in ids for m in self.get(id_, "move_ids")):
            raise Refusal(ALREADY_DONE)
        self.cancel_open(ids)
        return True

    def cancel_open(self, ids: Iterable[int]) -> None:
        moves, gone = self.env["stock.move"], {"state": "cancel", "quantity": 0.0}
        for id_ in ids:
            if self.get(id_, "state") != "done":
                moves.change(self.get(id_, "move_ids"), gone)
                self.change([id_], {})

    # Done

    @public
    def button_validate(self, ids: list[int]) -> Any:
        open_ = [id_ for id_ in ids if self.get(id_, "state") != "done"]
        for id_ in open_:
            if not any(self.env["stock.move"].get(m, "quantity") for m in self._open_moves(id_)):
                raise Refusal(NOTHING_TO_MOVE)
        asks = not self.env.context.get("skip_backorder")
        if asks and any(self._is_partial(id_) for id_ in open_):
            return {"type": "ir.actions.act_window", "res_model": "stock.backorder.confirmation"}
        for id_ in open_:
            self._do(id_)
        return True

    def _open_moves(self, id_: int) -> list[int]:
        domain = [("picking_id", "=", id_), ("state", "not in", list(OVER))]
        found: list[int] = self.env["stock.move"].found(domain)
        return found

    def _picked(self, id_: int) -> list[int]:
        """The moves that are marked as picked; where none is, all that have a quantity."""
        moves = self.env["stock.move"]
        filled = [each for each in self._open_moves(id_) if moves.get(each, "quantity")]
        return [each for each in filled if moves.get(each, "picked")] or filled

    def _is_partial(self, id_: int) -> bool:
        moves, picked = self.env["stock.move"], self._picked(id_)
        short = [m for m in picked if moves.get(m, "quantity") < moves.get(m, "product_uom_qty")]
        return bool(short) or len(picked) < len(self._open_moves(id_))

    def _do(self, id_: int) -> None:
        moves, picked = self.env["stock.move"], self._picked(id_)
        rest = [each for each in self._open_moves(id_) if each not in picked]
        left = {each: moves.do(each) for each in picked}
        if id_ in self.env.context.get("picking_ids_not_to_backorder", ()):
            moves.change(rest, {"state": "cancel", "quantity": 0.0})
        else:
            rest += [moves.split(each, quantity) for each, quantity in left.items() if quantity]
            if rest:
                self._put_back(id_, rest)
        self._order_what_left(id_, picked)
        self.change([id_], {"date_done": self.store.now()})

    def _order_what_left(self, id_: int, moves_done: Iterable[int]) -> None:
        """Link what nobody ordered to a line of its product, or to a new line.

        Where the transfer isn't linked to the sale order by any move, always to a new one.
        """
        moves, line = self.env["stock.move"], self.env["sale.order.line"]
        linked = self.get(id_, "sale_id")
        orders = [linked] if linked else self.value(id_, "reference_ids.sale_ids")
        for move in [each for each in moves_done if not moves.get(each, "sale_line_id")]:
            if not orders or moves.way(move) != 1:
                continue
            product = moves.get(move, "product_id")
            known = line.found([("order_id", "=", linked), ("product_id", "=", product)])
            moves.link([move], line=known[0] if known else self._extra_line(orders[0], product))

    def _extra_line(self, order_id: int, product_id: int) -> int:
        values = {"order_id": order_id, "product_id": product_id}
        nothing = {"product_uom_qty": 0.0, "price_unit": 0.0}
        made: int = self.env["sale.order.line"].create_one({**values, **nothing})
        return made

    def _put_back(self, id_: int, rest: list[int]) -> None:
        """A backorder for the moves that weren't done."""
        type_id = self.get(id_, "picking_type_id")
        kept = ("sale_id", "partner_id", "picking_type_id", "location_id", "location_dest_id")
        values = {name: self.get(id_, name) for name in (*kept, "origin", "carrier_id")}
        values["reference_ids"] = [(6, 0, self.get(id_, "reference_ids"))]
        name = self.env["stock.picking.type"].next_name(type_id)
        backorder = self.create_one({**values, "name": name, "backorder_id": id_})
        moves = self.env["stock.move"]
        moves.change(rest, {"picking_id": backorder})
        for each in rest:
            moves.reserve(each)
        for each in (id_, backorder):
            self.find_order(each)


RECEIPTS = "order_id.warehouse_id.in_type_id"

MODELS = (Transfers,)
