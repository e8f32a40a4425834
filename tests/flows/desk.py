"""Orders as Amazon writes them, brought to a real Odoo by the flow, without asking Amazon."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from odoo_server.databases import OdooDatabase

from amazon_bridge.amazon.orders import read_order
from amazon_bridge.app import App
from amazon_bridge.engine.counts import Counts
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.apply import work
from amazon_bridge.flows.orders.find import file
from amazon_bridge.model import Order, UnreadableOrder

Json = dict[str, Any]
NUMBERS = itertools.count(1)
PLACES = {"US": ("ATVPDKIKX0DER", "USD"), "FR": ("A13V1IB3VIYZZH", "EUR")}
PLACES |= {"DE": ("A1PA6795UKMFR9", "EUR"), "JP": ("A1VC38T7YXB528", "JPY")}
LINE = ["name", "product_id", "product_uom_qty", "price_unit", "discount", "price_subtotal"]
LINE += ["price_total", "tax_ids", "display_type", "sequence"]


def item(sku: str = "MUG", *, quantity: int = 1, facilitated: bool = False, **amounts: Any) -> Json:
    """An item whose breakdowns are the amounts; of a discount ``on_shipping`` is for shipping.

    ``total`` is its proceedsTotal; without it Amazon's is what the others add up to.
    """
    currency, total = amounts.pop("currency", "EUR"), amounts.pop("total", None)
    on_shipping, more = amounts.pop("on_shipping", "0"), amounts.pop("more", {})

    def money(amount: str) -> Json:
        return {"amount": amount, "currencyCode": currency}

    breakdowns = [{"type": kind, "subtotal": money(amount)} for kind, amount in amounts.items()]
    for each in breakdowns:
        if each["type"] == "DISCOUNT":
            each["detailedBreakdowns"] = [{"subtype": "SHIPPING", "value": money(on_shipping)}]
    proceeds: Json = {"breakdowns": breakdowns}
    if total is not None:
        proceeds["proceedsTotal"] = money(total)
    model = "MARKETPLACE_FACILITATOR" if facilitated else "STANDARD"
    return {
        "orderItemId": f"{next(NUMBERS):014}",
        "quantityOrdered": quantity,
        "product": {"sellerSku": sku, "asin": f"B0{sku:0>8}"[:10], "title": f"A fine {sku}"},
        "proceeds": proceeds,
        "tax": {"taxCollections": [{"model": model}]},
        **more,
    }


def order(*items: Json, place: str = "FR", fba: bool = False, **fields: Any) -> Json:
    """An order with these items, ready to be imported."""
    fulfillment = {
        "fulfillmentStatus": "SHIPPED" if fba else "UNSHIPPED",
        "fulfilledBy": "AMAZON" if fba else "MERCHANT",
        "fulfillmentServiceLevel": "EXPEDITED",
    }
    number = next(NUMBERS)
    return {
        "orderId": f"403-{number:07}-7654321",
        "createdTime": "2026-11-18T09:30:00Z",
        "lastUpdatedTime": "2026-11-18T10:00:00Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": PLACES[place][0]},
        "fulfillment": fulfillment,
        "buyer": {"buyerName": f"Buyer {number}", "buyerEmail": f"b{number}@marketplace.amazon.fr"},
        "recipient": {
            "deliveryAddress": {
                "name": f"Buyer {number}",
                "addressLine1": "1 rue de la Paix",
                "postalCode": "75002",
                "city": "Paris",
                "countryCode": place,
            }
        },
        "orderItems": list(items),
        **fields,
    }


@dataclass
class Desk:
    """An account that works in the module's Odoo."""

    odoo: OdooDatabase
    app: App

    @property
    def context(self) -> Context:
        return self.app.context(self.app.config.accounts[0])

    def work(self, *payloads: Json) -> Counts:
        """Imports orders as a run would to which Amazon shows these."""
        return self.work_orders(*map(read_order, payloads))

    def work_orders(self, *shown: Order | UnreadableOrder) -> Counts:
        context = self.context
        file(context, shown)
        return work(context, shown)

    def reasons(self) -> dict[str, str]:
        return {e.key: f"{e.kind}: {e.reason}" for e in self.app.ledger.items.quarantined()}

    def find(self, model: str, domain: list[Any], fields: list[str]) -> list[Json]:
        found: list[Json] = self.odoo.rpc(model, "search_read", domain, fields, order="id")
        return found

    def order(self, payload: Json, *fields: str) -> Json:
        """The sale order of a payload."""
        domain = [("client_order_ref", "=", payload["orderId"])]
        names = ["name", "state", "amount_total", "partner_id", "order_line", *fields]
        [found] = self.find("sale.order", domain, names)
        return found

    def lines(self, payload: Json) -> dict[str, Json]:
        """The lines of the sale order of a payload, by what their external id ends with."""
        rows = self.find("sale.order.line", [("order_id", "=", self.order(payload)["id"])], LINE)
        ids = [row["id"] for row in rows]
        domain = [("model", "=", "sale.order.line"), ("res_id", "in", ids)]
        names = {r["res_id"]: r["name"] for r in self.find("ir.model.data", domain, _XMLID)}
        return {_short(names[row["id"]], payload): row for row in rows}


_XMLID = ["res_id", "name"]


def _short(name: str, payload: Json) -> str:
    """``1`` for the first item, ``1_shipping`` for its shipping, ``rounding`` for the order's."""
    for number, each in enumerate(payload["orderItems"], start=1):
        name = name.replace(f"sale_line_{each['orderItemId']}", str(number))
    return name.replace(f"sale_line_{payload['orderId']}_", "")


MakeDesk = Callable[..., Desk]


class Clock:
    """Begins now; can be put forward."""

    def __init__(self) -> None:
        self.shift = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift
