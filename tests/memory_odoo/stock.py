"""Warehouse, locations, routes; delivery orders with their moves, reservations and backorders."""

from collections.abc import Iterable
from typing import Any

from memory_odoo.faults import NotPlayed, Refusal
from memory_odoo.fields import (
    char,
    computed,
    declared,
    flag,
    integer,
    lines,
    moment,
    number,
    one,
    related,
)
from memory_odoo.model import Model, Values, public

NOTHING_TO_MOVE = (
    "Transfer trouble alert! Validating a zero quantity transfer? You're not moving invisible goods"
    " around are you?\nSet some quantities and let's get moving!"
)


class Warehouses(Model):
    name = "stock.warehouse"
    order = "sequence, id"
    fields = declared(
        name=char(),
        code=char(),
        sequence=integer(10),
        company_id=one("res.company"),
        lot_stock_id=one("stock.location"),
        out_type_id=one("stock.picking.type"),
    )


class Locations(Model):
    name = "stock.location"
    order = "complete_name, id"
    fields = declared(
        name=char(),
        active=flag(default=True),
        usage=char(default="internal"),
        location_id=one("stock.location", "Parent Location"),
        company_id=one("res.company"),
        complete_name=computed("char", lambda m, i: m.title_of(i)),
    )

    def title_of(self, id_: int) -> str:
        parent, name = self.get(id_, "location_id"), self.get(id_, "name")
        return f"{self.title_of(parent)}/{name}" if parent else name


class Routes(Model):
    name = "stock.route"
    fields = declared(
        name=char(),
        active=flag(default=True),
        sale_selectable=flag(),
        product_selectable=flag(default=True),
        company_id=one("res.company"),
    )


class Rules(Model):
    name = "stock.rule"
    fields = declared(
        name=char(),
        active=flag(default=True),
        action=char(),
        procure_method=char(),
        route_id=one("stock.route", "Route"),
        location_src_id=one("stock.location", "Source Location"),
        location_dest_id=one("stock.location", "Destination Location"),
        picking_type_id=one("stock.picking.type", "Operation Type"),
        company_id=one("res.company"),
    )


class OperationTypes(Model):
    name = "stock.picking.type"
    fields = declared(
        name=char(),
        active=flag(default=True),
        code=char(),
        sequence_code=char(),
        warehouse_id=one("stock.warehouse"),
        default_location_src_id=one("stock.location", "Source Location"),
        default_location_dest_id=one("stock.location", "Destination Location"),
        company_id=one("res.company"),
    )

    def next_name(self, id_: int) -> str:
        """The name of the next transfer of this type."""
        number_ = self.store.next(f"transfers of type {id_}")
        code = self.value(id_, "warehouse_id.code")
        return f"{code}/{self.get(id_, 'sequence_code')}/{number_:05}"


class Carriers(Model):
    name = "delivery.carrier"
    fields = declared(name=char(), product_id=one("product.product"), delivery_type=char())


class Quants(Model):
    name = "stock.quant"
    fields = declared(
        product_id=one("product.product"),
        location_id=one("stock.location"),
        quantity=number(),
        inventory_quantity=number(),
    )

    @public
    def action_apply_inventory(self, ids: list[int]) -> None:
        for id_ in ids:
            self.change([id_], {"quantity": self.get(id_, "inventory_quantity")})

    def put(self, product_id: int, location_id: int, quantity: float) -> None:
        """Add so many to what lies there, which may become less than nothing."""
        domain = [("product_id", "=", product_id), ("location_id", "=", location_id)]
        for id_ in self.found(domain):
            return self.change([id_], {"quantity": self.get(id_, "quantity") + quantity})
        place = {"product_id": product_id, "location_id": location_id}
        self.create_one({**place, "quantity": quantity})
        return None

    def free(self, product_id: int, location_id: int) -> float:
        """What lies there and isn't reserved."""
        domain = [("product_id", "=", product_id), ("location_id", "=", location_id)]
        moves = self.env["stock.move"]
        reserved = moves.found([*domain, ("state", "not in", ["done", "cancel"])])
        there = sum(self.get(id_, "quantity") for id_ in self.found(domain))
        return float(there - sum(moves.get(id_, "quantity") for id_ in reserved))


