"""An empty state store, and the clock that it reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clocks import Clock
from postgresql_server import Server

from amazon_bridge.engine.ledger import Ledger

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests that use ``ledger`` with both kinds of stores, unless they need the file."""
    of_the_file = metafunc.definition.get_closest_marker("sqlite") or "path" in (
        metafunc.fixturenames
    )
    if "ledger" in metafunc.fixturenames:
        kinds = ["sqlite"] if of_the_file else BOTH
        ids = [pytest.HIDDEN_PARAM] if of_the_file else None
        metafunc.parametrize("ledger", kinds, ids=ids, indirect=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "bridge.db"


@pytest.fixture
def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    if request.param == "sqlite":
        with Ledger(tmp_path / "state" / "bridge.db", clock) as opened:
            yield opened
        return
    server: Server = request.getfixturevalue("postgresql_server")
    with server.common_store() as store, Ledger(store, clock) as opened:
        yield opened
