"""Odoo, or a proxy in front of it, returns unexpected responses."""

import random

import pytest
from figures import FIGURES, ODOO, SEED, scaled
from odd_responses import OddResponses, WithoutCompany
from program import Run
from scenario import Scenario
from scenario_pictures import Picture, different

pytestmark = pytest.mark.odoo(ODOO)

OFTEN = 0.15
RUNS = 3


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(1, 40)))
@pytest.mark.usefixtures("hurried")
def test_no_response_does_harm_that_lasts(
    scenario: Scenario, undisturbed: Picture, seed: int
) -> None:
    scenario.play_day()
    program, direct = scenario.program, scenario.program.odoo_url
    with OddResponses(direct, random.Random(seed), often=OFTEN) as proxy:
        program.odoo_url = proxy.url
        runs = [scenario.sync() for _ in range(RUNS)]
        program.odoo_url = direct
    assert all(run.code in (0, 1, 3) for run in runs), runs
    quarantined = program.quarantine()
    assert all(entry["reason"] for entry in quarantined.values())
    if not proxy.met["another_value"]:  # of which most are such that no Odoo could give
        assert not bugs(runs), proxy.log
    FIGURES["odd responses of Odoo"] += proxy.met.total()
    FIGURES["runs with wrong responses"] += len(runs)
    FIGURES["of these ended by one"] += [run.code for run in runs].count(3)
    FIGURES["items that odd responses quarantined"] += len(quarantined)
    FIGURES["odd responses that were taken for bugs"] += len(bugs(runs))
    assert program.run("quarantine", "retry", "--all").code == 0
    scenario.run_until_quiet()
    recover_what_seemed_done(scenario, undisturbed)
    check_undisturbed(scenario, undisturbed)


def bugs(runs: list[Run]) -> list[str]:
    return [e["traceback"] for run in runs for e in run.events if e["event"] == "internal_error"]


ALARM = "Amazon: this order needs attention"
HARMLESS = {ALARM, "Amazon: cancelled there too"}
"""The second one is true, but not needed: the note that tells why was not among those read."""


def check_undisturbed(scenario: Scenario, undisturbed: Picture) -> None:
    """All is as if nothing had happened, but for notes of what was quarantined for a while."""
    assert scenario.shop.search("mail.activity", [("summary", "=", ALARM)], []) == []
    assert different(without_alarms(scenario.picture()), undisturbed) == {}


def without_alarms(picture: Picture) -> Picture:
    for records in picture.values():
        for sale in records["in Odoo"]:
            sale["notes"] = [note for note in sale["notes"] if note not in HARMLESS]
            sale["transfers"] = [tuple(t for t in each if t != ALARM) for each in sale["transfers"]]
    return picture


def recover_what_seemed_done(scenario: Scenario, undisturbed: Picture) -> None:
    """When Odoo said of a quotation that it was none, a person must look at it."""
    found = different(without_alarms(scenario.picture()), undisturbed)
    names = {place.split(",")[0] for place in found}
    for name in names & scenario.days[-1].keys():
        order_id = scenario.days[-1][name].order_id
        assert scenario.program.run("order", "recover", "acme", order_id).code == 0
        FIGURES["orders that odd responses left for a person"] += 1


def test_a_bug_outside_of_any_order_costs_one_sync_run(
    scenario: Scenario, undisturbed: Picture
) -> None:
    """Here one that is called forth by a user who belongs to no company, which can't be."""
    scenario.play_day()
    program, direct = scenario.program, scenario.program.odoo_url
    with WithoutCompany(direct) as proxy:
        program.odoo_url = proxy.url
        run = scenario.sync()
        program.odoo_url = direct
    assert run.code == 3
    errors = {job: counts["error"] for job, counts in run.json["accounts"]["acme"].items()}
    assert errors.pop("orders").startswith("Internal error (TypeError).")
    assert errors == {"cancellations": None, "pickings": None}
    assert len(bugs([run])) == 1
    scenario.run_until_quiet()
    check_undisturbed(scenario, undisturbed)
