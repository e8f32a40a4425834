"""A simulated Amazon with one seller in Europe, and our client for it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from seller_desk import SELLER_ID, Desk

from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.simulator import ManualClock, Simulator, World


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.fixture
def world(clock: ManualClock) -> World:
    world = World(clock)
    world.add_seller(SELLER_ID, ["FR", "DE", "GB"])
    return world


@pytest.fixture
def simulator(world: World) -> Iterator[Simulator]:
    with Simulator(world) as simulator:
        yield simulator


@pytest.fixture
def desk(simulator: Simulator) -> Iterator[Desk]:
    desk = Desk(simulator)
    yield desk
    for partner in desk.open:
        partner.close()


@pytest.fixture
def partner(desk: Desk) -> SellingPartner:
    """The European seller's account in France and Germany."""
    return desk.partner()


@pytest.fixture
def aged(clock: ManualClock) -> Callable[[], None]:
    """Lets ten minutes pass, so that what was just made can be searched."""
    return lambda: clock.advance(minutes=10) and None
