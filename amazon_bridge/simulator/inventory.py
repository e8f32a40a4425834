"""Amazon's own count: listings, what is accepted of them but not in effect yet, and violations."""

from __future__ import annotations

import heapq
import random
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from amazon_bridge.simulator.catalogue import PRODUCTS
from amazon_bridge.simulator.clock import Clock
from amazon_bridge.simulator.markets import MARKETS, Market
from amazon_bridge.simulator.orders import Item, Order
from amazon_bridge.simulator.settings import Settings

DEFAULT = "DEFAULT"
Key = tuple[str, str, str]
"""Seller id, marketplace id, SKU."""


@dataclass(slots=True, kw_only=True)
class Listing:
    """A SKU of a seller in one marketplace.

    Attributes:
        channels: Units by fulfilment channel: DEFAULT, AMAZON_EU, ...
        lead_time: Days of handling time; None: Amazon's default.
        both: Sold by the merchant and by Amazon on purpose.
        refusal: Why every update is invalid; None: updates are valid.
        issues: As ``getListingsItem`` shows them.
    """

    seller_id: str
    sku: str
    market: Market
    asin: str
    title: str
    created: datetime
    updated: datetime
    channels: dict[str, int]
    product_type: str = "KITCHEN"
    lead_time: int | None = None
    both: bool = False
    refusal: str | None = None
    issues: list[dict[str, Any]] = field(default_factory=list)

    @property
    def quantity(self) -> int | None:
        """Units that the merchant sells."""
        return self.channels.get(DEFAULT)

    @property
    def buyable(self) -> bool:
        return any(self.channels.values())

    @property
    def status(self) -> list[str]:
        """As the Listings Items API names it."""
        return ["BUYABLE", "DISCOVERABLE"] if self.buyable else ["DISCOVERABLE"]

    @property
    def is_fba(self) -> bool:
        return any(code != DEFAULT for code in self.channels)

    @property
    def key(self) -> Key:
        return self.seller_id, self.market.marketplace_id, self.sku


@dataclass(frozen=True, slots=True)
class Violation:
    """A quantity of the merchant's, sent to a listing that Amazon fulfils."""

    time: datetime
    seller_id: str
    country: str
    sku: str
    quantity: int


Change = Callable[[Listing], None]


