"""The repository as a stranger finds it: nothing of one machine, nothing dangling, all pinned."""

import re
import subprocess
import tomllib
from collections import Counter
from importlib.metadata import distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]


def tracked_files() -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


FILES = tracked_files()
TEXTS = [name for name in FILES if b"\0" not in (ROOT / name).read_bytes()]
DOCUMENTS = [name for name in FILES if name.endswith(".md")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def lines_with(pattern: str) -> list[str]:
    """Where a pattern occurs in the tracked files, as file:line: text."""
    return [
        f"{name}:{number}: {line}"
        for name in TEXTS
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"(?<![\w.$}])/(?:work|root|tmp/w)/", id="a machine's folders"),
        pytest.param(r"pypi\.org|pythonhosted\.|debian\.org|npmjs\.", id="a registry's host"),
        pytest.param(r"\b(?:TO)(?:DO)\b|\bFIX(?:ME)\b|\bX(?:XX)\b", id="work left for later"),
        pytest.param(r"^(?:<{7}|>{7}) ", id="a merge's leftovers"),
        pytest.param(r"\s$", id="trailing blanks"),
    ],
)
def test_no_file_has(pattern: str) -> None:
    assert lines_with(pattern) == []


def test_e_mail_addresses_are_made_up() -> None:
    reserved = r"(?:[\w-]+\.)*(?:example(?:\.com|\.org|\.net)?|test|invalid)\b"
    anonymised = r"marketplace\.amazon\.[a-z.]+"
    assert lines_with(rf"[\w.+-]+@(?!{reserved}|{anonymised})[\w-]+\.[a-z]{{2,}}") == []


def test_modules_of_tests_and_scripts_have_different_names() -> None:
    """They are imported from folders that are all on the path."""
    packages = {str(Path(name).parent) for name in FILES if name.endswith("/__init__.py")}
    modules = [
        Path(name).name
        for name in FILES
        if name.startswith(("tests/", "scripts/", "benchmarks/"))
        and name.endswith(".py")
        and str(Path(name).parent) not in packages
    ]
    twice = {name for name, number in Counter(modules).items() if number > 1}
    assert twice - {"conftest.py"} == set()


def test_there_are_no_big_files() -> None:
    assert [name for name in FILES if (ROOT / name).stat().st_size > 500_000] == []


def test_pictures_are_small() -> None:
    pictures = [name for name in FILES if name.endswith(".png")]
    assert pictures
    assert [name for name in pictures if (ROOT / name).stat().st_size > 150_000] == []


def anchors(document: Path) -> set[str]:
    """The anchors that a Markdown file's headings have on the web."""
    headings = re.findall(r"^#+ +(.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def is_dangling(document: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = document.parent / path if path else document
    return not file.exists() or (bool(anchor) and anchor not in anchors(file))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    document = ROOT / name
    targets = re.findall(r"\]\(([^()\s]+)\)", document.read_text())
    internal = [target for target in targets if not re.match(r"\w+:", target)]
    assert [target for target in internal if is_dangling(document, target)] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_targets_in_the_documents_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:`|^ *(?:\$ )?)make ([a-z-]+)", (ROOT / name).read_text(), re.MULTILINE)
    assert set(named) <= targets


def declared_requirements() -> list[Requirement]:
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    built_with = PROJECT["build-system"]["requires"]
    declared = chain(project["dependencies"], *groups.values(), built_with)
    return [Requirement(text) for text in declared if isinstance(text, str)]  # else a group


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def constraints() -> dict[str, str]:
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    return {plain(name): version for name, version in (pin.split("==") for pin in pins)}


def hashed(name: str) -> dict[str, tuple[str, list[str]]]:
    """Version and hashes of each package that requirements/ installs."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    entries = re.findall(
        r"^([\w.-]+)==([^\s;]+)[^\n]*((?:\n    --hash=sha256:\w{64}.*)+)", text, re.MULTILINE
    )
    assert len(entries) == len(re.findall(r"^[\w.-]", text, re.MULTILINE)), (
        "an entry without a hash"
    )
    return {plain(n): (version, hashes.split()) for n, version, hashes in entries}


@pytest.mark.parametrize("name", ["run", "alerts", "postgresql", "build"])
def test_requirements_are_what_the_constraints_say(name: str) -> None:
    """After a change of a dependency: scripts/make-requirements."""
    known = constraints()
    extra = {each: version for each, (version, _) in hashed(name).items() if each in known}
    assert extra == {each: known[each] for each in extra}
    needed = {
        "run": PROJECT["project"]["dependencies"],
        "alerts": PROJECT["project"]["optional-dependencies"]["alerts"],
        "postgresql": PROJECT["project"]["optional-dependencies"]["postgresql"],
        "build": PROJECT["build-system"]["requires"],
    }[name]
    assert {plain(Requirement(text).name) for text in needed} <= hashed(name).keys()


def test_every_dependency_is_pinned_to_a_version_it_allows() -> None:
    pins = (ROOT / "constraints.txt").read_text().lower().splitlines()
    pinned = dict(pin.split("==") for pin in pins)
    requirements = {each.name.lower(): each.specifier for each in declared_requirements()}
    assert requirements.keys() <= pinned.keys()
    assert [name for name, allowed in requirements.items() if pinned[name] not in allowed] == []


def test_every_pinned_tool_runs_with_debians_python() -> None:
    """That of Debian 12, the oldest one; ``make demo`` installs the developer's tools, too."""
    key, all_ = "Requires-Python", [each.metadata for each in distributions()]
    needed = {each["Name"]: SpecifierSet(each[key]) for each in all_ if key in each}
    assert [name for name, versions in needed.items() if "3.11.2" not in versions] == []


@pytest.mark.parametrize("name", [name for name in FILES if "." not in Path(name).name])
def test_scripts_can_be_run(name: str) -> None:
    is_script = (ROOT / name).read_text().startswith("#!")
    is_executable = bool((ROOT / name).stat().st_mode & 0o100)
    assert is_script == is_executable
