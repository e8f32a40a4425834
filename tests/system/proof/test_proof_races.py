"""Several bridges at once, and people who work on the same orders at the same moment."""

import random
import threading
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from daemons import RunningDaemon
from expectations import worth
from figures import FIGURES, SEED, scaled
from people import Packers, People, at_once
from pictures import Picture, different
from program import Run
from story import MOST_ROUNDS, PAUSE, ClockedProgram, Story

from amazon_bridge.simulator import Line, Order

RACES = range(SEED, SEED + scaled(1, 10))


def finish(program: ClockedProgram, *processes: object) -> list[Run]:
    runs = []
    for process in processes:
        out, err = process.communicate(timeout=300)  # type: ignore[attr-defined]
        runs.append(Run((), process.returncode, out, err))  # type: ignore[attr-defined]
        assert "Traceback" not in out + err
    program.runs += runs
    return runs


@pytest.mark.parametrize("seed", RACES)
def test_two_on_one_state_store(story: Story, undisturbed: Picture, seed: int) -> None:
    """One works, the other waits, or says that it is being worked, and ends with 3."""
    story.happen()
    runs = finish(story.program, story.begin_round(), story.begin_round())
    assert 0 in {run.code for run in runs}
    assert all(run.code in (0, 3) for run in runs), runs
    story.run_until_quiet()
    assert different(story.picture(), undisturbed) == {}
    FIGURES["races on one state store"] += 1


@pytest.mark.parametrize("seed", RACES)
def test_two_with_their_own_state_stores(story: Story, undisturbed: Picture, seed: int) -> None:
    """As when a second installation was forgotten: each order, line and delivery is made once."""
    other = another(story.program)
    story.happen()
    story.clock.shift += timedelta(minutes=35)
    runs = finish(
        story.program,
        story.program.begin("sync", "orders", "--json"),
        other.begin("sync", "orders", "--json"),
    )
    assert all(run.code in (0, 3) for run in runs), runs
    assert other.run("sync", "orders").code == 0
    story.run_until_quiet()
    assert different(story.picture(), undisturbed) == {}
    FIGURES["races of two state stores"] += 1


@pytest.mark.parametrize("seed", RACES)
def test_the_daemon_and_sync_at_once(story: Story, undisturbed: Picture, seed: int) -> None:
    """And a second daemon, which says at once that there is a first."""
    story.happen()
    for _ in range(2):  # one sends the feed, the other follows it
        story.clock.shift += PAUSE
        with RunningDaemon(story.program) as daemon:
            runs = [story.program.run("sync", "all", "--json") for _ in range(2)]
            assert all(run.code in (0, 3) for run in runs), runs
            second = story.program.run("run")
            assert second.code == 3
            assert "Another daemon runs with the state store" in second.err
            daemon.wait_for_rounds(1)
    story.run_until_quiet()
    assert different(story.picture(), undisturbed) == {}
    FIGURES["races of the daemon and sync"] += 1


@pytest.mark.parametrize("seed", RACES)
def test_two_daemons_with_their_own_state_stores(
    story: Story, undisturbed: Picture, seed: int
) -> None:
    """Nothing stands twice in Odoo, and no buyer is written twice."""
    other = another(story.program)
    story.happen()
    for _ in range(2):
        story.clock.shift += PAUSE
        with RunningDaemon(story.program) as one, RunningDaemon(other) as two:
            one.wait_for_rounds(2)
            two.wait_for_rounds(2)
    story.run_until_quiet()
    assert different(without_repeats(story.picture()), without_repeats(undisturbed)) == {}
    FIGURES["races of two daemons"] += 1


def without_repeats(picture: Picture) -> Picture:
    """A picture without what two state stores may tell Amazon twice, and without the notes.

    Of a cancellation that one has told the other may note that Amazon knew of it.
    """
    return {part: _without_repeats(sides) for part, sides in picture.items()}


def _without_repeats(sides: dict[str, Any]) -> dict[str, Any]:
    sales = [{k: v for k, v in sale.items() if k != "notes"} for sale in sides["in Odoo"]]
    seen = {k: v for k, v in sides["on Amazon"].items() if k in SEEN}
    return {**sides, "in Odoo": sales, "on Amazon": seen}


SEEN = ("status", "packages", "mails")
"""What the buyer sees of an order on Amazon."""


def another(program: ClockedProgram) -> ClockedProgram:
    folder = program.folder / "another"
    folder.mkdir(exist_ok=True)
    other = ClockedProgram(folder, program.odoo, program.simulator, program.clock)
    other.accounts, other.log_level = program.accounts, program.log_level
    return other


# People


