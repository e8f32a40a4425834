"""Demonstration: a real Odoo, a simulated Amazon, and the bridge between them.

A scenario in seven parts. The simulated Amazon and the bridge share a clock that can be advanced,
because Amazon shows changes only after two minutes.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.progress import track
from rich.table import Column, Table

from amazon_bridge import config, log
from amazon_bridge.app import App
from amazon_bridge.config import Config
from amazon_bridge.engine.runner import Counts
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.simulator import CATALOGUE, MARKETS, Simulator, World, generate
from amazon_bridge.tables import add_row, console
from amazon_bridge.terminal import say

_ORDERS = 40
_UNKNOWN_SKU = "SPOON-SET"
"""A product of the shop that does not exist in Odoo."""

_LISTED = ("MUG-BLUE", "TEAPOT-08", "KETTLE-17")
_FBA = "MUG-RED"
"""A listing that Amazon fulfils, although the shop has the product, too."""

_PAID_IN = "US"
"""The marketplace whose settlement is shown; its currency is that of the demo's company."""

_console = console()


class _Clock:
    """The real time, advanced when the scenario needs it."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, minutes: float) -> None:
        self._ahead += timedelta(minutes=minutes)


def run(url: str, database: str, login: str, password: str) -> None:
    """Run the scenario on an Odoo database that may be filled with generated orders.

    Raises:
        BridgeError: Odoo can't be reached, refuses the login, or lacks an app.
    """
    clock = _Clock()
    world = generate(7, _ORDERS, clock=clock)
    world.settings.rate_multiplier = 1000
    folder = Path(tempfile.mkdtemp(prefix="amazon-bridge-demo-"))
    odoo = {"url": url, "database": database, "login": login, "password": password}
    with Simulator(world) as amazon, _bridge(folder, amazon, clock, odoo) as bridge:
        shop = _Shop(OdooSession.connect(url, database, login, password))
        shop.open()
        _list_products(world)
        _import_orders(bridge, shop)
        _ship_a_parcel(bridge, shop, amazon)
        _cancel_orders(bridge, shop, amazon, clock)
        _send_quantities(bridge, shop, amazon, clock)
        _book_a_settlement(bridge, shop, amazon, clock)
        _show_quarantine(bridge)
    _say_where_to_look(url, database, login, password, folder)


@contextmanager
def _bridge(folder: Path, amazon: Simulator, clock: _Clock, odoo: dict[str, str]) -> Iterator[App]:
    loaded = _configuration(folder, amazon, odoo)
    # The scenario is shown on the terminal; the log goes to a file.
    with (folder / "bridge.log").open("w", encoding="utf-8") as stream:
        log.configure("info", "json", stream=stream)
        log.hide(loaded.secrets())
        bridge = App(loaded, clock=clock)
        try:
            yield bridge
        finally:
            bridge.close()


def _configuration(folder: Path, amazon: Simulator, odoo: dict[str, str]) -> Config:
    """Write the configuration file that a person would write, and load it."""
    file = {
        "state": str(folder / "bridge.db"),
        "odoo": odoo,
        "defaults": {"endpoint": amazon.url, "token_url": amazon.token_url},
        "accounts": [_account(name, amazon.world) for name in amazon.world.sellers],
    }
    path = folder / "bridge.yaml"
    path.touch(0o600)  # it holds passwords
    path.write_text(json.dumps(file, indent=2), encoding="utf-8")  # JSON is YAML
    return config.load(path, {})


def _account(seller_id: str, world: World) -> dict[str, Any]:
    seller = world.sellers[seller_id]
    return {
        "name": f"demo-{'-'.join(seller.countries)}".lower(),
        "seller_id": seller_id,
        "marketplaces": list(seller.countries),
        "credentials": {
            "client_id": seller.client_id,
            "client_secret": seller.client_secret,
            "refresh_token": seller.refresh_token,
        },
        "start": min(order.created for order in world.orders).isoformat(),
        "unknown_sku": "quarantine",
        "stock": {"push": True, "raise_after": "1s", "buffer": 5},
        "invoicing": {"payment_journal": "Amazon Payments"},
        "settlements": {"mode": "post"},
    }


def _list_products(world: World) -> None:
    """List a few products on Amazon, with quantities that nobody has updated for long."""
    world.settings.shared_quantities = True
    for seller in world.sellers.values():
        for country in seller.countries:
            for sku in _LISTED:
                world.listings.add(seller.seller_id, sku, country, {"DEFAULT": 7})
            world.listings.add(
                seller.seller_id, _FBA, country, {MARKETS[country].amazon_channel: 30}
            )


# The parts of the scenario


def _import_orders(bridge: App, shop: _Shop) -> None:
    _console.rule("Orders arrive")
    accounts = bridge.accounts()
    counts = sum(
        (bridge.runs.sync(each, "orders") for each in track(accounts, "From Amazon to Odoo")),
        Counts(),
    )
    say(
        f"Amazon showed {counts.seen} orders: {counts.created} are in Odoo now,"
        f" {counts.unchanged} need not be, {counts.quarantined} were quarantined."
    )
    _console.print(_table(shop.sale_orders()))


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table("Sale order", Column("Amazon order", no_wrap=True), "Shipped by", box=SIMPLE)
    for heading in ("Total", "Delivery"):
        table.add_column(heading, justify="right" if heading == "Total" else "left", no_wrap=True)
    for row in rows:
        total = f"{row['amount_total']:,.2f} {row['currency_id'][1]}"
        channel = "Amazon" if row["delivery_status"] == "full" else "you"
        delivery = {"full": "done", "pending": "ready"}.get(row["delivery_status"], "")
        add_row(table, row["name"], row["client_order_ref"], channel, total, delivery)
    return table


def _ship_a_parcel(bridge: App, shop: _Shop, amazon: Simulator) -> None:
    _console.rule("A parcel leaves")
    delivery = shop.ship("DHL", "JJD000390007123456789")
    say(f"{delivery} is validated in Odoo, with DHL and a tracking reference.")
    _sync(bridge, "pickings")
    sent = json.loads(amazon.received("confirmShipment")[-1].body)["packageDetail"]
    say(
        f"Confirmed to Amazon: carrier {sent['carrierCode']}, tracking number"
        f" {sent['trackingNumber']}, {len(sent['orderItems'])} item(s). It mails the buyer."
    )


def _cancel_orders(bridge: App, shop: _Shop, amazon: Simulator, clock: _Clock) -> None:
    _console.rule("Orders are cancelled")
    by_buyer, by_seller = shop.order_to_ship(), shop.order_to_ship(1)
    amazon.world.cancel(by_buyer["client_order_ref"])
    clock.advance(minutes=5)
    _sync(bridge, "orders")
    say(
        f"The buyer of {by_buyer['name']} cancelled on Amazon;"
        f" its state in Odoo is now '{shop.state(by_buyer['id'])}'."
    )
    shop.cancel(by_seller["id"])
    _sync(bridge, "cancellations")
    clock.advance(minutes=5)
    _sync(bridge, "cancellations")
    status = amazon.world.order(by_seller["client_order_ref"]).status
    say(
        f"{by_seller['name']} was cancelled in Odoo and by a feed on Amazon;"
        f" its status on Amazon is now: {status}."
    )


def _send_quantities(bridge: App, shop: _Shop, amazon: Simulator, clock: _Clock) -> None:
    _console.rule("Quantities go to Amazon")
    before = _quantities(amazon.world)
    for minutes in (2, 1, 16):  # for Amazon's report of listings; for `raise_after`; to read back
        _sync(bridge, "stock")
        clock.advance(minutes)
    after = _quantities(amazon.world)
    table = Table("SKU", "Marketplace", "Shipped by", box=SIMPLE)
    for heading in ("On hand", "To leave", "On Amazon before", "Now"):
        table.add_column(heading, justify="right")
    for (sku, country), quantity in after.items():
        shipped_by = "Amazon" if sku == _FBA else "you"
        numbers = (*shop.pieces(sku), before[sku, country], quantity)
        add_row(table, sku, country, shipped_by, *map(_number, numbers))
    _console.print(table)
    say(
        "Open orders, including those not yet in Odoo, and a buffer of 5 units are subtracted."
        " The listing that Amazon fulfils is not updated."
    )


def _quantities(world: World) -> dict[tuple[str, str], int | None]:
    """The merchant's quantities, by SKU and the first country of a seller."""
    firsts = {seller.countries[0] for seller in world.sellers.values()}
    return {
        (each.sku, each.market.country): each.quantity
        for each in world.listings
        if each.market.country in firsts
    }


