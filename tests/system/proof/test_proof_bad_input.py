"""Orders with a spoiled field, among good ones: the bad ones alone are quarantined."""

import random
import sqlite3
from contextlib import closing

import pytest
from expectations import is_imported, worth
from figures import FIGURES, ODOO, SEED, scaled
from scenario import Scenario
from shop import amount
from spoiled import SpoilingProxy

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import State
from amazon_bridge.simulator import populate

pytestmark = pytest.mark.odoo(ODOO)

ORDERS = 60


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(1, 30)))
def test_only_what_is_bad_is_quarantined(scenario: Scenario, seed: int) -> None:
    chance, world = random.Random(seed), scenario.world
    known = {order.order_id for order in world.orders}
    (seller,) = world.sellers.values()
    scenario.clock.advance(hours=12)  # the orders are generated for the last hours
    populate(world, seed, ORDERS, seller=seller, countries=seller.countries, days=0.4)
    orders = {o.order_id: o for o in world.orders if o.order_id not in known}
    chosen = {order_id: chance.getrandbits(32) for order_id in orders if chance.random() < 0.6}
    program = scenario.program
    with SpoilingProxy(program.amazon_url, chosen) as proxy:
        program.amazon_url, direct = proxy.url, program.amazon_url
        run = scenario.sync()
        program.amazon_url = direct
    assert run.code in (0, 1), run
    assert not [each for each in run.events if each["event"] == "internal_error"], proxy.spoiled
    assert run.json["accounts"]["acme"]["orders"]["error"] is None
    quarantined = program.quarantine()
    found = sale_orders(scenario)
    for order in orders.values():
        if order.order_id not in proxy.spoiled and is_imported(order):
            assert found[order.order_id] == ("sale", worth(order))
    assert quarantined.keys() <= proxy.spoiled.keys()
    with Ledger(program.state, scenario.clock) as ledger:
        for order_id, how in proxy.spoiled.items():
            entry = ledger.items.get("acme", "orders", order_id)
            assert entry is not None, how
            assert entry.state is not State.PENDING, how
            if entry.state is State.DONE:
                assert found[order_id][0] in ("sale", "cancel"), how
    FIGURES["orders with spoiled fields"] += len(proxy.spoiled)
    FIGURES["of these quarantined"] += len(quarantined)
    FIGURES["good orders among them"] += len(orders) - len(proxy.spoiled)
    # Once Amazon shows them as they are, they come in.
    assert program.run("quarantine", "retry", "--all").code == 0
    scenario.sync()
    found = sale_orders(scenario)
    for order_id in quarantined:
        if is_imported(orders[order_id]):
            assert found[order_id] == ("sale", worth(orders[order_id])), proxy.spoiled[order_id]


def sale_orders(scenario: Scenario) -> dict[str, tuple[str, object]]:
    fields = ["client_order_ref", "state", "amount_total"]
    rows = scenario.shop.search("sale.order", [], fields)
    return {row["client_order_ref"]: (row["state"], amount(row["amount_total"])) for row in rows}


def test_a_bug_costs_one_order(scenario: Scenario) -> None:
    """Here one that a spoiled state store calls forth: a memo that no version has written."""
    order, other = scenario.world.place_order("FR"), scenario.world.place_order("FR")
    scenario.sync()
    spoil(scenario, "UPDATE items SET memo = 'no memo at all' WHERE key = ?", order.order_id)
    for each in (order, other):
        scenario.world.request_cancellation(each.order_id)
    run = scenario.sync()
    assert run.code == 1
    assert {each["event"] for each in run.events if each["level"] == "error"} == {"internal_error"}
    assert {key: e["kind"] for key, e in scenario.program.quarantine().items()} == {
        order.order_id: "internal_error"
    }
    assert scenario.shop.activities("sale.order", scenario.shop.sale_order(other)["id"])
    spoil(scenario, "UPDATE items SET memo = NULL WHERE key = ?", order.order_id)
    scenario.program.run("quarantine", "retry", "--all")
    scenario.run_until_quiet()
    assert scenario.shop.activities("sale.order", scenario.shop.sale_order(order)["id"])


def spoil(scenario: Scenario, sql: str, value: str) -> None:
    with closing(sqlite3.connect(scenario.program.state)) as db, db:
        assert db.execute(sql, (value,)).rowcount == 1
