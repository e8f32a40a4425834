"""The shop of the demonstration: what its people do in Odoo."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.odoo.session import MODULE, OdooSession
from amazon_bridge.simulator import CATALOGUE, PRODUCTS
from amazon_bridge.simulator.catalogue import Product

UNKNOWN_SKU = "SPOON-SET"
"""A product of the shop that does not exist in Odoo at first."""

OLDEST = (16, 0)
"""The version of Odoo from which on settlements are booked, which the demo shows."""

_IN_USE = {
    "sale orders": ("sale.order", []),
    "transfers": ("stock.picking", []),
    "journal entries": ("account.move", []),
    "records of amazon-bridge": ("ir.model.data", [("module", "=", MODULE)]),
}
"""What the database of the demonstration must not hold: models and domains."""


class Shop:
    """What the people of the shop do in Odoo.

    Args:
        odoo: The login.
        order_ids: The Amazon order ids of the scenario; no other sale order is read or changed.
    """

    def __init__(self, odoo: OdooSession, order_ids: Collection[str]) -> None:
        self._odoo = odoo
        self._order_ids = list(order_ids)

    def require_version(self) -> None:
        """Check that this Odoo has all that is shown.

        Raises:
            ConfigError: It is older.
        """
        if self._odoo.version < OLDEST:
            raise ConfigError(
                f"The demo needs Odoo {OLDEST[0]} or newer; this is Odoo {self._odoo.version[0]}.",
                "Nothing was changed. Name a newer Odoo with --odoo; the bridge itself needs only"
                " Odoo 14: see docs/odoo-versions.md.",
            )

    def require_empty(self, database: str) -> None:
        """Check that nobody works with the database; call it before anything is written.

        Raises:
            ConfigError: It holds records that are not of this run.
        """
        if found := list(self._in_use()):
            raise ConfigError(
                f"The database {database} is not empty: it holds {' and '.join(found)}.",
                "Nothing was changed. The demo ships and cancels orders: give it a database of its"
                " own, without Odoo's demo data. `scripts/odoo-server createdb NAME` or Odoo's page"
                " /web/database/manager creates one.",
            )

    def _in_use(self) -> Iterator[str]:
        for what, (model, domain) in _IN_USE.items():
            if self._odoo.search_read(model, domain, ["id"], limit=1):
                yield what

    def open(self) -> None:
        """Enter all products but one, with stock, and a carrier."""
        self._enter([each for each in CATALOGUE if each.sku != UNKNOWN_SKU])
        self._carrier("DHL")

    def enter_missing_product(self) -> None:
        """Enter the product that was forgotten, as the quarantine's remedy says."""
        self._enter([PRODUCTS[UNKNOWN_SKU]])

    def _enter(self, products: Sequence[Product]) -> None:
        stored = self._odoo.capabilities.storable
        rows = [
            [f"amazon_bridge_demo.{each.sku}", each.sku, each.title, *map(str, stored.values())]
            for each in products
        ]
        ids = self._odoo.load(
            "product.product", ["id", "default_code", "name", *stored], rows, overwrite=True
        )
        self._stock(ids)

    def _stock(self, product_ids: Sequence[int]) -> None:
        quants = [
            {"product_id": id_, "location_id": self._location(), "inventory_quantity": 100}
            for id_ in product_ids
        ]
        context = {"inventory_mode": True}
        quant_ids = self._odoo.call("stock.quant", "create", quants, context=context)
        self._odoo.call("stock.quant", "action_apply_inventory", quant_ids, context=context)

    def _location(self) -> int:
        """The warehouse's stock location."""
        warehouses = self._odoo.search_read(
            "stock.warehouse", [], ["lot_stock_id"], order="id", limit=1
        )
        return int(warehouses[0]["lot_stock_id"][0])

    def _carrier(self, name: str) -> None:
        product = self._odoo.search_read("product.product", [("type", "=", "service")], [], limit=1)
        fields = ["id", "name", "product_id/.id"]
        rows = [[f"amazon_bridge_demo.carrier_{name}", name, str(product[0]["id"])]]
        self._odoo.load("delivery.carrier", fields, rows)

    def pieces(self, sku: str) -> tuple[float, float]:
        """Pieces of a product in the warehouse, and those of them that are to leave."""
        fields, domain = ["qty_available", "outgoing_qty"], [("default_code", "=", sku)]
        context = {"location": self._location()}
        (product,) = self._odoo.search_read("product.product", domain, fields, context=context)
        return product["qty_available"], product["outgoing_qty"]

    def sale_orders(self) -> list[dict[str, Any]]:
        fields = [
            *("name", "client_order_ref", "amount_total", "currency_id", "state"),
            *("delivery_status", "picking_ids"),
        ]
        own = [
            ("origin", "=like", "Amazon Order %"),
            ("client_order_ref", "in", self._order_ids),
        ]
        return self._odoo.search_read("sale.order", own, fields, order="date_order, id")

    def order_to_ship(self, number: int = 0) -> dict[str, Any]:
        """An order that the shop has to ship itself."""
        ready = [
            each
            for each in self.sale_orders()
            if (each["state"], each["delivery_status"]) == ("sale", "pending")
        ]
        return ready[number]

    def ship(self, carrier: str, tracking_reference: str) -> str:
        """Validate a delivery order as a person would, and return its name."""
        picking_id = self.order_to_ship(2)["picking_ids"][0]
        carrier_id = self._odoo.search_read("delivery.carrier", [("name", "=", carrier)], [])[0]
        values = {"carrier_id": carrier_id["id"], "carrier_tracking_ref": tracking_reference}
        self._odoo.call("stock.picking", "write", [picking_id], values)
        if not self._odoo.capabilities.has_picked:  # Odoo 16 would ask whether all is done
            self._odoo.call("stock.picking", "action_set_quantities_to_reservation", [picking_id])
        # Odoo would ask whether to send a text message, where a person clicks it away.
        context = {"skip_sms": True}
        self._odoo.call("stock.picking", "button_validate", [picking_id], context=context)
        return str(self._odoo.read("stock.picking", [picking_id], ["name"])[0]["name"])

    def balances(self, settlement_id: str) -> dict[str, float]:
        """What a settlement has booked, by account."""
        domain = [("move_id.ref", "=like", f"settlement_{settlement_id}%")]
        rows = self._odoo.search_read("account.move.line", domain, ["account_id", "balance"])
        sums: dict[str, float] = {}
        for row in rows:
            name = str(row["account_id"][1])
            sums[name] = round(sums.get(name, 0) + row["balance"], 2)
        return {name: balance for name, balance in sorted(sums.items()) if balance}

    def cancel(self, sale_order_id: int) -> None:
        """Cancel a sale order, past Odoo's question (16 and 17) to mail the customer."""
        no_question = {"disable_cancel_warning": True}
        self._odoo.call("sale.order", "action_cancel", [sale_order_id], context=no_question)

    def state(self, sale_order_id: int) -> str:
        return str(self._odoo.read("sale.order", [sale_order_id], ["state"])[0]["state"])
