"""Stock: quantities that are not sent, refused, held by the brake, or lost."""

import pytest
from stock_shop import DE, FR, NOW, StockShop

from amazon_bridge.engine.stock_records import SkuState

pytestmark = pytest.mark.slow

MUG = "MUG-BLUE"
FR_ID, DE_ID = "A13V1IB3VIYZZH", "A1PA6795UKMFR9"


class TestFba:
    def test_an_fba_listing_is_never_updated(self, stock):
        stock.offer(MUG, channels={"AMAZON_EU": 9})
        stock.product(MUG, 12)
        assert stock.sync() == {}
        assert stock.state(MUG) is SkuState.UNPROVEN
        assert not stock.patches()

    def test_one_that_turns_to_fba_stops_at_once(self, settled):
        settled.offer(MUG, channels={"AMAZON_EU": 9})
        settled.product(MUG, 3)
        assert settled.sync() == {}
        assert settled.state(MUG) is SkuState.UNPROVEN
        assert not settled.here.world.listings.violations

    @pytest.mark.parametrize("country", [FR, DE])
    def test_one_that_turns_to_fba_in_one_of_the_sharing_marketplaces_stops(self, stock, country):
        stock.here.world.settings.shared_quantities = True
        stock.offer(MUG, 5)
        stock.product(MUG, 12)
        stock.settle()
        stock.listing(MUG, country).channels = {"AMAZON_EU": 5}
        stock.product(MUG, 4)
        assert stock.sync() == {}
        assert stock.here.world.listings.violations == []
        assert stock.state(MUG) is SkuState.UNPROVEN

    @pytest.mark.parametrize("country", [FR, DE])
    def test_one_that_turns_to_fba_in_one_of_separate_marketplaces_stops(self, settled, country):
        other = DE if country == FR else FR
        settled.listing(MUG, country).channels = {"AMAZON_EU": 5}
        settled.product(MUG, 7)
        settled.sync()
        assert settled.amazons(MUG)[other] == 12
        assert settled.state(MUG) is SkuState.UNPROVEN

    def test_one_that_turns_to_both_stops_too(self, settled):
        settled.offer(MUG, channels={"AMAZON_EU": 9, "DEFAULT": 12})
        settled.product(MUG, 3)
        assert settled.sync() == {}
        assert settled.amazons(MUG)[FR] == 12

    def test_fba_in_a_marketplace_that_the_quantity_may_reach_stops_the_sku(self, settled):
        settled.here.world.settings.shared_quantities = True
        first = settled.here.bridge.app.ledger.stock.known("acme", [MUG])[MUG].listings[0]
        other = DE if first.marketplace_id == FR_ID else FR
        for place in (FR_ID, DE_ID):
            settled.here.bridge.app.ledger.stock_catalogue._note("acme", place, is_separate=0)
        settled.listing(MUG, other).channels = {"AMAZON_EU": 3}
        settled.product(MUG, 4)
        assert settled.sync() == {}
        assert settled.state(MUG) is SkuState.UNPROVEN
        assert settled.listing(MUG, other).channels == {"AMAZON_EU": 3}

    def test_both_at_once_are_updated_where_configured(self, here):
        with here.bridge.configured(stock={**NOW, "both": [MUG]}):
            stock = StockShop(here, (FR,))
            stock.offer(MUG, channels={"AMAZON_EU": 9, "DEFAULT": 5}, both=True)
            stock.product(MUG, 3)
            assert stock.sync() == {"notified": 1}
            assert stock.amazons(MUG) == {FR: 3}

    def test_a_listing_without_a_product_is_never_updated(self, stock):
        stock.offer("NO-SUCH-PRODUCT", 5)
        assert stock.sync() == {}
        assert stock.state("NO-SUCH-PRODUCT") is SkuState.NO_PRODUCT

    def test_a_product_whose_stock_is_not_counted_is_never_updated(self, stock):
        stock.offer("UNCOUNTED", 5)
        values = {"name": "U", "default_code": "UNCOUNTED", "is_storable": False}
        stock.here.shop.rpc("product.product", "create", values)
        assert stock.sync() == {}
        assert stock.state("UNCOUNTED") is SkuState.NOT_COUNTED

    def test_a_listing_that_vanishes_is_named(self, settled):
        for country in (FR, DE):
            settled.here.world.listings.remove(settled.listing(MUG, country))
        settled.product(MUG, 3)
        assert settled.sync() == {}
        assert settled.state(MUG) is SkuState.VANISHED
        assert settled.sync() == {}
        assert settled.state(MUG) is SkuState.VANISHED


