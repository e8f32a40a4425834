"""What the tests share: an Odoo with a fresh database for each module that asks; an Amazon.

Odoo is a real one (`scripts/odoo-server --help` says where it comes from; without it tests fail,
none is skipped), unless the test or its module has the marker ``odoo``:

    pytestmark = pytest.mark.odoo("in memory")

which takes ``tests/memory_odoo``: fast, and held to a real Odoo by ``test_system_two_odoos``. It
is an Odoo 19: with ``odoo("in memory if 19")`` the tests of another version take a real one. Mark
a single test with ``odoo("real")`` where Odoo itself is in question, such as its access rights,
and a module with ``odoo("both")`` that holds one to the other.
"""

import gc
import os
import pkgutil
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from functools import _lru_cache_wrapper
from importlib import import_module
from pathlib import Path

import odoo_results
import postgresql_server as server_of_postgresql
import pytest
from hypothesis import HealthCheck, settings
from memory_odoo import MemoryOdoo
from memory_odoo.served import served
from odoo_server import machine
from odoo_server.common import NEWEST
from odoo_server.databases import TRANSPORT, VERSION, OdooDatabase, OdooServer

import amazon_bridge

# A developer's tool (cyclonedx-bom) brings this package: jsonschema would load it, which takes 3 s.
sys.modules["rfc3987_syntax"] = None
from amazon_bridge.simulator import Simulator  # noqa: E402

# How long hypothesis takes is the machine's business: a busy one must not fail a test. What it
# tries is the same in each run, so that a red run is of the change that it looks at.
settings.register_profile(
    "any machine",
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")

gc.set_threshold(50_000, 20, 50)  # what was imported and collected stays: look at it less often

REAL, IN_MEMORY, BOTH, OF_THE_MODULE = "real", "in memory", "both", "of the module"
IN_MEMORY_IF_NEWEST = f"in memory if {NEWEST}"
ALL_REAL = bool(os.environ.get("AMAZON_BRIDGE_TESTS_ALL_REAL"))
"""Use a real Odoo in all tests but those whose module has a fixture of its own."""


@pytest.fixture(scope="session")
def odoo_server() -> Iterator[OdooServer]:
    """A running Odoo of the chosen version, started when none runs."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    with machine.in_use(int(worker.removeprefix("gw"))) as server:
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


def pytest_configure(config: pytest.Config) -> None:
    """Record what passes on this Odoo, if `make test RESULTS=yes` asks for it."""
    if os.environ.get("ODOO_TEST_RESULTS") and "PYTEST_XDIST_WORKER" not in os.environ:
        config.pluginmanager.register(odoo_results.Recorder(VERSION, TRANSPORT))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test the Odoo that its closest marker ``odoo`` names; by default a real one."""
    marker = metafunc.definition.get_closest_marker("odoo")
    (kind,) = marker.args if marker else (REAL,)
    if kind == IN_MEMORY_IF_NEWEST:
        kind = IN_MEMORY if int(NEWEST) == VERSION else REAL
    assert kind in {REAL, IN_MEMORY, BOTH, OF_THE_MODULE}, f"There is no Odoo {kind!r}."
    if "odoo_database" in metafunc.fixturenames and kind != OF_THE_MODULE:
        kinds = [REAL] if ALL_REAL else [REAL, IN_MEMORY] if kind == BOTH else [kind]
        ids = kinds if len(kinds) > 1 else [pytest.HIDDEN_PARAM]
        metafunc.parametrize("odoo_database", kinds, ids=ids, indirect=True, scope="module")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need a real Odoo, or a newer one."""
    for item in items:
        _skip_on_older_odoo(item)
        if isinstance(item, pytest.Function) and _needs_real_odoo(item):
            item.add_marker("real_odoo")
    if "PYTEST_XDIST_WORKER" in os.environ:
        _order_by_length(items)


def _skip_on_older_odoo(item: pytest.Item) -> None:
    """Skip a test of what Odoo has since a version, such as ``since_odoo(18, "combos")``."""
    if (marker := item.get_closest_marker("since_odoo")) and marker.args[0] > VERSION:
        item.add_marker(pytest.mark.skip(reason=f"Odoo {VERSION} has no {marker.args[1]}"))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """More than the cores: a test waits while the program or a real Odoo works."""
    waiting = 1 if "not real_odoo" in config.option.markexpr else 2
    return (os.cpu_count() or 1) + waiting


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session: pytest.Session) -> Iterator[None]:
    """Import the whole bridge: the first test to use a module may be one without coverage."""
    plugin = session.config.pluginmanager.getplugin("_cov")
    if plugin and "PYTEST_XDIST_WORKER" in os.environ:
        plugin.cov_controller.pause()  # pytest-cov starts coverage again, for the worker
    yield
    if plugin:
        for module in pkgutil.walk_packages(amazon_bridge.__path__, "amazon_bridge."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
        plugin.cov_controller.pause()  # until the first test that is counted: collecting takes long


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run some tests, with their fixtures, without coverage.

    pytest-cov has the marker ``no_cover`` for that, but neither for fixtures nor for workers.
    """
    if plugin := item.config.pluginmanager.getplugin("_cov"):
        coverage = plugin.cov_controller
        if coverage.started and not _is_covered(item):
            coverage.pause()
        elif not coverage.started and _is_covered(item):
            _clear_caches()
            coverage.resume()
    return (yield)


def _is_covered(item: pytest.Item) -> bool:
    """Whether it is one of `make test-fast`: others would take twice as long, for few lines."""
    uncovered = ("real_odoo", "slow")
    return "system" not in item.path.parts and not any(map(item.get_closest_marker, uncovered))


def _clear_caches() -> None:
    """Drop what tests without coverage have cached, so that computing it is counted."""
    modules = [module for name, module in sys.modules.items() if name.startswith("amazon_bridge.")]
    for value in (value for module in modules for value in vars(module).values()):
        if isinstance(value, _lru_cache_wrapper):
            value.cache_clear()


def _order_by_length(items: list[pytest.Item]) -> None:
    """Put the longest modules first, so that the others don't wait for one at the end.

    Those with a real Odoo, one process that works for all of them, come between those without.
    """
    seconds: dict[bool, Counter[Path]] = {True: Counter(), False: Counter()}
    real = {item.path for item in items if item.get_closest_marker("real_odoo")}
    for item in items:
        seconds[item.path in real][item.path] += _typical_seconds(item)
    begins: dict[Path, float] = {}
    for lengths in seconds.values():
        before = 0.0
        for path, length in lengths.most_common():
            begins[path] = before / lengths.total()
            before += length
    items.sort(key=lambda item: begins[item.path])


def _typical_seconds(item: pytest.Item) -> float:
    """CPU time of the test and of its Odoo, roughly."""
    is_slow = item.get_closest_marker("slow") is not None
    if "proof" in item.path.parts:
        return 20
    if is_slow or item.get_closest_marker("real_odoo"):
        return 3
    return 1 if "system" in item.path.parts else 0.1


def _needs_real_odoo(item: pytest.Function) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return "odoo_server" in item.fixturenames or REAL in {
        params.get("odoo_database"),
        params.get("side"),
    }


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[server_of_postgresql.Server]:
    """A running PostgreSQL server for state stores."""
    with server_of_postgresql.running() as server:
        yield server


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulated Amazon without any orders; its `world` and `settings` can be changed."""
    with Simulator() as running:
        yield running
