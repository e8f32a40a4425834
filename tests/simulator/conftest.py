from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from simulated_seller import SimulatedSeller

from amazon_bridge.simulator import ManualClock, Simulator, World


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.fixture
def world(clock: ManualClock) -> World:
    world = World(clock)
    world.add_seller("A1EUROPE", ["FR", "DE", "GB"])
    world.add_seller("A2OTHERS", ["FR", "US", "JP"])
    return world


@pytest.fixture
def simulator(world: World) -> Iterator[Simulator]:
    with Simulator(world) as simulator:
        yield simulator


@pytest.fixture
def seller(simulator: Simulator) -> Iterator[SimulatedSeller]:
    """A client of the seller in France, Germany and the United Kingdom."""
    with SimulatedSeller(simulator, "A1EUROPE") as seller:
        yield seller


@pytest.fixture
def other_seller(simulator: Simulator) -> Iterator[SimulatedSeller]:
    """A client of a seller in France, the United States and Japan."""
    with SimulatedSeller(simulator, "A2OTHERS") as seller:
        yield seller
