"""What an application without the role Direct-to-Consumer Delivery doesn't get of an order.

Amazon's page "Access Orders PII" lists the fields: no request is refused, they are just absent.
"""

from __future__ import annotations

from typing import Any

_OF_ADDRESS = frozenset({
    "name", "addressLine1", "addressLine2", "addressLine3", "postalCode", "phone", "extendedFields",
})  # fmt: skip


def without_delivery_data(body: dict[str, Any]) -> dict[str, Any]:
    """The body of getOrder or searchOrders without these fields."""
    if "order" in body:
        return {**body, "order": _withheld(body["order"])}
    return {**body, "orders": [_withheld(order) for order in body["orders"]]}


def _withheld(order: dict[str, Any]) -> dict[str, Any]:
    shown = dict(order)
    if "buyer" in order:
        shown["buyer"] = _without(order["buyer"], {"buyerEmail"})
    if address := order.get("recipient", {}).get("deliveryAddress"):
        shown["recipient"] = {
            **order["recipient"],
            "deliveryAddress": _without(address, _OF_ADDRESS),
        }
    return shown


def _without(fields: dict[str, Any], names: frozenset[str] | set[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}
