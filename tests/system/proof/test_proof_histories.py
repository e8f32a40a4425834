"""A few histories (``histories.py``) between the simulated Amazon and a real Odoo."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from figures import scaled
from histories import play
from scene import Scene
from story import Story


@dataclass
class RealStage:
    """One Odoo and one Amazon for all histories; each has a seller of its own."""

    story: Story
    folder: Path
    number: int = 0
    name: str = "histories"

    def open(self) -> Scene:
        self.number += 1
        return Scene(
            world=self.story.world,
            simulator=self.story.simulator,
            shop=self.story.shop,
            clock=self.story.clock,
            folder=self.folder / str(self.number),
        )

    def close(self, scene: Scene) -> None:
        """Nothing is to be put away."""


@pytest.mark.usefixtures("two_clocks")
def test_histories(story: Story, tmp_path: Path) -> None:
    story.world.settings.rate_multiplier = 1_000_000  # nothing waits
    play(RealStage(story, tmp_path), scaled(4, 150), steps=10)
