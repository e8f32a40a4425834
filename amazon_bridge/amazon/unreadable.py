"""What can be told of an order that can't be understood."""

from __future__ import annotations

from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from amazon_bridge.amazon.payloads import IdentifiedPayload, Identifier, Instant
from amazon_bridge.model import FulfilledBy, FulfillmentStatus, UnreadableOrder

_MOST_PROBLEMS = 5
"""So many problems of an order are named."""


def unreadable(
    payload: object, fingerprint: str, reason: str, *, kind: str = "unreadable"
) -> UnreadableOrder:
    """The little that whoever ships the order by hand must know, as far as it can be parsed."""
    fulfillment = _part(payload, "fulfillment")
    return UnreadableOrder(
        order_id=_order_id(payload, fingerprint),
        fingerprint=fingerprint,
        reason=reason,
        kind=kind,
        fulfilled_by=FulfilledBy.__members__.get(_text(fulfillment, "fulfilledBy")),
        status=FulfillmentStatus.__members__.get(
            _text(fulfillment, "fulfillmentStatus"), FulfillmentStatus.OTHER
        ),
        ship_by=_instant(_part(fulfillment, "shipByWindow"), "latestDateTime"),
        marketplace_id=_identifier(_part(payload, "salesChannel"), "marketplaceId"),
    )


def _part(payload: object, name: str) -> object:
    return payload.get(name) if isinstance(payload, dict) else None


def _text(payload: object, name: str) -> str:
    value = _part(payload, name)
    return value if isinstance(value, str) else ""


def _instant(payload: object, name: str) -> datetime | None:
    try:
        return _INSTANT.validate_python(_part(payload, name))
    except ValidationError:
        return None


def _identifier(payload: object, name: str) -> str | None:
    try:
        return _IDENTIFIER.validate_python(_part(payload, name))
    except ValidationError:
        return None


_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


def _order_id(payload: object, fingerprint: str) -> str:
    """The order's id as far as it is one; else a made-up one, to be told apart by."""
    try:
        return IdentifiedPayload.model_validate(payload).order_id
    except ValidationError:
        return f"unknown-{fingerprint[:12]}"


def problems(error: ValidationError) -> str:
    """Where the payload isn't as expected. Never what stands there: that may be personal."""
    details = error.errors(include_input=False, include_context=False, include_url=False)
    problems = [
        f"{_path(d['loc'])}: {d['msg'].removeprefix('Value error, ')}"
        for d in details[:_MOST_PROBLEMS]
    ]
    more = len(details) - len(problems)
    return "; ".join([*problems, f"and {more} more"] if more else problems)


def _path(location: tuple[int | str, ...]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(steps).lstrip(".") or "the order"
