"""What is on hand, to leave and expected: the same on a real Odoo and on the one in memory."""

from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest
from conftest_stock import Stock, opened_stock

from amazon_bridge.engine.errors import AccountError
from amazon_bridge.odoo.availability import Question, read_availability

pytestmark = pytest.mark.odoo("in memory")


@pytest.fixture(scope="module")
def stock(odoo_database: Any) -> Stock:
    return opened_stock(odoo_database)


def left(stock: Stock, *product_ids: int, **question: Any) -> list[Fraction]:
    found = read_availability(stock.session, product_ids, stock.question(**question))
    return [found[id_].parts[0].left for id_ in product_ids]


def test_goods_at_amazon_never_count(stock):
    product = stock.product("FBA-TOO", on_hand=10)
    stock.put(product, stock.fba, 100)
    assert left(stock, product) == [10]
    assert left(stock, product, names=["WH"]) == [10]


def test_locations_count_with_their_children(stock):
    shelf = stock.location("Shelf", stock.shelf)
    product = stock.product("ON-SHELF", on_hand=3)
    stock.put(product, shelf, 4)
    assert left(stock, product) == [7]
    assert left(stock, product, names=["WH/Stock/Shelf"]) == [4]
    assert left(stock, product, names=["WH/Stock/Shelf", "WH/Stock"]) == [7]


def test_a_location_for_fba_below_the_stock_never_counts(stock):
    below = stock.location("Amazon box", stock.shelf)
    product = stock.product("BELOW", on_hand=5)
    stock.put(product, below, 50)
    assert left(stock, product, fba=below) == [5]


def test_goods_at_amazon_of_another_account_never_count(stock):
    product = stock.product("FBA-OF-OTHER", on_hand=5)
    view = stock.rpc("stock.location", "read", [stock.shelf], ["location_id"])[0]["location_id"][0]
    stock.put(product, stock.location("Amazon US", view), 50)
    assert left(stock, product, names=["WH"]) == [55]
    assert left(stock, product, names=["WH"], fba_names=["WH/Amazon US"]) == [5]


def test_what_was_promised_leaves_even_if_nothing_is_reserved(stock):
    product = stock.product("PROMISED", on_hand=10)
    stock.demand(product, 13)
    assert left(stock, product) == [-3]


def test_free_is_what_is_not_reserved(stock):
    product = stock.product("RESERVED", on_hand=10)
    stock.demand(product, 4, reserve=True)
    assert left(stock, product, reserved_only=True) == [6]


def test_goods_moved_to_amazon_are_to_leave(stock):
    product = stock.product("TO-AMAZON", on_hand=10)
    stock.demand(product, 2, to=stock.fba)
    assert left(stock, product) == [8]
    assert left(stock, product, names=["WH"]) == [8]


def test_goods_moved_within_the_locations_stay(stock):
    shelf = stock.location("Other shelf", stock.shelf)
    product = stock.product("WITHIN", on_hand=10)
    stock.demand(product, 2, to=shelf)
    assert left(stock, product) == [10]


def test_expected_goods_count_until_a_moment(stock):
    product = stock.product("EXPECTED", on_hand=1)
    stock.expect(product, 20, datetime(2026, 12, 1, 12).astimezone())
    sooner, later = datetime(2026, 11, 30).astimezone(), datetime(2026, 12, 2).astimezone()
    assert left(stock, product) == [1]
    assert left(stock, product, until=sooner) == [1]
    assert left(stock, product, until=later) == [21]


def test_products_whose_stock_is_not_counted_have_no_parts(stock):
    product = stock.product("UNCOUNTED", is_storable=False)
    found = read_availability(stock.session, [product], stock.question())
    assert found[product].parts == ()


def test_deleted_products_are_absent(stock):
    assert read_availability(stock.session, [999_999_999], stock.question()) == {}


def test_a_location_of_no_such_name_is_named(stock):
    with pytest.raises(AccountError, match="no stock location WH/Cellar"):
        stock.question(names=["WH/Stock", "WH/Cellar"])


def test_the_fba_location_can_not_be_chosen(stock):
    with pytest.raises(AccountError, match="FBA"):
        stock.question(names=["WH/Amazon"])


class TestKits:
    @pytest.fixture(autouse=True)
    def _kits(self, stock: Stock) -> None:
        stock.install_kits()

    def parts(self, stock: Stock, product: int, **question: Any) -> dict[int, tuple[Any, Any]]:
        found = read_availability(stock.session, [product], stock.question(**question))[product]
        assert found.is_kit
        return {part.product_id: (part.left, part.needed) for part in found.parts}

    def test_have_the_stock_of_their_components(self, stock):
        cup, saucer = stock.product("CUP", on_hand=10), stock.product("SAUCER", on_hand=15)
        kit = stock.kit("CUP-SET", {cup: 1, saucer: 2})
        assert self.parts(stock, kit) == {cup: (10, 1), saucer: (15, 2)}

    def test_components_may_be_ordered_singly(self, stock):
        part = stock.product("ORDERED-PART", on_hand=10)
        stock.demand(part, 9)
        assert self.parts(stock, stock.kit("OF-PART", {part: 1})) == {part: (1, 1)}

    def test_may_be_made_several_at_once(self, stock):
        part = stock.product("PART-OF-DOZEN", on_hand=30)
        kit = stock.kit("BY-DOZEN", {part: 6}, makes=12)
        assert self.parts(stock, kit) == {part: (30, Fraction(1, 2))}

    def test_units_of_measure_are_converted(self, stock):
        part = stock.product("EGG", on_hand=30)
        kit = stock.kit("EGGS", {part: 2}, unit_id=stock.dozen())
        assert self.parts(stock, kit) == {part: (30, 24)}

    def test_kits_of_kits_are_resolved(self, stock):
        part = stock.product("SPOON", on_hand=30)
        inner = stock.kit("SPOONS", {part: 6})
        outer = stock.kit("CUTLERY", {inner: 2, part: 1})
        assert self.parts(stock, outer) == {part: (30, 13)}

    def test_components_that_are_not_counted_never_lack(self, stock):
        part, wrap = stock.product("GIFT", on_hand=3), stock.product("WRAP", is_storable=False)
        assert self.parts(stock, stock.kit("WRAPPED", {part: 1, wrap: 1})) == {part: (3, 1)}

    def test_the_kit_s_own_goods_do_not_count(self, stock):
        part = stock.product("LEAF", on_hand=2)
        kit = stock.product("TABLE", on_hand=50)
        stock.make_kit(kit, {part: 1})
        assert self.parts(stock, kit) == {part: (2, 1)}


def test_questions_have_the_account_s_company(stock):
    assert isinstance(stock.question(), Question)
