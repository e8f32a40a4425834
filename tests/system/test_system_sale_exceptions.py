"""Sale orders that a module of the OCA keeps from being confirmed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from bridge import Bridge
from odoo_server import machine
from parcels import sale_order, states
from program import Program, SettledWorld
from shop import ATTENTION, Shop
from two_odoos import Side
from warehouse import Warehouse

from amazon_bridge.simulator import Address

pytestmark = [
    pytest.mark.since_odoo(19, "module of the OCA, of which the tests have the one for 19"),
    pytest.mark.usefixtures("exceptions"),
]

RULE = "No ZIP code on destination"


@pytest.fixture(scope="module")
def exceptions(shop: Shop) -> None:
    """The OCA's modules that keep sale orders from being confirmed."""
    machine.add_modules()
    shop.database.install("sale_exception")
    manager = shop.database.reference("base_exception.group_exception_rule_manager")
    user = shop.database.reference("base.user_admin")
    shop.rpc("res.users", "write", [user], {"group_ids": [(4, manager)]})


@contextmanager
def rule(shop: Shop, *, popup: bool) -> Iterator[None]:
    """The rule of `sale_exception` about postal codes, with or without its pop-up."""
    domain = [("name", "=", RULE), ("active", "in", [True, False])]
    (found,) = shop.search("exception.rule", domain, [])
    shop.rpc("res.company", "write", [1], {"sale_exception_show_popup": popup})
    shop.rpc("exception.rule", "write", [found["id"]], {"active": True})
    yield
    shop.rpc("exception.rule", "write", [found["id"]], {"active": False})


@pytest.mark.parametrize("popup", [True, False])
def test_what_a_module_keeps_from_confirmation_is_quarantined(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, *, popup: bool
) -> None:
    shop, nowhere = warehouse.shop, Address("Ada Testwell", lines=("1 rue Haute",), country="FR")
    bad = world.place_order("FR", address=nowhere)
    good = [world.place_order("FR") for _ in range(3)]
    shipped = world.place_order("FR", fulfilled_by="AMAZON", address=nowhere)
    with rule(shop, popup=popup):
        assert bridge.sync("orders") == {"seen": 5, "created": 3, "quarantined": 2}
        assert [states(warehouse, order) for order in good] == [["assigned"]] * 3
        for order in (bad, shipped):
            row = sale_order(shop, order)
            entry = bridge.quarantine("orders")[order.order_id]
            assert (row["state"], entry.kind) == ("draft", "not_confirmed")
            assert (entry.reason or "").count(RULE) == 1
            assert row["name"] in (entry.reason or "")
            assert RULE in warehouse.activities("sale.order", row["id"])[ATTENTION]
        for order in good:
            row = sale_order(shop, order, "date_order")
            assert row["date_order"] == f"{order.created:%Y-%m-%d %H:%M:%S}"
        bridge.app.ledger.items.retry()
        assert bridge.sync("orders")["quarantined"] == 2
        # a person confirms one anyway
        id_ = sale_order(shop, bad)["id"]
        shop.rpc("sale.order", "write", [id_], {"ignore_exception": True})
        shop.rpc("sale.order", "action_confirm", [id_])
    bridge.app.ledger.items.retry()
    assert "quarantined" not in bridge.sync("orders")
    assert bridge.quarantine("orders") == {}
    assert (states(warehouse, bad), states(warehouse, shipped)) == (["assigned"], ["done"])
    assert warehouse.activities("sale.order", sale_order(shop, bad)["id"]) == {}


def test_exit_codes_of_the_program(program: Program, world: SettledWorld, shop: Shop) -> None:
    order = world.place_order("FR", address=Address("Ada Testwell", country="FR"))
    with rule(shop, popup=True):
        program.sync(code=1)
    assert program.quarantine()[order.order_id]["kind"] == "not_confirmed"


# Whether the in-memory Odoo keeps orders from being confirmed as the OCA's module does


def test_a_rule_keeps_a_batch_from_being_confirmed(side: Side) -> None:
    good, bad = side.order(), side.order(("MUG-RED", 7, "10"))
    rule = {"name": "Too much", "description": "Ask", "exception_type": "by_domain"}
    domain = "[('amount_total', '=', 70.0)]"
    rule_id = side.rpc(
        "exception.rule", "create", {**rule, "domain": domain, "model": "sale.order"}
    )
    side.rpc("res.company", "write", [1], {"sale_exception_show_popup": True})
    response = side.rpc("sale.order", "action_confirm", [good.id, bad.id])
    assert (response["type"], response["res_model"], response["target"]) == (
        *("ir.actions.act_window", "sale.exception.confirm", "new"),
    )
    assert (good.read("state"), bad.read("state")) == ("draft", "draft")
    assert good.read("exceptions_summary") is False
    assert bad.read("exceptions_summary") == "<ul><li>Too much: <i>Ask</i> <b></b></li></ul>"
    assert good.do("action_confirm") is True
    side.rpc("res.company", "write", [1], {"sale_exception_show_popup": False})
    assert bad.do("action_confirm") is None, "done, and nothing said"
    assert bad.read("state") == "draft"
    bad.do("action_ignore_exceptions")
    assert bad.do("action_confirm") is True
    bad.do("action_cancel")
    bad.do("action_draft")
    assert bad.do("action_confirm") is None, "what was ignored once is looked at again"
    side.rpc("exception.rule", "write", [rule_id], {"active": False})
