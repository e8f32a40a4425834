"""From an Odoo that nobody has prepared to the first order, as the README has it. In this order."""

import re
from pathlib import Path

import pytest
from answering import answers_of, init, run
from odoo_server.databases import OdooDatabase
from program import Program, SettledWorld
from shop import Shop

from amazon_bridge.simulator import Seller, Simulator

NEEDED = (
    "the stock location WH/Amazon",
    "a route out of WH/Amazon to the customers",
    "the sales team Amazon",
    "the product Amazon Sale",
    "the product Amazon Discount",
    "the currencies EUR, GBP (inactive)",
    "the pricelist Amazon EUR",
    "the pricelist Amazon GBP",
)

INSIDE = "The new stock location WH/Amazon will be inside the warehouse WH"


def test_the_least_privilege_gets_all_that_is_missing(
    program: Program, world: SettledWorld, shop: Shop, least_privilege: OdooDatabase
) -> None:
    world.place_order("FR")
    before = shop.snapshot()
    program.odoo = least_privilege
    error = program.sync(code=3).counts()["error"]
    for needed in NEEDED:
        assert needed in error
    assert "amazon-bridge setup" in error
    run = program.run("setup")
    assert run.code == 3
    for needed in NEEDED:
        assert needed in run.err
    run = program.run("check")
    assert run.code == 3
    for needed in NEEDED:
        assert f"PROBLEM Missing in Odoo: {needed}" in run.out
    assert shop.snapshot() == before


def test_a_dry_run_before_setup_says_what_would_happen_and_changes_nothing(
    program: Program, world: SettledWorld, shop: Shop
) -> None:
    """What a careful new user tries first."""
    world.place_order("FR")
    world.place_order("DE")
    before = shop.snapshot()
    run = program.run("sync", "all", "--dry-run", "--json")
    assert run.code == 0, run.err
    assert run.counts() == {"seen": 2, "created": 2}
    run = program.run("sync", "orders", "--dry-run")
    assert run.code == 0
    for needed in NEEDED:
        assert f"  {needed}\n" in run.out
    assert "`amazon-bridge setup`" in run.out
    run = program.run("setup", "--dry-run")
    assert run.code == 0
    assert INSIDE in run.out
    for needed in NEEDED:
        assert f"  {needed}\n" in run.out
    assert shop.snapshot() == before


def test_a_dry_run_says_what_the_login_may_not_make(
    program: Program, world: SettledWorld, shop: Shop, least_privilege: OdooDatabase
) -> None:
    """The run itself would not begin: the counts are those of the run after `setup`."""
    world.place_order("FR")
    before = shop.snapshot()
    program.odoo = least_privilege
    counts = program.sync("--dry-run", code=3).counts()
    error = counts.pop("error")
    assert counts == {"seen": 1, "created": 1}
    for needed in NEEDED:
        assert needed in error
    assert "requires the group" in error
    assert "amazon-bridge setup" in error
    assert shop.snapshot() == before


def test_a_new_account_shows_where_it_begins(program: Program) -> None:
    del program.accounts[0]["start"]
    run = program.run("sync", "orders", "--dry-run")
    assert run.code == 0
    assert "To bring in earlier ones, set `start`." in run.out


def test_an_administrator_sets_it_up_once(program: Program, shop: Shop) -> None:
    program.configure().chmod(0o644)
    run = program.run("check")
    assert run.code == 3
    assert re.search(
        r"^configuration:\n  ADVICE .* everybody on this machine may read it$",
        run.out,
        re.MULTILINE,
    )
    assert INSIDE in run.out
    run = program.run("setup")
    assert run.code == 0
    assert INSIDE in run.out
    assert "dry_run" not in run.err
    before = shop.snapshot()
    run = program.run("setup")
    assert run.code == 0
    assert run.out == "acme: Odoo is set up.\n"
    assert shop.snapshot() == before


def test_the_least_privilege_works_from_then_on(
    program: Program, world: SettledWorld, shop: Shop, least_privilege: OdooDatabase
) -> None:
    program.odoo = least_privilege
    run = program.run("check")
    assert run.code == 0, run.out
    assert "PROBLEM" not in run.out
    order = world.place_order("FR")
    assert program.sync().counts() == {"seen": 1, "created": 1}
    assert shop.sale_order(order)["state"] == "sale"


def test_what_init_writes_passes_check(
    tmp_path: Path,
    world: SettledWorld,
    shop: Shop,
    *,
    program: Program,
    least_privilege: OdooDatabase,
    simulator: Simulator,
    seller: Seller,
) -> None:
    """It proposes the records that Odoo has, but no location inside a warehouse."""
    program.accounts[0]["fba_location"] = "Amazon/FBA"
    assert program.run("setup").code == 0
    world.place_order("FR")
    before = shop.snapshot()
    answers = answers_of(least_privilege, simulator, seller)
    answers["accounts"][0]["start"] = world.orders[0].created.isoformat()
    done = init(tmp_path, answers)
    assert done.code == 0, done
    assert "PROBLEM" not in done.out
    *_, first, _, last = done.out.splitlines()
    assert (first, last) == ("  amazon-bridge check", "  amazon-bridge run")
    check = run(tmp_path, "check")
    assert check.code == 0, check
    assert "PROBLEM" not in check.out
    dry = run(tmp_path, "sync", "orders", "--dry-run", "--json")
    assert [each["orders"]["created"] for each in dry.json["accounts"].values()] == [1]
    assert shop.snapshot() == before


@pytest.mark.parametrize(("location", "available"), [("WH/Amazon", 110), ("Amazon/FBA", 10)])
def test_the_warehouse_has_what_lies_inside_it(
    location: str, available: int, program: Program, shop: Shop
) -> None:
    program.accounts[0]["fba_location"] = location
    assert program.run("setup").code == 0
    counts = "Odoo counts the goods at Amazon (WH/Amazon) as available in the warehouse WH"
    assert (counts in " ".join(program.run("check").out.split())) == (location == "WH/Amazon")
    values = {"name": location, "is_storable": True}
    product = shop.rpc("product.product", "create", values)
    (fba,) = shop.search("stock.location", [("complete_name", "=", location)], [])
    (warehouse,) = shop.search("stock.warehouse", [("code", "=", "WH")], ["lot_stock_id"])
    for place, number in ((warehouse["lot_stock_id"][0], 10), (fba["id"], 100)):
        quant = {"product_id": product, "location_id": place, "inventory_quantity": number}
        quants = shop.rpc("stock.quant", "create", [quant])
        shop.rpc("stock.quant", "action_apply_inventory", quants)
    inside = {"warehouse": warehouse["id"], "warehouse_id": warehouse["id"]}  # before 18, and since
    fields = ["qty_available", "free_qty", "virtual_available"]
    (row,) = shop.rpc("product.product", "read", [product], fields, context=inside)
    assert {row[name] for name in fields} == {available}
