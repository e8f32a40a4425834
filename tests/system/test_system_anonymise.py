"""Buyers' names and addresses leave Odoo when nothing needs them any more."""

import xmlrpc.client
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bridge import Bridge, ShiftedClock
from odoo_server.databases import OdooDatabase
from program import Program, SettledWorld
from shop import Shop
from warehouse import Warehouse

from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import AccountError, ItemError
from amazon_bridge.engine.records import Seen
from amazon_bridge.flows.retention import RetentionResult
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.retention import RetentionTask
from amazon_bridge.simulator import Line, Order

pytestmark = pytest.mark.odoo("in memory if 19")

ANONYMOUS = "Anonymous Amazon customer"
AFTER = timedelta(days=30)
PARTNER = ["name", "email", "phone", "vat", "street", "street2", "zip", "city", "country_id"]


def place(bridge: Bridge, **settings: Any) -> Order:
    """An order that exists in Odoo."""
    lines = [Line(quantity=2, gift_message="With love from Wilhelmina"), Line()]
    order = bridge.simulator.world.place_order("FR", lines, **settings)
    bridge.sync("orders")
    return order


@pytest.fixture
def delivered(bridge: Bridge, warehouse: Warehouse) -> Order:
    order = place(bridge)
    warehouse.ship(order)
    return order


def later(bridge: Bridge, *, dry_run: bool = False) -> RetentionResult:
    """Five weeks later. Odoo's own clock stays, so all of its documents are of long ago then."""
    bridge.clock.shift = timedelta(days=35)
    result = bridge.app.housekeeping.anonymise(AFTER, dry_run=dry_run)
    bridge.clock.shift = timedelta(0)
    return result


def customer(shop: Shop, order: Order, party: str = "partner_id") -> dict[str, Any]:
    id_ = shop.sale_order(order)[party][0]
    return shop.rpc("res.partner", "read", [id_], PARTNER)[0]


# All that Odoo knows


def texts(shop: Shop) -> Iterator[tuple[str, str]]:
    """Every text in the database, and where it is."""
    domain = [("store", "=", True), ("ttype", "in", ["char", "text", "html", "json"])]
    fields: dict[str, list[str]] = {}
    for row in shop.search("ir.model.fields", domain, ["model", "name"]):
        fields.setdefault(row["model"], []).append(row["name"])
    for model, names in fields.items():
        if model.startswith("ir.") and model != "ir.attachment":
            continue
        with suppress(xmlrpc.client.Fault):  # abstract, or closed even to an administrator
            context = {"active_test": False}
            for row in shop.rpc(model, "search_read", [], names, context=context):
                yield from ((f"{model}.{name}", str(row[name])) for name in names)


def traces(shop: Shop, values: Collection[str]) -> set[tuple[str, str]]:
    found = list(texts(shop))
    assert len({place for place, _ in found}) > 200, "the search itself"
    return {(place, value) for place, text in found for value in values if value in text}


@pytest.mark.odoo("real")
def test_nothing_in_odoo_shows_who_they_were(
    bridge: Bridge, world: SettledWorld, shop: Shop, warehouse: Warehouse
) -> None:
    first = place(bridge)
    for order in (first, place(bridge, business=True), place(bridge, address=first.address)):
        warehouse.ship(order)
    place(bridge, fulfilled_by="AMAZON")
    cancelled = place(bridge)
    world.cancel(cancelled.order_id)
    bridge.sync("orders")
    bridge.sync("pickings")
    values = {value for value in world.personal_data() if len(value) > 4}
    assert len({value for _, value in traces(shop, values)}) > 20
    before = shop.snapshot()
    result = later(bridge, dry_run=True)
    assert (result.anonymised, shop.snapshot()) == (5, before)
    assert later(bridge).anonymised == 5
    assert traces(shop, values) == set()
    assert later(bridge).anonymised == 0


def test_what_stays(delivered: Order, bridge: Bridge, shop: Shop) -> None:
    before = shop.sale_order(delivered)
    country = customer(shop, delivered)["country_id"]
    later(bridge)
    assert shop.sale_order(delivered)["amount_total"] == before["amount_total"]
    assert shop.sale_order(delivered)["client_order_ref"] == delivered.order_id
    now = customer(shop, delivered)
    assert (now["name"], now["country_id"]) == (f"{ANONYMOUS}", country)
    notes = ("display_type", "=", "line_note")
    of_it = ("order_id.client_order_ref", "=", delivered.order_id)
    rows = shop.search("sale.order.line", [notes, of_it], ["name"])
    assert {row["name"] for row in rows} <= {"Gift message"}, "deleted, or emptied (Odoo 14)"


# What needs a buyer's name still


def test_goods_left_a_moment_ago(delivered: Order, bridge: Bridge, shop: Shop) -> None:
    assert bridge.app.housekeeping.anonymise(AFTER) == RetentionResult()
    assert customer(shop, delivered)["name"] != ANONYMOUS


