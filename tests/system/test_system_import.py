"""Sixty mixed orders, one in ten of them bad, of three accounts, by one call of the program."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from expectations import is_imported, lines_of, worth
from odoo_server.databases import VERSION, OdooDatabase
from program import Program, Run, SettledWorld
from proxy import Proxy
from shop import READING, Shop

from amazon_bridge.simulator import (
    CATALOGUE,
    MARKETS,
    Address,
    Buyer,
    Item,
    Line,
    Order,
    Simulator,
    populate,
)

WITHOUT_ROUNDED_PRICES = 19
"""Older versions round unit prices to two digits; a line of the order balances it."""

ACCOUNTS = {"us": ["US"], "europe": ["FR", "DE", "GB"], "japan": ["JP"]}


class CrookedItem(Item):
    """Amazon says of it that it costs a cent more than all that it consists of."""

    @property
    def total(self) -> Decimal:
        return super().total + Decimal("0.01")


@dataclass
class Sixty:
    """The orders, the expected records, and the actual ones."""

    world: SettledWorld
    program: Program
    shop: Shop
    bad: dict[str, str]
    """The kinds of what is wrong, by the ids of the bad orders."""
    run: Run

    @property
    def good(self) -> list[Order]:
        return [o for o in self.world.orders if is_imported(o) and o.order_id not in self.bad]

    @property
    def left_out(self) -> list[Order]:
        return [o for o in self.world.orders if not is_imported(o)]

    @property
    def seen(self) -> int:
        """Orders that aren't paid yet or can't be delivered aren't fetched."""
        fetched = {"UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED"}
        return sum(order.status in fetched for order in self.world.orders)


@pytest.fixture(scope="module")
def sixty(
    tmp_path_factory: pytest.TempPathFactory,
    odoo_database: OdooDatabase,
    least_privilege: OdooDatabase,
    shop: Shop,
) -> Iterator[Sixty]:
    """Imported by a login with the least rights; other tests sign in as an administrator."""
    seed = 1
    world = SettledWorld(seed=seed)
    world.settings.rate_multiplier = 1000
    with Simulator(world) as simulator:
        folder = tmp_path_factory.mktemp("bridge")
        program = configured(folder, odoo_database, simulator)
        assert program.run("setup").code == 0
        program.odoo = least_privilege
        bad = place_orders(world, shop, seed)
        yield Sixty(world, program, shop, bad, program.run("sync", "orders", "--json"))


def configured(folder: Path, odoo: OdooDatabase, simulator: Simulator) -> Program:
    program = Program(folder, odoo, simulator)
    program.start = datetime.now(UTC) - timedelta(days=4)
    for name, countries in ACCOUNTS.items():
        unknown_sku = "quarantine" if name == "europe" else "fallback"
        seller = simulator.world.add_seller(f"A1{name.upper()}", countries)
        program.add_account(seller, name, unknown_sku=unknown_sku)
    return program


def place_orders(world: SettledWorld, shop: Shop, seed: int) -> dict[str, str]:
    bad = {place(world, shop).order_id: kind for kind, place in BAD.items()}
    for place_good in GOOD:
        place_good(world)
    populate(world, seed, 60 - len(world.orders), days=1.9)
    assert len(world.orders) == 60
    assert len(bad) == 6
    return bad


# What is wrong with the bad ones


def unknown_sku(world: SettledWorld, _: Shop) -> Order:
    return world.place_order("FR", [Line(), Line(sku="NOBODY-KNOWS", price=Decimal(5))])


def contradictory(world: SettledWorld, _: Shop) -> Order:
    order = world.place_order("DE", [Line(shipping=Decimal("3.90"))])
    fields = {name: getattr(order.items[0], name) for name in Item.__slots__}
    return world.change(order.order_id, items=(CrookedItem(**fields),))


def foreign_currency(world: SettledWorld, _: Shop) -> Order:
    order = world.place_order("GB")
    return world.change(order.order_id, market=replace(MARKETS["GB"], currency="CHF"))


def unreadable(world: SettledWorld, _: Shop) -> Order:
    order = world.place_order("US", [Line(), Line()])
    twice = (order.items[0], replace(order.items[1], order_item_id=order.items[0].order_item_id))
    return world.change(order.order_id, items=twice)


def made_by_hand(world: SettledWorld, shop: Shop) -> Order:
    order = world.place_order("JP")
    partner = shop.rpc("res.partner", "create", {"name": "Somebody"})
    values = {"partner_id": partner, "client_order_ref": order.order_id}
    shop.rpc("sale.order", "create", values)
    return order


def tracked(world: SettledWorld, shop: Shop) -> Order:
    sku = f"TRACKED-{world.orders[0].order_id}"
    shop.make_products({sku: {"tracking": "lot"}})
    line = Line(sku=sku, price=Decimal(20))
    return world.place_order("FR", [line, Line()], fulfilled_by="AMAZON")


