"""Deliveries of orders that the state store doesn't know: they are fetched from Amazon.

That Amazon does not show an order to an account proves nothing: it waits, and is quarantined after
a day, unless another account proves that it is its own.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from desk import Clock, Desk, MakeDesk

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.records import State
from amazon_bridge.flows.cancellations import run as cancellations_run
from amazon_bridge.flows.orders import ORDERS, invoices
from amazon_bridge.flows.orders import run as orders_run
from amazon_bridge.flows.orders.find import fetch, file
from amazon_bridge.flows.shipments import run as shipments_run
from amazon_bridge.simulator import Line, Order, Seller, Simulator, World

PICKINGS = "pickings"


@pytest.fixture
def world(clock: Clock) -> World:
    world = World(clock, seed=3)
    world.settings.rate_multiplier = 1000
    return world


@pytest.fixture
def amazon(world: World) -> Iterator[Simulator]:
    with Simulator(world) as running:
        yield running


def account_of(seller: Seller, **settings: Any) -> dict[str, Any]:
    credentials = ("client_id", "client_secret", "refresh_token")
    return {
        "seller_id": seller.seller_id,
        "credentials": {name: getattr(seller, name) for name in credentials},
        **settings,
    }


@pytest.fixture
def desk(make_memory_desk: MakeDesk, world: World, amazon: Simulator, clock: Clock) -> Desk:
    """The account ``acme`` sells in France, ``beta`` of another seller in Germany."""
    side = {"endpoint": amazon.url, "token_url": f"{amazon.url}/auth/o2/token"}
    beta = account_of(world.add_seller("A1BETA", ["DE"]), name="beta", marketplaces=["DE"])
    acme = account_of(world.add_seller("A1ACME", ["FR"]), marketplaces="FR", others=[beta])
    return make_memory_desk(clock=clock, **acme, **side)


def accounts(desk: Desk) -> tuple[AccountConfig, AccountConfig]:
    acme, beta = desk.app.config.accounts
    return acme, beta


def import_ship_and_forget(desk: Desk, account: AccountConfig, order: Order) -> None:
    context = desk.app.context(account)
    assert orders_run.recover(context, order.order_id).created == 1
    [sale_order] = desk.find("sale.order", [("client_order_ref", "=", order.order_id)], [])
    [delivery] = desk.find("stock.picking", [("sale_id", "=", sale_order["id"])], [])
    desk.odoo.rpc("stock.picking", "button_validate", [delivery["id"]])
    tomorrow = context.clock() + timedelta(days=1)
    desk.app.ledger.items.forget_finished(account.name, ORDERS.name, tomorrow)


def states(desk: Desk, account: AccountConfig) -> dict[State, int]:
    return dict(desk.app.ledger.items.tally(account.name, PICKINGS))


def test_an_order_that_amazon_does_not_show_is_nobody_elses(
    desk: Desk, world: World, clock: Clock
) -> None:
    acme, _ = accounts(desk)
    order = world.place_order("FR", [Line(sku="MUG-BLUE")])
    import_ship_and_forget(desk, acme, order)
    history = world._histories.pop(order.order_id)
    assert shipments_run.sync(desk.app.context(acme)).quarantined == 0
    assert states(desk, acme) == {State.PENDING: 1}
    clock.shift = timedelta(hours=25)
    assert shipments_run.sync(desk.app.context(acme)).quarantined == 1
    [entry] = desk.app.ledger.items.quarantined()
    assert "does not show its order" in (entry.reason or "")
    assert "Seller Central" in (entry.remedy or "")
    # Amazon shows it after all.
    world._histories[order.order_id] = history
    desk.app.ledger.items.retry(entry.key)
    assert shipments_run.sync(desk.app.context(acme)).quarantined == 0
    assert states(desk, acme) == {State.PENDING: 1}


def test_another_sellers_account_proves_that_it_is_its_own(
    desk: Desk, world: World, clock: Clock
) -> None:
    acme, beta = accounts(desk)
    order = world.place_order("DE", [Line(sku="MUG-BLUE")])
    import_ship_and_forget(desk, beta, order)
    shipments_run.sync(desk.app.context(acme))
    assert states(desk, acme) == {State.PENDING: 1}
    shipments_run.sync(desk.app.context(beta))
    shipments_run.sync(desk.app.context(acme))
    assert states(desk, acme) == {State.LEFT_OUT: 1}
    clock.shift = timedelta(hours=25)
    assert shipments_run.sync(desk.app.context(acme)).quarantined == 0


def test_an_order_of_a_marketplace_without_any_account(
    make_memory_desk: MakeDesk, world: World, amazon: Simulator, clock: Clock
) -> None:
    side = {"endpoint": amazon.url, "token_url": f"{amazon.url}/auth/o2/token"}
    seller = world.add_seller("A1ACME", ["FR", "DE"])
    desk = make_memory_desk(clock=clock, **account_of(seller), marketplaces="FR DE", **side)
    order = world.place_order("DE", [Line(sku="MUG-BLUE")])
    import_ship_and_forget(desk, desk.app.config.accounts[0], order)
    desk = make_memory_desk(clock=clock, **account_of(seller), marketplaces="FR", **side)
    assert shipments_run.sync(desk.app.context(desk.app.config.accounts[0])).quarantined == 1
    [entry] = desk.app.ledger.items.quarantined()
    assert entry.kind == "no_account"
    assert "DE" in (entry.reason or "")


def test_amazon_does_not_say_who_ships_the_order(desk: Desk, world: World) -> None:
    acme, _ = accounts(desk)
    order = world.place_order("FR", [Line(sku="MUG-BLUE")])
    import_ship_and_forget(desk, acme, order)
    world.change(order.order_id, fulfilled_by="DRONE")
    dry_run = shipments_run.sync(desk.app.context(acme, dry_run=True), dry_run=True)
    assert (dry_run.seen, dry_run.quarantined) == (1, 1)
    assert desk.app.ledger.items.quarantined() == []
    assert shipments_run.sync(desk.app.context(acme)).quarantined == 1
    [entry] = desk.app.ledger.items.quarantined()
    assert entry.kind == "unclear"


@pytest.mark.parametrize("has_account", [True, False])
def test_a_pending_order_whose_marketplace_has_moved(
    make_memory_desk: MakeDesk, world: World, amazon: Simulator, clock: Clock, *, has_account: bool
) -> None:
    side = {"endpoint": amazon.url, "token_url": f"{amazon.url}/auth/o2/token"}
    seller = world.add_seller("A1ACME", ["FR", "DE"])
    both = make_memory_desk(clock=clock, **account_of(seller), marketplaces="FR DE", **side)
    order = world.place_order("DE", [Line(sku="MUG-BLUE")])
    context = both.app.context(both.app.config.accounts[0])
    file(context, [fetch(context, order.order_id)])
    others = [{"name": "germany", "marketplaces": ["DE"]}] if has_account else []
    desk = make_memory_desk(
        clock=clock, **account_of(seller), marketplaces="FR", others=others, **side
    )
    counts = orders_run.sync(desk.app.context(desk.app.config.accounts[0]))
    assert counts.error is None
    entry = desk.app.ledger.items.get("acme", ORDERS.name, order.order_id)
    assert entry
    assert desk.find("sale.order", [("client_order_ref", "=", order.order_id)], []) == []
    if has_account:
        assert entry.state == State.LEFT_OUT
        # The new account imports it, although its first window begins later.
        clock.shift = timedelta(hours=2)
        _, germany = desk.app.config.accounts
        assert orders_run.sync(desk.app.context(germany)).created == 1
    else:
        assert (entry.state, entry.kind) == (State.QUARANTINED, "no_account")


@pytest.fixture(params=["acme-fr", "acme-eu"])
def merged(
    make_memory_desk: MakeDesk,
    world: World,
    amazon: Simulator,
    clock: Clock,
    request: pytest.FixtureRequest,
) -> tuple[Desk, Desk]:
    """Two accounts of one seller; then one for both, with the name of one or a new one."""
    side = {"endpoint": amazon.url, "token_url": f"{amazon.url}/auth/o2/token", "clock": clock}
    side |= {"invoicing": {"mode": "on_delivery"}}
    seller = world.add_seller("A1ACME", ["FR", "DE"])
    germany = {"name": "acme-de", "marketplaces": ["DE"]}
    france = account_of(seller, name="acme-fr", marketplaces="FR")
    before = make_memory_desk(**france, others=[germany], **side)
    all_in_one = account_of(seller, name=request.param, marketplaces="FR DE")
    return before, make_memory_desk(**all_in_one, **side)


def imported_by_germany(desk: Desk, world: World, **fields: Any) -> tuple[Order, int]:
    """An order, and its sale order in Odoo."""
    _, germany = desk.app.config.accounts
    an_hour_ago = world.clock() - timedelta(hours=1)
    order = world.place_order("DE", [Line(sku="MUG-BLUE")], created=an_hour_ago, **fields)
    assert orders_run.recover(desk.app.context(germany), order.order_id).created == 1
    [found] = desk.find("sale.order", [("client_order_ref", "=", order.order_id)], [])
    return order, found["id"]


def test_what_accounts_had_imported_that_were_merged_is_shipped(
    merged: tuple[Desk, Desk], world: World
) -> None:
    before, after = merged
    order, sale_order_id = imported_by_germany(before, world)
    [delivery] = before.find("stock.picking", [("sale_id", "=", sale_order_id)], [])
    carrier = before.odoo.rpc("delivery.carrier", "create", {"name": "La Poste"})
    label = {"carrier_id": carrier, "carrier_tracking_ref": "PARCEL-1"}
    before.odoo.rpc("stock.picking", "write", [delivery["id"]], label)
    before.odoo.rpc("stock.picking", "button_validate", [delivery["id"]])
    assert shipments_run.sync(after.context).notified == 1
    [package] = world.order(order.order_id).packages
    assert package.tracking_number == "PARCEL-1"


def test_what_accounts_had_imported_that_were_merged_is_cancelled(
    merged: tuple[Desk, Desk], world: World
) -> None:
    before, after = merged
    _, sale_order_id = imported_by_germany(before, world)
    before.odoo.rpc("sale.order", "action_cancel", [sale_order_id])
    assert cancellations_run.sync(after.context).notified == 1


def test_what_accounts_had_imported_that_were_merged_is_invoiced(
    merged: tuple[Desk, Desk], world: World
) -> None:
    before, after = merged
    order, _ = imported_by_germany(before, world, fulfilled_by="AMAZON", status="SHIPPED")
    assert invoices.sync(after.context).error is None
    domain = [("ref", "=", order.order_id)]
    assert [each["state"] for each in after.find("account.move", domain, ["state"])] == ["posted"]
