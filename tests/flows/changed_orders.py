"""Orders that Amazon changes after the import, and what is said about them in Odoo."""

import copy
import html
from collections.abc import Callable
from typing import Any

from desk import Desk, Json, item, order

SKUS = ("BOARD", "SPOON", "MUG")
FIELDS = ["name", "state", "partner_id", "note"]
SHIPPED = "Amazon: shipped already, don't ship it again"
EXCESS = "Amazon: don't ship all units"
CHANGED = "Amazon: units were changed"
ASKS = "Amazon: the buyer asks to cancel"
NO_ADDRESS = "Amazon: no delivery address yet"
ADDRESS = "Amazon: another delivery address"
TAXES = "Amazon: check the taxes"
ATTENTION = "Amazon: this order needs attention"
MakeSets = Callable[[int], Desk]


def changed(payload: Json, *, status: str = "", **fields: Any) -> Json:
    """The same order as Amazon shows it later; ``items`` has what is new of each item."""
    later = copy.deepcopy(payload)
    for mine, new in zip(later["orderItems"], fields.pop("items", ()), strict=False):
        mine.update(new)
    if status:
        later["fulfillment"]["fulfillmentStatus"] = status
    return later | fields


def units(ordered: int, *, shipped: int = 0, total: str | None = None) -> Json:
    proceeds = {"proceedsTotal": money(total), "breakdowns": []} if total is not None else None
    fulfillment = {"quantityFulfilled": shipped, "quantityUnfulfilled": ordered - shipped}
    item_ = {"quantityOrdered": ordered, "fulfillment": fulfillment}
    return item_ | ({"proceeds": proceeds} if proceeds else {})


def money(amount: str) -> Json:
    return {"amount": amount, "currencyCode": "EUR"}


def reminders_after(desk: Desk, payload: Json) -> dict[str, str]:
    """The open activities, by summary; the same on the sale order and on its open delivery."""
    sale_order = desk.order(payload)
    on_order = activities(desk, "sale.order", sale_order["id"])
    for delivery in open_deliveries(desk, payload):
        assert activities(desk, "stock.picking", delivery["id"]) == on_order
    return on_order


def activities(desk: Desk, model: str, id_: int) -> dict[str, str]:
    domain = [("res_model", "=", model), ("res_id", "=", id_)]
    rows = desk.find("mail.activity", domain, ["summary", "note"])
    assert len({row["summary"] for row in rows}) == len(rows)
    return {row["summary"]: html.unescape(row["note"]) for row in rows}


def open_deliveries(desk: Desk, payload: Json) -> list[Json]:
    domain = [("sale_id", "=", desk.order(payload)["id"]), ("state", "not in", ["done", "cancel"])]
    return desk.find("stock.picking", domain, FIELDS)


def ship(desk: Desk, payload: Json, **quantities: int) -> None:
    """Do the open delivery with these quantities by SKU; the rest is a backorder."""
    [delivery] = open_deliveries(desk, payload)
    moves = desk.find("stock.move", [("picking_id", "=", delivery["id"])], ["product_id"])
    for move in moves:
        name = move["product_id"][1].rpartition(" ")[2]
        quantity = quantities.get(name, 0)
        values = {"quantity": quantity, "picked": quantity > 0}
        desk.odoo.rpc("stock.move", "write", [move["id"]], values)
    context = {"skip_backorder": True, "skip_sms": True}
    desk.odoo.rpc("stock.picking", "button_validate", [delivery["id"]], context=context)


def moved(payload: Json, street: str) -> Json:
    later = copy.deepcopy(payload)
    later["recipient"]["deliveryAddress"]["addressLine1"] = street
    return later


def refused_quotation(desk: Desk) -> Json:
    """An order that Odoo does not confirm, because its address lacks the postal code."""
    rule = {"name": "No ZIP", "domain": "[('partner_shipping_id.zip', '=', False)]"}
    desk.odoo.rpc("exception.rule", "create", rule)
    payload = order(item("BOARD", ITEM="30.00"))
    del payload["recipient"]["deliveryAddress"]["postalCode"]
    assert desk.work(payload).quarantined == 1
    return payload


def with_products(desk: Desk) -> Desk:
    """The desk, with the products of ``SKUS``."""
    for sku in SKUS:
        values = {"name": sku, "default_code": sku, "is_storable": True, "taxes_id": [(6, 0, [])]}
        desk.odoo.rpc("product.product", "create", values)
    return desk
