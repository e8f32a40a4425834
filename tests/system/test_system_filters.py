"""The shared filters that `setup` creates in Odoo, once, for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from memory_shop import MemoryShop

from amazon_bridge.config.values import EXTRAS
from amazon_bridge.engine.records import DatabaseId
from amazon_bridge.flows.filters import Filters, configured
from amazon_bridge.odoo import filters
from amazon_bridge.odoo.setup import Setup, inspect, prepare

pytestmark = pytest.mark.odoo("in memory")


def setups(here: MemoryShop) -> dict[str, Setup]:
    app = here.bridge.app
    return {each.name: prepare(app.odoo, each) for each in app.config.accounts}


def create(here: MemoryShop, extras: Sequence[str] = EXTRAS) -> list[str]:
    made = here.bridge.app.filters.create(configured(here.bridge.app.odoo, extras, setups(here)))
    assert made.refused == []
    return [each.reference for each in made.created]


def in_odoo(here: MemoryShop) -> list[dict[str, Any]]:
    return here.shop.search("ir.filters", [], ["name", "model_id", "user_ids", "domain"])


ALL = [
    "filter_orders",
    "filter_to_ship",
    "filter_ship_by_today",
    "filter_without_tracking",
    "filter_activities",
    "filter_orders_to_do",
    "filter_deliveries_to_do",
]


def test_each_is_created_once_and_never_again(here: MemoryShop):
    assert create(here) == ALL
    assert {(row["name"], row["model_id"]) for row in in_odoo(here)} == {
        ("Amazon", "sale.order"),
        ("Amazon", "mail.activity"),
        ("Amazon: to ship", "stock.picking"),
        ("Amazon: ship by today", "stock.picking"),
        ("Amazon: waiting for carrier or tracking", "stock.picking"),
        ("Amazon: something to do", "sale.order"),
        ("Amazon: something to do", "stock.picking"),
    }
    assert not any(row["user_ids"] for row in in_odoo(here)), "for everybody"
    assert create(here) == []
    references = {name: here.bridge.app.odoo.reference(name) for name in ALL}
    here.shop.rpc("ir.filters", "unlink", [references["filter_to_ship"]])
    here.shop.rpc("ir.filters", "write", [references["filter_orders"]], {"active": False})
    changed = {"name": "Ours"}
    here.shop.rpc("ir.filters", "write", [references["filter_activities"]], changed)
    assert create(here) == []
    assert here.bridge.app.odoo.reference("filter_to_ship") is None
    assert len(in_odoo(here)) == len(ALL) - 2


def test_a_new_state_store_recognises_them(here: MemoryShop):
    create(here)
    here.bridge.forget()
    assert create(here) == []
    [orders] = [row for row in in_odoo(here) if row["model_id"] == "mail.activity"]
    here.shop.rpc("ir.filters", "unlink", [orders["id"]])
    assert create(here) == []


def test_another_database_gets_them(here: MemoryShop):
    create(here)
    app = here.bridge.app
    other = Filters(app.ledger, app.odoo, DatabaseId("https://other", "copy", "u-2"))
    here.shop.rpc("ir.filters", "unlink", [row["id"] for row in in_odoo(here)])
    found = configured(app.odoo, EXTRAS, setups(here))
    assert [each.reference for each in other.missing(found)] == ALL


@pytest.mark.parametrize("kind", EXTRAS)
def test_each_kind_can_be_switched_off(here: MemoryShop, kind: str):
    app = here.bridge.app
    without = [each for each in EXTRAS if each != kind]
    found = configured(app.odoo, without, setups(here))
    some = {each.reference for each in configured(app.odoo, [kind], setups(here))}
    assert {each.reference for each in found} == set(ALL) - some
    assert configured(app.odoo, [], setups(here)) == []


def test_accounts_have_filters_of_their_own_where_their_orders_differ(here: MemoryShop):
    here.program.accounts[0]["sales_team"] = "Not created yet"
    here.program.add_account(here.seller, "other", sales_team="Others", marketplaces=["IT"])
    here.program.add_account(here.seller, "third", sales_team="Others", marketplaces=["ES"])
    here.bridge.close()
    here.bridge._app = None
    app = here.bridge.app
    expected = {each.name: inspect(app.odoo, each).expected for each in app.config.accounts}
    found = configured(app.odoo, ["accounts"], {k: v for k, v in expected.items() if v})
    assert [each.name for each in found] == []
    made = setups(here)
    found = configured(app.odoo, ["accounts"], made)
    assert [(each.reference, each.name) for each in found] == [
        ("filter_orders_acme", "Amazon: acme")
    ]
    assert f"('team_id', '=', {made['acme'].sales_team_id})" in found[0].domain


def test_before_odoo_19_the_web_client_computes_the_day(here: MemoryShop):
    assert "'today +1d'" in filters.ship_by_today(here.bridge.app.odoo).domain
    here.bridge.close()
    here.odoo.release = "18.0"
    domain = filters.ship_by_today(here.bridge.app.odoo).domain
    assert "datetime.datetime.combine(context_today() + relativedelta(days=1)" in domain
