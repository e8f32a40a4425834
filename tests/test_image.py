"""The Dockerfile's own steps, run without a Docker engine, and what they install."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

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
    for copied in instructions("COPY"):
        if not copied.startswith("--from"):
            for source in shlex.split(copied)[:-1]:
                copy_tracked(source, folder / "source")
    build = instructions("RUN")[0].replace(PREFIX, str(folder / "installed"))
    build = build.replace("PIP_NO_CACHE_DIR=1", "")  # the next run is faster for it
    defaults = dict(argument.split("=") for argument in instructions("ARG"))
    environment = {**os.environ, **defaults, "PYTHON": sys.executable, "PIP_NO_COMPILE": "1"}
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


def test_its_commands_run(installed: Path) -> None:
    help_ = run(installed, "amazon-bridge", "--help").stdout
    commands = re.findall(r"^  ([a-z]+) ", help_, re.MULTILINE)
    assert {"check", "demo", "init", "run", "sync"} <= set(commands)
    for command in commands:
        done = run(installed, "amazon-bridge", command, "--help")
        assert (done.returncode, done.stderr) == (0, ""), command
    assert "accounts:" in run(installed, "amazon-bridge", "config", "example").stdout


def test_what_the_wheel_requires_is_installed(installed: Path) -> None:
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    done = run(installed, *pip, "--python", f"{installed}/bin/python", "check")
    assert done.returncode == 0, done.stdout


def test_every_command_the_image_names_exists(installed: Path) -> None:
    commands = re.findall(r'CMD \["(?:amazon-bridge", ")?([a-z]+)"\]', INSTRUCTIONS)
    assert commands == ["healthcheck", "run"]
    for command in commands:
        assert run(installed, "amazon-bridge", command, "--help").returncode == 0


def test_no_developer_tool_is_in_the_image(installed: Path) -> None:
    packages = {path.name for path in installed.glob("lib/python3*/site-packages/*")}
    assert "amazon_bridge" in packages
    assert packages.isdisjoint({"pip", "pytest", "mypy", "hatchling", "odoo_server"})


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_components_are_those_of_the_installation(installed: Path, tmp_path: Path) -> None:
    command = (ROOT / "scripts/make-sbom", installed, tmp_path, sys.prefix)
    subprocess.run(command, check=True)
    (file,) = tmp_path.iterdir()
    listed = json.loads(file.read_text())
    root = listed["metadata"]["component"]
    version = run(installed, "amazon-bridge", "--version").stdout.split()[-1]
    assert (root["name"], root["version"]) == ("amazon-bridge", version)
    assert file.name == f"amazon_bridge-{version}.cdx.json"
    components = {(plain(each["name"]), each["version"]) for each in listed["components"]}
    requirements = (ROOT / "requirements" / "run.txt").read_text()
    pins = set(re.findall(r"^([\w.-]+)==(\S+) \\$", requirements, re.MULTILINE))  # on Linux
    assert components == {(plain(name), pinned) for name, pinned in pins}
    assert all(each["licenses"] for each in listed["components"])


def test_what_is_not_the_very_same_is_not_installed(installed: Path, tmp_path: Path) -> None:
    """A file of a dependency with another hash: somebody has put another one in its place."""
    for name in ("pyproject.toml", "README.md", "LICENSE", "requirements", "scripts/install"):
        copy_tracked(name, tmp_path)
    copy_tracked("amazon_bridge", tmp_path)
    build = tmp_path / "requirements" / "build.txt"
    build.write_text(re.sub(r"sha256:[0-9a-f]{4}", "sha256:0000", build.read_text()))
    done = subprocess.run(
        [tmp_path / "scripts" / "install", tmp_path / "installed"],
        env={**os.environ, "PYTHON": sys.executable, "PIP_NO_COMPILE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr


FAKE_DOCKER = """#!/bin/sh
[ "$1 $2 $3 $4" = "buildx imagetools inspect python:3.13-slim" ] && echo "$DIGEST"
"""


@pytest.mark.parametrize("digest", [f"sha256:{'0a' * 32}", "no such image"])
def test_the_base_image_is_pinned_by_what_docker_says(tmp_path: Path, digest: str) -> None:
    """In both stages, and again when it is pinned already."""
    copy_tracked("scripts/pin-base-image", tmp_path)
    copy_tracked("Dockerfile", tmp_path)
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(FAKE_DOCKER)
    docker.chmod(0o755)
    before = (tmp_path / "Dockerfile").read_text()
    environment = {"PATH": f"{docker.parent}:{os.environ['PATH']}", "DIGEST": digest}
    for _ in range(2):
        done = subprocess.run(
            [tmp_path / "scripts" / "pin-base-image"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        after = (tmp_path / "Dockerfile").read_text()
        if digest.startswith("sha256"):
            assert done.returncode == 0, done.stderr
            assert after.count(f"FROM python:3.13-slim@{digest}") == 2
            assert after.replace(f"@{digest}", "") == re.sub(r"@sha256:\w+", "", before)
        else:
            assert done.returncode == 1
            assert after == before