class Moves(Model):
    name = "stock.move"
    fields = declared(
        picking_id=one("stock.picking"),
        sale_line_id=one("sale.order.line"),
        product_id=one("product.product"),
        product_uom_qty=number(),
        quantity=number("Quantity", digits=[16, 2]),
        picked=flag(),
        state=char(default="confirmed"),
        date=moment(default=lambda model: model.store.now()),
        location_id=one("stock.location"),
        location_dest_id=one("stock.location"),
        has_tracking=related("char", "product_id.tracking"),
    )

    def change(self, ids: Iterable[int], values: Values) -> None:
        """A quantity that is entered is reserved, too."""
        ids = list(ids)
        super().change(ids, values)
        if "quantity" in values and "state" not in values:
            for id_ in ids:
                if self.get(id_, "state") in {"done", "cancel"}:
                    raise NotPlayed("another quantity of a move that is done")
                super().change([id_], {"state": self._readiness(id_)})

    def _readiness(self, id_: int) -> str:
        quantity, demand = self.get(id_, "quantity"), self.get(id_, "product_uom_qty")
        if quantity > demand:
            raise NotPlayed("more goods than were demanded")
        if not quantity:
            return "confirmed"
        return "assigned" if quantity == demand else "partially_available"

    def reserve(self, id_: int) -> None:
        """Reserve what is free; goods whose stock isn't counted always are."""
        place = self.get(id_, "product_id"), self.get(id_, "location_id")
        wanted = self.get(id_, "product_uom_qty")
        if self.value(id_, "product_id.is_storable"):
            wanted = min(wanted, max(0.0, self.env["stock.quant"].free(*place)))
        self.change([id_], {"quantity": wanted})

    def do(self, id_: int) -> float:
        """Move what is entered; answers with what is left to be moved."""
        quantity, quants = self.get(id_, "quantity"), self.env["stock.quant"]
        left = self.get(id_, "product_uom_qty") - quantity
        if self.value(id_, "product_id.is_storable"):
            quants.put(self.get(id_, "product_id"), self.get(id_, "location_id"), -quantity)
            quants.put(self.get(id_, "product_id"), self.get(id_, "location_dest_id"), quantity)
        done = {"state": "done", "picked": True, "date": self.store.now()}
        self.change([id_], {**done, "product_uom_qty": quantity})
        return float(left)

    def split(self, id_: int, quantity: float) -> int:
        """A move like this one, of so many."""
        row = self.store.row(self.name, id_)
        kept = ("sale_line_id", "product_id", "location_id", "location_dest_id")
        return self.create_one({**{n: row[n] for n in kept}, "product_uom_qty": quantity})


class Transfers(Model):
    name = "stock.picking"
    order = "id desc"
    fields = declared(
        name=char(),
        sale_id=one("sale.order"),
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
        if states <= {"done", "cancel"}:
            return "done"
        return "assigned" if states & {"assigned", "partially_available"} else "confirmed"

    # A sale order's

    def make_for(self, sale_order_id: int) -> None:
        """The transfers of a confirmed sale order's goods, one for each type of operation."""
        lines_, made = self.env["sale.order.line"], dict[int, int]()
        for line_id in self.env["sale.order"].get(sale_order_id, "order_line"):
            if lines_.value(line_id, "product_id.type") != "consu":
                continue
            type_id = self._operation_type(line_id)
            if type_id not in made:
                made[type_id] = self._make(sale_order_id, type_id)
            self._demand(made[type_id], line_id)

    def _operation_type(self, line_id: int) -> int:
        """That of the line's own route, else the warehouse's for deliveries."""
        line = self.env["sale.order.line"]
        rules = self.env["stock.rule"]
        routes = line.get(line_id, "route_ids")
        for rule in rules.found([("route_id", "in", routes), ("action", "=", "pull")]):
            return int(rules.get(rule, "picking_type_id"))
        return int(line.value(line_id, "order_id.warehouse_id.out_type_id"))

    def _make(self, sale_order_id: int, type_id: int) -> int:
        types = self.env["stock.picking.type"]
        return self.create_one(
            {
                "name": types.next_name(type_id),
                "sale_id": sale_order_id,
                "partner_id": self.env["sale.order"].get(sale_order_id, "partner_shipping_id"),
                "picking_type_id": type_id,
                "location_id": types.get(type_id, "default_location_src_id"),
                "location_dest_id": types.get(type_id, "default_location_dest_id"),
            }
        )

    def _demand(self, id_: int, line_id: int) -> None:
        line, moves = self.env["sale.order.line"], self.env["stock.move"]
        place = {name: self.get(id_, name) for name in ("location_id", "location_dest_id")}
        goods = {name: line.get(line_id, name) for name in ("product_id", "product_uom_qty")}
        about = {"picking_id": id_, "sale_line_id": line_id}
        moves.reserve(moves.create_one({**place, **goods, **about}))

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
        domain = [("picking_id", "=", id_), ("state", "not in", ["done", "cancel"])]
        return self.env["stock.move"].found(domain)

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
        rest += [moves.split(each, quantity) for each, quantity in left.items() if quantity]
        if rest:
            self._put_back(id_, rest)
        self.change([id_], {"date_done": self.store.now()})

    def _put_back(self, id_: int, rest: list[int]) -> None:
        """A backorder for the moves that weren't done."""
        type_id = self.get(id_, "picking_type_id")
        kept = ("sale_id", "partner_id", "picking_type_id", "location_id", "location_dest_id")
        values = {name: self.get(id_, name) for name in kept}
        name = self.env["stock.picking.type"].next_name(type_id)
        backorder = self.create_one({**values, "name": name, "backorder_id": id_})
        moves = self.env["stock.move"]
        moves.change(rest, {"picking_id": backorder})
        for each in rest:
            moves.reserve(each)


MODELS = (
    *(Warehouses, Locations, Routes, Rules, OperationTypes, Carriers, Quants, Moves, Transfers),
)
