"""The Listings Items API 2021-08-01."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from amazon_bridge.simulator import responses, updates
from amazon_bridge.simulator.inventory import DEFAULT, Listing
from amazon_bridge.simulator.listings_search import (
    ListingPages,
    check_filters,
    in_sequence,
    matches,
)
from amazon_bridge.simulator.rendering import timestamp
from amazon_bridge.simulator.responses import Refusal, denied
from amazon_bridge.simulator.world import Seller, World


class Listings:
    """The operations. Keys are a seller id, then a slash and a SKU."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pages = ListingPages()

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
        check_filters(arguments)
        [place] = _marketplaces(seller, arguments)
        listings = self._world.listings.of(seller.seller_id, place)
        found = in_sequence([each for each in listings if matches(each, arguments)], arguments)
        page, token = self._pages.cut(seller, arguments, found)
        response: dict[str, Any] = {
            "numberOfResults": len(found),
            "items": [_render([listing], _included(arguments)) for listing in page],
        }
        return responses.as_json(response | ({"pagination": token} if token else {}))

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


def _own(seller: Seller, key: str) -> str:
    """The SKU of a key of the seller's own."""
    seller_id, _, sku = key.partition("/")
    if seller_id != seller.seller_id:
        raise denied()
    return sku


def _marketplaces(seller: Seller, arguments: Mapping[str, str]) -> list[str]:
    places = arguments["marketplaceIds"].split(",")
    if not all(map(seller.sells_in, places)):
        raise denied()
    return places


def _included(arguments: Mapping[str, str]) -> list[str]:
    return arguments.get("includedData", "summaries").split(",")


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
        "status": listing.status,
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