def _book_a_settlement(bridge: App, shop: _Shop, amazon: Simulator, clock: _Clock) -> None:
    _console.rule("Amazon pays")
    money = amazon.money
    sold = next(e for e in money.book.events if e.market and e.market.country == _PAID_IN)
    money.refund(sold.order_id, Decimal("0.5"))
    money.fee("advertising", Decimal("-12.50"), country=_PAID_IN)
    settlement = money.close(currency=sold.account.currency, reserve=Decimal(10))
    clock.advance(5)
    _sync(bridge, "settlements")
    table = Table("Account", box=SIMPLE)
    for heading in ("Debit", "Credit"):
        table.add_column(heading, justify="right")
    for account, balance in shop.balances(settlement.settlement_id).items():
        amount = f"{abs(balance):,.2f}"
        add_row(table, account, *((amount, "") if balance > 0 else ("", amount)))
    _console.print(table)
    say(
        f"Settlement {settlement.settlement_id} is booked, to the cent: Amazon pays"
        f" {settlement.total:,.2f} {settlement.currency} on {settlement.deposit}, which the bank's"
        " line then matches. It keeps a reserve, and its fees."
    )


def _number(number: float | None) -> str:
    return "" if number is None else f"{number:g}"


def _sync(bridge: App, job: str) -> None:
    for account in track(bridge.accounts(), f"Running {job}"):
        bridge.runs.sync(account, job)


def _show_quarantine(bridge: App) -> None:
    _console.rule("What a person must look at")
    for entry in bridge.ledger.items.quarantined():
        say(f"{entry.display_key}: {entry.reason}")
        say(f"  → {entry.remedy}")


