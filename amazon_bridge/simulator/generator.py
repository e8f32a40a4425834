"""Seeded, realistic orders. The same seed, count and time make the same orders."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from amazon_bridge.simulator import people
from amazon_bridge.simulator.catalogue import CATALOGUE, PRODUCTS
from amazon_bridge.simulator.clock import Clock, system_clock
from amazon_bridge.simulator.inventory import DEFAULT
from amazon_bridge.simulator.lines import Line
from amazon_bridge.simulator.markets import MARKETS, Market
from amazon_bridge.simulator.orders import UNPAID, Order
from amazon_bridge.simulator.world import COUNTRIES, Seller, World

SELLERS = {"na": "A1SIMULATEDNA", "eu": "A1SIMULATEDEU", "fe": "A1SIMULATEDFE"}
"""The seller of each region, as a real account lives in one region."""


@dataclass(frozen=True, slots=True)
class _Recipe:
    """One kind of order; the generator cycles through the list, so that each kind occurs."""

    fulfilled_by: str
    status: str
    feature: str = ""
    lines: int = 1


_RECIPES = (
    _Recipe("MERCHANT", "UNSHIPPED"),
    _Recipe("AMAZON", "SHIPPED"),
    _Recipe("MERCHANT", "UNSHIPPED", "gift", lines=2),
    _Recipe("AMAZON", "SHIPPED", "discount", lines=3),
    _Recipe("MERCHANT", "UNSHIPPED", "business", lines=2),
    _Recipe("MERCHANT", "PARTIALLY_SHIPPED", lines=2),
    _Recipe("AMAZON", "SHIPPED", "gift"),
    _Recipe("MERCHANT", "CANCELLED"),
    _Recipe("MERCHANT", "UNSHIPPED", "discount", lines=4),
    _Recipe("AMAZON", "PENDING"),
    _Recipe("MERCHANT", "UNSHIPPED", "cancellation_request"),
    _Recipe("AMAZON", "SHIPPED", "business", lines=2),
    _Recipe("MERCHANT", "SHIPPED"),
    _Recipe("MERCHANT", "UNSHIPPED", "replacement"),
    _Recipe("AMAZON", "CANCELLED"),
    _Recipe("MERCHANT", "PENDING"),
    _Recipe("MERCHANT", "UNSHIPPED", "withheld"),
    _Recipe("AMAZON", "SHIPPED", "non_amazon"),
    _Recipe("MERCHANT", "UNSHIPPED", "shipping_discount", lines=2),
    _Recipe("AMAZON", "UNSHIPPED"),
    _Recipe("MERCHANT", "UNSHIPPED", "cash_on_delivery"),
    _Recipe("AMAZON", "UNFULFILLABLE", "non_amazon"),
    _Recipe("MERCHANT", "PENDING_AVAILABILITY"),
)


def generate(
    seed: int = 1,
    count: int = 60,
    *,
    clock: Clock = system_clock,
    countries: Iterable[str] = COUNTRIES,
    days: float = 3,
) -> World:
    """A world with one seller a region and ``count`` orders of the last ``days``."""
    world, countries = World(clock, seed=seed), tuple(countries)
    for region, seller_id in SELLERS.items():
        here = [country for country in countries if MARKETS[country].region == region]
        if here:
            world.add_seller(seller_id, here)
    populate(world, seed, count, countries=countries, days=days)
    return world


def list_catalogue(world: World, units: int = 10) -> None:
    """List all products in each seller's marketplaces; Amazon fulfils every fourth of them."""
    for seller in world.sellers.values():
        for market in seller.markets:
            for number, product in enumerate(CATALOGUE, start=1):
                channel = market.amazon_channel if number % 4 == 0 else DEFAULT
                world.listings.add(seller.seller_id, product.sku, market.country, {channel: units})


def populate(
    world: World,
    seed: int,
    count: int,
    *,
    seller: Seller | None = None,
    countries: Iterable[str] = COUNTRIES,
    days: float = 3,
) -> list[Order]:
    """Add ``count`` orders to a world, last changed within ``days`` and at least 3 minutes ago."""
    chance = random.Random(f"orders {seed}")  # noqa: S311 - made-up data, the same for each seed
    kitchen = _Kitchen(world, seller, chance)
    markets = [MARKETS[country] for country in countries]
    plan = zip(_recipes(chance), _ages(chance, count, days), strict=False)
    with world.lock:
        return [
            kitchen.place(markets[number % len(markets)], recipe, world.clock() - age)
            for number, (recipe, age) in enumerate(plan)
        ]


def _recipes(chance: random.Random) -> Iterator[_Recipe]:
    while True:
        yield from chance.sample(_RECIPES, len(_RECIPES))


