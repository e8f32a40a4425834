"""What people may do to sale orders and deliveries in Odoo."""

from typing import Any

from cast import History
from scene import CARRIER

from amazon_bridge.simulator import Order

NOTE = "<p>Ring twice</p>"
INSTEAD = "MUG-BLUE"
"""What is packed in place of something else."""

QUIET = {"skip_sms": True, "skip_backorder": True}


class InOdoo(History):
    def people_edit(self, order: Order, id_: int) -> None:
        self.shop.rpc("sale.order", "write", [id_], {"note": NOTE})
        self.notes[order.order_id] = NOTE

    def people_cancel(self, order: Order, id_: int) -> None:
        self.shop.cancel(id_)
        self.cancelled.add(order.order_id)
        self.ever_cancelled.add(order.order_id)

    def people_delete(self, order: Order, id_: int) -> None:
        self.shop.rpc("sale.order", "unlink", [id_])
        self.deleted.add(order.order_id)
        self.notes.pop(order.order_id, None)
        self.cancelled.discard(order.order_id)

    def people_ship(self, order: Order, _: int) -> None:
        if order.fulfilled_by == "MERCHANT":
            self.warehouse.ship(order)

    def people_part(self, order: Order, _: int) -> None:
        if order.fulfilled_by == "MERCHANT":
            self.warehouse.ship(order, quantities={"MUG-RED": 1})

    def people_lock(self, _: Order, id_: int) -> None:
        self.shop.rpc("sale.order", "action_lock", [id_])

    def people_unlock(self, _: Order, id_: int) -> None:
        self.shop.rpc("sale.order", "action_unlock", [id_])

    # Deliveries

    def _open(self, order: Order) -> int:
        """The order's open delivery, if the merchant ships it.

        Raises:
            ValueError: there is none.
        """
        if order.fulfilled_by != "MERCHANT":
            raise ValueError
        transfers = self.warehouse.transfers(order)
        open_ = [t for t in transfers if t["state"] not in {"done", "cancel"}]
        (row,) = (t for t in open_ if t["picking_type_code"] == "outgoing")
        return int(row["id"])

    def _moves(self, transfer_id: int) -> list[dict[str, Any]]:
        domain = [("picking_id", "=", transfer_id), ("state", "not in", ["done", "cancel"])]
        fields = ["product_id", "product_uom_qty"]
        rows = self.shop.search("stock.move", domain, fields)
        return sorted(rows, key=lambda row: int(row["id"]))

    def people_ship_bare(self, order: Order, _: int) -> None:
        """Without a tracking reference."""
        if order.fulfilled_by == "MERCHANT":
            self.warehouse.ship(order, tracking=None)

    def people_relabel(self, order: Order, _: int) -> None:
        """Correct the tracking reference of what left, or enter it at last."""
        for row in self.warehouse.transfers(order):
            if row["state"] == "done" and order.fulfilled_by == "MERCHANT":
                reference = f"JD {self.clock():%d%H %M%S} {row['id']}"
                self.warehouse.label(row["id"], CARRIER, reference)

    def people_swap(self, order: Order, _: int) -> None:
        """Pack another product."""
        move = self._moves(self._open(order))[0]
        domain = [("default_code", "=", INSTEAD)]
        (product,) = self.shop.search("product.product", domain, [])
        self.loose.add(order.order_id)
        self.shop.rpc("stock.move", "write", [move["id"]], {"product_id": product["id"]})

    def people_swap_and_ship(self, order: Order, id_: int) -> None:
        self.people_swap(order, id_)
        self._send(self._open(order))

    def people_over(self, order: Order, _: int) -> None:
        """More leaves than was ordered."""
        transfer = self._open(order)
        self.loose.add(order.order_id)
        for move in self._moves(transfer):
            picked = {"quantity": move["product_uom_qty"] + 1, "picked": True}
            self.shop.rpc("stock.move", "write", [move["id"]], picked)
        self._send(transfer)

    def people_no_backorder(self, order: Order, _: int) -> None:
        """One unit leaves, without a backorder for the rest."""
        transfer = self._open(order)
        self.loose.add(order.order_id)
        first = self._moves(transfer)[0]
        self.shop.rpc("stock.move", "write", [first["id"]], {"quantity": 1, "picked": True})
        self._send(transfer, picking_ids_not_to_backorder=[transfer])

    def people_zero(self, order: Order, _: int) -> None:
        """The first product is missing; the others leave."""
        transfer = self._open(order)
        first = self._moves(transfer)[0]
        self.shop.rpc("stock.move", "write", [first["id"]], {"quantity": 0})
        self._send(transfer)

    def _send(self, transfer: int, **context: Any) -> None:
        self.warehouse.label(transfer, CARRIER, "JD0001")
        context = {**QUIET, **context}
        self.shop.rpc("stock.picking", "button_validate", [transfer], context=context)

    def people_drop_delivery(self, order: Order, _: int) -> None:
        transfer = self._open(order)
        self.loose.add(order.order_id)
        self.shop.rpc("stock.picking", "action_cancel", [transfer])

    # Lines

    def _goods(self, id_: int) -> list[dict[str, Any]]:
        domain = [("order_id", "=", id_), ("product_id.type", "=", "consu")]
        rows = self.shop.search("sale.order.line", domain, ["product_uom_qty"])
        return sorted(rows, key=lambda row: int(row["id"]))

    def _set_quantity(self, order: Order, id_: int, more: int) -> None:
        line = self._goods(id_)[0]
        quantity = line["product_uom_qty"] + more
        if quantity >= 0 and order.fulfilled_by == "MERCHANT":
            self.loose.add(order.order_id)
            self.enlarged.add(order.order_id)  # also by less, once another product was packed
            values = {"product_uom_qty": quantity}
            self.shop.rpc("sale.order.line", "write", [line["id"]], values)

    def people_more(self, order: Order, id_: int) -> None:
        self._set_quantity(order, id_, 1)

    def people_less(self, order: Order, id_: int) -> None:
        self._set_quantity(order, id_, -1)

    def people_add_line(self, order: Order, id_: int) -> None:
        if order.fulfilled_by == "MERCHANT":
            self.loose.add(order.order_id)
            self.enlarged.add(order.order_id)
            (product,) = self.shop.search("product.product", [("default_code", "=", INSTEAD)], [])
            values = {"product_id": product["id"], "order_id": id_}
            self.shop.rpc("sale.order.line", "create", values)

    # Rules and settings

    def people_release(self, order: Order, id_: int) -> None:
        """Let a quotation pass that a rule keeps from being confirmed."""
        if self.scene.odoo:
            self.shop.rpc("sale.order", "action_ignore_exceptions", [id_])

    def people_release_and_confirm(self, order: Order, id_: int) -> None:
        """As the pop-up's button does; the order date is the moment."""
        if self.scene.odoo and self.sale_orders(order.order_id)[0]["state"] == "draft":
            self.loose.add(order.order_id)
            self.shop.rpc("sale.order", "action_ignore_exceptions", [id_])
            self.shop.rpc("sale.order", "action_confirm", [id_])

    def people_set_locking(self, _: Order, id_: int) -> None:
        """Switch *Lock Confirmed Sales* on, or off."""
        form = self.shop.rpc(
            "res.config.settings", "create", {"group_auto_done_setting": bool(id_ % 2)}
        )
        self.shop.rpc("res.config.settings", "execute", [form])