def _say_where_to_look(url: str, database: str, login: str, password: str, folder: Path) -> None:
    _console.rule("Look around")
    for line in (
        "The simulated Amazon has stopped: `sync`, `check` and `run` can no longer reach it.",
        f"Odoo:   {url}/odoo?db={database}   login {login}, password {password}",
        "        Sales > Orders: the sale orders, each with its Amazon order id",
        "        Inventory > Deliveries: what is to be shipped, and what Amazon shipped",
        "        Invoicing > Accounting > Journal Entries: the settlement that Amazon paid",
        f"Bridge: {folder}/bridge.yaml is its configuration, bridge.log what it logged",
        f"        {sys.argv[0]} --config {folder}/bridge.yaml status",
        f"        {sys.argv[0]} --config {folder}/bridge.yaml quarantine list",
    ):
        say(line)


# The people in Odoo


class _Shop:
    """What the people of the shop do in Odoo."""

    def __init__(self, odoo: OdooSession) -> None:
        self._odoo = odoo

    def open(self) -> None:
        """Enter the products, with stock, and a carrier."""
        products = [each for each in CATALOGUE if each.sku != _UNKNOWN_SKU]
        stored = self._odoo.names.storable
        rows = [
            [f"amazon_bridge_demo.{each.sku}", each.sku, each.title, *map(str, stored.values())]
            for each in products
        ]
        ids = self._odoo.load(
            "product.product", ["id", "default_code", "name", *stored], rows, overwrite=True
        )
        self._stock(ids)
        self._carrier("DHL")

    def _stock(self, product_ids: Sequence[int]) -> None:
        quants = [
            {"product_id": id_, "location_id": self._location(), "inventory_quantity": 100}
            for id_ in product_ids
        ]
        context = {"inventory_mode": True}
        quant_ids = self._odoo.call("stock.quant", "create", quants, context=context)
        self._odoo.call("stock.quant", "action_apply_inventory", quant_ids, context=context)

    def _location(self) -> int:
        """The warehouse's stock location."""
        warehouses = self._odoo.search_read(
            "stock.warehouse", [], ["lot_stock_id"], order="id", limit=1
        )
        return int(warehouses[0]["lot_stock_id"][0])

    def _carrier(self, name: str) -> None:
        product = self._odoo.search_read("product.product", [("type", "=", "service")], [], limit=1)
        fields = ["id", "name", "product_id/.id"]
        rows = [[f"amazon_bridge_demo.carrier_{name}", name, str(product[0]["id"])]]
        self._odoo.load("delivery.carrier", fields, rows)

    def pieces(self, sku: str) -> tuple[float, float]:
        """Pieces of a product in the warehouse, and those of them that are to leave."""
        fields, domain = ["qty_available", "outgoing_qty"], [("default_code", "=", sku)]
        context = {"location": self._location()}
        (product,) = self._odoo.search_read("product.product", domain, fields, context=context)
        return product["qty_available"], product["outgoing_qty"]

    def sale_orders(self) -> list[dict[str, Any]]:
        fields = [
            *("name", "client_order_ref", "amount_total", "currency_id", "state"),
            *("delivery_status", "picking_ids"),
        ]
        return self._odoo.search_read(
            "sale.order", [("origin", "=like", "Amazon Order %")], fields, order="date_order, id"
        )

    def order_to_ship(self, number: int = 0) -> dict[str, Any]:
        """An order that the shop has to ship itself."""
        ready = [
            each
            for each in self.sale_orders()
            if (each["state"], each["delivery_status"]) == ("sale", "pending")
        ]
        return ready[number]

    def ship(self, carrier: str, tracking_reference: str) -> str:
        """Validate a delivery order as a person would, and return its name."""
        picking_id = self.order_to_ship(2)["picking_ids"][0]
        carrier_id = self._odoo.search_read("delivery.carrier", [("name", "=", carrier)], [])[0]
        values = {"carrier_id": carrier_id["id"], "carrier_tracking_ref": tracking_reference}
        self._odoo.call("stock.picking", "write", [picking_id], values)
        # Odoo would ask whether to send a text message, where a person clicks it away.
        context = {"skip_sms": True}
        self._odoo.call("stock.picking", "button_validate", [picking_id], context=context)
        return str(self._odoo.read("stock.picking", [picking_id], ["name"])[0]["name"])

    def balances(self, settlement_id: str) -> dict[str, float]:
        """What a settlement has booked, by account."""
        domain = [("move_id.ref", "=like", f"settlement_{settlement_id}%")]
        rows = self._odoo.search_read("account.move.line", domain, ["account_id", "balance"])
        sums: dict[str, float] = {}
        for row in rows:
            name = str(row["account_id"][1])
            sums[name] = round(sums.get(name, 0) + row["balance"], 2)
        return {name: balance for name, balance in sorted(sums.items()) if balance}

    def cancel(self, sale_order_id: int) -> None:
        self._odoo.call("sale.order", "action_cancel", [sale_order_id])

    def state(self, sale_order_id: int) -> str:
        return str(self._odoo.read("sale.order", [sale_order_id], ["state"])[0]["state"])
