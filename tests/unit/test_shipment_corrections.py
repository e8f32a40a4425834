"""What stays open of an order, corrections of shipments, and refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from examples import MEMO
from plan_makers import (
    DELIVERY,
    MUG,
    NOW,
    POT,
    amazons,
    item,
    package,
    shipped,
    task,
)

from amazon_bridge.amazon.refusals import is_package_missing, remedy_for
from amazon_bridge.engine.codec import encode
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import Entry, State
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
from amazon_bridge.flows.shipments.progress import ShipmentProgress, Stage
from amazon_bridge.model import Order
from amazon_bridge.odoo.shipped_goods import Goods, Loose

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
