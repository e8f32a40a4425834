"""A daemon begins anew with the jobs of accounts that another daemon has worked for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from filled import HOUR, idle_runner, succeed

from amazon_bridge.engine.errors import Transient
from amazon_bridge.service.health import overdue_at


def test_what_held_a_job_up_before_does_not_after_a_take_over(tmp_path: Path):
    runner, clock = idle_runner(tmp_path)
    jobs = [job for job in runner.scheduled_jobs() if job.account == "acme-eu"]
    succeed(runner, "acme-eu", "orders", error="Odoo lacks a route.")
    runner.backoff.hold(("acme-eu", "orders"))
    runner.availability.note_call("acme-eu", Transient("No response."))
    assert runner.availability.mark_down("acme-eu")
    clock.now += 24 * HOUR
    runner.take_over(jobs)
    assert runner.availability.are_up("acme-eu")
    assert not runner.backoff.is_held(("acme-eu", "orders"))
    assert jobs
    for job in jobs:
        assert runner.monitor[job.key].error is None
        assert overdue_at(runner.monitor, job) > clock.now + timedelta(minutes=1)
