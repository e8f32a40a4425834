"""An empty state store, and the clock that it reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clocks import Clock

from amazon_bridge.engine.ledger import Ledger


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "bridge.db"


@pytest.fixture
def ledger(path: Path, clock: Clock) -> Iterator[Ledger]:
    with Ledger(path, clock) as opened:
        yield opened