class Inventory:
    """The listings of all sellers, and Amazon's count of their units.

    Orders lower the count when they are placed, and give units back when they are cancelled, unless
    the merchant had no inventory. An accepted update takes effect after a random time and then
    overwrites the count; the updates of one listing take effect in their sequence.
    """

    def __init__(self, clock: Clock, settings: Settings, *, seed: int = 0) -> None:
        self.violations: list[Violation] = []
        self._clock, self._settings = clock, settings
        self._chance = random.Random(f"listings {seed}")  # noqa: S311 - the same for each seed
        self._listings: dict[Key, Listing] = {}
        self._pending: list[tuple[datetime, int, Key, Change]] = []
        self._last_due: dict[Key, datetime] = {}
        self._numbers = count()

    def __iter__(self) -> Iterator[Listing]:
        self.settle()
        return iter(self._listings.values())

    def add(
        self,
        seller_id: str,
        sku: str,
        country: str,
        channels: Mapping[str, int] | None = None,
        **fields: Any,
    ) -> Listing:
        """Add or replace a listing; by default one of the merchant's, without units.

        ``fields`` are further fields of ``Listing``.
        """
        product, now = PRODUCTS.get(sku), self._clock()
        given: dict[str, Any] = {
            "asin": product.asin if product else f"B0{zlib.crc32(sku.encode()) % 10**8:08d}",
            "title": product.title if product else f"Product {sku}",
            "created": now,
        } | fields
        listing = Listing(
            seller_id=seller_id,
            sku=sku,
            market=MARKETS[country],
            updated=now,
            channels=dict(channels or {DEFAULT: 0}),
            **given,
        )
        self._listings[listing.key] = listing
        return listing

    def get(self, seller_id: str, sku: str, country: str) -> Listing:
        """A listing as it is now.

        Raises:
            KeyError: There is none.
        """
        self.settle()
        return self._listings[seller_id, MARKETS[country].marketplace_id, sku]

    def find(self, seller_id: str, marketplace_id: str, sku: str) -> Listing | None:
        """A listing as it is now."""
        self.settle()
        return self._listings.get((seller_id, marketplace_id, sku))

    def of(self, seller_id: str, marketplace_id: str) -> list[Listing]:
        """A seller's listings in a marketplace."""
        return [each for each in self if each.key[:2] == (seller_id, marketplace_id)]

    def remove(self, listing: Listing) -> None:
        """Delete a listing: Amazon doesn't find it any more."""
        self._listings.pop(listing.key, None)

    def note_violation(self, listing: Listing, quantity: int) -> None:
        """Count a violation if an update reaches a listing that only Amazon is to fulfil."""
        for each in self._shared(listing):
            if each.is_fba and not each.both:
                country = each.market.country
                self.violations.append(
                    Violation(self._clock(), each.seller_id, country, each.sku, quantity)
                )
                return

    def change_later(self, listing: Listing, change: Change) -> None:
        """Let an accepted update take effect after a random time."""
        settings, longest = self._settings, self._settings.listing_delay_longest
        shortest = min(settings.listing_delay_shortest, longest)
        for each in self._shared(listing):
            due = self._clock() + timedelta(seconds=self._chance.uniform(shortest, longest))
            due = max(due, self._last_due.get(each.key, due))
            self._last_due[each.key] = due
            heapq.heappush(self._pending, (due, next(self._numbers), each.key, change))
        self.settle()

    def settle(self) -> None:
        """Let updates take effect that are due."""
        now = self._clock()
        while self._pending and self._pending[0][0] <= now:
            due, _, key, change = heapq.heappop(self._pending)
            listing = self._listings.get(key)
            if listing is not None:
                change(listing)
                listing.updated = due

    def follow(self, before: Order | None, order: Order) -> None:
        """Adjust the count to a new or changed order."""
        if order.channel != "AMAZON":
            return
        self.settle()
        changes = defaultdict[str, int](int)
        for item in order.items:
            changes[item.sku or ""] += _units_taken(before, order, item)
        for sku, units in changes.items():
            for listing in self._sold_from(order, sku):
                _take(listing, order.fulfilled_by, units)

    def _shared(self, listing: Listing) -> list[Listing]:
        """The listing, and those of other marketplaces whose quantity it shares."""
        if not self._settings.shared_quantities:
            return [listing]
        return [
            each
            for each in self._listings.values()
            if (each.seller_id, each.sku) == (listing.seller_id, listing.sku)
            and each.market.region == listing.market.region
        ]

    def _sold_from(self, order: Order, sku: str) -> list[Listing]:
        key = order.seller_id, order.market.marketplace_id, sku
        listing = self._listings.get(key)
        return self._shared(listing) if listing else []


def _units_taken(before: Order | None, order: Order, item: Item) -> int:
    """Units that an item takes from Amazon's count, or gives back: then they are negative."""
    earlier = before.item(item.order_item_id) if before else None
    held = _held(before, earlier) if before and earlier else 0
    taken = _held(order, item) - held
    lost = (item.cancelled_by, item.cancel_reason) == ("MERCHANT", "NoInventory")
    return max(0, taken) if lost else taken


def _held(order: Order, item: Item) -> int:
    return 0 if order.status == "CANCELLED" else item.quantity - item.closed


def _take(listing: Listing, fulfilled_by: str, units: int) -> None:
    for code in listing.channels:
        if (code == DEFAULT) == (fulfilled_by == "MERCHANT"):
            listing.channels[code] = max(0, listing.channels[code] - units)
            return
