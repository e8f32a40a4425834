"""A scenario that covers all that the bridge does: days in a shop, one like the other.

Orders come in (by the merchant, by Amazon), are cancelled on either side, are shipped whole and
in parts. The orders of a day go on during the next two days, so that from the third day on every
day has something of everything, and the results of two days can be compared.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property, partial
from pathlib import Path

from bridge import ShiftedClock
from forks import Fork
from odoo_server.databases import OdooDatabase
from program import ENVIRONMENT, Program, Run, SettledWorld
from scenario_pictures import Picture, picture
from shop import Shop

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.simulator import Line, Order, Simulator

CLOCKED = Path(__file__).with_name("clocked.py")

PAUSE = timedelta(minutes=35)
"""Time between two sync runs: enough to process or give up a feed, and to read back."""

MAX_RUNS = 8
"""After this many undisturbed sync runs nothing may be left to do."""

Parts = dict[str, Order]
"""Orders by their role in a day."""


class ClockedProgram(Program):
    """Runs with the simulated Amazon's clock."""

    haste = 1.0
    """Divides the length of pauses."""

    def __init__(
        self, folder: Path, odoo: OdooDatabase, simulator: Simulator, clock: ShiftedClock
    ) -> None:
        super().__init__(folder, odoo, simulator)
        self.clock = clock
        self.command = [str(CLOCKED)]

    @property
    def environment(self) -> dict[str, str]:
        shift = str(self.clock.shift.total_seconds())
        return {**ENVIRONMENT, "PROOF_SHIFT": shift, "PROOF_HASTE": str(self.haste)}

    @property
    def unfinished(self) -> list[str]:
        """The open feeds, and the numbers of pending and quarantined items."""
        with Ledger(self.state, self.clock) as ledger:
            feeds = [f for account in self.accounts for f in ledger.feeds.open(account["name"])]
            items = ledger.items.open_counts().items()
            return [*map(str, feeds), *(f"{job}: {n} {state}" for (_, job, state), n in items)]


@dataclass
class Scenario:
    """A shop on Amazon and in Odoo, and the program that keeps them in sync."""

    world: SettledWorld
    simulator: Simulator
    program: ClockedProgram
    shop: Shop
    clock: ShiftedClock
    days: list[Parts] = field(default_factory=list)

    def begin(self) -> Picture:
        """Play days until the next one has something of everything."""
        for _ in range(2):
            self.play_day()
            self.sync()
        self.play_day()
        self.run_until_quiet()
        return self.picture()

    # What happens between sync runs

    def play_day(self) -> None:
        self.clock.shift += PAUSE
        last, last_but_one = [*reversed(self.days), {}, {}][:2]
        if last:
            self.world.cancel(last["cancelled on Amazon"].order_id)
            self.shop.cancel(self._sale_order_id(last["cancelled in Odoo"]))
            self._ship(last["shipped"])
            self._ship(last["shipped in parts"], quantity=1)
        if last_but_one:
            self._ship(last_but_one["shipped in parts"])
        parts = self._new_orders()
        parts |= {f"{p}, a day later": last[p] for p in list(last)[:4]}
        parts |= {f"{p}, two days later": last_but_one[p] for p in list(last_but_one)[3:4]}
        self.days.append(parts)

    def _new_orders(self) -> Parts:
        created = datetime.now(UTC) - timedelta(hours=1)  # for Odoo too
        place = partial(self.world.place_order, created=created)
        parts = {
            "cancelled in Odoo": place("FR", [Line(quantity=2, shipping=Decimal("3.90")), Line()]),
            "cancelled on Amazon": place("DE", [Line(sku="TEAPOT-08", price=Decimal("0.09"))]),
            "shipped": place("FR", [Line(sku="MUG-RED"), Line(sku="BOARD-OAK")]),
            "shipped in parts": place("GB", [Line(sku="APRON-LIN", quantity=3)]),
            "by Amazon": place("FR", [Line(), Line(sku="MUG-RED")], fulfilled_by="AMAZON"),
        }
        self.world.request_cancellation(parts["shipped"].order_id)
        return parts

    def _ship(self, order: Order, *, quantity: int | None = None) -> None:
        """A person in the warehouse ships what is left, or ``quantity`` of each line."""
        domain = [("sale_id.client_order_ref", "=", order.order_id), ("state", "=", "assigned")]
        (delivery,) = self.shop.search("stock.picking", domain, ["move_ids"])
        sent = {"carrier_id": self._carrier, "carrier_tracking_ref": f"JD{delivery['id']:010}"}
        self.shop.rpc("stock.picking", "write", [delivery["id"]], sent)
        if quantity:
            done = {"quantity": quantity, "picked": True}
            self.shop.rpc("stock.move", "write", delivery["move_ids"], done)
        context = {"skip_backorder": True, "skip_sms": True}
        self.shop.rpc("stock.picking", "button_validate", [delivery["id"]], context=context)

    @cached_property
    def _carrier(self) -> int:
        product = self.shop.rpc("product.product", "create", {"name": "Post", "type": "service"})
        values = {"name": "DHL", "product_id": product, "delivery_type": "fixed"}
        return int(self.shop.rpc("delivery.carrier", "create", values))

    def _sale_order_id(self, order: Order) -> int:
        domain = [("client_order_ref", "=", order.order_id)]
        (row,) = self.shop.search("sale.order", domain, [])
        return int(row["id"])

    # Sync runs

    def begin_sync(self) -> Fork:
        """Start a sync run of all jobs, half an hour after the last one."""
        self.clock.shift += PAUSE
        return self.program.begin("sync", "all", "--json")

    def sync(self) -> Run:
        self.clock.shift += PAUSE
        return self.program.run("sync", "all", "--json")

    def run_until_quiet(self, step: Callable[[], Run] | None = None) -> int:
        """Run until a sync run succeeds and leaves nothing to do.

        Args:
            step: does a sync run; by default an undisturbed one.

        Returns:
            The number of sync runs.
        """
        for number in range(1, MAX_RUNS + 1):
            run = (step or self.sync)()
            if run.code == 0 and not self.program.unfinished:
                return number
        raise AssertionError((self.program.unfinished, run))

    # Results

    def picture(self) -> Picture:
        """The records of the last day's orders in Odoo and on Amazon."""
        return picture(self.shop, self.simulator, self.days[-1])


def finish(program: ClockedProgram, *processes: Fork) -> list[Run]:
    """Wait for programs that were begun; none may have crashed."""
    runs = []
    for process in processes:
        out, err = process.communicate(timeout=300)
        runs.append(Run((), process.returncode, out, err))
        assert "Traceback" not in out + err
    program.runs += runs
    return runs
