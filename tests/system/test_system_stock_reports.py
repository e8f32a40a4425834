"""Reports of listings that Amazon makes badly."""

from collections.abc import Iterator
from types import MappingProxyType

import pytest
from memory_shop import MemoryShop
from stock_shop import DE, FR, NOW, StockShop

from amazon_bridge.engine.stock_records import SkuState
from amazon_bridge.simulator.listings_report import COLUMNS, REPORT_TYPE

pytestmark = pytest.mark.odoo("in memory")

MUG = "MUG-BLUE"


@pytest.fixture
def stock(here: MemoryShop) -> Iterator[StockShop]:
    """A mug of which Amazon has the right quantity, some hours ago."""
    here.world.settings.shared_quantities = True
    with here.bridge.configured(stock=NOW):
        stock = StockShop(here)
        stock.offer(MUG, 9)
        stock.product(MUG, 9)
        stock.settle()
        stock.pass_time(hours=7)
        yield stock


def run(stock: StockShop) -> dict[str, object]:
    stock.here.run("orders")
    return stock.here.bridge.sync("stock")


def report(*rows: dict[str, str]) -> str:
    """The content of a report."""
    lines = ["\t".join(row.get(column, "") for column in COLUMNS) for row in rows]
    return "\n".join(["\t".join(COLUMNS), *lines])


@pytest.mark.parametrize("content", ["", "\t".join(COLUMNS) + "\n"])
def test_an_empty_report_makes_no_listing_vanish(stock: StockShop, content: str) -> None:
    reports = stock.here.simulator.reports
    reports.contents[REPORT_TYPE] = content
    stock.product(MUG, 4)
    errors = []
    for _ in range(3):
        errors.append(run(stock).get("error"))
        stock.pass_time(minutes=2)
    assert any("is empty" in str(error) for error in errors)
    assert stock.state(MUG) is not SkuState.VANISHED
    assert stock.amazons(MUG) == {FR: 4, DE: 4}
    del reports.contents[REPORT_TYPE]
    stock.pass_time(hours=1)
    stock.settle()
    assert stock.state(MUG) is SkuState.EQUAL


def test_a_sku_with_a_row_for_each_channel_is_not_updated(stock: StockShop) -> None:
    rows = ({"seller-sku": MUG, "fulfillment-channel": c} for c in ("AMAZON_EU", "DEFAULT"))
    stock.here.simulator.reports.contents[REPORT_TYPE] = report(*rows)
    stock.sync()
    stock.product(MUG, 4)
    stock.pass_time(minutes=5)
    assert stock.sync() == {}
    assert stock.state(MUG) is SkuState.UNPROVEN


def test_a_sku_that_amazon_cannot_write_is_shown_as_it_writes_it(stock: StockShop) -> None:
    """Reports of European marketplaces are in cp1252, with ``?`` for all other characters."""
    stock.offer("MUG-漢", 5)
    stock.product("MUG-漢", 12)
    stock.settle()
    assert stock.amazons("MUG-漢") == {FR: 5, DE: 5}
    assert stock.state("MUG-?") is SkuState.NO_PRODUCT
    assert stock.amazons(MUG) == {FR: 9, DE: 9}


class TestRowsThatCannotBeRead:
    ROW = MappingProxyType({"fulfillment-channel": "DEFAULT", "quantity": "many"})

    @pytest.fixture
    def keys(self, stock: StockShop) -> set[str]:
        """The keys in the quarantine, after reports in which a row can't be read."""
        rows = {"seller-sku": MUG, **self.ROW}, {"seller-sku": "", **self.ROW}
        stock.here.simulator.reports.contents[REPORT_TYPE] = report(*rows)
        stock.settle()
        return set(stock.here.bridge.quarantine("stock"))

    def test_stay_quarantined_while_their_skus_are_updated(self, stock, keys):
        expected = {f"{row} of the report of {c}" for row in (MUG, "row 2") for c in (FR, DE)}
        assert keys == expected
        stock.product(MUG, 4)
        stock.settle()
        assert stock.amazons(MUG) == {FR: 4, DE: 4}
        assert stock.state(MUG) is SkuState.EQUAL
        assert set(stock.here.bridge.quarantine("stock")) == keys

    def test_are_settled_when_a_report_can_be_read(self, stock, keys):
        del stock.here.simulator.reports.contents[REPORT_TYPE]
        stock.pass_time(hours=7)
        stock.settle()
        assert keys
        assert not stock.here.bridge.quarantine("stock")
