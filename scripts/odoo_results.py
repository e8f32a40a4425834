"""Record which tests passed on which Odoo (`make test RESULTS=yes`).

Run as a script, it writes the table of them in docs/odoo-versions.md.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "tests" / "odoo_results"
PAGE = ROOT / "docs" / "odoo-versions.md"
TRANSPORTS = ("xmlrpc", "jsonrpc", "json2")
_BEGIN, _END = "<!-- written by scripts/odoo_results.py -->\n", "<!-- end of it -->\n"

Results: TypeAlias = dict[str, dict[str, Any]]
"""By test module: how many tests ``passed``, how many were ``skipped``, and the ``date``."""


class Report(Protocol):
    """What pytest reports of a phase of a test."""

    nodeid: str
    when: str
    outcome: str
    keywords: dict[str, Any]


@dataclass
class Recorder:
    """A plugin of pytest that records which modules passed on a real Odoo."""

    version: int
    transport: str
    folder: Path = FOLDER
    _outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def pytest_runtest_logreport(self, report: Report) -> None:
        """Count the outcome of a test."""
        if "real_odoo" in report.keywords and (report.when == "call" or report.outcome != "passed"):
            self._outcomes[report.nodeid.partition("::")[0]][report.outcome] += 1

    def pytest_sessionfinish(self) -> None:
        """Write the results of the modules that ran; one with a failure is forgotten."""
        path = self.folder / f"{self.version}-{self.transport}.json"
        results: Results = json.loads(path.read_text()) if path.exists() else {}
        today = datetime.now(UTC).date().isoformat()
        for module, outcomes in self._outcomes.items():
            results.pop(module, None)
            if outcomes["passed"] and not outcomes["failed"]:
                numbers = {name: outcomes[name] for name in ("passed", "skipped")}
                results[module] = {**numbers, "date": today}
        path.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


def page() -> str:
    """Return the documentation's page as it should be."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    return before + _BEGIN + "".join(_table()) + _END + rest.partition(_END)[2]


def _table() -> Iterator[str]:
    yield "| Odoo | transport | modules | tests passed | skipped | tried |\n"
    yield "|---|---|---|---|---|---|\n"
    yield "| 19 | `xmlrpc` | all | all | none | with every change |\n"
    paths = sorted(FOLDER.glob("*.json"), key=_newest_first)
    for path in paths:
        results: Results = json.loads(path.read_text())
        version, _, transport = path.stem.partition("-")
        passed, skipped = (
            sum(row[name] for row in results.values()) for name in ("passed", "skipped")
        )
        oldest = date.fromisoformat(min(row["date"] for row in results.values()))
        cells = (version, f"`{transport}`", len(results), passed, skipped, f"{oldest:%B %Y}")
        yield f"| {' | '.join(map(str, cells))} |\n"


def _newest_first(path: Path) -> tuple[int, int]:
    version, _, transport = path.stem.partition("-")
    return -int(version), TRANSPORTS.index(transport)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
