"""Shipment confirmations: carriers, and the body of confirmShipment."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from amazon_bridge.amazon.payloads import iso
from amazon_bridge.model import Shipment

OTHER = "Other"
"""Amazon's code for a carrier that isn't on its list; requires the carrier's name."""

_COMMON_WORDS = frozenset(
    {
        *("andere", "firstmile", "hunter", "interno", "ontime", "other", "otro", "panther"),
        *("pilot", "professional", "sending", "sonstige", "spring", "sprint", "target", "txt"),
        "pin",
    }
)
"""Codes that are also the start of other carriers' names: they match whole names only."""

_SHORTEST_PREFIX = 3  # letters and digits: too many names begin with "Go" or "A 1"

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier in the terms of confirmShipment."""

    code: str
    """On Amazon's list."""
    name: str | None = None
    """Only with the code ``Other``."""
    method: str | None = None
    """The service level, such as "Ground", where the carrier's name in Odoo has one."""


def carrier_for(*names: str, mapping: Mapping[str, str]) -> Carrier:
    """Find Amazon's carrier for a carrier's name in Odoo.

    The configured mapping comes first, then Amazon's list of carriers. Letters and digits
    decide: "d_H l" is DHL. What follows a known carrier's name is its service level: "UPS Ground"
    is UPS with the shipping method "Ground". Any other carrier goes by ``Other`` with its name.

    Args:
        names: The carrier's name, as people see it in Odoo; further ones that ``mapping`` may use.
        mapping: Carrier codes by name.
    """
    name = names[0].strip() if names else ""
    carrier = next(filter(None, (_configured(each, mapping) for each in names)), name)
    code = _code(carrier)
    if code:
        return Carrier(OTHER, name=name) if code == OTHER else Carrier(code)
    return _with_method(carrier) or Carrier(OTHER, name=carrier)


def _configured(name: str, mapping: Mapping[str, str]) -> str | None:
    """The configured carrier for this name: an exact match, else by letters and digits."""
    name = name.strip()
    spelled = {key.strip().casefold(): code.strip() for key, code in mapping.items()}
    similar = {letters: code.strip() for key, code in mapping.items() if (letters := _letters(key))}
    return spelled.get(name.casefold()) or similar.get(_letters(name))


def _with_method(name: str) -> Carrier | None:
    """The carrier with the longest code that the name starts with."""
    words = list(_WORD.finditer(_plain(name)))
    for number in range(len(words) - 1, 0, -1):
        beginning = _letters("".join(word.group() for word in words[:number]))
        code = _codes_by_letters().get(beginning)
        if code and len(beginning) >= _SHORTEST_PREFIX and beginning not in _COMMON_WORDS:
            method = " ".join(_plain(name)[words[number].start() :].split())
            return Carrier(code, method=method if "(" in method else method.rstrip(")"))
    return None


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
    """The carrier code as Amazon spells it: exactly so, else by letters and digits."""
    return name if name in _carrier_codes() else _codes_by_letters().get(_letters(name))


def _letters(name: str) -> str:
    """A name's letters and digits alone, without capitals and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", _plain(name).casefold()) if c.isalnum())


def _plain(name: str) -> str:
    """Strip trademark signs, because Unicode normalisation turns two of them into letters."""
    return re.sub("[®™℠©]", " ", name)


@cache
def _codes_by_letters() -> dict[str, str]:
    """The first spelling of each code that has several."""
    return {_letters(code): code for code in reversed(_carrier_codes())}


@cache
def _carrier_codes() -> tuple[str, ...]:
    """The codes that confirmShipment accepts."""
    text = resources.files(__package__).joinpath("carrier_codes.txt").read_text("utf-8")
    return tuple(text.splitlines())
