"""The program is killed at some moment of a round, and started again: all is there, once.

By default right after those calls that change most; ``AMAZON_BRIDGE_TEST_SCALE=20`` kills it
before, during and after each of its calls.
"""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, auto
from subprocess import Popen

import pytest
from expectations import lines_of, worth
from odoo_server.databases import OdooDatabase
from program import Program, SettledWorld
from proxy import Proxy
from shop import Shop

from amazon_bridge.simulator import Line, Order, Simulator

SAMPLES = 6 * int(os.environ.get("AMAZON_BRIDGE_TEST_SCALE", "1")) - 5
CHANGES = (
    ("sale.order", "load"),
    ("sale.order.line", "load"),
    ("sale.order", "action_confirm"),
    ("stock.picking", "button_validate"),
    ("mail.activity", "load"),
    ("mail.message", "load"),
    ("sale.order", "action_cancel"),
)


class Moment(Enum):
    """When the program dies, as Odoo or Amazon sees it."""

    BEFORE = auto()
    """The call never came."""
    DURING = auto()
    """The call is worked, perhaps still while the next program runs already."""
    AFTER = auto()
    """The call was worked, and nobody read the answer."""


@dataclass
class Killer:
    """Stands on the way of all calls to both sides, counts them, and kills at one of them."""

    call: int
    moment: Moment
    victim: Popen[str] | None = None
    calls: int = 0
    name: tuple[str, str] | None = None
    """Model and method of the first call to die after."""
    odoo: Proxy | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def before(self) -> bool:
        with self._lock:
            self.calls += 1
            if self.name and self.odoo and not self.call and self.name in self.odoo.odoo_calls:
                self.call = self.calls
            mine = self.calls == self.call
        if mine and self.moment is not Moment.AFTER:
            self._kill()
            return self.moment is Moment.DURING
        return True

    def after(self) -> bool:
        if self.calls == self.call and self.moment is Moment.AFTER:
            self._kill()
            return False
        return True

    def _kill(self) -> None:
        assert self.victim
        self.victim.kill()
        self.victim.wait()


@dataclass
class Scene:
    """An account whose rounds all have the same work to do."""

    world: SettledWorld
    program: Program
    shop: Shop
    imported: list[Order] = field(default_factory=list)

    def happen(self) -> tuple[list[Order], Order]:
        """Four new orders, and one that was imported is cancelled on Amazon."""
        cancelled = self.imported.pop(0)
        self.world.cancel(cancelled.order_id)
        return self.order_some(), cancelled

    def order_some(self) -> list[Order]:
        new = [
            self.world.place_order("FR", [Line(quantity=2, shipping=Decimal("3.90")), Line()]),
            self.world.place_order("DE", [Line(sku="TEAPOT-08", price=Decimal("0.09"))]),
            self.world.place_order("GB", [Line(sku="APRON-LIN", quantity=3)]),
            self.world.place_order("FR", [Line(), Line(sku="MUG-RED")], fulfilled_by="AMAZON"),
        ]
        self.world.request_cancellation(new[2].order_id)
        self.imported.append(new[0])
        return new

    def round(self, killer: Killer) -> int:
        """One round with the killer on its way; the exit code."""
        program = self.program
        with (
            Proxy(program.odoo.url, before=killer.before, after=killer.after) as odoo,
            Proxy(program.simulator.url, before=killer.before, after=killer.after) as amazon,
        ):
            killer.odoo = odoo
            program.odoo_url, program.amazon_url = odoo.url, amazon.url
            killer.victim = program.begin("sync", "orders", "--json")
            out, err = killer.victim.communicate(timeout=120)
        assert "Traceback" not in out + err, out + err
        program.odoo_url, program.amazon_url = program.odoo.url, program.simulator.url
        return killer.victim.returncode


@pytest.fixture(scope="module")
def scene(
    tmp_path_factory: pytest.TempPathFactory, odoo_database: OdooDatabase, shop: Shop
) -> Iterator[Scene]:
    world = SettledWorld(seed=7)
    world.settings.rate_multiplier = 1000
    with Simulator(world) as simulator:
        program = Program(tmp_path_factory.mktemp("bridge"), odoo_database, simulator)
        program.add_account(world.add_seller("A1KILLED", ["FR", "DE", "GB"]))
        scene = Scene(world, program, shop)
        for _ in range(3):
            scene.order_some()
        program.sync()
        yield scene


@pytest.fixture(scope="module")
def calls(scene: Scene) -> int:
    """The number of calls to both sides in a round that nobody disturbs."""
    happened = scene.happen()
    killer = Killer(0, Moment.AFTER)
    assert scene.round(killer) == 0
    check(scene.shop, *happened)
    assert killer.calls > 20
    return killer.calls


@pytest.mark.parametrize("name", CHANGES, ids=".".join)
def test_killed_after_a_change_and_started_again(scene: Scene, name: tuple[str, str]) -> None:
    assert_all_is_there_after(scene, Killer(0, Moment.AFTER, name=name))


@pytest.mark.parametrize("sample", range(SAMPLES))
def test_killed_and_started_again(scene: Scene, calls: int, sample: int) -> None:
    number = sample * 3 * calls // SAMPLES
    killer = Killer(1 + number // 3, list(Moment)[number % 3])
    assert_all_is_there_after(scene, killer)


def assert_all_is_there_after(scene: Scene, killer: Killer) -> None:
    happened = scene.happen()
    assert scene.round(killer) == -9, killer
    run = scene.program.sync()
    assert not run.json["accounts"]["acme"]["orders"]["quarantined"], killer
    check(scene.shop, *happened)


def check(shop: Shop, new: list[Order], cancelled: Order) -> None:
    orders, lines, deliveries = shop.sale_orders(), shop.lines(), shop.deliveries()
    names = {id_: name for name, id_ in shop.external_ids("sale.order.line").items()}
    for order in new:
        row = orders[order.order_id]
        assert row["state"] == "sale"
        assert Decimal(str(row["amount_total"])) == worth(order)
        assert row["date_order"] == order.created.strftime("%Y-%m-%d %H:%M:%S")
        rounding = f"sale_line_{order.order_id}_rounding"
        assert sorted({names[id_] for id_ in row["order_line"]} - {rounding}) == sorted(
            lines_of(order)
        )
        (delivery,) = deliveries[order.order_id]
        by_amazon = order.fulfilled_by == "AMAZON"
        assert delivery["state"] == ("done" if by_amazon else "assigned")
        for item in order.items:
            delivered = item.quantity if by_amazon else 0
            assert lines[f"sale_line_{item.order_item_id}"].delivered == delivered
        email = [("email", "=", order.buyer.email), ("parent_id", "=", False)]
        assert len(shop.search("res.partner", email, [])) == (0 if by_amazon else 1)
    asking = orders[new[2].order_id]["id"]
    assert len(shop.activities("sale.order", asking)) == 1
    assert len(shop.notes("sale.order", asking)) == 1
    was = orders[cancelled.order_id]
    assert was["state"] == "cancel"
    assert len(shop.notes("sale.order", was["id"])) == 1
    assert [each["state"] for each in deliveries[cancelled.order_id]] == ["cancel"]
