"""Two installations at once, and people who work on the same orders at the same moment."""

import random
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from daemons import RunningDaemon
from expectations import worth
from figures import FIGURES, SEED, scaled
from people import Packers, People, at_once
from scenario import MAX_RUNS, PAUSE, ClockedProgram, Scenario, finish
from scenario_pictures import Picture, different

from amazon_bridge.simulator import Line, Order

RACES = range(SEED, SEED + scaled(1, 10))


@pytest.mark.parametrize("seed", RACES)
def test_two_with_their_own_state_stores(
    scenario: Scenario, undisturbed: Picture, seed: int
) -> None:
    """As with a forgotten second installation: each order, line and delivery is created once."""
    other = another(scenario.program)
    scenario.play_day()
    scenario.clock.shift += timedelta(minutes=35)
    runs = finish(
        scenario.program,
        scenario.program.begin("sync", "orders", "--json"),
        other.begin("sync", "orders", "--json"),
    )
    assert all(run.code in (0, 3) for run in runs), runs
    assert other.run("sync", "orders").code == 0
    scenario.run_until_quiet()
    assert different(scenario.picture(), undisturbed) == {}
    FIGURES["races of two state stores"] += 1


@pytest.mark.parametrize("seed", RACES)
def test_two_daemons_with_their_own_state_stores(
    scenario: Scenario, undisturbed: Picture, seed: int
) -> None:
    """Nothing exists twice in Odoo, and no buyer is mailed twice."""
    other = another(scenario.program)
    scenario.play_day()
    for _ in range(2):
        scenario.clock.shift += PAUSE
        with RunningDaemon(scenario.program) as one, RunningDaemon(other) as two:
            one.wait_for_rounds(2)
            two.wait_for_rounds(2)
    scenario.run_until_quiet()
    assert different(without_repeats(scenario.picture()), without_repeats(undisturbed)) == {}
    FIGURES["races of two daemons"] += 1


def without_repeats(picture: Picture) -> Picture:
    """A picture without what two state stores may tell Amazon twice, and without the notes.

    When one has sent a cancellation, the other may note that Amazon knew it.
    """
    return {part: _without_repeats(records) for part, records in picture.items()}


def _without_repeats(records: dict[str, Any]) -> dict[str, Any]:
    sales = [{k: v for k, v in sale.items() if k != "notes"} for sale in records["in Odoo"]]
    seen = {k: v for k, v in records["on Amazon"].items() if k in SEEN}
    return {**records, "in Odoo": sales, "on Amazon": seen}


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
def people(scenario: Scenario) -> People:
    return People(scenario.shop)


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(1, 20)))
def test_people_work_on_orders_that_are_just_being_made(
    scenario: Scenario, people: People, seed: int
) -> None:
    chance = random.Random(seed)
    orders = [
        scenario.world.place_order("FR", [Line(quantity=2), Line(sku="MUG-RED")], fulfilled_by=by)
        for by in ("MERCHANT", "MERCHANT", "MERCHANT", "AMAZON", "AMAZON", "AMAZON")
    ]
    done: list[str] = []
    busy = threading.Thread(target=lambda: done.extend(at_once(people, orders, chance)))
    busy.start()
    scenario.sync()
    busy.join()
    FIGURES["what people did to orders being made"] += len(done)
    scenario.sync()
    before = [people.sale_order(order) for order in orders]
    for order, row in zip(orders, before, strict=True):
        check_all_or_aside(scenario, order, row)
    # People's changes are kept, also when the bridge processes everything again.
    begin = (scenario.clock() - timedelta(hours=2)).isoformat()
    assert scenario.program.run("cursor", "set", "acme", begin).code == 0
    scenario.sync()
    after = [people.sale_order(order) for order in orders]
    for was, now in zip(before, after, strict=True):
        if was and now:
            assert now["state"] == was["state"] or was["state"] == "draft"
            assert now["note"] == was["note"]
            assert now["locked"] == was["locked"]
    settle(scenario)


def check_all_or_aside(scenario: Scenario, order: Order, row: dict[str, object] | None) -> None:
    """It is in Odoo with its lines and total, or somebody deleted it, or it is quarantined."""
    if row is None or order.order_id in scenario.program.quarantine():
        return
    lines = row["order_line"]
    assert isinstance(lines, list)
    assert len(lines) == len(order.items)
    if row["state"] == "sale":
        assert Decimal(str(row["amount_total"])) == worth(order)


def settle(scenario: Scenario) -> None:
    """What people did may leave something quarantined, with a reason that isn't a bug of ours."""
    quarantined = scenario.program.quarantine()
    assert all(
        entry["reason"] and entry["kind"] != "internal_error" for entry in quarantined.values()
    )
    FIGURES["items that people's work quarantined"] = len(quarantined)


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(1, 20)))
def test_people_ship_and_cancel_while_amazon_is_notified(scenario: Scenario, seed: int) -> None:
    created = datetime.now(UTC) - timedelta(hours=1)  # Odoo's clock dates their shipment
    lines = [Line(quantity=2), Line(sku="MUG-RED")]
    orders = [scenario.world.place_order("FR", lines, created=created) for _ in range(8)]
    for order in orders:
        scenario.world.change(order.order_id)  # Amazon's clock dates the change
    scenario.sync()
    scenario.program.accounts[0]["cancellation_brake"] = {"orders": 1000, "percent": 100}
    with Packers(scenario.shop, orders, random.Random(seed)) as packers:
        for _ in range(4):
            scenario.clock.shift += PAUSE
            program = scenario.program
            commands = [
                program.begin("sync", job, "--json") for job in ("pickings", "cancellations")
            ]
            runs = finish(program, *commands)
            assert all(run.code in (0, 1) for run in runs), runs
    FIGURES["people's changes while Amazon was notified"] += len(packers.done)
    for order in orders:
        check_what_people_did(packers, order)
    packers.label_the_rest()
    run_until_nothing_is_pending(scenario)
    for order in orders:
        check_what_amazon_knows(scenario, packers, order)
    settle(scenario)


def check_what_people_did(packers: Packers, order: Order) -> None:
    assert packers.sale_order(order)["state"] == packers.states.get(order.order_id, "sale")
    for row in packers.transfers(order):
        assert row["carrier_tracking_ref"] == packers.labels.get(row["id"], False)


def run_until_nothing_is_pending(scenario: Scenario) -> None:
    for _ in range(MAX_RUNS):
        run = scenario.sync()
        assert run.code in (0, 1), run
        if all("quarantined" in each for each in scenario.program.unfinished):
            return
    raise AssertionError(scenario.program.unfinished)


def check_what_amazon_knows(scenario: Scenario, packers: Packers, order: Order) -> None:
    """Of each delivery that is done, and of nothing else; the buyer was written once of each."""
    now, quarantined = scenario.world.order(order.order_id), scenario.program.quarantine()
    done = {str(t["id"]) for t in packers.transfers(order) if t["state"] == "done"}
    confirmed = {package.reference for package in now.packages}
    assert confirmed <= done
    if now.status not in {"CANCELLED", "SHIPPED"}:
        known = {key.rpartition("@")[2] for key in quarantined}
        assert {f"{order.order_id}#{id_}" for id_ in done - confirmed} <= known
    mails = [mail for mail in scenario.world.mails if mail.order_id == order.order_id]
    assert Counter((mail.kind, mail.package_reference) for mail in mails) == Counter(
        [*(("shipped", reference) for reference in confirmed)]
        + [("cancelled", None)] * (now.status == "CANCELLED")
    )
    if packers.sale_order(order)["state"] == "cancel" and not done:
        assert now.status == "CANCELLED" or order.order_id in quarantined
