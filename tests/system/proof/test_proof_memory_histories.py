"""Many histories (``histories.py``), fast: between the simulated Amazon and an in-memory Odoo."""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import leaks
import pytest
from figures import scaled
from histories import play
from memory_amazon import InProcessApp
from memory_odoo import MemoryDatabase, MemoryOdoo
from program import Program, SettledWorld
from scene import Scene
from shop import Shop

from amazon_bridge.simulator import ManualClock, Simulator

MORNING = datetime(2026, 11, 20, 8, tzinfo=UTC)


def furnished() -> MemoryOdoo:
    """An in-memory Odoo with the products that the simulated sellers sell."""
    server = MemoryOdoo(ManualClock(MORNING))
    Shop(MemoryDatabase(server=server)).make_catalogue()
    return server


@dataclass
class MemoryStage:
    """Each history has its own Odoo and Amazon, with a common clock."""

    folder: Path
    template: MemoryOdoo = field(default_factory=furnished)
    number: int = 0
    name: str = "histories in memory"

    def open(self) -> Scene:
        self.number += 1
        clock = ManualClock(MORNING)
        world = SettledWorld(clock, seed=self.number)
        world.settings.rate_multiplier = 1_000_000  # nothing waits
        simulator, odoo = Simulator(world), self.template.copy(clock)
        return Scene(
            world=world,
            simulator=simulator,
            shop=Shop(MemoryDatabase(server=odoo)),
            clock=clock,
            folder=self.folder / str(self.number),
            make_app=partial(InProcessApp, odoo, simulator),
            odoo=odoo,
            french=self.number % 3 == 0,
        )

    def close(self, scene: Scene) -> None:
        leaks.check(scene.program)
        shutil.rmtree(scene.program.folder)
        Program.made.remove(scene.program)
        scene.simulator._server.server_close()


@pytest.mark.slow
def test_histories_in_memory(tmp_path: Path) -> None:
    play(
        MemoryStage(tmp_path),
        scaled(5, 5000),
        steps=30,
    )
