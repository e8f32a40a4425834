"""Several programs at once with one state store: one runs a job, the others wait or say so."""

import pytest
from daemons import RunningDaemon
from figures import FIGURES, ODOO, SEED, scaled
from scenario import PAUSE, Scenario, finish
from scenario_pictures import Picture, different

pytestmark = pytest.mark.odoo(ODOO)

RACES = range(SEED, SEED + scaled(1, 10))


@pytest.mark.parametrize("seed", RACES)
def test_two_on_one_state_store(scenario: Scenario, undisturbed: Picture, seed: int) -> None:
    """One runs the job, the other waits, or says that it is running, and exits with 3."""
    scenario.play_day()
    runs = finish(scenario.program, scenario.begin_sync(), scenario.begin_sync())
    assert 0 in {run.code for run in runs}
    assert all(run.code in (0, 3) for run in runs), runs
    scenario.run_until_quiet()
    assert different(scenario.picture(), undisturbed) == {}
    FIGURES["races on one state store"] += 1


@pytest.mark.parametrize("seed", RACES)
def test_the_daemon_and_sync_at_once(scenario: Scenario, undisturbed: Picture, seed: int) -> None:
    """And a second daemon, which says at once that there is a first."""
    scenario.play_day()
    for _ in range(2):  # one sends the feed, the other follows it
        scenario.clock.shift += PAUSE
        with RunningDaemon(scenario.program) as daemon:
            runs = [scenario.program.run("sync", "all", "--json") for _ in range(2)]
            assert all(run.code in (0, 3) for run in runs), runs
            second = scenario.program.run("run")
            assert second.code == 3
            assert "Another daemon runs with the state store" in second.err
            daemon.wait_for_rounds(1)
    scenario.run_until_quiet()
    assert different(scenario.picture(), undisturbed) == {}
    FIGURES["races of the daemon and sync"] += 1
