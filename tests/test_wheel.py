"""The wheel of a release, in an empty venv; and the list of its components."""

import json
import os
import re
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


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty venv with the wheel, as docs/install.md says."""
    venv = tmp_path_factory.mktemp("empty") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    constraint = ROOT / "constraints.txt"
    python = venv / "bin" / "python"
    run(*pip, "--python", python, "install", "--no-compile", "--constraint", constraint, wheel)
    return venv


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_its_commands_run(installed: Path, tmp_path: Path) -> None:
    program = installed / "bin" / "amazon-bridge"
    assert re.search(r"\d+\.\d+\.\d+", run(program, "--version", cwd=tmp_path))
    help_ = run(program, "--help", cwd=tmp_path)
    commands = re.findall(r"^  ([a-z]+) ", help_, re.MULTILINE)
    assert {"check", "demo", "init", "run", "sync"} <= set(commands)
    for command in commands:
        run(program, command, "--help", cwd=tmp_path)
    assert "accounts:" in run(program, "config", "example", cwd=tmp_path)


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


def test_the_components_are_those_of_the_installation(installed: Path, tmp_path: Path) -> None:
    run("scripts/make-sbom", installed, tmp_path, VENV)
    (file,) = tmp_path.iterdir()
    listed = json.loads(file.read_text())
    root = listed["metadata"]["component"]
    version = run(installed / "bin" / "amazon-bridge", "--version").split()[-1]
    assert (root["name"], root["version"]) == ("amazon-bridge", version)
    assert file.name == f"amazon_bridge-{version}.cdx.json"
    components = {(plain(each["name"]), each["version"]) for each in listed["components"]}
    requirements = (ROOT / "requirements" / "run.txt").read_text()
    pins = set(re.findall(r"^([\w.-]+)==(\S+) \\$", requirements, re.MULTILINE))  # on Linux
    assert components == {(plain(name), pinned) for name, pinned in pins}
    assert all(each["licenses"] for each in listed["components"])
