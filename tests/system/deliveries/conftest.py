"""The bridge between an in-memory Odoo, a copy for each test, and a simulated Amazon.

The tests of ``test_system_two_odoos_people`` hold this Odoo to the real one.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from bridge import Bridge, ShiftedClock
from memory_odoo import MemoryApp, MemoryDatabase, MemoryOdoo
from odoo_server.databases import OdooDatabase
from parcels import check_that_all_are_seen
from program import MakeProgram
from shop import Shop
from warehouse import Warehouse

from amazon_bridge.simulator import Seller


@pytest.fixture(scope="module")
def template() -> MemoryOdoo:
    odoo = MemoryOdoo()
    Shop(MemoryDatabase(server=odoo)).make_catalogue()
    return odoo


@pytest.fixture
def odoo(template: MemoryOdoo, clock: ShiftedClock) -> MemoryOdoo:
    return template.copy(clock)


@pytest.fixture
def odoo_database(odoo: MemoryOdoo) -> OdooDatabase:
    return MemoryDatabase(server=odoo)


@pytest.fixture
def shop(odoo_database: OdooDatabase) -> Shop:
    return Shop(odoo_database)


@pytest.fixture
def warehouse(shop: Shop) -> Warehouse:
    return Warehouse(shop)


@pytest.fixture
def bridge(
    make_program: MakeProgram, seller: Seller, clock: ShiftedClock, odoo: MemoryOdoo
) -> Iterator[Bridge]:
    def make_app(*args: Any, **kwargs: Any) -> MemoryApp:
        app = MemoryApp(*args, **kwargs)
        app.server = odoo
        return app

    program = make_program()
    program.add_account(seller)
    with closing(Bridge(program, clock, make_app)) as bridge:
        yield bridge


@pytest.fixture(autouse=True)
def _seen(bridge: Bridge, warehouse: Warehouse) -> Iterator[None]:
    yield
    check_that_all_are_seen(bridge, warehouse)
