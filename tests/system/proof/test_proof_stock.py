"""Units oversold with the bridge's quantities and with a naive pusher's, before the same buyers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from figures import FIGURES, SEED, scaled
from market import AMAZONS, COUNTRIES, SKUS, Market, Plan, Score, opened

from amazon_bridge.flows.stock import run
from amazon_bridge.simulator.inventory import DEFAULT
from amazon_bridge.simulator.updates import apply

pytestmark = pytest.mark.slow
MINUTES = scaled(2 * 60, 7 * 24 * 60)
HALF = scaled(2 * 60, 7 * 12 * 60)
"""Minutes for each of two seeds: in a few hours, one may offer only a unit or two twice."""
SEEDS = (SEED, SEED + 1)
BUFFER = 2

Push = Callable[[], None]


class NaivePusher:
    """Sends Odoo's ``free_qty`` of every product that is listed, whenever it changes."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.sent: dict[str, int] = {}

    def __call__(self) -> None:
        for sku in (*SKUS, *AMAZONS):
            free = max(0, self.market.free(sku))
            if self.sent.get(sku) != free:
                self._send(sku, free)

    def _send(self, sku: str, quantity: int) -> None:
        """What Amazon does with an accepted update of a quantity."""
        listings, seller = self.market.here.world.listings, self.market.here.seller
        value = [{"fulfillment_channel_code": DEFAULT, "quantity": quantity}]
        listing = listings.get(seller.seller_id, sku, COUNTRIES[0])
        apply(listings, listing, [{"op": "merge", "value": value}])
        self.sent[sku] = quantity
        self.market.score.updates += 1


class Bridge:
    """The job ``stock``."""

    def __init__(self, market: Market) -> None:
        self.market = market

    def __call__(self) -> None:
        bridge = self.market.here.bridge
        counts = bridge.sync("stock")
        assert "error" not in counts, bridge.logged("internal_error") or counts
        self.market.score.updates += counts.get("notified", 0)


class BridgeWithFeeds(Bridge):
    """One feed in ten gets stuck for hours."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        market.here.world.settings.stuck_feeds = 0.1


def play(
    folder: Path,
    pusher: Callable[[Market], Push],
    plan: Plan,
    minutes: int,
    seed: int = SEED,
    **stock: object,
) -> Score:
    with opened(folder, plan, seed, **stock) as market:
        push = pusher(market)
        market.play(minutes, push)
        return market.settle(push)


def play_seeds(folder: Path, pusher: Callable[[Market], Push], **stock: object) -> Score:
    """The sum of the markets of all seeds."""
    folder.mkdir()
    total = Counter[str]()
    for seed in SEEDS:
        plan = Plan.drawn(seed, HALF)
        score = play(folder / str(seed), pusher, plan, HALF, seed, **stock)
        report(folder.name, score, HALF, seed)
        total.update(vars(score))
    return Score(**total)


def report(what: str, score: Score, minutes: int, seed: int = SEED) -> None:
    for name, number in vars(score).items():
        FIGURES[f"stock, seed {seed}, {minutes} min, {what}: {name}"] = number


def test_what_nobody_has_left_is_not_offered_as_by_a_naive_pusher(tmp_path: Path) -> None:
    """That is what a quantity can prevent: other channels may take what an order already has."""
    naive = play_seeds(tmp_path / "naive", NaivePusher)
    assert naive.violations > 0
    for buffer in (0, BUFFER):
        ours = play_seeds(tmp_path / f"ours, buffer {buffer}", Bridge, push=True, buffer=buffer)
        assert ours.violations == 0
        assert ours.offered_twice < naive.offered_twice
        assert ours.offered_twice <= 1 + naive.offered_twice / 4
        assert ours.oversold <= ours.offered_twice + ours.taken
        assert ours.sold > naive.sold / 2


def test_nothing_is_oversold_where_the_buffer_covers_what_is_sold_elsewhere(
    tmp_path: Path,
) -> None:
    plan = Plan.drawn(SEED, MINUTES, most_elsewhere=BUFFER)
    ours = play(tmp_path / "ours", Bridge, plan, MINUTES, push=True, buffer=BUFFER)
    report(f"at most {BUFFER} elsewhere, buffer {BUFFER}", ours, MINUTES)
    assert (ours.oversold, ours.offered_twice, ours.violations) == (0, 0, 0)
    assert ours.sold > 0


def test_hardly_anything_is_oversold_where_only_amazon_sells(tmp_path: Path) -> None:
    """An order placed in the minutes before an increase is not known yet when it is sent."""
    plan = Plan.drawn(SEED, MINUTES, most_elsewhere=0)
    ours = play(tmp_path / "ours", Bridge, plan, MINUTES, push=True)
    report("nothing elsewhere", ours, MINUTES)
    assert ours.violations == 0
    assert max(ours.oversold, ours.offered_twice) <= 1 + ours.sold / 100


def test_feeds_that_get_stuck_do_not_keep_what_is_sold_out_on_sale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing flips here: what feeds send is proven by a report, which may be hours old."""
    monkeypatch.setattr(run, "_SINGLY", 2)
    plan = replace(Plan.drawn(SEED, MINUTES), flips={})
    ours = play(tmp_path / "ours", BridgeWithFeeds, plan, MINUTES, push=True)
    report("by feeds, one in ten stuck", ours, MINUTES)
    assert ours.violations == 0
    assert ours.offered_twice <= ours.sold / 10
