"""The record of which tests passed on which Odoo, and its table in the documentation."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import odoo_results
import pytest
from odoo_results import Recorder, Report

IMPORT, SETUP = "tests/system/test_system_import.py", "tests/system/test_system_setup.py"


def report(name: str, outcome: Any = "passed", when: Any = "call", *markers: str) -> Report:
    location = (name.partition("::")[0], None, name)
    keywords = dict.fromkeys(markers or ("real_odoo",), 1)
    return pytest.TestReport(name, location, keywords, outcome, None, when)


def recorded(folder: Path, *reports: Report) -> dict[str, Any]:
    recorder = Recorder(17, "jsonrpc", folder)
    for each in reports:
        recorder.pytest_runtest_logreport(each)
    recorder.pytest_sessionfinish()
    results: dict[str, Any] = json.loads((folder / "17-jsonrpc.json").read_text())
    return results


def test_modules_are_recorded_with_the_tests_that_passed_and_were_skipped(tmp_path: Path) -> None:
    results = recorded(
        tmp_path,
        report(f"{IMPORT}::test_a", when="setup"),
        report(f"{IMPORT}::test_a"),
        report(f"{IMPORT}::test_a", when="teardown"),
        report(f"{IMPORT}::test_b", "skipped", "setup"),
        report(f"{IMPORT}::test_in_memory", "passed", "call", "slow"),
    )
    today = datetime.now(UTC).date().isoformat()
    assert results == {IMPORT: {"passed": 1, "skipped": 1, "date": today}}


@pytest.mark.parametrize("when", ["setup", "call", "teardown"])
def test_a_module_with_a_failure_is_not_recorded_any_more(tmp_path: Path, when: str) -> None:
    recorded(tmp_path, report(f"{IMPORT}::test_a"), report(f"{SETUP}::test_a"))
    results = recorded(tmp_path, report(f"{IMPORT}::test_a", "failed", when))
    assert list(results) == [SETUP]


def test_the_documented_table_is_current() -> None:
    current = odoo_results.page() == odoo_results.PAGE.read_text(encoding="utf-8")
    assert current, "the results have changed: run .venv/bin/python scripts/odoo_results.py"
