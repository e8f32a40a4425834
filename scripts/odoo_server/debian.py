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
from contextlib import contextmanager
from pathlib import Path

from odoo_server import unprivileged
from odoo_server.common import ProvisioningError, run, say
from odoo_server.versions import Version

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ELSEWHERE = "start a Docker engine, or let ODOO_TEST_URL name a running Odoo"
_WEB_CLIENT = r"\b(?:libjs|fonts-(?:font-awesome|inconsolata|montserrat|ocr|roboto))(?:-[\w-]+)?"
"""The packages, of those that Odoo's package depends on, that its web client's files link to."""
_CODE = ("--exclude=*.po", "--exclude=*.pot", "--exclude=./usr/share/doc")
_TRANSLATIONS = ("--wildcards", *(f"*/i18n/{language}.po" for language in ("de", "fr", "ja")))
"""Of the languages that the tests install; Odoo has dozens."""
_MARKS = (".complete", ".translations", ".web_client")
"""Files in `home`/source: what was unpacked."""


def install_odoo(home: Path, version: Version) -> None:
    """Unpacks the package to `home`/source and makes its venv in `home`/venv, once.

    Raises:
        ProvisioningError: something can't be had here; says what a person can do.
    """
    if not version.suite:
        raise ProvisioningError(f"Debian has no package of Odoo {version.number}: {ELSEWHERE}")
    if not all((home / "source" / mark).exists() for mark in (".complete", ".translations")):
        _unpack_odoo(home, version)
    if not (home / "source/.web_client").exists():
        _unpack_web_client(home, version)
    complete = home / "venv/.complete"
    if not complete.exists():
        _make_venv(home, version)
    if not _has_requirements(home, version):
        _install_requirements(home, version)
        complete.write_text(_digest(version))


def is_installed(home: Path, version: Version) -> bool:
    """True if PostgreSQL is there, and `install_odoo` has nothing to do."""
    unpacked = all((home / "source" / mark).exists() for mark in _MARKS)
    return unpacked and _has_requirements(home, version) and bool(newest_postgresql())


def _has_requirements(home: Path, version: Version) -> bool:
    complete = home / "venv/.complete"
    return complete.exists() and complete.read_text() == _digest(version)


def _digest(version: Version) -> str:
    return hashlib.sha256(version.requirements.read_bytes()).hexdigest()


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


def _unpack_odoo(home: Path, version: Version) -> None:
    """Unpack the package; only its translations if the rest was unpacked by an older version."""
    source = home / "source"
    complete = source / ".complete"
    say(f"downloading Debian's package {version.package} (about 120 MB)")
    with _archive(home, version) as apt:
        packages = _download(apt, home, [version.package])
        say("unpacking it, with the translations that the tests need")
        if not complete.exists():
            shutil.rmtree(source, ignore_errors=True)
            unprivileged.own(source)  # where Python can keep its compiled files then
            _unpack(packages, home, _CODE)
            complete.touch()
        _unpack(packages, home, _TRANSLATIONS)
    (source / ".translations").touch()


def _unpack_web_client(home: Path, version: Version) -> None:
    """Unpack the scripts and fonts of the web client; in Debian they are packages of their own."""
    say("downloading the scripts and fonts of Odoo's web client (about 10 MB)")
    with _archive(home, version) as apt:
        shown = run(["apt-cache", *apt, "show", version.package], "apt does not show the package")
        depends = re.search("^Depends: (.*)$", shown, re.MULTILINE)
        names = re.findall(_WEB_CLIENT, depends[1] if depends else "")
        _unpack(_download(apt, home, names), home, _CODE)
    (home / "source/.web_client").touch()


def _download(apt: Sequence[str], home: Path, names: Sequence[str]) -> list[Path]:
    folder = home / "download"
    problem = f"Debian does not give {', '.join(names)}"
    run(["apt-get", *apt, "download", *names], problem, cwd=folder)
    return list(folder.glob("*.deb"))


def _unpack(packages: Sequence[Path], home: Path, members: Sequence[str]) -> None:
    """Unpack some of their files: `members` are tar's options and patterns."""
    tar = [*unprivileged.prefix(home), "tar", "-xC", home / "source", *members]
    for package in packages:
        unpacking = ["dpkg-deb", "--fsys-tarfile", str(package)]
        with subprocess.Popen(unpacking, stdout=subprocess.PIPE) as files:
            subprocess.run(tar, stdin=files.stdout, cwd="/", check=True)


@contextmanager
def _archive(home: Path, version: Version) -> Iterator[list[str]]:
    """The options of an apt whose sources and lists are private.

    apt checks the suite's signature, and the package's hash against the suite's signed index.
    """
    if not KEYRING.exists():
        raise ProvisioningError(f"Debian's package needs {KEYRING}; on other systems, {ELSEWHERE}")
    folder = home / "download"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("state/lists/partial", "cache/archives/partial", "none"):
        (folder / name).mkdir(parents=True)
    sources = folder / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {_debian_archive()} {version.suite} main\n")
    apt = [f"-o{setting}" for setting in _private_settings(folder)]
    run(["apt-get", *apt, "update"], f"the index of Debian's suite {version.suite} can't be read")
    yield apt
    shutil.rmtree(folder)


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


def _install_requirements(home: Path, version: Version) -> None:
    venv = home / "venv"
    pip = ["-m", "pip", "install", "--quiet", "--prefer-binary"]
    run(
        [venv / "bin/python", *pip, "-r", version.requirements],
        "pip can't install Odoo's Python dependencies",
    )
    packages = next(venv.glob("lib/python3*/site-packages"))
    (packages / "odoo.pth").write_text(f"{home}/source/usr/lib/python3/dist-packages\n")


def _find_python(names: Sequence[str]) -> str:
    for python in _candidates(names):
        if shutil.which(python) and _has_venv(python):
            return python
    missing = " or ".join(names)
    raise ProvisioningError(f"Odoo needs {missing}, with venv (apt-get install python3-venv)")


def _candidates(names: Sequence[str]) -> Iterator[str]:
    """Debian's own Python, others on the path, and pyenv's, whose shims work for one version only.

    Debian's is fully optimised: with one that pyenv has built, Odoo takes a quarter more time.
    """
    yield from (f"/usr/bin/{name}" for name in names)
    yield from names
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for name in names:
        number = name.removeprefix("python")
        yield from map(str, sorted(pyenv.glob(f"versions/{number}.*/bin/{name}")))


def _has_venv(python: str) -> bool:
    check = [python, "-c", "import ensurepip, venv"]
    return subprocess.run(check, capture_output=True, check=False).returncode == 0
