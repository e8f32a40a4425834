"""Weeks in minutes: tokens expire, cursors move, retention deletes items.

They include the end of a month, a leap day, and the start of daylight saving time. Runs
begin by cron lines, in local time. A short soak test has pauses between the two.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import tzlocal
from bridge import Bridge
from expectations import worth
from figures import FIGURES, ODOO, scaled
from odoo_server.databases import OdooDatabase
from program import Program
from scenario import Scenario
from shop import amount
from warehouse import Warehouse

from amazon_bridge.engine.records import State
from amazon_bridge.service.scheduler import ScheduledJob
from amazon_bridge.simulator import Line, Order

pytestmark = pytest.mark.odoo(ODOO)

TIME_ZONE = "Europe/Paris"
SCHEDULE = "30 2,8,14,20 * * *"
"""Half past two isn't there in the night in which clocks are put forward."""

BEGIN = datetime(2028, 2, 27, 22, 30, tzinfo=UTC)
LEAP_DAY, CLOCKS_CHANGE = date(2028, 2, 29), date(2028, 3, 26)
DAYS = scaled(5, 30)
REMEMBERED = timedelta(days=7)
JOBS = ("orders", "cancellations", "pickings")


class SoakProgram(Program):
    """Retention with the shortest periods allowed."""

    def configure(self) -> Path:
        path = super().configure()
        settings = json.loads(path.read_text("utf-8"))
        settings["retention"] = {"finished": f"{REMEMBERED.days}d"}
        path.write_text(json.dumps(settings), "utf-8")
        return path


class Soak:
    """A shop that sells, ships and cancels a little every day."""

    def __init__(self, scenario: Scenario, bridge: Bridge, warehouse: Warehouse) -> None:
        self.world, self.clock = scenario.world, scenario.clock
        self.bridge, self.warehouse, self.shop = bridge, warehouse, scenario.shop
        self.orders: list[Order] = []
        self.runs: list[datetime] = []
        self.forgotten = 0

    def day(self) -> None:
        """A day's business, and the runs until it is over."""
        self._touch_what_is_forgotten()
        self._go_on_with(self.orders[-4:])
        self._sell()
        tomorrow = self.clock() + timedelta(days=1)
        while (due := self._next_sync()) < tomorrow:
            self._sync(due)
        self.bridge.app.housekeeping.delete_finished()

    def _sell(self) -> None:
        created = self.clock().replace(microsecond=0) - timedelta(minutes=10)
        for by in ("MERCHANT", "MERCHANT", "MERCHANT", "AMAZON"):
            line = Line(sku="MUG-RED", quantity=2, shipping=Decimal("3.90"))
            self.orders.append(
                self.world.place_order("FR", [line], fulfilled_by=by, created=created)
            )

    def _go_on_with(self, yesterday: list[Order]) -> None:
        if yesterday:
            self.warehouse.ship(yesterday[0])
            self.world.cancel(yesterday[1].order_id)
            self.shop.cancel(self.shop.sale_order(yesterday[2])["id"])

    def _touch_what_is_forgotten(self) -> None:
        """Amazon shows orders again that the state store remembers no longer."""
        ids = [order.order_id for order in self.orders]
        forgotten = [id_ for id_ in ids if self.bridge.state("orders", id_) is None]
        for order_id in forgotten[:4]:
            self.forgotten += 1
            self.world.change(order_id)

    def _next_sync(self) -> datetime:
        return ScheduledJob("acme", "orders", SCHEDULE).due(self.clock(), 1)

    def _sync(self, due: datetime) -> None:
        self.clock.shift += due - self.clock()
        tokens, before = (
            len(self.bridge.received("token")),
            self.bridge.app.ledger.cursors.get("acme"),
        )
        for job in JOBS:
            assert "error" not in self.bridge.sync(job), self.bridge.events
        cursor = self.bridge.app.ledger.cursors.get("acme")
        assert cursor
        assert before is None or cursor > before
        assert len(self.bridge.received("token")) == tokens + 1  # the last one has run out
        self.runs.append(due)


@pytest.fixture
def in_paris(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", TIME_ZONE)
        tzlocal.reload_localzone()
        yield
    tzlocal.reload_localzone()


@pytest.fixture
def soak(
    scenario: Scenario, warehouse: Warehouse, odoo_database: OdooDatabase, tmp_path: Path
) -> Iterator[Soak]:
    scenario.clock.shift = BEGIN - datetime.now(UTC)
    program = SoakProgram(tmp_path, odoo_database, scenario.simulator)
    program.start = BEGIN - timedelta(hours=1)
    (seller,) = scenario.world.sellers.values()
    program.add_account(seller)
    bridge = Bridge(program, scenario.clock)
    yield Soak(scenario, bridge, warehouse)
    bridge.close()


@pytest.mark.filterwarnings("ignore:Timezone offset does not match")
@pytest.mark.usefixtures("two_clocks", "in_paris")
def test_weeks_in_minutes(soak: Soak) -> None:
    for number in range(DAYS):
        if number == 3:  # nobody sells anything, and the machine is off
            soak.clock.shift += timedelta(days=max(0, 29 - DAYS))
            # Before the second looks read again what changed until then.
            soak.bridge.app.housekeeping.delete_finished()
        soak.day()
    nights = {each.astimezone(tzlocal.get_localzone()).date() for each in soak.runs}
    assert {LEAP_DAY, CLOCKS_CHANGE} <= nights
    check_the_state_store(soak)
    check_what_stands_in_odoo(soak)
    check_what_amazon_knows(soak)
    FIGURES["days of the soak"] += DAYS
    FIGURES["runs in them"] += len(soak.runs)
    FIGURES["orders in them"] += len(soak.orders)
    FIGURES["orders shown again after they were forgotten"] += soak.forgotten


def check_the_state_store(soak: Soak) -> None:
    """Nothing is open; what is done with was forgotten, and what Amazon showed again was not."""
    ledger = soak.bridge.app.ledger
    assert ledger.items.open_counts().total() == 0
    assert not ledger.feeds.open("acme")
    assert soak.forgotten
    states = {soak.bridge.state("orders", order.order_id) for order in soak.orders}
    assert states - {None} == {State.DONE}


def check_what_stands_in_odoo(soak: Soak) -> None:
    sale_orders = soak.shop.sale_orders()
    assert sale_orders.keys() == {order.order_id for order in soak.orders}
    for order in soak.orders:
        row = sale_orders[order.order_id]
        assert row["date_order"] == order.created.strftime("%Y-%m-%d %H:%M:%S")
        assert amount(row["amount_total"]) == worth(order)
    for _, cancelled, _, _ in days_that_are_over(soak):
        assert sale_orders[cancelled.order_id]["state"] == "cancel"


def check_what_amazon_knows(soak: Soak) -> None:
    days = days_that_are_over(soak)
    for day in days:
        statuses = [soak.world.order(order.order_id).status for order in day]
        assert statuses == ["SHIPPED", "CANCELLED", "CANCELLED", "SHIPPED"]
    mails = [(mail.order_id, mail.kind) for mail in soak.world.mails]
    assert len(mails) == len(set(mails)) == 3 * len(days)


def days_that_are_over(soak: Soak) -> list[list[Order]]:
    """Their orders: shipped, cancelled on Amazon, cancelled in Odoo, shipped by Amazon."""
    return [soak.orders[n : n + 4] for n in range(0, len(soak.orders) - 4, 4)]
