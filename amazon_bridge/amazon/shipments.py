"""Telling Amazon about a delivery order: carriers, and the confirmation's body."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from amazon_bridge.amazon.payloads import iso
from amazon_bridge.model import Shipment

OTHER = "Other"
"""Amazon's code for a carrier that isn't on its list; wants the carrier's name beside it."""


def carrier_for(name: str, mapping: Mapping[str, str]) -> tuple[str, str | None]:
    """Amazon's carrier code for a carrier's name in Odoo, and the name where it is needed.

    The configured mapping comes first, then a carrier of that name on Amazon's list, in capitals
    or not; any other carrier goes by ``Other`` with its name.

    Args:
        name: The carrier's name, as in Odoo.
        mapping: Carrier codes by name; the names' capitals don't matter.
    """
    name = name.strip()
    configured = {key.strip().casefold(): code for key, code in mapping.items()}
    wanted = configured.get(name.casefold(), name).strip()
    code = _code(wanted)
    return (code, None) if code and code != OTHER else (OTHER, name if code else wanted)


def confirmation(shipment: Shipment) -> dict[str, Any]:
    """The body of confirmShipment (Amazon's model ``ordersV0.json``)."""
    detail = {
        "packageReferenceId": shipment.package_reference_id,
        "carrierCode": shipment.carrier_code,
        "carrierName": shipment.carrier_name,
        "shippingMethod": shipment.shipping_method,
        "trackingNumber": shipment.tracking_number,
        "shipDate": iso(shipment.ship_date),
        "orderItems": [
            {"orderItemId": order_item_id, "quantity": quantity}
            for order_item_id, quantity in shipment.quantities
        ],
    }
    return {
        "marketplaceId": shipment.marketplace_id,
        "packageDetail": {name: value for name, value in detail.items() if value is not None},
    }


def _code(name: str) -> str | None:
    """The carrier code as Amazon spells it: exactly so, else whatever its capitals."""
    codes = _carrier_codes()
    if name in codes:
        return name
    return next((code for code in codes if code.casefold() == name.casefold()), None)


@cache
def _carrier_codes() -> tuple[str, ...]:
    """The codes that confirmShipment accepts."""
    text = resources.files(__package__).joinpath("carrier_codes.txt").read_text("utf-8")
    return tuple(text.splitlines())
