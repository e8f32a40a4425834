"""The skeleton of the "Odoo → Amazon" jobs, with steps that only record that they were done."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import AccountError, Transient
from amazon_bridge.engine.runner import Counts
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import OutboundJob, Run, to_read_back
from amazon_bridge.flows.shipments import SHIPMENTS
from amazon_bridge.job import Job

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ACCOUNT = AccountConfig.model_validate(
    {
        "name": "acme",
        "seller_id": "A1",
        "marketplaces": ["FR"],
        "credentials": {"client_id": "id", "client_secret": "secret", "refresh_token": "token"},
    }
)
STOCK = Job(name="stock", title="Stock, to Amazon.", run="")


def context(account: AccountConfig) -> Context:
    return cast("Context", SimpleNamespace(account=account))


CONTEXT = context(ACCOUNT)
MINUTES = st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 60), max_size=9)


@dataclass(frozen=True)
class Found:
    tasks: tuple[str, ...] = ("a", "b")


@dataclass
class Steps:
    """Records the steps that are done."""

    done: list[str] = field(default_factory=list)

    def step(self, name: str) -> Callable[..., None]:
        return lambda *_: self.done.append(name)

    def find(self, _context: Context) -> Found:
        self.done.append("find")
        return Found()

    def send(self, run: Run, found: Found) -> None:
        self.done.append("send")
        run.counts.notified += len(found.tasks[:1])

    @property
    def job(self) -> OutboundJob[Found]:
        return OutboundJob(
            STOCK,
            find=self.find,
            settle=self.step("settle"),
            send=self.send,
            foresee=self.step("foresee"),
            read_back=self.step("read back"),
        )


def test_a_run_reads_back_before_it_finds_and_settles_before_it_sends() -> None:
    steps = Steps()
    assert steps.job.sync(CONTEXT) == Counts(seen=2, notified=1, unchanged=1)
    assert steps.done == ["read back", "find", "settle", "send"]


def test_a_dry_run_only_finds_and_foresees() -> None:
    steps = Steps()
    assert steps.job.sync(CONTEXT, dry_run=True) == Counts(seen=2, unchanged=2)
    assert steps.done == ["find", "foresee"]


def test_a_job_that_is_switched_off_does_nothing() -> None:
    steps = Steps()
    off = ACCOUNT.notify_amazon.model_copy(update={"shipments": False})
    account = ACCOUNT.model_copy(update={"notify_amazon": off})
    assert replace(steps.job, job=SHIPMENTS).sync(context(account)) == Counts()
    assert steps.done == []


@pytest.mark.parametrize("error", [AccountError("Amazon is down."), Transient("No answer.")])
def test_an_error_of_a_remote_ends_the_run_and_is_reported(error: Exception) -> None:
    def refuse(run: Run, _found: Found) -> None:
        run.counts.notified += 1
        raise error

    counts = replace(Steps().job, send=refuse).sync(CONTEXT)
    assert counts == Counts(seen=2, notified=1, unchanged=1, error=str(error))


@given(MINUTES, st.integers(0, 60), st.integers(0, 9))
def test_the_least_recently_checked_are_read_back(
    ages: dict[str, int], minutes: int, at_most: int
) -> None:
    last_checked = {key: NOW - timedelta(minutes=age) for key, age in ages.items()}
    keys = to_read_back(last_checked, NOW, after=timedelta(minutes=minutes), at_most=at_most)
    due = {key for key, age in ages.items() if age >= minutes}
    assert len(keys) == min(at_most, len(due))
    assert set(keys) <= due
    assert [ages[key] for key in keys] == sorted((ages[key] for key in due), reverse=True)[:at_most]
