"""Histories: what may happen on Amazon, in Odoo and to the bridge, in any sequence.

After each step what must always hold is looked for on both sides; at the end of each history all
must have come to its place, and a further round must change nothing.
"""

import xmlrpc.client
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Protocol

from bridge import Bridge, ShiftedClock
from expectations import is_imported, worth
from figures import FIGURES, SEED
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from program import Program, SettledWorld
from shop import READING, Rows, Shop, amount
from structlog.testing import capture_logs
from warehouse import Warehouse

from amazon_bridge import config
from amazon_bridge.amazon.operations import LIMITS
from amazon_bridge.app import App
from amazon_bridge.engine.ledger import Entry, State
from amazon_bridge.engine.throttle import Throttle
from amazon_bridge.engine.window import OVERLAP
from amazon_bridge.simulator import Line, ManualClock, Order, Seller, Simulator
from amazon_bridge.simulator.orders import UNPAID

JOBS = ("orders", "cancellations", "pickings")
ASKING = {"token", "searchOrders", "getOrder", "getFeed", "getFeedDocument", "download"}
"""What changes nothing on Amazon."""

FOR_PEOPLE = {"needs_attention", "cancelled_on_amazon"}
"""Kinds of what only people can settle: Amazon and Odoo have gone different ways."""

ACCOUNTS = {"acme": ["FR", "DE"], "isles": ["GB"]}
"""One seller under two names, each with marketplaces of its own."""

BASKETS = (
    [Line(sku="MUG-RED", quantity=2)],
    [Line(sku="MUG-RED", quantity=2), Line(sku="BOARD-OAK")],
    [Line(sku="TEAPOT-08", price=Decimal("0.09")), Line(sku="MUG-RED", gift_message="For you")],
    [
        Line(sku="KETTLE-17", shipping=Decimal("3.90"), discount=Decimal("1.10")),
        Line(sku="APRON-LIN"),
    ],
    [Line(sku="NEVER-LISTED", price=Decimal("12.50"), quantity=3)],
)
"""What is ordered: taxes in the price and on top of it, charges, a product that Odoo hasn't."""

NOTE = "<p>Ring twice</p>"

Clock = ShiftedClock | ManualClock
Jobs = Sequence[str]


class Killed(BaseException):
    """Ends a round as a kill does: nothing is put in order."""


