"""No secret and no buyer's data in what the program prints, logs and keeps, whatever goes wrong."""

from decimal import Decimal

import pytest
from leaks import check, left_behind
from program import MakeProgram, Program, Run, SettledWorld
from shop import Shop

from amazon_bridge.simulator import Address, Buyer, Line, Seller, Simulator, populate

COUNTRIES = ["FR", "DE", "GB"]


@pytest.fixture
def program(make_program: MakeProgram, seller: Seller) -> Program:
    program = make_program()
    program.log_level = "debug"
    program.add_account(seller, unknown_sku="quarantine")
    return program


def test_nothing_leaks(
    program: Program, world: SettledWorld, simulator: Simulator, seller: Seller, shop: Shop
) -> None:
    populate(world, 3, 30, seller=seller, countries=COUNTRIES, days=0.4)
    world.place_order("FR", [Line(sku="NOT-THERE", price=Decimal(1))])
    shop.make_products({"LOTS": {"tracking": "lot"}})
    world.place_order("FR", [Line(sku="LOTS", price=Decimal(1))], fulfilled_by="AMAZON")
    program.sync(code=1)
    for order in world.orders:
        if order.status == "UNSHIPPED":
            world.request_cancellation(order.order_id)
    with_faults(simulator)
    program.run("sync", "orders")
    for command in ("recover acme", "show"):
        program.run("order", *command.split(), world.orders[0].order_id)
    for command in ("quarantine list", "quarantine list --json", "status", "check"):
        program.run(*command.split())
    assert check(program) > 10
    assert len(left_behind(program)) > 3


def with_faults(simulator: Simulator) -> None:
    simulator.faults.add("truncated", "searchOrders", after_work=True)
    simulator.faults.add("wrong_json", "searchOrders")
    simulator.faults.add("400", "getOrder")


def test_nothing_leaks_when_odoo_refuses_a_buyers_data(
    program: Program, world: SettledWorld, shop: Shop
) -> None:
    shop.refuse_partners_named("Refusella Quotewell")
    buyer = Buyer("Refusella Quotewell", "refusella000@marketplace.amazon.fr")
    address = Address("Refusella Quotewell", lines=("77 rue du Secret",), city="Lyon", country="FR")
    order = world.place_order("FR", buyer=buyer, address=address)
    world.place_order("FR")
    run = program.sync(code=1)
    assert run.counts() == {"seen": 2, "created": 1, "quarantined": 1}
    assert program.quarantine()[order.order_id]["kind"] == "odoo_refused"
    program.run("quarantine", "list")
    assert check(program) > 10
    assert len(left_behind(program)) > 3


def test_a_leak_is_found(program: Program, world: SettledWorld) -> None:
    order = world.place_order("FR")
    for leak in (order.buyer.email, world.sellers["A1SIMULATEDEU"].refresh_token):
        program.runs = [Run(("leak",), 0, "", f"an error with {leak} in it")]
        with pytest.raises(AssertionError, match="leak"):
            check(program)
    program.runs = []
    (program.folder / "bridge.db").write_text(order.buyer.name or "")
    with pytest.raises(AssertionError, match=r"bridge\.db"):
        check(program)
    program.forget()
