"""The scenario (``scenario.py``) has the same result in a real Odoo and in an in-memory one."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from bridge import ShiftedClock
from memory_amazon import InProcessApp
from memory_odoo import MemoryDatabase, MemoryOdoo
from odoo_server.databases import OdooDatabase
from program import Run, SettledWorld
from scenario import PAUSE, ClockedProgram, Scenario
from scenario_pictures import Picture, different
from scene import JOBS, MortalBridge
from shop import Shop

from amazon_bridge.app import App
from amazon_bridge.simulator import Simulator

MakeApp = Callable[..., App]


def play(database: OdooDatabase, folder: Path, app_for: Callable[[Simulator], MakeApp]) -> Picture:
    """Return the picture of the third day, with sync runs in this process."""
    folder.mkdir()
    clock = ShiftedClock()
    world = SettledWorld(clock, seed=1)
    world.settings.rate_multiplier = 1_000_000  # nothing waits
    shop = Shop(database)
    shop.make_catalogue()
    with Simulator(world) as simulator:
        program = ClockedProgram(folder, database, simulator, clock)
        program.add_account(world.add_seller("A1STORY", ["FR", "DE", "GB"]))
        scenario = Scenario(world, simulator, program, shop, clock)
        bridge = MortalBridge(program, clock, app_for(simulator))
        for _ in range(3):
            scenario.play_day()
            scenario.run_until_quiet(partial(sync, scenario, bridge))
        bridge.close()
        return scenario.picture()


def sync(scenario: Scenario, bridge: MortalBridge) -> Run:
    scenario.clock.shift += PAUSE
    for job in JOBS:
        assert "error" not in bridge.sync(job)
    return Run(JOBS, 0, "", "")


@pytest.mark.usefixtures("two_clocks")
def test_the_scenario_looks_the_same_in_both(odoo_database: OdooDatabase, tmp_path: Path) -> None:
    in_real = play(odoo_database, tmp_path / "real", lambda _: App)
    odoo = MemoryOdoo()
    in_memory = play(
        MemoryDatabase(server=odoo),
        tmp_path / "memory",
        lambda amazon: partial(InProcessApp, odoo, amazon),
    )
    assert len(in_real) == 10
    assert different(in_memory, in_real) == {}
