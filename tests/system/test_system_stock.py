"""Stock: Amazon gets the quantity that can be shipped."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from memory_shop import MemoryShop
from stock_shop import DE, FR, NOW, StockShop

from amazon_bridge.engine.stock_records import SkuState
from amazon_bridge.flows.stock.tell import not_sent
from amazon_bridge.simulator import Line, Seller

MUG = "MUG-BLUE"


def another_account(here: MemoryShop, **settings: Any) -> Seller:
    """A second seller in the same warehouse, which also has the location WH/Depot."""
    shelf = here.shop.database.reference("stock.stock_location_stock")
    (row,) = here.shop.rpc("stock.location", "read", [shelf], ["location_id"])
    values = {"name": "Depot", "location_id": row["location_id"][0], "usage": "internal"}
    here.shop.rpc("stock.location", "create", values)
    seller = here.world.add_seller("A1ANOTHER", ["FR"])
    here.program.add_account(seller, name="other", **{"stock": NOW, **settings})
    return seller


class TestSending:
    def test_one_marketplace_is_sent_and_the_other_if_it_was_not_reached(self, stock):
        stock.offer(MUG, 5)
        stock.product(MUG, 12)
        assert stock.sync() == {"notified": 1}
        assert stock.amazons(MUG) == {FR: 12, DE: 5}
        stock.pass_time(minutes=16)
        assert stock.sync() == {"notified": 1}
        assert stock.amazons(MUG) == {FR: 12, DE: 12}

    def test_marketplaces_that_are_separate_are_updated_at_once_from_then_on(self, settled):
        settled.product(MUG, 3)
        assert settled.sync() == {"notified": 2}
        assert settled.amazons(MUG) == {FR: 3, DE: 3}

    def test_marketplaces_that_share_are_updated_once(self, stock):
        stock.here.world.settings.shared_quantities = True
        stock.offer(MUG, 5)
        stock.product(MUG, 12)
        assert stock.sync() == {"notified": 1}
        stock.pass_time(minutes=16)
        assert stock.sync() == {}
        assert stock.amazons(MUG) == {FR: 12, DE: 12}

    def test_an_unchanged_run_makes_no_call_to_amazon(self, settled):
        before = settled.calls()
        assert settled.sync() == {}
        assert settled.calls() == before

    def test_a_change_in_odoo_is_sent_in_the_next_run(self, settled):
        settled.product(MUG, 4)
        settled.sync()
        assert settled.amazons(MUG)[FR] == 4

    def test_a_higher_quantity_waits(self, here):
        with here.bridge.configured(stock={"push": True}):
            stock = StockShop(here)
            stock.offer(MUG, 5)
            stock.product(MUG, 12)
            assert stock.sync() == {}
            assert stock.state(MUG) is SkuState.WAITING
            stock.pass_time(minutes=9)
            assert stock.sync() == {}
            stock.pass_time(minutes=2)
            assert stock.sync() == {"notified": 1}

    def test_what_was_sold_meanwhile_needs_no_update(self, settled):
        """Amazon has lowered its count itself."""
        order = settled.here.world.place_order(FR, (Line(sku=MUG, quantity=2),))
        settled.offer(MUG, 10)
        settled.here.run("orders")
        assert settled.here.shop.sale_order(order)
        assert settled.sync() == {}
        assert settled.state(MUG) is SkuState.EQUAL

    def test_decreases_to_zero_are_sent_first(self, stock):
        for number in range(4):
            stock.offer(f"SKU-{number}", 9, FR)
            stock.product(f"SKU-{number}", (3, 0, 12, 2)[number])
        stock.sync()
        patched = [each.path.rpartition("/")[2] for each in stock.patches()]
        assert patched[0] == "SKU-1"
        assert patched[-1] == "SKU-2"

    def test_a_lead_time_is_sent_only_if_configured(self, here):
        with here.bridge.configured(stock={**NOW, "lead_time": 4}):
            stock = StockShop(here)
            stock.offer(MUG, 5, lead_time=2)
            stock.product(MUG, 3)
            stock.sync()
            assert stock.listing(MUG).lead_time == 4

    def test_a_lead_time_is_kept(self, settled):
        settled.listing(MUG).lead_time = 2
        settled.product(MUG, 3)
        settled.sync()
        assert (settled.listing(MUG).lead_time, settled.listing(MUG).quantity) == (2, 3)


class TestQuantities:
    def test_units_in_flight_are_subtracted(self, settled):
        settled.here.world.place_order(FR, (Line(sku=MUG, quantity=2),), status="PENDING")
        settled.here.run("orders")
        settled.sync()
        assert settled.amazons(MUG)[FR] == 10

    def test_units_in_flight_of_an_order_that_lapses_come_back(self, settled):
        world = settled.here.world
        order = world.place_order(FR, (Line(sku=MUG, quantity=2),), status="PENDING")
        settled.here.run("orders")
        settled.sync()
        world.lapse(order.order_id)
        settled.pass_time(minutes=5)
        settled.here.run("orders")
        settled.settle()
        assert settled.amazons(MUG)[FR] == 12

    def test_a_pack_and_its_single_share_what_is_in_flight(self, here, tmp_path):
        (tmp_path / "map.csv").write_text("code,internal_reference,units\nMUG-2PK,MUG-BLUE,2\n")
        with here.bridge.configured(stock=NOW, product_map=str(tmp_path / "map.csv")):
            stock = StockShop(here, (FR,))
            stock.offer(MUG, 0)
            stock.offer("MUG-2PK", 0)
            stock.product(MUG, 11)
            stock.settle()
            assert stock.amazons(MUG) == {FR: 11}
            assert stock.amazons("MUG-2PK") == {FR: 5}
            pack = Line(sku="MUG-2PK", quantity=2, price=Decimal(20))
            here.world.place_order(FR, (pack,), status="PENDING")
            here.run("orders")
            stock.settle()
            assert stock.amazons(MUG) == {FR: 7}
            assert stock.amazons("MUG-2PK") == {FR: 3}

    def test_kits_have_what_their_components_allow(self, stock):
        cup, saucer = stock.product("CUP", 10), stock.product("SAUCER", 15)
        stock.kit("CUP-SET", {cup: 1, saucer: 2})
        stock.offer("CUP-SET", 1, FR)
        stock.settle()
        assert stock.amazons("CUP-SET")[FR] == 7
        stock.have(cup, 3)
        stock.sync()
        assert stock.amazons("CUP-SET")[FR] == 3

    def test_cap_buffer_and_share(self, here):
        config = {**NOW, "buffer": {"units": 1, "percent": 10}, "share": 50, "cap": 7}
        with here.bridge.configured(stock=config):
            stock = StockShop(here, (FR,))
            for sku, on_hand in (("A", 10), ("B", 100)):
                stock.offer(sku, 0)
                stock.product(sku, on_hand)
            stock.settle()
            assert (stock.amazons("A"), stock.amazons("B")) == ({FR: 3}, {FR: 7})

    def test_single_skus_may_be_pushed_alone(self, here, tmp_path):
        (tmp_path / "skus.csv").write_text("sku,push,cap\nA,true,4\n")
        config = {"raise_after": "1s", "skus": str(tmp_path / "skus.csv")}
        with here.bridge.configured(stock=config):
            stock = StockShop(here, (FR,))
            for sku in ("A", "B"):
                stock.offer(sku, 1)
                stock.product(sku, 9)
            stock.settle()
            assert (stock.amazons("A"), stock.amazons("B")) == ({FR: 4}, {FR: 1})


class TestOthersInFlight:
    @pytest.fixture
    def both(self, here: MemoryShop, tmp_path: Path) -> Iterator[StockShop]:
        """A pack that isn't pushed, and its single mug, which is."""
        (tmp_path / "map.csv").write_text("code,internal_reference,units\nMUG-2PK,MUG-BLUE,2\n")
        (tmp_path / "skus.csv").write_text("sku,push\nMUG-2PK,false\n")
        config = {**NOW, "skus": str(tmp_path / "skus.csv")}
        with here.bridge.configured(stock=config, product_map=str(tmp_path / "map.csv")):
            stock = StockShop(here, (FR,))
            stock.offer(MUG, 0)
            stock.offer("MUG-2PK", 3)
            stock.product(MUG, 11)
            stock.settle()
            yield stock

    def test_units_of_a_sku_that_is_not_pushed_count(self, both):
        pack = Line(sku="MUG-2PK", quantity=2, price=Decimal(20))
        order = both.here.world.place_order(FR, (pack,), status="PENDING")
        both.here.run("orders")
        assert both.sync() == {"notified": 1}
        assert both.amazons(MUG) == {FR: 7}
        both.here.world.lapse(order.order_id)
        both.pass_time(minutes=5)
        both.here.run("orders")
        both.settle()
        assert both.amazons(MUG) == {FR: 11}

    def test_units_without_a_sku_let_nothing_increase(self, settled):
        line = Line(sku=None, asin="B0NOSKU001", price=Decimal(9))
        order = settled.here.world.place_order(FR, (line,), status="PENDING")
        settled.here.run("orders")
        settled.product(MUG, 20)
        settled.settle()
        assert settled.amazons(MUG) == {FR: 12, DE: 12}
        listed = not_sent(settled.here.bridge.app.ledger, "acme", 20).items
        assert {each.key for each in listed} == {MUG, order.order_id}
        settled.here.world.lapse(order.order_id)
        settled.pass_time(minutes=5)
        settled.here.run("orders")
        settled.settle()
        assert settled.amazons(MUG) == {FR: 20, DE: 20}

    @pytest.mark.parametrize(
        ("settings", "quantity"),
        [
            ({}, 9),
            ({"warehouse": "WH"}, 9),
            ({"company": "My Company"}, 9),
            ({"stock": {**NOW, "locations": ["WH/Stock"]}}, 9),
            ({"stock": {**NOW, "locations": ["WH"]}}, 9),
            ({"stock": {**NOW, "locations": ["WH/Depot"]}}, 12),
        ],
    )
    def test_units_of_another_account_with_the_same_stock_count(self, here, settings, quantity):
        """However the configuration names it."""
        other = another_account(here, **settings)
        with here.bridge.configured(stock=NOW):
            stock = StockShop(here, (FR,))
            stock.offer(MUG, 5)
            stock.product(MUG, 12)
            stock.settle()
            here.world.place_order(FR, (Line(sku=MUG, quantity=3),), status="PENDING", seller=other)
            here.clock.advance(minutes=5)
            here.bridge.sync("orders", account="other")
            stock.sync()
            assert stock.amazons(MUG) == {FR: quantity}

    @pytest.mark.parametrize(("location", "quantity"), [("WH/Stock", 12), ("WH/Depot", 20)])
    def test_units_without_a_sku_of_another_account_with_the_same_stock_let_nothing_increase(
        self, here, location, quantity
    ):
        other = another_account(here, stock={**NOW, "locations": [location]})
        with here.bridge.configured(stock=NOW):
            stock = StockShop(here, (FR,))
            stock.offer(MUG, 5)
            stock.product(MUG, 12)
            stock.settle()
            line = Line(sku=None, asin="B0NOSKU001", price=Decimal(9))
            here.world.place_order(FR, (line,), status="PENDING", seller=other)
            here.clock.advance(minutes=5)
            for account in ("other", "acme"):
                here.bridge.sync("orders", account=account)
            stock.product(MUG, 20)
            stock.settle()
            assert stock.amazons(MUG) == {FR: quantity}
