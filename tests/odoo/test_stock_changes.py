"""Products whose stock changed are found: the same on a real Odoo and on the one in memory."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest_stock import Stock, opened_stock

from amazon_bridge.odoo.stock_changes import SOURCES, Source, codes_of, products_of, read_changes

pytestmark = pytest.mark.odoo("in memory")

MOVES, QUANTS, SALE_ORDERS, PRODUCTS = SOURCES


@pytest.fixture(scope="module")
def stock(odoo_database: Any) -> Stock:
    return opened_stock(odoo_database)


def changed(stock: Stock, source: Source) -> set[int]:
    """The products of what changed in the last hour, by either machine's clock."""
    since = datetime.now(UTC) - timedelta(hours=1)
    pages = read_changes(stock.session, source, 1, since=since, after=0)
    ids = [id_ for page in pages for id_ in page.changes]
    return products_of(stock.session, source, ids)


def test_goods_that_are_counted(stock):
    product = stock.product("COUNTED", on_hand=3)
    assert product in changed(stock, QUANTS)


def test_goods_that_are_to_leave(stock):
    product = stock.product("PLANNED")
    assert product not in changed(stock, MOVES)
    stock.demand(product, 2)
    assert product in changed(stock, MOVES)


def test_goods_that_are_sold(stock):
    product = stock.product("SOLD")
    customer = stock.rpc("res.partner", "create", {"name": "Somebody"})
    line = (0, 0, {"product_id": product, "product_uom_qty": 2})
    stock.rpc("sale.order", "create", {"partner_id": customer, "order_line": [line]})
    assert product in changed(stock, SALE_ORDERS)


def test_products_that_are_renamed(stock):
    product = stock.product("RENAMED")
    stock.rpc("product.product", "write", [product], {"default_code": "CORRECTED"})
    assert product in changed(stock, PRODUCTS)
    references, _ = codes_of(stock.session, [product])
    assert references == {"CORRECTED"}


def test_nothing_changed_before_anything_was_there(stock):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for source in SOURCES:
        pages = list(read_changes(stock.session, source, 1, since=tomorrow, after=0))
        assert [page.changes for page in pages] == [{}]