@pytest.fixture
def people(story: Story) -> People:
    return People(story.shop)


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(1, 20)))
def test_people_work_on_orders_that_are_just_being_made(
    story: Story, people: People, seed: int
) -> None:
    chance = random.Random(seed)
    orders = [
        story.world.place_order("FR", [Line(quantity=2), Line(sku="MUG-RED")], fulfilled_by=by)
        for by in ("MERCHANT", "MERCHANT", "MERCHANT", "AMAZON", "AMAZON", "AMAZON")
    ]
    done: list[str] = []
    busy = threading.Thread(target=lambda: done.extend(at_once(people, orders, chance)))
    busy.start()
    story.round()
    busy.join()
    FIGURES["what people did to orders being made"] += len(done)
    story.round()
    before = [people.sale_order(order) for order in orders]
    for order, row in zip(orders, before, strict=True):
        check_all_or_aside(story, order, row)
    # What people did stands, also when the bridge looks at everything again.
    begin = (story.clock() - timedelta(hours=2)).isoformat()
    assert story.program.run("cursor", "set", "acme", begin).code == 0
    story.round()
    after = [people.sale_order(order) for order in orders]
    for was, now in zip(before, after, strict=True):
        if was and now:
            assert now["state"] == was["state"] or was["state"] == "draft"
            assert now["note"] == was["note"]
            assert now["locked"] == was["locked"]
    settle(story)


def check_all_or_aside(story: Story, order: Order, row: dict[str, object] | None) -> None:
    """It stands in Odoo with its lines and worth, or somebody deleted it, or it is put aside."""
    if row is None or order.order_id in story.program.quarantine():
        return
    lines = row["order_line"]
    assert isinstance(lines, list)
    assert len(lines) == len(order.items)
    if row["state"] == "sale":
        assert Decimal(str(row["amount_total"])) == worth(order)


def settle(story: Story) -> None:
    """What people did may leave something put aside, with a reason that isn't a bug of ours."""
    put_aside = story.program.quarantine()
    assert all(
        entry["reason"] and entry["kind"] != "internal_error" for entry in put_aside.values()
    )
    FIGURES["items that people's work put aside"] = len(put_aside)


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(1, 20)))
def test_people_ship_and_cancel_while_amazon_is_told(story: Story, seed: int) -> None:
    orders = [
        story.world.place_order("FR", [Line(quantity=2), Line(sku="MUG-RED")]) for _ in range(8)
    ]
    story.round()
    story.program.accounts[0]["cancellation_brake"] = {"orders": 1000, "percent": 100}
    with Packers(story.shop, orders, random.Random(seed)) as packers:
        for _ in range(4):
            story.clock.shift += PAUSE
            program = story.program
            rounds = [program.begin("sync", job, "--json") for job in ("pickings", "cancellations")]
            runs = finish(program, *rounds)
            assert all(run.code in (0, 1) for run in runs), runs
    FIGURES["what people did while Amazon was told"] += len(packers.done)
    for order in orders:
        check_what_people_did(packers, order)
    packers.label_the_rest()
    run_until_nothing_is_pending(story)
    for order in orders:
        check_what_amazon_knows(story, packers, order)
    settle(story)


def check_what_people_did(packers: Packers, order: Order) -> None:
    assert packers.sale_order(order)["state"] == packers.states.get(order.order_id, "sale")
    for row in packers.transfers(order):
        assert row["carrier_tracking_ref"] == packers.labels.get(row["id"], False)


def run_until_nothing_is_pending(story: Story) -> None:
    for _ in range(MOST_ROUNDS):
        run = story.round()
        assert run.code in (0, 1), run
        if all("quarantined" in each for each in story.program.unfinished):
            return
    raise AssertionError(story.program.unfinished)


def check_what_amazon_knows(story: Story, packers: Packers, order: Order) -> None:
    """Of each delivery that is done, and of nothing else; the buyer was written once of each."""
    now, put_aside = story.world.order(order.order_id), story.program.quarantine()
    done = {str(t["id"]) for t in packers.transfers(order) if t["state"] == "done"}
    told = {package.reference for package in now.packages}
    assert told <= done
    if now.status not in {"CANCELLED", "SHIPPED"}:
        assert {f"{order.order_id}#{id_}" for id_ in done - told} <= put_aside.keys()
    mails = [mail for mail in story.world.mails if mail.order_id == order.order_id]
    assert Counter((mail.kind, mail.package_reference) for mail in mails) == Counter(
        [*(("shipped", reference) for reference in told)]
        + [("cancelled", None)] * (now.status == "CANCELLED")
    )
    if packers.sale_order(order)["state"] == "cancel" and not done:
        assert now.status == "CANCELLED" or order.order_id in put_aside
