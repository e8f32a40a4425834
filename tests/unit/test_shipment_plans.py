"""What is confirmed to Amazon of a delivery order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from examples import MEMO
from plan_makers import (
    DELIVERY,
    MUG,
    POT,
    amazons,
    item,
    loose,
    package,
    send,
    shipped,
    task,
)

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows.orders.memo import ItemMemo
from amazon_bridge.flows.shipments.decide import (
    Plan,
    ShipmentOutcome,
    plan,
)
from amazon_bridge.flows.shipments.left import known_units
from amazon_bridge.model import Order
from amazon_bridge.odoo.delivery_orders import statement_in
from amazon_bridge.odoo.shipped_goods import Goods, Shipped

# As far as Amazon takes it


@pytest.mark.parametrize(
    ("goods", "order", "todo"),
    [
        (shipped(2), amazons(item(MUG, 2)), send(2)),
        (shipped(1, to_deliver={MUG: 1}), amazons(item(MUG, 2)), send(1)),
        # one unit was cancelled on Amazon
        (shipped(3), amazons(item(MUG, 2)), send(2, _51=1)),
        (shipped(3, 1), amazons(item(MUG, 3), item(POT, 0)), send(3, _52=1)),
        (shipped(3), amazons(item(MUG, 3, unfulfilled=2)), send(2, _51=1)),
        (shipped(3), amazons(), Plan(ShipmentOutcome.ELSEWHERE, surplus={MUG: 3})),
        # somebody else confirmed it
        (shipped(2), amazons(item(MUG, 2, 2), status="SHIPPED"), Plan(ShipmentOutcome.ELSEWHERE)),
        (shipped(2), amazons(item(MUG, 2), status="SHIPPED"), Plan(ShipmentOutcome.ELSEWHERE)),
        (
            shipped(2),
            amazons(item(MUG, 2, 2), item(POT, 1), status="PARTIALLY_SHIPPED"),
            Plan(ShipmentOutcome.ELSEWHERE),
        ),
        # of less than what left
        (
            shipped(3),
            amazons(item(MUG, 2, 2), status="SHIPPED"),
            Plan(ShipmentOutcome.ELSEWHERE, surplus={MUG: 1}),
        ),
        (shipped(3), amazons(item(MUG, 3, 1), status="PARTIALLY_SHIPPED"), send(2)),
        # of the first delivery order, this is the second
        (
            shipped(1, gone={MUG: 3}),
            amazons(item(MUG, 2, 2), status="SHIPPED"),
            Plan(ShipmentOutcome.ELSEWHERE, surplus={MUG: 1}),
        ),
        # an exchange for what came back
        (shipped(1, gone={MUG: 1}), amazons(item(MUG, 1, 1)), Plan(ShipmentOutcome.ELSEWHERE)),
    ],
)
def test_as_much_is_confirmed_as_amazon_accepts(goods: Goods, order: Order, todo: Plan) -> None:
    assert plan(task(goods), order) == todo


@pytest.mark.parametrize(
    ("goods", "order", "todo"),
    [
        (shipped(3), amazons(item(MUG, 3, 2)), send(1, _51=2)),
        (shipped(2), amazons(item(MUG, 3, 2)), send(1, _51=1)),
        (shipped(1), amazons(item(MUG, 3, 2)), send(1)),
        (shipped(2, 1), amazons(item(MUG, 2, 2), item(POT, 1)), send(0, 1, _51=2)),
        # Amazon counts the first two and one that was shipped in Seller Central since
        (shipped(3), amazons(item(MUG, 4, 3)), send(1, _51=1)),
        # only for the books
        (shipped(2), amazons(item(MUG, 2, 2), status="SHIPPED"), Plan(ShipmentOutcome.ELSEWHERE)),
    ],
)
def test_units_that_left_before_odoo_had_the_order(goods: Goods, order: Order, todo: Plan) -> None:
    memo = replace(MEMO, items=(ItemMemo(MUG, 3, 1, shipped_before=2),))
    assert plan(replace(task(goods), memo=memo), order) == todo


def test_amazon_shows_its_package() -> None:
    order = amazons(item(MUG, 2, 2), status="SHIPPED", packages=(package(16), package(17, _51=2)))
    assert plan(task(shipped(2)), order) == Plan(
        ShipmentOutcome.CONFIRMED, package=order.packages[1]
    )


@pytest.mark.parametrize(
    ("held", "fulfilled", "units"), [(1, 1, {MUG: 3}), (1, 2, {MUG: 2}), (1, 3, {}), (3, 3, {})]
)
def test_its_package_holds_less_than_what_left(
    held: int, fulfilled: int, units: dict[str, int]
) -> None:
    its = package(17, _51=held)
    order = amazons(item(MUG, 3, fulfilled), status="PARTIALLY_SHIPPED", packages=(its,))
    outcome = None if units else ShipmentOutcome.CONFIRMED
    assert plan(task(shipped(3)), order) == Plan(outcome, units, package=its)


def test_somebody_elses_package_has_its_reference() -> None:
    foreign = package(17, "JD9", _51=2)
    order = amazons(item(MUG, 3, 2), status="PARTIALLY_SHIPPED", packages=(foreign,))
    with pytest.raises(ItemError, match="would be overwritten") as raised:
        plan(task(shipped(1)), order, was_sent=False)
    assert raised.value.kind == "reference_taken"
    assert "Seller Central" in (raised.value.remedy or "")
    # nothing is open any more
    full = amazons(item(MUG, 2, 2), status="SHIPPED", packages=(foreign,))
    assert plan(task(shipped(2)), full, was_sent=False) == Plan(ShipmentOutcome.ELSEWHERE)
    # the parcel was confirmed beside it
    both = replace(order, packages=(foreign, package(20, "jd-1", _51=1)))
    assert plan(task(shipped(1)), both, was_sent=False) == Plan(ShipmentOutcome.ELSEWHERE)
    beyond = Plan(ShipmentOutcome.ELSEWHERE, surplus={MUG: 2})
    assert plan(task(shipped(3)), both, was_sent=False) == beyond


@pytest.mark.parametrize(
    ("tracking", "was_sent"), [("JD1", False), ("jd 1", False), (None, False), ("JD9", True)]
)
def test_a_package_with_its_reference_is_its_own(tracking: str | None, *, was_sent: bool) -> None:
    """A lost state store doesn't know that it was sent; the tracking reference shows it."""
    order = amazons(item(MUG, 2, 2), packages=(package(17, tracking, _51=2),))
    todo = plan(task(shipped(2)), order, was_sent=was_sent)
    assert todo == Plan(ShipmentOutcome.CONFIRMED, package=order.packages[0])


