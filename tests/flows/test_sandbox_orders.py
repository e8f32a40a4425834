"""The orders of Amazon's own sandbox, imported as they are.

The file has what the bridge reads of the `x-amzn-api-sandbox` examples in Amazon's model of the
Orders API 2026-01-01 (github.com/amzn/selling-partner-api-models, Apache License 2.0).
"""

import json
from pathlib import Path

import pytest
from desk import MakeDesk

from amazon_bridge.amazon.orders import read_order
from amazon_bridge.model import Order

ORDERS = {
    payload["orderId"]: payload
    for payload in json.loads((Path(__file__).parent / "sandbox_orders.json").read_text())
}
WORTH = {
    "250-1234567-8901234": (19940, "JPY"),
    "202-7654321-1098765": (34.99, "GBP"),
    "171-2345678-9012345": (1599.90, "BRL"),
    "171-9876543-2109876": (299.90, "BRL"),
    "028-1234567-8901234": (125.00, "TRY"),
    "114-9876543-1234567": (49.99, "USD"),
}


def test_each_can_be_read_and_is_worth_its_grand_total():
    read = {order_id: read_order(payload) for order_id, payload in ORDERS.items()}
    assert all(isinstance(order, Order) for order in read.values())
    assert {key: (float(o.worth), o.currency) for key, o in read.items()} == WORTH


@pytest.mark.parametrize(
    ("marketplaces", "order_ids"),
    [
        ("JP", ["250-1234567-8901234"]),
        ("US BR", ["171-2345678-9012345", "171-9876543-2109876", "114-9876543-1234567"]),
    ],
)
def test_those_to_be_imported_are(make_desk: MakeDesk, marketplaces: str, order_ids: list[str]):
    desk = make_desk(marketplaces=marketplaces)
    counts = desk.work(*(ORDERS[order_id] for order_id in order_ids))
    assert (counts.created, counts.quarantined) == (len(order_ids), 0), desk.reasons()
    for order_id in order_ids:
        sale_order = desk.order(ORDERS[order_id], "currency_id")
        shown = (sale_order["amount_total"], sale_order["currency_id"][1])
        assert (sale_order["state"], shown) == ("sale", WORTH[order_id])


def test_the_business_order_has_its_company_and_its_purchase_order(make_desk: MakeDesk):
    desk = make_desk(marketplaces="US BR")
    payload = ORDERS["171-2345678-9012345"]
    desk.work(payload)
    sale_order = desk.order(payload, "note")
    assert sale_order["partner_id"][1] == "Oliveira Tecnologia Ltda"
    assert "PO-BR-2024-5678" in sale_order["note"]


def test_what_the_merchant_shipped_before_it_was_seen_is_left_alone(make_desk: MakeDesk):
    desk = make_desk(marketplaces="GB TR")
    shipped = [ORDERS["202-7654321-1098765"], ORDERS["028-1234567-8901234"]]
    counts = desk.work(*shipped)
    assert (counts.created, counts.unchanged, counts.quarantined) == (0, 2, 0)
