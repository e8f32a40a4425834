"""Orders that can't be parsed: their ids, reasons, and what else is readable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from amazon_bridge.amazon.payloads import (
    IdentifiedPayload,
    Identifier,
    Instant,
    MoneyPayload,
    Quantity,
)
from amazon_bridge.model import WITHOUT_ID, FulfilledBy, FulfillmentStatus, UnreadableOrder

_MOST_PROBLEMS = 5
"""Number of problems of an order that its reason names."""


def unreadable(
    payload: object,
    fingerprint: str,
    reason: str,
    *,
    kind: str = "unreadable",
    importable_as_is: bool = False,
) -> UnreadableOrder:
    """What a person needs to ship the order manually, as far as it can be parsed."""
    fulfillment = _part(payload, "fulfillment")
    return UnreadableOrder(
        order_id=_order_id(payload, fingerprint),
        fingerprint=fingerprint,
        reason=f"{reason.rstrip('.')}.",
        kind=kind,
        fulfilled_by=FulfilledBy.__members__.get(_text(fulfillment, "fulfilledBy")),
        status=FulfillmentStatus.__members__.get(
            _text(fulfillment, "fulfillmentStatus"), FulfillmentStatus.OTHER
        ),
        ship_by=_instant(_part(fulfillment, "shipByWindow"), "latestDateTime"),
        marketplace_id=_identifier(_part(payload, "salesChannel"), "marketplaceId"),
        importable_as_is=importable_as_is,
        units=tuple(_units(_part(payload, "orderItems"))),
    )


def _units(items: object) -> Iterator[tuple[str, int | None]]:
    """Units not shipped, by SKU; a list of items that can't be read may hold any."""
    for item in items if isinstance(items, list) else [None]:
        ordered = _number(item, "quantityOrdered")
        shipped = _number(_part(item, "fulfillment"), "quantityFulfilled") or 0
        left = None if ordered is None else max(0, ordered - shipped)
        yield _text(_part(item, "product"), "sellerSku").strip(), left


def _number(payload: object, name: str) -> int | None:
    try:
        return _COUNT.validate_python(_part(payload, name))
    except ValidationError:
        return None


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


_COUNT: TypeAdapter[int] = TypeAdapter(Quantity)
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


def _order_id(payload: object, fingerprint: str) -> str:
    """The order's id if it is valid; else a generated one, unique to its contents."""
    try:
        return IdentifiedPayload.model_validate(payload).order_id
    except ValidationError:
        return f"{WITHOUT_ID}{fingerprint[:12]}"


def without_amounts(payload: object) -> object:
    """The payload without its amounts, except the order's grand total if that can be parsed."""
    if not isinstance(payload, dict):
        return payload
    items = payload.get("orderItems")
    total = _part(_part(payload, "proceeds"), "grandTotal")
    return {
        **payload,
        "orderItems": [_without_proceeds(i) for i in items] if isinstance(items, list) else items,
        "proceeds": {"grandTotal": total} if _is_money(total) else None,
    }


def _without_proceeds(item: object) -> object:
    if not isinstance(item, dict):
        return item
    product = item.get("product")
    priced = product | {"price": None} if isinstance(product, dict) else product
    return {**item, "proceeds": None, "product": priced}


def _is_money(value: object) -> bool:
    try:
        MoneyPayload.model_validate(value)
    except ValidationError:
        return False
    return True


def problems(error: ValidationError) -> str:
    """The paths of unexpected values. Never the values: they may be personal."""
    details = error.errors(include_input=False, include_context=False, include_url=False)
    problems = [f"{_path(d['loc'])} {_expected(d)}" for d in details[:_MOST_PROBLEMS]]
    more = len(details) - len(problems)
    return "; ".join([*problems, f"and {more} more"] if more else problems)


def _expected(detail: ErrorDetails) -> str:
    """The expectation that a field violates, in plain words."""
    kind, field = detail["type"], detail["loc"][-1] if detail["loc"] else ""
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    of_kind = next((words for name, words in _BY_TYPE.items() if kind.startswith(name)), None)
    return _BY_FIELD.get(field) or of_kind or "has a value that is not understood"


_AN_ID = "should be an id (letters, digits, hyphens and dots)"
_BY_FIELD: dict[str | int, str] = {
    "amount": 'should be a decimal number in quotation marks, such as "19.99"',
    "currencyCode": "should be a currency code of three capital letters, such as EUR",
    "orderId": _AN_ID,
    "orderItemId": _AN_ID,
}
_BY_TYPE = {
    "tuple_type": "should be a list",
    "list_type": "should be a list",
    "model_type": "should be an object",
    "model_attributes_type": "should be an object",
    "dict_type": "should be an object",
    "string_type": "should be a text",
    "string_too_short": "should not be empty",
    "int_": "should be a whole number",
    "greater_than": "should not be less than 0",
    "less_than": "is too large",
    "datetime_": "should be a date and time, such as 2026-11-01T09:30:00Z",
    "timezone_": "should be a date and time with its time zone, such as 2026-11-01T09:30:00Z",
}
"""By prefix of pydantic's error types."""


def _path(location: tuple[int | str, ...]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(steps).lstrip(".") or "the order"
