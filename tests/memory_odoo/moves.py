"""Stock moves, and what the transfers that they belong to are made for."""

from collections.abc import Iterable, Sequence

from memory_odoo.faults import NotPlayed
from memory_odoo.fields import (
    char,
    computed,
    declared,
    flag,
    many,
    moment,
    number,
    one,
    related,
)
from memory_odoo.model import Model, Values, public

OVER = {"done", "cancel"}
"""States of moves and transfers that change no more."""


class Moves(Model):
    name = "stock.move"
    fields = declared(
        picking_id=one("stock.picking"),
        company_id=one("res.company", default=1),
        sale_line_id=one("sale.order.line"),
        product_id=one("product.product"),
        product_uom_qty=number(),
        quantity=number("Quantity", digits=[16, 2]),
        picked=flag(),
        state=char(default="confirmed"),
        date=moment(default=lambda model: model.store.now()),
        date_deadline=moment(),
        location_id=one("stock.location"),
        location_dest_id=one("stock.location"),
        location_final_id=one("stock.location"),
        move_dest_ids=many("stock.move"),
        origin_returned_move_id=one("stock.move"),
        product_qty=computed("float", lambda m, i: m.get(i, "product_uom_qty")),
        has_tracking=related("char", "product_id.tracking"),
    )

    # Entered by people

    def change(self, ids: Iterable[int], values: Values) -> None:
        """A quantity that is entered is reserved, too; another product is nobody's order."""
        ids = list(ids)
        entered = values.keys() & {"quantity", "product_id", "product_uom_qty"}
        if entered and "state" not in values and any(self.get(i, "state") in OVER for i in ids):
            raise NotPlayed("other goods on a move that is over")
        super().change(ids, values)
        if "quantity" in values and "state" not in values:
            for id_ in ids:
                super().change([id_], {"state": self._readiness(id_)})
        if "product_id" in values:
            self._unlink_other_goods(ids)

    @public
    def write(self, ids: list[int], vals: Values) -> bool:
        if "product_uom_qty" in vals:
            raise NotPlayed("another demand of a move")
        return super().write(ids, vals)

    def _unlink_other_goods(self, ids: Sequence[int]) -> None:
        swapped = [
            id_
            for id_ in ids
            if self.get(id_, "sale_line_id")
            and self.get(id_, "product_id") != self.value(id_, "sale_line_id.product_id")
        ]
        self.link(swapped, line=False)

    def _readiness(self, id_: int) -> str:
        quantity, demand = self.get(id_, "quantity"), self.get(id_, "product_uom_qty")
        if not quantity:
            return "confirmed"
        return "assigned" if quantity >= demand else "partially_available"

    # By Odoo itself

    def link(self, ids: Iterable[int], *, line: int | bool) -> None:
        """Link moves to a line of a sale order, or to none; their transfers follow."""
        for id_ in ids:
            self.store.update(self.name, id_, {"sale_line_id": line})
            self.env["stock.picking"].find_order(self.get(id_, "picking_id"))

    def way(self, id_: int) -> int:
        """1 to the customer, -1 back from there."""
        return 1 if self.value(id_, "location_dest_id.usage") == "customer" else -1

    def demand(self, id_: int, quantity: float) -> None:
        """Set what is demanded, and reserve it unless somebody has picked already."""
        self.store.update(self.name, id_, {"product_uom_qty": quantity})
        if not quantity:
            self.change([id_], {"quantity": 0.0, "state": "cancel"})
        elif self.get(id_, "picked"):
            self.change([id_], {"state": self._readiness(id_)})
        else:
            self.reserve(id_)

    def reserve(self, id_: int) -> None:
        """Reserve what is free; goods whose stock isn't counted always are."""
        self.change([id_], {"quantity": 0.0})
        place = self.get(id_, "product_id"), self.get(id_, "location_id")
        wanted = self.get(id_, "product_uom_qty")
        if self.value(id_, "product_id.is_storable") and self.way(id_) == 1:
            wanted = min(wanted, max(0.0, self.env["stock.quant"].free(*place)))
        self.change([id_], {"quantity": wanted})

    def do(self, id_: int) -> float:
        """Move the entered quantities; returns what is left to be moved."""
        quantity, quants = self.get(id_, "quantity"), self.env["stock.quant"]
        left = self.get(id_, "product_uom_qty") - quantity
        if self.value(id_, "product_id.is_storable"):
            quants.put(self.get(id_, "product_id"), self.get(id_, "location_id"), -quantity)
            quants.put(self.get(id_, "product_id"), self.get(id_, "location_dest_id"), quantity)
        self.change([id_], {"state": "done", "picked": True, "date": self.store.now()})
        return max(0.0, float(left))

    def split(self, id_: int, quantity: float) -> int:
        """A move like this one, of so many that it doesn't demand any more."""
        row = self.store.row(self.name, id_)
        less = {"product_uom_qty": row["product_uom_qty"] - quantity}
        self.store.update(self.name, id_, less)
        kept = ("sale_line_id", "product_id", "location_id", "location_dest_id", "date_deadline")
        return self.create_one({**{n: row[n] for n in kept}, "product_uom_qty": quantity})


class References(Model):
    """What transfers are made for, such as a sale order."""

    name = "stock.reference"
    fields = declared(
        name=char(),
        sale_ids=many("sale.order"),
        picking_ids=computed("many2many", lambda m, i: m.transfers(i), "stock.picking"),
    )

    def transfers(self, id_: int) -> list[int]:
        return self.env["stock.picking"].found([("reference_ids", "=", id_)])

    def of(self, sale_order_id: int) -> int:
        for id_ in self.found([("sale_ids", "=", sale_order_id)]):
            return id_
        name = self.env["sale.order"].get(sale_order_id, "name")
        return self.create_one({"name": name, "sale_ids": [(6, 0, [sale_order_id])]})

    def forget(self, sale_order_id: int) -> None:
        for id_ in self.found([("sale_ids", "=", sale_order_id)]):
            self.change([id_], {"sale_ids": [(3, sale_order_id)]})


MODELS = (Moves, References)
