"""The commands about single orders, the cursor and the quarantine."""

from decimal import Decimal

import pytest
from program import MakeProgram, Program, SettledWorld
from shop import ATTENTION, Shop

from amazon_bridge.simulator import Item, Line, Seller

pytestmark = pytest.mark.odoo("in memory")


def test_commands_about_one_order(program: Program, world: SettledWorld, shop: Shop) -> None:
    order = world.place_order("FR")
    run = program.run("order", "show", order.order_id)
    assert run.code == 1
    assert f"order recover ACCOUNT {order.order_id}" in run.out
    run = program.run("order", "recover", "acme", order.order_id)
    assert run.code == 0, run
    assert shop.sale_order(order)["state"] == "sale"
    run = program.run("order", "show", order.order_id)
    assert run.code == 0
    assert f"{order.order_id} (acme, orders): done" in run.out
    run = program.run("order", "recover", "acme", "000-0000000-0000000")
    assert run.code == 1
    assert "Amazon did not find it" in run.err
    assert not program.quarantine()
    for command in (["recover", "acme", "123"], ["import", "acme", "123", "--as-is"]):
        run = program.run("order", *command)
        assert (run.code, "'123' is not an Amazon order id" in run.err) == (2, True), run
    run = program.run("order", "recover", "nobody", order.order_id)
    assert run.code == 2
    assert "acme" in run.err


class CrookedItem(Item):
    """Amazon says of it that it costs a cent more than all that it consists of."""

    @property
    def total(self) -> Decimal:
        return super().total + Decimal("0.01")


def test_an_order_that_contradicts_itself_is_imported_as_it_is(
    program: Program, world: SettledWorld, shop: Shop
) -> None:
    order = world.place_order("FR", [Line(sku="BOARD-OAK", quantity=2), Line(shipping=Decimal(5))])
    fields = [{n: getattr(item, n) for n in Item.__slots__} for item in order.items]
    world.change(order.order_id, items=tuple(CrookedItem(**each) for each in fields))
    good = world.place_order("FR")
    program.sync(code=1)
    remedy = program.run("order", "show", order.order_id).out
    assert f"order import acme {order.order_id} --as-is" in remedy
    assert program.run("order", "import", "acme", order.order_id).code == 2
    assert program.run("order", "import", "acme", good.order_id, "--as-is").code == 2
    assert order.order_id not in shop.sale_orders()
    run = program.run("order", "import", "acme", order.order_id, "--as-is")
    assert run.code == 0, run
    sale_order = shop.sale_order(order)
    crooked = world.order(order.order_id)
    assert Decimal(str(sale_order["amount_total"])) == sum(item.total for item in crooked.items)
    assert shop.lines()[f"sale_line_{order.items[0].order_item_id}"].quantity == 2
    (delivery,) = shop.deliveries_of(order)
    assert delivery["state"] == "assigned"
    assert shop.activities("sale.order", sale_order["id"]) == ["Amazon: check the amounts"]
    assert program.sync().counts() == {"seen": 2, "unchanged": 2}
    assert program.run("order", "import", "acme", order.order_id, "--as-is").code == 2
    # It changes, and still can't be parsed: it is reported again.
    world.change(order.order_id, seller_order_id="MINE")
    program.sync(code=1)
    assert ATTENTION in shop.activities("sale.order", sale_order["id"])


def test_an_order_of_another_account_is_not_recovered(
    make_program: MakeProgram, world: SettledWorld, shop: Shop
) -> None:
    seller = world.add_seller("A1RECOVER", ["FR", "DE", "GB"])
    program = make_program()
    program.add_account(seller, "france", marketplaces=["FR"], sales_team="Amazon France")
    program.add_account(seller, "germany", marketplaces=["DE"])
    german = world.place_order("DE", seller=seller)
    british = world.place_order("GB", seller=seller)
    run = program.run("order", "recover", "france", german.order_id)
    assert run.code == 2
    assert f"order recover germany {german.order_id}" in " ".join(run.err.split())
    run = program.run("order", "recover", "france", british.order_id)
    assert run.code == 2
    assert "no account" in run.err
    assert not shop.sale_orders().keys() & {german.order_id, british.order_id}
    assert program.quarantine() == {}
    assert program.run("order", "recover", "germany", german.order_id).code == 0
    assert shop.sale_order(german)["team_id"][1] == "Amazon"


def test_commands_about_the_cursor_and_the_quarantine(
    make_program: MakeProgram, world: SettledWorld, seller: Seller
) -> None:
    program = make_program()
    program.add_account(seller, unknown_sku="quarantine")
    order = world.place_order("FR", [Line(sku="NOT-THERE", price=Decimal(3))])
    assert "none yet" in program.run("cursor", "show").out
    program.sync(code=1)
    status = program.run("status", "--json").json["accounts"]["acme"]
    assert program.run("cursor", "show").out == f"acme {status['cursor']}\n"
    assert (status["quarantined"], status["pending"]) == (1, 0)
    assert status["jobs"]["orders"]["last_success"] is not None
    (entry,) = program.run("quarantine", "list", "--json").json
    expected = {"key": order.order_id, "account": "acme", "job": "orders", "kind": "unknown_sku"}
    assert {name: entry[name] for name in expected} == expected
    assert entry.keys() >= {"reason", "attempts", "first_seen", "last_tried"}
    assert "NOT-THERE" in entry["reason"]
    listed = program.run("quarantine", "list")
    assert order.order_id in listed.out
    assert "1 quarantined." in listed.out
    assert program.run("quarantine", "retry").code == 2
    assert program.run("quarantine", "retry", "000-0000000-0000000").code == 1
    assert program.run("quarantine", "retry", order.order_id).code == 0
    assert program.run("status", "--json").json["accounts"]["acme"]["pending"] == 1
    assert program.run("cursor", "set", "acme", "yesterday").code == 2
    assert program.run("cursor", "set", "acme", "2026-11-01T00:00:00Z").code == 0
    assert program.run("cursor", "show").out == "acme 2026-11-01T00:00:00Z\n"
    stays = program.run("cursor", "set", "acme", "2026-11-02T00:00:00Z").out
    assert "the cursor stays at 2026-11-01T00:00:00Z" in " ".join(stays.split())
    assert program.run("cursor", "show").out == "acme 2026-11-01T00:00:00Z\n"
    skips = program.run("cursor", "set", "--skip", "acme", "2026-11-02T00:00:00Z").out
    assert "left out" in " ".join(skips.split())
    assert program.run("cursor", "show").out == "acme 2026-11-02T00:00:00Z\n"


def test_wrong_database_and_wrong_password(program: Program) -> None:
    for wrong in ({"database": "no_such_database"}, {"password": "not-the-password"}):
        program.odoo_settings = wrong
        run = program.sync(code=3)
        assert len(run.counts()["error"]) > 20
