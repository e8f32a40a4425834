"""Many quantities at once: feeds that are processed, fail, get stuck, or are lost."""

from collections.abc import Iterator, Sequence

import pytest
from memory_shop import MemoryShop
from stock_shop import DE, FR, NOW, StockShop

from amazon_bridge.engine.stock_records import KnownListing, SkuState
from amazon_bridge.flows.stock import run

pytestmark = [pytest.mark.odoo("in memory"), pytest.mark.slow]

PLACES = {FR: "A13V1IB3VIYZZH", DE: "A1PA6795UKMFR9"}
ON_HAND = {"A": 3, "B": 0, "C": 8, "D": 4}


@pytest.fixture
def stock(here: MemoryShop, monkeypatch: pytest.MonkeyPatch) -> Iterator[StockShop]:
    """Four SKUs to be sent, which is more than are sent one by one here."""
    monkeypatch.setattr(run, "_SINGLY", 2)
    here.world.settings.shared_quantities = True
    with here.bridge.configured(stock=NOW):
        stock = StockShop(here)
        for sku, quantity in ON_HAND.items():
            stock.offer(sku, 12)
            stock.product(sku, quantity)
        yield stock


def settle(stock: StockShop, runs: int = 5) -> None:
    for _ in range(runs):
        stock.pass_time(minutes=16)
        stock.here.run("orders")
        stock.sync()


def patched(stock: StockShop) -> list[str]:
    return [each.path.rpartition("/")[2] for each in stock.patches()]


def listings(stock: StockShop, sku: str) -> Sequence[KnownListing]:
    """What the state store has of a SKU."""
    return stock.here.bridge.app.ledger.stock.known("acme", [sku])[sku].listings


def amazons(stock: StockShop) -> dict[str, int | None]:
    found = {sku: stock.amazons(sku) for sku in ON_HAND}
    assert all(each[FR] == each[DE] for each in found.values())
    return {sku: each[FR] for sku, each in found.items()}


def test_a_feed_is_processed_and_read_back(stock):
    assert stock.sync() == {"notified": 4}
    assert len(stock.here.bridge.received("createFeed")) == 1
    assert patched(stock) == ["B"], "what is sold out does not wait for a feed"
    assert stock.state("A") is SkuState.SENT
    settle(stock)
    assert amazons(stock) == ON_HAND
    assert {stock.state(sku) for sku in ON_HAND} == {SkuState.EQUAL}
    assert len(stock.here.bridge.received("createFeed")) == 1


def test_a_sku_in_an_open_feed_is_not_patched(stock):
    stock.here.world.settings.feed_work_time = 3600
    stock.sync()
    stock.product("A", 1)
    stock.pass_time(minutes=10)
    assert stock.sync() == {}
    assert patched(stock) == ["B"]
    stock.pass_time(minutes=60)
    settle(stock)
    assert amazons(stock) == {**ON_HAND, "A": 1}


def test_a_refused_message_is_quarantined_and_the_others_are_done(stock):
    for country in (FR, DE):
        stock.listing("A", country).refusal = "You need approval."
    stock.sync()
    settle(stock)
    assert amazons(stock) == {**ON_HAND, "A": 12}
    [entry] = stock.here.bridge.quarantine("stock").values()
    assert (entry.key, entry.kind) == ("A", "stock_refused")
    assert "You need approval" in (entry.reason or "")
    sent = len(stock.here.bridge.received("createFeed")) + len(stock.patches())
    settle(stock)
    assert len(stock.here.bridge.received("createFeed")) + len(stock.patches()) == sent


def test_a_refused_message_says_nothing_about_other_marketplaces(stock):
    """Here each marketplace has a quantity, and a feed, of its own."""
    stock.here.world.settings.shared_quantities = False
    catalogue = stock.here.bridge.app.ledger.stock_catalogue
    for place in PLACES.values():
        catalogue.note_separate("acme", place)
    stock.listing("A", FR).refusal = "You need approval."
    stock.sync()
    stock.pass_time(minutes=2)
    stock.sync()
    open_ = {each.marketplace_id: each.sent for each in listings(stock, "A") if each.is_open}
    assert open_ == {PLACES[DE]: 3}


def test_a_listing_that_amazon_does_not_show_says_nothing_about_other_marketplaces(stock):
    stock.sync()
    settle(stock, runs=1)  # the feed is processed
    stock.here.simulator.faults.add("400", "getListingsItem", path_contains="/A")
    stock.pass_time(minutes=16)
    stock.sync()
    french, german = listings(stock, "A")
    assert (french.marketplace_id, german.marketplace_id) == (PLACES[FR], PLACES[DE])
    assert (german.is_open, german.quantity) == (False, 3)


