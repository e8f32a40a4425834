"""The scenario, which tests disturb."""

from collections.abc import Iterator

import pytest
from bridge import ShiftedClock
from figures import FIGURES
from odoo_server.databases import OdooDatabase
from program import SettledWorld
from scenario import ClockedProgram, Scenario
from scenario_pictures import Picture
from shop import Shop
from two_clocks import FAR, SETTINGS

from amazon_bridge.simulator import Simulator


@pytest.fixture(scope="module")
def scenario(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    odoo_database: OdooDatabase,
    shop: Shop,
) -> Iterator[Scenario]:
    clock = ShiftedClock()
    world = SettledWorld(clock, seed=1)
    world.settings.rate_multiplier = 1000
    with Simulator(world) as simulator:
        folder = tmp_path_factory.mktemp("scenario")
        program = ClockedProgram(folder, odoo_database, simulator, clock)
        program.log_level = "debug"  # whatever can leak does
        program.add_account(world.add_seller("A1STORY", ["FR", "DE", "GB"]))
        yield Scenario(world, simulator, program, shop, clock)


@pytest.fixture(scope="module")
def undisturbed(scenario: Scenario) -> Picture:
    """The result of an undisturbed day."""
    return scenario.begin()


@pytest.fixture
def hurried(scenario: Scenario) -> Iterator[None]:
    """Shorten the program's pauses."""
    scenario.program.haste = 20
    yield
    scenario.program.haste = 1


@pytest.fixture(scope="module")
def two_clocks() -> Iterator[None]:
    """For tests that put the clock forward in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in SETTINGS:
            patch.setattr(module, name, FAR)
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section("proof")
    for what, number in FIGURES.items():
        terminalreporter.write_line(f"{what}: {number}")
