"""A market for the quantities sent to Amazon: buyers, and a warehouse that also sells elsewhere.

What happens is drawn beforehand, from a seed: whoever sends the quantities meets the same
buyers. A buyer orders what Amazon's count offers, at most what it has. Most orders are pending
first, then they are paid or lapse. Updates of Amazon's counts take effect after up to a quarter of
an hour.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import memory_shop
from memory_shop import MemoryShop

from amazon_bridge.simulator import CATALOGUE, Line, Order, World
from amazon_bridge.simulator.inventory import DEFAULT

INTERVAL = 5
"""Minutes from one run of the jobs to the next."""
COUNTRIES = ("FR", "DE")
SKUS = tuple(product.sku for product in CATALOGUE[:8])
AMAZONS = tuple(product.sku for product in CATALOGUE[8:])
"""Sold by FBA, although the warehouse has some of them, too."""
FLIPPING = SKUS[-1]
"""Is sold by FBA at times."""
STEADY = SKUS[:-1]
"""Always sold by the merchant: these are what is counted."""
_FATES = ("paid at once", "paid", "lapses", "lapses silently")
_CHANCES = (30, 50, 15, 5)


class Buyer(NamedTuple):
    """Wants so many units, at this minute."""

    country: str
    sku: str
    units: int
    fate: str
    after: int
    """Minutes until a pending order is paid or lapses."""


@dataclass(frozen=True)
class Plan:
    """What happens in each minute."""

    buyers: dict[int, list[Buyer]] = field(default_factory=lambda: defaultdict(list))
    elsewhere: dict[int, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    receipts: dict[int, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    flips: dict[int, bool] = field(default_factory=dict)
    """Whether Amazon ships ``FLIPPING`` from this minute on."""

    @classmethod
    def drawn(cls, seed: int, minutes: int, *, most_elsewhere: int | None = None) -> Plan:
        """Draw a plan.

        Args:
            seed: the same seed, the same plan.
            minutes: its length.
            most_elsewhere: pieces of a product sold elsewhere in any ``WINDOW``; None: any number.
        """
        chance = random.Random(f"market {seed}")
        plan = cls(flips={at: n % 2 == 0 for n, at in enumerate(range(100, minutes, 331))})
        for minute in range(minutes):
            if chance.random() < 0.3:
                plan.buyers[minute].append(_buyer(chance))
            if chance.random() < 0.04:
                plan.elsewhere[minute].append((chance.choice(SKUS), chance.choice((1, 1, 2, 3))))
            if chance.random() < 0.06:
                sku = chance.choice(SKUS + AMAZONS)
                plan.receipts[minute].append((sku, chance.randint(3, 12)))
        if most_elsewhere is not None:
            _thin(plan.elsewhere, most_elsewhere)
        return plan


WINDOW = 220
"""Minutes: the longest time for which an order is pending, while the warehouse may sell its goods
to others; two runs, and the time in which Amazon applies a quantity."""


def _thin(sales: dict[int, list[tuple[str, int]]], most: int) -> None:
    """Leave out sales that are more than ``most`` pieces of a product in any ``WINDOW``."""
    sold: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for minute in sorted(sales):
        kept = []
        for sku, pieces in sales[minute]:
            recent = sum(n for at, n in sold[sku] if at > minute - WINDOW)
            if recent + pieces <= most:
                sold[sku].append((minute, pieces))
                kept.append((sku, pieces))
        sales[minute] = kept


def _buyer(chance: random.Random) -> Buyer:
    return Buyer(
        chance.choice(COUNTRIES),
        chance.choice(SKUS + AMAZONS[:1]),
        chance.choice((1, 1, 1, 2, 3)),
        chance.choices(_FATES, _CHANCES)[0],
        chance.randint(1, 180),
    )


@dataclass
class Score:
    """How it went."""

    oversold: int = 0
    """Units that came in with orders of Amazon and that Odoo can't fill."""
    taken: int = 0
    """Units that the warehouse sold elsewhere although an order had them that Odoo didn't have yet,
    such as a pending one: no quantity prevents that, only a buffer."""
    offered_twice: int = 0
    """Units that Amazon offered and sold although nothing was left for them."""
    sold: int = 0
    """Units ordered on Amazon, paid or not."""
    missed: int = 0
    """Units that buyers wanted and Amazon didn't offer, although nobody had been promised them."""
    violations: int = 0
    updates: int = 0