def test_after_a_refused_feed_it_is_known_what_amazon_has(stock):
    """As when the rate doesn't allow a feed: nothing was sent."""
    stock.here.simulator.faults.add("429", "createFeed", times=None)
    stock.here.bridge.sync("stock")
    stock.pass_time(minutes=5)
    stock.here.bridge.sync("stock")
    assert not stock.here.bridge.app.ledger.stock.unclear("acme")
    assert [each.expected for each in listings(stock, "A")] == [12, 12]
    assert not stock.here.bridge.app.ledger.stock_catalogue.open_feeds("acme")


def test_another_quantity_than_the_refused_one_is_sent(stock):
    """Also if it changes while the feed is under way."""
    listings = [stock.listing("A", country) for country in (FR, DE)]
    for listing in listings:
        listing.refusal = "Not so few."
    stock.sync()
    stock.product("A", 0)
    stock.pass_time(seconds=30)
    stock.sync()
    stock.pass_time(minutes=2)
    stock.here.simulator.settle()
    for listing in listings:
        listing.refusal = None
    settle(stock)
    assert amazons(stock)["A"] == 0
    assert not stock.here.bridge.quarantine("stock")


@pytest.mark.parametrize(("fate", "done"), [("FATAL", 1), ("FATAL", 0), ("CANCELLED", None)])
def test_the_quantities_of_a_failed_feed_are_sent_again(stock, fate, done):
    stock.here.simulator.feeds.fates.append((fate, done))
    stock.sync()
    stock.pass_time(minutes=5)
    assert "has not processed 3 quantities" in stock.here.bridge.sync("stock")["error"]
    settle(stock)
    assert amazons(stock) == ON_HAND


def test_a_stuck_feed_does_not_keep_on_sale_what_is_sold_out(stock):
    stock.here.simulator.feeds.fates.append(("STUCK", None))
    stock.sync()
    stock.product("A", 0)
    stock.pass_time(hours=1)
    stock.sync()
    assert amazons(stock)["A"] == 12
    stock.pass_time(hours=1, minutes=5)
    stock.sync()
    assert amazons(stock)["A"] == 0
    settle(stock)
    assert amazons(stock) == {**ON_HAND, "A": 0}


def test_a_stuck_feed_that_is_processed_after_all_does_no_harm(stock):
    """It overwrites what was sent since: that is read back and sent again."""
    stock.here.world.settings.stuck_feed_time = 4 * 3600
    stock.here.simulator.feeds.fates.append(("STUCK", None))
    stock.product("A", 5)
    stock.sync()
    stock.product("A", 0)
    stock.pass_time(hours=2, minutes=5)
    settle(stock)
    assert amazons(stock)["A"] == 0
    stock.pass_time(hours=3)
    settle(stock)
    assert amazons(stock) == {**ON_HAND, "A": 0}


def test_a_feed_whose_id_was_lost_is_found_out_about(stock):
    stock.here.simulator.faults.add("reset", "createFeed", after_work=True)
    counts = stock.here.bridge.sync("stock")
    while "resume_in" in counts:
        stock.pass_time(seconds=counts["resume_in"])
        counts = stock.here.bridge.sync("stock")
    assert "error" in counts
    stock.pass_time(minutes=31)
    settle(stock)
    assert amazons(stock) == ON_HAND


def test_a_feed_whose_id_was_lost_is_waited_for_while_it_may_be_pending(stock):
    """Otherwise it would overwrite what is sent since."""
    stock.here.world.settings.feed_work_time = 3600
    stock.here.simulator.faults.add("reset", "createFeed", after_work=True)
    counts = stock.here.bridge.sync("stock")
    while "resume_in" in counts:
        stock.pass_time(seconds=counts["resume_in"])
        counts = stock.here.bridge.sync("stock")
    stock.product("A", 1)
    stock.pass_time(minutes=40)
    assert stock.sync() == {}
    stock.pass_time(minutes=21)
    stock.here.world.settings.feed_work_time = 60
    settle(stock)
    assert amazons(stock) == {**ON_HAND, "A": 1}


def test_an_fba_sku_is_in_no_feed(stock):
    stock.offer("FBA", channels={"AMAZON_EU": 5})
    stock.product("FBA", 7)
    stock.sync()
    settle(stock)
    assert stock.here.world.listings.violations == []
