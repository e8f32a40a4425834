"""What the documents list is what there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

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


def test_every_kind_of_the_quarantine_is_in_the_troubleshooting():
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    described = set(re.findall(r"`([a-z_]+)`", text))
    of_setup = {
        "no_parent",
        "no_location",
        "no_currency",
        "journal_incomplete",
    }  # told as what is missing
    assert strings_of_calls("ItemError") - of_setup <= described


def test_every_event_is_in_the_documentation_of_logging():
    text = (ROOT / "docs" / "logging.md").read_text()
    first_cells = re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE)
    described = {name for cell in first_cells for name in re.findall("[a-z_]+", cell)}
    levels = ("debug", "info", "warning", "error", "exception", "critical")
    events = strings_of_calls(*(f"log.{level}" for level in levels))
    assert events - described == set()
