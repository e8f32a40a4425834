"""One call in five to either side goes wrong, in all ways, until nothing is left to be done."""

import random
from contextlib import ExitStack

import pytest
from figures import FIGURES, SEED, scaled
from pictures import Picture, different
from story import Story
from trouble import AT_AMAZON, AT_ODOO, TIMEOUT, Met, Trouble

OFTEN = 0.2
ROUNDS = 3
"""So many are disturbed; then people let go what was put aside, and nothing disturbs any more."""


@pytest.fixture(scope="module")
def undisturbed(story: Story) -> Picture:
    story.program.odoo_timeout = TIMEOUT
    return story.begin()


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(1, 40)))
@pytest.mark.usefixtures("hurried")
def test_one_call_in_five_goes_wrong(story: Story, undisturbed: Picture, seed: int) -> None:
    chance, met = random.Random(seed), Met()
    story.happen()
    with ExitStack() as stack:
        program = story.program
        direct = program.odoo_url, program.amazon_url
        odoo = Trouble(direct[0], AT_ODOO, chance, often=OFTEN, met=met)
        amazon = Trouble(direct[1], AT_AMAZON, chance, often=OFTEN, met=met)
        program.odoo_url = stack.enter_context(odoo).url
        program.amazon_url = stack.enter_context(amazon).url
        codes = [story.round().code for _ in range(ROUNDS)]
        program.odoo_url, program.amazon_url = direct
    FIGURES["faults met"] += met.total()
    FIGURES["rounds among faults"] += len(codes)
    FIGURES["of these ended early"] += codes.count(3)
    FIGURES["items that faults put aside"] += len(program.quarantine())
    assert program.run("quarantine", "retry", "--all").code == 0
    story.run_until_quiet()
    assert different(story.picture(), undisturbed) == {}
    FIGURES["tellings with faults"] += 1
