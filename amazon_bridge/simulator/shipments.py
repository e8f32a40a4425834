"""confirmShipment of the Orders API v0."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from amazon_bridge.simulator.answers import field, invalid, not_found
from amazon_bridge.simulator.orders import UNPAID, Order, Package
from amazon_bridge.simulator.world import Seller, World


@cache
def carrier_codes() -> frozenset[str]:
    """The carrier codes that Amazon accepts; they are compared exactly."""
    text = resources.files(__package__).joinpath("carrier_codes.txt").read_text("utf-8")
    return frozenset(text.splitlines())


def confirm_shipment(world: World, seller: Seller, order_id: str, body: dict[str, Any]) -> None:
    """Make the package, or edit the one with the same reference.

    Raises:
        Refusal: 400 or 404; nothing was done.
    """
    marketplace_id = field(body, "marketplaceId", str)
    detail = field(body, "packageDetail", dict)
    if body.get("codCollectionMethod") not in {None, "DirectPayment"}:
        raise invalid("'codCollectionMethod' has an invalid value.")
    order = world.readable(order_id, seller)
    if order is None:
        raise not_found("The requested order was not found.")
    order = world.order(order_id)
    if marketplace_id != order.market.marketplace_id:
        raise invalid("The order was not placed in this marketplace.")
    _check_shippable(order)
    package = _read_package(detail, order, world.clock())
    _check_quantities(order, package)
    world.ship(order_id, package)


def _check_shippable(order: Order) -> None:
    if order.fulfilled_by == "AMAZON":
        raise invalid("The order is fulfilled by Amazon.")
    if order.status == "CANCELLED":
        raise invalid("The order is canceled.")
    if order.status in UNPAID:
        raise invalid("The order is pending and can't be shipped yet.")


def _read_package(detail: dict[str, Any], order: Order, now: datetime) -> Package:
    reference = _reference(detail)
    known = next((p for p in order.packages if p.reference == reference), None)
    code, name = _carrier(detail)
    return Package(
        reference=reference,
        created=known.created if known else now,
        carrier_code=code,
        carrier_name=name,
        shipping_method=field(detail, "shippingMethod", str, required=False),
        tracking_number=_text(detail, "trackingNumber"),
        shipped=_ship_date(detail, order, now),
        quantities=_quantities(detail),
    )


def _text(detail: dict[str, Any], name: str) -> str:
    value: str = field(detail, name, str).strip()
    if not value:
        raise invalid(f"'{name}' is required.")
    return value


def _reference(detail: dict[str, Any]) -> str:
    reference = _text(detail, "packageReferenceId")
    if not (reference.isascii() and reference.isdecimal() and int(reference) > 0):
        raise invalid("'packageReferenceId' must be a positive number.")
    return reference


def _carrier(detail: dict[str, Any]) -> tuple[str, str | None]:
    """The carrier's code, and its name where the code is none of Amazon's own."""
    code = _text(detail, "carrierCode")
    name = field(detail, "carrierName", str, required=False)
    if code not in carrier_codes():
        raise invalid("'carrierCode' is not a carrier that Amazon knows.")
    if code == "Other" and not name:
        raise invalid("'carrierName' is required when 'carrierCode' is Other.")
    return code, name if code == "Other" else None


def _ship_date(detail: dict[str, Any], order: Order, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(detail, "shipDate"))
    except ValueError:
        raise invalid("'shipDate' is not in ISO 8601 format.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > now:
        raise invalid("'shipDate' is in the future.")
    if moment < order.created:
        raise invalid("'shipDate' is before the purchase.")
    return moment


def _quantities(detail: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    quantities: dict[str, int] = {}
    for entry in field(detail, "orderItems", list):
        if not isinstance(entry, dict):
            raise invalid("'orderItems' is not of the right type.")
        item, quantity = field(entry, "orderItemId", str), field(entry, "quantity", int)
        if quantity <= 0:
            raise invalid("'quantity' must be positive.")
        quantities[item] = quantities.get(item, 0) + quantity
    if not quantities:
        raise invalid("'orderItems' must not be empty.")
    return tuple(quantities.items())


def _check_quantities(order: Order, package: Package) -> None:
    others = [p for p in order.packages if p.reference != package.reference]
    for order_item_id, quantity in package.quantities:
        item = order.item(order_item_id)
        if item is None:
            raise invalid("The order has no such item.", f"orderItemId: {order_item_id}")
        shipped = sum(other.quantity_of(order_item_id) for other in others)
        if quantity > item.quantity - shipped:
            raise invalid("More than what is left to ship.", f"orderItemId: {order_item_id}")
