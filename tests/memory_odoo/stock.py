"""Warehouse, locations, routes, carriers, and what lies where."""

from memory_odoo.fields import (
    char,
    computed,
    declared,
    flag,
    integer,
    number,
    one,
    related,
    translated,
)
from memory_odoo.model import Model, public


class Warehouses(Model):
    name = "stock.warehouse"
    order = "sequence, id"
    fields = declared(
        name=char(),
        code=char(),
        sequence=integer(10),
        company_id=one("res.company"),
        lot_stock_id=one("stock.location"),
        view_location_id=one("stock.location"),
        out_type_id=one("stock.picking.type"),
        in_type_id=one("stock.picking.type"),
    )


class Locations(Model):
    name = "stock.location"
    order = "complete_name, id"
    parent = "location_id"
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
        name=translated(),
        active=flag(default=True),
        sale_selectable=flag(),
        product_selectable=flag(default=True),
        company_id=one("res.company"),
    )


class Rules(Model):
    name = "stock.rule"
    fields = declared(
        name=translated(),
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
        name=translated(),
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
    fields = declared(
        name=translated(),
        active=flag(default=True),
        product_id=one("product.product"),
        delivery_type=char(),
    )


class Quants(Model):
    name = "stock.quant"
    fields = declared(
        product_id=one("product.product"),
        location_id=one("stock.location"),
        company_id=related("many2one", "location_id.company_id", "res.company"),
        quantity=number(),
        inventory_quantity=number(),
        reserved_quantity=computed("float", lambda m, i: m.reserved(i)),
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
        there = sum(self.get(id_, "quantity") for id_ in self.found(domain))
        return float(there - self._reserved(domain))

    def reserved(self, id_: int) -> float:
        """What is reserved; of each product there is one quant at a location."""
        place = ("product_id", "location_id")
        return self._reserved([(name, "=", self.get(id_, name)) for name in place])

    def _reserved(self, domain: list[tuple[str, str, int]]) -> float:
        moves = self.env["stock.move"]
        open_ = moves.found([*domain, ("state", "not in", ["done", "cancel"])])
        return float(sum(moves.get(id_, "quantity") for id_ in open_))


MODELS = (Warehouses, Locations, Routes, Rules, OperationTypes, Carriers, Quants)
