"""The Listings Items API 2021-08-01."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from amazon_bridge.simulator import responses, updates
from amazon_bridge.simulator.inventory import DEFAULT, Listing
from amazon_bridge.simulator.rendering import timestamp
from amazon_bridge.simulator.responses import Refusal, invalid
from amazon_bridge.simulator.world import Seller, World

MOST_RESULTS = 1000
"""searchListingsItems pages through no more of them (Amazon's model)."""
_PER_PAGE = 10


class Listings:
    """The operations. Keys are a seller id, then a slash and a SKU."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pages: dict[str, tuple[dict[str, str], int]] = {}

    def get(self, seller: Seller, key: str, arguments: Mapping[str, str]) -> Response:
        """The getListingsItem operation."""
        sku = _own(seller, key)
        places = _marketplaces(seller, arguments)
        found = [self._world.listings.find(seller.seller_id, place, sku) for place in places]
        listings = [listing for listing in found if listing is not None]
        if not listings:
            message = f"SKU '{sku}' not found in marketplace {', '.join(places)}"
            raise Refusal(404, "NOT_FOUND", message)
        return responses.as_json(_render(listings, _included(arguments)))

    def search(self, seller: Seller, key: str, arguments: Mapping[str, str]) -> Response:
        """The searchListingsItems operation."""
        _own(seller, f"{key}/")
        begin = self._begin(arguments)
        found = self._found(seller, arguments)
        page = found[begin : begin + int(arguments.get("pageSize", _PER_PAGE))]
        end = begin + len(page)
        response: dict[str, Any] = {
            "numberOfResults": len(found),
            "items": [_render([listing], _included(arguments)) for listing in page],
        }
        if end < min(len(found), MOST_RESULTS):
            response["pagination"] = {"nextToken": self._token(arguments, end)}
        return responses.as_json(response)

    def patch(
        self, seller: Seller, key: str, arguments: Mapping[str, str], body: Mapping[str, Any]
    ) -> Response:
        """The patchListingsItem operation."""
        sku = _own(seller, key)
        places = _marketplaces(seller, arguments)
        inventory, preview = self._world.listings, "mode" in arguments
        listings = [inventory.find(seller.seller_id, place, sku) for place in places]
        issues = [
            issue
            for listing in listings
            for issue in updates.problems(listing, body, self._world.settings)
        ]
        if not issues and not preview:
            for listing in filter(None, listings):
                updates.apply(inventory, listing, body["patches"])
        status = "INVALID" if issues else "VALID" if preview else "ACCEPTED"
        return _submission(sku, status, issues)

    def _found(self, seller: Seller, arguments: Mapping[str, str]) -> list[Listing]:
        [place] = _marketplaces(seller, arguments)
        identifiers = _matching(arguments)
        return [
            listing
            for listing in self._world.listings.of(seller.seller_id, place)
            if identifiers is None or {listing.sku, listing.asin} & {*identifiers}
        ]

    def _begin(self, arguments: Mapping[str, str]) -> int:
        if "pageToken" not in arguments:
            return 0
        query = {name: value for name, value in arguments.items() if name != "pageToken"}
        known, begin = self._pages.get(arguments["pageToken"], ({}, 0))
        if known != query:
            raise invalid("The pageToken is invalid, or the other parameters differ.")
        return begin

    def _token(self, arguments: Mapping[str, str], begin: int) -> str:
        token = secrets.token_urlsafe(24)
        query = {name: value for name, value in arguments.items() if name != "pageToken"}
        self._pages[token] = query, begin
        return token


def _own(seller: Seller, key: str) -> str:
    """The SKU of a key of the seller's own."""
    seller_id, _, sku = key.partition("/")
    if seller_id != seller.seller_id:
        raise _denied()
    return sku


def _marketplaces(seller: Seller, arguments: Mapping[str, str]) -> list[str]:
    places = arguments["marketplaceIds"].split(",")
    if not all(map(seller.sells_in, places)):
        raise _denied()
    return places


def _denied() -> Refusal:
    return Refusal(403, "Unauthorized", "Access to requested resource is denied.")


def _included(arguments: Mapping[str, str]) -> list[str]:
    return arguments.get("includedData", "summaries").split(",")


def _matching(arguments: Mapping[str, str]) -> list[str] | None:
    """The SKUs or ASINs to search for; None: all."""
    if ("identifiers" in arguments) != ("identifiersType" in arguments):
        raise invalid("Provide identifiers and identifiersType together.")
    if "identifiers" not in arguments:
        return None
    if arguments["identifiersType"] not in ("SKU", "ASIN"):
        raise invalid("This simulator knows SKUs and ASINs only.")
    return arguments["identifiers"].split(",")


def _render(listings: list[Listing], included: list[str]) -> dict[str, Any]:
    """A SKU. Its fulfilment channels, which name no marketplace, are those of its first listing."""
    first = listings[0]
    parts: dict[str, Any] = {
        "summaries": [_summary(listing) for listing in listings],
        "attributes": {updates.ATTRIBUTE: updates.attribute(first)},
        "issues": first.issues,
        "offers": [],
        "fulfillmentAvailability": [
            _availability(code, quantity) for code, quantity in first.channels.items()
        ],
        "procurement": [],
        "relationships": [],
        "productTypes": [
            {"marketplaceId": each.market.marketplace_id, "productType": each.product_type}
            for each in listings
        ],
    }
    return {"sku": first.sku} | {name: parts[name] for name in included}


def _summary(listing: Listing) -> dict[str, Any]:
    return {
        "marketplaceId": listing.market.marketplace_id,
        "asin": listing.asin,
        "productType": listing.product_type,
        "conditionType": "new_new",
        "status": ["BUYABLE", "DISCOVERABLE"] if listing.buyable else ["DISCOVERABLE"],
        "itemName": listing.title,
        "createdDate": timestamp(listing.created),
        "lastUpdatedDate": timestamp(listing.updated),
    }


def _availability(code: str, quantity: int) -> dict[str, Any]:
    """Amazon doesn't state the units that it fulfils itself."""
    entry: dict[str, Any] = {"fulfillmentChannelCode": code}
    return entry | {"quantity": quantity} if code == DEFAULT else entry


def _submission(sku: str, status: str, issues: list[dict[str, Any]]) -> Response:
    submission = secrets.token_hex(16)
    return responses.as_json(
        {"sku": sku, "status": status, "submissionId": submission, "issues": issues}
    )
