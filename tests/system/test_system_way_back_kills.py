"""The program is killed at each step of a notification of Amazon: it is sent once every time."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from bridge import Bridge
from forks import Fork
from program import ENVIRONMENT, SettledWorld
from proxy import Handler, Proxy, called
from warehouse import Warehouse

from amazon_bridge.engine.records import State
from amazon_bridge.simulator import Line, Order

pytestmark = [pytest.mark.odoo("in memory"), pytest.mark.slow]

CLOCKED = Path(__file__).parent / "proof" / "clocked.py"
NOTE = "load"
"""The call that notes in Odoo what was sent to Amazon."""


@dataclass(frozen=True)
class Step:
    """A call, and whether it takes effect before the program dies."""

    method: str
    path: str
    takes_effect: bool

    def __str__(self) -> str:
        return f"{'after' if self.takes_effect else 'before'} {self.method} {self.path}"

    def is_in(self, method: str, path: str, body: bytes) -> bool:
        if self.method == NOTE:
            return called(path, body) == (self.path, self.method)
        return method == self.method and self.path in path


class Trap(Proxy):
    """Kills the program at a step."""

    def __init__(self, target: str, step: Step) -> None:
        super().__init__(target)
        self.step = step
        self.victim: Fork | None = None

    def handle(self, request: Handler, body: bytes) -> None:
        mine = self.step.is_in(request.command, request.path, body)
        if mine and not self.step.takes_effect:
            self._kill(request)
            return
        response = request.pass_on(body)
        if mine:
            self._kill(request)
            return
        request.respond(*response)

    def _kill(self, request: Handler) -> None:
        assert self.victim
        self.victim.kill()
        self.victim.wait()
        request.hang_up()


def kill(bridge: Bridge, job: str, step: Step) -> None:
    """A run that ends at the step, in a separate process, with the bridge's clock."""
    bridge.close()
    program = bridge.program
    urls = program.odoo_url, program.amazon_url
    with Trap(program.odoo_url, step) as odoo, Trap(program.amazon_url, step) as amazon:
        program.odoo_url, program.amazon_url = odoo.url, amazon.url
        shift = str(bridge.clock.shift.total_seconds())
        victim = odoo.victim = amazon.victim = Fork(
            [str(CLOCKED), "--config", str(program.configure()), "sync", job],
            folder=program.folder,
            environment={**ENVIRONMENT, "PROOF_SHIFT": shift},
        )
        victim.wait(timeout=60)
    program.odoo_url, program.amazon_url = urls
    assert victim.returncode == -9, step


def steps(*calls: tuple[str, str], takes_effect: tuple[bool, ...] = (False, True)) -> list[Step]:
    return [Step(method, path, each) for method, path in calls for each in takes_effect]


def place(world: SettledWorld, bridge: Bridge, number: int) -> list[Order]:
    orders = [world.place_order("FR", [Line(quantity=2), Line()]) for _ in range(number)]
    bridge.sync("orders")
    return orders


def test_a_shipment(bridge: Bridge, world: SettledWorld, warehouse: Warehouse) -> None:
    moments = steps(("POST", "/shipmentConfirmation"), (NOTE, "mail.message"))
    orders = place(world, bridge, len(moments))
    for order, step in zip(orders, moments, strict=True):
        transfer = warehouse.ship(order)
        kill(bridge, "pickings", step)
        bridge.sync("pickings")
        bridge.clock.advance(minutes=11)
        bridge.sync("pickings")
        assert bridge.sync("pickings") == {}, step
        assert bridge.state("pickings", f"{order.order_id}#{transfer['id']}") == State.DONE
        assert [p.reference for p in world.order(order.order_id).packages] == [
            str(transfer["id"])
        ], step
        assert len(warehouse.notes("stock.picking", transfer["id"])) == 1, step
        assert len(bridge.confirmations(order.order_id)) == 1, step
    assert len(world.mails) == len(orders)


SENDING = steps(("GET", "/orders/2026"), ("GET", "/feeds?"), takes_effect=(True,)) + steps(
    ("POST", "/documents"), ("PUT", "/storage"), ("POST", "/feeds/2021-06-30/feeds")
)
FOLLOWING = steps(
    ("GET", "/feeds/2021-06-30/feeds/"),
    ("GET", "/documents"),
    ("GET", "/storage"),
    takes_effect=(True,),
) + steps((NOTE, "mail.message"))


@pytest.mark.parametrize(("moments", "before"), [(SENDING, False), (FOLLOWING, True)])
def test_a_feed(
    bridge: Bridge,
    world: SettledWorld,
    warehouse: Warehouse,
    moments: list[Step],
    *,
    before: bool,
) -> None:
    orders = place(world, bridge, len(moments))
    for number, (order, step) in enumerate(zip(orders, moments, strict=True)):
        warehouse.cancel(order)
        if before:
            bridge.clock.advance(hours=1)  # the run looks back a day: Odoo's clock is not shifted
            bridge.sync("cancellations")
            bridge.clock.advance(minutes=5)
        kill(bridge, "cancellations", step)
        for _ in range(3):
            bridge.clock.advance(minutes=31)
            bridge.sync("cancellations")
        assert bridge.sync("cancellations") == {}, step
        assert bridge.state("cancellations", order.order_id) == State.DONE, step
        assert world.order(order.order_id).status == "CANCELLED", step
        sale_order = warehouse.shop.sale_order(order)["id"]
        assert len(warehouse.notes("sale.order", sale_order)) == 1, step
        assert bridge.feeds()[number:] == [[order.order_id]], step
    assert len(world.mails) == len(orders)
