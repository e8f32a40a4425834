"""What is confirmed of a delivery order, and what the ledger keeps of it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from examples import DELIVERY, DONE, MEMO
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.engine.codec import decode, encode
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Seen
from amazon_bridge.flows.shipments import records, tell
from amazon_bridge.flows.shipments.apply import _to_read_back
from amazon_bridge.flows.shipments.decide import ShipmentTask, shipment_of
from amazon_bridge.flows.shipments.progress import ShipmentProgress, Stage
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.shipped_goods import Goods, Shipped, _Known, _Line, _Move, _units

NOW = DONE + timedelta(minutes=3)
TASK = ShipmentTask(DELIVERY, MEMO, Goods((Shipped("51", 2),), gone={"51": 2}))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def task(**changes: object) -> ShipmentTask:
    return replace(TASK, delivery=replace(DELIVERY, **changes))  # type: ignore[arg-type]


def test_the_ship_date_is_when_it_was_done() -> None:
    assert shipment_of(TASK, {"51": 2}, {}, NOW).ship_date == DONE


@given(ordered=MOMENTS, done=MOMENTS, passed=st.timedeltas(timedelta(0), timedelta(days=9)))
def test_the_ship_date_is_never_in_the_future_nor_before_the_order(
    ordered: datetime, done: datetime, passed: timedelta
) -> None:
    now = ordered + passed
    shipped = shipment_of(task(ordered=ordered, done=done), {"51": 2}, {}, now).ship_date
    assert ordered <= shipped <= now


@given(st.dictionaries(st.integers(1, 99), st.integers(0, 60), max_size=40))
def test_the_least_recently_checked_are_read_back(ages: dict[int, int]) -> None:
    tasks = [task(id=id_) for id_ in ages]
    progress = ShipmentProgress(Stage.SENT, DONE, DELIVERY.order_id)
    checked = {
        each.key: replace(progress, read_back=NOW - timedelta(minutes=ages[each.delivery.id]))
        for each in tasks
    }
    ids = [each.delivery.id for each in _to_read_back(tasks, checked, NOW)]
    due = {id_ for id_, age in ages.items() if age >= 10}
    assert set(ids) <= due
    assert [ages[id_] for id_ in ids] == sorted((ages[id_] for id_ in due), reverse=True)[:20]


@pytest.mark.parametrize(
    ("text", "references"),
    [
        (None, []),
        ("", []),
        (" , +", []),
        ("JD1", ["JD1"]),
        (" JD1 ", ["JD1"]),
        ("JD1,JD2", ["JD1", "JD2"]),
        ("JD1 + JD2\nJD3", ["JD1", "JD2", "JD3"]),
        ("JJD0001, JJD0002", ["JJD0001", "JJD0002"]),
        ("JD1; JD2\r\nJD3", ["JD1", "JD2", "JD3"]),
        ("SF1\uff0cSF2\u3001SF3", ["SF1", "SF2", "SF3"]),
        ("1Z 999 AA1 01 2345 6784", ["1Z999AA10123456784"]),
        ("AB 1234 5678 9GB", ["AB123456789GB"]),
        ("RR 123 456 785 DE", ["RR123456785DE"]),
        ("\u200bRR\u00a0123\t456\u2009785 DE", ["RR123456785DE"]),
        ("00-1.2/3", ["00-1.2/3"]),
    ],
)
def test_tracking_references(text: str | None, references: list[str]) -> None:
    assert task(tracking_reference=text).delivery.tracking_references == references


@pytest.mark.parametrize(
    ("carrier", "reference", "lacks"),
    [
        ("DHL", "JD1", ()),
        (None, "JD1", ("carrier",)),
        ("DHL", " ", ("tracking reference",)),
        (None, None, ("carrier", "tracking reference")),
    ],
)
def test_what_is_lacking(
    carrier: str | None, reference: str | None, lacks: tuple[str, ...]
) -> None:
    assert task(carrier=carrier, tracking_reference=reference).delivery.lacks == lacks


@pytest.mark.parametrize("read_back", [None, NOW])
@pytest.mark.parametrize("lacks", [(), ("carrier", "tracking reference")])
@pytest.mark.parametrize("stage", Stage)
def test_progress_is_read_as_it_was_written(
    tmp_path: Path, stage: Stage, lacks: tuple[str, ...], read_back: datetime | None
) -> None:
    progress = ShipmentProgress(
        stage,
        DONE,
        DELIVERY.order_id,
        lacks,
        read_back,
        "d1",
        corrects=True,
        refused_since=read_back,
        done=read_back,
        stated=None if read_back else "d2",
    )
    with Ledger(tmp_path / "bridge.db", lambda: NOW) as ledger:
        ledger.items.file("acme", "pickings", [Seen(DELIVERY.key, "f", label=DELIVERY.name)])
        assert ShipmentProgress.read(ledger.items.get("acme", "pickings", DELIVERY.key)) is None
        assert [each.since for each in records.pending_deliveries(ledger, "acme")] == [NOW]
        ledger.items.remember("acme", "pickings", DELIVERY.key, progress)
        assert ShipmentProgress.read(ledger.items.get("acme", "pickings", DELIVERY.key)) == progress
        pending = records.pending_deliveries(ledger, "acme")
    if stage == Stage.SENT:
        assert pending == []
    else:
        assert pending == [
            records.PendingDelivery(
                "WH/OUT/00017@404-1234567-1234567#17",
                DELIVERY.name,
                DELIVERY.order_id,
                DONE,
                lacks,
            )
        ]


def test_names_of_earlier_state_stores_are_read() -> None:
    moment = NOW.isoformat()
    text = f'{{"stage":"sent","since":"{moment}","order_id":"1","asked":"{moment}","told":"d1"}}'
    progress = ShipmentProgress(Stage.SENT, NOW, "1", read_back=NOW, sent_label="d1")
    assert decode(ShipmentProgress, text) == progress
    assert decode(ShipmentProgress, encode(progress)) == progress


def test_all_that_no_activity_could_be_scheduled_about_is_in_the_reason() -> None:
    on_delivery, on_order = ("stock.picking", DELIVERY.id), ("sale.order", 4)
    other = replace(DELIVERY, id=18)
    differences = [
        (DELIVERY, (on_delivery, Note("surplus_1", "", "One mug too many left."))),
        (DELIVERY, (on_order, Note("open_1", "", "One pot is still open."))),
        (other, (("stock.picking", 18), Note("surplus_2", "", "Two pots too many left."))),
    ]
    refused = dict.fromkeys((on_delivery, on_order), ItemError("odoo_refused", "No.", "Ask."))
    ((delivery, error),) = tell._unannounced(differences, refused)
    assert delivery == DELIVERY
    assert error.reason == (
        "One mug too many left. One pot is still open. No activity could be scheduled about it: No."
    )


# Goods of one order item, in several transfers

LINE = _Line("51", sale_order_id=4, product_id=1, quantity=Decimal(6))
KIT = {11: 2, 12: 1}
"""What one set needs, by the product of the part."""


def move(picking: int, product: int, demand: int, done: int | None) -> _Move:
    gone = None if done is None else Decimal(done)
    return _Move(7, product, "Cup", picking, Decimal(demand), gone, cancelled=False)


def test_plain_goods_are_counted_by_transfer() -> None:
    moves = [move(1, 1, 2, 2), move(1, 1, 1, 1), move(2, 1, 2, 2), move(3, 1, 1, None)]
    assert _units(LINE, moves) == {1: 3, 2: 2}


def test_a_fraction_of_a_unit_is_unclear() -> None:
    half = replace(move(1, 1, 1, 1), done=Decimal("0.5"))
    assert _units(LINE, [half]) == {1: None}


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), min_size=1, max_size=5))
def test_of_a_kit_complete_sets_are_confirmed_with_the_transfer_that_completes_them(
    parts: list[tuple[int, int]],
) -> None:
    """The parts of six sets leave in any portions, the rest with a last transfer."""
    left = {11: 12, 12: 6}
    moves, complete = [], []
    for number, portions in enumerate([*parts, (12, 6)], 1):
        for product, portion in zip(KIT, portions, strict=True):
            portion = min(portion, left[product])  # noqa: PLW2901 - no more than there is
            left[product] -= portion
            moves.append(move(number, product, portion, portion))
        complete.append(min((KIT[p] * 6 - left[p]) // KIT[p] for p in KIT))
    units = _units(LINE, moves)
    sent = [units[number] for number in range(1, len(complete) + 1)]
    assert sent == [now - before for before, now in itertools.pairwise([0, *complete])]
    assert sum(u or 0 for u in sent) == 6


def test_of_a_kit_whose_parts_were_cancelled_the_number_is_unclear() -> None:
    rest = replace(move(1, 12, 4, None), cancelled=True)
    assert _units(LINE, [move(1, 11, 12, 12), move(1, 12, 2, 2), rest]) == {1: None}


# Goods of an item of which one unit is several pieces

OF_SIX = replace(LINE, quantity=Decimal(12), pieces=6)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=6), st.integers(1, 12))
def test_a_unit_is_confirmed_with_the_transfer_that_has_its_last_piece(
    parts: list[int], pieces: int
) -> None:
    moves = [move(number, 1, part, part) for number, part in enumerate(parts)]
    units = _units(replace(LINE, pieces=pieces), moves)
    sums = itertools.accumulate(parts, initial=0)
    assert list(units.values()) == [
        after // pieces - before // pieces for before, after in itertools.pairwise(sums)
    ]


def test_a_unit_is_several_kits() -> None:
    """Six kits, three of which are one unit."""
    line = replace(LINE, pieces=3)
    moves = [move(1, 11, 10, 10), move(1, 12, 5, 5), move(2, 11, 2, 2), move(2, 12, 1, 1)]
    assert _units(line, moves) == {1: 1, 2: 1}


@pytest.mark.parametrize(
    ("returned", "gone"),
    [({}, 5), ({11: 2, 12: 1}, 4), ({12: 1}, 4), ({11: 10, 12: 5}, 0), ({11: 11}, 0), ({99: 1}, 5)],
)
def test_kits_are_returned_in_parts(returned: dict[int, int], gone: int) -> None:
    line = replace(LINE, quantity=Decimal(5))
    back = {7: {id_: Decimal(number) for id_, number in returned.items()}}
    known = _Known([move(17, 11, 10, 10), move(17, 12, 5, 5)], {7: line}, back)
    assert known.goods(DELIVERY, set()).gone == {"51": gone}


def test_a_part_that_is_delivered_again_changes_no_kit() -> None:
    line = replace(LINE, quantity=Decimal(2))
    moves = [move(17, 11, 4, 4), move(17, 12, 2, 2), replace(move(18, 12, 1, 1), is_again=True)]
    known = _Known(moves, {7: line}, {7: {12: Decimal(1)}})
    assert known.goods(DELIVERY, set()).gone == {"51": 2}
    assert _units(line, moves) == {17: 2, 18: 0}
    open_ = replace(moves[-1], done=None)
    known = _Known([*moves[:-1], open_], {7: line}, {7: {12: Decimal(1)}})
    assert known.goods(DELIVERY, set()).gone == {"51": 1}


@pytest.mark.parametrize(
    ("done", "open_", "returned", "gone", "to_deliver"),
    [(12, 0, 0, 2, 0), (7, 5, 0, 1, 1), (7, 0, 1, 1, 0), (7, 0, 2, 0, 0), (3, 9, 0, 0, 2)],
)
def test_whole_units_are_gone_and_waited_for(
    done: int, open_: int, returned: int, gone: int, to_deliver: int
) -> None:
    moves = [move(17, 1, done, done)] + ([move(18, 1, open_, None)] if open_ else [])
    goods = _Known(moves, {7: OF_SIX}, {7: {1: Decimal(returned)}}).goods(DELIVERY, set())
    assert (goods.gone, goods.to_deliver) == ({"51": gone}, {"51": to_deliver})
    assert goods.is_last == (not open_)
