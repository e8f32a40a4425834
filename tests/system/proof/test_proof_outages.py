"""During a run Odoo is restarted, loses its database, or is blocked by locks."""

import random
import threading
from collections.abc import Iterator
from functools import partial

import pytest
from figures import FIGURES, SEED, scaled
from odoo_server import machine
from odoo_server.local import LocalOdoo
from proxy import Proxy
from scenario import Scenario
from scenario_pictures import Picture, different
from second_odoo import Contender, SecondOdoo


@pytest.fixture(scope="module")
def second(scenario: Scenario, undisturbed: Picture) -> Iterator[SecondOdoo]:
    if machine.external_server() or not isinstance(machine._machine(), LocalOdoo):
        pytest.skip("only an Odoo on this machine can be restarted by a test")
    direct = scenario.program.odoo_url
    with SecondOdoo() as second:
        scenario.program.odoo_url = second.url
        scenario.sync()  # so that it has loaded the database
        yield second
    scenario.program.odoo_url = direct


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(1, 15)))
@pytest.mark.parametrize("outage", ["lose_postgresql", "restart"])
def test_odoo_or_its_database_goes_and_comes_back(
    scenario: Scenario, undisturbed: Picture, second: SecondOdoo, outage: str, seed: int
) -> None:
    chance = random.Random(f"{outage} {seed}")
    scenario.play_day()
    happen = partial(getattr(second, outage), seconds=chance.uniform(0, 8))
    trouble = threading.Thread(target=happen)
    strike_at = chance.randrange(2, 50)
    calls = iter(range(1000))

    def strike() -> bool:
        if next(calls) == strike_at:
            trouble.start()
        return True

    with Proxy(second.url, before=strike) as proxy:
        scenario.program.odoo_url = proxy.url
        run = scenario.sync()
    scenario.program.odoo_url = second.url
    assert run.code in (0, 3), run
    trouble.join()
    scenario.run_until_quiet()
    assert different(scenario.picture(), undisturbed) == {}
    FIGURES[f"outages ({outage})"] += 1
    FIGURES["outages that a run survived"] += run.code == 0


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(1, 20)))
def test_others_work_on_the_same_rows(
    scenario: Scenario, undisturbed: Picture, second: SecondOdoo, seed: int
) -> None:
    scenario.play_day()
    chance, database = random.Random(seed), scenario.shop.database.database
    with Contender(second.sockets, database, chance) as contender:
        codes = [scenario.sync().code for _ in range(3)]
    FIGURES["transactions in the way"] += contender.blows
    FIGURES["runs among them"] += len(codes)
    FIGURES["of these stopped early"] += codes.count(3)
    FIGURES["items that they quarantined"] += len(scenario.program.quarantine())
    assert scenario.program.run("quarantine", "retry", "--all").code == 0
    scenario.run_until_quiet()
    assert different(scenario.picture(), undisturbed) == {}
