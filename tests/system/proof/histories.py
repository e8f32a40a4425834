"""Histories: what may happen on Amazon, in Odoo and to the bridge, in any sequence.

After each step the invariants are checked in Odoo and on Amazon; at the end of each history all
must be settled, and another run must change nothing.
"""

import xmlrpc.client
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

from figures import FIGURES, SEED
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from in_odoo import InOdoo
from invariants import AtTheEnd
from on_amazon import OnAmazon
from scene import CARRIER, JOBS, Jobs, Killed, Stage
from shop import READING
from to_bridge import ToBridge

from amazon_bridge.simulator import Address, Line, Order

READS = {"token", "searchOrders", "getOrder", "getFeed", "getFeedDocument", "download"}
"""What changes nothing on Amazon."""

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

number = st.integers(0, 5)
"""Of the history's first orders, so that much happens to each of them."""
then = st.one_of(
    st.just(()), st.just(JOBS), st.sampled_from([JOBS[:1], JOBS[1:2], JOBS[2:]]), st.integers(1, 45)
)
"""What follows at once: the jobs to run, or the call after which the bridge is killed."""


def weighted(**times: int) -> st.SearchStrategy[str]:
    """One of these words, drawn in proportion to its number."""
    return st.sampled_from([word for word, number in times.items() for _ in range(number)])


AMAZONS = weighted(
    **dict.fromkeys(("go_on", "cancel"), 2),
    **dict.fromkeys(("request", "touch", "repeat", "lag"), 1),
    **dict.fromkeys(("cancel_unit", "ship_elsewhere", "readdress"), 1),
)
PEOPLES = weighted(
    ship=4,
    part=2,
    swap=2,
    relabel=2,
    swap_and_ship=2,
    **dict.fromkeys(("release", "release_and_confirm"), 1),
    **dict.fromkeys(("cancel", "delete", "edit", "lock", "unlock", "set_locking"), 1),
    **dict.fromkeys(("ship_bare", "over", "no_backorder", "zero", "drop_delivery"), 1),
    **dict.fromkeys(("more", "less", "add_line"), 1),
)
PROGRAMS = weighted(
    wait=2,
    save=2,
    **dict.fromkeys(("lose_state_store", "set_cursor_back", "rest"), 1),
    restore_state_store=1,
    restore_odoo=1,
)
"""What each of them may do. As few rules, since Hypothesis leaves whole rules out of a history."""


