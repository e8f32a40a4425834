"""Every statement of a quiet run finds its rows by an index, so that a store may hold millions."""

import re
from collections.abc import Callable, Iterator

import pytest
from memory_shop import MemoryShop
from stores import driver_of

from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.flows.pending import pending_list
from amazon_bridge.service import page as status_page
from amazon_bridge.service.gauges import Gauges
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.scheduler import scheduled_jobs

LARGE = ("items", "memos", "unmatched", "feeds", "scanned")
"""Tables that grow with what was ever done."""

GROUPED = "GROUP BY unmatched.name"
"""The page shows all SKUs without a product: 0.2 s for 500,000 orders that have such a SKU."""

SMALL_INDEXES = ("open_items", "watched_items", "open_feeds")
"""Partial indexes of what is open: all of it may be read."""


@pytest.fixture
def statements(here: MemoryShop) -> Iterator[list[str]]:
    """What the state store executes."""
    executed: list[str] = []
    driver = driver_of(here.bridge.app.ledger)
    driver.set_trace_callback(executed.append)
    yield executed
    driver.set_trace_callback(None)


def too_much(statement: str, plan: list[str]) -> list[str]:
    """The steps that read a whole table, or all items of a job."""
    sorts = any("TEMP B-TREE FOR ORDER BY" in step for step in plan)
    stops_early = re.search(r"\bLIMIT \d", statement) and "ORDER BY" in statement and not sorts
    return [] if stops_early else [step for step in plan if reads_too_much(step)]


def reads_too_much(step: str) -> bool:
    found = re.match(r"(SCAN|SEARCH) (\w+)", step)
    if not found or found[2] not in LARGE or any(f"INDEX {i}" in step for i in SMALL_INDEXES):
        return False
    all_of_job = step.endswith("(account=? AND job=?)") and found[2] != "scanned"
    return found[1] == "SCAN" or all_of_job or step.endswith("(account=?)")


def bad_plans(here: MemoryShop, statements: list[str]) -> dict[str, list[str]]:
    driver = driver_of(here.bridge.app.ledger)
    driver.set_trace_callback(None)
    plans: dict[str, list[str]] = {}
    for statement in set(statements):
        if statement.split()[0] in {"SELECT", "INSERT", "UPDATE", "DELETE"}:
            rows = driver.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
            if bad := too_much(statement, [row[3] for row in rows]):
                plans[statement] = bad
    return plans


def busy(here: MemoryShop) -> None:
    orders = [here.world.place_order("FR") for _ in range(4)]
    here.run("orders")
    here.warehouse.ship(orders[0])
    here.warehouse.cancel(orders[1])
    here.run()
    here.run()


def quiet(here: MemoryShop) -> None:
    here.clock.advance(hours=2)
    here.run()


def housekeeping(here: MemoryShop) -> None:
    here.clock.advance(days=91)
    here.bridge.app.housekeeping.run_due()


def page(here: MemoryShop) -> None:
    ledger = here.bridge.app.ledger
    ledger.items.quarantined()
    ledger.items.open_counts()
    for job in JOBS:
        if job.pending:
            pending_list(ledger, "acme", job.pending, 20)
    runner = JobRunner(here.clock)
    runner.app = here.bridge.app
    runner.scheduler.planned = scheduled_jobs(runner.app.config)
    for account in (None, "acme"):
        assert status_page.show(runner, here.clock(), account).status_code == 200
    assert list(Gauges(runner, here.clock).collect())


@pytest.mark.parametrize("work", [busy, quiet, page, housekeeping])
def test_no_statement_reads_what_is_finished(
    here: MemoryShop, statements: list[str], work: Callable[[MemoryShop], None]
) -> None:
    busy(here)
    statements.clear()
    work(here)
    assert len(statements) > 1
    plans = bad_plans(here, statements)
    if work is page:
        plans = {s: steps for s, steps in plans.items() if GROUPED not in s}
    assert plans == {}


def test_a_statement_that_reads_a_whole_table_is_noticed(
    here: MemoryShop, statements: list[str]
) -> None:
    here.run()
    statements.clear()
    here.bridge.app.ledger.items.tally("acme")
    here.bridge.app.ledger.items.latest_done("orders", 20)
    assert len(bad_plans(here, statements)) == 2


def test_a_quiet_run_reads_how_far_it_has_come_a_few_times(
    here: MemoryShop, statements: list[str]
) -> None:
    for _ in range(2):
        here.run("orders")
    statements.clear()
    here.run("orders")
    of_lanes = re.compile(r"SELECT .*FROM (accounts|lanes)\b", re.DOTALL)
    reads = [each for each in statements if of_lanes.match(each)]
    assert len(reads) <= 7, reads
