"""Two pages of orders are written to Odoo at the same time: all of them once, also when killed."""

import json
import threading
from collections import Counter
from dataclasses import dataclass, field

import pytest
from expectations import worth
from forks import Fork
from program import Program, SettledWorld
from proxy import Proxy
from shop import Shop

from amazon_bridge.simulator import Buyer, Line, Order, search

pytestmark = pytest.mark.odoo("in memory")

PAGE, PAGES = 15, 6
"""What two pages leave is done again in one run."""
LONGEST = 8
"""Runs after which everything that a killed one left is done."""
BUYERS = [Buyer(f"Ada {n}", f"ada{n}@marketplace.amazon.fr") for n in range(40)]


@dataclass
class Watcher:
    """Counts the calls that are in flight at the same time, and kills at one of them."""

    kill_at: int | None = None
    victim: Fork | None = None
    calls: int = 0
    in_flight: int = 0
    most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def before(self) -> bool:
        with self._lock:
            self.calls += 1
            self.in_flight += 1
            self.most = max(self.most, self.in_flight)
            return True

    def after(self) -> bool:
        with self._lock:
            self.in_flight -= 1
            if self.victim and self.kill_at and self.calls >= self.kill_at:
                self.victim.kill()
                self.victim.wait()
                return False
            return True


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_page_size", lambda _: PAGE)


@pytest.fixture
def orders(world: SettledWorld, program: Program) -> list[Order]:
    """Of few buyers, who have orders in several pages."""
    program.sync()
    kinds = ("MERCHANT", "MERCHANT", "AMAZON")
    return [
        world.place_order(
            "FR", [Line(quantity=2)], buyer=BUYERS[n * 7 % len(BUYERS)], fulfilled_by=kinds[n % 3]
        )
        for n in range(PAGE * PAGES)
    ]


def run(program: Program, watcher: Watcher) -> int:
    with Proxy(program.odoo.url, before=watcher.before, after=watcher.after) as proxy:
        program.odoo_url = proxy.url
        watcher.victim = program.begin("sync", "orders", "--json")
        watcher.victim.communicate(timeout=120)
    program.odoo_url = program.odoo.url
    return watcher.victim.wait()


def pending(program: Program) -> int:
    (account,) = json.loads(program.run("status", "--json").out)["accounts"].values()
    return int(account["pending"])


def check(shop: Shop, orders: list[Order]) -> None:
    """Every order is there once, right, and its buyer's."""
    order_ids = {order.order_id for order in orders}
    fields = ["client_order_ref", "state", "amount_total", "partner_id"]
    rows = shop.search("sale.order", [("client_order_ref", "in", sorted(order_ids))], fields)
    assert Counter(row["client_order_ref"] for row in rows) == dict.fromkeys(order_ids, 1)
    assert {row["state"] for row in rows} == {"sale"}
    totals = {row["client_order_ref"]: row["amount_total"] for row in rows}
    assert totals == {order.order_id: float(worth(order)) for order in orders}
    emails = [buyer.email for buyer in BUYERS]
    customers = [("email", "in", emails), ("parent_id", "=", False)]
    found = shop.search("res.partner", customers, ["email"])
    assert Counter(row["email"] for row in found).most_common(1)[0][1] == 1
    for order in orders[::17]:
        (delivery,) = shop.deliveries_of(order)
        assert delivery["state"] == ("done" if order.fulfilled_by == "AMAZON" else "assigned")


@pytest.mark.slow
def test_two_pages_at_once(program: Program, shop: Shop, orders: list[Order]) -> None:
    watcher = Watcher()
    assert run(program, watcher) == 0
    assert watcher.most == 2
    check(shop, orders)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.4, 0.55])
def test_killed_while_two_pages_are_written(
    program: Program, shop: Shop, orders: list[Order], share: float
) -> None:
    watcher = Watcher(kill_at=round(share * 36 * PAGES))
    assert run(program, watcher) == -9
    runs = 0
    while pending(program) or not runs:
        program.sync()
        runs += 1
        assert runs < LONGEST
    check(shop, orders)