BAD: dict[str, Callable[[SettledWorld, Shop], Order]] = {
    "unknown_sku": unknown_sku,
    "unreadable": contradictory,
    "currency_missing": foreign_currency,
    "unreadable ": unreadable,
    "needs_attention": made_by_hand,
    "lot_needed": tracked,
}

# Good ones, of which the generator has none

NAMES = ("  \tJean\x0b\x00\x1bValjean ", "<b>Bobby</b>'); DROP TABLE res_partner;--", "N" * 700)


def from_buyer(name: str, world: SettledWorld) -> Order:
    buyer = Buyer(name, f"{zlib.crc32(name.encode())}@marketplace.amazon.de")
    address = Address(name, lines=(name, name), city="Köln", country="DE")
    return world.place_order("DE", buyer=buyer, address=address)


STRANGE = Buyer(
    name="👩‍🚒 Zoë \u202egnirts\u202c Ünïcödé", email="STRANGE.One@marketplace.amazon.fr"
)
NOWHERE = Address(name="", lines=(), city=None, postal_code=None, country="XX")
GOOD: tuple[Callable[[SettledWorld], Order], ...] = (
    lambda world: world.place_order("US", [Line(sku="NOT-IN-ODOO", price=Decimal("19.99"))]),
    lambda world: world.place_order("US", [Line(sku=None, price=Decimal("7.01"), quantity=3)]),
    lambda world: world.place_order("FR", buyer=STRANGE, address=NOWHERE),
    lambda world: world.place_order("GB", buyer=Buyer(), address=Address()),
    *(partial(from_buyer, name) for name in NAMES),
    lambda world: world.place_order(
        "DE",
        [
            Line(quantity=3, tax_included=False, tax_collected_by_amazon=False),
            Line(sku="TEAPOT-08", tax_included=False, shipping=Decimal("0.09")),
        ],
    ),
    lambda world: world.place_order(
        "FR", [Line(sku="TEAPOT-08", price=Decimal("0.09")), Line(sku="KETTLE-17", quantity=7)]
    ),
    lambda world: world.place_order("DE", [Line(other=Decimal("1.23"), cod_fee=Decimal(2))]),
)


# What must have become of them


def test_the_program_says_what_it_did(sixty: Sixty) -> None:
    assert sixty.run.code == 1, sixty.run.err
    accounts = sixty.run.json["accounts"]
    assert accounts.keys() == ACCOUNTS.keys()
    sums = {
        n: sum(accounts[a]["orders"][n] or 0 for a in accounts) for n in accounts["us"]["orders"]
    }
    assert sums == {
        "seen": sixty.seen,
        "created": len(sixty.good),
        "updated": 0,
        "cancelled": 0,
        "notified": 0,
        "unchanged": sixty.seen - len(sixty.good) - 6,
        "quarantined": 6,
        "error": 0,
    }
    assert len(sixty.good) > 25
    assert 50 <= sixty.seen < 60


def test_each_good_order_has_one_sale_order(sixty: Sixty) -> None:
    orders = sixty.shop.sale_orders()
    ids = sixty.shop.external_ids("sale.order")
    teams = {row["id"] for row in sixty.shop.search("crm.team", [("name", "=", "Amazon")], [])}
    for order in sixty.good:
        row = orders[order.order_id]
        assert row["id"] == ids[f"sale_order_{order.order_id}"]
        assert row["origin"] == f"Amazon Order {order.order_id}"
        assert row["date_order"] == order.created.strftime("%Y-%m-%d %H:%M:%S")
        assert row["state"] == "sale"
        assert row["currency_id"][1] == order.market.currency
        assert row["pricelist_id"][1].startswith(f"Amazon {order.market.currency}")
        assert row["team_id"][0] in teams
        assert row["warehouse_id"][0] == 1
        assert row["company_id"][0] == 1
        assert row["user_id"] is False
    for order in sixty.left_out:
        assert order.order_id not in orders


def test_lines_and_totals_are_amazons_to_the_cent(sixty: Sixty) -> None:
    orders, lines = sixty.shop.sale_orders(), sixty.shop.lines()
    ids = {id_: name for name, id_ in sixty.shop.external_ids("sale.order.line").items()}
    known = {product.sku for product in CATALOGUE}
    for order in sixty.good:
        row = orders[order.order_id]
        assert Decimal(str(row["amount_total"])) == worth(order), order
        expected = lines_of(order)
        names = {ids[line] for line in row["order_line"]}
        names -= {f"sale_line_{item.order_item_id}_gift_message" for item in order.items}
        assert names - {f"sale_line_{order.order_id}_rounding"} == expected.keys()
        for name, (sku, quantity, total) in expected.items():
            unit = order.market.round(Decimal("0.01")) or Decimal(1)  # of the currency
            rounded = quantity if VERSION < WITHOUT_ROUNDED_PRICES else 1
            assert abs(lines[name].total - total) <= unit * rounded, (name, order)
            assert lines[name].quantity == quantity
            assert lines[name].sku == (sku if sku in known else lines[name].sku)
            assert lines[name].sku.startswith("Amazon ") == (sku not in known)


