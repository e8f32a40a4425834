"""Histories: what may happen on Amazon, in Odoo and to the bridge, in any sequence.

After each step what must always hold is looked for on both sides; at the end of each history all
must have come to its place, and a further round must change nothing.
"""

import xmlrpc.client
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from bridge import Bridge, ShiftedClock
from expectations import is_imported, worth
from figures import FIGURES, SEED, scaled
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from program import Program, SettledWorld
from shop import READING, Rows, Shop, amount
from story import Story
from warehouse import Warehouse

from amazon_bridge import config
from amazon_bridge.amazon.operations import LIMITS
from amazon_bridge.app import App
from amazon_bridge.engine.ledger import State
from amazon_bridge.engine.throttle import Throttle
from amazon_bridge.simulator import Line, Order, Seller

JOBS = ("orders", "cancellations", "pickings")
ASKING = {"token", "searchOrders", "getOrder", "getFeed", "getFeedDocument", "download"}
"""What changes nothing on Amazon."""

PEOPLES = {"needs_attention", "cancelled_on_amazon"}
"""Kinds of what only people can settle: Amazon and Odoo have gone different ways."""


class Killed(BaseException):
    """Ends a round as a kill does: nothing is put in order."""


class MortalBridge(Bridge):
    """Dies after so many more calls."""

    calls_left: int | None = None

    @property
    def app(self) -> App:
        if self._app is None:
            loaded = config.load(self.program.configure(), {})
            limits = {name: replace(limit, rate=1000) for name, limit in LIMITS.items()}
            self._app = App(
                loaded,
                clock=self.clock,
                sleep=lambda _: None,
                throttle=Throttle(limits),
                watch=self._count,
            )
        return self._app

    def _count(self, *_: object) -> None:
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left == 0:
                self.calls_left = None
                raise Killed

    def round(self, jobs: tuple[str, ...] = JOBS) -> None:
        self.clock.advance(minutes=3)
        for job in jobs:
            self.sync(job)


@dataclass
class Stage:
    """What all histories share."""

    shop: Shop
    warehouse: Warehouse
    world: SettledWorld
    clock: ShiftedClock
    template: Program
    folder: Path
    number: int = 0

    def next(self) -> tuple[Seller, MortalBridge]:
        """A seller without any orders, and its bridge without any memory."""
        self.number += 1
        seller = self.world.add_seller(f"A1HISTORY{self.number}", ["FR", "DE"])
        folder = self.folder / str(self.number)
        folder.mkdir()
        program = Program(folder, self.template.odoo, self.template.simulator)
        program.start = self.clock()
        program.add_account(seller)
        return seller, MortalBridge(program, self.clock)


number = st.integers(0, 30)


