"""What a page of 100 mixed orders costs, and a run that finds nothing: never in seconds.

The small form of ``benchmarks/side_by_side.py``, in a process of the bridge's own.
"""

import pytest
from odoo_server.databases import VERSION, OdooDatabase
from stage import Run, filled, make_products

PAGE = 100
CALLS = 30
"""To Odoo 19, with the check of the account's records. The page has something of everything:
companies, gifts, requests, roundings. Without any checks, 12 calls would make it."""
ROWS = 10.5 if VERSION >= 17 else 13.5
"""Read from Odoo, an order. Before 17 (``web_search_read``), related records are rows, too."""
PEAK_MB = 100


@pytest.fixture(scope="module")
def runs(odoo_database: OdooDatabase, tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    make_products(odoo_database)
    with filled(tmp_path_factory.mktemp("bridge"), PAGE, seed=1) as stage:
        stage.set_up(odoo_database)
        return stage.bridge(odoo_database, "orders", "orders")


@pytest.mark.since_odoo(19, "web_save_multi")
def test_a_page_takes_few_calls(runs: list[Run]) -> None:
    page, _ = runs
    assert page.counts["seen"] == PAGE
    assert page.counts["created"] > PAGE / 2
    assert len(page.calls) <= CALLS, page.calls
    assert page.amazon_calls == 1


def test_a_page_reads_few_rows_into_little_memory(runs: list[Run]) -> None:
    page, _ = runs
    assert page.rows <= ROWS * PAGE, page.calls
    assert page.peak_mb <= PEAK_MB


@pytest.mark.since_odoo(17, "web_search_read")
def test_a_quiet_run_reads_what_people_may_have_changed_and_nothing_else(runs: list[Run]) -> None:
    _, quiet = runs
    assert not quiet.counts["created"]
    assert quiet.amazon_calls == 1
    assert len(quiet.calls) <= 2, quiet.calls
