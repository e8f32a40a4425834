"""The walk-through "Add a job" of docs/architecture.md, followed to the letter."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
WALK_THROUGH = (ROOT / "docs" / "architecture.md").read_text().split("## Add a job\n")[1]


def blocks(language: str) -> Iterator[str]:
    """The code blocks of a language in the walk-through."""
    section = WALK_THROUGH.split("\n## ")[0]
    for block in re.findall(rf"^ +```{language}\n(.*?)^ +```$", section, re.DOTALL | re.MULTILINE):
        yield dedent(block)


def follow(copy: Path) -> list[Path]:
    """Create and change files as the walk-through says; returns the new ones."""
    created = []
    for block in blocks("python"):
        first, text = block.split("\n", 1)
        path = copy / first.removeprefix("# ")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        created.append(path)
    for block in blocks("diff"):
        path = copy / re.findall(r"^\+\+\+ b/(.*)$", block, re.MULTILINE)[0]
        text = path.read_text()
        for hunk in re.split(r"^@@.*\n", block, flags=re.MULTILINE)[1:]:
            before, after = (
                "".join(line[1:] for line in hunk.splitlines(keepends=True) if line[0] in kept)
                for kept in (" -", " +")
            )
            assert before in text
            text = text.replace(before, after, 1)
        path.write_text(text)
    return created


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Where the added job shows."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "amazon_bridge", copy / "amazon_bridge")
    ruff = [sys.executable, "-m", "ruff", "check", "-q", "--config", ROOT / "pyproject.toml"]
    subprocess.run([*ruff, *follow(copy)], check=True)
    paths = (copy, ROOT / "tests", ROOT / "scripts")
    run = subprocess.run(
        [sys.executable, Path(__file__).with_name("added_job.py")],
        cwd=copy,
        env={"PYTHONPATH": ":".join(map(str, paths)), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    shown: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return shown


def test_it_is_in_the_configuration(report: dict[str, Any]) -> None:
    assert report["schema"]["default"] == "1h"
    assert report["schema"]["description"] == "Products without a barcode, to the quarantine."


def test_it_is_scheduled_and_watched(report: dict[str, Any]) -> None:
    assert report["schedule"] == "1:00:00"
    assert "barcodes" in report["health"]


def test_it_is_off_until_it_is_configured(report: dict[str, Any]) -> None:
    off = report["off"]
    assert off["scheduled"] == off["sync all"] == ["orders", "cancellations", "pickings"]
    assert off["message"] == "other: barcodes is switched off in the configuration.\n"
    assert not any(off["synced"].values())
    assert off["foreseen"]["seen"] >= 2
    assert not any("product categories" in each for each in off["check"])
    assert "Barcodes" not in off["page"]
    assert "Products to check" not in off["page"]
    advice = "schedule.barcodes of the account other has no effect: the job is switched off"
    assert advice in off["advice"]


def test_it_is_off_for_other_accounts(report: dict[str, Any]) -> None:
    assert report["accounts"] == ["acme"]
    assert "other FR nothing yet not yet not yet not yet off" in report["page"]


def test_it_is_a_choice_of_sync_and_runs(report: dict[str, Any]) -> None:
    assert "barcodes" in report["help"]
    assert (report["synced"]["quarantined"], report["synced"]["error"]) == (1, None)


def test_its_items_end_as_pending_or_quarantined(report: dict[str, Any]) -> None:
    (entry,) = report["quarantine"]
    assert (entry["job"], entry["kind"]) == ("barcodes", "no_barcode")
    assert report["status"]["barcodes"]["quarantined"] == 1
    assert report["status"]["barcodes"]["pending"] >= 1
    assert report["status"]["barcodes"]["last_success"]


def test_it_is_in_the_metrics(report: dict[str, Any]) -> None:
    for metric in ("rounds_total", "quarantined", "overdue_timestamp_seconds", "failures"):
        assert any(line.startswith(f"amazon_bridge_{metric}{{") for line in report["metrics"])


def test_it_is_on_the_page(report: dict[str, Any]) -> None:
    for text in ("Barcodes", "Products to check", "acme · barcodes · no_barcode"):
        assert text in report["page"]


def test_check_examines_what_it_needs(report: dict[str, Any]) -> None:
    assert "The login may read product categories (read product.category)" in report["check"]
