"""Several bridges at once, and people who work on the same orders at the same moment."""

import random
import threading
import xmlrpc.client
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from expectations import worth
from figures import FIGURES, SEED, scaled
from pictures import Picture, different
from program import Run
from story import ClockedProgram, Story

from amazon_bridge.simulator import Line, Order

RACES = range(SEED, SEED + scaled(1, 10))


@pytest.fixture(scope="module")
def undisturbed(story: Story) -> Picture:
    return story.begin()


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


def another(program: ClockedProgram) -> ClockedProgram:
    folder = program.folder / "another"
    folder.mkdir(exist_ok=True)
    other = ClockedProgram(folder, program.odoo, program.simulator, program.clock)
    other.accounts = program.accounts
    return other


# People


@pytest.fixture
def people(story: Story) -> "People":
    return People(story)


class People:
    """They work on orders while the bridge does."""

    def __init__(self, story: Story) -> None:
        self.rpc, self.search = story.shop.rpc, story.shop.search

    def sale_order(self, order: Order) -> dict[str, object] | None:
        fields = ["state", "order_line", "note", "picking_ids", "locked", "amount_total"]
        rows = self.search("sale.order", [("client_order_ref", "=", order.order_id)], fields)
        assert len(rows) <= 1
        return rows[0] if rows else None

    def edit(self, id_: int) -> None:
        self.rpc("sale.order", "write", [id_], {"note": "<p>Ring twice</p>"})

    def confirm(self, id_: int) -> None:
        self.rpc("sale.order", "action_confirm", [id_])

    def cancel(self, id_: int) -> None:
        self.rpc("sale.order", "action_cancel", [id_], context={"disable_cancel_warning": True})

    def lock(self, id_: int) -> None:
        self.rpc("sale.order", "action_lock", [id_])

    def delete(self, id_: int) -> None:
        self.rpc("sale.order", "unlink", [id_])

    def ship(self, id_: int) -> None:
        context = {"skip_backorder": True, "skip_sms": True}
        rows = self.search("stock.picking", [("sale_id", "=", id_)], [])
        for row in rows:
            self.rpc("stock.picking", "button_validate", [row["id"]], context=context)


ACTIONS = ("edit", "confirm", "cancel", "lock", "delete", "ship")


def at_once(people: People, orders: list[Order], chance: random.Random) -> Iterator[str]:
    """Do something to an order as soon as it appears, until each was done something to."""
    left = {order.order_id: order for order in orders}
    for _ in range(400):
        for order in list(left.values()):
            if (row := people.sale_order(order)) and chance.random() < 0.5:
                action = chance.choice(ACTIONS)
                with suppress(xmlrpc.client.Fault):
                    getattr(people, action)(row["id"])
                    yield action
                if chance.random() < 0.5:
                    left.pop(order.order_id)
        if not left:
            return


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
    assert all(entry["reason"] and entry["kind"] != "bug" for entry in put_aside.values())
    FIGURES["items that people's work put aside"] = len(put_aside)
