"""Weeks in minutes: tokens run out, cursors move, sweeps come round, the state store forgets.

They hold the ends of months, a leap day, and the day on which clocks are put forward.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from bridge import Bridge
from expectations import worth
from figures import FIGURES, scaled
from odoo_server.databases import OdooDatabase
from program import Program
from shop import amount
from story import Story
from warehouse import Warehouse

from amazon_bridge.simulator import Line, Order

BEGIN = datetime(2028, 2, 27, 22, 30, tzinfo=UTC)
DAYS = scaled(2, 30)
ROUNDS_A_DAY = 4
JOBS = ("orders", "cancellations", "pickings")


class Soak:
    """A shop that sells, ships and cancels a little every day."""

    def __init__(self, story: Story, bridge: Bridge, warehouse: Warehouse) -> None:
        self.world, self.clock = story.world, story.clock
        self.bridge, self.warehouse, self.shop = bridge, warehouse, story.shop
        self.orders: list[Order] = []
        self.cursors: list[datetime] = []

    def day(self) -> None:
        yesterday = self.orders[-4:]
        created = self.clock().replace(microsecond=0) - timedelta(minutes=10)
        for by in ("MERCHANT", "MERCHANT", "MERCHANT", "AMAZON"):
            line = Line(sku="MUG-RED", quantity=2, shipping=Decimal("3.90"))
            self.orders.append(
                self.world.place_order("FR", [line], fulfilled_by=by, created=created)
            )
        if yesterday:
            self.warehouse.ship(yesterday[0])
            self.world.cancel(yesterday[1].order_id)
            self.shop.cancel(self.shop.sale_order(yesterday[2])["id"])
        for _ in range(ROUNDS_A_DAY):
            self.clock.shift += timedelta(hours=24 / ROUNDS_A_DAY)
            for job in JOBS:
                assert "error" not in self.bridge.sync(job), self.bridge.events
            self._note_cursor()
        app = self.bridge.app
        assert app.sweep(app.accounts("acme")[0]).error is None

    def _note_cursor(self) -> None:
        cursor = self.bridge.app.ledger.cursor("acme")
        assert cursor
        assert not self.cursors or cursor > self.cursors[-1]
        self.cursors.append(cursor)


@pytest.mark.usefixtures("two_clocks")
def test_weeks_in_minutes(
    story: Story, warehouse: Warehouse, odoo_database: OdooDatabase, tmp_path: Path
) -> None:
    story.clock.shift = BEGIN - datetime.now(UTC)
    program = Program(tmp_path, odoo_database, story.simulator)
    program.start = BEGIN - timedelta(hours=1)
    (seller,) = story.world.sellers.values()
    program.add_account(seller)
    bridge = Bridge(program, story.clock)
    soak = Soak(story, bridge, warehouse)
    for _ in range(DAYS):
        soak.day()
    app = bridge.app
    assert app.ledger.open_items().total() == 0
    assert not app.ledger.open_feeds("acme")
    standing = story.shop.sale_orders()
    for order in soak.orders:
        row = standing[order.order_id]
        assert row["date_order"] == order.created.strftime("%Y-%m-%d %H:%M:%S")
        assert amount(row["amount_total"]) == worth(order)
    per_day = [soak.orders[n : n + 4] for n in range(0, len(soak.orders) - 4, 4)]
    for shipped, cancelled, cancelled_here, by_amazon in per_day:
        statuses = [
            story.world.order(each.order_id).status
            for each in (shipped, cancelled, cancelled_here, by_amazon)
        ]
        assert statuses == ["SHIPPED", "CANCELLED", "CANCELLED", "SHIPPED"]
        assert standing[cancelled.order_id]["state"] == "cancel"
    mails = [(mail.order_id, mail.kind) for mail in story.world.mails]
    assert len(mails) == len(set(mails)) == 3 * len(per_day)
    bridge.close()
    FIGURES["days of the soak"] += DAYS
    FIGURES["orders in them"] += len(soak.orders)