def _ages(chance: random.Random, count: int, days: float) -> list[timedelta]:
    seconds = sorted((chance.uniform(180, days * 86_400) for _ in range(count)), reverse=True)
    return [timedelta(seconds=round(age)) for age in seconds]


class _Kitchen:
    def __init__(self, world: World, seller: Seller | None, chance: random.Random) -> None:
        self.world = world
        self.seller = seller
        self.chance = chance

    def place(self, market: Market, recipe: _Recipe, updated: datetime) -> Order:
        created = updated - timedelta(minutes=self.chance.randrange(5, 2000))
        lines = [self._line(market, recipe) for _ in range(recipe.lines)]
        order = self.world.place_order(
            market.country,
            lines,
            seller=self.seller,
            fulfilled_by=recipe.fulfilled_by,
            status="UNSHIPPED" if recipe.status == "PARTIALLY_SHIPPED" else recipe.status,
            business=recipe.feature == "business",
            created=created,
            last_updated=created if recipe.status in UNPAID else updated,
            channel="NON_AMAZON" if recipe.feature == "non_amazon" else "AMAZON",
            programs=("AMAZON_BUSINESS",) if recipe.feature == "business" else (),
            data_withheld=recipe.feature == "withheld",
        )
        return self._finish(order, recipe, updated)

    def _finish(self, order: Order, recipe: _Recipe, updated: datetime) -> Order:
        if recipe.status == "PARTIALLY_SHIPPED" or (
            recipe.status == "SHIPPED" and recipe.fulfilled_by == "MERCHANT"
        ):
            return self._packed(order, recipe, updated)
        if recipe.feature == "cancellation_request":
            self.world.request_cancellation(order.order_id)
        if recipe.feature == "replacement":
            self.world.change(order.order_id, replaces=self._earlier_order(order))
        if recipe.feature == "gift":
            self._add_instructions(order)
        return self.world.change(order.order_id, last_updated=order.last_updated)

    def _add_instructions(self, order: Order) -> None:
        self.world.change(
            order.order_id,
            drop_off_location="FRONT_DOOR",
            address_instruction=f"Door code 4711B, please ring at {order.address.name}",
        )

    def _packed(self, order: Order, recipe: _Recipe, updated: datetime) -> Order:
        """Ship a merchant's order, or only its first item."""
        open_order = replace(order, items=tuple(replace(i, fulfilled=0) for i in order.items))
        package = self.world.make_package(open_order)
        if recipe.status == "PARTIALLY_SHIPPED":
            package = replace(package, quantities=package.quantities[:1])
        package = replace(package, created=updated, shipped=updated)
        return self.world.store(replace(open_order.with_packages((package,)), last_updated=updated))

    def _earlier_order(self, order: Order) -> str:
        same = [o.order_id for o in self.world.orders if o.market == order.market]
        return same[0]

    def _line(self, market: Market, recipe: _Recipe) -> Line:
        product = self.chance.choice(CATALOGUE)
        quantity = self.chance.choice((1, 1, 1, 2, 3))
        line = Line(sku=product.sku, quantity=quantity, shipping=self._shipping(market, recipe))
        return self._featured(line, market, recipe.feature)

    def _shipping(self, market: Market, recipe: _Recipe) -> Decimal:
        if recipe.fulfilled_by == "AMAZON" or recipe.feature in {"replacement", "non_amazon"}:
            return Decimal(0)
        return market.round(_scaled(market, self.chance.choice(("0", "3.90", "4.99", "6.45"))))

    def _featured(self, line: Line, market: Market, feature: str) -> Line:
        match feature:
            case "gift":
                return replace(
                    line,
                    gift_wrap=_scaled(market, "3.49"),
                    gift_wrap_level="Classic",
                    gift_message=people.make_gift_message(market, self.chance),
                )
            case "discount":
                price = PRODUCTS[line.sku or ""].prices[market.currency] * line.quantity
                discount = market.round(price * Decimal("0.15"))
                return replace(line, discount=discount, promotion_ids=("SIM-AUTUMN-15",))
            case "shipping_discount":
                fee = _scaled(market, "4.99")
                return replace(
                    line, shipping=fee, shipping_discount=fee, promotion_ids=("SIM-FREE-SHIPPING",)
                )
            case "replacement":
                return replace(line, price=Decimal(0))
            case "cash_on_delivery" if market.country == "JP":
                return replace(line, cod_fee=Decimal(330))
        return line


def _scaled(market: Market, amount: str) -> Decimal:
    """An amount in euros or dollars, or about as much in yen."""
    value = Decimal(amount)
    return market.round(value * 130 if market.currency == "JPY" else value)
