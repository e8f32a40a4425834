"""A real and an in-memory Odoo, with people and the bridge at them, for tests of both."""

import itertools
import re
import xmlrpc.client
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pytest
from shop import Rows, Shop

from amazon_bridge.config import AccountConfig
from amazon_bridge.odoo import setup
from amazon_bridge.odoo.session import OdooSession

QUIET = {"skip_backorder": True, "skip_sms": True}
NUMBERS = itertools.count(1)
LINE = ("id", "product_id/.id", "name", "product_uom_qty", "price_unit", "discount", "tax_ids/.id")
ORDER = ("id", "client_order_ref", "date_order", "partner_id/.id")


@dataclass(frozen=True)
class Side:
    """One of the two, with people and with the bridge at it."""

    shop: Shop
    session: OdooSession
    setup: setup.Setup

    @property
    def rpc(self) -> Any:
        return self.shop.rpc

    def refused(self, model: str, method: str, *args: Any, **kwargs: Any) -> str:
        """Odoo's words for not doing it, without ids."""
        with pytest.raises(xmlrpc.client.Fault) as caught:
            self.rpc(model, method, *args, **kwargs)
        assert caught.value.faultCode == 2
        return re.sub(r"\d+", "#", caught.value.faultString)

    @cached_property
    def catalogue(self) -> dict[str, tuple[str, str]]:
        """Database ids of each product and of its taxes, by SKU, as texts."""
        rows = self.shop.search("product.product", [], ["default_code", "taxes_id"])
        return {
            row["default_code"]: (str(row["id"]), ",".join(map(str, row["taxes_id"])))
            for row in rows
        }

    @cached_property
    def partner(self) -> int:
        return int(self.rpc("res.partner", "create", {"name": "Somebody"}))

    def load(self, model: str, fields: Any, rows: Any, **context: Any) -> dict[str, Any]:
        context = {"mode": "update", "noupdate": True, **context}
        response: dict[str, Any] = self.rpc(model, "load", list(fields), rows, context=context)
        return response

    def order(self, *lines: tuple[str, int, str], date: str = "2026-05-01 10:00:00") -> "Placed":
        """A quotation as the bridge makes it: SKU, quantity and unit price of each line."""
        key = f"X{next(NUMBERS)}"
        head = [f"amazon_bridge.sale_order_{key}", key, date, str(self.partner)]
        rows = []
        for number, (sku, quantity, price) in enumerate(lines or [("MUG-RED", 2, "10")]):
            name = f"amazon_bridge.sale_line_{key}-{number}"
            product, taxes = self.catalogue[sku]
            cells = [name, product, sku, str(quantity), price, "0", taxes]
            rows.append([*(head if number == 0 else [""] * len(head)), *cells])
        fields = [*ORDER, *(f"order_line/{column}" for column in LINE)]
        (id_,) = self.session.load("sale.order", fields, rows)
        return Placed(self, key, id_)


