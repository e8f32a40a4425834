"""Modules of the OCA from PyPI, for tests of an Odoo that is not as it comes.

A server finds them without a restart in a folder that is on its path from the start.
"""

import hashlib
import shutil
import sys
import zipfile
from pathlib import Path

from odoo_server.common import cache_folder, locked, run

REQUIREMENTS = Path(__file__).with_name("addons.txt")
INSIDE = "odoo/addons/"  # where a wheel keeps its module


def folder() -> Path:
    """The folder that holds the unpacked modules; downloads them once."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    modules = cache_folder() / "addons" / digest[:8]
    with locked("addons"):
        if not modules.exists():
            _download(modules)
    return modules


def _download(modules: Path) -> None:
    wheels = modules.with_suffix(".wheels")
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
    ]
    pip += ["--no-deps", "--require-hashes", "-r", REQUIREMENTS, "-d", wheels]
    run(pip, "the modules of the OCA can't be downloaded")
    unfinished = modules.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as files:
            inside = [name for name in files.namelist() if name.startswith(INSIDE)]
            files.extractall(unfinished, inside)
    (unfinished / INSIDE).rename(modules)
    shutil.rmtree(unfinished)
    shutil.rmtree(wheels)
