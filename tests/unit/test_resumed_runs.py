"""Runs that a rate limit ended go on later, and nothing waits for them meanwhile."""

from datetime import timedelta

from clocks import Clock

from amazon_bridge.engine.counts import Counts
from amazon_bridge.service.resumed_runs import ResumedRuns

ORDERS, PICKINGS = ("acme", "orders"), ("acme", "pickings")


class Jobs:
    """Runs with these counts, one after the other."""

    def __init__(self, **counts: list[Counts | None]) -> None:
        self.counts = counts
        self.done: list[str] = []

    def run(self, _account: str, job: str) -> Counts | None:
        self.done.append(job)
        return self.counts[job].pop(0)


def test_a_run_that_a_rate_limit_ended_goes_on_when_there_is_a_token(clock: Clock):
    jobs = Jobs(
        orders=[Counts(created=2, resume_in=170), Counts(created=3, quarantined=1)],
        pickings=[Counts(notified=1)],
    )
    runs = ResumedRuns(lambda: clock().timestamp())
    runs.add([ORDERS, PICKINGS])
    assert runs.do_due(jobs.run)
    assert jobs.done == ["orders", "pickings"]
    assert runs.pause == timedelta(seconds=170)
    assert runs.do_due(jobs.run)
    assert jobs.done == ["orders", "pickings"]
    clock.now += timedelta(seconds=170)
    assert runs.do_due(jobs.run)
    assert runs.pause is None
    assert runs.results == {
        "acme": {"orders": Counts(created=5, quarantined=1), "pickings": Counts(notified=1)}
    }


def test_runs_do_not_follow_each_other_faster_than_they_are_worth(clock: Clock):
    runs = ResumedRuns(lambda: clock().timestamp())
    runs.add([ORDERS])
    runs.do_due(Jobs(orders=[Counts(resume_in=0.01)]).run)
    assert runs.pause == timedelta(seconds=5)


def test_a_run_that_failed_is_not_resumed(clock: Clock):
    runs = ResumedRuns(lambda: clock().timestamp())
    runs.add([ORDERS])
    runs.do_due(Jobs(orders=[Counts(error="Odoo is down.", resume_in=60)]).run)
    assert runs.pause is None
    assert runs.results == {"acme": {"orders": Counts(error="Odoo is down.")}}


def test_nothing_more_is_run_after_a_run_that_was_impossible(clock: Clock):
    jobs = Jobs(orders=[None], pickings=[Counts()])
    runs = ResumedRuns(lambda: clock().timestamp())
    runs.add([ORDERS, PICKINGS])
    assert not runs.do_due(jobs.run)
    assert jobs.done == ["orders"]


def test_the_sum_of_two_runs_goes_on_when_the_first_of_them_can():
    assert (Counts(resume_in=60) + Counts(resume_in=20)).resume_in == 20
    assert (Counts() + Counts(resume_in=20)).resume_in == 20
    assert (Counts() + Counts()).resume_in is None
