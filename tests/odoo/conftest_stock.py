"""Goods in a warehouse of Odoo, entered as people do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from odoo_server.databases import OdooDatabase

from amazon_bridge.odoo.availability import Question
from amazon_bridge.odoo.moments import timestamp
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.stock_places import fba_locations, find_places


@dataclass(frozen=True)
class Stock:
    database: OdooDatabase
    session: OdooSession
    warehouse: int
    shelf: int
    fba: int

    def rpc(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        return self.database.rpc(model, method, *args, **kwargs)

    def product(self, sku: str, on_hand: float = 0, *, is_storable: bool = True) -> int:
        values = {"name": sku, "default_code": sku, "is_storable": is_storable}
        id_ = int(self.rpc("product.product", "create", values))
        if on_hand:
            self.put(id_, self.shelf, on_hand)
        return id_

    def put(self, product: int, location: int, quantity: float) -> None:
        place = {"product_id": product, "location_id": location}
        id_ = self.rpc("stock.quant", "create", {**place, "inventory_quantity": quantity})
        self.rpc("stock.quant", "action_apply_inventory", [id_])

    def location(self, name: str, parent: int) -> int:
        values = {"name": name, "location_id": parent, "usage": "internal"}
        return int(self.rpc("stock.location", "create", values))

    def demand(
        self, product: int, quantity: float, *, to: int | None = None, reserve: bool = False
    ) -> int:
        """Plan to move goods out of the stock."""
        customers = self.database.reference("stock.stock_location_customers")
        return self.move(product, quantity, self.shelf, to or customers, reserve=reserve)

    def expect(self, product: int, quantity: float, at: datetime) -> int:
        suppliers = self.rpc("stock.location", "search", [("usage", "=", "supplier")], limit=1)
        source = (
            suppliers[0] if suppliers else self.database.reference("stock.stock_location_customers")
        )
        return self.move(product, quantity, source, self.shelf, date=timestamp(at))

    def move(
        self,
        product: int,
        quantity: float,
        source: int,
        destination: int,
        *,
        reserve: bool = False,
        **more: Any,
    ) -> int:
        values = {
            "product_id": product,
            "product_uom_qty": quantity,
            "location_id": source,
            "location_dest_id": destination,
            "state": "confirmed",
            **more,
        }
        id_ = int(self.rpc("stock.move", "create", values))
        if reserve:
            self.reserve(id_, quantity)
        return id_

    def reserve(self, move: int, quantity: float) -> None:
        self.rpc("stock.move", "write", [move], {"quantity": quantity})

    def install_kits(self) -> None:
        """Install Odoo's manufacturing, unless it is played anyway."""
        if not self.session.fields_of("mrp.bom", ["type"]):
            self.database.install("mrp")
            self.session._capabilities.clear()

    def dozen(self) -> int:
        """A unit of measure of twelve pieces."""
        unit = self.database.reference("uom.product_uom_unit")
        values = {"name": "Twelve", "relative_factor": 12, "relative_uom_id": unit}
        return int(self.rpc("uom.uom", "create", values))

    def kit(
        self, sku: str, parts: Mapping[int, float], *, makes: float = 1, unit_id: int = 0
    ) -> int:
        id_ = self.product(sku, is_storable=False)
        self.make_kit(id_, parts, makes=makes, unit_id=unit_id)
        return id_

    def make_kit(
        self, id_: int, parts: Mapping[int, float], *, makes: float = 1, unit_id: int = 0
    ) -> None:
        (row,) = self.rpc("product.product", "read", [id_], ["product_tmpl_id"])
        unit_id = unit_id or self.database.reference("uom.product_uom_unit")
        lines = [
            (0, 0, {"product_id": part, "product_qty": number, "product_uom_id": unit_id})
            for part, number in parts.items()
        ]
        values = {"product_tmpl_id": row["product_tmpl_id"][0], "type": "phantom"}
        self.rpc("mrp.bom", "create", {**values, "product_qty": makes, "bom_line_ids": lines})

    def question(
        self,
        names: Sequence[str] = (),
        *,
        fba: int | None = None,
        fba_names: Sequence[str] = (),
        reserved_only: bool = False,
        until: datetime | None = None,
    ) -> Question:
        places = find_places(
            self.session,
            names,
            warehouse_id=self.warehouse,
            fba_location_ids=fba_locations(self.session, fba or self.fba, fba_names),
            company_id=1,
        )
        return Question(places, reserved_only=reserved_only, until=until)


def opened_stock(database: OdooDatabase) -> Stock:
    session = OdooSession.connect(**database.access()).for_company(1)
    (warehouse,) = session.search_read("stock.warehouse", [("code", "=", "WH")], ["lot_stock_id"])
    shelf = warehouse["lot_stock_id"][0]
    (row,) = session.read("stock.location", [shelf], ["location_id"])
    values = {"name": "Amazon", "location_id": row["location_id"][0], "usage": "internal"}
    fba = int(database.rpc("stock.location", "create", values))
    return Stock(database, session, warehouse["id"], shelf, fba)
