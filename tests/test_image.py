"""The Dockerfile's own steps, run without a Docker engine."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
INSTRUCTIONS = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
PREFIX = "/opt/amazon-bridge"


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", INSTRUCTIONS, re.MULTILINE)


def copy_tracked(source: str, folder: Path) -> None:
    """Copies what a clean clone has of a file or folder."""
    listing = ["git", "ls-files", "-z", "--", source]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first stage of the Dockerfile builds, at another place."""
    folder = tmp_path_factory.mktemp("image")
    for copied in instructions("COPY")[:2]:
        for source in shlex.split(copied)[:-1]:
            copy_tracked(source, folder / "source")
    subprocess.run([sys.executable, "-m", "venv", folder / "python"], check=True)
    build = instructions("RUN")[0].replace(PREFIX, str(folder / "installed"))
    build = build.replace("--no-cache-dir", "")  # the next run is faster for it
    path = f"{folder}/python/bin:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PIP_QUIET": "1"}
    subprocess.run(["/bin/sh", "-c", build], cwd=folder / "source", env=environment, check=True)
    return folder / "installed"


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{installed}/bin", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        arguments, cwd=installed, env=environment, capture_output=True, text=True, check=False
    )


def test_the_entrypoint_runs_out_of_the_wheel(installed: Path) -> None:
    done = run(installed, "amazon-bridge", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"\d+\.\d+\.\d+", done.stdout)
    where = run(installed, "python", "-c", "import amazon_bridge as it; print(it.__file__)")
    assert where.stdout.startswith(str(installed))


def test_data_files_are_in_the_wheel(installed: Path) -> None:
    done = run(installed, "amazon-bridge", "config", "example")
    assert (done.returncode, done.stderr) == (0, "")
    assert "accounts:" in done.stdout


def test_every_command_the_image_names_exists(installed: Path) -> None:
    commands = re.findall(r'CMD \["(?:amazon-bridge", ")?([a-z]+)"\]', INSTRUCTIONS)
    assert commands == ["healthcheck", "run"]
    for command in commands:
        assert run(installed, "amazon-bridge", command, "--help").returncode == 0


def test_no_developer_tool_is_in_the_image(installed: Path) -> None:
    packages = {path.name for path in installed.glob("lib/python3*/site-packages/*")}
    assert "amazon_bridge" in packages
    assert packages.isdisjoint({"pip", "pytest", "mypy", "hatchling", "odoo_server"})
