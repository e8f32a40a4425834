"""The wheel of a release; ``test_image`` installs it."""

import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
VENV = Path(sys.prefix)


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """The output of a command that has to succeed, run with nothing of this venv."""
    environment = {**os.environ, "PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make wheel` builds and checks, at another place."""
    folder = tmp_path_factory.mktemp("dist")
    installed = VENV / "installed"
    run("make", f"--old-file={installed}", "wheel", f"VENV={VENV}", f"DIST={folder}")
    (built,) = folder.iterdir()
    return built


def test_its_metadata_is_complete(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        fields = Parser().parsestr(files.read(metadata).decode())
    assert fields["License-Expression"] == "Apache-2.0"
    licence = f"{Path(metadata).parent}/licenses/{fields['License-File']}"
    assert {licence, "amazon_bridge/py.typed"} <= set(names)
    assert "Typing :: Typed" in fields.get_all("Classifier", [])
    assert fields["Requires-Python"] == ">=3.11"
    assert fields["Description-Content-Type"] == "text/markdown"