class MortalBridge(Bridge):
    """Dies after so many more calls."""

    calls_left: int | None = None

    def __init__(self, program: Program, clock: Any, make_app: Callable[..., App] = App) -> None:
        super().__init__(program, clock)
        self.make_app = make_app

    @property
    def app(self) -> App:
        if self._app is None:
            loaded = config.load(self.program.configure(), {})
            limits = {name: replace(limit, rate=1000) for name, limit in LIMITS.items()}
            self._app = self.make_app(
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

    def round(self, jobs: Jobs = JOBS) -> None:
        """One round of each account; what stops it is a failure."""
        self.clock.advance(minutes=3)
        for account in self.app.config.accounts:
            for job in jobs:
                counts = self.sync(job, account=account.name)
                assert "error" not in counts, counts


class Scene:
    """What one history plays on: a seller without any orders, a bridge without any memory."""

    def __init__(
        self,
        *,
        world: SettledWorld,
        simulator: Simulator,
        shop: Shop,
        clock: Clock,
        folder: Path,
        make_app: Callable[..., App] = App,
    ) -> None:
        self.world, self.simulator, self.shop, self.clock = world, simulator, shop, clock
        self.warehouse = Warehouse(shop)
        folder.mkdir()
        self.program = Program(folder, shop.database, simulator)
        self.program.start = clock()
        self.seller = self._register(folder.name)
        self.bridge = MortalBridge(self.program, clock, make_app)

    def _register(self, name: str) -> Seller:
        countries = [country for each in ACCOUNTS.values() for country in each]
        seller = self.world.add_seller(f"A1HISTORY{name}", countries)
        for account, marketplaces in ACCOUNTS.items():
            self.program.add_account(seller, account, marketplaces=marketplaces)
        return seller


class Stage(Protocol):
    """Where histories are played: it has a scene for each of them."""

    name: str

    def open(self) -> Scene: ...

    def close(self, scene: Scene) -> None: ...


number = st.integers(0, 5)
"""Of the history's first orders, so that much happens to each of them."""
then = st.one_of(
    st.just(()), st.just(JOBS), st.sampled_from([JOBS[:1], JOBS[1:2], JOBS[2:]]), st.integers(1, 45)
)
"""What follows at once: the jobs of a round, or the call in it after which the bridge is killed."""


def weighted(**times: int) -> st.SearchStrategy[str]:
    """One of these words, drawn in proportion to its number."""
    return st.sampled_from([word for word, number in times.items() for _ in range(number)])


AMAZONS = weighted(go_on=2, cancel=2, request=1, touch=1, repeat=1, lag=1)
PEOPLES = weighted(ship=3, part=2, cancel=1, delete=1, edit=1, lock=1, unlock=1)
PROGRAMS = weighted(wait=2, lose_state_store=1, set_cursor_back=1, sweep=1)
"""What each of them may do. As few rules, since Hypothesis leaves whole rules out of a history."""


class Histories(RuleBasedStateMachine):
    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        self.scene = scene = self.stage.open()
        self.world, self.shop, self.bridge = scene.world, scene.shop, scene.bridge
        self.habits, self.clock = scene.world.settings, scene.clock
        self.orders: list[str] = []
        self.steps = 0
        self.cursors: dict[str, datetime] = {}
        self.notes: dict[str, str] = {}
        self.cancelled: set[str] = set()
        self.deleted: set[str] = set()
        self.forgetful = False
        for by in ("MERCHANT", "MERCHANT", "AMAZON"):
            self.placed(by=by, status=None, late=0, basket=1, country="FR", then=())
        self.bridge.round()

    def _order(self, number: int) -> Order:
        return self.world.order(self.orders[number % len(self.orders)])

    def _account(self, order: Order) -> str:
        return next(name for name, places in ACCOUNTS.items() if order.market.country in places)

    # Amazon

    @rule(
        by=st.sampled_from(["MERCHANT", "MERCHANT", "AMAZON"]),
        status=st.sampled_from(["UNSHIPPED", "UNSHIPPED", "PENDING", None]),
        late=st.sampled_from([0, 0, 0, 1200, 20_000]),
        basket=st.integers(0, len(BASKETS) - 1),
        country=st.sampled_from(["FR", "FR", "DE", "GB"]),
        then=then,
    )
    def placed(
        self,
        *,
        by: str,
        status: str | None,
        late: float,
        basket: int,
        country: str,
        then: Jobs | int,
    ) -> None:
        self.habits.search_delay = late
        created = self.clock().replace(microsecond=0) - timedelta(minutes=5)
        order = self.world.place_order(
            country,
            BASKETS[basket],
            seller=self.scene.seller,
            fulfilled_by=by,
            status=status,
            created=created,
        )
        self.habits.search_delay = 0
        self.orders.append(order.order_id)
        self.go_on(then)

    @rule(what=AMAZONS, number=number, then=then)
    def amazon(self, what: str, number: int, then: Jobs | int) -> None:
        self.clock.advance(seconds=1)  # no two changes of an order in one moment
        getattr(self, f"_amazon_{what}")(self._order(number))
        self.go_on(then)

    def _amazon_go_on(self, order: Order) -> None:
        """It is paid, or Amazon ships it."""
        if order.status == "PENDING":
            self.world.pay(order.order_id)
        elif order.status == "UNSHIPPED" and order.fulfilled_by == "AMAZON":
            self.world.ship(order.order_id)

    def _amazon_cancel(self, order: Order) -> None:
        if order.status in ("UNSHIPPED", "PENDING"):
            self.world.cancel(order.order_id)

    def _amazon_request(self, order: Order) -> None:
        if order.status == "UNSHIPPED":
            self.world.request_cancellation(order.order_id)

    def _amazon_touch(self, order: Order) -> None:
        self.world.change(order.order_id, seller_order_id=f"MINE-{self.clock():%H:%M:%S}")

    def _amazon_repeat(self, _: Order) -> None:
        """From now on searches show orders twice and out of order, or don't any more."""
        self.habits.repeating_search = not self.habits.repeating_search

    def _amazon_lag(self, _: Order) -> None:
        """From now on searches show orders as they were, or don't any more."""
        self.habits.lagging_search = not self.habits.lagging_search

    # People in Odoo

    def _standing(self, order_id: str) -> Rows:
        fields = ["state", "locked", "note", "amount_total", "date_order"]
        return self.shop.search("sale.order", [("client_order_ref", "=", order_id)], fields)

    @rule(what=PEOPLES, number=number, then=then)
    def people(self, what: str, number: int, then: Jobs | int) -> None:
        order = self._order(number)
        rows = self._standing(order.order_id)
        if rows:
            with suppress(xmlrpc.client.Fault, ValueError):  # not now, says Odoo
                getattr(self, f"_people_{what}")(order, rows[0]["id"])
            self.go_on(then)

    def _people_edit(self, order: Order, id_: int) -> None:
        self.shop.rpc("sale.order", "write", [id_], {"note": NOTE})
        self.notes[order.order_id] = NOTE

    def _people_cancel(self, order: Order, id_: int) -> None:
        self.shop.cancel(id_)
        self.cancelled.add(order.order_id)

    def _people_delete(self, order: Order, id_: int) -> None:
        self.shop.rpc("sale.order", "unlink", [id_])
        self.deleted.add(order.order_id)
        self.notes.pop(order.order_id, None)
        self.cancelled.discard(order.order_id)

    def _people_ship(self, order: Order, _: int) -> None:
        if order.fulfilled_by == "MERCHANT":
            self.scene.warehouse.ship(order)

    def _people_part(self, order: Order, _: int) -> None:
        if order.fulfilled_by == "MERCHANT":
            self.scene.warehouse.ship(order, quantities={"MUG-RED": 1})

    def _people_lock(self, _: Order, id_: int) -> None:
        self.shop.rpc("sale.order", "action_lock", [id_])

    def _people_unlock(self, _: Order, id_: int) -> None:
        self.shop.rpc("sale.order", "action_unlock", [id_])

    # The bridge

    @rule(what=PROGRAMS, minutes=st.integers(1, 900), then=then)
    def program(self, what: str, minutes: int, then: Jobs | int) -> None:
        getattr(self, f"_program_{what}")(minutes)
        self.go_on(then)

    def go_on(self, then: Jobs | int) -> None:
        if isinstance(then, int):
            self._killed_round(then)
        elif then:
            self._round(then)

    def _round(self, jobs: Jobs) -> None:
        began = dict(self.cursors)
        self.bridge.round(jobs)
        if "orders" in jobs:
            self._check_what_was_shown(began)
        self.check()

    def _killed_round(self, calls: int) -> None:
        self.bridge.calls_left = calls
        try:
            self.bridge.round()
        except Killed:
            FIGURES[f"kills in {self.stage.name}"] += 1
        self.bridge.calls_left = None
        self.bridge.close()
        self.check()

    def _program_wait(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    def _program_lose_state_store(self, _: int) -> None:
        self.forgetful = True
        self.bridge.forget()
        for account in self.bridge.program.accounts:
            account["start"] = self.bridge.program.start.isoformat()
        self.cursors.clear()

    def _program_set_cursor_back(self, _: int) -> None:
        for account in ACCOUNTS:
            self.bridge.app.ledger.set_cursor(account, self.bridge.program.start)
        self.cursors.clear()

    def _program_sweep(self, _: int = 0) -> None:
        for account in self.bridge.app.config.accounts:
            self.clock.advance(minutes=3)
            with capture_logs():
                counts = self.bridge.app.sweep(account)
            assert counts.error is None, counts
        self.check()

    # What must always hold

    def check(self) -> None:
        self.steps += 1
        self._check_cursors()
        for order_id in self.orders:
            rows = self._standing(order_id)
            assert len(rows) <= 1
            if rows:
                assert rows[0]["note"] == self.notes.get(order_id, rows[0]["note"])
                assert order_id not in self.cancelled or rows[0]["state"] == "cancel"
            self._check_amazon(order_id)

    def _check_cursors(self) -> None:
        for account in ACCOUNTS:
            now, before = self.bridge.app.ledger.cursor(account), self.cursors.get(account)
            assert before is None or (now and now >= before)
            if now:
                self.cursors[account] = now

    def _check_what_was_shown(self, began: dict[str, datetime]) -> None:
        """What a round of orders was shown is done, left out, or put aside with a reason."""
        changes_ago = int(self.habits.lagging_search)
        for order in self.world.searchable(self.scene.seller, changes_ago=changes_ago):
            account = self._account(order)
            entry = self.bridge.app.ledger.entry(account, "orders", order.order_id)
            since = began.get(account, self.bridge.program.start) - OVERLAP
            if order.last_updated >= since and order.status not in UNPAID:
                assert entry, "shown, and not filed"
                self._check_newest_version_was_worked(order, entry)
            if entry:
                assert entry.state is not State.PENDING, entry
                assert bool(entry.reason) == (entry.state is State.QUARANTINED)

    def _check_newest_version_was_worked(self, order: Order, entry: Entry) -> None:
        """Also when an older one was shown after it."""
        if order.status == "CANCELLED" and entry.state is not State.QUARANTINED:
            assert all(row["state"] == "cancel" for row in self._standing(order.order_id))

    def _check_amazon(self, order_id: str) -> None:
        order = self.world.order(order_id)
        mails = [m for m in self.world.mails if m.order_id == order_id]
        assert len({(m.kind, m.package_reference) for m in mails}) == len(mails)
        if order.fulfilled_by == "MERCHANT":
            for package in order.packages:
                domain = [("id", "=", int(package.reference)), ("state", "=", "done")]
                assert self.shop.search("stock.picking", domain, []), "told, but not done"
        if any(item.cancelled_by == "MERCHANT" for item in order.items):
            assert order_id in self.cancelled | self.deleted

    # How it ends

    def teardown(self) -> None:
        """All comes to its place, and then nothing more is written."""
        self.check()
        self._calm_down()
        for _ in range(2):
            self.bridge.round()
            self.clock.advance(minutes=40)
        self.check()
        self._check_all_is_done()
        self._check_quiet()
        self.bridge.close()
        FIGURES[f"rounds looked at in {self.stage.name}"] += self.steps
        FIGURES[self.stage.name] += 1
        FIGURES[f"orders in {self.stage.name}"] += len(self.orders)
        self.stage.close(self.scene)

    def _calm_down(self) -> None:
        """Amazon shows all as it is, people unlock their orders, and the daily sweep is done."""
        self.clock.advance(hours=8)
        self.habits.repeating_search = self.habits.lagging_search = False
        locked = [row["id"] for o in self.orders for row in self._standing(o) if row["locked"]]
        self.shop.rpc("sale.order", "action_unlock", locked)
        self.bridge.round()
        self._program_sweep()
        self.bridge.app.ledger.retry()

    def _check_all_is_done(self) -> None:
        ledger = self.bridge.app.ledger
        aside = [e for e in ledger.quarantined() if e.account in ACCOUNTS]
        assert {entry.kind for entry in aside} <= FOR_PEOPLE, aside
        for order_id in self.orders:
            order = self.world.order(order_id)
            self._check_nobody_cancelled_what_left(order)
            entry = ledger.entry(self._account(order), "orders", order_id)
            if entry and entry.state is State.QUARANTINED:
                FIGURES[f"orders put aside in {self.stage.name}"] += 1
                continue
            assert entry is None or entry.state is not State.PENDING, entry
            self._check_sides_agree(order)
        assert not any(ledger.open_feeds(account) for account in ACCOUNTS)

    def _check_nobody_cancelled_what_left(self, order: Order) -> None:
        if any(row["state"] == "done" for row in self.scene.warehouse.transfers(order)):
            cancelled = self._standing(order.order_id)[0]["state"] == "cancel"
            assert not cancelled or order.order_id in self.cancelled

    def _check_sides_agree(self, order: Order) -> None:
        rows, story = self._standing(order.order_id), "\n".join(self._whole_story(order))
        if is_imported(order) and order.order_id not in self.deleted:
            assert rows, order
            assert rows[0]["state"] in ("sale", "cancel"), story
            if order.order_id not in self.cancelled:  # perhaps before it had its prices
                assert amount(rows[0]["amount_total"]) == worth(order), story
        if order.status == "CANCELLED" and rows:
            assert rows[0]["state"] == "cancel", story
        if order.order_id in self.cancelled and order.fulfilled_by == "MERCHANT":
            assert order.status in ("CANCELLED", "SHIPPED", "PARTIALLY_SHIPPED"), story
        if rows and order.order_id not in self.deleted:
            assert len(self._customers(order)) == (order.fulfilled_by == "MERCHANT"), story
            created = order.created.strftime("%Y-%m-%d %H:%M:%S")
            assert rows[0]["date_order"] == created or self.forgetful, story
            self._check_goods(order, rows[0]["state"], story)

    def _customers(self, order: Order) -> Rows:
        domain = [("email", "=", order.buyer.email), ("parent_id", "=", False)]
        return self.shop.search("res.partner", domain, [])

    def _check_goods(self, order: Order, state: str, story: str) -> None:
        """What Amazon ships has left its location; of what the merchant ships Amazon knows."""
        transfers = self.scene.warehouse.transfers(order)
        done = {str(row["id"]) for row in transfers if row["state"] == "done"}
        if order.fulfilled_by == "AMAZON":
            assert len(done) == (1 if state == "sale" else len(done)), story
        elif order.status != "CANCELLED":
            assert {package.reference for package in order.packages} == done, story

    def _whole_story(self, order: Order) -> list[str]:
        """For whoever looks for the reason of a failure."""
        ledger = self.bridge.app.ledger
        transfers = self.scene.warehouse.transfers(order)
        names = [order.order_id, *(row["name"] for row in transfers)]
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


def play(stage_: Stage, examples: int, steps: int) -> None:
    """Play so many histories of up to so many steps."""

    class Played(Histories):
        stage = stage_

    played = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        print_blob=False,
    )
    run_state_machine_as_test(seed(SEED)(Played), settings=played)
