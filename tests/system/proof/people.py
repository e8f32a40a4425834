"""People in Odoo who work on the same orders as the bridge, at the same moment."""

import random
import threading
import xmlrpc.client
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Self

from shop import Rows, Shop
from warehouse import Warehouse

from amazon_bridge.simulator import Order


class People:
    """They work on orders while the bridge makes them."""

    def __init__(self, shop: Shop) -> None:
        self.rpc, self.search = shop.rpc, shop.search

    def sale_order(self, order: Order) -> dict[str, object] | None:
        fields = ["state", "order_line", "note", "picking_ids", "locked", "amount_total"]
        rows = self.search("sale.order", [("client_order_ref", "=", order.order_id)], fields)
        assert len(rows) <= 1
        return rows[0] if rows else None

    def edit(self, id_: int) -> None:
        self.rpc("sale.order", "write", [id_], {"note": "<p>Ring twice</p>"})

    def confirm(self, id_: int) -> None:
        self.rpc("sale.order", "action_confirm", [id_])

    def cancel(self, id_: int) -> None:
        self.rpc("sale.order", "action_cancel", [id_], context={"disable_cancel_warning": True})

    def lock(self, id_: int) -> None:
        self.rpc("sale.order", "action_lock", [id_])

    def delete(self, id_: int) -> None:
        self.rpc("sale.order", "unlink", [id_])

    def ship(self, id_: int) -> None:
        context = {"skip_backorder": True, "skip_sms": True}
        rows = self.search("stock.picking", [("sale_id", "=", id_)], [])
        for row in rows:
            self.rpc("stock.picking", "button_validate", [row["id"]], context=context)


ACTIONS = ("edit", "confirm", "cancel", "lock", "delete", "ship")


def at_once(people: People, orders: list[Order], chance: random.Random) -> Iterator[str]:
    """Do something to an order as soon as it appears, until each was done something to."""
    left = {order.order_id: order for order in orders}
    for _ in range(400):
        for order in list(left.values()):
            if (row := people.sale_order(order)) and chance.random() < 0.5:
                action = chance.choice(ACTIONS)
                with suppress(xmlrpc.client.Fault):
                    getattr(people, action)(row["id"])
                    yield action
                if chance.random() < 0.5:
                    left.pop(order.order_id)
        if not left:
            return


class Packers:
    """They ship and cancel orders, and undo it, until they are stopped.

    They know of each sale order the state, and of each transfer the label, that they left.
    """

    actions = ("label", "label", "put_reference_away", "ship", "ship", "ship_a_part", "cancel",
               "revive")  # fmt: skip

    def __init__(self, shop: Shop, orders: Sequence[Order], chance: random.Random) -> None:
        self.warehouse, self.orders, self.chance = Warehouse(shop), orders, chance
        self.done: list[str] = []
        self.states: dict[str, str] = {}
        self.labels: dict[int, str | bool] = {}
        self._going_home = threading.Event()
        self._work = threading.Thread(target=self._do)

    def __enter__(self) -> Self:
        self._work.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going_home.set()
        self._work.join()

    def _do(self) -> None:
        while not self._going_home.wait(0.05):
            order, action = self.chance.choice(self.orders), self.chance.choice(self.actions)
            with suppress(xmlrpc.client.Fault):  # what Odoo doesn't let them do wasn't done
                if getattr(self, action)(order):
                    self.done.append(action)

    # What they do; each returns whether there was anything to do

    def label(self, order: Order) -> bool:
        return self._enter(self._some(self.transfers(order)), f"JD{self.chance.getrandbits(30)}")

    def put_reference_away(self, order: Order) -> bool:
        return self._enter(self._some(self.transfers(order)), None)

    def _enter(self, transfer: dict[str, Any] | None, reference: str | None) -> bool:
        if transfer:
            self.warehouse.label(transfer["id"], "DHL", reference)
            self.labels[transfer["id"]] = reference or False
        return bool(transfer)

    def ship(self, order: Order) -> bool:
        transfer = self._some(self._open(order))
        if transfer:
            self.warehouse.validate(transfer["id"])
        return bool(transfer)

    def ship_a_part(self, order: Order) -> bool:
        transfer = self._some(self._open(order))
        if transfer:
            self.warehouse.pick(transfer["id"], {order.items[0].sku: 1})
            self.warehouse.validate(transfer["id"])
        return bool(transfer)

    def cancel(self, order: Order) -> bool:
        return self._set(order, "cancel", self.warehouse.cancel)

    def revive(self, order: Order) -> bool:
        return self._set(order, "sale", self.warehouse.revive)

    def _set(self, order: Order, state: str, action: Any) -> bool:
        if self.sale_order(order)["state"] == state:
            return False
        action(order)
        self.states[order.order_id] = state
        return True

    def _some(self, transfers: Rows) -> dict[str, Any] | None:
        return self.chance.choice(transfers) if transfers else None

    def _open(self, order: Order) -> Rows:
        return [row for row in self.transfers(order) if row["state"] == "assigned"]

    # What exists

    def sale_order(self, order: Order) -> dict[str, Any]:
        domain = [("client_order_ref", "=", order.order_id)]
        (row,) = self.warehouse.shop.search("sale.order", domain, ["state"])
        return row

    def transfers(self, order: Order) -> Rows:
        """Those that aren't cancelled."""
        domain = [("sale_id.client_order_ref", "=", order.order_id), ("state", "!=", "cancel")]
        fields = ["name", "state", "carrier_tracking_ref"]
        return self.warehouse.shop.search("stock.picking", domain, fields)

    def label_the_rest(self) -> None:
        """Enter the reference of all that has left without one."""
        for order in self.orders:
            for row in self.transfers(order):
                if row["state"] == "done" and not row["carrier_tracking_ref"]:
                    self._enter(row, f"JD{row['id']:010}")
