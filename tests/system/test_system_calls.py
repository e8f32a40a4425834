"""How many calls the import of a page of 100 orders takes, counted outside of the program."""

from collections import Counter

from program import Program, SettledWorld
from proxy import Proxy
from shop import Shop

from amazon_bridge.simulator import Seller, Simulator, populate

PAGE = 100
FETCHED = {"UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED"}
AN_ORDER = 0.39
"""Calls to Odoo. The page has something of everything: companies, gifts, requests, roundings."""


def test_a_page_takes_few_calls(
    program: Program, world: SettledWorld, simulator: Simulator, seller: Seller, shop: Shop
) -> None:
    program.sync()
    session = round_with_calls(program)
    while lacking := PAGE - sum(order.status in FETCHED for order in world.orders):
        populate(world, lacking, lacking, seller=seller, countries=["FR", "DE", "GB"], days=0.01)
    asked_before = len(simulator.received("searchOrders"))
    calls = round_with_calls(program) - session
    run = program.runs[-1]
    assert run.counts()["seen"] == PAGE
    assert run.counts()["created"] > PAGE / 2
    assert calls.total() < AN_ORDER * PAGE, calls
    assert len(simulator.received("searchOrders")) - asked_before == 1
    assert not simulator.received("getOrder")


def round_with_calls(program: Program) -> Counter[tuple[str, str]]:
    """One run, and its calls to Odoo."""
    with Proxy(program.odoo.url) as proxy:
        program.odoo_url = proxy.url
        program.sync()
        program.odoo_url = program.odoo.url
    return Counter(proxy.odoo_calls)
