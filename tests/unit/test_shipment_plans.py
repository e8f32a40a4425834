"""Which units of a delivery order are confirmed, and when it isn't clear what left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import examples
import pytest
from examples import MEMO

from amazon_bridge.amazon.refusals import is_package_missing, remedy_for
from amazon_bridge.engine.codec import encode
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.flows.orders.memo import ItemMemo
from amazon_bridge.flows.shipments.decide import (
    Plan,
    ShipmentOutcome,
    ShipmentTask,
    fingerprint,
    is_correction,
    is_foreign,
    is_open,
    is_ready,
    is_shown,
    label_digest,
    plan,
    statement_digest,
    still_open,
)
from amazon_bridge.flows.shipments.left import known_units
from amazon_bridge.flows.shipments.progress import ShipmentProgress, Stage
from amazon_bridge.model import FulfillmentStatus, Item, Order, Package
from amazon_bridge.odoo.delivery_orders import statement_in
from amazon_bridge.odoo.shipped_goods import Goods, Loose, Shipped

NOW = examples.DONE
DELIVERY = replace(examples.DELIVERY, ordered=NOW)
MUG, POT = "51", "52"
SKUS = {MUG: "MUG-BLUE", POT: "POT 1"}


def item(item_id: str, quantity: int, fulfilled: int = 0, unfulfilled: int | None = None) -> Item:
    return Item(
        order_item_id=item_id,
        quantity=quantity,
        sku=SKUS[item_id],
        asin=f"B0{item_id}",
        title=None,
        charges=(),
        quantity_fulfilled=fulfilled,
        quantity_unfulfilled=unfulfilled,
    )


def amazons(*items: Item, status: str = "UNSHIPPED", packages: tuple[Package, ...] = ()) -> Order:
    return replace(examples.ORDER, status=FulfillmentStatus(status), items=items, packages=packages)


def package(reference: int, tracking: str | None = "JD1", **units: int) -> Package:
    quantities = tuple((name.removeprefix("_"), number) for name, number in units.items())
    return Package(str(reference), "DHL", tracking, quantities)


def loose(*pieces: float, ordered: bool = False) -> tuple[Loose, ...]:
    return tuple(Loose(f"Thing {n}", Decimal(str(p)), ordered) for n, p in enumerate(pieces))


def task(goods: Goods, statement: str | None = None, *, shared: bool = False) -> ShipmentTask:
    return ShipmentTask(replace(DELIVERY, statement=statement, is_shared=shared), MEMO, goods)


def shipped(mug: int, pot: int = 0, **more: object) -> Goods:
    """What left as ordered: as many pieces as units."""
    units = {MUG: mug, POT: pot}
    left = tuple(Shipped(id_, number) for id_, number in units.items() if number)
    gone = {id_: number for id_, number in units.items() if number}
    return replace(Goods(left, gone=gone), **more)  # type: ignore[arg-type]


def send(mug: int = 0, pot: int = 0, **surplus: int) -> Plan:
    units = {id_: number for id_, number in ((MUG, mug), (POT, pot)) if number}
    return Plan(None, units, {name.removeprefix("_"): number for name, number in surplus.items()})


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


# What stays open


@pytest.mark.parametrize(
    ("goods", "order", "open_"),
    [
        (shipped(2), amazons(item(MUG, 3, 2), status="PARTIALLY_SHIPPED"), {MUG: 1}),
        (shipped(2, is_last=False), amazons(item(MUG, 3, 2)), {}),
        (shipped(2), amazons(item(MUG, 2, 2), item(POT, 4)), {POT: 4}),
        (shipped(2), amazons(item(MUG, 2)), {}),
        (shipped(2, gone={MUG: 3}), amazons(item(MUG, 3, 2)), {}),
        (shipped(2), amazons(item(MUG, 3), status="CANCELLED"), {}),
        (shipped(2), amazons(item(MUG, 3, 2, unfulfilled=0)), {}),
    ],
)
def test_what_amazon_waits_for_in_vain(goods: Goods, order: Order, open_: dict[str, int]) -> None:
    assert still_open(task(goods), order) == open_


# Corrections


def progress(
    stage: Stage = Stage.SENT, sent_label: str | None = None, **more: object
) -> ShipmentProgress:
    return replace(ShipmentProgress(stage, NOW, DELIVERY.order_id, sent_label=sent_label), **more)  # type: ignore[arg-type]


CORRECTED = replace(DELIVERY, tracking_reference="JD2, JD3")


def entry(state: State, its: ShipmentProgress | None = None) -> Entry:
    return Entry(
        *("acme", "pickings", DELIVERY.key, fingerprint(DELIVERY), False, state),
        *(None, None, None, 0, its and encode(its), NOW, NOW, None, None),
    )


def test_a_correction_after_it_was_confirmed() -> None:
    sent = progress(sent_label=label_digest(DELIVERY))
    assert not is_correction(DELIVERY, sent)
    assert is_correction(CORRECTED, sent)
    assert is_correction(replace(DELIVERY, carrier="UPS"), sent)
    for same in ("JD1 ", "J D1", "JD1+JD9"):
        assert not is_correction(replace(DELIVERY, tracking_reference=same), sent)
    assert not is_correction(replace(DELIVERY, tracking_reference=None), sent)
    assert not is_correction(CORRECTED, progress())
    assert is_ready(ShipmentTask(CORRECTED, MEMO, Goods()), sent)
    assert not is_ready(ShipmentTask(DELIVERY, MEMO, Goods()), sent)


@pytest.mark.parametrize(
    ("known", "same", "corrected"),
    [
        (None, True, True),
        (entry(State.PENDING), True, True),
        (entry(State.DONE, progress(sent_label=label_digest(DELIVERY))), False, True),
        (entry(State.DONE, progress()), False, False),
        (entry(State.DONE), False, False),
        (entry(State.DONE, progress(done=NOW)), False, False),
        (entry(State.DONE, progress(done=NOW - timedelta(days=1))), True, True),
        (entry(State.QUARANTINED), False, True),
        (entry(State.LEFT_OUT), False, True),
    ],
)
def test_what_is_looked_at_again(known: Entry | None, *, same: bool, corrected: bool) -> None:
    assert is_open(DELIVERY, known) is same
    assert is_open(CORRECTED, known) is corrected


@pytest.mark.parametrize("state", [State.QUARANTINED, State.LEFT_OUT, State.DONE])
def test_a_statement_brings_it_back(state: State) -> None:
    stated = replace(DELIVERY, statement="all")
    assert is_open(stated, entry(state, progress()))
    if state == State.DONE:
        assert not is_open(stated, entry(state, progress(stated=statement_digest(stated))))


@pytest.mark.parametrize(
    ("statement", "units"),
    [("all", {MUG: 3}), ("MUG-BLUE = 2", {MUG: 2}), ("MUG-BLUE = 1", {})],
)
def test_a_person_says_that_more_left_than_amazon_has(
    statement: str, units: dict[str, int]
) -> None:
    its = package(17, _51=1)
    order = amazons(item(MUG, 3, 1), status="PARTIALLY_SHIPPED", packages=(its,))
    outcome = None if units else ShipmentOutcome.CONFIRMED
    assert plan(task(shipped(1), statement), order) == Plan(outcome, units, package=its)


@pytest.mark.parametrize("statement", ["nothing", "MUG-BLUE = 1", "POT 1 = 1"])
@pytest.mark.parametrize("status", ["SHIPPED", "PARTIALLY_SHIPPED"])
def test_a_person_says_that_less_left_than_was_confirmed(statement: str, status: str) -> None:
    order = amazons(item(MUG, 2, 2), item(POT, 1), status=status, packages=(package(17, _51=2),))
    with pytest.raises(ItemError, match="2 x MUG-BLUE") as raised:
        plan(task(shipped(2), statement), order)
    assert raised.value.kind == "told_too_much"
    assert "Seller Central" in (raised.value.remedy or "")
    its = replace(order.packages[0], status="CANCELLED")
    assert plan(task(shipped(2), "nothing"), replace(order, packages=(its,))).package == its


def test_that_all_left_is_no_less_than_was_confirmed() -> None:
    """Of which units were cancelled since."""
    order = amazons(item(MUG, 1, 2), status="SHIPPED", packages=(package(17, _51=2),))
    assert plan(task(shipped(2), "all"), order).outcome == ShipmentOutcome.CONFIRMED


@pytest.mark.parametrize(
    ("tracking", "shown"), [("JD2", True), ("jd-2", True), (None, True), ("JD1", False)]
)
def test_a_correction_is_confirmed_when_amazon_shows_it(
    tracking: str | None, *, shown: bool
) -> None:
    order = amazons(item(MUG, 2, 2), status="SHIPPED", packages=(package(17, tracking),))
    corrected = ShipmentTask(CORRECTED, MEMO, shipped(2))
    assert is_shown(corrected, order, progress(corrects=True)) is shown
    assert is_shown(corrected, order, progress())
    gone = replace(order, packages=())
    assert not is_shown(corrected, gone, progress(corrects=True))
    assert is_shown(corrected, gone, progress())


# Whose it is


def test_only_what_is_proved_to_be_somebody_elses_is() -> None:
    assert is_foreign(None)
    assert is_foreign(replace(MEMO, fulfilled_by="AMAZON"))
    assert not is_foreign(MEMO)
    assert not is_foreign(replace(MEMO, fulfilled_by=""))


# What to do when Amazon refuses


@pytest.mark.parametrize(
    ("said", "do"),
    [
        ("The quantity exceeds what is open", "Compare the shipped units"),
        ("More than what is left to ship.", "Compare the shipped units"),
        ("Order is an Easy Ship order", "schedule the pick-up"),
        ("PackageToUpdateNotFound: The package to update is not found", "doesn't find the package"),
        ("'carrierCode' is not a carrier that Amazon knows.", "Correct the carrier"),
        ("Invalid tracking number for carrier UPS", "Correct the tracking reference"),
        ("'shipDate' is before the purchase.", "date of transfer"),
        ("The order is canceled.", "stop the parcel"),
        ("The order is pending and can't be shipped yet.", "not released"),
        ("The order is fulfilled by Amazon.", "Amazon ships this order itself"),
        ("The order was not placed in this marketplace.", "another marketplace"),
        ("Invalid Input", "Read Amazon's reason"),
    ],
)
def test_each_reason_of_amazons_has_a_remedy(said: str, do: str) -> None:
    assert do in remedy_for(f"Amazon refused confirmShipment: InvalidInput: {said}.")


def test_a_package_that_amazon_does_not_find() -> None:
    assert is_package_missing("Amazon refused confirmShipment: PackageToUpdateNotFound: no.")
    assert not is_package_missing("Amazon refused confirmShipment: InvalidInput: no.")


# Items of which one unit is several pieces in Odoo

SIX = {MUG: 6}


@pytest.mark.parametrize(
    ("number", "loose", "last", "units"),
    [
        (1, 6, True, 1),
        (2, 6, False, 1),
        (2, 12, True, 2),
        (1, 12, True, 1),
        (1, 3, True, None),
        (2, 2, True, None),
        (2, 9, True, None),
    ],
)
def test_another_product_counts_for_whole_units_only(
    number: int, loose: int, units: int | None, *, last: bool
) -> None:
    goods = Goods(loose=(Loose("Red mug", Decimal(loose)),), pieces=SIX, is_last=last)
    if units is None:
        with pytest.raises(ItemError) as caught:
            plan(task(goods), amazons(item(MUG, number)))
        assert caught.value.kind == "goods_unclear"
    else:
        assert plan(task(goods), amazons(item(MUG, number))).units == {MUG: units}


@pytest.mark.parametrize(("pieces", "last"), [(SIX, True), (SIX, False), ({}, True)])
def test_amazon_is_read_when_the_last_parcel_completes_no_unit(
    pieces: dict[str, int], *, last: bool
) -> None:
    incomplete = task(Goods(pieces=pieces, is_last=last))
    assert incomplete.needs_order == (bool(pieces) and last)
    if incomplete.needs_order:
        order = amazons(item(MUG, 1))
        assert plan(incomplete, order).outcome == ShipmentOutcome.NOTHING
        assert still_open(incomplete, order) == {MUG: 1}
