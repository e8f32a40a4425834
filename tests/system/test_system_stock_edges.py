"""Stock: what must not keep a quantity from Amazon, and what must not bring one there."""

from decimal import Decimal

import pytest
from stock_shop import DE, FR, NOW, StockShop

from amazon_bridge.engine.stock_records import SkuState
from amazon_bridge.flows.stock.tell import not_sent
from amazon_bridge.simulator import Line

MUG = "MUG-BLUE"


def offer(stock: StockShop, sku: str, amazons: int, on_hand: int) -> None:
    stock.offer(sku, amazons, FR)
    stock.product(sku, on_hand)


class TestReadingBack:
    def test_a_listing_that_amazon_refuses_to_show_stops_no_others(self, stock):
        for sku in ("NO", "B"):
            offer(stock, sku, 9, 4)
        stock.sync()
        stock.pass_time(minutes=16)
        stock.here.simulator.faults.add("400", "getListingsItem", times=None, path_contains="/NO")
        stock.product("B", 2)
        assert stock.sync()["notified"] == 1
        assert stock.amazons("B")[FR] == 2

    def test_an_equal_quantity_proves_nothing_about_the_other_marketplaces(self, stock):
        stock.offer(MUG, 12)
        stock.product(MUG, 12)
        stock.sync()
        stock.offer(MUG, 5, FR)  # somebody changes it in one marketplace
        stock.product(MUG, 5)
        stock.sync()
        assert stock.state(MUG) is SkuState.DUE
        stock.sync()
        assert stock.amazons(MUG) == {FR: 5, DE: 5}


def test_decreases_are_sent_while_amazon_does_not_show_open_orders(stock):
    offer(stock, MUG, 9, 4)
    offer(stock, "MORE", 3, 8)
    stock.here.simulator.faults.add("response", "searchOrders", status=503, times=None)
    stock.here.bridge.sync("stock")  # requests the report of listings
    stock.pass_time(minutes=5)
    counts = stock.here.bridge.sync("stock")
    assert "searchOrders" in counts["error"]
    assert counts["notified"] == 1
    assert (stock.amazons(MUG)[FR], stock.amazons("MORE")[FR]) == (4, 3)
    assert stock.state("MORE") is SkuState.WAITING


class TestReports:
    def test_a_listing_that_a_report_lacks_is_still_updated(self, stock):
        for sku in ("A", "B"):
            offer(stock, sku, 9, 9)
        stock.settle()
        stock.here.world.listings.remove(stock.listing("A"))
        stock.pass_time(hours=7)
        stock.sync()
        stock.pass_time(minutes=5)
        stock.here.world.settings.listings_report_age = 3600
        stock.sync()  # reads a report without A
        stock.offer("A", 9, FR)
        stock.product("A", 2)
        stock.sync()
        assert stock.amazons("A")[FR] == 2

    def test_a_marketplace_without_listings_is_no_error(self, stock):
        offer(stock, MUG, 9, 9)
        stock.settle()
        stock.pass_time(hours=7)
        for _ in range(3):
            assert stock.sync() == {}
            stock.pass_time(minutes=5)

    def test_listings_are_found_within_the_hour_after_a_cancelled_report(self, stock):
        assert stock.sync() == {}
        stock.pass_time(minutes=5)
        offer(stock, MUG, 9, 4)
        for _ in range(14):
            stock.pass_time(minutes=5)
            stock.sync()
        assert stock.amazons(MUG)[FR] == 4

    def test_contents_of_a_report_that_are_hours_old_replace_nothing_newer(self, stock):
        stock.here.world.settings.listings_report_age = 24 * 3600
        offer(stock, MUG, 5, 12)
        stock.settle()
        assert stock.amazons(MUG)[FR] == 12
        stock.pass_time(hours=5, minutes=20)
        stock.sync()
        stock.pass_time(minutes=2)
        stock.product(MUG, 5)
        stock.sync()  # reads a report that says 5
        assert stock.amazons(MUG)[FR] == 5

    def test_a_marketplace_that_is_not_configured_any_more_gets_nothing(self, stock):
        stock.offer(MUG, 12)
        stock.product(MUG, 12)
        stock.settle()
        with stock.here.bridge.configured(stock=NOW, marketplaces=[FR]):
            stock.product(MUG, 3)
            stock.settle()
        assert stock.amazons(MUG) == {FR: 3, DE: 12}


class TestQuantities:
    def test_units_in_flight_count_where_one_marketplace_maps_the_sku(self, here, tmp_path):
        header = "marketplace,code,internal_reference,units\n"
        (tmp_path / "map.csv").write_text(f"{header}DE,SET-DE,{MUG},2\n")
        with here.bridge.configured(stock=NOW, product_map=str(tmp_path / "map.csv")):
            stock = StockShop(here)
            offer(stock, MUG, 10, 10)
            stock.settle()
            here.world.place_order(
                DE, (Line(sku="SET-DE", quantity=1, price=Decimal(20)),), status="PENDING"
            )
            here.run("orders")
            stock.settle()
            assert stock.amazons(MUG)[FR] == 8

    @pytest.mark.parametrize("entry", [f"DE,{MUG},MUG-RED,1", f"DE,{MUG},{MUG},2"])
    def test_a_sku_that_marketplaces_map_differently_is_not_sent(self, here, tmp_path, entry):
        header = "marketplace,code,internal_reference,units\n"
        (tmp_path / "map.csv").write_text(f"{header}{entry}\n")
        with here.bridge.configured(stock=NOW, product_map=str(tmp_path / "map.csv")):
            stock = StockShop(here)
            stock.offer(MUG, 10)
            for sku, on_hand in ((MUG, 4), ("MUG-RED", 6)):
                stock.product(sku, on_hand)
            stock.settle()
            assert not stock.patches()
            (pending,) = not_sent(here.bridge.app.ledger, "acme", 10).items
            assert "different products or units" in pending.note


def test_skus_without_a_product_do_not_loosen_the_brake(stock):
    for number in range(150):
        stock.offer(f"NO-PRODUCT-{number:03}", 5, FR)
    for number in range(24):
        offer(stock, f"SKU-{number:02}", 5, 5)
    stock.settle()
    for number in range(24):
        stock.product(f"SKU-{number:02}", 0)
    assert stock.sync() == {"quarantined": 24}


def test_a_held_sku_that_loses_its_product_is_not_pending(stock):
    for number in range(25):
        offer(stock, f"SKU-{number:02}", 5, 0)
    assert stock.sync() == {"quarantined": 25}
    stock.here.bridge.app.ledger.items.retry("SKU-00")
    (product,) = stock.here.shop.search("product.product", [("default_code", "=", "SKU-00")], [])
    stock.here.shop.rpc("product.product", "write", [product["id"]], {"default_code": "OTHER"})
    stock.sync()
    assert stock.state("SKU-00") is SkuState.NO_PRODUCT
    assert "SKU-00" not in stock.here.bridge.app.ledger.items.pending("acme", "stock")
