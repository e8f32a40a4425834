"""GET_MERCHANT_LISTINGS_ALL_DATA: all listings of one marketplace, active or not."""

from __future__ import annotations

from datetime import datetime, timedelta

from amazon_bridge.simulator.inventory import DEFAULT, Listing
from amazon_bridge.simulator.markets import Market
from amazon_bridge.simulator.world import Seller, World

REPORT_TYPE = "GET_MERCHANT_LISTINGS_ALL_DATA"
COLUMNS = (
    "item-name", "item-description", "listing-id", "seller-sku", "price", "quantity", "open-date",
    "image-url", "item-is-marketplace", "product-id-type", "zshop-shipping-fee", "item-note",
    "item-condition", "zshop-category1", "zshop-browse-path", "zshop-storefront-feature", "asin1",
    "asin2", "asin3", "will-ship-internationally", "expedited-shipping", "zshop-boldface",
    "product-id", "bid-for-featured-placement", "add-delete", "pending-quantity",
    "fulfillment-channel", "merchant-shipping-group", "status",
)  # fmt: skip
"""Amazon's page "Inventory report type values"."""
ERRORS = "replace"
"""Amazon writes ``?`` for characters that the charset doesn't have: issues 4888 and 4955 of
amzn/selling-partner-api-models."""
_CHARSETS = {"na": "UTF-8", "eu": "Cp1252", "fe": "Shift_JIS"}


def charset(market: Market) -> str:
    """The charset in which Amazon writes this report for a marketplace, as sellers have seen."""
    return _CHARSETS[market.region]


class ListingsReport:
    """Makes the report; its contents may be hours old, as Amazon keeps them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[tuple[str, str], tuple[datetime, str | None]] = {}

    def __call__(self, seller: Seller, marketplace_ids: list[str]) -> str | None:
        """The text for the first of the marketplaces; None if the seller lists nothing there."""
        key = seller.seller_id, marketplace_ids[0]
        now, age = self._world.clock(), timedelta(seconds=self._world.settings.listings_report_age)
        created, text = self._kept.get(key, (None, None))
        if created is None or now - created >= age:
            text = self._make(*key)
            self._kept[key] = now, text
        return text

    def _make(self, seller_id: str, marketplace_id: str) -> str | None:
        rows = [_row(listing) for listing in self._world.listings.of(seller_id, marketplace_id)]
        return "\n".join(["\t".join(COLUMNS), *rows, ""]) if rows else None


def _row(listing: Listing) -> str:
    """The first channel's; of what Amazon fulfils, the report states no units."""
    channel = next(iter(listing.channels), "")
    cells = {
        "item-name": listing.title,
        "listing-id": f"L{listing.asin}",
        "seller-sku": listing.sku,
        "quantity": str(listing.channels[channel]) if channel == DEFAULT else "",
        "open-date": f"{listing.created:%d/%m/%Y %H:%M:%S} UTC",
        "item-is-marketplace": "y",
        "product-id-type": "1",
        "item-condition": "11",
        "asin1": listing.asin,
        "product-id": listing.asin,
        "pending-quantity": "0" if channel == DEFAULT else "",
        "fulfillment-channel": channel,
        "merchant-shipping-group": "Migrated Template",
        "status": "Active" if listing.buyable else "Inactive",
    }
    return "\t".join(cells.get(column, "") for column in COLUMNS)
