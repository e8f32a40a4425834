"""From an Odoo that nobody has prepared to the first order, as the README has it. In this order."""

from odoo_server.databases import OdooDatabase
from program import Program, SettledWorld
from shop import Shop

NEEDED = (
    "the stock location WH/Amazon",
    "a route out of WH/Amazon to the customers",
    "the sales team Amazon",
    "the products Amazon Sale, Amazon Shipping, Amazon Gift Wrap, Amazon Discount",
    "the active currencies EUR, GBP",
    "the pricelists Amazon EUR, GBP",
)


def test_the_least_privilege_is_told_all_that_is_missing(
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


def test_a_dry_run_before_setup_changes_nothing(program: Program, shop: Shop) -> None:
    before = shop.snapshot()
    error = program.sync("--dry-run", code=3).counts()["error"]
    assert "amazon-bridge setup" in error
    assert shop.snapshot() == before


def test_an_administrator_sets_it_up_once(program: Program, shop: Shop) -> None:
    assert program.run("check").code == 3
    assert program.run("setup").code == 0
    before = shop.snapshot()
    run = program.run("setup")
    assert run.code == 0
    assert run.out == "acme: all that the bridge needs stands in Odoo.\n"
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
