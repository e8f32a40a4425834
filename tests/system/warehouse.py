"""What people do in Odoo's warehouse and sales, through an administrator's login."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from shop import Rows, Shop

from amazon_bridge.simulator import Order

FIELDS = ("name", "state", "picking_type_code", "backorder_id", "carrier_tracking_ref")


class Warehouse:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.rpc = shop.rpc
        self.carrier = cache(self._carrier)

    def _carrier(self, name: str) -> int:
        """A delivery method of this name, created if missing."""
        found = self.shop.search("delivery.carrier", [("name", "=", name)], [])
        if found:
            return int(found[0]["id"])
        product = self.rpc("product.product", "create", {"name": name, "type": "service"})
        values = {"name": name, "product_id": product, "delivery_type": "fixed"}
        return int(self.rpc("delivery.carrier", "create", values))

    # Deliveries

    def transfers(self, order: Order) -> Rows:
        """All transfers of the order's sale order, oldest first.

        Also those that are linked to none of its lines, as after all products were replaced.
        """
        linked = ("sale_id.client_order_ref", "=", order.order_id)
        made_for = ("reference_ids.sale_ids.client_order_ref", "=", order.order_id)
        domain = ["|", linked, made_for]
        rows: Rows = self.rpc("stock.picking", "search_read", domain, FIELDS, order="id")
        return rows

    def open(self, order: Order) -> dict[str, Any]:
        """The one transfer that can be done next; the order may be known by its reference only."""
        name = self.shop.sale_order(order)["name"]
        of_order = ["|", ("origin", "=", name), ("origin", "=like", f"{name} - %")]  # from 18 on
        open_ = [*of_order, ("state", "not in", ["done", "cancel"])]
        rows: Rows = self.rpc("stock.picking", "search_read", open_, FIELDS, order="id")
        (row,) = (t for t in rows if t["state"] != "waiting")
        return row

    def label(self, transfer_id: int, carrier: str | None, tracking: str | None) -> None:
        """Enter carrier and tracking reference."""
        values = {
            "carrier_id": self.carrier(carrier) if carrier else False,
            "carrier_tracking_ref": tracking or False,
        }
        self.rpc("stock.picking", "write", [transfer_id], values)

    def ship(
        self,
        order: Order,
        carrier: str | None = "DHL",
        tracking: str | None = "JD0001",
        quantities: Mapping[str, int] | None = None,
    ) -> dict[str, Any]:
        """Do the open transfer, whole or only these quantities by SKU; the rest is a backorder."""
        transfer = self.open(order)
        self.label(transfer["id"], carrier, tracking)
        if quantities is not None:
            self.pick(transfer["id"], quantities)
        self.validate(transfer["id"])
        return transfer

    def pick(self, transfer_id: int, quantities: Mapping[str, int]) -> None:
        moves = self.shop.search(
            "stock.move", [("picking_id", "=", transfer_id)], ["product_id", "product_uom_qty"]
        )
        for move in moves:
            (product,) = self.rpc(
                "product.product", "read", [move["product_id"][0]], ["default_code"]
            )
            quantity = quantities.get(product["default_code"], 0)
            self.rpc(
                "stock.move", "write", [move["id"]], {"quantity": quantity, "picked": quantity > 0}
            )

    def delivered(self, sale_order_ids: set[int]) -> list[tuple[int, int]]:
        """The transfers to the customer that are done, each with each of these sale orders of it.

        Also those linked to the sale order only by their reference.
        """
        done = [("state", "=", "done"), ("location_dest_id.usage", "=", "customer")]
        fields = ["sale_id", "reference_ids"]
        rows = self.shop.search("stock.picking", [*done, ("id", "!=", 0)], fields)
        sold = self.shop.search("stock.reference", [], ["sale_ids"])
        by_reference = {row["id"]: set(row["sale_ids"]) for row in sold}
        moves = [("picking_id", "in", [row["id"] for row in rows]), ("sale_line_id", "!=", False)]
        lines = self.shop.search("stock.move", moves, ["picking_id", "sale_line_id"])
        ids = sorted({move["sale_line_id"][0] for move in lines})
        owners = self.shop.search("sale.order.line", [("id", "in", ids)], ["order_id"])
        order_of = {row["id"]: row["order_id"][0] for row in owners}
        found = {(m["picking_id"][0], order_of[m["sale_line_id"][0]]) for m in lines}
        for row in rows:
            found |= {(row["id"], row["sale_id"][0])} if row["sale_id"] else set()
            if not any(id_ == row["id"] for id_, _ in found):
                found |= {(row["id"], o) for r in row["reference_ids"] for o in by_reference[r]}
        return sorted((id_, order) for id_, order in found if order in sale_order_ids)

    def moves(self, transfer_id: int) -> Rows:
        return self.shop.search("stock.move", [("picking_id", "=", transfer_id)], ["product_id"])

    def replace(self, transfer_id: int, product: str, sku: str) -> None:
        """Enter another product on the moves of this one, as the packer has it in hands."""
        (found,) = self.shop.search("product.product", [("default_code", "=", sku)], [])
        for move in self.moves(transfer_id):
            if product in move["product_id"][1]:
                self.rpc("stock.move", "write", [move["id"]], {"product_id": found["id"]})

    def add(self, order: Order, sku: str) -> None:
        """Add goods to the sale order, beside those that Amazon has sold."""
        (found,) = self.shop.search("product.product", [("default_code", "=", sku)], [])
        line = {"product_id": found["id"], "product_uom_qty": 1}
        values = {"order_line": [(0, 0, line)]}
        self.rpc("sale.order", "write", [self.shop.sale_order(order)["id"]], values)

    def validate(self, *transfer_ids: int) -> None:
        context = {"skip_sms": True, "skip_backorder": True}
        self.rpc("stock.picking", "button_validate", list(transfer_ids), context=context)
        done = self.shop.search("stock.picking", [("id", "in", list(transfer_ids))], ["state"])
        assert {row["state"] for row in done} == {"done"}

    def give_back(self, transfer_id: int) -> int:
        """The return of a transfer, done."""
        context = {
            "active_id": transfer_id,
            "active_ids": [transfer_id],
            "active_model": "stock.picking",
        }
        wizard = self.rpc(
            "stock.return.picking", "create", {"picking_id": transfer_id}, context=context
        )
        lines = self.shop.search(
            "stock.return.picking.line", [("wizard_id", "=", wizard)], ["move_quantity"]
        )
        for line in lines:
            self.rpc(
                "stock.return.picking.line",
                "write",
                [line["id"]],
                {"quantity": line["move_quantity"]},
            )
        action = self.rpc(
            "stock.return.picking", "action_create_returns", [wizard], context=context
        )
        self.validate(action["res_id"])
        return int(action["res_id"])

    # Sale orders

    def cancel(self, *orders: Order) -> None:
        """The list's action on several sale orders."""
        ids = [self.shop.sale_order(order)["id"] for order in orders]
        context = {"disable_cancel_warning": True}
        self.rpc("sale.order", "action_cancel", ids, context=context)

    def revive(self, order: Order) -> None:
        """Set back to quotation, and confirm again."""
        id_ = self.shop.sale_order(order)["id"]
        self.rpc("sale.order", "action_draft", [id_])
        self.rpc("sale.order", "action_confirm", [id_])

    def tag(self, order: Order, name: str) -> None:
        found = self.shop.search("crm.tag", [("name", "=", name)], [])
        tag = found[0]["id"] if found else self.rpc("crm.tag", "create", {"name": name})
        self.rpc(
            "sale.order", "write", [self.shop.sale_order(order)["id"]], {"tag_ids": [(4, tag)]}
        )

    def disown(self) -> None:
        """Let no bridge know any sale order or customer as its own."""
        models = ["sale.order", "res.partner"]
        ours = [("module", "=", "amazon_bridge"), ("model", "in", models)]
        self.rpc("ir.model.data", "unlink", self.rpc("ir.model.data", "search", ours))

    # What the bridge says

    def notes(self, model: str, id_: int) -> dict[str, str]:
        """The notes on a record: bodies by subject."""
        domain = [("model", "=", model), ("res_id", "=", id_), ("subject", "!=", False)]
        rows = self.shop.search("mail.message", domain, ["subject", "body"])
        assert len({row["subject"] for row in rows}) == len(rows), "a note twice"
        return {row["subject"]: row["body"] for row in rows}

    def activities(self, model: str, id_: int) -> dict[str, str]:
        """The open activities on a record: notes by summary."""
        domain = [("res_model", "=", model), ("res_id", "=", id_)]
        rows = self.shop.search("mail.activity", domain, ["summary", "note"])
        return {row["summary"]: row["note"] for row in rows}
