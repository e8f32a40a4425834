"""The skeleton of the "Odoo → Amazon" jobs, with steps that only record that they were done."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from memory_odoo import MemoryApp, MemoryOdoo

from amazon_bridge.config import load
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, RateLimited, Transient
from amazon_bridge.engine.records import State
from amazon_bridge.engine.scan import Scan, ScanProgress
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import OutboundJob, Run, preview_tasks
from amazon_bridge.flows.shipments import SHIPMENTS
from amazon_bridge.job import Job

NOW = datetime(2026, 11, 20, tzinfo=UTC)
STOCK = Job(name="stock", title="Stock, to Amazon.", run="")
CONFIG = """
state: bridge.db
odoo: {url: "http://127.0.0.1", database: memory, login: admin, password: admin}
accounts:
- name: acme
  seller_id: A1
  marketplaces: [FR]
  credentials: {client_id: client, client_secret: secret, refresh_token: token}
  notify_amazon: {shipments: false}
"""


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """An account with an Odoo in memory, whose shipments are not confirmed to Amazon."""
    path = tmp_path_factory.mktemp("outbound") / "bridge.yaml"
    path.write_text(CONFIG)
    with closing(MemoryApp(load(path, {}))) as app:
        app.server = MemoryOdoo()
        yield app.context(app.config.accounts[0])


@dataclass(frozen=True)
class Found:
    tasks: tuple[str, ...] = ("a", "b")
    limit: RateLimited | None = None
    failures: tuple[str, ...] = ()
    fetched: int = 0


@dataclass
class Steps:
    """Records the steps that are done."""

    done: list[str] = field(default_factory=list)

    def step(self, name: str) -> Callable[..., None]:
        return lambda *_: self.done.append(name)

    def find(self, _context: Context) -> Iterator[Found]:
        for tasks in (("a", "b"), ("c",)):
            self.done.append("find")
            yield Found(tasks)

    def settle(self, run: Run, found: Found) -> None:
        self.done.append("settle")
        run.note_lookups(found.fetched, found.limit)

    def send(self, run: Run, tasks: Sequence[str]) -> None:
        self.done.append(f"send {' '.join(tasks)}")
        run.counts.notified += len(tasks[:1])

    @property
    def job(self) -> OutboundJob[Found, str]:
        return OutboundJob(
            STOCK,
            find=self.find,
            settle=self.settle,
            send=self.send,
            preview=self.step("preview"),
            read_back=self.step("read back"),
        )


def test_a_run_settles_each_batch_before_it_finds_the_next_and_sends_all_at_the_end(
    context: Context,
) -> None:
    steps = Steps()
    assert steps.job.sync(context) == Counts(seen=3, notified=1, unchanged=2)
    assert steps.done == ["read back", *["find", "settle"] * 2, "send a b c"]


def test_a_dry_run_does_nothing_but_the_preview(context: Context) -> None:
    steps = Steps()
    assert steps.job.sync(context, dry_run=True) == Counts()
    assert steps.done == ["preview"]


def test_a_preview_counts_what_would_be_quarantined(context: Context) -> None:
    batches = [Found(), Found(("c",), RateLimited("getOrder", 7), failures=("d", "e"))]
    found: list[str] = []

    def preview(run: Run) -> None:
        found.extend(preview_tasks(run, batches))
        run.counts.notified += len(found)

    counts = replace(Steps().job, preview=preview).sync(context, dry_run=True)
    assert found == ["a", "b", "c"]
    assert counts == Counts(seen=5, notified=3, quarantined=2, resume_in=7, rate_limited=True)


def test_a_job_that_is_switched_off_only_forgets_how_far_it_has_read(context: Context) -> None:
    steps, scans = Steps(), context.ledger.scans
    scans.expect(context.name, SHIPMENTS.name)
    scan, nothing = Scan(NOW, NOW, looks_back=True), ScanProgress()
    scans.finish(context.name, SHIPMENTS.name, scan, {}, since=nothing)
    job = replace(steps.job, job=SHIPMENTS)
    assert job.sync(context, dry_run=True) == Counts()
    assert scans.progress(context.name, SHIPMENTS.name) != nothing
    assert job.sync(context) == Counts()
    assert scans.progress(context.name, SHIPMENTS.name) == nothing
    assert steps.done == []


@pytest.mark.parametrize("error", [AccountError("Amazon is down."), Transient("No response.")])
def test_an_error_of_a_remote_ends_the_run_and_is_reported(
    error: Exception, context: Context
) -> None:
    def refuse(run: Run, _tasks: Sequence[str]) -> None:
        run.counts.notified += 1
        raise error

    counts = replace(Steps().job, send=refuse).sync(context)
    assert counts == Counts(seen=3, notified=1, unchanged=2, error=str(error))


def test_what_the_rate_does_not_allow_keeps_nothing_else_from_being_sent(
    context: Context,
) -> None:
    steps = Steps()

    def find(_context: Context) -> Iterator[Found]:
        yield Found(("a",), RateLimited("getOrder", 7))
        yield Found(("b",))

    def read_back(_run: Run) -> None:
        raise RateLimited("getFeed", 9)

    counts = replace(steps.job, find=find, read_back=read_back).sync(context)
    assert steps.done == ["settle", "settle", "send a b"]
    assert counts == Counts(seen=2, notified=1, unchanged=1, resume_in=7, rate_limited=True)


def test_a_run_that_settled_an_item_is_not_stalled_by_a_rate(context: Context) -> None:
    limit = RateLimited("getOrder", 7)

    def find(_context: Context) -> Iterator[Found]:
        yield Found((), limit)

    def settle(run: Run, found: Found) -> None:
        run.note_lookups(found.fetched, found.limit)
        run.settle("a", "as found", State.LEFT_OUT)

    def look_up(run: Run, found: Found) -> None:
        run.note_lookups(found.fetched, found.limit)
        assert dict(run.each(["b"], str.upper, key=str)) == {"b": "B"}

    job = replace(Steps().job, find=find, send=lambda *_: None)
    assert job.sync(context) == Counts(resume_in=7, rate_limited=True, stalled=True)
    assert replace(job, settle=settle).sync(context) == Counts(resume_in=7, rate_limited=True)
    assert replace(job, settle=look_up).sync(context) == Counts(resume_in=7, rate_limited=True)
