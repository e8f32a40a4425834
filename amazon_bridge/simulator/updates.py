"""Updates of a listing's ``fulfillment_availability``, as patches and feeds have them.

Amazon's page "Merge a listing" and reports of sellers: ``merge`` keeps the fields that it doesn't
name, ``replace`` and ``add`` don't (the handling time falls back to Amazon's default), and all of
them leave the entries of other fulfilment channels alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from amazon_bridge.simulator.inventory import DEFAULT, Change, Inventory, Listing
from amazon_bridge.simulator.settings import Settings

ATTRIBUTE = "fulfillment_availability"
_CHANNEL, _QUANTITY, _LEAD_TIME = (
    "fulfillment_channel_code",
    "quantity",
    "lead_time_to_ship_max_days",
)
_PLACE, _RESTOCK_DATE = "marketplace_id", "restock_date"
_FIELDS = {_CHANNEL, _QUANTITY, _LEAD_TIME, _PLACE, _RESTOCK_DATE}

Json = Mapping[str, Any]


def issue(code: str, message: str, *attributes: str, severity: str = "ERROR") -> dict[str, Any]:
    """An issue in Amazon's form."""
    return {
        "code": code,
        "message": message,
        "severity": severity,
        "attributeNames": list(attributes),
        "categories": ["INVALID_ATTRIBUTE"],
    }


def problems(listing: Listing | None, body: Json, settings: Settings) -> list[dict[str, Any]]:
    """The issues for which Amazon doesn't accept an update; none: it does."""
    if listing is None:
        return [issue("13013", "The SKU does not match any listing of yours.")]
    if listing.refusal:
        return [issue("8572", listing.refusal, ATTRIBUTE)]
    return [*_type_problems(listing, body, settings), *_patch_problems(listing, body["patches"])]


def apply(inventory: Inventory, listing: Listing, patches: Iterable[Json]) -> None:
    """Let a valid update take effect, later."""
    for patch in patches:
        for entry in _entries(patch):
            if entry[_CHANNEL] == DEFAULT and patch["op"] != "delete":
                inventory.note_violation(listing, entry.get(_QUANTITY, 0))
        inventory.change_later(listing, _change(patch))


def attribute(listing: Listing) -> list[dict[str, Any]]:
    """The attribute as ``getListingsItem`` shows it."""
    place = listing.market.marketplace_id
    entries = []
    for code, quantity in listing.channels.items():
        entry: dict[str, Any] = {_CHANNEL: code, _PLACE: place}
        if code == DEFAULT:
            entry[_QUANTITY] = quantity
            if listing.lead_time is not None:
                entry[_LEAD_TIME] = listing.lead_time
        entries.append(entry)
    return entries


def _type_problems(listing: Listing, body: Json, settings: Settings) -> Iterator[dict[str, Any]]:
    generic = settings.generic_product_type and body["productType"] == "PRODUCT"
    if body["productType"] != listing.product_type and not generic:
        yield issue("4000001", "The provided product type is invalid for this SKU.", "productType")


def _patch_problems(listing: Listing, patches: Iterable[Json]) -> Iterator[dict[str, Any]]:
    for patch in patches:
        entries = _entries(patch)
        if patch["path"] != f"/attributes/{ATTRIBUTE}":
            name = patch["path"].rpartition("/")[2]
            yield issue("90000900", "The attributes are invalid.", name)
        elif patch["op"] != "delete" and not entries:
            yield _lacks(ATTRIBUTE)
        elif len({str(entry.get(_CHANNEL)) for entry in entries}) < len(entries):
            yield _invalid(_CHANNEL, "given more than once")
        for entry in entries:
            yield from _channel_problems(listing, entry)
            yield from _entry_problems(listing, entry)
            if patch["op"] in ("add", "replace") and entry.get(_CHANNEL) == DEFAULT:
                yield from [] if _QUANTITY in entry else [_lacks(_QUANTITY)]


def _channel_problems(listing: Listing, entry: Json) -> Iterator[dict[str, Any]]:
    """The merchant's channel is DEFAULT everywhere, Amazon's depends on the marketplace."""
    channel = entry.get(_CHANNEL)
    if not isinstance(channel, str) or not channel:
        yield _lacks(_CHANNEL)
    elif channel not in {DEFAULT, listing.market.amazon_channel}:
        yield _invalid(_CHANNEL, "not a channel of the marketplace")
    elif channel != DEFAULT and {_QUANTITY, _LEAD_TIME} & set(entry):
        yield _invalid(_QUANTITY, "not the merchant's to set in this channel")


def _entry_problems(listing: Listing, entry: Json) -> Iterator[dict[str, Any]]:
    for name in (_QUANTITY, _LEAD_TIME):
        if name in entry and not _is_whole(entry[name]):
            yield _invalid(name, "not a whole number of 0 or more")
    if not _is_date(entry.get(_RESTOCK_DATE, "2026-01-01")):
        yield _invalid(_RESTOCK_DATE, "not a date")
    if entry.get(_PLACE, listing.market.marketplace_id) != listing.market.marketplace_id:
        yield _invalid(_PLACE, "not the marketplace of the update")
    for name in sorted(set(entry) - _FIELDS):
        yield issue("90000900", "The attributes are invalid.", name)


def _invalid(name: str, problem: str) -> dict[str, Any]:
    return issue("90004", f"The value of '{name}' is {problem}.", name)


def _is_date(value: object) -> bool:
    """True for a date, or a time with its zone."""
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _lacks(name: str) -> dict[str, Any]:
    return issue(
        "99022",
        f"The field '{name}' for the attribute '{ATTRIBUTE}' does not have enough values. The"
        " required minimum is '1' value(s).",
        ATTRIBUTE,
    )


def _entries(patch: Json) -> list[Json]:
    return patch.get("value") or []


def _change(patch: Json) -> Change:
    changes = {"merge": _merge, "delete": _delete}
    change = changes.get(patch["op"], _replace)
    return lambda listing: change(listing, _entries(patch))


def _merge(listing: Listing, entries: list[Json]) -> None:
    for entry in entries:
        code = entry[_CHANNEL]
        listing.channels[code] = entry.get(_QUANTITY, listing.channels.get(code, 0))
        if code == DEFAULT and _LEAD_TIME in entry:
            listing.lead_time = entry[_LEAD_TIME]


def _replace(listing: Listing, entries: list[Json]) -> None:
    for entry in entries:
        listing.channels[entry[_CHANNEL]] = entry.get(_QUANTITY, 0)
        if entry[_CHANNEL] == DEFAULT:
            listing.lead_time = entry.get(_LEAD_TIME)


def _delete(listing: Listing, entries: list[Json]) -> None:
    for code in [entry[_CHANNEL] for entry in entries] or list(listing.channels):
        listing.channels.pop(code, None)