def test_of_a_cancelled_order_nothing_is_confirmed() -> None:
    with pytest.raises(ItemError, match="Stop the parcel") as raised:
        plan(task(shipped(2)), amazons(item(MUG, 0), status="CANCELLED"))
    assert raised.value.kind == "cancelled_on_amazon"


# Goods on no line of the order


@pytest.mark.parametrize(
    ("goods", "order", "todo"),
    [
        # the packer replaced the product of the only item
        (Goods(loose=loose(1)), amazons(item(MUG, 1)), send(1)),
        (Goods(loose=loose(3)), amazons(item(MUG, 3)), send(3)),
        (Goods(loose=loose(2)), amazons(item(MUG, 3)), send(2)),
        (Goods(loose=loose(6)), amazons(item(MUG, 3)), send(3)),
        (Goods(loose=loose(2), is_last=False), amazons(item(MUG, 3)), send(2)),
        (Goods(loose=loose(1, 4), is_last=False), amazons(item(MUG, 1)), send(1)),
        # of one of two items
        (shipped(0, 1, loose=loose(2)), amazons(item(MUG, 2), item(POT, 1)), send(2, 1)),
        (
            Goods(loose=loose(2), is_last=False, to_deliver={POT: 1}),
            amazons(item(MUG, 2), item(POT, 1)),
            send(2),
        ),
        # all is replaced, and nothing stays behind
        (Goods(loose=loose(2, 1)), amazons(item(MUG, 2), item(POT, 1)), send(2, 1)),
        # one of two was shipped in Seller Central
        (Goods(loose=loose(1)), amazons(item(MUG, 1, 1), item(POT, 1)), send(0, 1)),
        # a part of the item's units, with the replaced rest
        (shipped(2, loose=loose(1)), amazons(item(MUG, 3)), send(3)),
        # more for the buyer, beside all that was sold
        (shipped(1, loose=loose(1)), amazons(item(MUG, 1)), send(1)),
        (shipped(1, loose=loose(5, ordered=True)), amazons(item(MUG, 1)), send(1)),
        # ordered by somebody beside what Amazon sold, which is still to be delivered
        (
            Goods(loose=loose(1, ordered=True), to_deliver={MUG: 1}, is_last=False),
            amazons(item(MUG, 1)),
            Plan(ShipmentOutcome.NOTHING),
        ),
        # the replaced product stays open
        (
            Goods(loose=loose(1), to_deliver={MUG: 1}, is_last=False),
            amazons(item(MUG, 1)),
            send(1),
        ),
        # somebody else confirmed it, so that nothing is open
        (Goods(loose=loose(1)), amazons(item(MUG, 1, 1)), Plan(ShipmentOutcome.NOTHING)),
        (Goods(), amazons(item(MUG, 1)), Plan(ShipmentOutcome.NOTHING)),
    ],
)
def test_it_is_clear_which_units_the_goods_are(goods: Goods, order: Order, todo: Plan) -> None:
    assert plan(task(goods), order) == todo


TWO = amazons(item(MUG, 2), item(POT, 1))


