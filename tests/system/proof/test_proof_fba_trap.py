"""No quantity is ever sent for a listing that Amazon fulfils, however listings flip.

A million steps take too long with an Odoo. So the decisions (``flows.stock.decide``) meet
the simulator's own listings directly, and what is known of these comes late, as from a report.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from figures import FIGURES, SEED, scaled

from amazon_bridge.engine.stock_records import KnownListing, KnownSku
from amazon_bridge.flows.stock.decide import Recheck, Rules, decide, recheck
from amazon_bridge.model import Listing
from amazon_bridge.simulator import MARKETS, ManualClock, Settings
from amazon_bridge.simulator.inventory import DEFAULT, Inventory
from amazon_bridge.simulator.updates import apply

STEPS = scaled(20_000, 1_000_000)
SELLER = "A1TRAP"
PLACES = {MARKETS[country].marketplace_id: country for country in ("DE", "FR", "GB")}
SKUS = tuple(f"SKU-{number}" for number in range(12))
BOTH = SKUS[0]
"""Is sold by FBA and FBM on purpose."""
CHANNELS: tuple[Mapping[str, int], ...] = (
    {DEFAULT: 3},
    {DEFAULT: 0},
    {"AMAZON_EU": 5},
    {"AMAZON_EU": 0},
    {"AMAZON_NA": 2, DEFAULT: 1},
)
Report = dict[tuple[str, str], tuple[tuple[str, ...], int | None]]


class Trap:
    """Listings that flip, and somebody who sends quantities for them by what is known."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(f"trap {seed}")
        self.clock = ManualClock(datetime(2026, 11, 20, 8, tzinfo=UTC))
        self.listings = Inventory(self.clock, Settings(), seed=seed)
        for sku in SKUS:
            for country in PLACES.values():
                self.listings.add(SELLER, sku, country, {DEFAULT: 5}, both=sku == BOTH)
        self.known = {sku: KnownSku(sku, ()) for sku in SKUS}
        self.report = self._report()
        self.sent = self.stopped = 0

    def step(self) -> None:
        """One random event."""
        event = self.chance.choices(
            (self._flip, self._wait, self._request, self._read, self._compare), (4, 2, 1, 2, 8)
        )
        event[0]()

    def _flip(self) -> None:
        """Somebody changes who ships a SKU, in one marketplace or in all."""
        sku, channels = self.chance.choice(SKUS), self.chance.choice(CHANNELS)
        places = list(PLACES) if self.chance.random() < 0.7 else [self.chance.choice(list(PLACES))]
        for place in places:
            if listing := self.listings.find(SELLER, place, sku):
                listing.channels = dict(channels)

    def _wait(self) -> None:
        self.clock.advance(minutes=self.chance.randint(1, 30))

    def _request(self) -> None:
        """Amazon makes a report, which is read later."""
        self.report = self._report()

    def _report(self) -> Report:
        shown: Report = {}
        for each in self.listings:
            place = each.market.marketplace_id
            shown[each.sku, place] = (tuple(each.channels), each.quantity)
        return shown

    def _read(self) -> None:
        sku = self.chance.choice(SKUS)
        open_ = {each.marketplace_id: each for each in self.known[sku].listings if each.is_open}
        rows = {place: self.report[sku, place] for place in PLACES}
        listings = (
            replace(
                open_.get(place, KnownListing(sku, place)), channels=channels, quantity=quantity
            )
            for place, (channels, quantity) in rows.items()
        )
        self.known[sku] = replace(self.known[sku], listings=tuple(listings))

    def _compare(self) -> None:
        sku, rules = self.chance.choice(SKUS), Rules(self.clock(), timedelta(0))
        quantity, both = self.chance.randint(0, 9), sku == BOTH
        decision = decide(self.known[sku], quantity, rules, both=both)
        if self.chance.random() < 0.2:
            self._flip()
        for push in decision.pushes:
            known = self._known(sku, push.marketplace_id)
            fresh = self._fresh(sku, push.marketplace_id)
            if (
                recheck(fresh, known, quantity, both=both, decreases=decision.decreases)
                is Recheck.SEND
            ):
                self._send(sku, push.marketplace_id, quantity)
            else:
                self.stopped += 1

    def _known(self, sku: str, place: str) -> KnownListing:
        return next(e for e in self.known[sku].listings if e.marketplace_id == place)

    def _fresh(self, sku: str, place: str) -> Listing:
        """What ``getListingsItem`` shows."""
        listing = self.listings.find(SELLER, place, sku)
        assert listing
        return Listing(sku, place, tuple(listing.channels), listing.quantity)

    def _send(self, sku: str, place: str, quantity: int) -> None:
        listing = self.listings.find(SELLER, place, sku)
        assert listing
        value = [{"fulfillment_channel_code": DEFAULT, "quantity": quantity}]
        apply(self.listings, listing, [{"op": "merge", "value": value}])
        sent = replace(self._known(sku, place), sent=quantity, sent_at=self.clock())
        others = [e for e in self.known[sku].listings if e.marketplace_id != place]
        closed = [sent if self.chance.random() < 0.5 else replace(sent, sent=None, sent_at=None)]
        self.known[sku] = replace(self.known[sku], listings=(*closed, *others))
        self.sent += 1


def test_no_quantity_is_sent_for_a_listing_that_amazon_fulfils() -> None:
    trap = Trap(SEED)
    for _ in range(STEPS):
        trap.step()
        assert trap.listings.violations == []
    assert trap.sent > STEPS / 100
    assert trap.stopped > STEPS / 1000, "flips between the decision and the update"
    FIGURES[f"FBA trap, seed {SEED}: steps"] = STEPS
    FIGURES[f"FBA trap, seed {SEED}: quantities sent"] = trap.sent
    FIGURES[f"FBA trap, seed {SEED}: stopped by the re-check"] = trap.stopped
    FIGURES[f"FBA trap, seed {SEED}: violations"] = len(trap.listings.violations)
