"""Nothing is downloaded for the demonstration without a word, where somebody can be asked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from terminals import typed

SCRIPTS = Path(__file__).parents[1] / "scripts"
ASK = (sys.executable, "-m", "odoo_server", "ask")
REFUSED = 4


@pytest.fixture
def nothing_installed(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine without Docker, and without what was downloaded before."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ODOO_TEST")}
    ours = {"XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(SCRIPTS), "PATH": "/nowhere"}
    return {name: value for name, value in (kept | ours).items() if name != "YES"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [("", 0), ("y", 0), ("Yes", 0), ("n", REFUSED), ("what?", REFUSED), (None, REFUSED)],
)
def test_a_person_is_asked(
    nothing_installed: dict[str, str], tmp_path: Path, answer: str | None, code: int
) -> None:
    lines = [] if answer is None else [answer]
    done, shown = typed(ASK, lines, cwd=tmp_path, env=nothing_installed)
    assert done == code, shown
    assert "downloads about 350 MB" in shown
    assert str(tmp_path / "amazon-bridge" / "odoo") in shown
    assert ("nothing was downloaded" in shown) == (code == REFUSED)


def test_yes_goes_on_without_asking(nothing_installed: dict[str, str], tmp_path: Path) -> None:
    assert typed(ASK, [], cwd=tmp_path, env=nothing_installed | {"YES": "1"}) == (0, "")


def test_without_a_terminal_nobody_is_asked(nothing_installed: dict[str, str]) -> None:
    done = subprocess.run(
        ASK, env=nothing_installed, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_what_is_there_is_not_asked_for(
    nothing_installed: dict[str, str], tmp_path: Path, odoo_server: object
) -> None:
    """The tests' own Odoo."""
    installed = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    assert typed(ASK, [], cwd=tmp_path, env=installed) == (0, "")
