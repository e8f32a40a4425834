"""The Odoo of a seller: set up as a person would, and read back without the bridge's code."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from odoo_server.databases import OdooDatabase

from amazon_bridge.simulator import CATALOGUE, Order

Rows = list[dict[str, Any]]

ATTENTION = "Amazon: this order needs attention"

TAXES: dict[str, tuple[float, bool]] = {
    "19 % in": (19, True),
    "20 % in": (20, True),
    "20 % on": (20, False),
    "5.5 % on": (5.5, False),
}
"""Percentage, and whether it is part of the price."""
TAXES_OF = {
    "MUG-BLUE": "19 % in",
    "MUG-RED": "20 % in",
    "TEAPOT-08": "20 % on",
    "KETTLE-17": "5.5 % on",
    "GRINDER-H": "20 % in",
}
"""The others have no tax."""

WATCHED = (
    "res.partner",
    "sale.order",
    "sale.order.line",
    "stock.picking",
    "stock.move",
    "stock.move.line",
    "stock.quant",
    "stock.location",
    "stock.route",
    "stock.rule",
    "stock.picking.type",
    "crm.team",
    "product.template",
    "product.product",
    "product.pricelist",
    "account.move",
    "mail.message",
    "mail.activity",
    "ir.model.data",
    "ir.sequence",
)
"""The models that an import writes, or might."""

READING = {
    "authenticate",
    "check_object_reference",
    "context_get",
    "default_get",
    "fields_get",
    "get_metadata",
    "has_access",
    "has_group",
    "read",
    "search_read",
    "web_search_read",
}
"""Methods of Odoo that change nothing."""


def amount(value: float) -> Decimal:
    return Decimal(str(round(value, 6)))


@dataclass(frozen=True)
class SaleLine:
    """A line as a person sees it."""

    sku: str
    quantity: Decimal
    total: Decimal
    delivered: Decimal
    taxes: tuple[int, ...]


class Shop:
    """One database of Odoo, through an administrator's login."""

    def __init__(self, database: OdooDatabase) -> None:
        self.database = database
        self.rpc = database.rpc

    # Setting up

    @cached_property
    def taxes(self) -> dict[str, int]:
        return {
            name: self.make_tax(name, percent, included=included)
            for name, (percent, included) in TAXES.items()
        }

    def make_tax(self, name: str, percent: float, *, included: bool = False, **fields: Any) -> int:
        inclusion = "tax_included" if included else "tax_excluded"
        values = {"name": name, "amount": percent, "price_include_override": inclusion}
        return int(self.rpc("account.tax", "create", {**values, **fields}))

    def make_products(self, products: Mapping[str, Mapping[str, Any]]) -> None:
        """Products that are stored, with 1000 pieces of each in the warehouse.

        Args:
            products: by SKU, the fields that aren't as usual; ``taxes`` has ids of taxes.
        """
        values = []
        for sku, fields in products.items():
            own = dict(fields)
            taxes = [(6, 0, list(own.pop("taxes", ())))]
            usual = {"name": sku, "default_code": sku, "is_storable": True, "taxes_id": taxes}
            values.append(usual | own)
        ids = self.rpc("product.product", "create", values)
        location = self.database.reference("stock.stock_location_stock")
        quants = self.rpc(
            "stock.quant",
            "create",
            [
                {"product_id": id_, "location_id": location, "inventory_quantity": 1000}
                for id_, its in zip(ids, values, strict=True)
                if "tracking" not in its
            ],
        )
        self.rpc("stock.quant", "action_apply_inventory", quants)

    def make_lot(self, name: str, sku: str) -> int:
        """A lot or serial number of the first company.

        Not by `create`, which stock_account of early versions of 18 refuses over RPC.
        """
        (product,) = self.search("product.product", [("default_code", "=", sku)], [])
        fields, values = ["name", "product_id/.id", "company_id/.id"], [name, product["id"], 1]
        loaded = self.rpc("stock.lot", "load", fields, [[str(value) for value in values]])
        return int(loaded["ids"][0])

    def make_catalogue(self) -> None:
        """The products that the simulated sellers sell, with all kinds of taxes."""
        taxes = {sku: [self.taxes[name]] for sku, name in TAXES_OF.items()}
        self.make_products({p.sku: {"taxes": taxes.get(p.sku, [])} for p in CATALOGUE})

    def confirm_deliveries_by_mail(self) -> None:
        """The setting *Email Confirmation*, without the PDF, which needs more programs."""
        self.rpc("res.company", "write", [1], {"stock_move_email_validation": True})
        template = self.database.reference("stock.mail_template_data_delivery_confirmation")
        self.rpc("mail.template", "write", [template], {"report_template_ids": [(5,)]})

    # What people do

    def validate(self, delivery_id: int) -> None:
        self.rpc("stock.picking", "button_validate", [delivery_id], context={"skip_sms": True})
        (row,) = self.search("stock.picking", [("id", "=", delivery_id)], ["state"])
        assert row["state"] == "done"

    def cancel(self, sale_order_id: int) -> None:
        context = {"disable_cancel_warning": True}
        self.rpc("sale.order", "action_cancel", [sale_order_id], context=context)

    def refuse_partners_named(self, name: str) -> None:
        """An automation rule that refuses such customers."""
        (model,) = self.search("ir.model", [("model", "=", "res.partner")], [])
        rule = {"name": "Not wanted", "model_id": model["id"], "perm_read": False}
        domain = f"[('name', '!=', {name!r})]"
        self.rpc("ir.rule", "create", {**rule, "domain_force": domain, "perm_unlink": False})

    # Reading back

    def search(self, model: str, domain: list[Any], fields: Iterable[str]) -> Rows:
        rows: Rows = self.rpc(model, "search_read", domain, list(fields) or ["id"])
        return rows

    def external_ids(self, model: str) -> dict[str, int]:
        """The records of the bridge, by their names in its module."""
        domain = [("module", "=", "amazon_bridge"), ("model", "=", model)]
        rows = self.search("ir.model.data", domain, ["name", "res_id"])
        return {row["name"]: row["res_id"] for row in rows}

    def sale_orders(self, *domain: tuple[str, str, Any]) -> dict[str, dict[str, Any]]:
        """All sale orders, or those of a domain, by the reference that the customer sees."""
        names = [
            *("name", "client_order_ref", "origin", "date_order", "state", "amount_total"),
            *("currency_id", "team_id", "company_id", "warehouse_id", "pricelist_id", "user_id"),
            *("partner_id", "partner_shipping_id", "partner_invoice_id", "order_line"),
            *("picking_ids", "invoice_status", "fiscal_position_id"),
        ]
        rows = self.search("sale.order", list(domain), names)
        assert len({row["client_order_ref"] for row in rows}) == len(rows), "an order twice"
        return {row["client_order_ref"]: row for row in rows}

    def sale_order(self, order: Order | str) -> dict[str, Any]:
        order_id = order if isinstance(order, str) else order.order_id
        return self.sale_orders(("client_order_ref", "=", order_id))[order_id]

    def lines(self) -> dict[str, SaleLine]:
        """All lines of sale orders, by their external ids."""
        names = {id_: name for name, id_ in self.external_ids("sale.order.line").items()}
        skus = {
            row["id"]: row["default_code"] or row["name"]
            for row in self.search("product.product", [], ["default_code", "name"])
        }
        fields = ["product_id", "product_uom_qty", "price_total", "qty_delivered", "tax_ids"]
        return {
            names.get(row["id"], f"line {row['id']}"): SaleLine(
                sku=skus[row["product_id"][0]],
                quantity=amount(row["product_uom_qty"]),
                total=amount(row["price_total"]),
                delivered=amount(row["qty_delivered"]),
                taxes=tuple(row["tax_ids"]),
            )
            for row in self.search("sale.order.line", [("display_type", "=", False)], fields)
        }

    def deliveries(self) -> dict[str, Rows]:
        """All transfers, by the Amazon order id of their sale orders."""
        orders = {row["id"]: ref for ref, row in self.sale_orders().items()}
        found = defaultdict(list)
        for row in self._transfers(("sale_id", "!=", False)):
            found[orders[row["sale_id"][0]]].append(row)
        return dict(found)

    def _transfers(self, condition: tuple[str, str, Any]) -> Rows:
        fields = [
            *("state", "sale_id", "location_id", "location_dest_id", "picking_type_id"),
            "partner_id",
        ]
        return self.search("stock.picking", [condition], fields)

    def moves(self) -> dict[int, Rows]:
        """All stock moves, by the database ids of their sale order lines."""
        fields = [
            *("state", "sale_line_id", "location_id", "location_dest_id", "product_uom_qty"),
            *("quantity", "picking_id"),
        ]
        found = defaultdict(list)
        for row in self.search("stock.move", [("sale_line_id", "!=", False)], fields):
            found[row["sale_line_id"][0]].append(row)
        return dict(found)

    def deliveries_of(self, order: Order) -> Rows:
        return self._transfers(("sale_id", "=", self.sale_order(order)["id"]))

    def notes(self, model: str, id_: int) -> list[str]:
        """The subjects of the notes in a record's chatter."""
        domain = [("model", "=", model), ("res_id", "=", id_), ("subject", "!=", False)]
        return [row["subject"] for row in self.search("mail.message", domain, ["subject"])]

    def activities(self, model: str, id_: int) -> list[str]:
        domain = [("res_model", "=", model), ("res_id", "=", id_)]
        return [row["summary"] for row in self.search("mail.activity", domain, ["summary"])]

    def stock(self, location: str) -> dict[str, float]:
        """What lies in a location, reservations left out, by product."""
        domain = [("location_id.complete_name", "=", location)]
        rows = self.search("stock.quant", domain, ["product_id", "quantity"])
        return {row["product_id"][1]: row["quantity"] for row in rows if row["quantity"]}

    def snapshot(self) -> Mapping[str, list[Any]]:
        """Each record of each watched model, and when it was last written."""
        return {
            model: [
                (row["id"], row["write_date"])
                for row in self.rpc(
                    model,
                    "search_read",
                    [],
                    ["write_date"],
                    order="id",
                    context={"active_test": False},
                )
            ]
            for model in WATCHED
        }