class Histories(OnAmazon, InOdoo, ToBridge, AtTheEnd):
    def __init__(self) -> None:
        super().__init__()
        for by in ("MERCHANT", "MERCHANT", "AMAZON"):
            self.placed(by=by, status=None, late=0, basket=1, country="FR", how="", then=())
        self.bridge.sync_all()

    # Amazon

    @rule(
        by=st.sampled_from(["MERCHANT", "MERCHANT", "AMAZON"]),
        status=st.sampled_from(["UNSHIPPED", "UNSHIPPED", "PENDING", None]),
        late=st.sampled_from([0, 0, 0, 1200, 20_000]),
        basket=st.integers(0, len(BASKETS) - 1),
        country=st.sampled_from(["FR", "FR", "DE", "GB"]),
        how=weighted(plain=6, addressless=1, ruled_out=1),
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
        how: str,
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
            address=Address() if how == "addressless" else None,
        )
        self.habits.search_delay = 0
        if how == "ruled_out":
            self._rule_out(order)
        self.orders.append(order.order_id)
        self.go_on(then)

    def _rule_out(self, order: Order) -> None:
        """A rule of Odoo keeps it from being confirmed."""
        if self.scene.odoo:
            domain = str([("client_order_ref", "=", order.order_id)])
            rule = {"name": "Ask first", "model": "sale.order", "domain": domain}
            self.shop.rpc("exception.rule", "create", rule)

    @rule(what=AMAZONS, number=number, then=then)
    def amazon(self, what: str, number: int, then: Jobs | int) -> None:
        self.clock.advance(seconds=1)  # no two changes of an order in one moment
        getattr(self, f"amazon_{what}")(self.order_of(number))
        self.go_on(then)

    # People in Odoo

    @rule(what=PEOPLES, number=number, then=then)
    def people(self, what: str, number: int, then: Jobs | int) -> None:
        order = self.order_of(number)
        rows = self.sale_orders(order.order_id)
        if rows:
            with suppress(xmlrpc.client.Fault, ValueError):  # not now, says Odoo
                getattr(self, f"people_{what}")(order, rows[0]["id"])
            self.go_on(then)

    # The bridge

    @rule(what=PROGRAMS, minutes=st.integers(1, 900), then=then)
    def program(self, what: str, minutes: int, then: Jobs | int) -> None:
        getattr(self, f"program_{what}")(minutes)
        self.go_on(then)

    def go_on(self, then: Jobs | int) -> None:
        if isinstance(then, int):
            self._killed_sync(then)
        elif then:
            self._sync(then)

    def _sync(self, jobs: Jobs) -> None:
        began = dict(self.cursors)
        self.bridge.sync_all(jobs)
        if "orders" in jobs:
            self.check_what_was_shown(began)
            self.check_notes()
        if "pickings" in jobs:
            self.check_deliveries()
        self.check()

    def _killed_sync(self, calls: int) -> None:
        self.bridge.calls_left = calls
        try:
            self.bridge.sync_all()
        except Killed:
            FIGURES[f"kills in {self.stage.name}"] += 1
        self.bridge.calls_left = None
        self.bridge.close()
        self.check()

    # How it ends

    def teardown(self) -> None:
        """Everything is settled, and then nothing more is written."""
        self.check()
        self._calm_down()
        for _ in range(2):
            self.bridge.sync_all()
            self.clock.advance(minutes=40)
        self.check()
        self.check_all_is_done()
        self.check_deliveries()
        self.check_labels()
        self.check_open_deliveries()
        self.check_notes()
        self._check_quiet()
        self.bridge.close()
        FIGURES[f"runs checked in {self.stage.name}"] += self.steps
        FIGURES[self.stage.name] += 1
        FIGURES[f"orders in {self.stage.name}"] += len(self.orders)
        self.stage.close(self.scene)

    def _calm_down(self) -> None:
        """Amazon shows all as it is, people unlock their orders, and there was a second look."""
        self.clock.advance(hours=8)
        self.habits.repeating_search = self.habits.lagging_search = False
        self._label_the_rest()
        sale_orders = [row for order_id in self.orders for row in self.sale_orders(order_id)]
        locked = [row["id"] for row in sale_orders if row["locked"]]
        self.shop.rpc("sale.order", "action_unlock", locked)
        self.bridge.sync_all()
        self.program_rest()
        self._release_all()
        self.bridge.app.ledger.items.retry()

    def _release_all(self) -> None:
        """Switch the rules off that keep quotations from being confirmed."""
        if self.scene.odoo:
            rules = self.shop.search("exception.rule", [], [])
            self.shop.rpc(
                "exception.rule", "write", [row["id"] for row in rules], {"active": False}
            )

    def _label_the_rest(self) -> None:
        for order_id in self.orders:
            for row in self.warehouse.transfers(self.world.order(order_id)):
                if row["state"] == "done" and not row["carrier_tracking_ref"]:
                    self.warehouse.label(row["id"], CARRIER, f"JD{row['id']:010}")

    def _check_quiet(self) -> None:
        app = self.bridge.app
        before, number = app.odoo.calls.copy(), len(self.bridge.simulator.requests)
        self.bridge.sync_all()
        written = {method for _, method in app.odoo.calls - before} - READING
        assert not written
        called = {r.operation for r in self.bridge.simulator.requests[number:]}
        assert called <= READS


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
