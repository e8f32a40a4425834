"""Orders are imported in smaller batches where Odoo is slow or a proxy takes no more."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from bridge import Bridge
from expectations import worth
from program import Program, SettledWorld
from proxy import Handler, Proxy, called
from shop import Shop

from amazon_bridge.simulator import Order, search

pytestmark = [pytest.mark.odoo("in memory"), pytest.mark.slow]

BATCH = 100
TIMEOUT = 20.0
"""Seconds; a call that takes half of them is slow, which no other is on a busy machine."""
ORDER = re.compile(rb"sale_order_[\d-]+")
LOAD = ("sale.order", "load")
CONFIRM = ("sale.order", "action_confirm")


def orders_in(request: Handler, body: bytes) -> int:
    """The number of orders that a request creates."""
    return len(set(ORDER.findall(body))) if called(request.path, body) == LOAD else 0


class Narrow(Proxy):
    """A proxy that measures requests, and treats some in its own way."""

    def __init__(self, target: str, treat: "Treat") -> None:
        super().__init__(target)
        self.treat = treat
        self.loads: list[int] = []
        """Sale orders in each load that came in."""
        self.limit = 0
        self.treated = 0

    def handle(self, request: Handler, body: bytes) -> None:
        if loaded := orders_in(request, body):
            self.loads.append(loaded)
            self.limit = self.limit or len(body) * 2 // 3
        if self.treat(self, request, body):
            self.treated += 1
        else:
            super().handle(request, body)


Treat = Callable[[Narrow, Handler, bytes], bool]
"""Responds to a request and returns True, or leaves it to Odoo."""


def slow_once(proxy: Narrow, request: Handler, body: bytes) -> bool:
    """Odoo takes long to confirm the first batch."""
    if proxy.treated or called(request.path, body) != CONFIRM:
        return False
    time.sleep(TIMEOUT / 2)
    request.respond(*request.pass_on(body))
    return True


def too_large(proxy: Narrow, request: Handler, body: bytes) -> bool:
    """Two thirds of the first load are the largest request (nginx: client_max_body_size)."""
    if not proxy.limit or len(body) <= proxy.limit:
        return False
    request.respond(413, [("Connection", "close")], b"<h1>413 Request Entity Too Large</h1>")
    return True


def breaks_off(proxy: Narrow, request: Handler, body: bytes) -> bool:
    """The same, without a word."""
    if not proxy.limit or len(body) <= proxy.limit:
        return False
    request.hang_up()
    return True


def gives_up(proxy: Narrow, request: Handler, body: bytes) -> bool:
    """The first time, the proxy doesn't wait until Odoo has created many orders; Odoo does."""
    if orders_in(request, body) < BATCH or len(proxy.loads) % 2 == 0:
        return False
    request.pass_on(body)
    request.respond(504, [], b"<h1>504 Gateway Time-out</h1>")
    return True


@contextmanager
def behind(program: Program, treat: Treat, *, timeout: float = 120) -> Iterator[Narrow]:
    program.odoo_timeout, program.odoo_settings["parallel"] = timeout, 1
    with Narrow(program.odoo_url, treat) as proxy:
        program.odoo_url = proxy.url
        yield proxy


@pytest.fixture
def orders(bridge: Bridge, world: SettledWorld) -> list[Order]:
    """Two pages, and so two batches unless something is in the way."""
    assert search.MOST_PER_PAGE == BATCH
    bridge.sync("orders")  # sets up Odoo
    bridge.close()
    return [world.place_order("FR") for _ in range(2 * BATCH)]


def check_all_once(shop: Shop, bridge: Bridge, orders: list[Order]) -> None:
    found = shop.search(
        "sale.order",
        [("client_order_ref", "in", [order.order_id for order in orders])],
        ["client_order_ref", "state", "amount_total", "picking_ids"],
    )
    assert Counter(row["client_order_ref"] for row in found) == {o.order_id: 1 for o in orders}
    totals = {row["client_order_ref"]: row["amount_total"] for row in found}
    assert totals == {order.order_id: float(worth(order)) for order in orders}
    assert {(row["state"], len(row["picking_ids"])) for row in found} == {("sale", 1)}
    assert bridge.quarantine("orders") == {}


def changes(bridge: Bridge) -> list[tuple[int, int]]:
    return [(each["before"], each["after"]) for each in bridge.logged("batch_size_changed")]


DONE = {"seen": 2 * BATCH, "created": 2 * BATCH}
SMALLER = (BATCH, BATCH // 2)


def test_a_slow_call_halves_the_next_batch(
    bridge: Bridge, program: Program, shop: Shop, orders: list[Order]
) -> None:
    with behind(program, slow_once, timeout=TIMEOUT) as proxy:
        assert bridge.sync("orders") == DONE
    assert proxy.treated == 1
    assert proxy.loads == [BATCH, BATCH // 2, BATCH // 2]
    assert changes(bridge) == [SMALLER]
    check_all_once(shop, bridge, orders)


@pytest.mark.parametrize("limit", [(too_large, 1), (breaks_off, 6)], ids=["413", "breaks off"])
def test_a_proxy_that_limits_requests_gets_smaller_ones(
    bridge: Bridge, program: Program, shop: Shop, orders: list[Order], limit: tuple[Treat, int]
) -> None:
    treat, refused = limit
    with behind(program, treat) as proxy:
        assert bridge.sync("orders") == DONE
    assert proxy.treated == refused, "once, however often that batch is repeated"
    assert proxy.loads == [BATCH] * refused + [BATCH // 2] * 4
    assert changes(bridge) == [SMALLER]
    check_all_once(shop, bridge, orders)


def test_a_proxy_that_gives_up_before_odoo_costs_and_doubles_no_order(
    bridge: Bridge, program: Program, shop: Shop, orders: list[Order]
) -> None:
    with behind(program, gives_up) as proxy:
        counts = bridge.sync("orders")
    assert counts == DONE
    assert (proxy.loads, proxy.treated) == ([BATCH] * 4, 2)
    check_all_once(shop, bridge, orders)
