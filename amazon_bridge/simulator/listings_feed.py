"""JSON_LISTINGS_FEED: patches of many listings, and the report on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft7Validator

from amazon_bridge.simulator import updates
from amazon_bridge.simulator.acknowledgements import Malformed
from amazon_bridge.simulator.validation import closed
from amazon_bridge.simulator.world import Seller, World

FEED_TYPE = "JSON_LISTINGS_FEED"
LARGEST = 10 * 2**20  # bytes
_SCHEMA = "listings-feed-schema-v2.json"

Json = dict[str, Any]


def apply_updates(
    world: World, seller: Seller, marketplace_ids: list[str], document: bytes, most: int | None
) -> Json:
    """Process the messages of a feed one by one, at most ``most`` of them.

    Returns:
        The processing report, without the feed's id.

    Raises:
        Malformed: It is no such document of this seller; nothing was done.
    """
    feed = _parse(document, seller)
    messages = feed["messages"][:most]
    issues = [
        _named(message) | _short(issue)
        for message in messages
        for issue in _apply(world, seller, marketplace_ids, message)
    ]
    return _report(seller, issues, processed=len(messages))


def feed_problem(seller: Seller, problem: Malformed) -> Json:
    """The report on a feed that could not be read."""
    issue = {"code": "4000000", "severity": "ERROR", "message": str(problem)}
    return _report(seller, [issue], processed=0)


@cache
def _validators() -> tuple[Draft7Validator, Draft7Validator]:
    """Of a feed, apart from its single messages; and of a message."""
    path = resources.files(__package__).joinpath("schemas").joinpath(_SCHEMA)
    schema = closed(json.loads(path.read_text("utf-8")))
    message = schema["properties"]["messages"].pop("items")
    return Draft7Validator(schema), Draft7Validator(message)


def _parse(document: bytes, seller: Seller) -> Json:
    if len(document) > LARGEST:
        raise Malformed("The feed is larger than 10 MB.")
    try:
        feed = json.loads(document.decode())
    except ValueError:
        raise Malformed("The feed is not valid JSON in UTF-8.") from None
    for error in _validators()[0].iter_errors(feed):
        raise Malformed(f"{error.json_path}: not valid by {error.validator}")
    if feed["header"]["sellerId"] != seller.seller_id:
        raise Malformed("The sellerId is not that of the seller.")
    ids = [_message_id(message) for message in feed["messages"]]
    if None in ids or len(set(ids)) < len(ids):
        raise Malformed("Each message must have its own messageId.")
    return dict(feed)


def _message_id(message: object) -> int | None:
    """The id that the report names the message by."""
    number = message.get("messageId") if isinstance(message, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _apply(
    world: World, seller: Seller, marketplace_ids: list[str], message: Json
) -> Iterator[Json]:
    for error in _validators()[1].iter_errors(message):
        yield updates.issue("4000002", f"{error.json_path}: not valid by {error.validator}")
        return
    if message["operationType"] != "PATCH":
        yield updates.issue("4000003", "This simulator processes the operation PATCH only.")
        return
    for place in marketplace_ids:
        listing = world.listings.find(seller.seller_id, place, message["sku"])
        problems = updates.problems(listing, message, world.settings)
        yield from problems
        if listing is not None and not problems:
            updates.apply(world.listings, listing, message["patches"])


def _named(message: Json) -> Json:
    """The fields that name a message in the report; one without a usable SKU has its id only."""
    sku = message.get("sku")
    named = {"messageId": message["messageId"]}
    return named | {"sku": sku} if isinstance(sku, str) and sku else named


def _short(issue: Json) -> Json:
    """An issue as processing reports have them."""
    short = {key: issue[key] for key in ("code", "severity", "message")}
    names = issue["attributeNames"]
    return short | {"attributeName": names[0]} if names else short


def _report(seller: Seller, issues: list[Json], *, processed: int) -> Json:
    errors = [issue for issue in issues if issue["severity"] == "ERROR"]
    invalid = len({issue.get("messageId") for issue in errors} - {None})
    return {
        "header": {"sellerId": seller.seller_id, "version": "2.0", "feedId": ""},
        "issues": issues,
        "summary": {
            "errors": len(errors),
            "warnings": len(issues) - len(errors),
            "messagesProcessed": processed,
            "messagesAccepted": processed - invalid,
            "messagesInvalid": invalid,
        },
    }
