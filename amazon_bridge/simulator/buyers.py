"""Buyers: they order what Amazon's count offers."""

from __future__ import annotations

import random
from decimal import Decimal

from amazon_bridge.simulator.catalogue import PRODUCTS
from amazon_bridge.simulator.inventory import DEFAULT, Listing
from amazon_bridge.simulator.lines import Line
from amazon_bridge.simulator.orders import Order
from amazon_bridge.simulator.world import World

_PRICE = Decimal("12.00")
"""Of a unit that is not in the catalogue."""


def buy(world: World, count: int, seed: int, *, status: str = "PENDING") -> list[Order]:
    """Place up to ``count`` orders of one item each; fewer if all is sold out.

    Args:
        world: Its listings are ordered from.
        count: Orders.
        seed: The same seed, the same choices.
        status: Of the merchant's orders; those that Amazon fulfils ship at once.
    """
    chance = random.Random(f"buyers {seed}")  # noqa: S311 - the same for each seed
    orders = []
    for _ in range(count):
        offers = [listing for listing in world.listings if listing.buyable]
        if not offers:
            break
        orders.append(buy_one(world, chance.choice(offers), chance, status=status))
    return orders


def buy_one(world: World, listing: Listing, chance: random.Random, *, status: str) -> Order:
    """Order one to three units of a listing that has some."""
    channel = chance.choice([code for code, units in listing.channels.items() if units])
    quantity = min(chance.choice((1, 1, 1, 2, 3)), listing.channels[channel])
    merchant = channel == DEFAULT
    known = listing.sku in PRODUCTS
    line = Line(
        sku=listing.sku,
        quantity=quantity,
        price=None if known else listing.market.round(_PRICE * quantity),
        asin=listing.asin,
        title=listing.title,
    )
    return world.place_order(
        listing.market.country,
        [line],
        seller=world.sellers[listing.seller_id],
        fulfilled_by="MERCHANT" if merchant else "AMAZON",
        status=status if merchant else "SHIPPED",
    )