@pytest.mark.parametrize(
    ("goods", "order"),
    [
        (Goods(loose=loose(1)), TWO),
        (Goods(loose=loose(2)), TWO),
        (Goods(loose=loose(3), is_last=False), TWO),
        (Goods(loose=loose(3), is_only_loose=False), TWO),
        (Goods(loose=loose(0.5)), amazons(item(MUG, 1))),
        (Goods(loose=loose(1, 1), is_last=False), amazons(item(MUG, 3))),
        (Goods(loose=loose(4), is_last=False), amazons(item(MUG, 3))),
        (Goods(loose=loose(1), to_deliver={MUG: 2, POT: 1}, is_last=False), TWO),
    ],
)
def test_it_is_not_clear_which_units_the_goods_are(goods: Goods, order: Order) -> None:
    with pytest.raises(ItemError, match=r"WH/OUT/00017.*Thing 0.*Amazon still expects") as raised:
        plan(task(goods), order)
    assert raised.value.kind == "goods_unclear"
    assert '"Amazon shipped: MUG-BLUE = 1"' in raised.value.remedy


def test_goods_of_several_orders_are_unclear() -> None:
    with pytest.raises(ItemError, match="no line of the Amazon order"):
        plan(task(Goods(loose=loose(1)), shared=True), amazons(item(MUG, 1)))


def test_a_kit_of_which_it_is_unclear_how_many_left() -> None:
    goods = Goods((Shipped(MUG, 1), Shipped(POT, None)))
    for order in (None, TWO):
        with pytest.raises(ItemError, match="WH/OUT/00017") as raised:
            known_units(DELIVERY, goods, order)
        assert raised.value.kind == "kit_unclear"
    assert '"Amazon shipped: POT 1 = 1"' in raised.value.remedy
    assert plan(task(goods, "POT 1 = 1"), TWO) == send(0, 1)


@pytest.mark.parametrize(
    ("statement", "todo"),
    [
        ("all", send(2, 1)),
        ("All.", send(2, 1)),
        ("nothing", Plan(ShipmentOutcome.NOTHING)),
        ("MUG-BLUE = 2", send(2)),
        ("mug-blue: 1; pot 1 = 1", send(1, 1)),
        ("B051=1, 52=1.", send(1, 1)),
        ("2 x MUG-BLUE, POT 1 X 1", send(2, 1)),
        ("MUG-BLUE = 2, POT 1 = 0", send(2)),
        ("MUG-BLUE = 1; POT 1 = 1", send(1, 1)),
        ("all; All.", send(2, 1)),
    ],
)
def test_a_person_says_what_left(statement: str, todo: Plan) -> None:
    assert plan(task(Goods(loose=loose(1)), statement), TWO) == todo


@pytest.mark.parametrize(
    "names",
    [
        {"sku": None, "asin": None, "title": "A mug, blue"},
        {"sku": "MUG", "asin": None},
        {"sku": "MUG, BLUE", "asin": None},
    ],
)
def test_the_example_names_one_item_of_the_order(names: dict[str, str | None]) -> None:
    order = amazons(*(replace(item(id_, 2), **names) for id_ in (MUG, POT)))  # type: ignore[arg-type]
    with pytest.raises(ItemError) as raised:
        plan(task(Goods(loose=loose(1))), order)
    assert f'"Amazon shipped: {MUG} = 1"' in raised.value.remedy
    assert plan(task(Goods(loose=loose(1)), f"{MUG} = 1"), order) == send(1)


def test_an_item_without_sku_and_asin_is_stated_by_its_title() -> None:
    order = amazons(replace(item(MUG, 2), sku=None, asin=None, title="A mug"), item(POT, 1))
    assert plan(task(Goods(loose=loose(1)), "a mug = 2"), order) == send(2)


@pytest.mark.parametrize(
    "statement", ["the red one", "MUG-RED = 1", "MUG-BLUE", "= 3", "MUG-BLUE=x", "MUG-BLUE = 1,"]
)
def test_a_person_says_it_unclearly(statement: str) -> None:
    with pytest.raises(ItemError, match="can't be understood") as raised:
        plan(task(Goods(loose=loose(1)), statement), TWO)
    assert raised.value.kind == "goods_unclear"


@pytest.mark.parametrize(
    "statement",
    [
        *("all; nothing", "nothing; MUG-BLUE = 1", "MUG-BLUE = 1, all"),
        *("MUG-BLUE = 1; MUG-BLUE = 2", "MUG-BLUE = 1; B051 = 1"),
    ],
)
def test_a_person_contradicts_themselves(statement: str) -> None:
    with pytest.raises(ItemError, match="contradicts itself") as raised:
        plan(task(Goods(loose=loose(1)), statement), TWO)
    assert raised.value.kind == "goods_unclear"


@pytest.mark.parametrize(
    ("note", "statement"),
    [
        ("", None),
        ("<p>Amazon Prime</p>", None),
        ("<p>Fragile</p><p>Amazon shipped: all</p><p>Ring twice</p>", "all"),
        ("<div>amazon&nbsp;shipped : <b>MUG</b> = 2,<br/>POT = 1</div>", "MUG = 2,"),
        ("<p>Amazon shipped: A = 1</p><p>Amazon shipped: B = 2.</p>", "A = 1; B = 2."),
        ("Amazon shipped: all\nDoor 3\nAmazon shipped: nothing", "all; nothing"),
        ("Amazon Shipped: A&amp;B = 1\nmore", "A&B = 1"),
        ("<p>Amazon shipped: </p>", None),
    ],
)
def test_statements_in_the_note(note: str, statement: str | None) -> None:
    assert statement_in(note) == statement
