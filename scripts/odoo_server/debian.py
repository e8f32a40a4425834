"""Installs Odoo from Debian's package into a folder, and PostgreSQL if there is none.

The system's apt configuration stays as it is, and nothing of Odoo is installed in the system: its
package is only unpacked, and its Python dependencies are installed in a venv beside it.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from odoo_server import unprivileged
from odoo_server.common import ProvisioningError, run, say
from odoo_server.versions import Version

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ELSEWHERE = "start a Docker engine, or let ODOO_TEST_URL name a running Odoo"


def install_odoo(home: Path, version: Version) -> None:
    """Unpacks the package to `home`/source and makes its venv in `home`/venv, once.

    Raises:
        ProvisioningError: something can't be had here; says what a person can do.
    """
    if not version.suite:
        raise ProvisioningError(f"Debian has no package of Odoo {version.number}: {ELSEWHERE}")
    if not (home / "source/.complete").exists():
        _unpack(home, version)
    digest = hashlib.sha256(version.requirements.read_bytes()).hexdigest()
    complete = home / "venv/.complete"
    if not complete.exists() or complete.read_text() != digest:
        _make_venv(home, version)
        complete.write_text(digest)


def install_postgresql() -> None:
    """Installs Debian's postgresql where it is missing and we may."""
    if newest_postgresql():
        return
    if os.geteuid() != 0:
        raise ProvisioningError(
            f"PostgreSQL is missing: apt-get install postgresql, or {ELSEWHERE}"
        )
    say("installing Debian's postgresql")
    problem = f"Debian's postgresql can't be installed ({ELSEWHERE})"
    quietly = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update"], problem, env=quietly)
    run(["apt-get", "install", "-y", "--no-install-recommends", "postgresql"], problem, env=quietly)


def newest_postgresql() -> Path | None:
    """The folder of PostgreSQL's server programs."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda initdb: int(initdb.parts[-3]), default=None)
    return newest.parent if newest else None


def _unpack(home: Path, version: Version) -> None:
    source, download = home / "source", home / "download"
    for leftover in (source, download):
        shutil.rmtree(leftover, ignore_errors=True)
    say(f"downloading Debian's package {version.package} (about 120 MB)")
    package = _download(download, version)
    say("unpacking it, without its translations")
    unprivileged.own(source)  # where Python can keep its compiled files then
    tar = [*unprivileged.prefix(home), "tar", "-xC", source, "--exclude=*.po", "--exclude=*.pot"]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as files:
        subprocess.run(tar, stdin=files.stdout, cwd="/", check=True)
    shutil.rmtree(download)
    (source / ".complete").touch()


def _download(folder: Path, version: Version) -> Path:
    """Downloads the package through an apt whose sources and lists are private.

    apt checks the suite's signature, and the package's hash against the suite's signed index.
    """
    if not KEYRING.exists():
        raise ProvisioningError(f"Debian's package needs {KEYRING}; on other systems, {ELSEWHERE}")
    for name in ("state/lists/partial", "cache/archives/partial", "none"):
        (folder / name).mkdir(parents=True)
    suite, package = version.suite, version.package
    sources = folder / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {_debian_archive()} {suite} main\n")
    apt: list[str | Path] = ["apt-get", *(f"-o{setting}" for setting in _private_settings(folder))]
    run([*apt, "update"], f"the index of Debian's suite {suite} can't be read")
    run([*apt, "download", package], f"Debian's suite {suite} does not give {package}", cwd=folder)
    return next(folder.glob(f"{package}_*.deb"))


def _private_settings(folder: Path) -> list[str]:
    return [
        f"Dir::Etc::sourcelist={folder}/sources.list",
        f"Dir::Etc::sourceparts={folder}/none",
        "Dir::Etc::preferences=/dev/null",
        f"Dir::Etc::preferencesparts={folder}/none",
        f"Dir::State={folder}/state",
        "Dir::State::status=/dev/null",
        f"Dir::Cache={folder}/cache",
        "Acquire::Languages=none",
        "Acquire::Retries=3",
        "APT::Update::Error-Mode=any",
        "APT::Sandbox::User=root",
    ]


def _debian_archive() -> str:
    """The address of the archive that this machine's own apt uses."""
    targets = ["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI)"]
    addresses = run(targets, "apt's sources can't be read").split()
    for address in addresses:
        if re.search(r"/debian/?$", address):
            return address
    raise ProvisioningError(f"no Debian archive among apt's sources; {ELSEWHERE}")


def _make_venv(home: Path, version: Version) -> None:
    venv, python = home / "venv", _find_python(version.pythons)
    say("installing Odoo's Python dependencies (about a minute)")
    shutil.rmtree(venv, ignore_errors=True)
    run([python, "-m", "venv", venv], f"{python} can't make a venv")
    pip: list[str | Path] = [
        venv / "bin/python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--prefer-binary",
    ]
    run([*pip, "-r", version.requirements], "pip can't install Odoo's Python dependencies")
    packages = next(venv.glob("lib/python3*/site-packages"))
    (packages / "odoo.pth").write_text(f"{home}/source/usr/lib/python3/dist-packages\n")


def _find_python(names: Sequence[str]) -> str:
    for python in _candidates(names):
        if shutil.which(python) and _has_venv(python):
            return python
    missing = " or ".join(names)
    raise ProvisioningError(f"Odoo needs {missing}, with venv (apt-get install python3-venv)")


def _candidates(names: Sequence[str]) -> Iterator[str]:
    """Pythons on the path, and those of pyenv, whose shims work for one version only."""
    yield from names
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for name in names:
        number = name.removeprefix("python")
        yield from map(str, sorted(pyenv.glob(f"versions/{number}.*/bin/{name}")))


def _has_venv(python: str) -> bool:
    check = [python, "-c", "import ensurepip, venv"]
    return subprocess.run(check, capture_output=True, check=False).returncode == 0