class Market:
    """Lets a plan happen."""

    def __init__(self, here: MemoryShop, plan: Plan) -> None:
        self.here, self.plan, self.score = here, plan, Score()
        self.rpc = here.shop.rpc
        self.env = here.odoo.env
        self.ends: dict[int, list[tuple[Order, str]]] = defaultdict(list)
        self.short = Counter[str]()
        self.flying: dict[str, tuple[str, int]] = {}
        """SKU and units of the orders that Odoo doesn't have, by id."""
        self.minute = 0
        self.location = int(here.shop.database.reference("stock.stock_location_stock"))
        products = here.shop.search("product.product", [], ["default_code"])
        self.products = {row["default_code"]: int(row["id"]) for row in products}
        values = {"name": "Walk-in customer"}
        self.customer = self.rpc("res.partner", "create", values)

    # What Odoo has

    def _pieces(self, sku: str) -> tuple[float, float, float]:
        """On hand, to leave, and reserved of that."""
        place = [("product_id", "=", self.products[sku]), ("location_id", "=", self.location)]
        quants, moves = self.env["stock.quant"], self.env["stock.move"]
        open_ = moves.found([*place, ("state", "not in", ["done", "cancel", "draft"])])
        return (
            sum(quants.get(id_, "quantity") for id_ in quants.found(place)),
            sum(moves.get(id_, "product_uom_qty") for id_ in open_),
            sum(moves.get(id_, "quantity") for id_ in open_),
        )

    def left(self, sku: str) -> int:
        """Pieces that nobody was promised."""
        on_hand, outgoing, _ = self._pieces(sku)
        return round(on_hand - outgoing)

    def free(self, sku: str) -> int:
        """Odoo's ``free_qty``."""
        on_hand, _, reserved = self._pieces(sku)
        return round(on_hand - reserved)

    # What happens

    def play(self, minutes: int, push: Callable[[], None]) -> Score:
        """Let so many minutes pass, with a run of the jobs every five."""
        for _ in range(minutes):
            self._pass()
            if self.minute % INTERVAL == 0:
                self._import()
                push()
            if self.minute % 60 == 0:
                self._ship()
        self.score.violations = len(self.here.world.listings.violations)
        return self.score

    def settle(self, push: Callable[[], None]) -> Score:
        """Let nobody buy any more, until all orders are paid or have lapsed and are in Odoo."""
        self.plan = Plan()
        return self.play(max(self.ends, default=self.minute) - self.minute + 2 * INTERVAL, push)

    def _pass(self) -> None:
        self.here.clock.advance(minutes=1)
        self.minute += 1
        for order, fate in self.ends.pop(self.minute, ()):
            self._end(order, fate)
        for sku, pieces in self.plan.receipts.get(self.minute, ()):
            self.put(sku, pieces)
        for sku, pieces in self.plan.elsewhere.get(self.minute, ()):
            if self.left(sku) >= pieces:
                if sku in STEADY:
                    self.score.taken += pieces - min(pieces, self._there(sku))
                self._sell_elsewhere(sku, pieces)
        for buyer in self.plan.buyers.get(self.minute, ()):
            self._buy(buyer)
        if self.minute in self.plan.flips:
            self._flip(by_amazon=self.plan.flips[self.minute])

    def _flip(self, *, by_amazon: bool) -> None:
        for country in COUNTRIES:
            listing = self.here.world.listings.get(self.here.seller.seller_id, FLIPPING, country)
            listing.channels = {"AMAZON_EU": 20} if by_amazon else {DEFAULT: 0}

    def put(self, sku: str, pieces: int) -> None:
        """Goods arrive; deliveries that wait for them get them reserved, as in a real Odoo."""
        self.env["stock.quant"].put(self.products[sku], self.location, pieces)
        waiting = [*OPEN, ("state", "!=", "assigned"), ("product_id", "=", self.products[sku])]
        for id_ in sorted(self.env["stock.move"].found(waiting)):
            self.env["stock.move"].reserve(id_)

    def _end(self, order: Order, fate: str) -> None:
        if fate == "paid":
            self.here.world.pay(order.order_id)
        else:
            del self.flying[order.order_id]
            self.here.world.lapse(order.order_id, silently=fate == "lapses silently")

    def _sell_elsewhere(self, sku: str, pieces: int) -> None:
        line = {"product_id": self.products[sku], "product_uom_qty": pieces}
        values = {"partner_id": self.customer, "order_line": [(0, 0, line)]}
        self.rpc("sale.order", "action_confirm", [self.rpc("sale.order", "create", values)])

    def _buy(self, buyer: Buyer) -> None:
        world, seller = self.here.world, self.here.seller
        listing = world.listings.get(seller.seller_id, buyer.sku, buyer.country)
        units = min(buyer.units, listing.quantity or 0)
        if buyer.sku in STEADY:
            self._count(buyer, units)
        if not units:
            return
        status = "UNSHIPPED" if buyer.fate == "paid at once" else "PENDING"
        lines = [Line(sku=buyer.sku, quantity=units)]
        order = world.place_order(buyer.country, lines, seller=seller, status=status)
        self.flying[order.order_id] = buyer.sku, units
        if status == "PENDING":
            self.ends[self.minute + buyer.after].append((order, buyer.fate))

    def _count(self, buyer: Buyer, units: int) -> None:
        there = self._there(buyer.sku)
        self.score.sold += units
        self.score.offered_twice += max(0, units - there)
        self.score.missed += max(0, min(buyer.units, there) - units)

    def _there(self, sku: str) -> int:
        """Pieces that nobody was promised, neither in Odoo nor on Amazon."""
        flying = sum(number for of, number in self.flying.values() if of == sku)
        return max(0, self.left(sku) - flying)

    def _import(self) -> None:
        counts = self.here.bridge.sync("orders")
        assert "error" not in counts, counts
        imported = [("client_order_ref", "in", list(self.flying)), ("state", "=", "sale")]
        for row in self.here.shop.search("sale.order", imported, ["client_order_ref"]):
            del self.flying[row["client_order_ref"]]
        for sku in STEADY:
            short = max(0, -self.left(sku))
            self.score.oversold += max(0, short - self.short[sku])
            self.short[sku] = short

    def _ship(self) -> None:
        """Do the deliveries of which all is reserved."""
        moves = self.here.shop.search("stock.move", OPEN, ["picking_id", "quantity", *DEMAND])
        short = {m["picking_id"][0] for m in moves if m["quantity"] < m["product_uom_qty"]}
        if ready := sorted({move["picking_id"][0] for move in moves} - short):
            self.here.warehouse.validate(*ready)


DEMAND = ("product_uom_qty",)
OPEN = [("state", "not in", ["done", "cancel", "draft"])]


@contextmanager
def opened(folder: Path, plan: Plan, seed: int, **stock: Any) -> Iterator[Market]:
    """A market with a few pieces of each product, all of them listed in two marketplaces.

    Args:
        folder: for the state store.
        plan: what happens.
        seed: of Amazon's delays.
        stock: the account's configuration of the job ``stock``; none: the job is off.
    """
    folder.mkdir()
    with memory_shop.opened(folder, seed, make_world=World) as here:
        here.program.start = here.clock()
        (account,) = here.program.accounts
        if stock:
            account["stock"] = stock
        here.world.settings.shared_quantities = True
        market = Market(here, plan)
        for number, sku in enumerate(SKUS + AMAZONS):
            market.put(sku, 4 + number - 1000)
            for country in COUNTRIES:
                channels = {"AMAZON_EU": 20} if sku in AMAZONS else {DEFAULT: 0}
                here.world.listings.add(here.seller.seller_id, sku, country, channels)
        yield market
