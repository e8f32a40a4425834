"""A few histories (``histories.py``) between the simulated Amazon and Odoo: at scale a real one."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from figures import ODOO, scaled
from histories import play
from scenario import Scenario
from scene import Scene

pytestmark = pytest.mark.odoo(ODOO)


@dataclass
class RealStage:
    """One Odoo and one Amazon for all histories; each has its own seller."""

    scenario: Scenario
    folder: Path
    number: int = 0
    name: str = "histories"

    def open(self) -> Scene:
        self.number += 1
        return Scene(
            world=self.scenario.world,
            simulator=self.scenario.simulator,
            shop=self.scenario.shop,
            clock=self.scenario.clock,
            folder=self.folder / str(self.number),
        )

    def close(self, scene: Scene) -> None:
        """Nothing is to be put away."""


@pytest.mark.usefixtures("two_clocks")
def test_histories(scenario: Scenario, tmp_path: Path) -> None:
    scenario.world.settings.rate_multiplier = 1_000_000  # nothing waits
    play(RealStage(scenario, tmp_path), scaled(2, 150), steps=10)
