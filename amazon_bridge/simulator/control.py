"""``/simulator/...``: controls the simulated Amazon from another process.

- ``GET /simulator/status``: counts; ``GET /simulator/requests``: received requests (no bodies)
- ``GET``, ``PATCH /simulator/settings``: see ``settings.Settings``
- ``GET``, ``POST``, ``DELETE /simulator/faults``: see ``faults.Fault``
- ``GET /simulator/orders``: ids and statuses; ``POST``: ``{"count": 10, "seed": 2}`` more orders
- ``POST /simulator/orders/ID/cancel``, ``.../request_cancellation``, ``.../ship``, ``.../pay``,
  ``.../lapse``
- ``POST /simulator/feed_fates``: ``{"status": "FATAL", "messages_done": 1}``, for the next feed
- ``GET /simulator/mails``: mails to buyers
- ``GET /simulator/listings``: listings with their units; ``POST``: ``{"sku": "MUG-BLUE", "country":
  "FR", "channels": {"DEFAULT": 5}}`` adds or changes one
- ``POST /simulator/buyers``: ``{"count": 10, "seed": 2, "status": "PENDING"}``: orders of what
  listings offer
- ``GET /simulator/violations``: quantities of the merchant's sent to listings that Amazon fulfils
- ``PUT /simulator/missing_roles``: ``{"roles": ["Product Listing"]}``
- sellers' money: see ``money.control``
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Request, Response

from amazon_bridge.simulator import roles
from amazon_bridge.simulator.backend import Backend
from amazon_bridge.simulator.buyers import buy
from amazon_bridge.simulator.generator import populate
from amazon_bridge.simulator.markets import MARKETS
from amazon_bridge.simulator.money import control as money
from amazon_bridge.simulator.orders import UNPAID
from amazon_bridge.simulator.rendering import timestamp
from amazon_bridge.simulator.responses import (
    Refusal,
    as_json,
    invalid,
    not_found,
    read_object,
    require_known,
)

_FAULT_SETTINGS = (
    "kind", "operation", "times", "probability", "seed", "after_work", "seconds", "fields",
    "status", "body", "content_type", "path_contains",
)  # fmt: skip

_BOUGHT = (*UNPAID, "UNSHIPPED")


def respond(backend: Backend, request: Request, path: str) -> Response:
    """Respond to a request to a control address."""
    subject, *rest = path.strip("/").split("/")
    body = read_object(request.get_data()) if request.get_data() else {}
    try:
        with backend.world.lock:
            if subject == "orders" and rest:
                return as_json(_act(backend, *rest))
            if rest:
                raise not_found("There is no such control address.")
            return as_json(_handle(backend, request.method, subject, body))
    except Refusal as refusal:
        return refusal.response()


def _handle(backend: Backend, method: str, subject: str, body: dict[str, Any]) -> Any:
    if (method, subject) in money.HANDLERS:
        return money.HANDLERS[method, subject](backend.money, body)
    if (method, subject) not in _HANDLERS:
        raise not_found("There is no such control address.")
    return _HANDLERS[method, subject](backend, body)


def _act(backend: Backend, order_id: str, action: str = "") -> Any:
    world = backend.world
    actions: dict[str, Callable[[str], Any]] = {
        "cancel": world.cancel,
        "request_cancellation": world.request_cancellation,
        "ship": world.ship,
        "pay": world.pay,
        "lapse": world.lapse,
    }
    if action not in actions or all(order.order_id != order_id for order in world.orders):
        raise not_found("There is no such order or action.")
    return {"orderId": order_id, "status": actions[action](order_id).status}


def _status(backend: Backend, _: dict[str, Any]) -> Any:
    return {
        "sellers": {s.seller_id: s.countries for s in backend.world.sellers.values()},
        "orders": Counter(order.status for order in backend.world.orders),
        "requests": Counter(request.operation for request in backend.requests),
        "mails": len(backend.world.mails),
        "feeds": len(backend.feeds.feeds),
        "listings": len(list(backend.world.listings)),
        "violations": len(backend.world.listings.violations),
    }


def _requests(backend: Backend, _: dict[str, Any]) -> Any:
    return [
        {
            "time": timestamp(request.time),
            "seller": request.seller_id,
            "operation": request.operation,
            "path": request.path,
            "status": request.status,
        }
        for request in backend.requests
    ]


def _settings(backend: Backend, _: dict[str, Any]) -> Any:
    return dataclasses.asdict(backend.settings)


def _change_settings(backend: Backend, body: dict[str, Any]) -> Any:
    known = dataclasses.asdict(backend.settings)
    for name, value in body.items():
        if name not in known or not _is_like(known[name], value):
            raise invalid(f"There is no such setting, or not of this type: {name}")
    for name, value in body.items():
        setattr(backend.settings, name, type(known[name])(value))
    return _settings(backend, {})


def _is_like(known: object, value: object) -> bool:
    """True for a boolean where a boolean was, and for a number where a number was."""
    return isinstance(value, bool if isinstance(known, bool) else int | float) and (
        isinstance(value, bool) == isinstance(known, bool)
    )


def _faults(backend: Backend, _: dict[str, Any]) -> Any:
    return [
        {name: getattr(fault, name) for name in _FAULT_SETTINGS} for fault in backend.faults.pending
    ]


def _add_fault(backend: Backend, body: dict[str, Any]) -> Any:
    if "kind" not in body or not set(body) <= set(_FAULT_SETTINGS):
        raise invalid(f"A fault has a kind, and may have: {', '.join(_FAULT_SETTINGS[1:])}")
    try:
        backend.faults.add(**body)
    except (TypeError, ValueError) as error:
        raise invalid(str(error)) from None
    return _faults(backend, {})


def _clear_faults(backend: Backend, _: dict[str, Any]) -> Any:
    backend.faults.clear()
    return []


def _orders(backend: Backend, _: dict[str, Any]) -> Any:
    return [
        {
            "orderId": order.order_id,
            "status": order.status,
            "fulfilledBy": order.fulfilled_by,
            "country": order.market.country,
            "lastUpdatedTime": timestamp(order.last_updated),
        }
        for order in backend.world.orders
    ]


def _add_orders(backend: Backend, body: dict[str, Any]) -> Any:
    count, seed = _count_and_seed(backend, body, "count", "seed")
    here = {c: None for seller in backend.world.sellers.values() for c in seller.countries}
    added = populate(backend.world, seed, count, countries=here, days=0.05)
    return [order.order_id for order in added]


def _count_and_seed(backend: Backend, body: dict[str, Any], *known: str) -> tuple[int, int]:
    require_known(body, *known)
    count, seed = body.get("count", 1), body.get("seed", len(backend.world.orders))
    if not _is_count(count) or not _is_count(seed):
        raise invalid("count and seed must be whole numbers.")
    return count, seed


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _add_fate(backend: Backend, body: dict[str, Any]) -> Any:
    require_known(body, "status", "messages_done")
    status, messages_done = body.get("status"), body.get("messages_done")
    if status not in {"DONE", "CANCELLED", "FATAL", "STUCK"}:
        raise invalid("status must be DONE, CANCELLED, FATAL or STUCK.")
    if messages_done is not None and not _is_count(messages_done):
        raise invalid("messages_done must be a whole number.")
    backend.feeds.fates.append((status, messages_done))
    return list(backend.feeds.fates)


def _mails(backend: Backend, _: dict[str, Any]) -> Any:
    return [
        {
            "time": timestamp(mail.time),
            "orderId": mail.order_id,
            "kind": mail.kind,
            "packageReferenceId": mail.package_reference,
        }
        for mail in backend.world.mails
    ]


def _listings(backend: Backend, _: dict[str, Any]) -> Any:
    return [
        {
            "sellerId": listing.seller_id,
            "sku": listing.sku,
            "country": listing.market.country,
            "channels": listing.channels,
            "leadTime": listing.lead_time,
        }
        for listing in backend.world.listings
    ]


def _set_listing(backend: Backend, body: dict[str, Any]) -> Any:
    """Change the channels of a listing; a listing that isn't there is added."""
    require_known(body, "sellerId", "sku", "country", "channels")
    sku, country, channels = (body.get(name) for name in ("sku", "country", "channels"))
    sellers = [s.seller_id for s in backend.world.sellers.values() if country in s.countries]
    if not isinstance(sku, str) or not sku or not sellers or not _has_units(channels):
        raise invalid("A listing has sku, country (of a seller) and channels with units.")
    seller_id = body.get("sellerId", sellers[0])
    if seller_id not in sellers:
        raise invalid("sellerId is not a seller in this country.")
    place = MARKETS[str(country)].marketplace_id
    listing = backend.world.listings.find(seller_id, place, sku)
    if listing is None:
        backend.world.listings.add(seller_id, sku, str(country), channels)
    else:
        listing.channels = dict(body["channels"])
    return _listings(backend, {})