class Histories(RuleBasedStateMachine):
    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        self.seller, self.bridge = self.stage.next()
        self.world, self.shop = self.stage.world, self.stage.shop
        self.orders: list[str] = []
        self.steps = 0
        self.cursor: datetime | None = None
        self.notes: dict[str, str] = {}
        self.cancelled: set[str] = set()
        self.deleted: set[str] = set()
        for by in ("MERCHANT", "MERCHANT", "AMAZON"):
            self.placed(by, None, 0, 2)
        self.bridge.round()

    def _order(self, number: int) -> Order:
        return self.world.order(self.orders[number % len(self.orders)])

    # Amazon

    @rule(
        by=st.sampled_from(["MERCHANT", "MERCHANT", "AMAZON"]),
        status=st.sampled_from(["UNSHIPPED", "UNSHIPPED", "PENDING", None]),
        late=st.sampled_from([0, 0, 0, 1200]),
        lines=st.integers(1, 2),
    )
    def placed(self, by: str, status: str | None, late: float, lines: int) -> None:
        self.world.settings.search_delay = late
        skus = [Line(sku="MUG-RED", quantity=2), Line(sku="BOARD-OAK")][:lines]
        created = self.stage.clock().replace(microsecond=0) - timedelta(minutes=5)
        order = self.world.place_order(
            "FR", skus, seller=self.seller, fulfilled_by=by, status=status, created=created
        )
        self.world.settings.search_delay = 0
        self.orders.append(order.order_id)

    @precondition(lambda self: self.orders)
    @rule(number=number)
    def goes_on(self, number: int) -> None:
        """It is paid, or Amazon ships it."""
        order = self._order(number)
        if order.status == "PENDING":
            self.world.pay(order.order_id)
        elif order.status == "UNSHIPPED" and order.fulfilled_by == "AMAZON":
            self.world.ship(order.order_id)

    @precondition(lambda self: self.orders)
    @rule(number=number, how=st.sampled_from(["cancel", "request", "touch"]))
    def changed(self, number: int, how: str) -> None:
        order = self._order(number)
        if order.status != "UNSHIPPED":
            return
        if how == "cancel":
            self.world.cancel(order.order_id)
        elif how == "request":
            self.world.request_cancellation(order.order_id)
        else:
            self.world.change(order.order_id, seller_order_id=f"MINE-{len(self.world.mails)}")

    # People in Odoo

    def _standing(self, order_id: str) -> Rows:
        fields = ["state", "note", "amount_total", "picking_ids", "order_line"]
        return self.shop.search("sale.order", [("client_order_ref", "=", order_id)], fields)

    @precondition(lambda self: self.orders)
    @rule(number=number, what=st.sampled_from(["edit", "cancel", "delete", "ship", "ship", "part"]))
    def people(self, number: int, what: str) -> None:
        order = self._order(number)
        rows = self._standing(order.order_id)
        if not rows:
            return
        with suppress(xmlrpc.client.Fault, ValueError):  # not now, says Odoo
            getattr(self, f"_{what}")(order, rows[0]["id"])

    def _edit(self, order: Order, id_: int) -> None:
        self.shop.rpc("sale.order", "write", [id_], {"note": "<p>Ring twice</p>"})
        self.notes[order.order_id] = "<p>Ring twice</p>"

    def _cancel(self, order: Order, id_: int) -> None:
        self.shop.cancel(id_)
        if self._standing(order.order_id)[0]["state"] == "cancel":
            self.cancelled.add(order.order_id)

    def _delete(self, order: Order, id_: int) -> None:
        self.shop.rpc("sale.order", "unlink", [id_])
        self.deleted.add(order.order_id)
        self.notes.pop(order.order_id, None)
        self.cancelled.discard(order.order_id)

    def _ship(self, order: Order, _: int) -> None:
        if order.fulfilled_by == "MERCHANT":
            self.stage.warehouse.ship(order)

    def _part(self, order: Order, _: int) -> None:
        if order.fulfilled_by == "MERCHANT":
            self.stage.warehouse.ship(order, quantities={"MUG-RED": 1})

    # The bridge

    @rule(jobs=st.sampled_from([JOBS, JOBS, JOBS[:1], JOBS[1:2], JOBS[2:]]))
    def round(self, jobs: tuple[str, ...]) -> None:
        self.bridge.round(jobs)
        self.check()

    @rule(calls=st.integers(1, 60))
    def killed(self, calls: int) -> None:
        self.bridge.calls_left = calls
        try:
            self.bridge.round()
        except Killed:
            FIGURES["kills in histories"] += 1
        self.bridge.calls_left = None
        self.bridge.close()
        self.check()

    @rule()
    def state_store_lost(self) -> None:
        self.bridge.forget()
        self.bridge.program.accounts[0]["start"] = self.bridge.program.start.isoformat()
        self.cursor = None

    @rule()
    def cursor_set_back(self) -> None:
        self.bridge.app.ledger.set_cursor("acme", self.bridge.program.start)
        self.cursor = None

    @rule()
    def swept(self) -> None:
        self.bridge.app.sweep(self.bridge.app.accounts("acme")[0])
        self.check()

    @rule(minutes=st.sampled_from([10, 40, 400]))
    def time_passes(self, minutes: float) -> None:
        self.stage.clock.advance(minutes=minutes)

    # What must always hold

    def check(self) -> None:
        self.steps += 1
        self._check_cursor()
        for order_id in self.orders:
            rows = self._standing(order_id)
            assert len(rows) <= 1
            if rows:
                assert rows[0]["note"] == self.notes.get(order_id, rows[0]["note"])
                assert order_id not in self.cancelled or rows[0]["state"] == "cancel"
            self._check_amazon(order_id, rows)

    def _check_cursor(self) -> None:
        now = self.bridge.app.ledger.cursor("acme")
        assert self.cursor is None or (now and now >= self.cursor)
        self.cursor = now

    def _check_amazon(self, order_id: str, rows: Rows) -> None:
        order = self.world.order(order_id)
        mails = [m for m in self.world.mails if m.order_id == order_id]
        assert len({(m.kind, m.package_reference) for m in mails}) == len(mails)
        if order.fulfilled_by == "MERCHANT":
            for package in order.packages:
                domain = [("id", "=", int(package.reference)), ("state", "=", "done")]
                assert self.shop.search("stock.picking", domain, []), "told, but not done"
        if any(item.cancelled_by == "MERCHANT" for item in order.items):
            assert order_id in self.cancelled | self.deleted

    def teardown(self) -> None:
        """All comes to its place, and then nothing more is written."""
        self.check()
        self.stage.clock.advance(hours=8)
        self.bridge.app.ledger.retry()
        for _ in range(4):
            self.bridge.round()
            self.stage.clock.advance(minutes=40)
        self.check()
        self._check_all_is_done()
        self._check_quiet()
        self.bridge.close()
        FIGURES["rounds looked at in them"] += self.steps
        FIGURES["histories"] += 1
        FIGURES["orders in histories"] += len(self.orders)

    def _check_all_is_done(self) -> None:
        ledger = self.bridge.app.ledger
        assert {entry.kind for entry in ledger.quarantined()} <= PEOPLES
        for order_id in self.orders:
            order = self.world.order(order_id)
            entry = ledger.entry("acme", "orders", order_id)
            if entry and entry.state is State.QUARANTINED:
                FIGURES["of these put aside"] += 1
                continue
            assert entry is None or entry.state is not State.PENDING, entry
            rows = self._standing(order_id)
            if is_imported(order) and order_id not in self.deleted:
                assert rows, order
                assert rows[0]["state"] in ("sale", "cancel")
                assert amount(rows[0]["amount_total"]) == worth(order)
            if order_id in self.cancelled and order.fulfilled_by == "MERCHANT":
                told = ("CANCELLED", "SHIPPED", "PARTIALLY_SHIPPED")
                assert order.status in told, "\n".join(self._whole_story(order_id))
        assert not ledger.open_feeds("acme")

    def _whole_story(self, order_id: str) -> list[str]:
        """For whoever looks for the reason of a failure."""
        ledger = self.bridge.app.ledger
        transfers = self.stage.warehouse.transfers(self.world.order(order_id))
        names = [order_id, *(row["name"] for row in transfers)]
        entries = [entry for name in names for entry in ledger.entries(name)]
        return [str(each) for each in (*transfers, *entries)]

    def _check_quiet(self) -> None:
        app = self.bridge.app
        before, asked = app.odoo.calls.copy(), len(self.bridge.simulator.requests)
        self.bridge.round()
        written = {method for _, method in app.odoo.calls - before} - READING
        assert not written
        told = {r.operation for r in self.bridge.simulator.requests[asked:]}
        assert told <= ASKING


@pytest.mark.usefixtures("two_clocks")
def test_histories(story: Story, warehouse: Warehouse, tmp_path: Path) -> None:
    class Played(Histories):
        stage = Stage(story.shop, warehouse, story.world, story.clock, story.program, tmp_path)

    played = settings(
        max_examples=scaled(4, 150),
        stateful_step_count=14,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        print_blob=False,
    )
    run_state_machine_as_test(seed(SEED)(Played), settings=played)