def test_goods_of_the_merchant_stand_ready_in_the_warehouse(sixty: Sixty) -> None:
    deliveries = sixty.shop.deliveries()
    lines = sixty.shop.lines()
    for order in sixty.good:
        if order.fulfilled_by == "MERCHANT":
            (delivery,) = deliveries[order.order_id]
            assert delivery["state"] == "assigned", order
            assert delivery["location_id"][1] == "WH/Stock"
            for name in lines_of(order):
                assert lines[name].delivered == 0


def test_goods_at_amazon_have_left_amazons_location_and_no_other(sixty: Sixty) -> None:
    deliveries, moves = sixty.shop.deliveries(), sixty.shop.moves()
    ids, lines = sixty.shop.external_ids("sale.order.line"), sixty.shop.lines()
    fba = [order for order in sixty.good if order.fulfilled_by == "AMAZON"]
    assert len(fba) > 5
    for order in fba:
        (delivery,) = deliveries[order.order_id]
        assert delivery["state"] == "done"
        for item in order.items:
            name = f"sale_line_{item.order_item_id}"
            (move,) = moves[ids[name]]
            assert move["state"] == "done"
            assert move["quantity"] == item.quantity
            assert move["location_id"][1] == "WH/Amazon"
            assert move["location_dest_id"][1].endswith("Customers")
            assert lines[name].delivered == item.quantity


def test_bad_orders_are_quarantined_with_reason_and_remedy(sixty: Sixty) -> None:
    entries = sixty.program.quarantine()
    assert {key: entry["kind"] for key, entry in entries.items()} == {
        key: kind.strip() for key, kind in sixty.bad.items()
    }
    for entry in entries.values():
        assert len(entry["reason"]) > 20
        assert len(entry["remedy"]) > 20
        assert entry["attempts"] == 1
    orders, deliveries = sixty.shop.sale_orders(), sixty.shop.deliveries()
    unfinished = {"needs_attention": ("draft", []), "lot_needed": ("sale", ["confirmed"])}
    for order_id, kind in sixty.bad.items():
        if kind not in unfinished:
            assert order_id not in orders
            continue
        state, transfers = unfinished[kind]
        assert orders[order_id]["state"] == state
        assert [d["state"] for d in deliveries.get(order_id, [])] == transfers


def test_the_cursor_has_moved_to_the_end_of_the_run(sixty: Sixty) -> None:
    run = sixty.program.run("status", "--json")
    for account in run.json["accounts"].values():
        age = datetime.now(UTC) - datetime.fromisoformat(account["cursor"])
        assert timedelta(minutes=2) <= age < timedelta(minutes=6)
        assert account["pending"] == 0
        assert account["jobs"]["orders"]["last_error"] is None


def test_a_second_run_writes_nothing_in_odoo(sixty: Sixty) -> None:
    before = sixty.shop.snapshot()
    with Proxy(sixty.program.odoo_url) as proxy:
        sixty.program.odoo_url, direct = proxy.url, sixty.program.odoo_url
        run = sixty.program.run("sync", "orders", "--json")
        sixty.program.odoo_url = direct
    assert run.code == 0
    assert {method for _, method in proxy.odoo_calls} <= READING
    assert sixty.shop.snapshot() == before
    assert all(jobs["orders"]["created"] == 0 for jobs in run.json["accounts"].values())


def test_nothing_is_doubled_when_the_state_store_is_lost(sixty: Sixty) -> None:
    before = sixty.shop.snapshot()
    sixty.program.forget()
    run = sixty.program.run("sync", "orders", "--json")
    assert run.code == 1  # the bad ones are found again
    accounts = run.json["accounts"]
    assert sum(accounts[name]["orders"]["seen"] for name in accounts) == sixty.seen
    assert sum(accounts[name]["orders"]["quarantined"] for name in accounts) == 6
    assert not any(accounts[name]["orders"]["created"] for name in accounts)
    assert sixty.shop.snapshot() == before


def test_nothing_is_doubled_when_the_cursor_is_set_back(sixty: Sixty) -> None:
    before = sixty.shop.snapshot()
    for name in ACCOUNTS:
        assert sixty.program.run("cursor", "set", name, sixty.program.start.isoformat()).code == 0
    run = sixty.program.run("sync", "orders", "--json")
    assert run.code == 1  # the bad ones are looked at again
    accounts = run.json["accounts"]
    quarantined = sum(accounts[name]["orders"]["quarantined"] for name in accounts)
    assert quarantined == 6
    assert (
        sum(accounts[name]["orders"]["unchanged"] for name in accounts) == sixty.seen - quarantined
    )
    assert sixty.shop.snapshot() == before