def _has_units(channels: object) -> bool:
    return isinstance(channels, dict) and all(map(_is_count, channels.values()))


def _buy(backend: Backend, body: dict[str, Any]) -> Any:
    count, seed = _count_and_seed(backend, body, "count", "seed", "status")
    status = body.get("status", "PENDING")
    if status not in _BOUGHT:
        raise invalid(f"status must be one of {', '.join(_BOUGHT)}.")
    orders = buy(backend.world, count, seed, status=status)
    return [order.order_id for order in orders]


def _violations(backend: Backend, _: dict[str, Any]) -> Any:
    return [
        dataclasses.asdict(violation) | {"time": timestamp(violation.time)}
        for violation in backend.world.listings.violations
    ]


def _set_missing_roles(backend: Backend, body: dict[str, Any]) -> Any:
    require_known(body, "roles")
    names = body.get("roles", [])
    if not isinstance(names, list) or not all(name in roles.APPLICATION for name in names):
        raise invalid(f"roles must be a list of: {', '.join(sorted(roles.APPLICATION))}.")
    backend.missing_roles = set(names)
    return sorted(backend.missing_roles)


_HANDLERS: dict[tuple[str, str], Callable[[Backend, dict[str, Any]], Any]] = {
    ("GET", "status"): _status,
    ("GET", "requests"): _requests,
    ("GET", "settings"): _settings,
    ("PATCH", "settings"): _change_settings,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "orders"): _orders,
    ("POST", "orders"): _add_orders,
    ("POST", "feed_fates"): _add_fate,
    ("GET", "mails"): _mails,
    ("GET", "listings"): _listings,
    ("POST", "listings"): _set_listing,
    ("POST", "buyers"): _buy,
    ("GET", "violations"): _violations,
    ("PUT", "missing_roles"): _set_missing_roles,
}