def not_delivered(bridge: Bridge, warehouse: Warehouse) -> str:
    order = place(bridge)
    (name,) = {f"the sale order {warehouse.shop.sale_order(order)['name']} isn't delivered"}
    return name


def half_delivered(bridge: Bridge, warehouse: Warehouse) -> str:
    order = place(bridge)
    warehouse.ship(order, quantities={"MUG-BLUE": 1})
    return f"the transfer {warehouse.open(order)['name']} is open"


def coming_back(bridge: Bridge, warehouse: Warehouse) -> str:
    order = place(bridge)
    transfer = warehouse.ship(order)
    values = {"picking_id": transfer["id"]}
    wizard = warehouse.rpc("stock.return.picking", "create", values)
    lines = warehouse.shop.search("stock.return.picking.line", [("wizard_id", "=", wizard)], [])
    ids = [line["id"] for line in lines]
    warehouse.rpc("stock.return.picking.line", "write", ids, {"quantity": 1})
    warehouse.rpc("stock.return.picking", "action_create_returns", [wizard])
    (back,) = (t for t in warehouse.transfers(order) if t["state"] not in {"done", "cancel"})
    return f"the transfer {back['name']} is open"


def invoiced(bridge: Bridge, warehouse: Warehouse) -> str:
    order = place(bridge)
    warehouse.ship(order)
    id_ = warehouse.shop.sale_order(order)["id"]
    context = {"active_model": "sale.order", "active_ids": [id_]}
    wizard = warehouse.rpc("sale.advance.payment.inv", "create", {}, context=context)
    warehouse.rpc("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
    return "there is an invoice"


def buying_elsewhere(bridge: Bridge, warehouse: Warehouse) -> str:
    order = place(bridge)
    warehouse.ship(order)
    partner = warehouse.shop.sale_order(order)["partner_id"][0]
    id_ = warehouse.rpc("sale.order", "create", {"partner_id": partner})
    (row,) = warehouse.shop.search("sale.order", [("id", "=", id_)], ["name"])
    return f"the sale order {row['name']} isn't Amazon's"


def known_to_people(bridge: Bridge, warehouse: Warehouse) -> str:
    order = place(bridge)
    warehouse.ship(order)
    parent = warehouse.shop.sale_order(order)["partner_id"][0]
    values = {"name": "Their plumber", "parent_id": parent}
    return f"somebody added the contact {warehouse.rpc('res.partner', 'create', values)}"


def logging_in(bridge: Bridge, warehouse: Warehouse) -> str:
    order = place(bridge)
    warehouse.ship(order)
    partner = warehouse.shop.sale_order(order)["partner_id"][0]
    portal = warehouse.shop.database.reference("base.group_portal")
    values = {"login": order.order_id, "partner_id": partner, "group_ids": [(6, 0, [portal])]}
    warehouse.rpc("res.users", "create", {"name": "Portal", **values})
    return f"the contact {partner} has a login"


def quarantined(bridge: Bridge, warehouse: Warehouse) -> str:
    order = place(bridge)
    warehouse.ship(order)
    ledger = bridge.app.ledger
    ledger.items.file("acme", "orders", [Seen(order.order_id, "changed")])
    ledger.items.quarantine(
        "acme", "orders", order.order_id, ItemError("needs_attention", "Look.", "Settle it.")
    )
    return f"the order {order.order_id} is quarantined"


@pytest.mark.parametrize(
    "need",
    [
        not_delivered,
        half_delivered,
        invoiced,
        buying_elsewhere,
        known_to_people,
        quarantined,
    ],
    ids=lambda need: need.__name__.replace("_", " "),
)
def test_still_needed(bridge: Bridge, shop: Shop, warehouse: Warehouse, need: Any) -> None:
    check_kept(bridge, shop, need(bridge, warehouse))


@pytest.mark.odoo("real")
@pytest.mark.parametrize(
    "need", [coming_back, logging_in], ids=lambda need: need.__name__.replace("_", " ")
)
def test_still_needed_by_returns_and_logins(
    bridge: Bridge, shop: Shop, warehouse: Warehouse, need: Any
) -> None:
    check_kept(bridge, shop, need(bridge, warehouse))


def check_kept(bridge: Bridge, shop: Shop, reason: str) -> None:
    result = later(bridge)
    assert result.anonymised == 0
    assert list(result.kept.values()) == [reason]
    (id_,) = result.kept
    assert shop.rpc("res.partner", "read", [id_], ["name"])[0]["name"] != ANONYMOUS


def test_a_contact_that_people_made_is_theirs(
    bridge: Bridge, world: SettledWorld, shop: Shop, warehouse: Warehouse
) -> None:
    order = world.place_order()
    values = {"name": "Ann", "email": order.buyer.email}
    id_ = shop.rpc("res.partner", "create", values)
    bridge.sync("orders")
    assert shop.sale_order(order)["partner_id"][0] == id_
    warehouse.ship(order)
    assert later(bridge) == RetentionResult()
    assert customer(shop, order)["name"] == "Ann"


@pytest.mark.odoo("real")
def test_whom_odoo_refuses_to_change_keeps_nobody_else(
    bridge: Bridge, shop: Shop, warehouse: Warehouse
) -> None:
    orders = [place(bridge) for _ in range(3)]
    for order in orders:
        warehouse.ship(order)
    blocked = shop.sale_order(orders[1])["partner_id"][0]
    (model,) = shop.search("ir.model", [("model", "=", "res.partner")], [])
    rule = {"name": "Hands off", "model_id": model["id"], "perm_read": False, "perm_unlink": False}
    domain = f"[('id', '!=', {blocked})]"
    rule_id = shop.rpc("ir.rule", "create", {**rule, "perm_create": False, "domain_force": domain})
    result = later(bridge)
    shop.rpc("ir.rule", "unlink", [rule_id])
    assert result.anonymised == 2
    assert set(result.kept) == {blocked}


# Coming back


@pytest.mark.odoo("real")
def test_a_buyer_who_comes_back_is_a_new_customer(
    delivered: Order, bridge: Bridge, world: SettledWorld, shop: Shop, warehouse: Warehouse
) -> None:
    later(bridge)
    again = place(bridge, buyer=delivered.buyer, address=delivered.address)
    old, new = customer(shop, delivered), customer(shop, again)
    assert old["name"] == ANONYMOUS
    assert not old["email"]
    assert new["name"] != ANONYMOUS
    assert new["email"] == (delivered.buyer.email or "").lower()
    delivery = customer(shop, again, "partner_shipping_id")
    assert delivery["street"] == delivered.address.lines[0]
    third = place(bridge, buyer=delivered.buyer, address=delivered.address)
    assert customer(shop, third)["id"] == new["id"]
    warehouse.ship(again)
    warehouse.ship(third)
    assert later(bridge).anonymised == 1


# Who does it


@pytest.mark.odoo("real")
def test_least_privilege(
    bridge: Bridge, shop: Shop, warehouse: Warehouse, least_privilege: OdooDatabase
) -> None:
    bridge.sync("orders")  # sets up Odoo, which takes an administrator
    bridge.close()
    bridge.program.odoo = least_privilege
    order = place(bridge)
    warehouse.ship(order)
    assert later(bridge).anonymised == 1
    assert customer(shop, order)["name"] == ANONYMOUS


def test_not_while_orders_are_imported(delivered: Order, bridge: Bridge, shop: Shop) -> None:
    state = bridge.app.config.state
    with (
        lock.held(state, "acme", "orders"),
        pytest.raises(AccountError, match="orders of account acme is already running"),
    ):
        later(bridge)
    assert customer(shop, delivered)["name"] != ANONYMOUS


def test_the_daemon_does_it_once_a_day(
    delivered: Order, bridge: Bridge, shop: Shop, clock: ShiftedClock
) -> None:
    with bridge.configured():
        bridge.program.settings["retention"] = {"buyers": "30d"}
        runner = JobRunner(clock)
        runner.app = bridge.app
        retention_task = RetentionTask(runner)
        clock.advance(days=35)
        with lock.held(bridge.app.config.state, "acme", "orders"):
            retention_task.apply_retention()
        assert customer(shop, delivered)["name"] != ANONYMOUS
        retention_task.apply_retention()
        assert customer(shop, delivered)["name"] == ANONYMOUS
        calls = bridge.app.odoo.calls.total()
        clock.advance(hours=23)
        retention_task.apply_retention()
        assert bridge.app.odoo.calls.total() == calls
        clock.advance(hours=1)
        retention_task.apply_retention()
        assert bridge.app.odoo.calls.total() > calls


def test_the_command(program: Program, world: SettledWorld, shop: Shop) -> None:
    created = datetime.now(UTC) - timedelta(days=40)
    program.start = created - timedelta(days=1)
    order = world.place_order(created=created)
    program.sync()
    run = program.run("anonymise")
    assert run.code == 2
    assert "Set `retention.buyers`" in run.err
    run = program.run("anonymise", "--after", "6d")
    assert run.code == 2
    assert "must be at least 7d" in run.err
    name = shop.sale_order(order)["name"]
    run = program.run("anonymise", "--after", "30d", "--dry-run")
    assert run.code == 0
    assert "Customers to be anonymised: 0." in run.out
    assert f"the sale order {name} isn't delivered" in run.out
    world.cancel(order.order_id)
    program.sync()
    run = program.run("anonymise", "--after", "30d", "--json")
    assert run.json["anonymised"] == 1
    assert customer(shop, order)["name"] == ANONYMOUS
