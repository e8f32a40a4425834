"""Odoo, or what stands before it, answers in ways that nobody has foreseen."""

import random

import pytest
from figures import FIGURES, SEED, scaled
from odd_answers import OddAnswers, WithoutCompany
from pictures import Picture, different
from program import Run
from story import Story

OFTEN = 0.15
ROUNDS = 3


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(1, 40)))
@pytest.mark.usefixtures("hurried")
def test_no_answer_does_harm_that_lasts(story: Story, undisturbed: Picture, seed: int) -> None:
    story.happen()
    program, direct = story.program, story.program.odoo_url
    with OddAnswers(direct, random.Random(seed), often=OFTEN) as proxy:
        program.odoo_url = proxy.url
        runs = [story.round() for _ in range(ROUNDS)]
        program.odoo_url = direct
    assert all(run.code in (0, 1, 3) for run in runs), runs
    put_aside = program.quarantine()
    assert all(entry["reason"] for entry in put_aside.values())
    if not proxy.met["another_value"]:  # of which most are such that no Odoo could give
        assert not bugs(runs), proxy.told
    FIGURES["odd answers of Odoo"] += proxy.met.total()
    FIGURES["rounds with odd answers"] += len(runs)
    FIGURES["of these ended by one"] += [run.code for run in runs].count(3)
    FIGURES["items that odd answers put aside"] += len(put_aside)
    FIGURES["odd answers that were taken for bugs"] += len(bugs(runs))
    assert program.run("quarantine", "retry", "--all").code == 0
    story.run_until_quiet()
    recover_what_seemed_done(story, undisturbed)
    check_undisturbed(story, undisturbed)


def bugs(runs: list[Run]) -> list[str]:
    return [e["traceback"] for run in runs for e in run.events if e["event"] == "internal_error"]


ALARM = "Amazon: this order needs attention"


def check_undisturbed(story: Story, undisturbed: Picture) -> None:
    """All is as if nothing had happened, but for notes of what was quarantined for a while."""
    assert story.shop.search("mail.activity", [("summary", "=", ALARM)], []) == []
    assert different(without_alarms(story.picture()), undisturbed) == {}


def without_alarms(picture: Picture) -> Picture:
    for sides in picture.values():
        for sale in sides["in Odoo"]:
            sale["notes"] = [note for note in sale["notes"] if note != ALARM]
            sale["transfers"] = [tuple(t for t in each if t != ALARM) for each in sale["transfers"]]
    return picture


def recover_what_seemed_done(story: Story, undisturbed: Picture) -> None:
    """When Odoo said of a quotation that it was none, a person must look at it."""
    found = different(without_alarms(story.picture()), undisturbed)
    names = {place.split(",")[0] for place in found}
    for name in names & story.tellings[-1].keys():
        order_id = story.tellings[-1][name].order_id
        assert story.program.run("order", "recover", "acme", order_id).code == 0
        FIGURES["orders that odd answers left for a person"] += 1


def test_a_bug_outside_of_any_order_costs_one_round(story: Story, undisturbed: Picture) -> None:
    """Here one that is called forth by a user who belongs to no company, which can't be."""
    story.happen()
    program, direct = story.program, story.program.odoo_url
    with WithoutCompany(direct) as proxy:
        program.odoo_url = proxy.url
        run = story.round()
        program.odoo_url = direct
    assert run.code == 3
    errors = {job: told["error"] for job, told in run.json["accounts"]["acme"].items()}
    assert errors.pop("orders").startswith("Internal error (TypeError).")
    assert errors == {"cancellations": None, "pickings": None}
    assert len(bugs([run])) == 1
    story.run_until_quiet()
    check_undisturbed(story, undisturbed)
