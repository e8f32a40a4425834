"""The marketplaces of a seller, and getMarketplaceParticipations of the Sellers API v1."""

from __future__ import annotations

from typing import Any

from amazon_bridge.simulator.responses import invalid
from amazon_bridge.simulator.world import Seller


def participations(seller: Seller) -> dict[str, Any]:
    """The body of the response."""
    payload = [
        {
            "marketplace": {
                "id": market.marketplace_id,
                "name": market.name,
                "countryCode": market.country,
                "defaultCurrencyCode": market.currency,
                "defaultLanguageCode": f"{market.language}_{market.country}",
                "domainName": market.domain,
            },
            "participation": {"isParticipating": True, "hasSuspendedListings": False},
            "storeName": f"Simulated store {market.country}",
        }
        for market in seller.markets
    ]
    return {"payload": payload}


def own_marketplaces(seller: Seller, body: dict[str, Any]) -> list[str]:
    """The marketplaces that a request names.

    Raises:
        Refusal: 400; the seller does not sell in one of them.
    """
    marketplace_ids: list[str] = body["marketplaceIds"]
    if not all(seller.sells_in(marketplace) for marketplace in marketplace_ids):
        raise invalid("'marketplaceIds' has a marketplace that the seller is not in.")
    return marketplace_ids
