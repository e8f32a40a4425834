"""Nothing is downloaded for the demonstration without a word, or without consent of a person."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typing_person import TypingPerson

SCRIPTS = Path(__file__).parents[1] / "scripts"
ASK = ("-m", "odoo_server", "ask")
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
    person = TypingPerson(ASK, folder=tmp_path, environment=nothing_installed)
    person.sees("downloads about 400 MB")
    person.sees(str(tmp_path / "amazon-bridge" / "odoo"))
    person.sees("Go on")
    person.ends_input() if answer is None else person.types(answer)
    assert person.leaves() == code
    assert ("nothing was downloaded" in person.screen) == (code == REFUSED)


def test_yes_goes_on_without_asking(nothing_installed: dict[str, str], tmp_path: Path) -> None:
    environment = nothing_installed | {"YES": "1"}
    person = TypingPerson(ASK, folder=tmp_path, environment=environment)
    assert (person.leaves(), person.screen) == (0, "")


def test_without_a_terminal_nobody_is_asked(
    nothing_installed: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, *ASK],
        env=nothing_installed,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "downloads about 400 MB" in done.stderr
    assert str(tmp_path / "amazon-bridge" / "odoo") in done.stderr
    assert "Go on?" not in done.stderr


def test_what_is_there_is_not_asked_for(
    nothing_installed: dict[str, str], tmp_path: Path, odoo_server: object
) -> None:
    """The tests' own Odoo."""
    installed = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    person = TypingPerson(ASK, folder=tmp_path, environment=installed)
    assert (person.leaves(), person.screen) == (0, "")
