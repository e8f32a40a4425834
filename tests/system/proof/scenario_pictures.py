"""The records of some orders in Odoo and on Amazon, read without the bridge's code.

In words that hold for any orders that play the same parts: no ids, no moments.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from shop import Rows, Shop, amount

from amazon_bridge.simulator import Order, Simulator

Picture = dict[str, dict[str, Any]]


def picture(shop: Shop, simulator: Simulator, parts: Mapping[str, Order]) -> Picture:
    """By the part that an order plays: its sale orders, its customers, what Amazon knows."""
    album = _Album(shop, simulator)
    album.look_up(sorted({order.order_id for order in parts.values()}))
    return {
        part: {
            "in Odoo": album.sale_orders(order),
            "customers": album.customers(order),
            "on Amazon": album.on_amazon(order),
        }
        for part, order in parts.items()
    }


def different(one: Picture, other: Picture) -> dict[str, tuple[Any, Any]]:
    """Where two pictures differ, with what each has there."""
    return {
        f"{part}, {side}": (one[part][side], other[part][side])
        for part in one
        for side in one[part]
        if one[part][side] != other[part][side]
    }


class _Album:
    def __init__(self, shop: Shop, simulator: Simulator) -> None:
        self.shop, self.simulator = shop, simulator

    def look_up(self, order_ids: list[str]) -> None:
        search = self.shop.search
        fields = ["client_order_ref", "state", "amount_total", "date_order", "order_line"]
        self.sales = search("sale.order", [("client_order_ref", "in", order_ids)], fields)
        ids = [row["id"] for row in self.sales]
        fields = ["order_id", "product_uom_qty", "price_total", "qty_delivered"]
        self.lines = search("sale.order.line", [("order_id", "in", ids)], fields)
        fields = ["sale_id", "state", "location_id"]
        self.transfers = search("stock.picking", [("sale_id", "in", ids)], fields)
        fields = ["picking_id", "sale_line_id", "product_uom_qty", "quantity", "state"]
        domain = [("picking_id", "in", [row["id"] for row in self.transfers])]
        self.moves = search("stock.move", domain, fields)
        self.names = self._external_ids()
        self.notes = self._said("mail.message", "model", "subject")
        self.activities = self._said("mail.activity", "res_model", "summary")

    def _external_ids(self) -> dict[tuple[str, int], list[str]]:
        found = defaultdict(list)
        for model, rows in (("sale.order", self.sales), ("sale.order.line", self.lines)):
            of_these = ("res_id", "in", [row["id"] for row in rows])
            domain = [("module", "=", "amazon_bridge"), ("model", "=", model), of_these]
            for row in self.shop.search("ir.model.data", domain, ["res_id", "name"]):
                found[model, row["res_id"]].append(row["name"])
        return found

    def _said(self, model: str, about: str, text: str) -> dict[tuple[str, int], list[str]]:
        found = defaultdict(list)
        for of, rows in (("sale.order", self.sales), ("stock.picking", self.transfers)):
            domain = [(about, "=", of), ("res_id", "in", [row["id"] for row in rows])]
            for row in self.shop.search(model, [*domain, (text, "!=", False)], ["res_id", text]):
                found[of, row["res_id"]].append(row[text])
        return found

    def sale_orders(self, order: Order) -> list[dict[str, Any]]:
        return [
            {
                "external ids": self._plain(self.names["sale.order", row["id"]], order),
                "state": row["state"],
                "total": amount(row["amount_total"]),
                "dated": row["date_order"] == order.created.strftime("%Y-%m-%d %H:%M:%S"),
                "lines": sorted(self._line(each, order) for each in self._of(row, self.lines)),
                "transfers": sorted(
                    self._transfer(t, order) for t in self._of(row, self.transfers)
                ),
                "notes": sorted(self.notes["sale.order", row["id"]]),
                "activities": sorted(self.activities["sale.order", row["id"]]),
            }
            for row in self.sales
            if row["client_order_ref"] == order.order_id
        ]

    def _of(self, sale: Mapping[str, Any], rows: Rows) -> Rows:
        owner = "order_id" if rows is self.lines else "sale_id"
        return [row for row in rows if row[owner][0] == sale["id"]]

    def _plain(self, names: list[str], order: Order) -> str:
        """External ids without the ids in them: ``sale_line_(item 2)_shipping``."""
        text = " ".join(sorted(names)).replace(order.order_id, "(order)")
        for number, item in enumerate(order.items, 1):
            text = text.replace(item.order_item_id, f"(item {number})")
        return text

    def _line(self, row: Mapping[str, Any], order: Order) -> tuple[Any, ...]:
        name = self._plain(self.names["sale.order.line", row["id"]], order)
        numbers = ("product_uom_qty", "price_total", "qty_delivered")
        return (name, *(amount(row[number]) for number in numbers))

    def _transfer(self, row: Mapping[str, Any], order: Order) -> tuple[Any, ...]:
        moves = sorted(
            (
                self._plain(self.names["sale.order.line", move["sale_line_id"][0]], order),
                *(move["state"], move["product_uom_qty"], move["quantity"]),
            )
            for move in self.moves
            if move["picking_id"][0] == row["id"]
        )
        key = ("stock.picking", row["id"])
        said = (*sorted(self.notes[key]), *sorted(self.activities[key]))
        return (row["state"], row["location_id"][1], *moves, *said)

    def customers(self, order: Order) -> int:
        """Those with the buyer's e-mail address, which is unique to this order's buyer."""
        domain = [("email", "=", order.buyer.email), ("parent_id", "=", False)]
        return len(self.shop.search("res.partner", domain, []))

    def on_amazon(self, order: Order) -> dict[str, Any]:
        now = self.simulator.world.order(order.order_id)
        numbers = {item.order_item_id: n for n, item in enumerate(order.items, 1)}
        mails = [mail for mail in self.simulator.world.mails if mail.order_id == order.order_id]
        return {
            "status": now.status,
            "packages": sorted(
                tuple((numbers[item], units) for item, units in package.quantities)
                for package in now.packages
            ),
            "mails": Counter(mail.kind for mail in mails),
            "confirmations": sorted(self._confirmations(order).values()),
            "cancellations": self._cancellations(order),
        }

    def _confirmations(self, order: Order) -> Counter[bytes]:
        """How often each package was confirmed and accepted, by its reference."""
        found = Counter[bytes]()
        for request in self.simulator.received("confirmShipment"):
            if order.order_id in request.path and request.status == 204:
                found += Counter(re.findall(rb'"packageReferenceId": ?"(\d+)"', request.body))
        return found

    def _cancellations(self, order: Order) -> int:
        """In how many feeds the order stood."""
        feeds = self.simulator.feeds
        documents = self.simulator.documents
        contents = [documents[feed.document_id].content for feed in feeds.feeds.values()]
        return sum(order.order_id.encode() in (content or b"") for content in contents)
