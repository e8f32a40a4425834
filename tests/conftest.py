"""What the tests share: a real Odoo, with a fresh database for each module that asks; an Amazon.

`scripts/odoo-server --help` tells where it comes from. Without it no test is skipped: they fail.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from odoo_server import machine
from odoo_server.databases import OdooDatabase, OdooServer

from amazon_bridge.simulator import Simulator

# How long hypothesis takes is the machine's business: a busy one must not fail a test. What it
# tries is the same in each run, so that a red run is of the change that it looks at.
settings.register_profile(
    "any machine",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def odoo_server() -> Iterator[OdooServer]:
    """A running Odoo 19, started when none runs."""
    with machine.in_use() as server:
        yield server


@pytest.fixture(scope="module")
def odoo_database(
    odoo_server: OdooServer, request: pytest.FixtureRequest
) -> Iterator[OdooDatabase]:
    """A fresh database with sales, stock and deliveries of a US company, for one test module."""
    module = request.node.path.stem.removeprefix("test_")
    database = odoo_server.create(f"{machine.TEST_DATABASE_PREFIX}{module}_{os.getpid()}")
    yield database
    odoo_server.drop(database.database)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulated Amazon without any orders; its `world` and `settings` can be changed."""
    with Simulator() as running:
        yield running
