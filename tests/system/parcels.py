"""Orders in Odoo, and whether any delivery order of theirs escaped everybody's notice."""

from collections.abc import Sequence
from typing import Any

from amazon_models import validate_request
from bridge import Bridge
from shop import Shop
from warehouse import Warehouse

from amazon_bridge.engine.records import State
from amazon_bridge.simulator import Line, Order

KNOWN = {"Amazon: shipment confirmed", "Amazon: nothing to tell"}
"""The notes on delivery orders by which people see what Amazon knows."""
CONFIRMED = "Amazon: shipment confirmed"
REFUSED = "Amazon doesn't take this shipment"
INCOMPLETE = "Amazon waits for carrier and tracking reference"


def place(bridge: Bridge, number: int = 1, lines: Sequence[Line] = (Line(),)) -> list[Order]:
    """Orders imported into Odoo, ready to be delivered."""
    world = bridge.simulator.world
    orders = [world.place_order("FR", lines) for _ in range(number)]
    bridge.sync("orders")
    return orders


def key(order: Order, transfer: dict[str, Any]) -> str:
    """A delivery order's key in the state store."""
    return f"{order.order_id}#{transfer['id']}"


def details(bridge: Bridge, order: Order) -> list[dict[str, Any]]:
    """The packages that were confirmed to Amazon, in their sequence."""
    return [body["packageDetail"] for body in bridge.confirmations(order.order_id)]


def sale_order(shop: Shop, order: Order, *fields: str) -> dict[str, Any]:
    reference = ("client_order_ref", "=", order.order_id)
    (row,) = shop.search("sale.order", [reference], [*fields, "name", "state"])
    return row


def states(warehouse: Warehouse, order: Order) -> list[str]:
    return [row["state"] for row in warehouse.transfers(order)]


def item_ids(order: Order) -> list[str]:
    return [item.order_item_id for item in order.items]


def check_confirmations(bridge: Bridge) -> None:
    """Check that every confirmation that was sent has the form that Amazon documents."""
    for request in bridge.received("confirmShipment"):
        order_id = request.path.split("/")[4]
        for body in bridge.confirmations(order_id):
            validate_request("confirmShipment", body=body)


def check_that_all_are_seen(bridge: Bridge, warehouse: Warehouse) -> None:
    """However a test leaves things: after a run, somebody knows of each delivery that is done."""
    bridge.simulator.faults.clear()
    for account in bridge.app.accounts():
        bridge.sync("pickings", account=account.name)
    assert untold(bridge, warehouse) == []


def untold(bridge: Bridge, warehouse: Warehouse) -> list[str]:
    """Keys of done deliveries of merchant-fulfilled orders that are not reported anywhere.

    After a run, each must be shown by Amazon, be noted in Odoo as known to it, wait, be
    quarantined, or be left out because the order is another account's.
    """
    orders = {o.order_id: o for o in bridge.simulator.world.orders if o.fulfilled_by == "MERCHANT"}
    sale_orders = warehouse.shop.external_ids("sale.order")
    ours = {id_: name.removeprefix("sale_order_") for name, id_ in sale_orders.items()}
    return [
        f"{ours[sale_order]}#{transfer}"
        for transfer, sale_order in warehouse.delivered(set(ours))
        if ours[sale_order] in orders
        and not _is_known(bridge, warehouse, orders[ours[sale_order]], transfer)
    ]


def _is_known(bridge: Bridge, warehouse: Warehouse, order: Order, transfer: int) -> bool:
    shown = {package.reference for package in order.packages}
    if str(transfer) in shown or KNOWN & warehouse.notes("stock.picking", transfer).keys():
        return True
    entries = bridge.app.ledger.items.with_key(f"{order.order_id}#{transfer}")
    states = {entry.state for entry in entries}
    if states & {State.PENDING, State.QUARANTINED}:
        return True
    accounts = {account.name: account for account in bridge.app.config.accounts}
    theirs = [accounts[e.account] for e in entries if e.state == State.LEFT_OUT]
    markets = {m.marketplace_id for account in theirs for m in account.marketplaces}
    return bool(theirs) and order.market.marketplace_id not in markets
