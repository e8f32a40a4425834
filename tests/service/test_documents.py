"""What the documents list is what there is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from amazon_bridge.flows.jobs import JOBS, NAMES, named
from amazon_bridge.job import load

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "amazon_bridge"


def strings_of_calls(*names: str) -> set[str]:
    """The first argument, where it is a plain text, of every call of these names."""
    calls = (
        node
        for path in PACKAGE.rglob("*.py")
        if "simulator" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and node.args
    )
    return {
        call.args[0].value
        for call in calls
        if ast.unparse(call.func) in names
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(text: str) -> Iterator[tuple[str, ...]]:
    """The cells of all rows of a document's tables."""
    for row in re.findall(r"^\| (.*) \|$", text, re.MULTILINE):
        yield tuple(re.split(r" \| ", row))


def remedies_in(text: str) -> dict[str, str]:
    """The remedies of quarantine kinds, from the tables of a section."""
    return {
        kind: cells[2]
        for cells in rows(text)
        if len(cells) == 3 and cells[0].startswith("`")
        for kind in re.findall("[a-z_]+", cells[0])
    }


OF_SETUP = {"no_location", "no_currency", "journal_incomplete"}
"""Kinds that never reach the quarantine: `check` and `setup` say what is missing."""


def test_every_kind_of_the_quarantine_is_in_the_documentation():
    described = set(re.findall(r"`([a-z_]+)`", document("docs/quarantine.md")))
    kinds = {kind for job in JOBS for kind in job.remedies}
    assert strings_of_calls("ItemError") - OF_SETUP <= kinds
    assert kinds <= described


@pytest.mark.parametrize(
    ("heading", "jobs"),
    [
        ("Orders", ["orders"]),
        ("Shipments and cancellations", ["cancellations", "pickings"]),
        ("Stock", ["stock"]),
        ("Settlements", ["settlements"]),
    ],
)
def test_the_tables_of_the_quarantine_are_those_of_the_jobs(heading: str, jobs: list[str]):
    remedies: dict[str, str] = {}
    for job in jobs:
        remedies |= named(job).remedies
    _, _, after = document("docs/quarantine.md").partition(f"\n## {heading}\n")
    assert remedies_in(after.partition("\n## ")[0]) == remedies


def test_every_job_is_in_the_tables_of_the_quarantine():
    described = {"orders", "cancellations", "pickings", "stock", "settlements"}
    assert set(NAMES) == described, "describe its kinds, list it above"


def test_the_keys_of_each_job_are_in_the_configurations_documentation():
    described = {cells[0]: cells[2:] for cells in rows(document("docs/configuration.md"))}
    for job in JOBS:
        assert described[f"`schedule.{job.name}`"] == (f"`{job.schedule}`", job.title)
        if switch := job.notify_amazon:
            assert described[f"`notify_amazon.{switch.key}`"] == ("`true`", switch.title)


@pytest.mark.parametrize("name", ["docs/commands.md", "docs/monitoring.md", "docs/logging.md"])
def test_what_lists_the_jobs_lists_them_all(name: str):
    listed = {cell for cells in rows(document(name)) for cell in cells if "`cancellations`" in cell}
    assert listed
    for cell in listed:
        assert {job for job in NAMES if f"`{job}`" in cell or f" {job}`" in cell} == set(NAMES)


def test_the_roles_of_all_jobs_are_in_the_first_steps():
    text = " ".join(document("docs/first-order.md").split())
    for role in {role for job in JOBS for role in job.amazon_roles}:
        assert f"*{role}*" in text


def test_the_rule_on_old_notifications_is_about_the_jobs_that_notify_amazon():
    names = "|".join(job.name for job in JOBS if job.notify_amazon)
    assert f'amazon_bridge_pending{{job=~"{names}"}}' in document("config/monitoring/alerts.yaml")
    assert f'job=~\\"{names}\\"' in document("config/monitoring/dashboard.json")


def test_every_entry_point_of_a_job_can_be_loaded():
    for job in JOBS:
        points = [job.run, job.amazon_check, job.explain]
        points += [job.odoo_check, job.panel, *(gauge.numbers for gauge in job.gauges)]
        points += [job.pending.items] if job.pending else []
        assert all(callable(load(point)) for point in points if point)


def test_every_event_is_in_the_documentation_of_logging():
    text = (ROOT / "docs" / "logging.md").read_text()
    first_cells = re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE)
    described = {name for cell in first_cells for name in re.findall("[a-z_]+", cell)}
    levels = ("debug", "info", "warning", "error", "exception", "critical")
    events = strings_of_calls(*(f"log.{level}" for level in levels))
    assert events - described == set()
