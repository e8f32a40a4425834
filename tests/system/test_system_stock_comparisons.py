"""Stock: which SKUs a run compares, and how an interrupted comparison continues."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from memory_shop import MemoryShop
from stock_shop import FR, NOW, StockShop

from amazon_bridge.engine.stock_records import SkuState
from amazon_bridge.flows.stock import find
from amazon_bridge.flows.stock.quantities import Quantities
from amazon_bridge.simulator import Line

pytestmark = pytest.mark.odoo("in memory")

SKUS = [f"SKU-{number}" for number in range(6)]


@pytest.fixture
def stock(here: MemoryShop, monkeypatch: pytest.MonkeyPatch) -> Iterator[StockShop]:
    """Six SKUs, compared by twos, of which Amazon has the right quantity 5."""
    monkeypatch.setattr(find, "PAGE", 2)
    with here.bridge.configured(stock=NOW):
        stock = StockShop(here, (FR,))
        for sku in SKUS:
            stock.offer(sku, 5)
            stock.product(sku, 5)
        stock.settle()
        yield stock


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SKUs whose quantities are computed from Odoo, in their sequence."""
    skus: list[str] = []
    compute = Quantities.of

    def of(self: Quantities, marketplaces: dict[str, Any]) -> Any:
        found = compute(self, marketplaces)
        skus.extend(marketplaces)
        return found

    monkeypatch.setattr(Quantities, "of", of)
    return skus


def run(stock: StockShop) -> dict[str, Any]:
    stock.pass_time(minutes=5)
    stock.here.run("orders")
    return stock.here.bridge.sync("stock")


def run_to_the_end(stock: StockShop) -> dict[str, Any]:
    """Runs, as far as Amazon's rates allow at first, and then until all is sent."""
    stock.pass_time(minutes=5)
    stock.here.run("orders")
    return stock.sync()


def lose_scans(stock: StockShop) -> None:
    """Forget how far Odoo is known, as after `cursor set`."""
    scans = stock.here.bridge.app.ledger.scans
    for source in find.SOURCES:
        scans.forget("acme", f"stock {source.model}")


class TestAllSkus:
    def test_are_compared_to_the_end_after_an_interruption(self, stock):
        for sku in SKUS:
            stock.product(sku, 4)
        stock.pass_time(hours=3)  # a new scan doesn't see these changes
        lose_scans(stock)
        stock.here.odoo.silent_on = "SKU-3"
        assert "error" in run(stock)
        stock.here.odoo.silent_on = ""
        assert run_to_the_end(stock) == {"notified": 6}

    def test_are_not_compared_again_if_they_were_before_an_interruption(self, stock, compared):
        lose_scans(stock)
        stock.here.odoo.silent_on = "SKU-3"
        assert "error" in run(stock)
        stock.here.odoo.silent_on = ""
        run(stock)
        assert compared == SKUS
        run(stock)
        assert compared == SKUS

    def test_that_changed_are_compared_once(self, stock, compared):
        stock.product("SKU-1", 4)
        stock.pass_time(hours=7)
        assert run(stock)["notified"] == 1
        assert compared == SKUS

    def test_are_compared_again_if_the_configuration_changes_meanwhile(self, stock, compared):
        lose_scans(stock)
        stock.here.odoo.silent_on = "SKU-3"
        run(stock)
        stock.here.odoo.silent_on = ""
        with stock.here.bridge.configured(stock={**NOW, "cap": 3}):
            assert run_to_the_end(stock) == {"notified": 6}

    def test_a_change_during_an_interruption_is_compared_at_once(self, stock):
        lose_scans(stock)
        stock.here.odoo.silent_on = "SKU-5"
        run(stock)
        stock.product("SKU-0", 1)
        run(stock)
        assert stock.state("SKU-0") is SkuState.DUE, "nothing is sent before all are compared"
        stock.here.odoo.silent_on = ""
        assert run(stock)["notified"] == 1
        assert stock.amazons("SKU-0") == {FR: 1}


def test_units_of_a_lapsed_order_that_were_sold_elsewhere_are_taken_off_again(stock):
    """Amazon adds them to its count, and our quantity is the same as before."""
    line = Line(sku="SKU-0", quantity=2, price=Decimal(9))
    order = stock.here.world.place_order(FR, (line,), status="PENDING")
    run(stock)
    assert stock.amazons("SKU-0") == {FR: 3}
    stock.here.world.lapse(order.order_id)
    stock.product("SKU-0", 3)
    assert stock.amazons("SKU-0") == {FR: 5}
    run(stock)
    run(stock)
    assert stock.amazons("SKU-0") == {FR: 3}
    assert stock.here.bridge.app.ledger.stock_comparisons.progress("acme").drifts == 0


class TestOneThatOdooFailsOn:
    @pytest.fixture
    def failing(self, stock: StockShop) -> StockShop:
        """Others of its page change as well."""
        for sku in SKUS:
            stock.product(sku, 4)
        stock.here.odoo.faulty_on = "SKU-3"
        return stock

    def test_keeps_no_others_from_amazon(self, failing):
        counts = run_to_the_end(failing)
        assert counts == {"notified": 5, "quarantined": 1}
        assert {failing.amazons(sku)[FR] for sku in SKUS if sku != "SKU-3"} == {4}
        assert failing.amazons("SKU-3") == {FR: 5}
        (entry,) = failing.here.bridge.quarantine("stock").values()
        assert (entry.key, entry.kind) == ("SKU-3", "odoo_fault")
        assert failing.sync() == {}

    def test_is_sent_when_it_can_be_read(self, failing):
        run_to_the_end(failing)
        failing.here.odoo.faulty_on = ""
        failing.here.bridge.app.ledger.items.retry()
        failing.settle()
        assert failing.amazons("SKU-3") == {FR: 4}
        assert not failing.here.bridge.quarantine("stock")


class TestProductsThatAreNew:
    def test_are_found_by_the_product_map(self, here: MemoryShop, tmp_path: Path):
        (tmp_path / "map.csv").write_text("code,internal_reference,units\nCUP-2PK,CUP,2\n")
        with here.bridge.configured(stock=NOW, product_map=str(tmp_path / "map.csv")):
            stock = StockShop(here, (FR,))
            stock.offer("CUP-2PK", 9)
            stock.settle()
            assert stock.state("CUP-2PK") is SkuState.NO_PRODUCT
            stock.product("CUP", 5)
            run(stock)
            assert stock.amazons("CUP-2PK") == {FR: 2}

    def test_are_found_by_the_barcode(self, here: MemoryShop):
        with here.bridge.configured(stock=NOW, match_barcode=True):
            stock = StockShop(here, (FR,))
            stock.offer("4006381333931", 9)
            stock.settle()
            stock.product("CUP", 5, barcode="4006381333931")
            run(stock)
            assert stock.amazons("4006381333931") == {FR: 5}

    def test_are_found_when_their_reference_is_corrected(self, stock):
        stock.offer("CUP", 9)
        product = stock.product("CUB", 5)
        stock.pass_time(hours=7)
        stock.settle()
        assert stock.state("CUP") is SkuState.NO_PRODUCT
        stock.here.shop.rpc("product.product", "write", [product], {"default_code": "CUP"})
        run(stock)
        assert stock.amazons("CUP") == {FR: 5}