class TestRefusals:
    def test_a_refusal_is_quarantined_until_something_changes(self, settled):
        for country in (FR, DE):
            settled.listing(MUG, country).refusal = "The brand is restricted."
        settled.product(MUG, 3)
        assert settled.sync() == {"quarantined": 1}
        (entry,) = settled.here.bridge.quarantine("stock").values()
        assert (entry.key, entry.kind) == (MUG, "stock_refused")
        assert "The brand is restricted" in (entry.reason or "")
        (event,) = settled.here.bridge.logged("stock_quarantined")
        assert (event["account"], event["key"], event["kind"]) == ("acme", MUG, "stock_refused")
        assert event["reason"] == entry.reason
        settled.product(MUG, 3)
        assert settled.sync() == {}
        settled.product(MUG, 2)
        assert settled.sync() == {"quarantined": 1}

    def test_a_marketplace_that_refuses_does_not_keep_the_others_from_it(self, stock):
        stock.here.world.settings.shared_quantities = True
        stock.offer(MUG, 5)
        stock.product(MUG, 12)
        stock.settle()  # one is sent for both
        stock.here.world.settings.shared_quantities = False
        first, second = stock.here.bridge.app.ledger.stock.known("acme", [MUG])[MUG].listings
        countries = {"A13V1IB3VIYZZH": FR, "A1PA6795UKMFR9": DE}
        stock.listing(MUG, countries[first.marketplace_id]).refusal = "The brand is restricted."
        stock.product(MUG, 0)
        assert stock.sync() == {"notified": 1, "quarantined": 1}
        assert stock.amazons(MUG)[countries[second.marketplace_id]] == 0
        assert stock.sync() == {}

    def test_a_sku_without_a_response_for_a_day_is_quarantined(self, settled):
        settled.product(MUG, 3)
        faults = settled.here.simulator.faults
        faults.add("response", "patchListingsItem", status=500, times=None)
        for _ in range(3):
            settled.here.bridge.sync("stock")
            settled.pass_time(hours=13)
        (entry,) = settled.here.bridge.quarantine("stock").values()
        assert (entry.key, entry.kind) == (MUG, "keeps_failing")

    def test_a_retried_refusal_is_sent_again(self, settled):
        for country in (FR, DE):
            settled.listing(MUG, country).refusal = "The brand is restricted."
        settled.product(MUG, 3)
        settled.sync()
        for country in (FR, DE):
            settled.listing(MUG, country).refusal = None
        settled.here.bridge.app.ledger.items.retry()
        settled.settle()
        assert settled.amazons(MUG) == {FR: 3, DE: 3}
        assert not settled.here.bridge.quarantine("stock")
        assert not settled.here.bridge.app.ledger.items.pending("acme", "stock")


class TestBrake:
    @pytest.fixture
    def many(self, stock: StockShop) -> StockShop:
        """Thirty SKUs of which each has some."""
        for number in range(30):
            stock.offer(f"SKU-{number:02}", 5, FR)
            stock.product(f"SKU-{number:02}", 5)
        stock.settle()
        return stock

    def empty(self, stock: StockShop, number: int, on_hand: int = 0) -> None:
        for each in range(number):
            stock.product(f"SKU-{each:02}", on_hand)

    def test_holds_what_looks_like_a_mistake(self, many):
        self.empty(many, 25)
        assert many.sync() == {"quarantined": 25}
        assert {e.kind for e in many.here.bridge.quarantine("stock").values()} == {"held"}
        assert many.amazons("SKU-00")[FR] == 5
        assert many.sync() == {}

    def test_lets_some_decrease(self, many):
        self.empty(many, 20)
        assert many.sync() == {"notified": 20}

    def test_counts_those_that_are_held(self, many):
        self.empty(many, 25)
        many.sync()
        many.product("SKU-29", 0)
        assert many.sync() == {"quarantined": 1}

    def test_a_person_releases_them(self, many):
        self.empty(many, 25)
        many.sync()
        many.here.bridge.app.ledger.items.retry()
        assert many.sync() == {"notified": 25}
        assert many.amazons("SKU-00")[FR] == 0
        assert not many.here.bridge.quarantine("stock")

    def test_they_are_released_when_goods_are_there_again(self, many):
        self.empty(many, 25)
        many.sync()
        self.empty(many, 25, on_hand=4)
        assert many.sync() == {"notified": 25}
        many.settle()
        assert not many.here.bridge.quarantine("stock")


class TestReadingBack:
    def test_an_update_that_had_no_effect_is_sent_again(self, settled):
        settled.product(MUG, 3)
        settled.sync()
        settled.offer(MUG, 12)  # somebody else has set it back
        settled.pass_time(minutes=16)
        settled.sync()
        assert settled.amazons(MUG) == {FR: 3, DE: 3}
        assert settled.here.bridge.app.ledger.stock_comparisons.progress("acme").drifts

    def test_updates_that_take_effect_late_are_waited_for(self, stock):
        settings = stock.here.world.settings
        settings.listing_delay_shortest = settings.listing_delay_longest = 600
        stock.offer(MUG, 5, FR)
        stock.product(MUG, 3)
        assert stock.sync() == {"notified": 1}
        stock.pass_time(minutes=5)
        assert stock.sync() == {}
        stock.pass_time(minutes=11)
        assert stock.sync() == {}
        assert stock.state(MUG) is SkuState.EQUAL

    def test_a_quantity_that_amazon_leaves_out_at_zero_is_sent_once(self, settled):
        settled.product(MUG, 0)
        settled.sync()
        for country in (FR, DE):
            settled.listing(MUG, country).channels = {"DEFAULT": None}
        settled.settle()
        sent = len(settled.patches())
        settled.settle()
        assert len(settled.patches()) == sent


class TestLosses:
    def test_a_lost_state_store_zeroes_nothing_and_sends_what_differs(self, settled):
        settled.here.bridge.forget()
        assert settled.sync() == {}
        settled.here.bridge.forget()
        settled.product(MUG, 3)
        settled.settle()
        assert settled.amazons(MUG) == {FR: 3, DE: 3}

    def test_nothing_is_sent_while_odoo_is_down(self, settled):
        before = settled.calls()
        settled.here.odoo.silent_on = "stock"
        counts = settled.here.bridge.sync("stock")
        assert "error" in counts
        assert settled.calls() == before
