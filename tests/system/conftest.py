"""The whole bridge, between a simulated Amazon and the test module's Odoo."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import leaks
import memory_shop
import pytest
from bridge import Bridge, ShiftedClock
from cancelled_orders import check_feeds
from memory_odoo import MemoryDatabase, MemoryOdoo, connect
from memory_shop import MemoryShop
from odoo_server.databases import OdooDatabase
from parcels import check_confirmations, check_that_all_are_seen
from program import MakeProgram, Program, SettledWorld
from settlement_shop import Books, booking
from shop import Shop
from stock_shop import DE, FR, NOW, StockShop
from two_odoos import ACCOUNT, Side
from warehouse import Warehouse

from amazon_bridge.odoo import setup
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.simulator import Seller, Simulator

LEAST_PRIVILEGE = (
    "base.group_user",
    "sales_team.group_sale_salesman_all_leads",
    "stock.group_stock_user",
    "base.group_partner_manager",
)


@pytest.fixture(scope="module", autouse=True)
def nothing_leaks() -> Iterator[None]:
    """What a module's programs have printed, logged and kept has nothing that must not be seen."""
    Program.made.clear()
    yield
    for program in Program.made:
        leaks.check(program)


@pytest.fixture(scope="module")
def shop(odoo_database: OdooDatabase) -> Shop:
    """The module's Odoo, with the products that the simulated sellers sell."""
    shop = Shop(odoo_database)
    shop.make_catalogue()
    return shop


@pytest.fixture(scope="module")
def least_privilege(odoo_database: OdooDatabase) -> OdooDatabase:
    """A login of the module's Odoo that may do no more than the bridge needs."""
    return odoo_database.make_user("importer", LEAST_PRIVILEGE)


@pytest.fixture
def clock() -> ShiftedClock:
    """Amazon's clock, and the bridge's where it runs in this process."""
    return ShiftedClock()


@pytest.fixture
def world(request: pytest.FixtureRequest, clock: ShiftedClock) -> SettledWorld:
    """Its orders have other ids than those of the other tests in this database."""
    world = SettledWorld(clock, seed=zlib.crc32(request.node.nodeid.encode()))
    world.settings.rate_multiplier = 1000
    return world


@pytest.fixture
def simulator(world: SettledWorld) -> Iterator[Simulator]:
    with Simulator(world) as running:
        yield running


@pytest.fixture
def make_program(tmp_path: Path, odoo_database: OdooDatabase, simulator: Simulator) -> MakeProgram:
    """Makes a configuration without accounts, in a folder of its own."""

    def make(name: str = "bridge", *, odoo: OdooDatabase = odoo_database) -> Program:
        folder = tmp_path / name
        folder.mkdir()
        return Program(folder, odoo, simulator)

    return make


@pytest.fixture
def seller(world: SettledWorld) -> Seller:
    return world.add_seller("A1SIMULATEDEU", ["FR", "DE", "GB"])


@pytest.fixture
def program(make_program: MakeProgram, seller: Seller) -> Program:
    """Configured for one account, ``acme``, that sells in France, Germany and Britain."""
    program = make_program()
    program.add_account(seller)
    return program


@pytest.fixture(scope="module")
def warehouse(shop: Shop) -> Warehouse:
    return Warehouse(shop)


@pytest.fixture
def bridge(program: Program, clock: ShiftedClock, warehouse: Warehouse) -> Iterator[Bridge]:
    """The same account, by rounds in this process. What it made is no other test's business."""
    bridge = Bridge(program, clock)
    yield bridge
    bridge.close()
    warehouse.disown()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[MemoryShop]:
    """A seller and the bridge in this process, between an in-memory Odoo and a simulated Amazon."""
    with memory_shop.opened(tmp_path) as shop:
        yield shop


@pytest.fixture(scope="module", params=["real", "in memory"])
def side(request: pytest.FixtureRequest) -> Side:
    if request.param == "real":
        shop: Shop = request.getfixturevalue("shop")
        database = shop.database
        session = OdooSession.connect(**database.access())
    else:
        shop = Shop(MemoryDatabase(server=MemoryOdoo()))
        shop.make_catalogue()
        session = connect(shop.database.server)
    return Side(shop, session, setup.prepare(session, ACCOUNT))


@pytest.fixture
def valid_confirmations(bridge: Bridge, warehouse: Warehouse) -> Iterator[None]:
    """After the test, checks what was confirmed, and that no delivery order is missing."""
    yield
    check_confirmations(bridge)
    check_that_all_are_seen(bridge, warehouse)


@pytest.fixture
def valid_feeds(bridge: Bridge) -> Iterator[None]:
    """After the test, checks all cancellation feeds."""
    yield
    check_feeds(bridge)


@pytest.fixture
def stock(here: MemoryShop) -> Iterator[StockShop]:
    """A seller in France and Germany whose quantities are pushed."""
    with here.bridge.configured(stock=NOW):
        yield StockShop(here)


@pytest.fixture
def settled(stock: StockShop) -> StockShop:
    """A mug whose quantity 12 Amazon has in both marketplaces."""
    stock.offer("MUG-BLUE", 5)
    stock.product("MUG-BLUE", 12)
    stock.settle()
    assert stock.amazons("MUG-BLUE") == {FR: 12, DE: 12}
    return stock


@pytest.fixture
def books(here: MemoryShop) -> Iterator[Books]:
    """A seller whose settlements are booked."""
    with booking(here) as found:
        yield found
