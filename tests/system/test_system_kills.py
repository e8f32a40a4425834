"""The import is killed right after each change in Odoo, and started again: all is there, once.

The state of Odoo and Amazon after many more kills: ``proof``.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from expectations import lines_of, worth
from forks import Fork
from odoo_server.databases import VERSION, OdooDatabase
from program import Program, SettledWorld
from proxy import Proxy
from shop import SaleLine, Shop

from amazon_bridge.simulator import Line, Order, Simulator

CHANGES = frozenset(
    {
        ("sale.order", "load"),
        ("sale.order.line", "load"),  # rounding lines; before Odoo 19, taxes and prices first
        ("sale.order", "action_confirm"),
        ("stock.picking", "load"),  # the buyer's contact is removed, so that Odoo doesn't mail
        ("stock.picking", "button_validate"),
        ("mail.activity", "load"),
        ("mail.message", "load"),
        ("sale.order", "action_cancel"),
        *([("sale.order", "web_save_multi")] if VERSION >= 19 else []),
    }
)
"""Model and method of each call that changes Odoo."""


@dataclass
class Killer:
    """Kills a run when the response to its first call of each kind that is left is there."""

    left: set[tuple[str, str]] = field(default_factory=lambda: set(CHANGES))
    odoo: Proxy | None = None
    victim: Fork | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def after(self) -> bool:
        assert self.odoo
        assert self.victim
        with self._lock:
            due = [call for call in self.odoo.odoo_calls if call in self.left]
            if not due:
                return True
            self.left.remove(due[0])
            self.victim.kill()
            self.victim.wait()
            return False


@dataclass
class Scene:
    """An account whose runs all have the same work to do."""

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

    def run(self, killer: Killer) -> int:
        """The exit code of a run, negative if it was killed."""
        program = self.program
        with Proxy(program.odoo.url, after=killer.after) as killer.odoo:
            program.odoo_url = killer.odoo.url
            killer.victim = program.begin("sync", "orders", "--json")
            out, err = killer.victim.communicate(timeout=120)
        program.odoo_url = program.odoo.url
        code = killer.victim.returncode
        assert code in (0, -9), out + err
        return code


@pytest.fixture(scope="module")
def scene(
    tmp_path_factory: pytest.TempPathFactory, odoo_database: OdooDatabase, shop: Shop
) -> Iterator[Scene]:
    world = SettledWorld(seed=7)
    world.settings.rate_multiplier = 1000
    with Simulator(world) as simulator:
        program = Program(tmp_path_factory.mktemp("bridge"), odoo_database, simulator)
        program.add_account(world.add_seller("A1KILLED", ["FR", "DE", "GB"]))
        shop.confirm_deliveries_by_mail()
        scene = Scene(world, program, shop)
        scene.order_some()
        program.sync()
        yield scene


def test_killed_after_each_change_and_started_again(scene: Scene) -> None:
    """Most are killed one after the other, as the next run goes on with what is left to do."""
    killer = Killer()
    while left := len(killer.left):
        new, cancelled = scene.happen()
        while scene.run(killer) < 0:
            pass
        assert len(killer.left) < left
        check(scene, new, cancelled)


def check(scene: Scene, new: list[Order], cancelled: Order) -> None:
    orders = scene.shop.sale_orders()
    check_imported(scene.shop, new, orders)
    requested = orders[new[2].order_id]["id"]
    assert len(scene.shop.activities("sale.order", requested)) == 1
    assert len(scene.shop.notes("sale.order", requested)) == 1
    was = orders[cancelled.order_id]
    assert was["state"] == "cancel"
    assert len(scene.shop.notes("sale.order", was["id"])) == 1
    assert [each["state"] for each in scene.shop.deliveries_of(cancelled)] == ["cancel"]


def check_imported(shop: Shop, new: list[Order], orders: Mapping[str, dict[str, Any]]) -> None:
    """All that belongs to these orders is in Odoo, once; ``orders`` has the sale orders."""
    lines = shop.lines()
    names = {id_: name for name, id_ in shop.external_ids("sale.order.line").items()}
    for order in new:
        check_order(order, orders[order.order_id], lines, names)
        (delivery,) = shop.deliveries_of(order)
        by_amazon = order.fulfilled_by == "AMAZON"
        assert delivery["state"] == ("done" if by_amazon else "assigned")
        assert delivery["partner_id"] == orders[order.order_id]["partner_shipping_id"]
        email = [("email", "=", order.buyer.email), ("parent_id", "=", False)]
        assert len(shop.search("res.partner", email, [])) == (0 if by_amazon else 1)


def check_order(
    order: Order,
    row: Mapping[str, Any],
    lines: Mapping[str, SaleLine],
    names: Mapping[int, str],
) -> None:
    assert row["state"] == "sale"
    assert Decimal(str(row["amount_total"])) == worth(order)
    assert row["date_order"] == order.created.strftime("%Y-%m-%d %H:%M:%S")
    rounding = f"sale_line_{order.order_id}_rounding"
    assert sorted({names[id_] for id_ in row["order_line"]} - {rounding}) == sorted(lines_of(order))
    for item in order.items:
        delivered = item.quantity if order.fulfilled_by == "AMAZON" else 0
        assert lines[f"sale_line_{item.order_item_id}"].delivered == delivered
