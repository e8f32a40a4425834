"""One call in five to either side goes wrong, in all ways, until nothing is left to be done."""

import random
from contextlib import ExitStack

import pytest
from figures import FIGURES, ODOO, SEED, scaled
from scenario import Scenario
from scenario_pictures import Picture, different
from trouble import AT_AMAZON, AT_ODOO, TIMEOUT, Met, Trouble

pytestmark = pytest.mark.odoo(ODOO)

OFTEN = 0.2
RUNS = 3
"""So many are disturbed; then people let go what was quarantined, and nothing disturbs any more."""


@pytest.fixture(scope="module")
def undisturbed(scenario: Scenario) -> Picture:
    scenario.program.odoo_timeout = TIMEOUT
    return scenario.begin()


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(1, 40)))
@pytest.mark.usefixtures("hurried")
def test_one_call_in_five_goes_wrong(scenario: Scenario, undisturbed: Picture, seed: int) -> None:
    chance, met = random.Random(seed), Met()
    scenario.play_day()
    with ExitStack() as stack:
        program = scenario.program
        direct = program.odoo_url, program.amazon_url
        odoo = Trouble(direct[0], AT_ODOO, chance, often=OFTEN, met=met)
        amazon = Trouble(direct[1], AT_AMAZON, chance, often=OFTEN, met=met)
        program.odoo_url = stack.enter_context(odoo).url
        program.amazon_url = stack.enter_context(amazon).url
        codes = [scenario.sync().code for _ in range(RUNS)]
        program.odoo_url, program.amazon_url = direct
    FIGURES["faults met"] += met.total()
    FIGURES["runs among faults"] += len(codes)
    FIGURES["of these ended early"] += codes.count(3)
    FIGURES["items that faults quarantined"] += len(program.quarantine())
    assert program.run("quarantine", "retry", "--all").code == 0
    scenario.run_until_quiet()
    assert different(scenario.picture(), undisturbed) == {}
    FIGURES["days with faults"] += 1
