"""What the tests share: a real Odoo, with a fresh database for each module that asks; an Amazon.

`scripts/odoo-server --help` tells where it comes from. Without it no test is skipped: they fail.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from memory_odoo import MemoryOdoo
from memory_odoo.served import served
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

REAL, IN_MEMORY = "real", "in memory"
ALL_REAL = bool(os.environ.get("AMAZON_BRIDGE_TESTS_ALL_REAL"))
"""Ask a real Odoo also where the in-memory one, which one suite holds to it, shows as much."""


@pytest.fixture(scope="session")
def odoo_server() -> Iterator[OdooServer]:
    """A running Odoo 19, started when none runs."""
    with machine.in_use() as server:
        yield server


@pytest.fixture(scope="module")
def odoo_database(request: pytest.FixtureRequest) -> Iterator[OdooDatabase]:
    """A fresh database with sales, stock and deliveries of a US company, for one test module."""
    if getattr(request, "param", REAL) == IN_MEMORY:
        with served(MemoryOdoo()) as database:
            yield database
        return
    server: OdooServer = request.getfixturevalue("odoo_server")
    module = request.node.path.stem.removeprefix("test_")
    database = server.create(f"{machine.TEST_DATABASE_PREFIX}{module}_{os.getpid()}")
    yield database
    server.drop(database.database)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test the Odoo that its closest marker ``odoo`` names; by default a real one."""
    marker = metafunc.definition.get_closest_marker("odoo")
    kind = marker.args[0] if marker else REAL
    if "odoo_database" in metafunc.fixturenames and kind in {REAL, IN_MEMORY}:
        kind = REAL if ALL_REAL else kind
        metafunc.parametrize(
            "odoo_database", [kind], ids=[pytest.HIDDEN_PARAM], indirect=True, scope="module"
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a real Odoo, for whoever wants to go without."""
    for item in items:
        if isinstance(item, pytest.Function) and _needs_real_odoo(item):
            item.add_marker("real_odoo")


def _needs_real_odoo(item: pytest.Function) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return "odoo_server" in item.fixturenames or REAL in {
        params.get("odoo_database"),
        params.get("side"),
    }


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulated Amazon without any orders; its `world` and `settings` can be changed."""
    with Simulator() as running:
        yield running