@dataclass(frozen=True)
class Placed:
    """A sale order."""

    side: Side
    key: str
    id: int

    def read(self, *fields: str) -> Any:
        rows = self.side.rpc("sale.order", "read", [self.id], list(fields))
        values = [rows[0][field] for field in fields]
        return values if len(values) > 1 else values[0]

    def do(self, method: str) -> Any:
        return self.side.rpc("sale.order", method, [self.id])

    def refused(self, method: str) -> str:
        return self.side.refused("sale.order", method, [self.id])

    def lines(self, *fields: str) -> list[tuple[Any, ...]]:
        domain = [("order_id", "=", self.id)]
        rows = self.side.rpc("sale.order.line", "search_read", domain, list(fields), order="id")
        return [tuple(row[field] for field in fields) for row in rows]

    def transfers(self) -> Rows:
        fields = ["name", "state", "location_id", "location_dest_id", "picking_type_code"]
        fields += ["date_done", "backorder_id", "company_id", "sale_id"]
        domain = [("sale_id", "=", self.id)]
        rows: Rows = self.side.rpc("stock.picking", "search_read", domain, fields, order="id")
        return rows

    def moves(self) -> list[tuple[Any, ...]]:
        """State, demand, quantity and mark of each move, by transfer and product."""
        domain = [("sale_line_id.order_id", "=", self.id)]
        fields = ["picking_id", "product_id", "state", "product_uom_qty", "quantity", "picked"]
        rows = self.side.shop.search("stock.move", domain, fields)
        rows.sort(key=lambda row: (row["picking_id"][0], row["product_id"][1]))
        return [tuple(row[field] for field in fields[2:]) for row in rows]

    def validate(self, *transfer_ids: int) -> Any:
        ids = list(transfer_ids) or [row["id"] for row in self.transfers()]
        return self.side.rpc("stock.picking", "button_validate", ids, context=QUIET)

    # What people see, without ids

    @property
    def line_ids(self) -> list[int]:
        return [id_ for (id_,) in self.lines("id")]

    def seen_lines(self) -> list[tuple[str, float, float, float, bool]]:
        """Product, ordered, delivered, unit price, and whether the bridge knows the line."""
        ours = self.side.session.external_ids("sale.order.line", self.line_ids)
        fields = ("id", "product_id", "product_uom_qty", "qty_delivered", "price_unit")
        return [
            (_sku(product), ordered, delivered, price, id_ in ours)
            for id_, product, ordered, delivered, price in self.lines(*fields)
        ]

    def own_transfers(self) -> Rows:
        """Also those that Odoo doesn't count among the sale order's any more."""
        domain = [("origin", "=", self.read("name"))]
        fields = ["name", "state", "sale_id", "picking_type_code", "backorder_id"]
        rows: Rows = self.side.rpc("stock.picking", "search_read", domain, fields, order="id")
        return rows

    def seen_transfers(self) -> list[tuple[Any, ...]]:
        """State, kind, whether it is linked to the sale order, and its moves.

        Of each move: product, demand, quantity, state, and the number of its line.
        """
        numbers = {id_: number for number, id_ in enumerate(self.line_ids)}
        fields = ["product_id", "product_uom_qty", "quantity", "state", "sale_line_id"]
        seen = []
        for row in self.own_transfers():
            domain = [("picking_id", "=", row["id"])]
            moves = self.side.rpc("stock.move", "search_read", domain, fields, order="id")
            described = [
                (
                    *(_sku(m["product_id"]), m["product_uom_qty"], m["quantity"], m["state"]),
                    numbers[m["sale_line_id"][0]] if m["sale_line_id"] else None,
                )
                for m in moves
            ]
            linked = bool(row["sale_id"]) and row["sale_id"][0] == self.id
            seen.append((row["state"], row["picking_type_code"], linked, *sorted(described)))
        return seen

    # What people do

    def set_quantity(self, number: int, quantity: float) -> None:
        values = {"product_uom_qty": quantity}
        self.side.rpc("sale.order.line", "write", [self.line_ids[number]], values)

    def add_line(self, sku: str, quantity: float = 1) -> None:
        product = int(self.side.catalogue[sku][0])
        line = {"product_id": product, "product_uom_qty": quantity}
        self.side.rpc("sale.order", "write", [self.id], {"order_line": [(0, 0, line)]})

    def swap(self, sku: str, other: str) -> int:
        """Enter another product on the open move of one. Returns the transfer's id."""
        ids = [row["id"] for row in self.own_transfers()]
        product, instead = (int(self.side.catalogue[each][0]) for each in (sku, other))
        domain = [("picking_id", "in", ids), ("product_id", "=", product)]
        open_ = ("state", "not in", ["done", "cancel"])
        (move,) = self.side.shop.search("stock.move", [*domain, open_], ["picking_id"])
        self.side.rpc("stock.move", "write", [move["id"]], {"product_id": instead})
        return int(move["picking_id"][0])


def _sku(product: Any) -> str:
    return str(product[1]).rpartition(" ")[2] if product else ""


ACCOUNT = AccountConfig.model_validate(
    {
        "name": "acme",
        "seller_id": "A3EXAMPLE12345",
        "marketplaces": ["FR", "GB"],
        "credentials": {"client_id": "id", "client_secret": "secret", "refresh_token": "token"},
    }
)


def now() -> str:
    """The time as Odoo has it."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")


def confirmed(side: Side, *lines: tuple[str, int, str], dated: str | None = None) -> Placed:
    """Priced as the bridge does it, so that Odoo takes the prices for entered ones.

    Args:
        side: the Odoo.
        lines: SKU, quantity and unit price.
        dated: the order date after the confirmation, as Amazon has it.
    """
    order = side.order(*((sku, quantity, "0") for sku, quantity, _ in lines))
    prices = [[str(i), price] for i, (_, _, price) in zip(order.line_ids, lines, strict=True)]
    side.session.load("sale.order.line", [".id", "price_unit"], prices, overwrite=True)
    order.do("action_confirm")
    if dated:
        rows = [[str(order.id), dated]]
        side.session.load("sale.order", [".id", "date_order"], rows, overwrite=True)
    return order
