"""Reasons of Odoo's that name a product, and never a buyer."""

from typing import Any

import pytest
from desk import MakeDesk, item, order
from odoo_server.databases import OdooDatabase

NAME = 'Steel desk, 24" wide'


def test_a_product_that_cannot_be_replenished_is_named(
    make_desk: MakeDesk, odoo_database: OdooDatabase
) -> None:
    rpc = odoo_database.rpc
    desk = make_desk(customers="per_order")
    (warehouse,) = rpc("stock.warehouse", "search_read", [], ["out_type_id"])
    rule = {
        "name": "Make to order",
        "action": "pull",
        "procure_method": "make_to_order",
        "picking_type_id": warehouse["out_type_id"][0],
        "location_src_id": rpc("stock.location", "create", {"name": "Desks"}),
        "location_dest_id": odoo_database.reference("stock.stock_location_customers"),
    }
    route = rpc("stock.route", "create", {"name": "To order", "rule_ids": [(0, 0, rule)]})
    values = {"name": NAME, "default_code": "DESK-24", "is_storable": True}
    rpc("product.product", "create", {**values, "route_ids": [(4, route)]})
    payload = order(item("DESK-24", ITEM="10.00"), buyer={"buyerName": "Wilhelmina Example"})
    assert desk.work(payload).quarantined == 1
    reason = desk.reasons()[payload["orderId"]]
    assert f'replenish "[DESK-24] {NAME}" in "Desks"' in reason
    assert "Wilhelmina" not in reason


@pytest.mark.parametrize(
    ("change", "offered"),
    [
        ({"proceeds": {"grandTotal": {"amount": "x"}}}, True),
        ({"orderItems": 7}, False),
        ({"fulfillment": {"fulfillmentStatus": "UNSHIPPED"}}, False),
        ({"fulfillment": {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "AMAZON"}}, False),
        ({"fulfillment": {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "AMAZON"}}, True),
        ({"fulfillment": {"fulfillmentStatus": "CANCELLED", "fulfilledBy": "MERCHANT"}}, False),
    ],
)
def test_the_import_as_it_is_is_offered_only_where_it_works(
    make_memory_desk: MakeDesk, change: dict[str, Any], *, offered: bool
) -> None:
    desk = make_memory_desk()
    payload = {**order(item("MUG", ITEM="x")), **change}
    assert desk.work(payload).quarantined == 1
    (entry,) = desk.app.ledger.items.quarantined()
    command = f"amazon-bridge order import acme {payload['orderId']} --as-is"
    assert (command in (entry.remedy or "")) == offered
    assert (entry.reason or "").endswith(".")
