"""getMarketplaceParticipations of the Sellers API v1."""

from __future__ import annotations

from typing import Any

from amazon_bridge.simulator.world import Seller


def participations(seller: Seller) -> dict[str, Any]:
    """The body of the answer."""
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
