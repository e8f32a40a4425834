"""confirmShipment of the Orders API v0.

Amazon documents no error texts. Those here begin as sellers have quoted Amazon's in public.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from amazon_bridge.simulator.orders import UNPAID, Order, Package
from amazon_bridge.simulator.responses import invalid, not_found
from amazon_bridge.simulator.world import Seller, World

PACKAGE_NOT_FOUND = (
    "Failed to create package due to not finding a matching package or order already fulfilled."
    " ErrorMessage(errorCode=GeneralError, errorDescription=Unable to find package to update for"
    " order ({}), errorMetric=PackageToUpdateNotFound, packageIndex=null)"
)
OVERFULFILLMENT = "Failed to create/update package due to overfulfillment"
UNKNOWN_ITEM = (
    "OrderItemId is invalid, please obtain the value through the getOrderItems API or Manage"
    " Orders page"
)
CANCELLED = (
    "ErrorCode: NonexistentOrderItem Description: Failed to find order item list by order ID: {}"
)
BAD_CARRIER = "ErrorCode: InvalidCarrier Description: Selected carrier is not supported"
BAD_REFERENCE = "PackageReferenceId: is invalid, must be a positive numeric value."
USED_TRACKING_NUMBER = (
    "ErrorCode: DuplicateTrackingId Description: The tracking ID is used by another order"
)
_WITHOUT_CONFIRMATION = {
    "AMAZON_EASY_SHIP": "is an Easy Ship order",
    "FBM_SHIP_PLUS": "is a Ship+ order",
}
"""Programs whose orders Amazon confirms itself."""


@cache
def carrier_codes() -> frozenset[str]:
    """The carrier codes that Amazon accepts; they are compared exactly."""
    text = resources.files(__package__).joinpath("carrier_codes.txt").read_text("utf-8")
    return frozenset(text.splitlines())


def confirm_shipment(world: World, seller: Seller, order_id: str, body: dict[str, Any]) -> None:
    """Create the package, or edit the one with the same reference.

    Raises:
        Refusal: 400 or 404; nothing was done.
    """
    if world.readable(order_id, seller) is None:
        raise not_found("The requested order was not found.")
    order = world.order(order_id)
    if body["marketplaceId"] != order.market.marketplace_id:
        raise invalid("The order was not placed in this marketplace.")
    if "codCollectionMethod" in body and order.market.country != "JP":
        raise invalid("'codCollectionMethod' is only supported in Japan.")
    _check_shippable(order)
    package = _read_package(body["packageDetail"], order, world.clock())
    _check_quantities(order, package)
    if world.settings.unique_tracking_numbers:
        _check_tracking_number(world, order, package)
    world.ship(order_id, package)


def _check_shippable(order: Order) -> None:
    if order.status == "CANCELLED":
        raise invalid(CANCELLED.format(order.order_id))
    why_not = _why_not_shippable(order)
    if why_not:
        raise invalid(f"Failed validation because order {order.order_id} {why_not}")


def _why_not_shippable(order: Order) -> str | None:
    if order.fulfilled_by == "AMAZON":
        return "is fulfilled by Amazon"
    if order.status in UNPAID:
        return "is pending"
    return next((w for p, w in _WITHOUT_CONFIRMATION.items() if p in order.programs), None)


def _read_package(detail: dict[str, Any], order: Order, now: datetime) -> Package:
    reference = _reference(detail)
    known = next((p for p in order.packages if p.reference == reference), None)
    code, name = _carrier(detail)
    return Package(
        reference=reference,
        created=known.created if known else now,
        carrier_code=code,
        carrier_name=name,
        shipping_method=detail.get("shippingMethod"),
        tracking_number=_text(detail, "trackingNumber"),
        shipped=_ship_date(detail, order, now),
        quantities=_quantities(detail),
    )


def _text(detail: dict[str, Any], name: str) -> str:
    value: str = detail[name].strip()
    if not value:
        raise invalid(f"'{name}' is required.")
    return value


def _reference(detail: dict[str, Any]) -> str:
    reference = _text(detail, "packageReferenceId")
    if not (reference.isascii() and reference.isdecimal() and int(reference) > 0):
        raise invalid(BAD_REFERENCE)
    return reference


def _carrier(detail: dict[str, Any]) -> tuple[str, str | None]:
    """The carrier's code, and its name if the code isn't on Amazon's list."""
    code = _text(detail, "carrierCode")
    name = detail.get("carrierName")
    if code not in carrier_codes():
        raise invalid(BAD_CARRIER)
    if code == "Other" and not (name and name.strip()):
        raise invalid("'carrierName' is required when 'carrierCode' is Other.")
    return code, name if code == "Other" else None


def _ship_date(detail: dict[str, Any], order: Order, now: datetime) -> datetime:
    moment = datetime.fromisoformat(detail["shipDate"]).astimezone(UTC)
    if moment > now:
        raise invalid("'shipDate' is in the future.")
    if moment < order.created:
        raise invalid("'shipDate' is before the purchase.")
    return moment


def _quantities(detail: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    quantities: dict[str, int] = {}
    for entry in detail["orderItems"]:
        item, quantity = entry["orderItemId"], entry["quantity"]
        if quantity <= 0:
            raise invalid("'quantity' must be positive.")
        quantities[item] = quantities.get(item, 0) + quantity
    if not quantities:
        raise invalid("'orderItems' must not be empty.")
    return tuple(quantities.items())


def _check_quantities(order: Order, package: Package) -> None:
    """Check that the package has no more than the open units, including those it had before."""
    known = next((p for p in order.packages if p.reference == package.reference), None)
    if known is None and not any(item.unfulfilled for item in order.items):
        raise invalid(PACKAGE_NOT_FOUND.format(order.order_id))
    for order_item_id, quantity in package.quantities:
        item = order.item(order_item_id)
        if item is None:
            raise invalid(UNKNOWN_ITEM)
        before = known.quantity_of(order_item_id) if known else 0
        if quantity > item.unfulfilled + before:
            raise invalid(OVERFULFILLMENT, f"orderItemId: {order_item_id}")


def _check_tracking_number(world: World, order: Order, package: Package) -> None:
    others = (o for o in world.orders if o.order_id != order.order_id)
    used = {p.tracking_number for o in others if o.seller_id == order.seller_id for p in o.packages}
    if package.tracking_number in used:
        raise invalid(USED_TRACKING_NUMBER)
